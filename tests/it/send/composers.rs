//! Composers of every shape, and texts that they or the terminal draw in a way of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pretty_assertions::assert_eq;
use unicode_normalization::UnicodeNormalization;

use super::{Agent, delivered, refused};
use crate::support::{Gate, NONE, Play, Relay, Server, count, until};

/// A text of one line and so many characters.
fn paragraph(length: usize) -> String {
    let words: String = (100..).take(length).map(|at| format!("w{at} ")).collect();
    words[..length].trim_end().into()
}

#[track_caller]
fn arrives(agent: &Agent<'_>, text: &str, proof: &str) {
    agent.forgets();
    delivered(agent.send(&["-"]).stdin(text).said(), proof);
    let got = agent.got();
    assert_eq!(got.len(), 1, "once: {got:?}");
    assert_eq!(got[0].1.trim(), text.nfc().collect::<String>().trim());
}

#[test]
fn a_paragraph_that_scrolls_the_composer_arrives() {
    let server = Server::start();
    let agent = Agent::new(&server);
    for length in [300, 719, 727, 760, 795, 900, 2500] {
        arrives(&agent, &paragraph(length), "screen");
    }
    // A person's text of that kind is a draft, also where its first visible row begins with a mark.
    for draft in [paragraph(795), format!("x\\n{}", "> quoted\\n".repeat(12))] {
        agent.order(&format!("draft {draft}"));
        agent.shows("more ──");
        refused(agent.send(&["hello"]).said(), "draft");
        agent.order("clear");
        until("it is empty", || {
            !server.screen(&agent.pane).contains("more ──")
        });
    }
}

#[test]
fn lines_of_a_status_line_are_no_edges() {
    let server = Server::start();
    let rule = "─".repeat(24);
    let whole = "─".repeat(80);
    for footer in [
        &[&*format!("  {rule}"), "  main | ctx 10%"][..],
        &[&*whole, "  main | ctx 10%"],
        &[
            &*format!("  {rule}"),
            "  main | ctx 10%",
            &*format!("  {rule}"),
        ],
        &[
            "  main",
            &*format!(" ╭{rule}╮"),
            " │ ctx 10%               │",
            &*format!(" ╰{rule}╯"),
        ],
    ] {
        let agent = Agent::new(&server);
        agent.order("says   Do you want to keep the old file? Esc to cancel is what it says.");
        for row in footer {
            agent.order(&format!("footer {row}"));
        }
        agent.shows("ctx 10%");
        arrives(&agent, "go on", "screen");
        agent.order("draft of a person");
        agent.shows("of a person");
        refused(agent.send(&["hello"]).said(), "draft");
    }
}

#[test]
fn a_draft_of_any_shape_is_a_draft() {
    let server = Server::start();
    let drafts = [
        "delete the branch\\n!",
        "delete the branch\\n›",
        "delete the branch\\n❯ ",
        "delete the branch\\n\\n>",
        "› one\\n› two",
        "above\\n────────────────────────────────\\nbelow",
        "────────────────────────────────",
        "1. Yes",
        "👍🏽",
        "🩷 is not known to every terminal",
        "Press up to edit",
        "e\u{301}",
    ];
    for name in ["claude", "codex", "pi", "gemini", "opencode", "copilot"] {
        let agent = Agent::called(&server, name);
        for draft in drafts {
            let before = server.screen(&agent.pane);
            agent.order(&format!("draft {draft}"));
            until("it is drawn", || server.screen(&agent.pane) != before);
            refused(agent.send(&["hello"]).said(), "draft");
            agent.order("clear");
            until("it is gone", || server.screen(&agent.pane) == before);
        }
        assert_eq!(agent.got(), [], "{name}");
    }
}

#[test]
fn nothing_is_typed_where_enter_would_not_send() {
    let server = Server::start();
    let agent = Agent::new(&server);
    for mode in ["-- VISUAL --", "-- VISUAL LINE --"] {
        agent.order(&format!("mode {mode}"));
        agent.shows(mode);
        let screen = server.screen(&agent.pane);
        refused(agent.send(&["hello"]).said(), "not-ready");
        assert_eq!(server.screen(&agent.pane), screen);
    }
    agent.order("mode ");
    agent.order("footer   -- INSERT --");
    agent.shows("INSERT");
    arrives(&agent, "hello", "screen");
}

#[test]
fn a_composer_for_a_screen_reader_has_no_frame() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("says claude: Do you want to proceed with the other one?");
    agent.order("plain");
    agent.shows("manual mode on");
    for text in ["hello", "two\nlines", "the last is a prompt\n$"] {
        arrives(&agent, text, "screen");
    }
    for draft in ["of a person", "of a person\\n$", "of a person\\n\\n$ "] {
        agent.order(&format!("draft {draft}"));
        agent.shows("of a person");
        refused(agent.send(&["hello"]).said(), "draft");
        agent.order("clear");
        until("it is gone", || {
            !server.screen(&agent.pane).contains("of a person")
        });
    }
}

#[test]
fn characters_that_a_terminal_changes_arrive() {
    let server = Server::start();
    for name in ["claude", "codex", "pi", "gemini"] {
        let agent = Agent::called(&server, name);
        for text in [
            "looks good 👍🏽 go on",
            "👋🏿",
            "thanks 🩷 a lot, 🫩 and 🪾",
            "the 👩‍👩‍👧‍👦 plan and 🏳️‍🌈",
            "flags 🇩🇪 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} and 1️⃣",
            "open cafe\u{301}.txt and A\u{30a}ngstro\u{308}m",
            "stacked a\u{301}\u{323} q\u{307}\u{323} Z\u{351}\u{36b}",
            "open \u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.txt",
            "größe 你好 سلام שלום",
        ] {
            agent.forgets();
            delivered(agent.send(&["-"]).stdin(text).said(), "screen");
            let got = agent.got();
            assert_eq!(got.len(), 1, "{name}: {text}");
            let composed = |text: &str| text.nfc().collect::<String>();
            assert_eq!(composed(&got[0].1), composed(text), "{name}");
        }
        // The same text with another emoji in it is a person's.
        agent.order("draft hi 👍👍👍");
        agent.shows("hi ");
        refused(agent.send(&["hi"]).said(), "draft");
    }
}

/// What is stored of the prompt that the agent's hook has reported last.
fn prompt(agent: &Agent<'_>) -> String {
    let number = agent.pane.trim_start_matches('%');
    let hidden = agent.server.tmux(["show-environment", "-gh"]);
    let variable = format!("SESH_prompt_{number}=");
    let line = hidden.lines().find(|line| line.starts_with(&variable));
    line.unwrap_or_default().into()
}

#[test]
fn what_was_just_sent_is_no_draft() {
    let server = Server::start();
    let agent = Agent::new(&server);
    agent.order("hooks");
    agent.order("sticks 700");
    for text in ["the first", "the second\nof two rows", "the third"] {
        agent.is_done();
        arrives(&agent, text, "hook");
    }
    // A person has sent it.
    agent.is_done();
    let before = prompt(&agent);
    agent.forgets();
    server.tmux(["send-keys", "-t", &agent.pane, "-l", "by hand"]);
    server.tmux(["send-keys", "-t", &agent.pane, "Enter"]);
    until("its hook has reported it", || prompt(&agent) != before);
    agent.is_done();
    delivered(agent.send(&["behind it"]).said(), "hook");
    assert_eq!(agent.got().len(), 2);
}

#[test]
fn a_wait_behind_a_message_waits_for_its_turn() {
    let server = Server::start();
    let waits: [&[&str]; 3] = [&[], &["--for", "idle"], &["--for", "turn"]];
    let rounds = count(200) / 2;
    for hooks in [false, true] {
        let agent = Agent::new(&server);
        let found = server.becomes(&agent.pane, "idle");
        if hooks {
            agent.order("hooks");
        }
        agent.order("turn 400");
        // It works before it shows that it does.
        agent.order("late 250");
        for round in 0..rounds {
            agent.forgets();
            let text = format!("message {round}");
            let proof = if hooks { "hook" } else { "screen" };
            delivered(agent.send(&[&text]).said(), proof);
            let wait = [
                &[found.uuid(), "--timeout", "30s"],
                waits[round % waits.len()],
            ]
            .concat();
            server.sesh("sesh-wait", wait).ok();
            let done = ("done".to_string(), text);
            assert!(
                agent.got().contains(&done),
                "hooks: {hooks}, {:?}",
                agent.got()
            );
        }
        server.tmux(["kill-pane", "-t", &agent.pane]);
        server.sesh("sesh-reap", NONE).ok();
    }
}

/// A busy machine: the composer is empty seconds before the screen shows anything of the message.
#[test]
fn a_wait_does_not_end_with_the_screen_before_the_message() {
    let server = Server::start();
    for (name, is_sesh) in [("claude", true), ("opencode", false)] {
        let agent = Agent::called(&server, name);
        if is_sesh {
            server.becomes(&agent.pane, "idle");
        }
        agent.order("late 1");
        delivered(agent.send(&["--wait", "the one before"]).said(), "screen");
        agent.order("undrawn 3000");
        agent.order("turn 3500");
        delivered(agent.send(&["--wait", "hello"]).said(), "screen");
        let done = ("done".to_string(), "hello".to_string());
        assert!(agent.got().contains(&done), "{name}: {:?}", agent.got());
    }
}

/// The store may have an agent as idle that is at work, and be reconciled only when it is idle again. Then nothing changes
/// there, and nothing is signalled.
#[test]
fn a_turn_that_no_one_recorded_ends_the_wait() {
    let server = Server::start();
    let agent = Agent::called(&server, "claude");
    let found = server.becomes(&agent.pane, "idle");
    let changes = || server.record(found.uuid()).get("gen").as_u64();
    let before = changes();
    agent.order("undrawn 800");
    agent.order("turn 600000");
    let gate = Arc::new(Gate::default());
    let play = Play::Holds("SESH_settled", Arc::clone(&gate));
    let relay = Relay::before(&server, "relay", play);
    let said = std::thread::scope(|scope| {
        let send = scope.spawn(|| {
            let socket = ["-S".as_ref(), relay.socket().as_os_str()];
            let send = server.helper("sesh-send").args(socket);
            send.args([agent.pane.as_str(), "--json", "--wait=20s", "hello"])
                .said()
        });
        // As one does that looks before the message is drawn.
        until("the delivery is recorded", || changes() > before);
        let pane = agent.pane.as_str();
        let channel = format!("tmux-sesh-p{}", pane.trim_start_matches('%'));
        let list = format!(
            "set-option -pF -t {pane} @sesh_gen #{{e|+:#{{@sesh_gen}},1}} ; set-option -p -t {pane} @sesh_state idle ; \
             set-environment -ghF SESH_changes #{{e|+:#{{SESH_changes}},1}} ; wait-for -S {channel}"
        );
        server.tmux(list.split(' '));
        until("it would reconcile", || gate.held.load(Ordering::SeqCst));
        agent.order("idle");
        until("its turn is over", || {
            let found = server.sesh_of(&agent.pane);
            found.is_some_and(|found| found.state() == "idle")
        });
        gate.open.store(true, Ordering::SeqCst);
        send.join().expect("a message")
    });
    delivered(said, "screen");
}
