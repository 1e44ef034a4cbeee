//! The role of a process from the program that it runs: an agent, another program of the agent, or a tool.
//!
//! No single field is enough: a link may rename the program, the process table shows a Node script as `node`, and a
//! native child has the name of its thread.

use std::iter;
use std::path::Path;

use super::manifest::ProcessForm;
use crate::proc::{self, Process, Program, ShellInput};

/// Programs that run a script, without the digits of their version.
const INTERPRETERS: [&str; 10] = [
    "node", "nodejs", "bun", "deno", "python", "pypy", "perl", "ruby", "tsx", "ts-node",
];
/// What the names of programs that run a program file begin with: the loader of the system, and emulators.
const LOADERS: [&str; 2] = ["ld-", "qemu-"];
/// Options of these programs that take the next word.
const WITH_VALUE: [&str; 13] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "-C",
    "--conditions",
    "-W",
    "-X",
    "--env-file",
    "--library-path",
    "--preload",
    "--argv0",
    "-L",
];
/// Programs that give their children a terminal of their own and pass on the typed keys, also where another user runs
/// them and the owner of the terminal cannot be read.
const PTY_TOOLS: [&str; 8] = [
    "script",
    "unbuffer",
    "expect",
    "asciinema",
    "sudo",
    "su",
    "doas",
    "ttyrec",
];
/// Programs that show several things, or have a window of their own: what runs on a terminal that they made does not get
/// each key that is typed in the pane.
const MULTIPLEXERS: [&str; 33] = [
    "abduco",
    "alacritty",
    "code",
    "dtach",
    "dvtm",
    "emacs",
    "emacsclient",
    "foot",
    "ghostty",
    "gnome",
    "helix",
    "hx",
    "kak",
    "kitty",
    "konsole",
    "mc",
    "micro",
    "mtm",
    "nvim",
    "rxvt",
    "screen",
    "st",
    "terminator",
    "tilix",
    "tmux",
    "urxvt",
    "vi",
    "vim",
    "vimdiff",
    "vimx",
    "wezterm",
    "xterm",
    "zellij",
];
/// The words, beside a version, that installers and wrappers put after the name of a program, with blanks between.
const NAME_ENDINGS: &str = "wrapped wrapped_ unwrapped unwrapped_ real orig distrib bin exe AppImage x86_64 aarch64 arm64 \
                            amd64 x64 i686 unknown apple pc linux darwin macos windows win32 gnu musl baseline modern \
                            static";

/// Returns whether a program gives its children a terminal and passes on the typed keys, by its name.
pub(super) fn passes_keys_on(name: &str) -> bool {
    PTY_TOOLS.contains(&name)
}

/// Returns whether a program shows what runs on a terminal that it made as a part of its own screen, or elsewhere.
pub(super) fn keeps_children(name: &str) -> bool {
    // Packages and windows have names such as `emacs-nox`, `vim.basic`, `gnome-terminal-` and `tmux: client`.
    let name = name.split(['-', '.', ':', ' ']).next().unwrap_or(name);
    MULTIPLEXERS.contains(&name)
}

/// The role of a process that runs an agent's program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Agent,
    /// A daemon, a viewer or a tool.
    NotAgent,
}

/// What a process shows of the agent whose program it runs. It is collected once and compared with all agents.
pub(super) struct Clues<'a> {
    /// The names that its program may have.
    names: Vec<&'a str>,
    /// The paths of its script in which the folder of a package counts, each between slashes.
    scripts: Vec<String>,
    /// The first argument that is neither an option nor an assignment.
    first_word: Option<&'a str>,
}

impl<'a> Clues<'a> {
    pub(super) fn of(process: &'a Process, program: &'a Program) -> Self {
        let script = script_of(program);
        let arguments = match &script {
            Some(script) => script.arguments,
            None => program.argv.get(1..).unwrap_or_default(),
        };
        let mut names = Vec::new();
        let mut scripts = Vec::new();
        if let Some(script) = &script {
            for path in iter::once(script.path).chain(program.script.as_deref()) {
                names.push(without_extension(program_name(Path::new(path))));
                if script.kind != ScriptKind::Shell {
                    let path = path.strip_prefix("npm:").unwrap_or(path);
                    scripts.push(format!("/{path}/"));
                }
            }
        }
        // The name of a shell is that of the script that it runs, or of what it was copied from.
        if !is_shell(program) {
            let first_word = program.argv.first().map(Path::new);
            names.push(&process.name);
            names.extend(first_word.map(program_name));
            names.extend(program.file.as_deref().map(program_name));
        }
        Self {
            names,
            scripts,
            first_word: arguments
                .iter()
                .find(|word| !word.starts_with('-') && !word.contains('='))
                .map(String::as_str),
        }
    }

    /// Returns the role of the process, or `None` if it runs another program.
    pub(super) fn role(&self, known: &ProcessForm) -> Option<Role> {
        let mut agent_names = known.names.iter().flatten();
        let by_name = agent_names.any(|name| self.names.iter().any(|word| names(word, name)));
        if !by_name && !self.is_in_package(known) {
            return None;
        }
        let mut excluded = known.not_agent.iter().flatten();
        if excluded.any(|word| self.first_word == Some(word)) {
            Some(Role::NotAgent)
        } else {
            Some(Role::Agent)
        }
    }

    pub(super) fn is_agent(&self, known: &ProcessForm) -> bool {
        self.role(known) == Some(Role::Agent)
    }

    /// Returns whether the script belongs to one of an agent's packages. Deno names a package with its version.
    fn is_in_package(&self, known: &ProcessForm) -> bool {
        self.scripts.iter().any(|script| {
            let mut packages = known.packages.iter().flatten();
            packages.any(|package| {
                script.contains(&format!("/{package}/")) || script.contains(&format!("/{package}@"))
            })
        })
    }
}

/// Returns whether the name of a program is a name of an agent, also with what installers and wrappers add to it:
/// `codex-x86_64-unknown-linux-musl`, `claude-2.1.329`, `.claude-unwrapped`.
fn names(word: &str, name: &str) -> bool {
    let hidden = word.strip_prefix('.');
    let Some(rest) = hidden.unwrap_or(word).strip_prefix(name) else {
        return false;
    };
    let is_ending =
        |part: &str| NAME_ENDINGS.split_ascii_whitespace().any(|it| it == part) || is_version(part);
    match rest.strip_prefix(['-', '.', '_', '@']) {
        Some(ending) => {
            let hidden_as_wrappers_do = hidden.is_none() || ending.contains("wrapped");
            hidden_as_wrappers_do && (is_version(ending) || ending.split('-').all(is_ending))
        }
        None => hidden.is_none() && rest.is_empty(),
    }
}

/// Returns whether a text is a version: numbers with points between, and perhaps the word for a version before its time.
fn is_version(text: &str) -> bool {
    let (numbers, early) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = numbers.strip_prefix('v').unwrap_or(numbers).split('.');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_early = ["", "alpha", "beta", "rc", "nightly", "dev"]
        .contains(&early.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'));
    is_early && numbers.clone().count() > 1 && numbers.all(is_number)
}

/// Returns the name of a program by its path. An installer may name the file after the version:
/// `…/claude/versions/2.1.329`.
fn program_name(path: &Path) -> &str {
    let name = file_name(path);
    let folder = path.parent();
    match folder.filter(|folder| is_version(name) && file_name(folder) == "versions") {
        Some(folder) => folder.parent().map(file_name).unwrap_or_default(),
        None => name,
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn without_extension(name: &str) -> &str {
    ["js", "mjs", "cjs", "ts", "py"]
        .into_iter()
        .find_map(|extension| name.strip_suffix(extension)?.strip_suffix('.'))
        .unwrap_or(name)
}

/// A script, and what runs it.
struct Script<'a> {
    path: &'a str,
    arguments: &'a [String],
    kind: ScriptKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScriptKind {
    Shell,
    /// The script of an interpreter, or the program of a loader.
    Interpreted,
}

/// Returns the name of the program that runs, by its file, or else by its first argument.
fn running_name(program: &Program) -> &str {
    let first_word = program.argv.first().map(Path::new).map(file_name);
    match program.file.as_deref().map(file_name) {
        // One file is all its programs.
        None | Some("" | "busybox" | "toybox") => first_word.unwrap_or_default(),
        Some(file) => file,
    }
}

fn is_shell(program: &Program) -> bool {
    proc::is_shell(running_name(program))
}

fn is_interpreter(name: &str) -> bool {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    INTERPRETERS.contains(&plain) || LOADERS.iter().any(|loader| name.starts_with(loader))
}

/// Returns whether a program is a shell that runs a script.
pub(super) fn runs_script(program: &Program) -> bool {
    script_of(program).is_some_and(|script| script.kind == ScriptKind::Shell)
}

/// Returns the path of the script that a program runs.
pub(super) fn script_path(program: &Program) -> Option<&Path> {
    script_of(program).map(|script| Path::new(script.path))
}

/// Returns the script that a program runs, if it runs one.
fn script_of(program: &Program) -> Option<Script<'_>> {
    let (kind, at) = if is_shell(program) {
        let ShellInput::Script(at) = proc::shell_input(running_name(program), &program.argv) else {
            return None;
        };
        (ScriptKind::Shell, at)
    } else if is_interpreter(running_name(program)) {
        (ScriptKind::Interpreted, interpreted_word(&program.argv)?)
    } else {
        return None;
    };
    Some(Script {
        path: program.argv.get(at)?,
        arguments: &program.argv[at + 1..],
        kind,
    })
}

/// Returns the position of the word that names what an interpreter runs.
fn interpreted_word(argv: &[String]) -> Option<usize> {
    let mut words = argv.iter().enumerate().skip(1);
    loop {
        let (at, word) = words.next()?;
        match word.as_str() {
            "-m" => return Some(at + 1),
            "-e" | "--eval" | "-c" | "-p" | "--print" | "-" | "eval" | "repl" => return None,
            word if WITH_VALUE.contains(&word) => {
                words.next();
            }
            word if word.starts_with('-') || word == "run" => {}
            _ => return Some(at),
        }
    }
}

/// Returns whether a child that runs an agent's program is a tool of it: a fork that has not run its own program yet,
/// or the program under another name (Claude contains `rg`). For a script, the arguments decide.
pub(super) fn is_tool_of(child: &Program, parent: &Program) -> bool {
    let same = child.file == parent.file;
    let native = child.file.is_some() && script_of(child).is_none();
    child.argv.is_empty() || same && (native || child.argv == parent.argv)
}
