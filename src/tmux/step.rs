//! One command of a list: its words, or a branch. Also defines which of its words can carry a condition.

use super::Batch;

/// The name of an option, or of a hook, that is never set.
pub(super) const NEVER_SET: &str = "@sesh_none";

/// The part of a command that can carry a condition. The numbers are indexes of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The name of an option, which tmux expands.
    Option(usize),
    /// No part is needed: the command does no harm if the condition is false.
    Harmless,
    /// The format that is printed.
    Print(usize),
    /// The value of a hidden variable, whose name is the word before it.
    Hidden { value: usize, expanded: bool },
    /// The channel that is signalled.
    Signal(usize),
    /// No part can: the command can only end a list.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The name and the arguments of a command, unquoted, and the part of them that can carry a condition.
    Plain(Vec<String>, Carrier),
    /// A choice between two lists by a condition, which is expanded for a target.
    Branch {
        target: Option<String>,
        condition: String,
        then: Batch,
        otherwise: Batch,
    },
}

impl Step {
    /// Returns whether it lists panes or clients, which a server without a session refuses.
    pub(super) fn is_list(&self) -> bool {
        let Self::Plain(words, _) = self else {
            return false;
        };
        let name = words.first().map(String::as_str);
        matches!(name, Some("list-panes" | "list-clients"))
    }

    /// Returns the step without the lists in its branches.
    pub(super) fn without_lists(&self) -> Self {
        let mut step = self.clone();
        if let Self::Branch {
            then, otherwise, ..
        } = &mut step
        {
            *then = then.without_lists();
            *otherwise = otherwise.without_lists();
        }
        step
    }
}
