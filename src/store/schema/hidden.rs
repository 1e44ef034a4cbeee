//! The names of hidden variables that belong to one pane, one sesh or one client, and the formats that read them.

use crate::id::{PaneId, SeshId};

/// The hidden variable that holds what the hooks of the agent in a pane said last.
#[must_use]
pub fn hook(pane: PaneId) -> String {
    format!("SESH_hook_{}", pane.0)
}

/// The hidden variable that holds the mark of the prompt that the agent in a pane took last.
#[must_use]
pub fn prompt(pane: PaneId) -> String {
    format!("SESH_prompt_{}", pane.0)
}

/// The hidden variable that holds what the agent in a pane said last.
#[must_use]
pub fn answer(pane: PaneId) -> String {
    format!("SESH_answer_{}", pane.0)
}

/// The hidden variable that holds who is typing a message into a pane.
#[must_use]
pub fn send(pane: PaneId) -> String {
    format!("SESH_send_{}", pane.0)
}

/// The hidden variable that holds the last lines of an ended sesh.
#[must_use]
pub fn tail(id: SeshId) -> String {
    format!("SESH_tail_{}", id.simple())
}

/// The pane whose [`hook`], [`prompt`], [`answer`] or [`send`] a hidden variable is.
#[must_use]
pub fn pane_of_hook(variable: &str) -> Option<PaneId> {
    let number = ["SESH_hook_", "SESH_prompt_", "SESH_answer_", "SESH_send_"]
        .into_iter()
        .find_map(|begin| variable.strip_prefix(begin))?;
    Some(PaneId(number.parse().ok()?))
}

/// The tmux format that gives [`hook`] on a pane: the name is made from the pane's id, and then looked up.
pub const HOOK_OF_PANE: &str = "#{E:##{SESH_hook_#{s/%//:pane_id}#}}";

/// The tmux format that gives [`prompt`] on a pane.
pub const PROMPT_OF_PANE: &str = "#{E:##{SESH_prompt_#{s/%//:pane_id}#}}";

/// The tmux format that gives [`answer`] on a pane.
pub const ANSWER_OF_PANE: &str = "#{E:##{SESH_answer_#{s/%//:pane_id}#}}";

/// The sesh whose last lines a hidden variable holds.
#[must_use]
pub fn tail_of(variable: &str) -> Option<SeshId> {
    SeshId::from_simple(variable.strip_prefix("SESH_tail_")?)
}

/// The hidden variable that holds the pane where a client was, before it was last taken to a sesh.
#[must_use]
pub fn was(client: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("SESH_was_{}", client.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_clients_variable() {
        assert_eq!(was("/dev/pts/3"), "SESH_was__dev_pts_3");
    }
}
