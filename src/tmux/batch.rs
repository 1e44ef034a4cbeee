//! Lists of commands for the server.

use super::{Command, branch, word};

/// Commands that run in order as one client of the server. The first one that fails ends the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(pub(super) Vec<Command>);

impl Batch {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn then(mut self, command: Command) -> Self {
        self.0.push(command);
        self
    }

    /// Returns the batch with more commands at its end.
    #[must_use]
    pub fn and(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.0.extend(commands);
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the command string of this batch, for `source-file`.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted = |words: Vec<String>| {
            let words: Vec<String> = words.iter().map(|word| word::quote(word)).collect();
            words.join(" ")
        };
        let commands: Vec<String> = branch::flatten(self).into_iter().map(quoted).collect();
        commands.join(" ; ")
    }

    /// Returns the names of its commands, including those in branches. An error names all of them, because tmux does
    /// not print which one failed.
    pub(super) fn names(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for name in self.0.iter().flat_map(Command::names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }

    /// Returns the batch with all its commands repeatable, so that no program is started for it. The caller must know
    /// that a second run changes nothing.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        for command in &mut self.0 {
            command.repeatable = true;
        }
        self
    }

    /// Returns whether it may run twice, mostly because it changes nothing.
    pub(super) fn is_repeatable(&self) -> bool {
        self.0.iter().all(|command| command.repeatable)
    }

    /// Returns the batch without the commands that list panes or clients, including those in branches.
    pub(super) fn without_lists(&self) -> Self {
        let others = self.0.iter().filter(|command| !command.step.is_list());
        let others = others.map(|command| Command {
            step: command.step.without_lists(),
            repeatable: command.repeatable,
        });
        Self(others.collect())
    }

    pub(super) fn argv(&self) -> Vec<String> {
        let mut argv: Vec<String> = Vec::new();
        for words in branch::flatten(self) {
            if let Some(last) = argv.last_mut() {
                if word::takes_separator(last) {
                    last.push(';');
                } else {
                    argv.push(";".into());
                }
            }
            argv.extend(words.iter().map(|word| word::word(word).into_owned()));
        }
        argv
    }
}

impl From<Command> for Batch {
    fn from(command: Command) -> Self {
        Self(vec![command])
    }
}

impl Extend<Command> for Batch {
    fn extend<T: IntoIterator<Item = Command>>(&mut self, commands: T) {
        self.0.extend(commands);
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::{command, show};
    use super::*;

    #[test]
    fn a_batch_without_its_lists_of_panes_and_clients() {
        let print = || command::print(None, "x");
        let panes = || command::list_panes("#{pane_id}", None);
        let branch = |batch: &Batch| command::if_format(None, "1", batch, &Batch::new());
        let batch = Batch::from(panes())
            .then(print())
            .then(command::list_clients("x", None))
            .then(branch(&Batch::from(panes()).then(print())));
        let rest = Batch::from(print()).then(branch(&Batch::from(print())));
        assert_eq!(batch.without_lists(), rest);
    }

    #[test]
    fn a_batch_as_arguments_and_as_text() {
        let batch = Batch::new()
            .then(command::set_server("@a", "x;"))
            .then(command::set_server("@b", "it's"))
            .then(show::keys());
        assert_eq!(
            batch.argv(),
            [
                "set-option",
                "-s",
                "@a",
                "x\\;",
                ";",
                "set-option",
                "-s",
                "@b",
                "it's;",
                "list-keys"
            ]
        );
        assert_eq!(
            batch.text(),
            "set-option -s @a 'x;' ; set-option -s @b 'it'\\''s' ; list-keys"
        );
    }
}
