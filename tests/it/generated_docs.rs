//! Man pages and completions: made from the helpers, and used as a person uses them. `UPDATE=1` writes them anew.

mod bash;
mod fish;
mod man;
mod shell;
mod takes;
mod zsh;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use pretty_assertions::assert_eq;
use shell::Shell;
use takes::Helper;
use tmux_sesh::agent::kinds::KINDS;

use crate::support::{Call, NONE, Server, say};

const MAN: &str = "plugin/man/man1";
const COMPLETIONS: &str = "plugin/completions";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap_or_default()
}

/// The patterns of a shell's `case` that a helper goes by.
fn patterns(helper: &Helper, between: &str) -> String {
    let mut names = vec![helper.short_name, helper.name];
    names.dedup();
    names.extend(helper.alias);
    names.join(between)
}

/// A text with its tables made anew: what is between `# table: NAME` and `# end`.
fn with_tables(text: &str, tables: &[(&str, String)]) -> String {
    tables.iter().fold(text.to_string(), |text, (name, table)| {
        let mark = format!("# table: {name}\n");
        let (before, rest) = text
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no table {name}"));
        let (_, after) = rest.split_once("# end").expect("a table has an end");
        let indent = before.rsplit('\n').next().unwrap_or("");
        format!("{before}{mark}{table}{indent}# end{after}")
    })
}

/// Every paper as it should be, by its path.
fn papers() -> BTreeMap<String, String> {
    let helpers = takes::helpers();
    let mut papers: BTreeMap<String, String> = man::pages(&helpers)
        .into_iter()
        .map(|(name, text)| (format!("{MAN}/{name}"), text))
        .collect();
    for (name, tables) in [
        ("tmux-sesh.bash", bash::tables(&helpers)),
        ("_tmux-sesh", zsh::tables(&helpers)),
        ("tmux-sesh.fish", fish::tables(&helpers)),
    ] {
        let path = format!("{COMPLETIONS}/{name}");
        let mut text = with_tables(&read(&path), &tables);
        if let Some((_, rest)) = text
            .strip_prefix("#compdef ")
            .and_then(|it| it.split_once('\n'))
        {
            text = zsh::first_line(&helpers) + rest;
        }
        papers.insert(path, text);
    }
    for kind in KINDS {
        let folder = format!("src/agent/kinds/{}", kind.name);
        let tables = toml::from_str(&read(&format!("{folder}/manifest.toml")));
        let tables = tables.unwrap_or_else(|error| panic!("{folder}/manifest.toml: {error}"));
        papers.insert(format!("{folder}/manifest.json"), compiled(&tables));
    }
    papers
}

/// A manifest as it is compiled in: its `[process]` on the first line, and all its tables behind it.
fn compiled(tables: &toml::Table) -> String {
    let json = |value: &toml::Value| serde_json::to_string(value).expect("JSON");
    let process = json(&tables["process"]);
    let tables = tables
        .iter()
        .map(|(name, table)| format!("{name:?}:{}", json(table)));
    format!(
        "{process}\n{{\n{}\n}}\n",
        tables.collect::<Vec<_>>().join(",\n")
    )
}

/// The path of every page that there is.
fn pages() -> impl Iterator<Item = String> {
    let folder = std::fs::read_dir(file(MAN)).expect("a folder of pages");
    folder.map(|entry| {
        let name = entry.expect("an entry").file_name();
        format!("{MAN}/{}", name.to_string_lossy())
    })
}

#[test]
fn the_papers_are_those_of_the_helpers() {
    let expected = papers();
    let stale: BTreeSet<String> = expected
        .keys()
        .cloned()
        .chain(pages())
        .filter(|path| expected.get(path) != Some(&read(path)))
        .collect();
    if std::env::var_os("UPDATE").is_some() {
        for path in &stale {
            match expected.get(path) {
                Some(text) => std::fs::write(file(path), text).expect("a paper can be written"),
                None => std::fs::remove_file(file(path)).expect("a paper can be removed"),
            }
        }
    }
    assert!(
        stale.is_empty(),
        "UPDATE=1 cargo test --test it generated_docs writes them anew: {stale:#?}"
    );
}

#[test]
fn the_pages_are_whole_and_well_formed() {
    let sections = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXAMPLES",
        "\"EXIT STATUS\"",
        "\"SEE ALSO\"",
    ];
    let mandoc = which::which("mandoc");
    if mandoc.is_err() {
        say("not linted: mandoc is not installed");
    }
    for path in pages() {
        let text = read(&path);
        for section in sections {
            let family =
                ["OPTIONS", "EXAMPLES"].contains(&section) && path.ends_with("/tmux-sesh.1");
            let there = text.contains(&format!("\n.SH {section}\n"));
            assert!(there != family, "{section} of {path}");
        }
        if let Ok(mandoc) = &mandoc {
            let mut lint = Command::new(mandoc);
            lint.args(["-T", "lint", "-W", "warning"]).arg(file(&path));
            let said = Call::new(lint).said();
            let wrong: Vec<&str> = said
                .lines()
                .into_iter()
                // A date would be one more thing to go stale.
                .filter(|line| !line.contains("missing date"))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}

#[test]
fn every_variable_that_is_read_is_on_the_page() {
    let source = read("src/env.rs");
    let read: Vec<&str> = ["env::var(\"", "env::var_os(\""]
        .into_iter()
        .flat_map(|call| source.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(read.len() > 5, "this reads the wrong words: {read:?}");
    let told: Vec<&str> = man::ENVIRONMENT
        .iter()
        .flat_map(|(names, _)| names.split(", "))
        .collect();
    for name in read {
        assert!(told.contains(&name), "{name}");
    }
}

/// Names that a shell would act on, each with a first letter of its own.
const HOSTILE: [&str; 9] = [
    "a b",
    "b(touch ran)",
    "c&touch ran",
    "d|touch ran",
    "e<ran>ran",
    "f:g=h@i",
    "g🦀h größe",
    "h!x^%i+[j]*?",
    "i- -k /l",
];

#[test]
fn a_completed_name_is_one_word_and_runs_nothing() {
    let server = Server::start();
    for name in HOSTILE {
        let made = server.new_sesh([&name.replace(':', "-"), "--", "sleep", "1000"]);
        // One that holds a colon is an earlier version's.
        server.tmux(["set-option", "-p", "-t", made.pane(), "@sesh_name", name]);
    }
    server.sesh("sesh-reap", NONE).ok();
    for shell in Shell::all(&server) {
        for (at, name) in HOSTILE.iter().enumerate() {
            let half: String = name
                .chars()
                .take(name.chars().count().div_ceil(2))
                .collect();
            let starts = [
                name[..1].to_string(),
                format!("'{}", &name[..1]),
                format!("'{half}"),
                format!("\"{}", &name[..1]),
            ];
            for (way, start) in starts.iter().enumerate() {
                // Inside double quotes bash would look for an earlier command.
                if shell.program == "bash" && start.starts_with('"') && name.contains('!') {
                    continue;
                }
                let words = shell.completed(&format!("{at}-{way}"), &format!("sesh-end {start}"));
                assert_eq!(words, ["sesh-end", name], "{}: {start}", shell.program);
            }
        }
    }
    assert!(!server.path("ran").exists());
}

/// What is typed, and what is offered for it on the server of the test below.
const OFFERED: [(&str, &[&str]); 23] = [
    ("tmux-sesh help set", &["set"]),
    ("tmux-sesh kill l", &["lint"]),
    ("tmux-sesh capture bu", &["build"]),
    ("sesh-end --tag ", &["team/api", "x"]),
    ("sesh-end --tagged te", &["team/api"]),
    ("sesh-send --tag te", &["team/api"]),
    ("sesh-restore --tag te", &["team/api"]),
    ("sesh-gather --tag te", &["team/api"]),
    ("sesh-wait --tagged te", &["team/api"]),
    ("sesh-set --tagged te", &["team/api"]),
    ("sesh-pane l", &["lint"]),
    ("pane-resolve b", &["build"]),
    ("pane-capture b", &["build"]),
    ("pane-capture build --since ", &["now", "start"]),
    ("sesh-wait build --since s", &["start"]),
    ("pane-keys build Ent", &["Enter"]),
    ("sesh-list --owner te", &["team-a"]),
    ("sesh-report --why tr", &["trust"]),
    ("sesh-hooks rem", &["remove"]),
    ("sesh-enter --picker f", &["fzf"]),
    ("sesh-send --draft w", &["wait"]),
    ("sesh-list --state f", &["failed"]),
    ("sesh-list -L oth", &["other-server"]),
];

#[test]
fn what_there_is_at_the_moment_is_offered() {
    let server = Server::start();
    let other = Server::start();
    other.new_sesh(["elsewhere", "--", "sleep", "1000"]);
    server.new_sesh([
        "build", "--owner", "team-a", "--tag", "x", "--tag", "team/api", "--", "sleep", "1000",
    ]);
    server.new_sesh(["lint", "--tag", "x", "--", "sleep", "1000"]);
    let old = server.new_sesh(["old", "--tag", "past", "--", "true"]);
    server.ended(old.uuid());
    server.sesh("sesh-end", ["old"]).ok();
    let adopted = ["%0", "--name", "mine", "--agent", "claude"];
    server.sesh("sesh-adopt", adopted).ok();
    let helpers = takes::helpers();
    let mut with_help: Vec<&str> = helpers.iter().map(|helper| helper.short_name).collect();
    with_help.push("help");
    // A socket of another name, where tmux has them.
    let sockets = server.path(&format!("tmux-{}", nix::unistd::getuid()));
    std::fs::create_dir_all(&sockets).expect("a folder");
    std::fs::write(sockets.join("other-server"), "").expect("a file");
    let shells = Shell::all(&server);
    let panes = server.panes("#{pane_id}");
    let panes: Vec<&str> = panes.iter().map(String::as_str).collect();
    let sessions = server.panes("#{session_name}");
    let sessions: Vec<&str> = sessions.iter().map(String::as_str).collect();
    let elsewhere = format!("sesh-end -S {} ", other.socket().display());
    let joined = format!("tmux-sesh end -S{} ", other.socket().display());
    let cases: &[(&str, &[&str])] = &[
        ("sesh-end ", &["build", "lint", "mine"]),
        ("sesh-end build ", &["build", "lint", "mine"]),
        ("sesh-send ", &["build", "lint", "mine"]),
        ("sesh-send --queue l", &["lint"]),
        ("tmux-sesh send b", &["build"]),
        (
            "sesh-wait build --for ",
            &[
                "busy", "change", "exit", "idle", "output=", "quiet=", "turn", "waiting",
            ],
        ),
        ("sesh-wait build --for i", &["idle"]),
        ("sesh-end --timeout 3s l", &["lint"]),
        // An ended one only where no other is meant.
        ("sesh-end o", &["old"]),
        ("sesh-end %", &panes),
        ("sesh-end .", &["."]),
        ("sesh-enter build ", &[]),
        ("sesh-new --parent b", &["build"]),
        ("sesh-adopt ", &panes),
        ("sesh-new --target ", &sessions),
        ("sesh-set build --untag ", &["team/api", "x"]),
        ("sesh-list --agent ", &["claude"]),
        (
            "sesh-list --state ",
            &[
                "busy", "exited", "failed", "idle", "starting", "unknown", "waiting",
            ],
        ),
        (
            "sesh-list --columns tmux-",
            &["tmux-pane", "tmux-session", "tmux-socket", "tmux-window"],
        ),
        ("sesh-list --no", &["--no-header"]),
        ("tmux-sesh ", &with_help),
        ("sesh-restore --target ", &sessions),
        ("tmux-sesh enter l", &["lint"]),
        (&elsewhere, &["elsewhere"]),
        (&joined, &["elsewhere"]),
        ("sesh-end -S /nowhere/s ", &[]),
        ("sesh-list -S /nowhere/s --tag ", &[]),
        ("sesh-adopt -S /nowhere/s ", &[]),
    ];
    for shell in &shells {
        for (typed, expected) in cases.iter().chain(&OFFERED) {
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            let mut found = shell.candidates(typed);
            if expected.is_empty() {
                // zsh offers options where nothing else fits.
                found.retain(|word| !word.starts_with('-'));
            }
            assert_eq!(found, expected, "{}: {typed}", shell.program);
        }
        shell.is_clear();
    }
}

#[test]
fn the_users_kinds_of_agents_are_offered() {
    let server = Server::start();
    let own = ["mine", "my-2nd", "claude"];
    let odd = ["Big", "a b", "$(touch ran)", "*"];
    let mut all: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    all.extend(&own[..2]);
    all.sort_unstable();
    for shell in Shell::all(&server) {
        let folder = format!("home/{}/.config/tmux-sesh/agents", shell.program);
        let folder = server.path(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in own.iter().chain(&odd) {
            std::fs::write(folder.join(format!("{name}.toml")), "").expect("a file");
        }
        std::fs::write(folder.join("notes.txt"), "").expect("a file");
        for helper in ["sesh-new one", "sesh-adopt %0", "tmux-sesh new one"] {
            for typed in [format!("{helper} --agent "), format!("{helper} --agent=")] {
                let found = shell.candidates(&typed);
                // bash completes all of such a word.
                let found: Vec<&str> = found
                    .iter()
                    .map(|word| word.trim_start_matches("--agent="))
                    .collect();
                assert_eq!(found, all, "{}: {typed}", shell.program);
            }
        }
        shell.is_clear();
        let words = shell.completed("own", "sesh-new --agent mi");
        assert_eq!(words, ["sesh-new", "--agent", "mine"], "{}", shell.program);
    }
    assert!(!server.path("ran").exists());
}

#[test]
fn every_option_of_every_helper_is_offered() {
    let server = Server::start();
    for shell in Shell::all(&server) {
        for helper in takes::helpers() {
            let names = helper.options.iter().flat_map(|option| &option.names);
            let mut long: Vec<&String> = names.filter(|name| name.starts_with("--")).collect();
            long.sort_unstable();
            for call in [
                helper.name.into(),
                format!("tmux-sesh {}", helper.short_name),
            ] {
                let found = shell.candidates(&format!("{call} --"));
                let found: Vec<&String> = found.iter().collect();
                assert_eq!(found, long, "{}: {call}", shell.program);
            }
        }
        shell.is_clear();
    }
}

#[test]
fn a_word_is_completed_where_it_stands() {
    let server = Server::start();
    server.new_sesh([
        "build", "--tag", "x", "--tag", "team/api", "--", "sleep", "1000",
    ]);
    // A session's name may hold anything.
    let session = "q$(touch ran)`touch ran`'\"\\x";
    server.session((80, 24), &["-s", session, "cat"]);
    let session = server
        .panes("#{session_name}")
        .into_iter()
        .find(|name| name.starts_with("q$"))
        .expect("that session");
    std::fs::write(server.path("a-file"), "").expect("a file");
    let cases = [
        ("sesh-list --state=b", "--state=busy"),
        ("sesh-wait build --for=tu", "--for=turn"),
        ("sesh-send bu", "build"),
        ("sesh-list --columns name,up", "name,updated"),
        (
            "sesh-list --columns=name,tmux-p",
            "--columns=name,tmux-pane",
        ),
        ("sesh-list --tag=te", "--tag=team/api"),
        ("sesh-set build --retag x=te", "x=team/api"),
        ("sesh-set build --retag=x=te", "--retag=x=team/api"),
        ("sesh-new --target q", &session),
        ("sesh-new --cwd hom", "home"),
        ("sesh-new a -- prob", "probe"),
        ("sesh-new --tag x -- probe hom", "home"),
        ("tmux-sesh new -- prob", "probe"),
        ("sesh-end bu", "build"),
        ("sesh-end >/dev/null bu", "build"),
        ("sesh-end >>a-fi", "sesh-end"),
    ];
    for shell in Shell::all(&server) {
        for (at, (typed, expected)) in cases.iter().enumerate() {
            let words = shell.completed(&at.to_string(), typed);
            // zsh takes the slash off a folder when something else is typed.
            let last = words.last().map(|word| word.trim_end_matches('/'));
            assert_eq!(last, Some(*expected), "{}: {typed}", shell.program);
        }
    }
    for name in ["a-fi", "ran"] {
        assert!(!server.path(name).exists(), "{name}");
    }
}
