//! The command line of a shell: whether it is interactive, or runs a script or a command.

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

/// Returns whether a shell with these arguments reads commands from its terminal. Arguments that cannot be read prove
/// nothing against it.
pub(super) fn is_interactive(program: &str, argv: &[String]) -> bool {
    let mut words = argv.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        let is_option = word.len() > 1 && (word.starts_with('-') || word.starts_with('+'));
        if !is_option {
            // A script, but for the word `-`, which ends the options.
            return word == "-" && words.next().is_none();
        }
        if word == "--" {
            return words.next().is_none();
        }
        let letters = !word.starts_with("--") && word.starts_with('-');
        if (letters && word.contains('c')) || ["--command", "--commands"].contains(&word) {
            return false;
        }
        // What follows are the arguments of commands that come from the terminal.
        if letters && word.contains('s') && program != "fish" {
            return true;
        }
        if takes_next(program, word) {
            words.next();
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_interactive;

    fn of(words: &str) -> bool {
        let argv: Vec<String> = words.split(' ').map(Into::into).collect();
        let program = argv[0].trim_start_matches('-').to_string();
        is_interactive(&program, &argv)
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
            assert!(of(words), "{words}");
        }
        assert!(is_interactive("bash", &[]));
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
            assert!(!of(words), "{words}");
        }
    }
}
