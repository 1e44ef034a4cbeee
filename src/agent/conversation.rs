//! The conversation that an agent's process is in, from the agent's own files, or else from its command line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::kinds::Agent;
use super::manifest::{Conversation, Home, IdForm, Manifest, Transcripts};
use super::recognise::AgentProcess;
use super::session::{SessionRecord, pids};
use super::state::Session;
use super::transcript::{Transcript, files, is_file_of};
use crate::id::SeshId;
use crate::transcript::form::TranscriptForm;

impl Conversation {
    /// Returns whether a text can be an id. A text that cannot must not get onto a command line.
    #[must_use]
    pub fn may_be(&self, id: &str) -> bool {
        fits(self, id)
    }
}

impl Home {
    /// Returns the agent's folder, from the environment of the agent.
    pub(super) fn folder(&self, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let named = self.variable.as_deref().and_then(&set).map(PathBuf::from);
        named.or_else(|| Some(Path::new(&set("HOME")?).join(self.folder.as_ref()?)))
    }
}

/// What an agent's own files and its command line show of its conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationEvidence {
    /// The id of the conversation that its process is in.
    pub id: Option<String>,
    /// The state that its file reports.
    pub session: Option<Session>,
}

/// Returns whether the transcripts of an agent can be found and read.
#[must_use]
pub fn has_transcripts(agent: &Agent) -> bool {
    let transcripts = &agent.manifest.transcripts;
    transcripts.form.is_some() && transcripts.files.is_some()
}

/// Where the transcript of a conversation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptFile {
    pub path: PathBuf,
    /// The agent's folder, which it is in.
    pub home: PathBuf,
    pub form: TranscriptForm,
}

/// Returns where the transcript of a conversation is, if the agent keeps one that can be read. `variable` reads an
/// environment. Several files may have the id: the newest one in whose first line the folder is `cwd` counts, else the
/// newest one.
pub fn transcript_file(
    agent: &Agent,
    id: &str,
    cwd: Option<&str>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<TranscriptFile> {
    let known = &agent.manifest.transcripts;
    let form = known.form?;
    // An id that cannot be the name of a file is no id.
    if id.contains('/') || id.is_empty() {
        return None;
    }
    let home = agent.manifest.home.folder(variable)?;
    if let Some(path) = near(&home, known, id, cwd) {
        return Some(TranscriptFile { path, home, form });
    }
    let mut found = files(&home, known.files.as_ref()?, id);
    let is_of_folder = |path: &PathBuf| cwd.is_some() && folder_in(path).as_deref() == cwd;
    let at = match found.len() {
        0 => return None,
        1 => 0,
        _ => found.iter().position(is_of_folder).unwrap_or(0),
    };
    Some(TranscriptFile {
        path: found.swap_remove(at),
        home,
        form,
    })
}

/// Returns whether the agent keeps a file of a conversation. `variable` reads an environment.
pub fn is_kept(agent: &Agent, id: &str, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let known = &agent.manifest;
    let (Some(pattern), true) = (&known.transcripts.files, fits(&known.conversation, id)) else {
        return false;
    };
    let folder = known.home.folder(variable);
    folder.is_some_and(|folder| !files(&folder, pattern, id).is_empty())
}

/// Returns the folder in which the transcript of a conversation is expected, or the nearest one above it that exists.
/// `variable` reads an environment.
pub fn folder_of_transcript(
    agent: &Agent,
    id: &str,
    cwd: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let known = &agent.manifest.transcripts;
    let pattern = known.near.as_ref().or(known.files.as_ref())?;
    let day = days(id).into_iter().next();
    let pattern = pattern
        .replace("{folder}", &as_folder(cwd))
        .replace("{date}", day.as_deref().unwrap_or("*"))
        .replace("{id}", id);
    let (folders, _) = pattern.rsplit_once('/')?;
    let is_plain = |part: &&str| !part.contains(['*', '{']);
    let expected = agent.manifest.home.folder(variable)?;
    let expected =
        (folders.split('/').take_while(is_plain)).fold(expected, |at, part| at.join(part));
    let found = expected.ancestors().find(|folder| folder.is_dir());
    found.map(Into::into)
}

/// Returns the name that a folder has in the pattern of a transcript.
fn as_folder(cwd: &str) -> String {
    cwd.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// Returns where a transcript that comes from elsewhere belongs. `path` is where it was below the agent's folder. It is
/// `None` unless the agent keeps the transcript of this conversation in such a place. `variable` reads an environment.
pub fn place_of_transcript(
    agent: &Agent,
    id: &str,
    path: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let known = &agent.manifest.transcripts;
    let is_word = !id.contains(|c: char| c.is_control() || "/*".contains(c));
    let is_known = is_word && fits(&agent.manifest.conversation, id) && known.form.is_some();
    let pattern = known.files.as_ref().filter(|_| is_known)?;
    let home = agent.manifest.home.folder(variable)?;
    is_file_of(pattern, id, path).then(|| home.join(path))
}

/// Returns the transcript of a conversation, if it is where it most likely is.
fn near(home: &Path, known: &Transcripts, id: &str, cwd: Option<&str>) -> Option<PathBuf> {
    let pattern = known.near.as_ref()?;
    let pattern = match cwd {
        Some(cwd) => pattern.replace("{folder}", &as_folder(cwd)),
        None if pattern.contains("{folder}") => return None,
        None => pattern.clone(),
    };
    if !pattern.contains("{date}") {
        return files(home, &pattern, id).into_iter().next();
    }
    days(id).iter().find_map(|day| {
        let of_day = files(home, &pattern.replace("{date}", day), id);
        of_day.into_iter().next()
    })
}

/// Returns the days on which a UUID of version 7 was made, in any time zone.
fn days(id: &str) -> Vec<String> {
    const FARTHEST_ZONE: Duration = Duration::from_secs(14 * 60 * 60);
    let Ok(id) = id.parse::<SeshId>() else {
        return Vec::new();
    };
    let bytes = id.bytes();
    if bytes[6] >> 4 != 7 {
        return Vec::new();
    }
    let milliseconds = bytes[..6]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let made = Duration::from_millis(milliseconds);
    // A date of four digits.
    if !(1_000_000_000..100_000_000_000).contains(&made.as_secs()) {
        return Vec::new();
    }
    let made = SystemTime::UNIX_EPOCH + made;
    let mut days = Vec::new();
    for time in [made, made + FARTHEST_ZONE, made - FARTHEST_ZONE] {
        let time = humantime::format_rfc3339_seconds(time).to_string();
        let day = time
            .chars()
            .take(10)
            .map(|c| if c == '-' { '/' } else { c });
        let day: String = day.collect();
        if !days.contains(&day) {
            days.push(day);
        }
    }
    days
}

/// Returns the folder that the first line of a transcript has.
fn folder_in(path: &Path) -> Option<String> {
    const LONGEST: u64 = 64 << 10;
    let mut line = Vec::new();
    let file = File::open(path).ok()?.take(LONGEST);
    BufReader::new(file).read_until(b'\n', &mut line).ok()?;
    let line: serde_json::Value = serde_json::from_slice(&line).ok()?;
    line.get("cwd")?.as_str().map(Into::into)
}

/// Returns the transcript of a conversation, positioned at its end, if the agent keeps one that can be read. `variable`
/// reads an environment.
pub fn transcript(
    agent: &Agent,
    id: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<Transcript> {
    let TranscriptFile { path, form, .. } = transcript_file(agent, id, None, variable)?;
    Transcript::at_end(form, path)
}

/// Returns the id of the conversation that a process is in. `variable` reads the environment of the process.
pub fn id(
    living: &AgentProcess<'_>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<String> {
    told(living, variable).id
}

/// Returns what the files and the command line show of a process's session. `variable` reads the environment of the
/// process.
pub fn told(
    living: &AgentProcess<'_>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> ConversationEvidence {
    let manifest = &living.agent.manifest;
    let known = &manifest.conversation;
    let in_files = known.file.is_some() || known.lock.is_some();
    let folder = in_files.then(|| manifest.home.folder(variable)).flatten();
    let process = &living.process;
    let record = folder
        .as_ref()
        .and_then(|folder| SessionRecord::read(known, folder, process.pid, process.start));
    let in_record = record.as_ref().and_then(|record| record.id(known));
    let id = in_record
        .filter(|id| fits(known, id))
        .map(Into::into)
        .or_else(|| by_lock(known, folder.as_ref()?, process.pid))
        .or_else(|| on_command_line(known, &living.program.argv));
    ConversationEvidence {
        id,
        session: record.and_then(|record| record.session(manifest)),
    }
}

/// Returns the processes whose own files show that they are in a conversation, including those that no terminal shows.
/// `is_alive` returns whether a pid is still the process that started at that time. `variable` reads an environment.
pub fn holders(
    manifest: &Manifest,
    id: &str,
    variable: impl Fn(&str) -> Option<OsString>,
    is_alive: impl Fn(i32, Option<u64>) -> bool,
) -> Vec<i32> {
    let known = &manifest.conversation;
    let Some(folder) = manifest.home.folder(variable) else {
        return Vec::new();
    };
    let by_files = SessionRecord::all(known, &folder)
        .into_iter()
        .filter(|(pid, record)| record.id(known) == Some(id) && is_alive(*pid, record.start(known)))
        .map(|(pid, _)| pid);
    let by_locks = locks(known, &folder, id)
        .into_iter()
        .filter(|pid| is_alive(*pid, None));
    by_files.chain(by_locks).collect()
}

/// Returns whether a process keeps the file of a conversation locked in which the agent allows one writer. `variable` reads
/// an environment.
pub fn is_locked(agent: &Agent, id: &str, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let known = &agent.manifest.conversation;
    let (Some(file), true) = (&known.writer, fits(known, id)) else {
        return false;
    };
    let Some(folder) = agent.manifest.home.folder(variable) else {
        return false;
    };
    let file = std::fs::File::open(folder.join(file.replace("{id}", id)));
    let is_held = |file: std::fs::File| {
        matches!(
            file.try_lock_shared(),
            Err(std::fs::TryLockError::WouldBlock)
        )
    };
    file.is_ok_and(is_held)
}

/// Returns the processes that have locked a conversation.
fn locks(known: &Conversation, folder: &Path, id: &str) -> Vec<i32> {
    let parts = known.lock.as_ref().and_then(|lock| {
        let (above, file) = lock.split_once("/*/")?;
        Some((above, file.split_once("{pid}")?))
    });
    // An id that cannot be the name of a folder is no id.
    let Some((above, (begin, end))) = parts.filter(|_| fits(known, id)) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder.join(above).join(id));
    pids(entries.into_iter().flatten().flatten(), begin, end)
}

/// Returns the id of the conversation that a process has locked: the name of the folder that holds its lock.
fn by_lock(known: &Conversation, folder: &Path, pid: i32) -> Option<String> {
    let (above, file) = known.lock.as_ref()?.split_once("/*/")?;
    let file = file.replace("{pid}", &pid.to_string());
    std::fs::read_dir(folder.join(above))
        .ok()?
        .flatten()
        .find(|entry| entry.path().join(&file).exists())
        .and_then(|entry| entry.file_name().into_string().ok())
        .filter(|id| fits(known, id))
}

fn on_command_line(known: &Conversation, argv: &[String]) -> Option<String> {
    let unless = known.unless.iter().flatten();
    if unless.into_iter().any(|word| argv.contains(word)) {
        return None;
    }
    let options = known.options.as_ref()?;
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), words.clone().next().map(String::as_str)),
        };
        if options.iter().any(|it| it == option)
            && let Some(id) = value.filter(|id| fits(known, id))
        {
            return Some(id.into());
        }
    }
    None
}

/// The largest length of an id that is a word, in bytes.
const MAX_WORD: usize = 256;

fn fits(known: &Conversation, id: &str) -> bool {
    match known.form {
        // It becomes a word of a command line and a part of paths.
        Some(IdForm::Word) => {
            !id.is_empty()
                && id.len() <= MAX_WORD
                && !id.starts_with('-')
                && !id.contains(|c: char| c.is_control() || "/*".contains(c))
        }
        Some(IdForm::Uuid) | None => id.parse::<SeshId>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    const ID: &str = "46ed2323-f13a-4fb3-98e7-659d84033d77";

    fn known(agent: &str) -> Conversation {
        let agents = Agents::read(None).all;
        let agent = agents.into_iter().find(|it| it.name == agent);
        agent.expect("a known agent").manifest.conversation.clone()
    }

    #[test]
    fn the_id_on_a_command_line() {
        let cases = [
            ("claude", format!("claude --resume {ID}"), true),
            ("claude", format!("claude --session-id={ID} hello"), true),
            ("claude", format!("claude -r {ID}"), true),
            ("claude", format!("claude -r {ID} --fork-session"), false),
            ("claude", format!("claude -r fix {ID}"), false),
            ("claude", "claude --resume".into(), false),
            ("codex", format!("codex resume {ID}"), true),
            ("codex", format!("codex -c a=b resume --all {ID}"), false),
            (
                "gemini",
                format!("node /n/.bin/gemini --session-id {ID}"),
                true,
            ),
            (
                "gemini",
                "node /n/.bin/gemini --resume latest".into(),
                false,
            ),
            ("copilot", format!("copilot --resume={ID}"), true),
            ("pi", format!("pi --session {ID}"), false),
        ];
        for (agent, line, there) in cases {
            let argv: Vec<String> = line.split(' ').map(Into::into).collect();
            let id = on_command_line(&known(agent), &argv);
            assert_eq!(id.as_deref(), there.then_some(ID), "{line}");
        }
        let argv = ["opencode", "-s", "ses_1f2"].map(String::from);
        let id = on_command_line(&known("opencode"), &argv);
        assert_eq!(id.as_deref(), Some("ses_1f2"));
    }

    #[test]
    fn what_is_no_id() {
        let long = "x".repeat(MAX_WORD + 1);
        for id in ["", "-x", "a\0b", "a\nb", "../../x", "*", &long] {
            assert!(!known("opencode").may_be(id), "{id:?}");
        }
        for id in ["ses_1", "#(x)", "\u{1f980} y"] {
            assert!(known("opencode").may_be(id), "{id:?}");
        }
    }

    #[test]
    fn the_days_of_an_id() {
        // 2026-11-30T23:00:00Z
        let id = "01a22eaf-c180-7000-8000-000000000001";
        assert_eq!(days(id), ["2026/11/30", "2026/12/01"]);
        assert_eq!(days(ID), [""; 0], "of version 4");
        assert_eq!(days("ses_1"), [""; 0]);
        for extreme in [
            "00000000-0000-7000-8000-000000000001",
            "ffffffff-ffff-7fff-bfff-ffffffffffff",
        ] {
            assert_eq!(days(extreme), [""; 0]);
        }
    }

    #[test]
    fn the_home_of_an_agent() {
        let agents = Agents::read(None).all;
        let home = &agents[0].manifest.home;
        let only = |named: &'static str, value: &'static str| {
            move |name: &str| (name == named).then(|| value.into())
        };
        let folder = home.folder(only("HOME", "/home/a"));
        assert_eq!(folder, Some("/home/a/.claude".into()));
        let folder = home.folder(only("CLAUDE_CONFIG_DIR", "/c"));
        assert_eq!(folder, Some("/c".into()));
        assert_eq!(home.folder(only("PATH", "/bin")), None);
    }
}
