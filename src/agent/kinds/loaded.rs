//! The kinds that this process knows: the built-in ones, and the user's files over them.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::Path;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::{Code, KINDS, Kind, unsupported};
use crate::agent::manifest::{Manifest, ProcessForm};
use crate::env;

/// One known agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: String,
    /// How its process is recognized, from its manifest.
    pub process: ProcessForm,
    pub manifest: LazyManifest,
    /// What its manifest cannot express.
    pub code: Code,
}

/// Every known agent, and the problems of the user's files.
#[derive(Clone, Debug, Default)]
pub struct Agents {
    pub all: Vec<Agent>,
    /// The files that were ignored.
    pub problems: Vec<Problem>,
}

/// A user's file that was ignored.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The kind that the file would have described.
    pub name: String,
    /// The file, the line and what is wrong with it.
    pub sentence: String,
}

/// A manifest that is parsed when it is needed: of most kinds only the process is.
#[derive(Clone, Debug)]
pub struct LazyManifest {
    text: &'static str,
    parsed: OnceLock<Manifest>,
}

impl LazyManifest {
    fn of(text: &'static str) -> Self {
        Self {
            text,
            parsed: OnceLock::new(),
        }
    }
}

impl From<Manifest> for LazyManifest {
    fn from(manifest: Manifest) -> Self {
        Self {
            text: "",
            parsed: OnceLock::from(manifest),
        }
    }
}

impl Deref for LazyManifest {
    type Target = Manifest;

    fn deref(&self) -> &Manifest {
        self.parsed
            .get_or_init(|| built_in::<Manifest>(self.text).with_order())
    }
}

impl Agent {
    /// Returns the words that start the agent: those of its manifest, else the first name of its process.
    #[must_use]
    pub fn launch(&self) -> Vec<&str> {
        let words = self.manifest.commands.launch.iter().flatten();
        let words: Vec<&str> = words.map(String::as_str).collect();
        if words.is_empty() {
            let mut names = self.process.names.iter().flatten();
            return vec![names.next().unwrap_or(&self.name)];
        }
        words
    }

    /// Returns whether a command starts the agent: it begins with the words that start it, or with a name of its
    /// process.
    fn is_started_by(&self, program: &str, arguments: &[OsString]) -> bool {
        let launch = self.launch();
        let names = self.process.names.iter().flatten();
        let own = launch.split_first().is_some_and(|(own, words)| {
            let own = Path::new(own).file_name();
            own.is_some_and(|own| own == program)
                && arguments.len() >= words.len()
                && words.iter().zip(arguments).all(|(own, word)| word == own)
        });
        own || names.into_iter().any(|name| name == program)
    }
}

impl Agents {
    /// Returns the kinds of this process. The first call reads them.
    #[must_use]
    pub fn loaded() -> &'static Self {
        static LOADED: OnceLock<Agents> = OnceLock::new();
        LOADED.get_or_init(|| Self::read(env::agents_dir().as_deref()))
    }

    /// Returns the kind with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Agent> {
        self.all.iter().find(|agent| agent.name == name)
    }

    /// Returns why the file of a kind was ignored.
    #[must_use]
    pub fn problem_of(&self, name: &str) -> Option<&str> {
        let problem = self.problems.iter().find(|it| it.name == name)?;
        Some(&problem.sentence)
    }

    /// Returns the kind that a command starts.
    #[must_use]
    pub fn started_by(&self, command: &[OsString]) -> Option<&Agent> {
        let (program, arguments) = command.split_first()?;
        let program = Path::new(program).file_name()?.to_str()?;
        self.all
            .iter()
            .find(|agent| agent.is_started_by(program, arguments))
    }

    /// Reads the built-in manifests, and over them the `*.toml` files of a folder. A file with a problem is ignored.
    #[must_use]
    pub fn read(folder: Option<&Path>) -> Self {
        let mut agents = Self::default();
        agents.all.extend(KINDS.iter().map(|kind| {
            let (process, manifest) = kind.manifest.split_once('\n').unwrap_or_default();
            Agent {
                name: kind.name.into(),
                process: built_in(process),
                manifest: LazyManifest::of(manifest),
                code: kind.code,
            }
        }));
        agents
            .all
            .extend(unsupported::processes().map(|(name, process)| Agent {
                name: name.into(),
                process: process.clone(),
                manifest: LazyManifest::from(Manifest {
                    process,
                    ..Manifest::default()
                }),
                code: super::NO_CODE,
            }));
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
                (_, Ok(_)) => Err(": the file's name is the kind's name: a-z, 0-9 and -".into()),
                (_, Err(error)) => Err(format!(": {error}")),
            };
            if let Err(problem) = outcome {
                agents.problems.push(Problem {
                    name: name.unwrap_or_default().into(),
                    sentence: format!("{}{problem}", path.display()),
                });
            }
        }
        agents
    }

    /// Adds what a user's file describes, over what is known of the agent. A file that fails the check changes nothing.
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

    /// Adds what a file describes, over what is known of the agent.
    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let mut manifest = Manifest::parse(text)?;
        let at = self.all.iter().position(|agent| agent.name == name);
        if let Some(at) = at {
            manifest = manifest.merged_over(&self.all[at].manifest);
        }
        if !manifest.process.identifies_process() {
            return Err(
                ": [process] has neither names nor packages to recognize the agent by".into(),
            );
        }
        let (process, manifest) = (manifest.process.clone(), manifest.with_order().into());
        match at {
            Some(at) => {
                let agent = &mut self.all[at];
                (agent.process, agent.manifest) = (process, manifest);
            }
            None => self.all.push(Agent {
                name: name.into(),
                process,
                manifest,
                code: Kind::named(name).map_or(super::NO_CODE, |kind| kind.code),
            }),
        }
        Ok(())
    }
}

/// Parses a part of a built-in manifest, which a test checks.
fn built_in<T: Default + DeserializeOwned>(json: &str) -> T {
    let parsed = serde_json::from_str(json);
    debug_assert!(parsed.is_ok(), "{:?}: {json}", parsed.err());
    parsed.unwrap_or_default()
}

fn is_word(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;
    use crate::agent::manifest::Source;
    use crate::agent::screen::Screen;
    use crate::agent::state::tests::no_evidence;
    use crate::agent::state::{Authority, Confidence, judge};
    use crate::state::State;

    #[test]
    fn built_in_manifests_are_valid_and_compiled() {
        let agents = Agents::read(None);
        assert!(agents.all.len() > KINDS.len());
        for agent in &agents.all {
            let names = agent.process.names.as_deref();
            assert_eq!(names.and_then(<[String]>::first), Some(&agent.name));
            assert_eq!(agent.process, agent.manifest.process);
            assert_eq!(agent.manifest.check(""), Ok(()), "{}", agent.name);
            if Kind::named(&agent.name).is_none() {
                continue;
            }
            let file = format!("src/agent/kinds/{}/manifest.toml", agent.name);
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
            let source = std::fs::read_to_string(source).expect("the source of the manifest");
            let manifest = Manifest::parse(&source).and_then(|manifest| {
                manifest.check(&source)?;
                Ok(manifest.with_order())
            });
            let manifest = manifest.unwrap_or_else(|problem| panic!("{file}{problem}"));
            assert!(
                format!("{manifest:?}") == format!("{:?}", *agent.manifest),
                "{file} has changed: UPDATE=1 cargo test --test it docs compiles it"
            );
        }
    }

    #[test]
    fn a_users_key_replaces_only_that_key() {
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
    fn described_sources_become_the_default_order() {
        let order = |text: &str| {
            let mut agents = Agents::read(None);
            let text = format!("[process]\nnames = [\"a\"]\n{text}");
            agents.add_users("mine", &text).expect("a manifest");
            let mine = agents.named("mine").expect("the kind");
            mine.manifest.sources.order.clone().expect("an order")
        };
        let screen = "[screen.idle]\nstate = \"idle\"\ncomposer = true\n";
        let title = "[title.busy]\nstate = \"busy\"\nany = [\"x\"]\n";
        assert_eq!(order(""), []);
        assert_eq!(order(screen), [Source::Screen]);
        assert_eq!(
            order(&format!("{screen}{title}")),
            [Source::Title, Source::Screen]
        );
        let chosen = "[sources]\norder = [\"title\"]\n";
        assert_eq!(order(&format!("{screen}{title}{chosen}")), [Source::Title]);
    }

    #[test]
    fn the_old_key_of_not_agent_is_read() {
        let mut agents = Agents::read(None);
        let manifest = "[process]\nnames = [\"mine\"]\napart = [\"serve\"]\n";
        agents.add_users("mine", manifest).expect("a manifest");
        let mine = agents.all.last().expect("mine");
        let not_agent = mine.manifest.process.not_agent.as_deref();
        assert_eq!(not_agent, Some(&["serve".to_string()][..]));
    }

    #[test]
    fn a_problem_names_line_and_key() {
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
            ("", ": [process] has neither names"),
            (
                "[process]\nnames = [\"a\"]\n[screen.x]\nstate = \"busy\"\nregion = \"bottom 1\"\nregex = '('",
                ":6: regex = '(': error: unclosed group",
            ),
            (
                "[process]\nnames = [\"a\"]\n[screen.x]\nregion = \"top 3\"",
                ":4: region = \"top 3\": a region is",
            ),
        ];
        for (text, expected) in broken {
            let mut agents = Agents::read(None);
            let problem = agents.add_users("new", text).expect_err("a problem");
            assert!(problem.starts_with(expected), "{text:?}: {problem}");
            assert!(agents.named("new").is_none());
        }
        // Problems that the parser cannot detect.
        let rules = [
            ("[title.x]\nany = [\"a\"]", "[title.x] has no state"),
            ("[title.x]\nstate = \"idle\"", "[title.x] has no condition"),
            (
                "[title.x]\nstate = \"idle\"\ncomposer = true",
                "[title.x] has no title text",
            ),
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
        for (text, expected) in rules {
            let mut agents = Agents::read(None);
            let problem = agents.add_users("claude", text).expect_err("a problem");
            assert!(problem.contains(expected), "{text:?}: {problem}");
            assert!(!agents.all[0].manifest.screen.contains_key("x"));
        }
    }

    const GUIDE: &str = include_str!("../../../plugin/doc/agents.md");

    /// Returns the keys of a table, which the parser lists when it refuses an unknown key.
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
    fn the_state_of_an_unsupported_agent_is_unknown_until_a_users_file_describes_it() {
        const FREE: &str = "⠋ Thinking (esc to cancel)\n────────────\n> \n────────────\n";
        let mut agents = Agents::read(None);
        let judged = |agent: &Agent| {
            let screen = Screen::parse(FREE);
            let mut evidence = no_evidence(agent);
            evidence.screen = Some(&screen);
            let verdict = judge(&evidence);
            (verdict.state, verdict.by, verdict.confidence)
        };
        let unknown = (State::Unknown, Authority::Process, Confidence::Low);
        for (name, _) in unsupported::processes() {
            assert!(Kind::named(name).is_none(), "{name}");
            assert_eq!(judged(agents.named(name).expect(name)), unknown, "{name}");
        }
        let text = "[composer]\nabove = \"─\"\nbelow = \"─\"\n[screen.idle]\nstate = \"idle\"\ncomposer = true\n";
        agents.add_users("crush", text).expect("a manifest");
        let busy = (State::Busy, Authority::Screen, Confidence::Medium);
        assert_eq!(judged(agents.named("crush").expect("crush")), busy);
    }

    #[test]
    fn the_guides_example_is_a_manifest() {
        let (_, example) = GUIDE.split_once("```toml\n").expect("an example");
        let (example, _) = example.split_once("```").expect("its end");
        let mut agents = Agents::read(None);
        agents.add_users("goose", example).expect("a manifest");
        let goose = agents.named("goose").expect("goose");
        assert_eq!(goose.manifest.composer.above.as_deref(), Some("─"));
    }

    /// Generates pieces of a manifest, valid and broken.
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
