//! What a command of a list is: its words, or a branch; and where its words can carry a condition.

use super::Batch;

/// The name of an option, or of a hook, that is never set.
pub(super) const NEVER_SET: &str = "@sesh_none";

/// What part of a command's words can carry a condition. The numbers are places among its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The name of an option, which tmux expands.
    Option(usize),
    /// None is needed: the command does no harm where the condition fails.
    Harmless,
    /// The format that is printed.
    Print(usize),
    /// The value of a hidden variable, whose name stands before it.
    Hidden { value: usize, expanded: bool },
    /// The channel that is signalled.
    Signal(usize),
    /// None: the command can only end a list.
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A command's name and arguments, unquoted, and what part of them can carry a condition.
    Plain(Vec<String>, Carrier),
    /// One of two lists, chosen by a condition that is expanded for a target.
    Branch {
        target: Option<String>,
        condition: String,
        then: Batch,
        otherwise: Batch,
    },
}

impl Step {
    /// Whether it lists panes or clients, which a server without a session refuses.
    pub(super) fn is_list(&self) -> bool {
        let Self::Plain(words, _) = self else {
            return false;
        };
        let name = words.first().map(String::as_str);
        matches!(name, Some("list-panes" | "list-clients"))
    }

    /// The same without the lists in its branches.
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
