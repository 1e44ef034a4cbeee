//! Every value survives, whatever is in it, and nothing of it is ever executed. Everything here runs under `LC_ALL=C`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tmux_sesh::id::{Name, Tag};
use tmux_sesh::store::schema;
use tmux_sesh::tmux::word::{quote, word};

use crate::support::{Screen, Server, for_all, until};

/// What acts somewhere: in tmux, in a shell, in a terminal, in a table, in the store's own forms.
const HOSTILE: [&str; 48] = [
    "\t",
    "\n",
    "\r",
    "'",
    "\"",
    "`",
    "\\",
    ";",
    " ;",
    "\\;",
    "$",
    "$HOME",
    "${x}",
    "$(touch x)",
    "`touch x`",
    "#",
    "#(touch x)",
    "#{pane_id}",
    "#{E:@sesh_note}",
    "#[fg=red]",
    "#{",
    "}",
    "{",
    ",",
    "=",
    "==",
    "~",
    "%",
    "%0A",
    "%%",
    "%begin 1 2 3",
    "+",
    " ",
    "  ",
    "*",
    "?",
    "|",
    "&",
    "<",
    ">",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{200b}",
    "\u{202e}",
    "\u{241f}",
    "\u{241e}",
    "🦀",
    "e\u{301}",
];

/// Texts that a person, a program or an enemy may give.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(&HOSTILE[..]).prop_map(String::from),
        1 => any::<char>().prop_filter("a NUL ends an argument", |c| *c != '\0').prop_map(String::from),
        1 => "[a-zA-Z0-9 _.-]{1,6}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Bytes that an argument or a variable may hold.
fn bytes() -> impl Strategy<Value = OsString> {
    prop_oneof![
        2 => text().prop_map(OsString::from),
        1 => prop::collection::vec(1..=255_u8, 0..12).prop_map(OsString::from_vec),
    ]
}

fn no_command_ran(server: &Server) {
    for folder in ["", "home", "run"] {
        assert!(
            !server.path(folder).join("x").exists(),
            "a value was executed"
        );
    }
}

#[test]
fn notes_and_fields() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let ended = server.new_sesh(["two", "--", "true"]);
    server.ended(ended.uuid());
    server.sesh("sesh-end", ["two"]).ok();
    for_all(
        1_000,
        &(text(), text(), any::<bool>()),
        |(note, field, live)| {
            let id = if live { made.uuid() } else { ended.uuid() };
            let said = server
                .sesh(
                    "sesh-set",
                    [
                        id,
                        "--json",
                        &format!("--note={note}"),
                        &format!("--meta=k={field}"),
                    ],
                )
                .ok();
            for record in [&said.only(), &server.record(id)] {
                let stored = record.get("note").as_str().unwrap_or("");
                prop_assert_eq!(stored, &note);
                let stored = record.0.pointer("/meta/k").and_then(|it| it.as_str());
                prop_assert_eq!(stored.unwrap_or(""), &field);
            }
            Ok(())
        },
    );
    no_command_ran(&server);
}

#[test]
fn a_value_may_start_with_a_dash() {
    let server = Server::start();
    let made = server.new_sesh(["--note", "- one", "one", "--", "sleep", "1000"]);
    assert_eq!(made.text("note"), "- one");
    for note in ["- item", "-x", "--", "--tag"] {
        let said = server
            .sesh("sesh-set", ["one", "--json", "--note", note])
            .ok();
        assert_eq!(said.only().text("note"), note);
    }
}

#[test]
fn arguments_variables_and_folders() {
    let server = Server::start();
    server.install_probe();
    let folder = text()
        .prop_map(|text| text.replace('/', "_").chars().take(60).collect::<String>())
        .prop_filter("a folder has a name of its own", |name| {
            !["", ".", ".."].contains(&name.as_str())
        });
    let case = std::cell::Cell::new(0);
    let values = (prop::collection::vec(bytes(), 0..4), bytes(), folder);
    for_all(500, &values, |(argv, variable, folder)| {
        case.set(case.get() + 1);
        let probe = case.get().to_string();
        let name = format!("n{probe}");
        let folder = server.path("home").join(folder);
        let _ = std::fs::create_dir(&folder);
        let mut own = OsString::from("OWN=");
        own.push(&variable);
        let made = server
            .sesh("sesh-new", ["--json", &name, "--env"])
            .args([&own])
            .args(["--cwd".as_ref(), folder.as_os_str()])
            .args(["--", "probe", &probe])
            .args(&argv)
            .env("CARRIED", &variable)
            .ok()
            .record();
        let probed = server.probed(&probe);
        prop_assert_eq!(&probed.argv, &argv);
        prop_assert_eq!(probed.var("OWN"), Some(variable.as_os_str()));
        prop_assert_eq!(probed.var("CARRIED"), Some(variable.as_os_str()));
        prop_assert_eq!(&probed.folder, &folder);
        // And as it is remembered.
        let ended = server.ended(made.uuid());
        prop_assert_eq!(ended.code(), Some(0));
        prop_assert_eq!(Some(ended.text("cwd")), folder.to_str());
        let words: Vec<String> = ["probe".as_ref(), OsStr::new(&probe)]
            .into_iter()
            .chain(argv.iter().map(OsString::as_os_str))
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        prop_assert_eq!(ended.strings("command"), words);
        server.sesh("sesh-end", ["--forget", made.uuid()]).ok();
        Ok(())
    });
    no_command_ran(&server);
}

#[test]
fn names_and_tags() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let names = prop_oneof![
        2 => text(),
        1 => "[a-zA-Z0-9 _.:/@!(+&=%äß日🦀-]{1,12}",
    ];
    for_all(2_000, &names, |name| {
        let allowed = name.parse::<Name>().is_ok();
        let call = server.sesh(
            "sesh-set",
            [made.uuid(), "--json", &format!("--name={name}")],
        );
        if allowed {
            let renamed = call.ok().only();
            prop_assert_eq!(renamed.name(), &name);
            let found = server
                .sesh("sesh-list", ["--json", "--", &name])
                .ok()
                .only();
            prop_assert_eq!(found.uuid(), made.uuid());
            let found = server
                .sesh("sesh-set", ["--note=", "--json", "--", &name])
                .ok()
                .only();
            prop_assert_eq!(found.uuid(), made.uuid());
        } else {
            call.fails(2);
        }
        let call = server.sesh(
            "sesh-set",
            [made.uuid(), "--json", &format!("--tag={name}")],
        );
        if name.parse::<Tag>().is_ok() {
            prop_assert!(call.ok().only().strings("tags").contains(&name.as_str()));
            let found = server
                .sesh("sesh-list", ["--json", &format!("--tag={name}")])
                .ok()
                .only();
            prop_assert_eq!(found.uuid(), made.uuid());
        } else {
            call.fails(2);
        }
        Ok(())
    });
    no_command_ran(&server);
}

#[test]
fn a_name_can_be_born_with() {
    let server = Server::start();
    let user = server.user_pane();
    for_all(
        200,
        &"[a-zA-Z_(ä日🦀][a-zA-Z0-9 _./@!(+&=%äß日🦀-]{0,12}[a-z]",
        |name| {
            prop_assume!(name.parse::<Name>().is_ok());
            for place in ["--session", "--window"] {
                let made = server
                    .inside(
                        &user,
                        "sesh-new",
                        ["--json", place, &name, "--", "sleep", "1000"],
                    )
                    .ok()
                    .record();
                prop_assert_eq!(made.name(), &name);
                server.sesh("sesh-end", ["--forget", &name]).ok();
            }
            Ok(())
        },
    );
}

#[test]
fn ten_kilobytes() {
    let server = Server::start();
    server.install_probe();
    for (at, piece) in ["x", "#(touch x);", "größe 🦀 ", "$\"'\\\n\t"]
        .iter()
        .enumerate()
    {
        let long = piece.repeat(10_240 / piece.len() + 1);
        let probe = at.to_string();
        let made = server
            .sesh(
                "sesh-new",
                ["--json", "--note", &long, "--env", &format!("OWN={long}")],
            )
            .args(["--", "probe", &probe, &long])
            .ok()
            .record();
        let probed = server.probed(&probe);
        assert_eq!(probed.argv, [OsStr::new(&long)]);
        assert_eq!(probed.var("OWN"), Some(OsStr::new(&long)));
        let ended = server.ended(made.uuid());
        assert_eq!(ended.strings("command")[2], long);
        assert_eq!(ended.text("note"), long);
        server
            .sesh("sesh-set", [made.uuid(), "--note", "short"])
            .ok();
        let said = server
            .sesh(
                "sesh-set",
                [
                    made.uuid(),
                    "--json",
                    "--note",
                    &long,
                    "--meta",
                    &format!("k={long}"),
                ],
            )
            .ok();
        assert_eq!(said.only().text("note"), long);
        assert_eq!(said.only().text("meta/k"), long);
        // It outlives its pane.
        server.sesh("sesh-end", [made.uuid()]).ok();
        let gone = server.record(made.uuid());
        assert_eq!(gone.text("meta/k"), long);
        assert_eq!(gone.strings("command")[2], long);
    }
    no_command_ran(&server);
}

#[test]
fn a_word_and_a_quoted_word_come_back_from_tmux() {
    let server = Server::start();
    let stored = || server.try_tmux(["save-buffer", "-b", "probe", "-"]).stdout;
    for_all(2_000, &text(), |text| {
        prop_assume!(!text.is_empty());
        let set = |word: &str| format!("set-buffer -b probe -- {word}");
        server.tmux(["set-buffer", "-b", "probe", "--", &word(&text)]);
        prop_assert_eq!(stored(), text.as_bytes(), "as an argument");
        // Inside a command string, inside one of those, and from stdin.
        let once = set(&quote(&text));
        server.tmux(["if-shell", "-F", "1", &word(&once)]);
        prop_assert_eq!(stored(), text.as_bytes(), "in a command string");
        let twice = format!("if-shell -F 1 {}", quote(&once));
        server.tmux(["if-shell", "-F", "1", &word(&twice)]);
        prop_assert_eq!(stored(), text.as_bytes(), "in one of those");
        server
            .tmux_call(["source-file", "-"])
            .stdin(format!("{twice}\n"))
            .ok();
        prop_assert_eq!(stored(), text.as_bytes(), "from stdin");
        Ok(())
    });
    no_command_ran(&server);
}

/// tmux 3.4 prints a `$` before a letter as `\$`: what follows a name in a row must not be one.
#[test]
fn a_session_whose_name_ends_with_a_dollar() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    server.tmux(["rename-session", "-t", made.pane(), "cash$"]);
    for _ in 0..4 {
        let shown = server.record(made.uuid());
        assert_eq!(shown.text("tmux/session"), "cash$");
    }
}

#[test]
fn what_others_wrote_does_not_bend_a_row() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let other = server.new_sesh(["two", "--", "sleep", "1000"]);
    for_all(500, &text(), |text| {
        // A title comes from any program, a session's name from any person.
        server.tmux([
            "select-pane",
            "-t",
            made.pane(),
            "-T",
            &word(&text.replace('#', "##")),
        ]);
        let _ = server.try_tmux([
            "rename-session",
            "-t",
            made.pane(),
            "--",
            &word(&text.replace('#', "##")),
        ]);
        let session = server.format(made.pane(), "#{session_name}");
        let listed = server.sesh("sesh-list", ["--json"]).ok().records();
        prop_assert_eq!(listed.len(), 2);
        let found = listed.iter().find(|it| it.uuid() == made.uuid());
        prop_assert_eq!(
            found.map(|it| it.text("tmux/session")),
            Some(session.as_str())
        );
        prop_assert!(listed.iter().any(|it| it.uuid() == other.uuid()));
        let titles = server
            .sesh("sesh-list", ["--format", "#{@sesh_name} #{pane_title}"])
            .ok();
        prop_assert!(titles.text().contains("two "));
        server.sesh("pane-capture", ["one"]).ok();
        server.sesh("sesh-enter", ["one", "--print"]).ok();
        Ok(())
    });
    no_command_ran(&server);
}

#[test]
fn nothing_in_a_status_line_is_executed() {
    let server = Server::start();
    let hostile =
        "#(touch x) #{E:#{l:##(touch x)}} $(touch x) `touch x` '; touch x' %#(touch x) #[fg=red]";
    let folder = server.path("home").join("#(touch x)");
    std::fs::create_dir(&folder).expect("a folder");
    server
        .sesh(
            "sesh-new",
            [
                "--note",
                hostile,
                "--env",
                "SESH_MACHINE=#(touch x)",
                "--cwd",
            ],
        )
        .args([&folder])
        .args(["one", "--", "sh", "-c", "cat", hostile])
        .env("SESH_MACHINE", hostile)
        .ok();
    server
        .sesh("sesh-set", ["one", "--meta", &format!("k={hostile}")])
        .ok();
    let mut every = String::from("#{@sesh_note}|");
    for entry in &schema::PANE {
        for form in ["", "q:", "q/h:", "E:", "T:", "s/x/x/:"] {
            every.push_str(&format!("#{{{form}{}}}|", entry.option));
        }
    }
    // The measure: a value that was stored as it is would run here.
    let trap = format!("#(touch '{}')", server.path("trapped").display());
    server.tmux(["set-option", "-g", "@trap", &trap]);
    every.push_str("#{E:@trap}");
    let control = server.path("control");
    for option in [
        "status-left",
        "status-right",
        "window-status-current-format",
        "pane-border-format",
        "set-titles-string",
    ] {
        server.tmux(["set-option", "-g", option, &every]);
    }
    let runs = format!("{every}#(echo run >>'{}')", control.display());
    server.tmux(["set-option", "-g", "status-right", &runs]);
    server.tmux(["set-option", "-g", "status-left-length", "20000"]);
    server.tmux(["set-option", "-g", "pane-border-status", "top"]);
    server.tmux(["set-option", "-g", "set-titles", "on"]);
    server.tmux(["set-option", "-g", "status-interval", "1"]);
    let look = Screen::attach(&server, "one", (200, 20));
    look.shows("%23");
    // What stands behind the values has run, and run again a second later: so would they have.
    until("the status line has run its own command twice", || {
        std::fs::read_to_string(&control).is_ok_and(|runs| runs.lines().count() > 1)
    });
    assert!(server.path("trapped").exists());
    no_command_ran(&server);
    assert!(!folder.join("x").exists());
}

#[test]
fn what_is_too_long_is_refused_or_kept() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    // About the most that one argument of a process may hold.
    let long = "#".repeat(120_000);
    let said = server
        .sesh("sesh-set", [made.uuid(), "--note", &long])
        .said();
    if said.code() == Some(0) {
        assert_eq!(server.record(made.uuid()).text("note"), long);
    } else {
        said.sentence();
        assert!(server.record(made.uuid()).get("note").is_null());
    }
    assert_eq!(OsStr::new(&long).as_bytes().len(), 120_000);
}
