//! The board and claims as text.

use super::board::{Board, BoardClaim, BoardGroup, ConflictJson, ItemJson};
use super::ledger_state::Claim;
use super::risk::Risk;
use crate::clock;
use std::time::Duration;

/// The names of the groups, in the order of the board.
pub const GROUPS: [&str; 12] = [
    "active",
    "waiting",
    "silent",
    "gone",
    "unknown",
    "blocked",
    "ready",
    "dependency",
    "draft",
    "elsewhere",
    "done",
    LANDING,
];

/// The group of what waits to land or lands. It comes first.
const LANDING: &str = "landing";

const ALL: [BoardGroup; 11] = [
    BoardGroup::Active,
    BoardGroup::Waiting,
    BoardGroup::Silent,
    BoardGroup::Gone,
    BoardGroup::Unknown,
    BoardGroup::Blocked,
    BoardGroup::Ready,
    BoardGroup::Dependency,
    BoardGroup::Draft,
    BoardGroup::Elsewhere,
    BoardGroup::Done,
];

/// How many items of a group are shown to a person, unless the group was asked for.
const SHOWN: usize = 20;

/// Returns the claim as lines: the item, its branch and its worktree.
#[must_use]
pub fn claim(claim: &Claim) -> String {
    let mut text = claim.id.to_string();
    if !claim.work.title.is_empty() {
        text += &format!(": {}", claim.work.title);
    }
    text += &format!("\nbranch    {}\n", claim.work.branch);
    if !claim.worktree.is_empty() {
        text += &format!("worktree  {}\n", claim.worktree);
    }
    if let Some(file) = &claim.work.file {
        text += &format!("file      {file}\n");
    }
    text
}

/// Returns the board as lines, cut to `width` cells if a width is given. With `groups` only these are shown, as a whole.
#[must_use]
pub fn board(board: &Board, groups: &[String], width: Option<usize>) -> String {
    let mut text = String::new();
    if !board.landing.is_empty() && (groups.is_empty() || groups.iter().any(|it| it == LANDING)) {
        text += &format!("Landing ({})\n", board.landing.len());
        for ticket in &board.landing {
            text += &fit(&landing_line(ticket), width);
        }
    }
    for (name, group) in GROUPS.into_iter().zip(ALL) {
        if !groups.is_empty() && !groups.iter().any(|wanted| wanted == name) {
            continue;
        }
        let claims = board.claims.iter().filter(|it| it.group == group);
        let items = board.items.iter().filter(|it| it.group == group);
        let lines: Vec<String> = claims.map(claim_line).chain(items.map(item_line)).collect();
        if lines.is_empty() {
            continue;
        }
        let shown = if groups.is_empty() {
            SHOWN
        } else {
            lines.len()
        };
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{} ({})\n", group.heading(), lines.len());
        for line in lines.iter().take(shown) {
            text += &fit(line, width);
        }
        if lines.len() > shown {
            text += &format!("  and {} more: --group {name}\n", lines.len() - shown);
        }
    }
    if text.is_empty() {
        text += "Nothing is claimed, and there is no registry of items: sesh-work claim ID claims one\n";
    }
    if board.remote.is_none() {
        text += "\nClaims count in this clone only (git config sesh.claims REMOTE)\n";
    }
    text
}

/// Returns a line of at most this many characters.
fn fit(line: &str, width: Option<usize>) -> String {
    let plain: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match width {
        Some(width) if plain.chars().count() > width => {
            let kept: String = plain.chars().take(width.saturating_sub(1)).collect();
            format!("{kept}…\n")
        }
        _ => format!("{plain}\n"),
    }
}

/// Returns a line of a ticket of a landing.
fn landing_line(ticket: &serde_json::Value) -> String {
    let text = |field: &str| ticket[field].as_str().unwrap_or_default();
    let number = |field: &str| ticket[field].as_u64().unwrap_or_default();
    let what = match text("id") {
        "" => text("branch"),
        id => id,
    };
    format!(
        "  {}. {what}  {} on {}  {}",
        number("position"),
        text("branch"),
        text("target"),
        text("pane")
    )
}

fn claim_line(board: &BoardClaim) -> String {
    let claim = &board.claim;
    let mut text = format!("  {}", claim.id);
    match (claim.done, claim.total) {
        (Some(done), Some(total)) => text += &format!(" {done}/{total}"),
        (Some(done), None) => text += &format!(" {done}"),
        _ => {}
    }
    if !claim.step.is_empty() {
        text += &format!("  {}", claim.step);
    }
    if let Some(why) = &claim.blocked_reason {
        text += &format!("  blocked: {why}");
    }
    let pane = claim.pane.as_deref().unwrap_or("no pane");
    text += &format!("  {} ({pane})", claim.name);
    text += &match claim.age {
        Some(age) => format!(
            ", {} {}",
            claim.state.as_str(),
            clock::short(Duration::from_secs(age))
        ),
        None => format!(", {}, age unknown", claim.state.as_str()),
    };
    text += &format!("  {}", claim.branch);
    text + &risk(board.risk, &board.conflicts_with)
}

fn item_line(item: &ItemJson) -> String {
    let mut text = format!("  {}", item.id);
    if item.priority != "normal" {
        text += &format!(" [{}]", item.priority);
    }
    if !item.title.is_empty() {
        text += &format!("  {}", item.title);
    }
    if !item.open_dependencies.is_empty() {
        text += &format!("  requires {}", item.open_dependencies.join(", "));
    }
    if let Some(commit) = &item.landed {
        text += &format!("  landed in {}", commit.get(..10).unwrap_or(commit));
    }
    if let Some(why) = &item.abandoned {
        text += &format!("  abandoned: {why}");
    }
    text + &risk(item.risk, &item.conflicts_with)
}

fn risk(risk: Risk, conflicts: &[ConflictJson]) -> String {
    if risk == Risk::None {
        return String::new();
    }
    let with: Vec<String> = conflicts
        .iter()
        .map(|conflict| match &conflict.paths[..] {
            [] => conflict.id.clone(),
            [first] => format!("{} ({first})", conflict.id),
            [first, more @ ..] => format!("{} ({first} and {} more)", conflict.id, more.len()),
        })
        .collect();
    format!("  risk {risk} with {}", with.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_its_name() {
        for (name, group) in GROUPS.into_iter().zip(ALL) {
            let json = serde_json::to_value(group).expect("JSON");
            pretty_assertions::assert_eq!(json, name);
        }
    }
}
