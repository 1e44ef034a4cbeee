//! `pane-keys`: keys arrive where they should, or the reason is said and nothing is sent.

use pretty_assertions::assert_eq;

use crate::support::{Record, Screen, Server, until};

/// A sesh that writes every byte that it gets into a file.
fn listening(server: &Server, name: &str) -> Record {
    let script = format!("stty raw -echo; echo ready; exec cat >{name}");
    let made = server.new_sesh([name, "--", "sh", "-c", &script]);
    server.shows(made.pane(), "ready");
    made
}

#[track_caller]
fn gets(server: &Server, name: &str, expected: &str) {
    let got = || std::fs::read(server.path(name)).unwrap_or_default();
    until(
        &format!(
            "{name} gets {expected:?}, not {:?}",
            String::from_utf8_lossy(&got())
        ),
        || got() == expected.as_bytes(),
    );
}

#[test]
fn keys_and_text() {
    let server = Server::start();
    let made = listening(&server, "one");
    let send = |args: &[&str]| {
        server.sesh("pane-keys", ["one"]).args(args).ok();
    };
    send(&["a", "Enter", "C-c", "Escape", "Space", "é", ";", "-", "%"]);
    let mut expected = String::from("a\r\u{3}\u{1b} é;-%");
    gets(&server, "one", &expected);
    send(&[
        "--literal",
        "it's; $HOME #{x} \"q\" \\ größe 🦀\tend;",
        "Enter",
    ]);
    expected.push_str("it's; $HOME #{x} \"q\" \\ größe 🦀\tend;\r");
    gets(&server, "one", &expected);
    send(&["--literal", "Enter"]);
    expected.push_str("Enter");
    gets(&server, "one", &expected);
    send(&["--literal", "-x"]);
    expected.push_str("-x");
    gets(&server, "one", &expected);
    send(&["--repeat", "3", "x", "y"]);
    expected.push_str("xyxyxy");
    gets(&server, "one", &expected);
    send(&["--repeat", "2", "--literal", "ab", "Enter"]);
    expected.push_str("ab\rab\r");
    gets(&server, "one", &expected);
    // By its pane, registered or not, and from within.
    server.sesh("pane-keys", [made.pane(), "z"]).ok();
    server.inside(made.pane(), "pane-keys", [".", "z"]).ok();
    expected.push_str("zz");
    gets(&server, "one", &expected);
    let user = server.user_pane();
    server
        .sesh("pane-keys", [&user, "--literal", "to nobody", "Enter"])
        .ok();
    server.shows(&user, "to nobody\nto nobody");
}

#[test]
fn a_long_text_arrives_whole() {
    let server = Server::start();
    listening(&server, "one");
    let text = "0123456789; ".repeat(2_000);
    server.sesh("pane-keys", ["one", "--literal", &text]).ok();
    gets(&server, "one", &text);
}

#[test]
fn a_wrong_key_is_refused_before_anything_is_sent() {
    let server = Server::start();
    listening(&server, "one");
    for wrong in ["Entr", "hello", "C-", "", "F13x", "MouseDown1Pane"] {
        let sentence = server.sesh("pane-keys", ["one", "a", wrong, "b"]).fails(2);
        assert!(sentence.contains("--literal"), "no way out: {sentence}");
    }
    server.sesh("pane-keys", ["one"]).fails(2);
    server
        .sesh("pane-keys", ["one", "--repeat", "0", "a"])
        .fails(2);
    server.sesh("pane-keys", ["one", "end"]).said();
    server.sesh("pane-keys", ["one", "--literal", "."]).ok();
    until("the fence arrives", || {
        std::fs::read(server.path("one")).is_ok_and(|got| got.ends_with(b"."))
    });
    let got = std::fs::read_to_string(server.path("one")).expect("what it got");
    assert!(!got.contains('a') && !got.contains('b'), "{got:?}");
}

#[test]
fn input_that_is_off() {
    let server = Server::start();
    let made = listening(&server, "one");
    server.tmux(["select-pane", "-d", "-t", made.pane()]);
    let sentence = server.sesh("pane-keys", ["one", "a"]).fails(4);
    assert!(
        sentence.contains("select-pane -e"),
        "no way out: {sentence}"
    );
    server.tmux(["select-pane", "-e", "-t", made.pane()]);
    server.sesh("pane-keys", ["one", "b"]).ok();
    gets(&server, "one", "b");
}

#[test]
fn copy_mode_is_left_alone_unless_told() {
    let server = Server::start();
    let made = listening(&server, "one");
    server.tmux(["copy-mode", "-t", made.pane()]);
    let sentence = server.sesh("pane-keys", ["one", "a"]).fails(4);
    assert!(
        sentence.contains("--leave-mode") && sentence.contains("--to-mode"),
        "{sentence}"
    );
    assert_eq!(server.format(made.pane(), "#{pane_in_mode}"), "1");
    // The key is for the mode: `q` leaves it.
    server.sesh("pane-keys", ["one", "--to-mode", "q"]).ok();
    until("the mode is left by its key", || {
        server.format(made.pane(), "#{pane_in_mode}") == "0"
    });
    server.tmux(["copy-mode", "-t", made.pane()]);
    server.sesh("pane-keys", ["one", "--leave-mode", "b"]).ok();
    assert_eq!(server.format(made.pane(), "#{pane_in_mode}"), "0");
    gets(&server, "one", "b");
    server
        .sesh("pane-keys", ["one", "--leave-mode", "--to-mode", "b"])
        .fails(2);
}

#[test]
fn synchronised_panes_are_a_warning() {
    let server = Server::start();
    let made = listening(&server, "one");
    server.new_sesh([
        "--target",
        "one:one",
        "two",
        "--",
        "sh",
        "-c",
        "stty raw -echo; echo ready; exec cat >two",
    ]);
    let two = server.sesh("sesh-list", ["--json", "two"]).ok().only();
    assert_eq!(two.get("tmux/window"), made.get("tmux/window"));
    server.shows(two.pane(), "ready");
    server.tmux([
        "set-option",
        "-w",
        "-t",
        made.pane(),
        "synchronize-panes",
        "on",
    ]);
    let sentence = server.sesh("pane-keys", ["one", "a"]).fails(4);
    assert!(
        sentence.contains("--synchronized"),
        "no way out: {sentence}"
    );
    server
        .sesh("pane-keys", ["one", "--synchronized", "b"])
        .ok();
    gets(&server, "one", "b");
    gets(&server, "two", "b");
}

#[test]
fn nobody_is_there() {
    let server = Server::start();
    server.sesh("pane-keys", ["%999", "a"]).fails(3);
    server.sesh("pane-keys", ["nobody", "a"]).fails(3);
    let made = server.new_sesh(["one", "--", "true"]);
    server.ended(made.uuid());
    server.sesh("sesh-end", ["one"]).ok();
    server.sesh("pane-keys", ["one", "a"]).fails(4);
    // A pane that tmux keeps dead.
    server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    server.tmux(["new-window", "-d", "-n", "dead", "true"]);
    let dead = server.format("=main:=dead", "#{pane_id}");
    until("it is dead", || server.format(&dead, "#{pane_dead}") == "1");
    let sentence = server.sesh("pane-keys", [&dead, "a"]).fails(4);
    assert!(sentence.contains("has exited"), "{sentence}");
    assert!(server.alive());
}

/// What may be held with a key, in every spelling.
const HELD: [&str; 12] = [
    "", "C-", "M-", "S-", "C-M-", "M-S-", "C-S-", "c-", "m-", "^", "X-", "C-C-",
];

/// What tmux might know as a key: its names, single characters and words that are none, with everything held.
fn candidates(held: &[&str]) -> Vec<String> {
    let names = [
        "F1",
        "F2",
        "F11",
        "F12",
        "F13",
        "F20",
        "IC",
        "Insert",
        "DC",
        "Delete",
        "Home",
        "End",
        "NPage",
        "PageDown",
        "PgDn",
        "PPage",
        "PageUp",
        "PgUp",
        "BTab",
        "Space",
        "BSpace",
        "Tab",
        "Enter",
        "Escape",
        "Up",
        "Down",
        "Left",
        "Right",
        "KP/",
        "KP*",
        "KP-",
        "KP7",
        "KP8",
        "KP9",
        "KP+",
        "KP4",
        "KP5",
        "KP6",
        "KP1",
        "KP2",
        "KP3",
        "KPEnter",
        "KP0",
        "KP.",
        "KP=",
        "enter",
        "ESCAPE",
        "Esc",
        "Return",
        "Bs",
        "Del",
        "MouseDown1Pane",
        "WheelUpPane",
        "DoubleClick1Pane",
        "Entr",
        "hello",
        "",
        "ab",
        "é",
        "日",
        "🦀",
        "Any",
        "None",
        "PasteStart",
        "FocusIn",
    ];
    let mut bare: Vec<String> = names.iter().map(ToString::to_string).collect();
    bare.extend((0x20_u8..0x7f).map(|byte| char::from(byte).to_string()));
    held.iter()
        .flat_map(|held| bare.iter().map(move |key| format!("{held}{key}")))
        .collect()
}

#[test]
fn a_key_that_is_accepted_is_one_to_tmux() {
    let server = Server::start();
    let mut unknown = Vec::new();
    let accepted: Vec<String> = candidates(&HELD)
        .into_iter()
        .filter(|key| tmux_sesh::pane::keys::check(key).is_ok())
        .collect();
    assert!(accepted.len() > 300, "{}", accepted.len());
    for key in &accepted {
        let word = tmux_sesh::tmux::word::word(key);
        let said = server.try_tmux(["bind-key", "-T", "probe", "--", &word, "refresh-client"]);
        if said.code() != Some(0) {
            unknown.push(key);
        }
    }
    assert!(unknown.is_empty(), "not tmux's: {unknown:?}");
}

#[test]
fn a_key_arrives_or_is_refused() {
    // A fence behind each key: what stands before it is what arrived of the key.
    const FENCE: &str = "日";
    let server = Server::start();
    listening(&server, "one");
    let mut sent = Vec::new();
    for key in candidates(&["", "C-", "M-", "S-", "C-M-"]) {
        if key.ends_with(FENCE) || tmux_sesh::pane::keys::check(&key).is_err() {
            continue;
        }
        let said = server.sesh("pane-keys", ["one", "--", &key, FENCE]).said();
        match said.code() {
            Some(0) => sent.push(key),
            // This program has not asked for such keys.
            Some(4) => assert!(said.sentence().contains("extended"), "{said}"),
            _ => panic!("{said}"),
        }
    }
    assert!(sent.len() > 200, "{}", sent.len());
    let arrived = || {
        let got = std::fs::read(server.path("one")).unwrap_or_default();
        String::from_utf8_lossy(&got).into_owned()
    };
    until("the last key arrives", || {
        arrived().matches(FENCE).count() == sent.len()
    });
    let got = arrived();
    let lost: Vec<&String> = sent
        .iter()
        .zip(got.split(FENCE))
        .filter(|(_, bytes)| bytes.is_empty())
        .map(|(key, _)| key)
        .collect();
    assert!(lost.is_empty(), "exit 0, and nothing arrived of: {lost:?}");
}

#[test]
fn one_who_only_looks_does_not_stop_the_keys() {
    let server = Server::start();
    listening(&server, "one");
    let look = Screen::attach(&server, "one", (80, 20));
    server
        .sesh(
            "sesh-enter",
            ["one", "--read-only", "--client", look.client()],
        )
        .ok();
    let read_only = server.tmux(["list-clients", "-F", "#{client_readonly}"]);
    assert_eq!(read_only, "1\n");
    server.sesh("pane-keys", ["one", "a"]).ok();
    server.sesh("pane-keys", ["one", "--literal", "b"]).ok();
    gets(&server, "one", "ab");
}

#[test]
fn a_key_that_is_refused_is_none_to_tmux_or_the_mouses() {
    let server = Server::start();
    let mouse = ["Mouse", "Wheel", "DoubleClick"];
    let mut known = Vec::new();
    for key in candidates(&HELD) {
        // `Any` stands for a key in a table. With Ctrl, most of these are keys to a newer tmux alone.
        let control = key.contains(['^', 'C', 'c'])
            && key
                .chars()
                .last()
                .is_some_and(|c| !c.is_ascii_alphanumeric() && c != '/');
        if tmux_sesh::pane::keys::check(&key).is_ok()
            || mouse.iter().any(|mouse| key.contains(mouse))
            || key.ends_with("Any")
            || control
        {
            continue;
        }
        let word = tmux_sesh::tmux::word::word(&key);
        let said = server.try_tmux(["bind-key", "-T", "probe", "--", &word, "refresh-client"]);
        if said.code() == Some(0) {
            known.push(key);
        }
    }
    assert!(known.is_empty(), "tmux knows: {known:?}");
}

#[test]
fn many_keys_arrive_in_order() {
    let server = Server::start();
    listening(&server, "one");
    let keys: Vec<String> = (0..2_000_u32)
        .map(|at| char::from_digit(at % 10, 10).expect("a digit").to_string())
        .collect();
    server.sesh("pane-keys", ["one", "--"]).args(&keys).ok();
    gets(&server, "one", &keys.concat());
}

#[test]
fn the_prompt_of_a_held_pane_gets_keys_only_when_told() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sh", "-c", "exit 3"]);
    server.ended(made.uuid());
    server.shows(made.pane(), "[sesh: exit 3");
    for target in ["one", made.pane()] {
        let sentence = server.sesh("pane-keys", [target, "Enter"]).fails(4);
        assert!(sentence.contains("--to-held"), "no way out: {sentence}");
    }
    assert!(server.has_pane(made.pane()));
    server.sesh("pane-keys", ["one", "Enter", "--to-held"]).ok();
    until("the pane closes", || !server.has_pane(made.pane()));
}
