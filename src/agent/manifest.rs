//! What is known of an agent: one TOML file each. The user's files add kinds and replace parts of ours.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::KINDS;
use super::rule::{Pattern, Rule};
use crate::state::{State, Why};

/// Everything about one agent. In a user's file for one of our kinds each key that is given replaces ours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    pub process: Process,
    pub commands: Commands,
    pub home: Home,
    pub conversation: Conversation,
    pub transcripts: Transcripts,
    pub keys: Keys,
    pub messages: Messages,
    pub sources: Sources,
    pub session: SessionFile,
    /// Rules for the title of the pane, by name.
    pub title: BTreeMap<String, Rule>,
    /// Rules for the screen, by name.
    pub screen: BTreeMap<String, Rule>,
    pub composer: Input,
}

/// How its process is told from others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// What a process can be called: its short name, its first word, the file that it runs, the script.
    pub names: Option<Vec<String>>,
    /// Folders in the path of a script that belong to it alone.
    pub packages: Option<Vec<String>>,
    /// First words behind the program's name with which it is no agent: daemons, viewers, tools.
    pub apart: Option<Vec<String>>,
}

/// Where it keeps its files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Home {
    /// The environment variable that names the folder.
    pub variable: Option<String>,
    /// Its name in the user's home otherwise.
    pub folder: Option<String>,
}

/// Where the id of the running conversation is. Paths are below [`Home`]; `{pid}` is the agent's pid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conversation {
    /// A JSON file of the process.
    pub file: Option<String>,
    /// The field of the file that holds the id.
    pub id: Option<String>,
    /// The field of the file that holds the start of the process: another process may have had the pid.
    pub start: Option<String>,
    /// A file of the process in the conversation's folder, which is `*` here and named by the id.
    pub lock: Option<String>,
    /// Words on the command line that the id follows.
    pub options: Option<Vec<String>>,
    /// Words on the command line with which it is not the id that follows.
    pub unless: Option<Vec<String>>,
    /// What an id looks like.
    pub form: Option<Form>,
}

/// Command lines. `{id}` is a conversation's id, `{prompt}` or `{text}` what it is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Starts it.
    pub launch: Option<Vec<String>>,
    /// Starts it in a new conversation with an id that is chosen.
    pub launch_as: Option<Vec<String>>,
    /// Goes on with a conversation.
    pub resume: Option<Vec<String>>,
    /// Answers one prompt without a terminal.
    pub headless: Option<Vec<String>>,
    /// The same in a conversation.
    pub headless_resume: Option<Vec<String>>,
    /// While it works in a conversation: gives it a message for when it has finished, and fails if that is not so.
    pub queue: Option<Vec<String>>,
}

/// Where what was said is written down.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcripts {
    /// The files, below [`Home`]. `{id}` is the conversation's id, `{id8}` its first 8 characters, `*` any one name or
    /// part of a name.
    pub files: Option<String>,
    /// The files below the folder that it works in.
    pub local: Option<String>,
}

/// What is typed to it. Keys have tmux's names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Sends what stands in the composer.
    pub submit: Option<Vec<String>>,
    /// Stops what it is doing.
    pub interrupt: Option<Vec<String>>,
    /// What is typed and sent to end it.
    pub leave: Option<String>,
    /// While it works: has it take what stands in the composer when it has finished.
    pub queue: Option<Vec<String>>,
    /// While it works: gives it what stands in the composer at once, and it goes on. Without it that would take an
    /// interrupt.
    pub steer: Option<Vec<String>>,
    /// Puts a draft aside, which comes back when something else was sent.
    pub stash: Option<Vec<String>>,
}

/// What it does with texts that are pasted into its composer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// What makes a text that begins with it no message, but a command or nothing at all.
    pub commands: Option<Vec<String>>,
    /// The same, where a blank before it helps.
    pub spaced: Option<Vec<String>>,
    /// What makes Enter behind it begin a new line.
    pub continues: Option<Vec<String>>,
    /// What a last word begins with that Enter would complete.
    pub completes: Option<Vec<String>>,
    /// All of what it shows in place of a long text, without blanks.
    pub pasted: Option<Pattern>,
}

/// What tells its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// The strongest first.
    pub order: Option<Vec<Source>>,
}

/// Something that tells the state at every moment. Hooks do not: they tell of changes, and not of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    SessionFile,
    Title,
    Screen,
}

/// What its file about the running session ([`Conversation::file`]) says of the state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionFile {
    /// The field with the state.
    pub status: Option<String>,
    /// The field with what it waits for.
    pub waiting: Option<String>,
    /// The field with the time of the last change, in milliseconds.
    pub at: Option<String>,
    /// What its words for the state mean.
    pub states: BTreeMap<String, State>,
    /// What its words for what it waits for mean.
    pub reasons: BTreeMap<String, Why>,
}

/// How its composer looks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// What the row over it is drawn with.
    pub above: Option<String>,
    /// What the row under it is drawn with. Without it, what is behind the last blank row is its footer.
    pub below: Option<String>,
    /// What each of its rows begins with.
    pub edge: Option<String>,
    /// What its first row can begin with.
    pub prompts: Option<Vec<String>>,
    /// Whether each of its rows begins so, not only the first.
    pub repeated: Option<bool>,
    /// How many rows at its end hold something else.
    pub trailer: Option<usize>,
    /// How many rows can be below it, without blank ones.
    pub footer: Option<usize>,
    /// Whether every row below its first one is indented.
    pub indented: Option<bool>,
    /// Whether what is drawn faint is typed too: it has no placeholder.
    pub faint: Option<bool>,
    /// What stands in an empty one, where no style tells.
    pub hints: Option<Vec<String>>,
}

/// What a conversation's id looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    Uuid,
    /// Any word that is no option.
    Word,
}

/// One agent that is known.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    pub manifest: Manifest,
}

/// Every agent that is known, and what was wrong with the user's files.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    pub all: Vec<Agent>,
    /// A sentence for each file that was left out.
    pub problems: Vec<String>,
}

impl Agents {
    /// Ours, and over them the `*.toml` files of a folder. A broken one is left out.
    #[must_use]
    pub fn read(folder: Option<&Path>) -> Self {
        let mut agents = Self::default();
        for kind in KINDS {
            let known = agents.add(kind.name, kind.manifest);
            debug_assert!(known.is_ok(), "{}: {known:?}", kind.name);
        }
        let mut files: Vec<_> = folder
            .and_then(|folder| std::fs::read_dir(folder).ok())
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .collect();
        files.sort();
        for path in files {
            let name = path.file_stem().and_then(|stem| stem.to_str());
            let outcome = match (name, std::fs::read_to_string(&path)) {
                (Some(name), Ok(text)) if is_word(name) => agents.add_users(name, &text),
                (_, Ok(_)) => Err(": the file's name is the agent's: a-z, 0-9 and -".into()),
                (_, Err(error)) => Err(format!(": {error}")),
            };
            if let Err(problem) = outcome {
                agents.problems.push(format!("{}{problem}", path.display()));
            }
        }
        agents
    }

    /// Adds what a user's file says of an agent, over what is known of it.
    fn add_users(&mut self, name: &str, text: &str) -> Result<(), String> {
        let known = self.clone();
        self.add(name, text)?;
        let agent = self.all.iter().find(|agent| agent.name == name);
        let outcome = agent.map_or(Ok(()), |agent| agent.manifest.check(text));
        if outcome.is_err() {
            *self = known;
        }
        outcome
    }

    /// Adds what a file says of an agent, over what is known of it.
    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut manifest: Manifest =
            toml::from_str(text).map_err(|error| located(text, error.span(), error.message()))?;
        let at = self.all.iter().position(|agent| agent.name == name);
        if let Some(at) = at {
            manifest = manifest.over(&self.all[at].manifest);
        }
        if !manifest.process.says_something() {
            return Err(": [process] has no names and no packages to know the agent by".into());
        }
        match at {
            Some(at) => self.all[at].manifest = manifest,
            None => self.all.push(Agent {
                name: name.into(),
                manifest,
            }),
        }
        Ok(())
    }
}

/// Takes what is not said here from there.
macro_rules! fill {
    ($over:expr, $under:expr, $($field:ident)*) => {
        $( if $over.$field.is_none() { $over.$field.clone_from(&$under.$field); } )*
    };
}

impl Manifest {
    fn over(mut self, under: &Self) -> Self {
        fill!(self.process, under.process, names packages apart);
        fill!(self.home, under.home, variable folder);
        fill!(self.conversation, under.conversation, file id start lock options unless form);
        fill!(self.commands, under.commands, launch launch_as resume headless headless_resume queue);
        fill!(self.transcripts, under.transcripts, files local);
        fill!(self.keys, under.keys, submit interrupt leave queue steer stash);
        fill!(self.messages, under.messages, commands spaced continues completes pasted);
        fill!(self.sources, under.sources, order);
        fill!(self.session, under.session, status waiting at);
        add_missing(&mut self.session.states, &under.session.states);
        add_missing(&mut self.session.reasons, &under.session.reasons);
        fill!(self.composer, under.composer, above below edge prompts repeated trailer footer indented faint hints);
        for (rules, under) in [
            (&mut self.title, &under.title),
            (&mut self.screen, &under.screen),
        ] {
            for (name, rule) in rules.iter_mut() {
                if let Some(under) = under.get(name) {
                    fill!(rule, under, state why region composer last starts any all none regex priority);
                }
            }
            add_missing(rules, under);
        }
        self
    }
}

impl Manifest {
    /// What no parser sees. Ours are checked by a test: their patterns are compiled when they are needed.
    fn check(&self, text: &str) -> Result<(), String> {
        if let Some(pattern) = &self.messages.pasted
            && let Err(problem) = pattern.compile()
        {
            return Err(located(text, Some(pattern.span.clone()), problem));
        }
        for (table, rules) in [("title", &self.title), ("screen", &self.screen)] {
            for (name, rule) in rules {
                let wrong = |what: &str| Err(format!(": [{table}.{name}] {what}"));
                if let Some(pattern) = &rule.regex
                    && let Err(problem) = pattern.compile()
                {
                    return Err(located(text, Some(pattern.span.clone()), problem));
                }
                if rule.state.is_none() {
                    return wrong("has no state");
                }
                if rule.why.is_some() && rule.state != Some(State::Waiting) {
                    return wrong("has a why, which only waiting has");
                }
                let of_screen = rule.region.is_some() || rule.composer.is_some();
                if table == "title" && (of_screen || rule.last.is_some()) {
                    return wrong(
                        "has a region, a composer or a last row, which only a screen has",
                    );
                }
                if rule.says_nothing() {
                    return wrong("has no condition: it would always hold");
                }
                if table == "screen" && rule.region.is_none() && rule.has_text() {
                    return wrong("has no region to look for its text in");
                }
            }
        }
        Ok(())
    }
}

impl Process {
    fn says_something(&self) -> bool {
        [&self.names, &self.packages]
            .into_iter()
            .flatten()
            .any(|words| !words.is_empty())
    }
}

fn is_word(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Adds what is there and not here.
fn add_missing<V: Clone>(here: &mut BTreeMap<String, V>, there: &BTreeMap<String, V>) {
    for (name, value) in there {
        here.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// `:LINE: what stands there: what is wrong with it`.
fn located(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let at = span.map_or(0, |span| span.start.min(text.len()));
    let line = text[..at].matches('\n').count();
    let stands = text.lines().nth(line).unwrap_or("").trim();
    let message = message.replace('\n', " ");
    format!(":{}: {stands}: {message}", line + 1)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ours_are_sound() {
        let agents = Agents::read(None);
        assert_eq!(agents.all.len(), KINDS.len());
        for agent in &agents.all {
            let names = agent.manifest.process.names.as_deref();
            assert_eq!(names, Some(&[agent.name.clone()][..]));
            assert_eq!(agent.manifest.check(""), Ok(()), "{}", agent.name);
        }
    }

    #[test]
    fn a_users_key_replaces_ours_and_no_more() {
        let mut agents = Agents::read(None);
        agents
            .add("claude", "[process]\nnames = [\"cc\"]\n")
            .expect("a manifest");
        let claude = &agents.all[0];
        assert_eq!(claude.name, "claude");
        assert_eq!(
            claude.manifest.process.names.as_deref(),
            Some(&["cc".to_string()][..])
        );
        let conversation = &claude.manifest.conversation;
        assert_eq!(conversation.id.as_deref(), Some("sessionId"));
        let rules = claude.manifest.screen.len();
        agents
            .add_users(
                "claude",
                "[screen.busy]\nany = [\"stop\"]\n[screen.mine]\nstate = \"busy\"\nlast = [\"x\"]\n",
            )
            .expect("a manifest");
        let screen = &agents.all[0].manifest.screen;
        assert_eq!(screen.len(), rules + 1);
        assert_eq!(
            screen["busy"].any.as_deref(),
            Some(&["stop".to_string()][..])
        );
        assert_eq!(screen["busy"].state, Some(State::Busy));
    }

    #[test]
    fn a_broken_file_is_told_by_line_and_key() {
        let broken = [
            ("x = 1", ":1: x = 1: unknown field `x`"),
            (
                "\n[process]\nname = []",
                ":3: name = []: unknown field `name`",
            ),
            ("[process]\nnames = 3", ":2: names = 3: invalid type"),
            ("[process]\nnames = [\"a\"", ":2: names = [\"a\""),
            (
                "[conversation]\nform = \"x\"",
                ":2: form = \"x\": unknown variant",
            ),
            ("", ": [process] has no names"),
            (
                "[process]\nnames = [\"a\"]\n[screen.x]\nstate = \"busy\"\nregion = \"bottom 1\"\nregex = '('",
                ":6: regex = '(': error: unclosed group",
            ),
            (
                "[process]\nnames = [\"a\"]\n[screen.x]\nregion = \"top 3\"",
                ":4: region = \"top 3\": a region is",
            ),
        ];
        for (text, told) in broken {
            let mut agents = Agents::read(None);
            let problem = agents.add_users("new", text).expect_err("a problem");
            assert!(problem.starts_with(told), "{text:?}: {problem}");
            assert_eq!(agents.all.len(), KINDS.len());
        }
        // What the parser cannot see.
        let rules = [
            ("[title.x]\nany = [\"a\"]", "[title.x] has no state"),
            ("[title.x]\nstate = \"idle\"", "[title.x] has no condition"),
            (
                "[title.x]\nstate = \"idle\"\nlast = [\"a\"]",
                "[title.x] has a region",
            ),
            (
                "[screen.x]\nstate = \"idle\"\nwhy = \"login\"\ncomposer = true",
                "[screen.x] has a why",
            ),
            (
                "[screen.x]\nstate = \"idle\"\nany = [\"a\"]",
                "[screen.x] has no region",
            ),
        ];
        for (text, told) in rules {
            let mut agents = Agents::read(None);
            let problem = agents.add_users("claude", text).expect_err("a problem");
            assert!(problem.contains(told), "{text:?}: {problem}");
            assert!(!agents.all[0].manifest.screen.contains_key("x"));
        }
    }

    const GUIDE: &str = include_str!("../../plugin/doc/agents.md");

    /// The keys of a table, as the parser names them when it refuses another.
    fn keys(table: &str) -> Vec<String> {
        let text = format!("{table}\nno-such-key = 1\n");
        let refused = toml::from_str::<Manifest>(&text).expect_err("a refusal");
        let (_, known) = refused.message().split_once("expected").expect("the keys");
        known
            .split('`')
            .skip(1)
            .step_by(2)
            .map(Into::into)
            .collect()
    }

    #[test]
    fn every_key_is_in_the_guide() {
        let tables = keys("");
        assert!(tables.len() > 8, "{tables:?}");
        for table in tables {
            let rules = ["title", "screen"].contains(&table.as_str());
            let name = if rules {
                format!("{table}.NAME")
            } else {
                table
            };
            let heading = format!("`[{name}]`");
            let section = GUIDE.split("\n### ").find(|part| {
                let first = part.lines().next().unwrap_or_default();
                first.contains(&heading)
            });
            let section = section.unwrap_or_else(|| panic!("no section {heading}"));
            for key in keys(&format!("[{name}]")) {
                let row = format!("| `{key}` |");
                assert!(section.contains(&row), "{heading} does not have {key}");
            }
        }
    }

    #[test]
    fn the_guides_example_is_a_manifest() {
        let (_, example) = GUIDE.split_once("```toml\n").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let mut agents = Agents::read(None);
        agents.add_users("goose", example).expect("a manifest");
        assert_eq!(agents.all.last().expect("goose").name, "goose");
    }

    /// Pieces of a manifest, whole and broken.
    fn piece() -> impl Strategy<Value = String> {
        let lines = [
            "[process]",
            "names = [\"a\"]",
            "[screen.x]",
            "[title.x]",
            "state = \"busy\"",
            "state = 3",
            "regex = '('",
            "regex = \"\\u00e9(\"",
            "region = \"bottom 3\"",
            "region = \"bottom\"",
            "any = [\"…\"]",
            "any = [",
            "[composer]",
            "prompts = \"é\"",
            "[session.reasons]",
            "\"é ü\" = \"question\"",
            "[",
            "é = '",
            "\"\"\"",
        ];
        let line = proptest::sample::select(lines.to_vec()).prop_map(String::from);
        prop_oneof![5 => line, 1 => any::<String>()]
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(lines in proptest::collection::vec(piece(), 0..12)) {
            let mut agents = Agents::read(None);
            let before = agents.all.len();
            match agents.add_users("new", &lines.join("\n")) {
                Ok(()) => prop_assert_eq!(agents.all.len(), before + 1),
                Err(problem) => {
                    prop_assert!(problem.starts_with(':') && !problem.contains('\n'), "{}", problem);
                    prop_assert_eq!(agents.all.len(), before);
                }
            }
        }
    }
}
