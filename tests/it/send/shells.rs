//! Messages to shells: a line runs as it is, or nothing is typed at all.

use std::path::PathBuf;

use crate::support::{Said, Server, say, until};

use super::{delivered, refused};

/// A shell in a pane of its own.
struct Shell<'a> {
    server: &'a Server,
    pane: String,
    /// The folder that it was started in.
    folder: PathBuf,
}

impl<'a> Shell<'a> {
    /// Starts a shell and waits for its prompt. Returns `None` where it is not installed.
    fn start(server: &'a Server, command: &str) -> Option<Self> {
        let program = command.split(' ').next().expect("a program");
        if which::which(program).is_err() {
            say(&format!("not tried: {program} is not installed"));
            return None;
        }
        let folder = server.path("work");
        std::fs::create_dir_all(&folder).expect("a folder");
        let folder_word = folder.to_string_lossy().into_owned();
        let pane = server.tmux([
            "new-window",
            "-d",
            "-P",
            "-F",
            "#{pane_id}",
            "-e",
            "LC_ALL=C.UTF-8",
            "-c",
            &folder_word,
            command,
        ]);
        let shell = Self {
            server,
            pane: pane.trim_end().into(),
            folder,
        };
        until("it has a prompt", || shell.column() > 0);
        Some(shell)
    }

    fn column(&self) -> u32 {
        let column = self.server.format(&self.pane, "#{cursor_x}");
        column.parse().expect("a column")
    }

    /// Types keys, by their names in tmux, and waits until the screen shows a text.
    #[track_caller]
    fn types(&self, keys: &[&str], shows: &str) {
        for key in keys {
            self.server.tmux(["send-keys", "-t", &self.pane, key]);
        }
        if !shows.is_empty() {
            self.server.shows(&self.pane, shows);
        }
    }

    #[track_caller]
    fn has_a_child(&self) {
        until("its program runs", || {
            let pid = self.server.format(&self.pane, "#{pane_pid}");
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
                .is_ok_and(|children| !children.trim().is_empty())
        });
    }

    #[track_caller]
    fn sends(&self, text: &str) -> Said {
        self.sends_within("15s", text)
    }

    #[track_caller]
    fn sends_within(&self, limit: &str, text: &str) -> Said {
        let words = [&self.pane, "--json", "--timeout", limit, text];
        self.server.sesh("sesh-send", words).said()
    }

    /// Sends a line that prints a text into a file, and checks that it runs as it is. Returns the answer to a line that was
    /// not delivered, which must not have run.
    #[track_caller]
    fn tries(&self, text: &str) -> Result<(), Said> {
        let out = self.folder.join("tried");
        let _ = std::fs::remove_file(&out);
        let said = self.sends(&format!("printf '%s\\n' '{text}' >>tried"));
        if said.code() != Some(0) {
            assert!(!out.exists(), "{said}");
            return Err(said);
        }
        until(&format!("{text:?} has run"), || {
            std::fs::read_to_string(&out).is_ok_and(|out| out == format!("{text}\n"))
        });
        Ok(())
    }

    /// Sends a message and checks that all its lines run, each once and in order.
    #[track_caller]
    fn runs(&self, lines: &[&str]) {
        let out = self.folder.join("out");
        let _ = std::fs::remove_file(&out);
        let text: Vec<String> = lines
            .iter()
            .map(|line| format!("printf '%s\\n' '{line}' >>out"))
            .collect();
        delivered(self.sends(&text.join("\n")), "screen");
        let wanted = format!("{}\n", lines.join("\n"));
        until(&format!("all of {lines:?} have run"), || {
            std::fs::read_to_string(&out).is_ok_and(|written| written == wanted)
        });
    }
}

const SHELLS: [&str; 9] = [
    "bash --norc",
    "bash --norc -o vi",
    "zsh -f",
    "zsh -f -o vi",
    "fish",
    "dash",
    "ksh",
    "mksh",
    "tcsh -f",
];

#[test]
fn each_runs_a_line_as_it_is() {
    let server = Server::start();
    for command in SHELLS {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        shell.runs(&["one"]);
        shell.runs(&["two  blanks and $dollar"]);
        // ksh and mksh show a part of a long line, so that nothing proves it.
        if !command.ends_with("ksh") {
            shell.runs(&["a long line ".repeat(20).trim()]);
        }
        // The screen scrolls.
        for last in 60..63 {
            shell.types(&[&format!("seq 1 {last}"), "Enter"], &format!("\n{last}\n"));
            shell.runs(&["below"]);
        }
    }
}

#[test]
fn several_lines_run_all_or_not_at_all() {
    let server = Server::start();
    std::fs::write(
        server.path("home/.inputrc"),
        "set enable-bracketed-paste off\n",
    )
    .expect("a file");
    let lines = ["one", "two", "three"];
    for command in ["bash --norc", "bash --norc -o vi", "zsh -f", "fish"] {
        if let Some(shell) = Shell::start(&server, command) {
            shell.runs(&lines);
        }
    }
    if let Some(shell) = Shell::start(&server, "zsh -f") {
        shell.types(&["unset zle_bracketed_paste", "Enter"], "paste\n");
        shell.runs(&lines);
    }
    for command in ["dash", "ksh", "mksh", "tcsh -f", "fish -N"] {
        if let Some(shell) = Shell::start(&server, command) {
            refused(shell.sends("touch ran\ntouch too"), "unsupported");
        }
    }
    if let Some(shell) = Shell::start(&server, "dash") {
        let long = format!("touch ran; : {}", "x".repeat(4100));
        refused(shell.sends(&long), "unsupported");
        assert!(!shell.folder.join("ran").exists());
    }
}

#[test]
fn nothing_is_added_to_what_was_typed() {
    let server = Server::start();
    // Keys, and what the screen shows after them.
    let drafts: [(&[&str], &str); 6] = [
        (&["touch half-"], "half-"),
        (&["touch half- "], "half-"),
        (&["echo half > "], "half >"),
        (&["touch half-", "Left", "Left"], "half-"),
        (&["touch half-", "Home"], "half-"),
        (&["touch half-", "C-a"], "half-"),
    ];
    for command in SHELLS {
        for (keys, shown) in drafts {
            if command.contains("vi") && keys.contains(&"C-a")
                || ["dash", "mksh", "ksh"].contains(&command) && keys.len() > 1
            {
                continue;
            }
            let Some(shell) = Shell::start(&server, command) else {
                continue;
            };
            shell.types(keys, shown);
            let before = server.screen(&shell.pane);
            refused(shell.sends("touch ran"), "draft");
            assert_eq!(server.screen(&shell.pane), before, "{command} {keys:?}");
            server.tmux(["kill-pane", "-t", &shell.pane]);
        }
    }
    assert_eq!(
        std::fs::read_dir(server.path("work"))
            .expect("a folder")
            .count(),
        0
    );
}

#[test]
fn a_line_that_is_continued_or_searched_for_is_a_draft() {
    let server = Server::start();
    for (command, keys, shown) in [
        ("bash --norc", ["echo 'half", "Enter"], "\n>"),
        ("bash --norc", ["for x in 1 2", "Enter"], "\n>"),
        ("dash", ["echo 'half", "Enter"], "\n>"),
        ("ksh", ["echo 'half", "Enter"], "\n>"),
        ("zsh -f", ["echo 'half", "Enter"], "quote>"),
        ("zsh -f", ["while true", "Enter"], "while>"),
        ("bash --norc", ["C-r", "half"], "i-search)`half"),
        ("zsh -f", ["C-r", "half"], "i-search"),
    ] {
        if let Some(shell) = Shell::start(&server, command) {
            shell.types(&keys, shown);
            refused(shell.sends("touch ran"), "draft");
            assert!(!shell.folder.join("ran").exists(), "{command} {keys:?}");
        }
    }
}

#[test]
fn nothing_answers_what_a_shell_asks() {
    let server = Server::start();
    let asks: [(&str, &str, &str); 16] = [
        ("bash --norc", "read -p 'Sure? ' x", "Sure?"),
        ("bash --norc", "read -s -p 'Secret> ' x", "Secret>"),
        ("bash --norc", "read -sn1 -p 'Key> ' x", "Key>"),
        ("bash --norc", "read -e x", "read -e x\n"),
        ("bash --norc", "select x in a b; do break; done", "#?"),
        ("bash --norc", "while :; do :; done", "done\n"),
        ("bash --norc", "python3 -q", ">>>"),
        ("zsh -f", "read 'x?Sure? '", "Sure?"),
        ("zsh -f", "read -s 'x?Secret> '", "Secret>"),
        ("zsh -f", "vared -c x", "vared -c x\n"),
        ("zsh -f", "select x in a b; do break; done", "?#"),
        ("fish", "read x", "read>"),
        ("fish", "read -P 'Sure? ' x", "Sure?"),
        ("ksh", "read x", "read x\n"),
        ("dash", "read x", "read x\n"),
        ("mksh", "read x", "read x\n"),
    ];
    for (command, question, shown) in asks {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        shell.types(&[question, "Enter"], shown);
        until("it asks", || {
            server
                .screen(&shell.pane)
                .lines()
                .filter(|row| row.contains(question))
                .count()
                == 1
        });
        // A shell that has just started may still be starting, so that the whole limit is waited for.
        let said = shell.sends_within("3s", "touch ran");
        assert_eq!(said.code(), Some(4), "{command} {question}: {said}");
        let reason = said.json()["reason"].clone();
        assert!(
            ["busy", "not-ready", "stranger", "draft"]
                .iter()
                .any(|it| reason == *it),
            "{command} {question}: {reason}"
        );
        let screen = server.screen(&shell.pane);
        assert!(!screen.contains("touch"), "{command} {question}: {screen}");
    }
}

#[test]
fn a_program_that_a_key_of_the_shell_starts_gets_no_message() {
    let server = Server::start();
    if which::which("fzf").is_err() {
        say("not tried: fzf is not installed");
        return;
    }
    let Some(shell) = Shell::start(&server, "zsh -f") else {
        return;
    };
    let widget = "w() { x=$(seq 1 7 | fzf --height 40%) }; zle -N w; bindkey '^T' w";
    shell.types(&[widget, "Enter", "C-t"], "7/7");
    let is_refused = |shell: &Shell<'_>| {
        let said = shell.sends_within("3s", "touch ran");
        assert_eq!(said.code(), Some(4), "{said}");
        let reason = said.json()["reason"].clone();
        assert!(reason == "not-ready" || reason == "busy", "{said}");
        assert!(!server.screen(&shell.pane).contains("touch"));
    };
    is_refused(&shell);
    // One that shows nothing.
    let Some(shell) = Shell::start(&server, "zsh -f") else {
        return;
    };
    let widget = "w() { x=$(cat </dev/tty) }; zle -N w; bindkey '^T' w; clear";
    shell.types(&[widget, "Enter"], "");
    until("it is set up", || {
        server.screen(&shell.pane).trim().lines().count() == 1
    });
    shell.types(&["C-t"], "");
    shell.has_a_child();
    is_refused(&shell);
}

#[test]
fn a_program_that_draws_nothing_may_run_beside_a_prompt() {
    let server = Server::start();
    let Some(shell) = Shell::start(&server, "zsh -f") else {
        return;
    };
    let beside = "setopt no_monitor; sleep 1000 >/dev/null 2>&1 &";
    shell.types(&[beside, "Enter"], "sleep");
    shell.has_a_child();
    shell.runs(&["one"]);
}

#[test]
fn a_script_gets_no_message_and_is_busy() {
    let server = Server::start();
    let script = server.script("deploy", "read -r answer; echo \"$answer\" >answer\n");
    let script = script.to_string_lossy().into_owned();
    let asks = server.script("asks", "printf 'Go $ '; read -r answer; : >answered\n");
    let asks = asks.to_string_lossy().into_owned();
    let edited = server.script("edited", "read -e -p 'Go> ' answer\n");
    let edited = edited.to_string_lossy().into_owned();
    for command in [
        format!("bash {script}"),
        format!("dash {script}"),
        format!("sh -c '. {script}'"),
        format!("exec bash {script}"),
        format!("exec bash {edited}"),
        format!("exec dash {asks}"),
        format!("exec sh -c '. {asks}'"),
        "sh -c 'echo up; sleep 1000'".into(),
    ] {
        let pane = server.tmux(["new-window", "-d", "-P", "-F", "#{pane_id}", &command]);
        let pane = pane.trim_end();
        let said = server
            .sesh("sesh-send", [pane, "--json", "--timeout", "3s", "yes"])
            .said();
        assert_eq!(said.code(), Some(4), "{command}: {said}");
        let explained = server.sesh("sesh-explain", [pane, "--json"]).ok().json();
        if !command.contains("edited") {
            assert_eq!(explained["verdict"]["state"], "busy", "{command}");
        }
    }
    // A script below an interactive shell.
    let shell = Shell::start(&server, "bash --norc").expect("bash");
    shell.types(&[&format!("bash {script}"), "Enter"], "deploy\n");
    assert_eq!(shell.sends("yes").code(), Some(4));
    assert!(!shell.folder.join("answer").exists());
    assert!(!server.path("answered").exists());
}

#[test]
fn prompts_of_every_shape_get_a_message() {
    let server = Server::start();
    for (command, settings) in [
        ("bash --norc", "PS1='\\u@\\h:\\w\\$ '"),
        ("bash --norc", "PS1='top line\\n╰─➤ '"),
        ("bash --norc", "PS1='➜  \\W '"),
        ("bash --norc", "PS1='~/src > main > '"),
        ("bash --norc", "PS1='work λ '"),
        ("zsh -f", "PROMPT='%n %# ' RPROMPT='[%T]'"),
        ("zsh -f", "PROMPT='➜  %c '"),
        ("zsh -f", "PROMPT=$'%~\\n❯ ' RPROMPT='right'"),
        ("dash", "PS1='me # '"),
        ("ksh", "PS1='% '"),
    ] {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        shell.types(&[settings, "Enter"], &settings[..4]);
        until("the prompt is another", || {
            server.format(&shell.pane, "#{cursor_y}") != "0" && shell.column() > 0
        });
        shell.runs(&["first"]);
        shell.runs(&["second"]);
        shell.types(&["touch half-"], "half-");
        // Behind a symbol a text may be a question.
        let reason = if settings.contains('λ') {
            "not-ready"
        } else {
            "draft"
        };
        refused(shell.sends("touch ran"), reason);
    }
}

#[test]
fn the_reply_of_a_shell_ends_above_its_prompt() {
    let server = Server::start();
    for (command, text, expected) in [
        ("bash --norc", "echo one; echo two", "one\ntwo"),
        ("zsh -f", "echo one; echo; echo two", "one\n\ntwo"),
        ("dash", "printf 'no newline'", "no newline"),
        ("bash --norc", "printf 'a\\nb'", "a\nb"),
        ("bash --norc", "PS1=other; printf c", ""),
    ] {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        let said = server
            .sesh("sesh-send", [&shell.pane, "--reply", "--json", text])
            .ok()
            .json();
        assert_eq!(said["reply"], expected, "{command}: {said}");
    }
}

#[test]
fn what_a_shell_changes_is_removed_again() {
    let server = Server::start();
    let Some(shell) = Shell::start(&server, "zsh -f") else {
        return;
    };
    let settings = "autoload -Uz bracketed-paste-magic url-quote-magic; zle -N bracketed-paste bracketed-paste-magic; \
                    zle -N self-insert url-quote-magic; clear";
    shell.types(&[settings], "; clear");
    shell.types(&["Enter"], "");
    until("it is set up", || {
        !server.screen(&shell.pane).contains("clear") && shell.column() > 0
    });
    let before = server.screen(&shell.pane);
    refused(
        shell.sends("echo http://host/?one=1&two=2 >out"),
        "unsupported",
    );
    assert_eq!(server.screen(&shell.pane), before);
    shell.runs(&["plain"]);
}

#[test]
fn a_message_waits_for_a_shell_that_starts() {
    let server = Server::start();
    std::fs::write(
        server.path("home/.bashrc"),
        "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; PS1='$ '\n",
    )
    .expect("a file");
    let pane = server.tmux(["new-window", "-d", "-P", "-F", "#{pane_id}", "bash"]);
    let marker = server.path("marker");
    let text = format!("touch {}", marker.display());
    let words = [pane.trim_end(), "--json", "--timeout", "20s", &text];
    delivered(server.sesh("sesh-send", words).said(), "screen");
    until("it ran", || marker.exists());
}

#[test]
fn odd_characters_run_or_are_removed_again() {
    let server = Server::start();
    let texts = [
        "e\u{301}",
        "👩\u{200d}👩\u{200d}👧",
        "👍🏽",
        "✔\u{fe0f}",
        "\u{1112}\u{1161}\u{11ab}",
        "नमस्ते",
        "a\u{200b}b",
        "🇩🇪 日本",
    ];
    for (command, takes_all) in [("bash --norc", true), ("zsh -f", true), ("fish", false)] {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        for text in texts {
            // fish draws some of them so that the screen is not what it has.
            if let Err(said) = shell.tries(text) {
                assert!(!takes_all, "{command}, {text:?}: {said}");
                refused(said, "unsupported");
            }
        }
        shell.runs(&["plain"]);
    }
}

#[test]
fn copy_mode_hides_no_draft_and_keeps_no_text() {
    let server = Server::start();
    let copies = |shell: &Shell<'_>| server.tmux(["copy-mode", "-t", &shell.pane]);
    if let Some(shell) = Shell::start(&server, "bash --norc") {
        // Whether a text stands there is known by keys alone.
        shell.types(&["PS1='~/src > main > '", "Enter"], "main > ");
        shell.types(&["touch half-", "Space", ">", "Space"], "half- >");
        copies(&shell);
        refused(shell.sends("touch ran"), "draft");
        shell.types(&["C-u"], "");
        until("the line is empty", || {
            !server.screen(&shell.pane).contains("half-")
        });
        copies(&shell);
        shell.runs(&["one"]);
    }
    if let Some(shell) = Shell::start(&server, "mksh") {
        copies(&shell);
        refused(
            shell.sends(&format!(": {}; touch ran", "words ".repeat(50))),
            "unsupported",
        );
        copies(&shell);
        shell.runs(&["one"]);
        assert!(!shell.folder.join("ran").exists());
    }
}

#[test]
fn vi_keys_in_command_mode_get_no_text() {
    let server = Server::start();
    for command in [
        "bash --norc -o vi",
        "zsh -f -o vi",
        "fish -C fish_vi_key_bindings",
        "ksh -o vi",
        "mksh -o vi",
        "tcsh -f",
    ] {
        let Some(shell) = Shell::start(&server, command) else {
            continue;
        };
        if command == "tcsh -f" {
            shell.types(&["bindkey -v", "Enter"], "-v\n");
        }
        for text in ["one", "i#dd two", "vk. three"] {
            until("it is at its prompt", || shell.column() > 0);
            shell.types(&["Escape"], "");
            // A shell that is still starting leaves the key to its terminal, which shows it.
            let screen = || {
                let shown = server.screen(&shell.pane).replace("^[", "");
                shown.trim_end().to_string()
            };
            let before = screen();
            if let Err(said) = shell.tries(text) {
                refused(said, "not-ready");
                assert_eq!(screen(), before, "{command}");
                shell.types(&["i"], "");
                shell.runs(&[text]);
            }
        }
    }
}
