//! `sesh-hooks`: ours go into the configuration of agents and out of it, and nothing else is touched.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tmux_sesh::agent::hooks::{HookStatus, Hooks, command};
use tmux_sesh::agent::kinds::Kind;

use crate::support::{Call, NONE, Server};

const PROGRAM: &str = "/opt/it's here/sesh-report";
/// The hooks of every kind that has some.
fn all_hooks() -> impl Iterator<Item = &'static Hooks> {
    let kinds = Kind::with_hooks().into_iter();
    kinds.filter_map(|kind| kind.code.hooks)
}

fn hooks_of(kind: &str) -> &'static Hooks {
    let kind = Kind::named(kind).expect("a kind that comes along");
    kind.code.hooks.expect("its hooks")
}

/// Not what any file was before.
const OTHER: &str = "{ \"other\": true }";

/// A text of JSON in somebody's own style.
struct Writer {
    random: u64,
    text: String,
    unit: &'static str,
    newline: &'static str,
    /// With comments, and commas at the end.
    loose: bool,
    /// Of ten containers so many have a line for each member.
    airy: u64,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let mut writer = Self {
            random: seed | 1,
            text: String::new(),
            unit: "",
            newline: "",
            loose: false,
            airy: 0,
        };
        writer.unit = writer.pick(&["  ", "    ", "\t", "   ", ""]);
        writer.newline = writer.pick(&["\n", "\n", "\r\n"]);
        writer.loose = writer.chance(5);
        writer.airy = writer.pick(&[0, 7, 9, 10]);
        writer
    }

    fn next(&mut self) -> u64 {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn chance(&mut self, of_ten: u64) -> bool {
        self.below(10) < of_ten
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).expect("a small number")]
    }

    /// Blanks, and comments where they may be.
    fn gap(&mut self) {
        if self.loose && self.chance(2) {
            let comment = self.pick(&["/* a , ] } \" */", "/* one\n two */", "// b , ] } \" /*"]);
            self.text.push_str(comment);
            if comment.starts_with("//") {
                self.text.push_str(self.newline);
            }
        }
        if self.chance(2) {
            let blank = self.pick(&[" ", "  ", "\t"]);
            self.text.push_str(blank);
        }
    }

    fn line(&mut self, depth: usize) {
        self.text.push_str(self.newline);
        self.text.push_str(&self.unit.repeat(depth));
        if self.chance(1) {
            self.text.push(' ');
        }
    }

    /// A list or an object of so many members.
    fn container(
        &mut self,
        [open, close]: [char; 2],
        depth: usize,
        count: u64,
        mut member: impl FnMut(&mut Self, u64),
    ) {
        self.text.push(open);
        let airy = self.airy;
        let airy = self.chance(airy);
        for at in 0..count {
            self.gap();
            if airy {
                self.line(depth + 1);
            }
            member(self, at);
            self.gap();
            if at + 1 < count || (self.loose && self.chance(3)) {
                self.text.push(',');
            }
        }
        self.gap();
        if airy {
            self.line(depth);
        }
        self.text.push(close);
    }

    fn list(&mut self, depth: usize, count: u64, member: impl FnMut(&mut Self, u64)) {
        self.container(['[', ']'], depth, count, member);
    }

    fn object(&mut self, depth: usize, count: u64, member: impl FnMut(&mut Self, u64)) {
        self.container(['{', '}'], depth, count, member);
    }

    fn key(&mut self, key: &str) {
        self.text.push_str(&format!("\"{key}\""));
        self.gap();
        self.text.push(':');
        self.gap();
    }

    fn anything(&mut self, depth: usize) {
        match self.below(if depth < 4 { 5 } else { 3 }) {
            0 => {
                let text = self.pick(&[
                    "\"a\"",
                    "\"// no, \\\" comment [\"",
                    "\"ü \\u00e9\"",
                    "\"\"",
                ]);
                self.text.push_str(text);
            }
            1 => {
                let word = self.pick(&["true", "null", "-1.5e3", "0"]);
                self.text.push_str(word);
            }
            2 => self.text.push_str("12"),
            3 => {
                let count = self.below(3);
                self.list(depth, count, |it, _| it.anything(depth + 1));
            }
            _ => {
                let count = self.below(3);
                self.object(depth, count, |it, at| {
                    it.key(&format!("k{at}"));
                    it.anything(depth + 1);
                });
            }
        }
    }

    /// Another one's group of hooks.
    fn group(&mut self, depth: usize) {
        let matcher = self.below(2);
        self.object(depth, 1 + matcher, |it, at| {
            if at < matcher {
                it.key("matcher");
                it.text.push_str("\"Bash\"");
                return;
            }
            it.key("hooks");
            let count = it.below(3);
            it.list(depth + 1, count, |it, _| {
                it.object(depth + 2, 2, |it, at| {
                    it.key(["type", "command"][usize::from(at > 0)]);
                    let word = it.pick(&[
                        "\"command\"",
                        "\"say \\\"done\\\"\"",
                        "\"sesh-report --from claude\"",
                    ]);
                    it.text.push_str(word);
                });
            });
        });
    }

    fn hooks(&mut self) {
        const EVENTS: [&str; 4] = ["Stop", "PreToolUse", "SomethingElse", "SessionStart"];
        self.key("hooks");
        let count = self.below(5);
        self.object(1, count, |it, at| {
            it.key(EVENTS[usize::try_from(at).expect("a small number")]);
            let groups = it.below(3);
            it.list(2, groups, |it, _| it.group(3));
        });
    }

    /// A whole file of settings.
    fn settings(seed: u64) -> String {
        let mut it = Self::new(seed);
        if it.chance(1) {
            it.text.push('\u{feff}');
        }
        let blank = it.chance(1);
        it.gap();
        if !blank {
            let before = it.below(3);
            let hooks = u64::from(it.chance(7));
            let after = it.below(3);
            it.object(0, before + hooks + after, |it, at| {
                if hooks == 1 && at == before {
                    it.hooks();
                } else {
                    it.key(&format!("key{at}"));
                    it.anything(1);
                }
            });
        }
        it.gap();
        if it.chance(7) {
            let newline = it.newline;
            it.text.push_str(newline);
        }
        it.text
    }
}

fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/settings");
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            (
                path.file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned(),
                text,
            )
        })
        .collect();
    found.sort();
    assert!(found.len() > 5);
    found
}

/// Whether all of a text is in another, in its order.
fn is_within(text: &str, other: &str) -> bool {
    let mut rest = other.chars();
    text.chars().all(|c| rest.any(|other| other == c))
}

/// Whether a text holds nothing but an empty object at most: what it looked like is told by the copy alone.
fn is_hollow(text: &str) -> bool {
    let (mut rest, mut left) = (text.trim_start_matches('\u{feff}'), String::new());
    while let Some(c) = rest.chars().next() {
        let length = match rest {
            _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => {
                left.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    let left: String = left.split_whitespace().collect();
    left.is_empty() || left == "{}"
}

/// All that must hold for a text.
#[track_caller]
fn comes_and_goes(hooks: &Hooks, text: &str) {
    let kind = hooks.kind;
    let with = hooks
        .install(text, PROGRAM)
        .unwrap_or_else(|it| panic!("{kind} {text:?}: {it:?}"));
    assert_eq!(
        hooks.status(&with, PROGRAM),
        Ok(HookStatus::Installed),
        "{with}"
    );
    assert_eq!(hooks.status(&with, "/other"), Ok(HookStatus::Outdated));
    assert!(is_within(text, &with), "{text:?}\n{with}");
    assert_eq!(
        hooks.install(&with, PROGRAM).as_ref(),
        Ok(&with),
        "not the same again: {text:?}"
    );
    let gone = |with: &str, original: Option<&str>| hooks.remove(with, original).expect("a text");
    assert_eq!(
        gone(&with, Some(text)).as_deref(),
        Some(text),
        "with the copy:\n{with}"
    );
    if !is_hollow(text) {
        assert_eq!(
            gone(&with, Some(OTHER)).as_deref(),
            Some(text),
            "without it:\n{with}"
        );
        // Brought up to date it is as new, and goes as well.
        let newer = hooks.install(&with, "/newer/sesh-report").expect("a text");
        assert_eq!(
            newer,
            hooks.install(text, "/newer/sesh-report").expect("a text")
        );
        assert_eq!(gone(&newer, None).as_deref(), Some(text));
    }
    assert_eq!(
        gone(text, None).as_deref(),
        Some(text),
        "there is nothing to take"
    );
}

#[test]
fn real_files_are_as_they_were() {
    for (name, text) in fixtures() {
        let hooks = hooks_of(name.split('-').next().expect("a kind"));
        comes_and_goes(hooks, &text);
    }
    // No file, and none again.
    for hooks in all_hooks() {
        let with = hooks.install("", PROGRAM).expect("a text");
        assert_eq!(hooks.status(&with, PROGRAM), Ok(HookStatus::Installed));
        assert_eq!(hooks.remove(&with, None), Ok(None), "{with}");
        assert_eq!(hooks.remove(&with, Some("")), Ok(Some(String::new())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn any_file_is_as_it_was(seed: u64) {
        let text = Writer::settings(seed);
        for kind in ["claude", "codex", "gemini"] {
            comes_and_goes(hooks_of(kind), &text);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused(text: String, cut in 0_usize..400, seed: u64) {
        let settings = Writer::settings(seed);
        let half: String = settings.chars().take(cut).collect();
        for text in [&text, &half] {
            for hooks in all_hooks() {
                let _ = hooks.status(text, PROGRAM);
                let _ = hooks.remove(text, Some(&settings));
                if let Ok(with) = hooks.install(text, PROGRAM) {
                    prop_assert_eq!(hooks.status(&with, PROGRAM), Ok(HookStatus::Installed));
                }
            }
        }
    }
}

#[test]
fn what_a_person_did_since_stays() {
    let claude = hooks_of("claude");
    let with = claude
        .install("{\n  \"a\": 1\n}\n", PROGRAM)
        .expect("a text");
    let remove = |text: &str| {
        claude
            .remove(text, Some(OTHER))
            .expect("a text")
            .expect("a file")
    };
    // Another member behind ours, a comment, a hook of their own in our group and beside it.
    let more = with.replace("]\n  }\n}", "]\n  },\n  \"b\": 2 // two\n}");
    assert_eq!(remove(&more), "{\n  \"a\": 1,\n  \"b\": 2 // two\n}\n");
    let own = "{ \"type\": \"command\", \"command\": \"beep\" }";
    let stop = "\"Stop\": [\n      { \"hooks\": [";
    let beside = with.replace(stop, &format!("{stop}{own}, "));
    assert_eq!(
        remove(&beside),
        format!("{{\n  \"a\": 1,\n  \"hooks\": {{\n    {stop}{own}] }}\n    ]\n  }}\n}}\n")
    );
    // As a formatter writes it.
    let value: serde_json::Value = serde_json::from_str(&with).expect("JSON");
    let left = remove(&serde_json::to_string(&value).expect("JSON"));
    let left: serde_json::Value = serde_json::from_str(&left).expect("JSON");
    assert_eq!(left["a"], 1);
    assert!(!left.to_string().contains("sesh-report"));
}

#[test]
fn a_comment_stays_with_what_it_is_about() {
    let claude = hooks_of("claude");
    for (text, line) in [
        ("{\n  \"a\": 1 // one\n}", "\n  \"a\": 1, // one\n"),
        ("{\n  \"a\": 1, /* one */\n}", "\n  \"a\": 1, /* one */\n"),
    ] {
        let with = claude.install(text, PROGRAM).expect("a text");
        assert!(with.contains(line), "{with}");
        comes_and_goes(claude, text);
    }
}

/// What jsonc-parser's own editing (`cst`) does not give back as it was: it lays out anew what stood on one line.
#[test]
fn the_layout_of_others_stays() {
    let claude = hooks_of("claude");
    for text in [
        "{ }",
        "{\n}\n",
        "{ \"a\": 1 }\n",
        "{\"a\":1}",
        "{\n    \"hooks\": {}\n}\n",
        "{\n    \"hooks\": { }\n}\n",
        "{\n  \"hooks\": {\n    \"Stop\": []\n  }\n}\n",
        "{\n  \"hooks\": {\n    \"Stop\": [ { \"hooks\": [] } ]\n  },\n  \"b\": 2\n}\n",
        "{ // first\n  \"a\": [1,\n 2]   ,\n\n  \"b\" : 2 }\n// end\n",
    ] {
        comes_and_goes(claude, text);
    }
}

#[test]
fn what_cannot_be_read_is_refused_by_place() {
    let claude = hooks_of("claude");
    for (text, line, column) in [
        ("{\n  \"a\": 1,\n  b: 2\n}", 3, 3),
        ("{\n  \"a\": 'x'\n}", 2, 8),
        ("{", 1, 1),
        ("[]", 1, 1),
        ("{\n \"hooks\": []\n}", 2, 11),
        ("{\n \"hooks\": { \"Stop\": {} }\n}", 2, 21),
        ("{} {}", 1, 4),
    ] {
        let refusal = claude.install(text, PROGRAM).expect_err(text);
        assert_eq!(
            (refusal.line, refusal.column),
            (line, column),
            "{text}: {refusal:?}"
        );
    }
    let opencode = hooks_of("opencode");
    opencode
        .install("export const Mine = 1", PROGRAM)
        .expect_err("not ours");
}

/// `sesh-hooks` in the home of a server that is not needed.
fn hooks(server: &Server, args: &[&str]) -> Call {
    server.helper("sesh-hooks").args(args)
}

fn home(server: &Server, name: &str) -> PathBuf {
    let path = server.path("home").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    path
}

#[test]
fn the_diff_shows_what_changes_and_no_more() {
    let server = Server::empty();
    let file = home(&server, ".claude/settings.json");
    let mine = "      { \"hooks\": [{ \"type\": \"command\", \"command\": \"mine\" }] }";
    let text = format!(
        "{{\n  \"a\": 1,\n  \"hooks\": {{\n    \"Stop\": [\n{mine}\n    ]\n  }},\n  \"b\": [\n    1,\n    2,\n    3\n  ]\n}}"
    );
    std::fs::write(&file, &text).expect("settings");
    let said = hooks(&server, &["install", "--dry-run", "claude"]).ok();
    let lines = said.lines();
    let path = file.display();
    assert_eq!(
        lines[..7],
        [
            &format!("--- {path}"),
            &format!("+++ {path}"),
            "@@ -2,7 +2,32 @@",
            "   \"a\": 1,",
            "   \"hooks\": {",
            "     \"Stop\": [",
            &format!("-{mine}"),
        ],
        "{said}"
    );
    assert_eq!(lines[7], format!("+{mine},"), "{said}");
    assert!(lines[8].starts_with("+      { \"hooks\": [{ \"type\": \"command\""));
    let removed = lines.iter().filter(|line| line.starts_with('-')).count();
    assert_eq!(removed, 2, "the header and one line: {said}");
    assert_eq!(
        lines[lines.len() - 4..lines.len() - 1],
        ["     ]", "   },", "   \"b\": ["]
    );
}

#[test]
fn from_install_to_remove() {
    let server = Server::empty();
    let file = home(&server, ".claude/settings.json");
    let text = "{\r\n\t\"model\": \"opus\"\r\n}";
    std::fs::write(&file, text).expect("settings");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("a mode");
    let read = || std::fs::read_to_string(&file).expect("settings");
    let said = hooks(&server, &["install", "--dry-run"]).ok();
    assert!(said.text().contains("+\t\"hooks\": {"), "{said}");
    assert!(
        said.text().contains("claude: would be installed: "),
        "{said}"
    );
    assert_eq!(read(), text);
    let said = hooks(&server, &["install"]).ok();
    assert!(said.text().contains("claude: installed: "), "{said}");
    // Only what is there.
    assert!(!said.text().contains("codex"), "{said}");
    let with = read();
    assert_eq!(
        file.metadata().expect("a file").permissions().mode() & 0o777,
        0o600
    );
    let copy = said
        .lines()
        .into_iter()
        .find_map(|line| line.strip_prefix("claude: copy of the old file: "));
    assert_eq!(
        std::fs::read_to_string(copy.expect("a copy")).expect("a text"),
        text
    );
    let said = hooks(&server, &["install", "claude"]).ok();
    assert!(
        said.line().starts_with("claude: already installed: "),
        "{said}"
    );
    assert_eq!(read(), with);
    let status = hooks(&server, &["status", "--json"]).ok().json();
    let found: Vec<String> = status
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| format!("{} {} {}", it["agent"], it["state"], it["present"]).replace('"', ""))
        .collect();
    assert_eq!(
        found,
        [
            "claude installed true",
            "codex absent false",
            "gemini absent false",
            "opencode absent false",
            "pi absent false"
        ]
    );
    assert!(hooks(&server, &["status"]).ok().lines()[0].starts_with("claude\tinstalled\t"));
    hooks(&server, &["remove"]).ok();
    assert_eq!(read(), text);
    let said = hooks(&server, &["remove"]).ok();
    assert!(said.line().starts_with("claude: not installed: "), "{said}");
}

#[test]
fn where_there_was_no_file_there_is_none() {
    let server = Server::empty();
    hooks(&server, &["install"]).fails(3);
    let all = ["claude", "codex", "gemini", "opencode", "pi"];
    let mut install = vec!["install"];
    install.extend(all);
    let said = hooks(&server, &install).ok();
    assert!(said.text().contains("Hooks need review"), "{said}");
    for file in [
        ".claude/settings.json",
        ".codex/hooks.json",
        ".gemini/settings.json",
        ".config/opencode/plugin/tmux-sesh.js",
        ".pi/agent/extensions/tmux-sesh.ts",
    ] {
        assert!(home(&server, file).is_file(), "{file}");
    }
    let states = hooks(&server, &["status"]).ok();
    assert_eq!(
        states.text().matches("\tinstalled\t").count(),
        all.len(),
        "{states}"
    );
    hooks(&server, &["remove"]).ok();
    for folder in [
        ".claude",
        ".codex",
        ".gemini",
        ".config/opencode",
        ".pi/agent",
    ] {
        assert!(!server.path("home").join(folder).exists(), "{folder}");
    }
}

#[test]
fn the_folders_that_variables_name() {
    let server = Server::empty();
    let folder = server.path("conf");
    for (kind, variable, file) in [
        ("claude", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("codex", "CODEX_HOME", "hooks.json"),
        ("gemini", "GEMINI_CLI_HOME", ".gemini/settings.json"),
        ("opencode", "OPENCODE_CONFIG_DIR", "plugin/tmux-sesh.js"),
        (
            "opencode",
            "XDG_CONFIG_HOME",
            "opencode/plugin/tmux-sesh.js",
        ),
        ("pi", "PI_CODING_AGENT_DIR", "extensions/tmux-sesh.ts"),
    ] {
        hooks(&server, &["install", kind])
            .env(variable, &folder)
            .ok();
        assert!(folder.join(file).is_file(), "{variable}");
        hooks(&server, &["remove", kind])
            .env(variable, &folder)
            .ok();
        assert!(!folder.join(file).exists(), "{variable}");
    }
}

#[test]
fn a_link_stays_a_link() {
    let server = Server::empty();
    let link = home(&server, ".claude/settings.json");
    let target = server.path("dotfiles-claude.json");
    std::fs::write(&target, "{ \"a\": 1 }\n").expect("a file");
    std::os::unix::fs::symlink("../../dotfiles-claude.json", &link).expect("a link");
    hooks(&server, &["install"]).ok();
    assert!(link.symlink_metadata().expect("a link").is_symlink());
    assert!(
        std::fs::read_to_string(&target)
            .expect("a text")
            .contains("sesh-report")
    );
    hooks(&server, &["remove"]).ok();
    assert!(link.symlink_metadata().expect("a link").is_symlink());
    assert_eq!(
        std::fs::read_to_string(&target).expect("a text"),
        "{ \"a\": 1 }\n"
    );
}

#[test]
fn one_that_is_refused_keeps_no_other_back() {
    let server = Server::empty();
    let broken = home(&server, ".claude/settings.json");
    std::fs::write(&broken, "{\n  \"a\": 1\n  \"b\": 2\n}\n").expect("a file");
    let protected = home(&server, ".codex/hooks.json");
    std::fs::write(&protected, "{}").expect("a file");
    std::fs::set_permissions(&protected, PermissionsExt::from_mode(0o444)).expect("a mode");
    let good = home(&server, ".gemini/settings.json");
    std::fs::write(&good, "{}").expect("a file");
    let said = hooks(&server, &["install"]).said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(said.stderr.contains("settings.json:2:9: "), "{said}");
    assert!(
        said.stderr.contains("hooks.json is write-protected"),
        "{said}"
    );
    assert!(said.text().contains("gemini: installed: "), "{said}");
    let read = |path: &Path| std::fs::read_to_string(path).expect("a text");
    assert_eq!((read(&broken).len(), read(&protected).as_str()), (22, "{}"));
    assert!(
        hooks(&server, &["status"])
            .ok()
            .text()
            .contains("claude\tunreadable: ")
    );
    hooks(&server, &["install", "claude"]).fails(4);
    hooks(&server, &["install", "aider"]).fails(2);
    hooks(&server, &NONE).fails(2);
}

/// What an agent's shell runs.
#[test]
fn the_command_works_from_any_path_and_is_silent_without_the_program() {
    let server = Server::empty();
    let program = server.script("it's $here", "echo \"own $*\"; cat");
    let run = |shell: &str, line: &str| {
        let said = server
            .call(Path::new(shell))
            .args(["-c", line])
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", server.path("other").display()),
            )
            .stdin("payload\n")
            .ok();
        said.text().to_string()
    };
    let line = command("claude", program.to_str().expect("UTF-8"));
    let gone = command("claude", "/gone/sesh-report");
    for shell in ["/bin/sh", "/bin/bash"] {
        assert_eq!(run(shell, &line), "own --from claude\npayload\n", "{shell}");
        // Gone: the payload is taken all the same.
        assert_eq!(run(shell, &gone), "", "{shell}");
    }
    std::fs::create_dir(server.path("other")).expect("a folder");
    server.program_file(
        &server.path("other/sesh-report"),
        b"#!/bin/sh\necho \"on PATH $*\"\n",
    );
    assert_eq!(run("/bin/sh", &gone), "on PATH --from claude\n");
}

#[test]
fn a_reader_that_goes_leaves_no_change_half_done() {
    let server = Server::empty();
    for folder in [".claude", ".codex", ".gemini", ".pi/agent"] {
        home(&server, &format!("{folder}/x"));
    }
    let installed = || {
        let status = hooks(&server, &["status"]).ok();
        let installed = status.lines();
        installed
            .iter()
            .filter(|line| line.contains("\tinstalled\t"))
            .count()
    };
    assert_eq!(hooks(&server, &["install"]).unread(), Some(0));
    assert_eq!(installed(), 4);
    assert_eq!(hooks(&server, &["remove"]).unread(), Some(0));
    assert_eq!(installed(), 0);
}

#[test]
fn the_skill_goes_where_agents_look_for_skills() {
    let server = Server::empty();
    let files = [
        (".claude", "claude"),
        (".codex", "codex"),
        (".gemini", "gemini"),
        (".config/opencode", "opencode"),
        (".pi/agent", "pi"),
    ]
    .map(|(folder, agent)| {
        let file = format!("{folder}/skills/tmux-sesh/SKILL.md");
        (home(&server, &file), agent)
    });
    // The folders of its own are not there yet.
    for (file, _) in &files {
        let own = file.parent().expect("a folder");
        std::fs::remove_dir_all(own.parent().expect("a folder")).expect("it was made");
    }
    hooks(&server, &["install", "--skill"]).ok();
    for (file, agent) in &files {
        let text = std::fs::read_to_string(file).expect("the skill");
        // Byte for byte: it says COMMAND where a reader puts one, and no hook belongs there.
        assert_eq!(text, include_str!("../../plugin/skill/SKILL.md"), "{agent}");
    }
    let status = hooks(&server, &["status", "--skill", "claude"]).ok();
    assert!(status.text().starts_with("claude\tinstalled\t"), "{status}");
    assert!(
        hooks(&server, &["status", "claude"])
            .ok()
            .text()
            .starts_with("claude\tabsent")
    );
    hooks(&server, &["remove", "--skill"]).ok();
    for (file, agent) in &files {
        assert!(!file.parent().expect("a folder").exists(), "{agent}");
    }
}

/// What stands in it is true: every helper and every option that it names is there.
#[test]
fn the_skill_names_what_there_is() {
    let server = Server::empty();
    let skill = include_str!("../../plugin/skill/SKILL.md");
    let mut named = 0;
    for line in skill.lines() {
        for part in line
            .split('`')
            .chain(line.split(';'))
            .chain(line.split('|'))
        {
            let mut words = part.split_whitespace();
            let Some(helper) =
                words.find(|word| tmux_sesh::cli::TOOLS.iter().any(|tool| tool.name == *word))
            else {
                continue;
            };
            let help = server.helper(helper).args(["--help"]).ok();
            for option in words.take_while(|word| !matches!(*word, "--" | "|")) {
                let option = option.trim_matches(|c: char| "()`.,'\"".contains(c));
                let option = option.split('=').next().unwrap_or_default();
                if option.starts_with("--") {
                    named += 1;
                    assert!(
                        help.text().contains(option),
                        "{helper} has no {option}: {line}"
                    );
                }
            }
        }
    }
    assert!(named > 10, "{named}");
}
