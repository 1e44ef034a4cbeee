//! The names of hidden variables that belong to one pane, one sesh or one client, and the formats that read them.

use crate::id::{PaneId, SeshId};

/// Returns the hidden variable that holds the last hook report of the agent in a pane.
#[must_use]
pub fn hook(pane: PaneId) -> String {
    format!("SESH_hook_{}", pane.0)
}

/// Returns the hidden variable that holds the mark of the prompt that the agent in a pane accepted last.
#[must_use]
pub fn prompt(pane: PaneId) -> String {
    format!("SESH_prompt_{}", pane.0)
}

/// Returns the hidden variable that holds the last answer of the agent in a pane.
#[must_use]
pub fn answer(pane: PaneId) -> String {
    format!("SESH_answer_{}", pane.0)
}

/// Returns the hidden variable that holds the process that is typing a message into a pane.
#[must_use]
pub fn send(pane: PaneId) -> String {
    format!("SESH_send_{}", pane.0)
}

/// Returns the hidden variable that holds the places from which clients were taken to a pane.
#[must_use]
pub fn origins(pane: PaneId) -> String {
    format!("SESH_from_{}", pane.0)
}

/// Returns the hidden variable that holds the last lines of an ended sesh.
#[must_use]
pub fn tail(id: SeshId) -> String {
    format!("SESH_tail_{}", id.simple())
}

/// The hidden variable that is set once an exited sesh has left the server, so that only the journal has it.
pub const LEFT: &str = "SESH_left";

/// Returns the hidden variable that holds the agent of a pane that is no sesh: the process that got a message, or with
/// which a sesh of that pane ended. A text for it must not go to the shell that is left.
#[must_use]
pub fn last_agent(pane: PaneId) -> String {
    format!("SESH_agent_{}", pane.0)
}

/// Returns the pane to which a hidden variable of [`hook`], [`prompt`], [`answer`], [`send`], [`last_agent`] or
/// [`origins`] belongs.
#[must_use]
pub fn pane_of_variable(variable: &str) -> Option<PaneId> {
    const PREFIXES: [&str; 6] = [
        "SESH_hook_",
        "SESH_prompt_",
        "SESH_answer_",
        "SESH_send_",
        "SESH_agent_",
        "SESH_from_",
    ];
    let number = PREFIXES
        .into_iter()
        .find_map(|prefix| variable.strip_prefix(prefix))?;
    Some(PaneId(number.parse().ok()?))
}

/// The tmux format that expands to the value of [`hook`] for a pane. It builds the name from the pane's id, and then
/// expands that name.
pub const HOOK_OF_PANE: &str = "#{E:##{SESH_hook_#{s/%//:pane_id}#}}";

/// The tmux format that expands to the value of [`prompt`] for a pane.
pub const PROMPT_OF_PANE: &str = "#{E:##{SESH_prompt_#{s/%//:pane_id}#}}";

/// The tmux format that expands to the value of [`last_agent`] for a pane.
pub const LAST_AGENT_OF_PANE: &str = "#{E:##{SESH_agent_#{s/%//:pane_id}#}}";

/// The tmux format that expands to the value of [`answer`] for a pane.
pub const ANSWER_OF_PANE: &str = "#{E:##{SESH_answer_#{s/%//:pane_id}#}}";

/// Returns the sesh whose last lines a hidden variable holds.
#[must_use]
pub fn tail_of(variable: &str) -> Option<SeshId> {
    SeshId::from_simple(variable.strip_prefix("SESH_tail_")?)
}

/// Returns the hidden variable that holds the pane that a client showed before it last switched to a sesh. Characters
/// of the client's name that are no ASCII letters or digits become `_`.
#[must_use]
pub fn previous_pane(client: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("SESH_was_{}", client.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_variable_of_a_client_has_a_plain_name() {
        assert_eq!(previous_pane("/dev/pts/3"), "SESH_was__dev_pts_3");
    }
}
