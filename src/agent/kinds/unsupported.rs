//! Agents that are recognized, and of which nothing else is known. Without this list a pane with one of them would be busy
//! until it ends, also while it waits for a person. So its state is unknown. A user's file can describe the rest.

use super::NO_CODE;
use super::loaded::Agent;
use crate::agent::manifest::{Manifest, ProcessForm};

/// The name of an agent, which is that of its process too, the folder of its package, and first words with which a
/// program of that name is none.
type Unsupported = (&'static str, Option<&'static str>, &'static [&'static str]);

const UNSUPPORTED: [Unsupported; 10] = [
    ("amp", Some("@sourcegraph/amp"), &[]),
    ("auggie", Some("@augmentcode/auggie"), &[]),
    ("crush", Some("@charmland/crush"), &[]),
    ("cursor-agent", None, &[]),
    ("droid", None, &[]),
    // A tool for databases has that name too.
    (
        "goose",
        None,
        &[
            "up", "down", "redo", "reset", "status", "version", "create", "fix", "validate",
            "postgres", "mysql", "sqlite3",
        ],
    ),
    ("iflow", Some("@iflow-ai/iflow-cli"), &[]),
    ("kilocode", Some("@kilocode/cli"), &[]),
    ("kiro-cli", None, &[]),
    ("openhands", None, &[]),
];

/// Returns these agents.
pub(super) fn agents() -> impl Iterator<Item = Agent> {
    UNSUPPORTED.iter().map(|(name, package, not_agent)| {
        let process = ProcessForm {
            names: Some(vec![(*name).into()]),
            packages: package.map(|package| vec![package.into()]),
            not_agent: Some(not_agent.iter().map(|word| (*word).into()).collect()),
        };
        Agent {
            name: (*name).into(),
            manifest: Manifest {
                process,
                ..Manifest::default()
            },
            code: NO_CODE,
        }
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::{Agents, KINDS};
    use crate::agent::screen::Screen;
    use crate::agent::state::{Authority, Confidence, judge, tests::no_evidence};
    use crate::state::State;

    #[test]
    fn the_state_of_an_unsupported_agent_is_unknown() {
        let screen = Screen::parse("⠋ Thinking (esc to cancel)\n────────────\n> \n────────────\n");
        for agent in agents() {
            let mut evidence = no_evidence(&agent);
            evidence.screen = Some(&screen);
            let verdict = judge(&evidence);
            let judged = (verdict.state, verdict.by, verdict.confidence);
            let unknown = (State::Unknown, Authority::Process, Confidence::Low);
            assert_eq!(judged, unknown, "{}", agent.name);
            assert!(!KINDS.iter().any(|kind| kind.name == agent.name));
        }
    }

    #[test]
    fn a_users_file_describes_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let text =
            "[composer]\nprompts = [\">\"]\n[screen.idle]\nstate = \"idle\"\ncomposer = true\n";
        std::fs::write(folder.path().join("crush.toml"), text).expect("a file");
        let agents = Agents::read(Some(folder.path()));
        assert!(agents.problems.is_empty(), "{:?}", agents.problems);
        let crush = agents.named("crush").expect("crush");
        let screen = Screen::parse("> \n");
        let mut evidence = no_evidence(crush);
        evidence.screen = Some(&screen);
        assert_eq!(judge(&evidence).state, State::Idle);
    }
}
