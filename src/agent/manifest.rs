//! What is known of an agent: one TOML file each. The user's files add kinds and replace parts of ours.

use std::path::Path;

use serde::Deserialize;

use super::KINDS;

/// Everything about one agent. In a user's file for one of our kinds each key that is given replaces ours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    pub process: Process,
    pub home: Home,
    pub conversation: Conversation,
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
                (Some(name), Ok(text)) if is_word(name) => agents.add(name, &text),
                (_, Ok(_)) => Err(": the file's name is the agent's: a-z, 0-9 and -".into()),
                (_, Err(error)) => Err(format!(": {error}")),
            };
            if let Err(problem) = outcome {
                agents.problems.push(format!("{}{problem}", path.display()));
            }
        }
        agents
    }

    /// Adds what a file says of an agent, over what is known of it.
    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut manifest: Manifest = toml::from_str(text).map_err(|error| located(text, &error))?;
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
        self
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

/// `:LINE: what stands there: what is wrong with it`.
fn located(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text[..at].matches('\n').count();
    let stands = text.lines().nth(line).unwrap_or("").trim();
    let message = error.message().replace('\n', " ");
    format!(":{}: {stands}: {message}", line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_sound() {
        let agents = Agents::read(None);
        assert_eq!(agents.all.len(), KINDS.len());
        for agent in &agents.all {
            let names = agent.manifest.process.names.as_deref();
            assert_eq!(names, Some(&[agent.name.clone()][..]));
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
        ];
        for (text, told) in broken {
            let mut agents = Agents::read(None);
            let problem = agents.add("new", text).expect_err("a problem");
            assert!(problem.starts_with(told), "{text:?}: {problem}");
            assert_eq!(agents.all.len(), KINDS.len());
        }
    }
}
