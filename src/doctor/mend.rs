//! The commands in mends: each of them can be pasted into a shell, and acts on the server that was examined.

use std::path::Path;

use crate::id::shell_word;

/// Makes the commands of mends.
#[derive(Debug)]
pub(super) struct Mends {
    /// The options that choose the server, as they were given: each begins with a blank.
    server: String,
}

impl Mends {
    /// `server` are the words that chose the server, none for the default.
    pub(super) fn new(server: &[String]) -> Self {
        let words = server.iter().map(|word| format!(" {}", shell_word(word)));
        Self {
            server: words.collect(),
        }
    }

    /// Returns a command of tmux.
    pub(super) fn tmux(&self, words: &[&str]) -> String {
        self.command("tmux", words)
    }

    /// Returns a helper with its arguments.
    pub(super) fn helper(&self, name: &str, words: &[&str]) -> String {
        self.command(name, words)
    }

    fn command(&self, program: &str, words: &[&str]) -> String {
        let words: String = words
            .iter()
            .map(|word| format!(" {}", shell_word(word)))
            .collect();
        format!("{program}{}{words}", self.server)
    }

    /// Returns the command that loads the plugin in a folder.
    pub(super) fn load(&self, folder: &Path) -> String {
        let entry = folder.join("sesh.tmux").to_string_lossy().into_owned();
        // run-shell expands formats, and then a shell reads it.
        self.tmux(&["run-shell", &shell_word(&entry.replace('#', "##"))])
    }
}

/// Returns a path as a word of a shell.
pub(super) fn path(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn commands_for_a_shell() {
        let plain = Mends::new(&[]);
        assert_eq!(plain.tmux(&["kill-server"]), "tmux kill-server");
        assert_eq!(
            plain.load("/a/tmux-sesh".as_ref()),
            "tmux run-shell /a/tmux-sesh/sesh.tmux"
        );
        let named = Mends::new(&["-L".into(), "my server".into()]);
        assert_eq!(named.helper("sesh-reap", &[]), "sesh-reap -L 'my server'");
        assert_eq!(
            named.load("/a #b".as_ref()),
            r"tmux -L 'my server' run-shell ''\''/a ##b/sesh.tmux'\'''"
        );
    }
}
