//! The shell in front of a pane: whether it reads a line, how, and whether that line is empty.

pub mod prompt;

use std::path::Path;

use crate::proc::terminal::Modes;
use crate::proc::{self, Process, ShellInput};

/// How a shell reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its line editor has the terminal.
    Editor,
    /// The terminal edits the line: the shell has no line editor.
    Lines,
    /// It reads no command line: it starts, runs something, or runs a script.
    Nothing,
}

/// A shell that is in front of its terminal.
#[derive(Clone, Debug)]
pub struct Shell {
    pub process: Process,
    /// The name of its program: that of the file where the process is called `sh`.
    pub program: String,
    argv: Vec<String>,
}

impl Shell {
    /// Returns the shell that a process is, by its name. A script has the name of its file.
    #[must_use]
    pub fn of(process: Process) -> Option<Self> {
        if !process.is_shell() {
            return None;
        }
        let program = proc::program(process.pid);
        let own = process.name.trim_start_matches('-');
        let file = program.file.as_deref().and_then(Path::file_name);
        let file = file.filter(|_| own == "sh").and_then(|file| file.to_str());
        Some(Self {
            program: file.unwrap_or(own).into(),
            argv: program.argv,
            process,
        })
    }

    /// Returns whether it reads commands from its terminal, by its command line.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        proc::shell_input(&self.program, &self.argv) == ShellInput::Input
    }

    /// Returns whether it is a fish that reads none of its functions and settings.
    #[must_use]
    pub fn is_without_settings(&self) -> bool {
        let mut words = self.argv.iter().skip(1);
        words.any(|word| word == "--no-config" || (word.starts_with('-') && word.contains('N')))
    }

    /// Returns how it reads. `terminal` is the file of its terminal.
    #[must_use]
    pub fn reading(&self, terminal: Option<&Path>) -> Reading {
        if self.process.stopped || !self.is_interactive() {
            return Reading::Nothing;
        }
        let modes = terminal.and_then(proc::terminal::modes);
        let reading = modes.map_or(Reading::Editor, |modes| self.reading_in(modes));
        if reading == Reading::Nothing || self.has_program_in_front(reading, terminal) {
            Reading::Nothing
        } else {
            reading
        }
    }

    fn reading_in(&self, modes: Modes) -> Reading {
        let edits = !modes.canonical && !modes.echo;
        // Measured with bash 5.2, fish 3.6, ksh 93u+m and mksh 59c: their editors also switch this off, and `read -sn1`
        // of bash does not. Those of zsh 5.9 and tcsh 6.24 leave it on.
        let keeps_return =
            !["bash", "fish", "ksh", "ksh93", "mksh"].contains(&self.program.as_str());
        if edits && (keeps_return || !modes.maps_return) {
            Reading::Editor
        } else if modes.canonical && modes.echo && self.has_no_editor() {
            Reading::Lines
        } else {
            Reading::Nothing
        }
    }

    fn has_no_editor(&self) -> bool {
        ["dash", "ash", "csh"].contains(&self.program.as_str())
            || self.argv.iter().any(|word| word == "--noediting")
    }

    /// Returns whether a program below the shell has the foreground together with it, and may read what is typed: `fzf`
    /// in a key binding does, also below a copy of the shell (`$(… | fzf)`). Beside a line editor the helpers of a prompt
    /// run too, and the program with which fish 3.6 reads the manual at its first start; they draw nothing.
    fn has_program_in_front(&self, reading: Reading, terminal: Option<&Path>) -> bool {
        let tree = proc::tree(self.process.pid);
        let mut below = tree.iter().filter(|it| it.pid != self.process.pid);
        below.any(|it| {
            let shares = it.group == self.process.group && !it.zombie;
            let is_program = it.name != self.process.name;
            let draws = || terminal.is_some_and(|file| proc::draws_on(it.pid, file));
            shares && (reading == Reading::Lines || (is_program && draws()))
        })
    }
}

/// Returns whether a shell in front of its terminal is at its prompt, by the modes of the terminal alone where its
/// program has a line editor.
#[must_use]
pub fn is_at_prompt(front: &Process) -> bool {
    if !front.is_shell() || front.stopped {
        return false;
    }
    let terminal = proc::terminal_file(front);
    let Some(modes) = terminal.as_deref().and_then(proc::terminal::modes) else {
        return true;
    };
    if !modes.canonical && !modes.echo {
        return true;
    }
    // A program that was killed can leave any modes behind, and a shell without a line editor keeps them.
    Shell::of(front.clone()).is_some_and(|shell| {
        shell.has_no_editor()
            && shell.is_interactive()
            && !shell.has_program_in_front(Reading::Lines, terminal.as_deref())
    })
}
