//! Everything that is known of one item, for `sesh-work show`.

use serde::Serialize;

use super::claim_json::{ClaimJson, SCHEMA};
use super::holder::HolderView;
use super::item::ItemId;
use super::ledger_state::{ClaimEnd, ItemResult};
use super::workplace::Workplace;
use crate::clock;
use crate::error::{Error, Result};
use crate::tmux::Server;

/// An item with its claim and its history, as JSON. The fields are public, and their order is that of the JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownItem {
    pub schema: u32,
    pub id: String,
    pub title: String,
    pub status: String,
    pub file: Option<String>,
    /// The first message to an agent that starts with the item.
    pub prompt: String,
    pub claim: Option<ClaimJson>,
    pub history: Vec<FormerHolder>,
    pub landed: Option<String>,
    pub abandoned: Option<String>,
}

/// A claim that has ended, as JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerHolder {
    pub name: String,
    pub sesh: String,
    /// `taken`, `dropped`, `abandoned` or `landed`.
    pub end: &'static str,
    /// Seconds since the epoch.
    pub at: u64,
    pub taken_by: Option<String>,
    /// Why it was taken while its holder may have been alive.
    pub reason: Option<String>,
}

impl ShownItem {
    /// Reads what is known of an item.
    ///
    /// # Errors
    /// There is no such item, and when the ledger or the registry cannot be read.
    pub fn read(server: Option<&Server>, place: &Workplace, id: &ItemId) -> Result<Self> {
        let (state, registry) = (place.ledger.read()?, place.registry()?);
        let item = registry.item(id);
        let claim = state.claim(id);
        let former = || {
            state
                .former()
                .iter()
                .filter(|former| former.claim.id == *id)
        };
        if item.is_none() && claim.is_none() && former().next().is_none() {
            return Err(
                Error::nothing(format!("no item {id}")).with_way_out("sesh-work shows the items")
            );
        }
        let (landed, abandoned) = match state.result(id) {
            Some(ItemResult::Landed { commit, .. }) => (Some(commit.clone()), None),
            Some(ItemResult::Abandoned { why, .. }) => (None, Some(why.clone())),
            None => (None, None),
        };
        let status = match (claim, item, &landed, &abandoned) {
            (Some(_), ..) => "claimed".into(),
            (_, _, Some(_), _) => "completed".into(),
            (_, _, _, Some(_)) => "abandoned".into(),
            (_, Some(item), ..) => serde_json::to_value(item.status)
                .ok()
                .and_then(|value| value.as_str().map(Into::into))
                .unwrap_or_default(),
            _ => "free".to_string(),
        };
        let now = clock::seconds();
        let claim = claim.map(|claim| {
            let sighting = HolderView::new(server).look(&claim.holder);
            ClaimJson::of(claim, &sighting, now)
        });
        Ok(Self {
            schema: SCHEMA,
            id: item.map_or(id, |item| &item.id).to_string(),
            title: item.map(|item| item.title.clone()).unwrap_or_default(),
            status,
            file: item.and_then(|item| item.file.clone()),
            prompt: prompt(place, id)?,
            claim,
            history: former().map(FormerHolder::of).collect(),
            landed,
            abandoned,
        })
    }

    /// Returns it as text: the fields, and then the message to an agent.
    #[must_use]
    pub fn text(&self) -> String {
        let mut rows: Vec<(&str, String)> = vec![("id", self.id.clone())];
        let mut row = |name: &'static str, text: Option<String>| {
            rows.extend(
                text.filter(|text| !text.is_empty())
                    .map(|text| (name, text)),
            );
        };
        row("title", Some(self.title.clone()));
        row("status", Some(self.status.clone()));
        row("file", self.file.clone());
        if let Some(claim) = &self.claim {
            let pane = claim.pane.as_deref().unwrap_or("no pane");
            row(
                "holder",
                Some(format!("{} ({pane}), {}", claim.name, claim.state.as_str())),
            );
            row("step", Some(claim.step.clone()));
            row("blocked", claim.blocked_reason.clone());
            row("branch", Some(claim.branch.clone()));
            row("worktree", claim.worktree.clone());
        }
        row("landed", self.landed.clone());
        row("abandoned", self.abandoned.clone());
        for former in &self.history {
            let reason = former.reason.as_ref();
            let reason = reason.map(|why| format!(" ({why})")).unwrap_or_default();
            let by = former.taken_by.as_ref();
            let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
            row(
                "before",
                Some(format!("{}: {}{by}{reason}", former.name, former.end)),
            );
        }
        let rows = rows
            .iter()
            .map(|(name, text)| format!("{name:<9} {}\n", harmless(text, &[])));
        rows.collect::<String>() + "\n" + &harmless(&self.prompt, &['\n', '\t'])
    }
}

/// Returns the text with a space for each control character, except those that are kept. Others have written it, and a
/// terminal would obey it.
fn harmless(text: &str, kept: &[char]) -> String {
    let is_harmful = |c: char| c.is_control() && !kept.contains(&c);
    text.replace(is_harmful, " ")
}

impl FormerHolder {
    fn of(former: &super::ledger_state::FormerClaim) -> Self {
        let (end, taken_by, reason) = match &former.end {
            ClaimEnd::Taken { by, force } => ("taken", Some(by.name.clone()), force.clone()),
            ClaimEnd::Dropped => ("dropped", None, None),
            ClaimEnd::Abandoned => ("abandoned", None, None),
            ClaimEnd::Landed => ("landed", None, None),
        };
        Self {
            name: former.claim.holder.name.clone(),
            sesh: former.claim.holder.sesh.to_string(),
            end,
            at: former.at / 1_000,
            taken_by,
            reason,
        }
    }
}

/// Returns the first message to an agent that starts with an item.
///
/// # Errors
/// The registry cannot be read.
pub fn prompt(place: &Workplace, id: &ItemId) -> Result<String> {
    let registry = place.registry()?;
    let item = registry.item(id);
    let id = item.map_or(id, |item| &item.id);
    let mut text = match item {
        Some(item) if item.prompt.is_some() => item.prompt.clone().unwrap_or_default(),
        Some(item) => {
            let mut text = format!("Work on {id}");
            if !item.title.is_empty() {
                text += &format!(": {}", item.title);
            }
            text += ".";
            if let Some(file) = &item.file {
                text += &format!(" Read {file} first.");
            }
            text
        }
        None => format!("Work on {id}."),
    };
    text += &format!(
        " (This is the item {id}. Say what you do with: sesh-work step TEXT. When all of it is committed, land it with: \
         sesh-land.)"
    );
    Ok(text)
}
