//! How agents are started: by path, by scripts, through wrappers and sandboxes. Each is found as what it is, and a
//! program that only has the word of an agent somewhere is none.

use crate::support::{Server, until, until_some};

/// The kind and the pid of the agent in a pane, as `sesh-explain` finds it.
fn agent_in(server: &Server, pane: &str) -> Option<(String, i64)> {
    let said = server.sesh("sesh-explain", [pane, "--json"]).ok().json();
    let kind = said["agent"].as_str()?.to_string();
    Some((kind, said["agentPid"].as_i64().unwrap_or(0)))
}

/// A pane in which a command line runs, from a shell as a person types it.
fn pane_of(server: &Server, line: &str) -> String {
    let new = [
        "new-window",
        "-d",
        "-P",
        "-F",
        "#{pane_id}",
        "bash",
        "--norc",
        "-c",
    ];
    // Two commands: a shell that runs one alone becomes it.
    let line = format!("{line}; true");
    server
        .tmux(new.into_iter().chain([line.as_str()]))
        .trim_end()
        .into()
}

/// Where the fake agent of a kind is, and more of what the command lines below need.
fn furnish(server: &Server) -> String {
    let claude = server.agent("claude");
    let bin = claude.parent().expect("a folder").display().to_string();
    let at = |path: &str| format!("{bin}/{path}");
    for path in [
        "share/claude/versions/2.1.329",
        "nix/.claude-unwrapped",
        "release/codex-x86_64-unknown-linux-musl",
    ] {
        let to = server.path("bin").join(path);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::hard_link(&claude, to).expect("a program");
    }
    std::os::unix::fs::symlink(at("share/claude/versions/2.1.329"), at("ai")).expect("a link");
    for (name, text) in [
        (
            "scripts/claude",
            format!("#!/bin/bash\n{bin}/tool 1000\ntrue\n"),
        ),
        (
            "env/codex",
            format!("#!/usr/bin/env -S bash -eu\n{bin}/tool 1000\ntrue\n"),
        ),
        (
            "exec/claude",
            format!("#!/bin/sh\nexec {bin}/nix/.claude-unwrapped\n"),
        ),
        (
            "wraps/claude",
            format!("#!/bin/bash\n{bin}/claude \"$@\"\ntrue\n"),
        ),
        (
            "sandbox/claude",
            format!("#!/bin/bash\nsetsid -w sh -c '{bin}/claude; true'\ntrue\n"),
        ),
        (
            "pty/claude",
            format!("#!/usr/bin/env python3\nimport pty\npty.spawn(['{bin}/claude'])\n"),
        ),
        (
            "py/gemini",
            "#!/usr/bin/env python3\nimport time\ntime.sleep(1000)\n".into(),
        ),
        (
            "wrap.py",
            "import pty, sys\npty.spawn(sys.argv[1:])\n".into(),
        ),
        (
            "project/claude/run",
            format!("#!/bin/bash\n{bin}/tool 1000\ntrue\n"),
        ),
    ] {
        let path = server.path("bin").join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        server.program_file(&path, text.as_bytes());
    }
    std::os::unix::fs::symlink("/bin/sleep", at("tool")).expect("a link");
    std::os::unix::fs::symlink(at("py/gemini"), at("assistant")).expect("a link");
    // The short name of a process is that of the link.
    std::os::unix::fs::symlink("/usr/bin/python3", at("vim")).expect("a link");
    std::os::unix::fs::symlink("/usr/bin/python3", at("grep")).expect("a link");
    bin
}

#[test]
fn an_agent_is_found_however_it_is_started() {
    let server = Server::start();
    let bin = furnish(&server);
    let lines = [
        (
            "claude",
            "BIN/share/claude/versions/2.1.329 --agent-id a@team --team-name team",
        ),
        ("claude", "BIN/ai"),
        ("claude", "BIN/nix/.claude-unwrapped"),
        ("codex", "BIN/release/codex-x86_64-unknown-linux-musl"),
        ("claude", "BIN/scripts/claude"),
        ("codex", "BIN/env/codex"),
        ("claude", "BIN/exec/claude"),
        ("claude", "BIN/wraps/claude"),
        ("claude", "bash BIN/scripts/claude"),
        ("gemini", "BIN/py/gemini"),
        ("gemini", "BIN/assistant"),
        ("claude", "env A=b nice BIN/claude"),
        ("claude", "setsid -w BIN/claude"),
        ("claude", "setsid -w sh -c 'BIN/claude; true'"),
        ("claude", "script -qc BIN/claude /dev/null"),
        ("claude", "script -qc 'setsid -w BIN/claude' /dev/null"),
        ("claude", "python3 BIN/wrap.py BIN/claude"),
        (
            "claude",
            "python3 BIN/wrap.py sh -c 'BIN/wraps/claude; true'",
        ),
        (
            "claude",
            "python3 BIN/wrap.py python3 BIN/wrap.py BIN/claude",
        ),
    ];
    let panes: Vec<(String, &str, &str)> = lines
        .iter()
        .map(|(kind, line)| (pane_of(&server, &line.replace("BIN", &bin)), *kind, *line))
        .collect();
    for (pane, kind, line) in &panes {
        until(&format!("{kind} by {line}"), || {
            agent_in(&server, pane).is_some_and(|(found, _)| found == *kind)
        });
    }
}

#[test]
fn a_script_gives_way_to_the_agent_that_it_starts() {
    let server = Server::start();
    let bin = furnish(&server);
    for line in [
        "BIN/wraps/claude",
        "python3 BIN/wrap.py BIN/wraps/claude",
        "BIN/sandbox/claude",
        "BIN/pty/claude",
    ] {
        let pane = pane_of(&server, &line.replace("BIN", &bin));
        until(line, || {
            agent_in(&server, &pane).is_some_and(|(_, pid)| {
                let program = std::fs::read_link(format!("/proc/{pid}/exe"));
                program.is_ok_and(|program| program.ends_with("bin/claude"))
            })
        });
    }
}

#[test]
fn a_program_with_the_word_of_an_agent_is_none() {
    let server = Server::start();
    let bin = furnish(&server);
    let lines = [
        "BIN/vim BIN/wrap.py BIN/claude",
        "BIN/grep -c 'import time; time.sleep(1000)' claude",
        "BIN/grep -c 'import time; time.sleep(1000) # of/claude' x",
        "bash -c 'echo claude; BIN/tool 1000'",
        "bash -c 'BIN/tool 1000; : of/claude'",
        "(exec -a claude bash -c 'BIN/tool 1000; : x')",
        "cd BIN/project/claude && ./run",
        "BIN/project/claude/run",
        "bash BIN/project/claude/run",
        "tail -f BIN/scripts/claude",
        "sh -s claude",
        // It has another terminal, and a session of its own that reads nothing.
        "BIN/tool 1000 | setsid -w BIN/claude",
    ];
    for line in lines {
        let pane = pane_of(&server, &line.replace("BIN", &bin));
        let pid = server.format(&pane, "#{pane_pid}");
        // It has started: there is a child, and the agent's program where the line names that.
        until_some(line, || {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            children.ok().filter(|children| !children.trim().is_empty())
        });
        let runs = |pid: i32| {
            let program = std::fs::read_link(format!("/proc/{pid}/exe"));
            program.is_ok_and(|program| program.ends_with("bin/claude"))
        };
        until(line, || {
            !line.contains("BIN/claude") || server.processes().into_iter().any(runs)
        });
        assert_eq!(agent_in(&server, &pane), None, "{line}");
        server.tmux(["kill-pane", "-t", &pane]);
    }
}
