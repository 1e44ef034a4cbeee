//! What each agent does with what comes into its pane, cell by cell of what was measured, and what `sesh-send` makes of it.

use super::{Agent, delivered, refused};
use crate::support::{Server, until};

#[test]
fn codex_has_a_command_for_its_queue() {
    let server = Server::start();
    let agent = Agent::called(&server, "codex");
    agent.order("hooks");
    agent.order("threads");
    agent.works();
    agent.order("draft a persons");
    agent.shows("› a persons");
    let queued = |text: &str, proof: &str| {
        let said = agent.send(&["--queue", "-"]).stdin(text).said();
        assert_eq!(said.code(), Some(0), "{said}");
        let said = said.json();
        assert_eq!(
            (&said["outcome"], &said["proof"]),
            (&"queued".into(), &proof.into())
        );
    };
    // Nothing is typed: the draft stays, and what would be a command or be completed is a message.
    let texts = ["later", "/quit now", "!ls\nand more", "-x", "see @READ"];
    for text in texts {
        queued(text, "queue");
    }
    agent.shows("› a persons");
    assert_eq!(agent.got(), []);
    agent.order("idle");
    until("their turns come", || agent.got().len() == texts.len());
    for (at, text) in texts.iter().enumerate() {
        assert_eq!(agent.got()[at], ("sent".into(), (*text).into()));
    }
    // What is too long for a word, a command of its own, and what its command does not take, is typed.
    agent.works();
    let long = "z".repeat(140_000);
    refused(
        agent.send(&["--queue", "-"]).stdin(long.as_str()).said(),
        "draft",
    );
    agent.order("clear");
    agent.shows("Ask Codex to do anything");
    queued(&long, "screen");
    std::fs::remove_file(server.path("home/thread-46ed2323-f13a-4fb3-98e7-659d84033d77"))
        .expect("a file");
    let before = agent.got().len();
    queued("not by its command", "screen");
    assert_eq!(
        agent.got()[before..],
        [("queued".into(), "not by its command".into())]
    );
}

#[test]
fn without_a_conversation_that_hooks_have_named_it_is_typed() {
    let server = Server::start();
    let agent = Agent::called(&server, "codex");
    agent.order("busy");
    agent.shows("esc to interrupt");
    let said = agent.send(&["--queue", "later"]).said();
    assert_eq!(said.json()["proof"], "screen", "{said}");
    agent.got_only("queued", "later");
    // Enter goes into what it does.
    delivered(agent.send(&["--now", "at once"]).said(), "screen");
    assert_eq!(agent.got()[1], ("steered".into(), "at once".into()));
}

#[test]
fn the_answer_comes_from_the_best_that_has_it() {
    let server = Server::start();
    let reply = |agent: &Agent<'_>, text: &str| {
        let said = agent.send(&["--reply", text]).ok().json();
        let of = |key: &str| said[key].clone();
        (of("replyFrom"), of("replyCut"), of("reply"))
    };
    for name in ["claude", "codex", "gemini"] {
        let agent = Agent::called(&server, name);
        agent.order("hooks");
        agent.order("answers two lines,\\nof 100 % é 日本");
        let answer = "two lines,\nof 100 % é 日本";
        let expected = ("hook".into(), false.into(), answer.into());
        assert_eq!(reply(&agent, "a first"), expected, "{name}");
        // An answer to something else is none.
        agent.order("mute");
        agent.order("answers something else");
        let expected = ("screen".into(), false.into(), "something else".into());
        assert_eq!(reply(&agent, "a second"), expected, "{name}");
    }
    let agent = Agent::new(&server);
    agent.order("hooks");
    agent.order(&format!("answers begin {}", "word ".repeat(4000)));
    let (from, cut, begin) = reply(&agent, "much");
    assert_eq!((from, cut), ("hook".into(), true.into()));
    let begin = begin.as_str().expect("a text").to_string();
    assert!(begin.starts_with("begin word word ") && begin.len() > 7_000);
    let said = server.sesh("sesh-send", [&agent.pane, "--reply", "much more"]);
    let said = said.said();
    assert!(said.stderr.contains("the answer goes on"), "{said}");
    agent.order("transcript");
    let whole = format!("begin {}", "word ".repeat(4000));
    let (from, cut, answer) = reply(&agent, "all of it");
    assert_eq!((from, cut), ("transcript".into(), false.into()));
    let answer = answer.as_str().expect("a text");
    assert_eq!(answer.trim_end(), whole.trim_end());
    // What is kept goes with the pane.
    let kept = || {
        let hidden = server.tmux(["show-environment", "-gh"]);
        hidden.contains(&format!(
            "SESH_answer_{}=",
            agent.pane.trim_start_matches('%')
        ))
    };
    assert!(kept());
    server.tmux(["kill-pane", "-t", &agent.pane]);
    server.tmux(["set-environment", "-gh", "SESH_swept", "5"]);
    until("it is gone", || {
        server.sesh("sesh-reap", crate::support::NONE).ok();
        !kept()
    });
}
