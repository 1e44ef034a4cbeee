//! The command line of a shell: whether it reads its commands from its input, or runs a script or a command.

/// The options that take the next word, by the program. Options of one letter may stand at the end of a word of letters.
fn takes_next(program: &str, option: &str) -> bool {
    let long = match program {
        "bash" => ["--rcfile", "--init-file"].as_slice(),
        "fish" => &[
            "--init-command",
            "--features",
            "--debug",
            "--debug-output",
            "--profile",
            "--profile-startup",
        ],
        "nu" => &["--config", "--env-config", "--plugin-config", "--log-level"],
        _ => &[],
    };
    if option.starts_with("--") {
        return long.contains(&option);
    }
    let last = option.chars().next_back();
    match program {
        "bash" => matches!(last, Some('o' | 'O')),
        "fish" => matches!(last, Some('C' | 'f' | 'd' | 'p')),
        "nu" => false,
        _ => last == Some('o'),
    }
}

/// Where a shell reads its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellInput {
    /// From its standard input.
    Input,
    /// From its command line.
    Command,
    /// From the file that this word of the command line names, counted from 0.
    Script(usize),
}

/// Returns where a shell reads its commands, by the name of its program and its command line. A command line that cannot
/// be read names nothing else than the standard input.
#[must_use]
pub fn shell_input(program: &str, argv: &[String]) -> ShellInput {
    let script = |at: usize| match argv.get(at) {
        Some(_) => ShellInput::Script(at),
        None => ShellInput::Input,
    };
    let mut at = 1;
    while let Some(word) = argv.get(at) {
        let word = word.as_str();
        if word == "--" || word == "-" {
            return script(at + 1);
        }
        if !word.starts_with(['-', '+']) {
            return ShellInput::Script(at);
        }
        let letters = word.strip_prefix('-').filter(|it| !it.starts_with('-'));
        let has = |letter: char| letters.is_some_and(|letters| letters.contains(letter));
        if has('c') || ["--command", "--commands"].contains(&word) {
            return ShellInput::Command;
        }
        // What follows are the arguments of commands that come from the input.
        if has('s') && program != "fish" {
            return ShellInput::Input;
        }
        at += if takes_next(program, word) { 2 } else { 1 };
    }
    ShellInput::Input
}

#[cfg(test)]
mod tests {
    use super::{ShellInput, shell_input};

    fn of(words: &str) -> ShellInput {
        let argv: Vec<String> = words.split(' ').map(Into::into).collect();
        let program = argv[0].trim_start_matches('-').to_string();
        shell_input(&program, &argv)
    }

    #[test]
    fn interactive_shells() {
        for words in [
            "bash",
            "-bash",
            "bash --norc",
            "bash -il",
            "bash --rcfile file -i",
            "bash -o vi",
            "bash +O extglob",
            "bash -s one two",
            "zsh -f",
            "zsh -o vi",
            "fish -N",
            "fish -C command",
            "fish --init-command command",
            "dash",
            "sh -",
            "ksh --",
        ] {
            assert_eq!(of(words), ShellInput::Input, "{words}");
        }
        assert_eq!(shell_input("bash", &[]), ShellInput::Input);
    }

    #[test]
    fn the_word_of_a_script() {
        assert_eq!(of("bash -o vi deploy yes"), ShellInput::Script(3));
        assert_eq!(of("sh -- deploy"), ShellInput::Script(2));
        assert_eq!(of("bash -C deploy"), ShellInput::Script(2));
        assert_eq!(of("fish -C command deploy"), ShellInput::Script(3));
    }

    #[test]
    fn scripts_and_commands() {
        for words in [
            "bash deploy.sh",
            "bash -x deploy.sh yes",
            "bash -ic command",
            "bash -o vi deploy.sh",
            "bash -- deploy.sh",
            "sh -c command",
            "zsh -fc command",
            "zsh deploy",
            "fish --command command",
            "fish deploy.fish",
            "dash -e deploy",
        ] {
            assert_ne!(of(words), ShellInput::Input, "{words}");
        }
    }
}
