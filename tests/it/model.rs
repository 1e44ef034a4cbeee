//! The model of an agent: on the command line, by the options, or not at all.

use pretty_assertions::assert_eq;

use crate::support::{Server, until};

/// The words that an agent got on its command line.
#[track_caller]
fn words(server: &Server, kind: &str, args: &[&str]) -> Vec<String> {
    let told = server.path("told");
    let _ = std::fs::remove_file(&told);
    let new = ["--agent", kind];
    server.new_sesh(new.iter().chain(args));
    let mut text = String::new();
    until("the agent has started", || {
        text = std::fs::read_to_string(&told).unwrap_or_default();
        text.ends_with("--end--\n")
    });
    let lines = text.lines().map(Into::into);
    lines.filter(|line: &String| line != "--end--").collect()
}

/// Puts an agent on PATH that only writes its words down.
fn tells_its_words(server: &Server, kind: &str) {
    let told = server.path("told");
    let told = told.display();
    let print = "for word do printf '%s\\n' \"$word\"; done; echo --end--";
    server.script(
        kind,
        &format!("{{ {print}; }} >{told}.new; mv {told}.new {told}"),
    );
}

#[test]
fn a_model_becomes_words_of_the_agents_command_line() {
    let server = Server::start();
    for kind in [
        "claude", "codex", "pi", "gemini", "opencode", "copilot", "aider", "qwen", "kimi", "cline",
    ] {
        tells_its_words(&server, kind);
        let odd = "a b; $(x) #{y} 'z' \u{1f980}";
        assert_eq!(
            words(&server, kind, &["--model", odd, "--", "more"]),
            ["--model", odd, "more"],
            "{kind}"
        );
    }
    assert_eq!(words(&server, "claude", &[]), [""; 0]);
    let dry = ["x", "--agent", "claude", "--model", "opus", "--dry-run"];
    let said = server.sesh("sesh-new", dry).ok();
    assert!(said.text().contains("claude --model opus"), "{said}");
}

#[test]
fn the_options_name_a_model_where_nobody_else_does() {
    let server = Server::start();
    for kind in ["claude", "codex"] {
        tells_its_words(&server, kind);
    }
    server.tmux(["set-option", "-g", "@sesh-model", "for all"]);
    server.tmux(["set-option", "-g", "@sesh-model-codex", "mini"]);
    assert_eq!(words(&server, "claude", &[]), ["--model", "for all"]);
    assert_eq!(words(&server, "codex", &[]), ["--model", "mini"]);
    assert_eq!(
        words(&server, "codex", &["--model", "own"]),
        ["--model", "own"]
    );
    for own in [
        &["--model", "x"][..],
        &["--model=x"],
        &["-m", "x"],
        &["-m=x"],
    ] {
        let args = [&["--"], own].concat();
        assert_eq!(words(&server, "codex", &args), own, "the words choose one");
    }
    // Behind `--` there are only arguments.
    assert_eq!(
        words(&server, "codex", &["--", "--", "-m"]),
        ["--model", "mini", "--", "-m"]
    );
    server.tmux(["set-option", "-g", "@sesh-model-codex", "--yolo"]);
    let sentence = server.sesh("sesh-new", ["--agent", "codex"]).fails(4);
    assert!(sentence.contains("@sesh-model-codex"), "{sentence}");
}

#[test]
fn models_that_cannot_be() {
    let server = Server::start();
    tells_its_words(&server, "claude");
    server.tmux(["set-option", "-g", "@sesh-model", "for all"]);
    let folder = server.path("home/.config/tmux-sesh/agents");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mine = "[process]\nnames = [\"mine\"]\n";
    std::fs::write(folder.join("mine.toml"), mine).expect("a file");
    tells_its_words(&server, "mine");
    let before = server.everything();
    for model in ["", " ", "-x", "a\nb"] {
        let model = format!("--model={model}");
        server
            .sesh("sesh-new", ["--agent", "claude", &model])
            .fails(2);
    }
    server.sesh("sesh-new", ["--model", "opus"]).fails(2);
    let args = ["--agent", "mine", "--model", "opus"];
    let sentence = server.sesh("sesh-new", args).fails(4);
    assert!(sentence.starts_with("mine takes no model"), "{sentence}");
    assert_eq!(server.everything(), before);
    // The option for all kinds is no reason to refuse.
    assert_eq!(words(&server, "mine", &[]), [""; 0]);
}

#[test]
fn the_models_that_agents_offer() {
    let server = Server::start();
    let list = |kind: &str| server.sesh("sesh-new", ["--agent", kind, "--list-models"]);
    server.script(
        "claude",
        "[ \"$*\" = '-p --no-session-persistence /model' ] && printf 'opus\\nsonnet\\n'",
    );
    assert_eq!(list("claude").ok().lines(), ["opus", "sonnet"]);
    server.script("pi", "echo on stderr >&2");
    assert_eq!(list("pi").ok().lines(), ["on stderr"]);
    // Much more than a pipe holds.
    let slugs = "{\"models\":[{\"slug\":\"a\",\"x\":{\"slug\":\"b\"}},{\"slug\":\"a\"}]}";
    server.script(
        "codex",
        &format!("[ \"$*\" = 'debug models' ] && echo '{slugs}' && head -c 300000 /dev/zero | tr '\\0' ' '"),
    );
    assert_eq!(list("codex").ok().lines(), ["a", "b"]);
    server.script("codex", "echo no json");
    assert!(list("codex").fails(1).contains("no JSON"));
    server.script("pi", "echo not logged in >&2; exit 1");
    assert!(list("pi").fails(1).ends_with("not logged in"));
    server.script("pi", ":");
    assert!(list("pi").fails(1).contains("none"));
    for stream in [1, 2] {
        server.script("pi", &format!("exec cat /dev/zero >&{stream}"));
        let sentence = list("pi").fails(1);
        assert!(sentence.ends_with("more than any list has"), "{sentence}");
    }
    assert!(list("gemini").fails(4).contains("no command that lists"));
    server
        .sesh(
            "sesh-new",
            [
                "--agent",
                "opencode",
                "--list-models",
                "--env",
                "PATH=/nowhere",
            ],
        )
        .fails(3);
    server.sesh("sesh-new", ["--list-models"]).fails(2);
    assert_eq!(server.panes("#{@sesh_id}"), [""]);
    // No server is needed.
    server.script("claude", "echo opus");
    server.tmux(["kill-server"]);
    assert_eq!(list("claude").ok().line(), "opus");
}
