//! What each agent does with what comes into its pane, cell by cell of what was measured, and what `sesh-send` makes of it.

use pretty_assertions::assert_eq;

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
    assert!(
        said.stderr.contains("only the beginning of the answer"),
        "{said}"
    );
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

/// The agents whose delivery was measured.
const MEASURED: [&str; 5] = ["claude", "codex", "pi", "gemini", "opencode"];
/// And those of which the texts, questions and drafts were.
const ALL: [&str; 7] = [
    "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider",
];

/// Types, pastes and presses as plain tmux does: what the fakes are worth is what they do with that.
fn plain(agent: &Agent<'_>, text: &str, pasted: bool) {
    let pane = agent.pane.as_str();
    let server = agent.server;
    if pasted {
        server.tmux_call(["load-buffer", "-"]).stdin(text).ok();
        let paste = ["paste-buffer", "-p", "-r", "-d", "-t", pane, ";"];
        server.tmux(paste.into_iter().chain(["send-keys", "-t", pane, "Enter"]));
    } else {
        let keys = ["send-keys", "-t", pane, "-l", text, ";"];
        server.tmux(keys.into_iter().chain(["send-keys", "-t", pane, "Enter"]));
    }
}

#[test]
fn where_plain_keys_lose_their_enter_a_message_does_not() {
    let server = Server::start();
    // Of each: whether Enter is lost behind typed keys, and behind a paste.
    for (name, typed, pasted) in [
        ("claude", false, false),
        ("codex", true, false),
        ("pi", false, false),
        ("gemini", true, true),
        ("opencode", false, false),
    ] {
        let agent = Agent::called(&server, name);
        for (pasted, lost) in [(false, typed), (true, pasted)] {
            let text = "a message of forty-five characters, or so I think";
            plain(&agent, text, pasted);
            if lost {
                agent.shows(text);
            }
            until("Enter is there", || !agent.got().is_empty());
            let what = if lost { "swallowed" } else { "sent" };
            assert_eq!(agent.got()[0].0, what, "{name}, pasted: {pasted}");
            agent.order("clear");
            agent.forgets();
        }
        for text in ["short", &"row of many\n".repeat(10), &"x".repeat(50_000)] {
            let text = text.trim_end();
            let before = agent.got().len();
            delivered(agent.send(&["-"]).stdin(text).said(), "screen");
            let got = agent.got();
            assert_eq!(got.len(), before + 1, "{name}");
            // opencode adds a blank to a long one.
            assert_eq!(got[before].1.trim_end(), text, "{name}");
        }
    }
}

/// It arrives as it was given.
const AS_IT_IS: Option<&str> = Some("");

/// Odd texts, and what of them each agent gets, in the order of [`ALL`]; `None`: nothing, since it would be a command.
const ODD: [(&str, [Option<&str>; 7]); 15] = [
    (
        "/word and more",
        [
            None,
            AS_IT_IS,
            None,
            None,
            AS_IT_IS,
            None,
            Some(" /word and more"),
        ],
    ),
    (
        "/path/with/slash and more",
        [
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            Some(" /path/with/slash and more"),
        ],
    ),
    (
        "!ls",
        [
            Some(" !ls"),
            AS_IT_IS,
            None,
            AS_IT_IS,
            AS_IT_IS,
            None,
            Some(" !ls"),
        ],
    ),
    (
        "#hash",
        [
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            AS_IT_IS,
            Some("#hash "),
            AS_IT_IS,
        ],
    ),
    ("?question", [AS_IT_IS; 7]),
    (
        "see @READ",
        [
            AS_IT_IS,
            Some("see @READ "),
            AS_IT_IS,
            Some("see @READ "),
            Some("see @READ "),
            Some("see @READ "),
            AS_IT_IS,
        ],
    ),
    (
        "ends with \\",
        [
            Some("ends with \\ "),
            AS_IT_IS,
            Some("ends with \\ "),
            Some("ends with \\ "),
            AS_IT_IS,
            Some("ends with \\ "),
            AS_IT_IS,
        ],
    ),
    ("turns \u{202e}round", [Some("turns round"); 7]),
    (
        "a\tb",
        [
            Some("a    b"),
            AS_IT_IS,
            Some("a    b"),
            AS_IT_IS,
            AS_IT_IS,
            Some("a    b"),
            AS_IT_IS,
        ],
    ),
    ("a\x01\x05\x1bbc", [Some("abc"); 7]),
    ("a\x1b[201~b", [Some("a[201~b"); 7]),
    ("one\r\ntwo", [Some("one\ntwo"); 7]),
    (
        "  led by blanks",
        [
            AS_IT_IS,
            Some("led by blanks"),
            Some("led by blanks"),
            Some("led by blanks"),
            AS_IT_IS,
            Some("led by blanks"),
            AS_IT_IS,
        ],
    ),
    ("-x", [AS_IT_IS; 7]),
    ("ends with ;", [AS_IT_IS; 7]),
];

#[test]
fn odd_texts_arrive_or_are_refused() {
    let server = Server::start();
    for (at, name) in ALL.into_iter().enumerate() {
        let agent = Agent::called(&server, name);
        for (text, sent) in &ODD {
            let before = agent.got();
            let said = agent.send(&["-"]).stdin(*text).said();
            let Some(sent) = sent[at] else {
                refused(said, "command");
                assert_eq!(agent.got(), before, "{name}: {text:?}");
                continue;
            };
            delivered(said, "screen");
            let sent = if sent.is_empty() { text } else { sent };
            let got = agent.got();
            assert_eq!(got.len(), before.len() + 1, "{name}: {text:?}");
            assert_eq!(got[before.len()], ("sent".into(), sent.into()), "{name}");
        }
    }
}

#[test]
fn a_command_that_was_meant_is_given_as_it_is() {
    let server = Server::start();
    for name in MEASURED {
        let agent = Agent::called(&server, name);
        delivered(agent.send(&["--as-it-is", "/clear"]).said(), "screen");
        agent.got_only("command", "/clear");
        // What none of its is, is gone in Claude and stands there in Codex: that is no proof.
        let said = agent
            .send(&["--as-it-is", "--timeout", "3s", "/word"])
            .said();
        let got = agent.got().len();
        match name {
            "claude" => assert_eq!((said.code(), got), (Some(0), 1), "{said}"),
            "codex" => assert_eq!((said.code(), got), (Some(7), 1), "{said}"),
            _ => assert_eq!((said.code(), got), (Some(0), 2), "{said}"),
        }
    }
}

#[test]
fn at_no_question_of_any_agent_anything_is_chosen() {
    let server = Server::start();
    let how: [&[&str]; 6] = [
        &["say hi there"],
        &["2 more things"],
        &["--queue", "yes"],
        &["--now", "h"],
        &["--draft", "stash", "l"],
        &["--as-it-is", "y"],
    ];
    for name in ALL {
        let agent = Agent::called(&server, name);
        let mut questions = Vec::new();
        // pi asks for no leave; opencode and aider not whether to trust.
        if name != "pi" {
            questions.push(("ask", "permission"));
        }
        if !["pi", "opencode", "aider"].contains(&name) {
            questions.push(("ask-trust", "trust"));
        }
        for (order, reason) in questions {
            agent.order(order);
            until("it asks", || asks(&agent));
            for words in how {
                refused(agent.send(words).said(), reason);
            }
            assert_eq!(agent.got(), [], "{name}: {reason}");
            assert!(asks(&agent), "{name} still asks");
            agent.order("answered");
            until("it asks no more", || !asks(&agent));
        }
        if name != "pi" {
            // The question comes between the text and its Enter.
            agent.order("ask-behind-paste");
            let said = agent.send(&["yes"]).said();
            assert_eq!(said.code(), Some(7), "{name}: {said}");
            assert_eq!(agent.got(), [], "{name}");
        }
    }
}

fn asks(agent: &Agent<'_>) -> bool {
    let screen = agent.server.screen(&agent.pane);
    ["Yes", "Allow once", "Trust", "(Y)es"]
        .iter()
        .any(|text| screen.contains(text))
}

#[test]
fn while_each_works() {
    let server = Server::start();
    // Of each: what `--queue` and `--now` come to. Without a key for the moment it is interrupted first.
    for (name, queue, now) in [
        ("claude", Some("queued"), "sent"),
        ("codex", Some("queued"), "steered"),
        ("pi", Some("queued"), "steered"),
        ("gemini", Some("queued"), "sent"),
        ("opencode", Some("queued"), "sent"),
        ("copilot", Some("queued"), "sent"),
        ("aider", None, "sent"),
    ] {
        let agent = Agent::called(&server, name);
        let works = || {
            agent.order("busy");
            until("it works", || {
                let screen = server.screen(&agent.pane);
                ["interrupt", "esc to cancel", "Working", "what it works on"]
                    .iter()
                    .any(|text| screen.contains(text))
            });
        };
        works();
        refused(agent.send(&["no"]).said(), "busy");
        assert_eq!(agent.got(), [], "{name}");
        let said = agent.send(&["--queue", "later"]).said();
        match queue {
            Some(what) => {
                assert_eq!(said.code(), Some(0), "{name}: {said}");
                assert_eq!(said.json()["outcome"], "queued", "{name}");
                agent.got_only(what, "later");
                agent.order("idle");
                until("its turn comes", || agent.got().len() == 2);
                assert_eq!(agent.got()[1], ("sent".into(), "later".into()), "{name}");
                works();
            }
            None => refused(said, "busy"),
        }
        let before = agent.got().len();
        let said = agent.send(&["--now", "at once"]).said();
        assert_eq!(said.code(), Some(0), "{name}: {said}");
        assert_eq!(
            agent.got()[before],
            (now.into(), "at once".into()),
            "{name}"
        );
    }
    // A prompt that comes back to the composer when it is interrupted is not sent again with the message.
    let agent = Agent::new(&server);
    agent.order("returns what it tried");
    agent.order("busy");
    agent.shows("esc to interrupt");
    refused(agent.send(&["--now", "at once"]).said(), "draft");
    agent.shows("❯\u{a0}what it tried");
    assert_eq!(agent.got(), []);
}

#[test]
fn no_agent_sends_a_draft_with_a_message() {
    let server = Server::start();
    for name in ALL {
        let agent = Agent::called(&server, name);
        agent.order("draft of a person");
        agent.shows("of a person");
        refused(agent.send(&["hello"]).said(), "draft");
        let said = agent.send(&["--draft", "stash", "hello"]).said();
        if name == "claude" {
            delivered(said, "screen");
            agent.got_only("sent", "hello");
        } else {
            refused(said, "draft");
            assert_eq!(agent.got(), [], "{name}");
        }
        agent.shows("of a person");
        agent.order("clear");
        until("it is gone", || {
            !server.screen(&agent.pane).contains("of a person")
        });
        // In copy mode it arrives, and the mode stays.
        server.tmux(["copy-mode", "-t", &agent.pane]);
        delivered(agent.send(&["hello again"]).said(), "screen");
        assert_eq!(server.format(&agent.pane, "#{pane_in_mode}"), "1", "{name}");
        let last = agent.got().pop().expect("a message");
        assert_eq!(last, ("sent".into(), "hello again".into()), "{name}");
    }
}

#[test]
fn the_hook_of_each_proves_what_it_took() {
    let server = Server::start();
    for name in MEASURED {
        let agent = Agent::called(&server, name);
        agent.order("hooks");
        // Claude's model gets a long one in a frame; each shows a mark in its place.
        let long = "row of a long text\n".repeat(300);
        for text in ["hello", "two\nrows", long.trim_end()] {
            agent.is_done();
            delivered(agent.send(&["-"]).stdin(text).said(), "hook");
            let last = agent.got().pop().expect("a message");
            assert_eq!(last.1.trim_end(), text, "{name}");
        }
        assert_eq!(agent.got().len(), 3, "{name}");
    }
}
