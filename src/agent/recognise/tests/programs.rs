//! Which programs are agents, by their files and command lines.

use pretty_assertions::assert_eq;

use super::{NODE, found};

/// A command line with the file of its program, in one process below the pane's shell.
fn kind_of(words: &str, file: &str) -> Option<String> {
    let name: String = file.rsplit('/').next().unwrap_or_default().into();
    let found = found(&[(
        11,
        10,
        name.leak(),
        words.to_string().leak(),
        file.to_string().leak(),
    )]);
    found.into_iter().next().map(|(kind, _)| kind)
}

#[test]
fn programs_that_are_an_agent_by_path_and_arguments() {
    const BASH: &str = "/usr/bin/bash";
    let cases: [(&str, &str, &str); 27] = [
        (
            "claude",
            "/h/share/claude/versions/2.1.329 --agent-id a@team",
            "/h/share/claude/versions/2.1.329",
        ),
        ("claude", "claude", "/h/share/claude/versions/2.2.0-beta.1"),
        (
            "claude",
            "/nix/bin/claude",
            "/nix/store/x-claude/bin/.claude-unwrapped",
        ),
        (
            "claude",
            ".claude-wrapped",
            "/nix/store/x-claude/bin/.claude-wrapped_",
        ),
        (
            "codex",
            "./codex-x86_64-unknown-linux-musl",
            "/h/codex-x86_64-unknown-linux-musl",
        ),
        ("codex", "codex-0.171.0-alpha.3", "/h/codex-0.171.0-alpha.3"),
        ("opencode", "opencode-linux-x64", "/h/opencode-linux-x64"),
        ("claude", "claude-real", "/h/claude-real"),
        ("claude", "/bin/bash /h/bin/claude", BASH),
        (
            "claude",
            "bash -eu -o pipefail /h/bin/claude --resume x",
            BASH,
        ),
        ("claude", "sh -- claude", "/usr/bin/dash"),
        ("claude", "zsh -f /h/bin/claude", "/usr/bin/zsh"),
        ("claude", "fish --no-config /h/bin/claude", "/usr/bin/fish"),
        ("claude", "sh /h/bin/claude", "/usr/bin/busybox"),
        (
            "gemini",
            "/usr/bin/node --no-warnings=x /n/.bin/gemini",
            NODE,
        ),
        ("gemini", "bun run /n/.bin/gemini", "/h/.bun/bin/bun"),
        (
            "claude",
            "deno run -A npm:@anthropic-ai/claude-code@2.1.329",
            "/h/deno",
        ),
        (
            "claude",
            "deno run npm:@anthropic-ai/claude-code",
            "/h/deno",
        ),
        (
            "codex",
            "node /h/.pnpm/x/node_modules/@openai/codex/bin/codex.js",
            NODE,
        ),
        (
            "aider",
            "python3.12 -X utf8 -u -m aider",
            "/usr/bin/python3.12",
        ),
        (
            "aider",
            "/v/bin/python /v/bin/aider",
            "/u/cpython-3.12/bin/python3.12",
        ),
        ("pi", "pypy3 /v/bin/pi", "/usr/bin/pypy3"),
        ("pi", "perl -w /v/bin/pi", "/usr/bin/perl"),
        (
            "claude",
            "/lib64/ld-linux-x86-64.so.2 --library-path /l /h/claude",
            "/lib64/ld-linux-x86-64.so.2",
        ),
        (
            "claude",
            "qemu-aarch64 -L /sys /h/claude",
            "/usr/bin/qemu-aarch64",
        ),
        ("opencode", "opencode", "/tmp/.mount_x/opencode.AppImage"),
        ("copilot", "x", "/n/copilot-linux-x64/copilot"),
    ];
    for (kind, words, file) in cases {
        assert_eq!(
            kind_of(words, file).as_deref(),
            Some(kind),
            "{words} ({file})"
        );
    }
}

#[test]
fn programs_that_only_name_an_agent() {
    const BASH: &str = "/usr/bin/bash";
    for (words, file) in [
        ("vim claude", "/usr/bin/vim.basic"),
        ("grep -r claude", "/usr/bin/grep"),
        ("bash -c claude", BASH),
        ("bash -lc claude", BASH),
        ("bash --rcfile claude", BASH),
        ("bash -s claude", BASH),
        ("sh -c echo claude", "/usr/bin/dash"),
        ("fish --command claude", "/usr/bin/fish"),
        ("bash /h/claude/run", BASH),
        ("bash /n/@anthropic-ai/claude-code/install.sh", BASH),
        ("tail -f claude.log", "/usr/bin/tail"),
        ("git -C claude log", "/usr/bin/git"),
        ("man claude", "/usr/bin/man"),
        ("less /h/share/claude/versions/2.1.329", "/usr/bin/less"),
        ("/h/claude/server", "/h/claude/server"),
        ("/h/claude/versions/run", "/h/claude/versions/run"),
        ("/h/pi/versions/", "/h/pi/3.14"),
        ("pi-3", "/usr/bin/pi-3"),
        ("pip", "/usr/bin/pip"),
        ("claude-monitor", "/usr/bin/claude-monitor"),
        (".claude", "/h/.claude"),
        ("node -e claude", NODE),
        ("node --require /h/claude server.js", NODE),
        ("node /h/claude/server.js", NODE),
        ("python3 -c claude", "/usr/bin/python3"),
        ("python3 serve.py --name codex", "/usr/bin/python3"),
        ("ssh host claude", "/usr/bin/ssh"),
        ("docker exec -it x claude", "/usr/bin/docker"),
    ] {
        assert_eq!(kind_of(words, file), None, "{words} ({file})");
    }
}
