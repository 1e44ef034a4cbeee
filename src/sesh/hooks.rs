//! Inspects, installs, and removes this program's hooks and skill in the configuration of agents.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::agent::hooks::{HookStatus, Hooks, Refusal};
use crate::agent::kinds::Kind;
use crate::env;
use crate::error::{Error, Result};
use crate::journal::settings;

/// The state of an agent's hooks. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookState {
    Absent,
    Installed,
    /// Some hooks are missing, or they are for another program.
    Outdated,
    /// The agent runs none of its hooks, because its configuration switches them off.
    Disabled,
    /// Its file cannot be read.
    Unreadable,
}

impl HookState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HookState::Absent => "absent",
            HookState::Installed => "installed",
            HookState::Outdated => "outdated",
            HookState::Disabled => "disabled",
            HookState::Unreadable => "unreadable",
        }
    }
}

/// The hooks of one agent.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub agent: &'static str,
    pub state: HookState,
    /// The file that contains them.
    pub file: PathBuf,
    /// Whether its program or its folder exists.
    pub present: bool,
    /// Why it is unreadable or disabled.
    pub what: Option<String>,
}

/// What is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installable {
    Hooks,
    /// The text that explains to an agent how to use the helpers.
    Skill,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HooksAction {
    Install,
    Remove,
}

/// A change of one file.
#[derive(Clone, Debug)]
pub struct FileChange {
    pub agent: &'static str,
    pub file: PathBuf,
    /// `None` when there is no file.
    pub before: Option<String>,
    pub after: Option<String>,
    /// What a person has to know about the change.
    pub note: Option<&'static str>,
    act: HooksAction,
    home: PathBuf,
    /// Whether the file contained nothing of this program's before.
    had_none: bool,
}

/// An agent that has hooks, on this machine.
struct HookedAgent {
    hooks: Hooks,
    home: PathBuf,
    present: bool,
}

impl HookedAgent {
    fn file(&self) -> PathBuf {
        self.home.join(self.hooks.file)
    }
}

/// Returns the state of the hooks of these agents, or of all agents that have hooks.
///
/// # Errors
/// There is no `$HOME`.
pub fn status(what: Installable, kinds: &[String]) -> Result<Vec<Status>> {
    let program = program()?;
    let status = |agent: HookedAgent| {
        let file = agent.file();
        let found = settings::read(&file).and_then(|text| {
            let text = text.unwrap_or_default();
            let status = agent.hooks.status(&text, &program);
            let status = status.map_err(|refusal| refused(&file, &refusal))?;
            Ok((status, agent.hooks.switched_off_by(&text)))
        });
        let (state, what) = match found {
            Ok((HookStatus::Absent, _)) => (HookState::Absent, None),
            Ok((_, Some(switch))) => (
                HookState::Disabled,
                Some(format!("{switch} is true in its settings")),
            ),
            Ok((HookStatus::Installed, None)) => (HookState::Installed, None),
            Ok((HookStatus::Outdated, None)) => (HookState::Outdated, None),
            Err(error) => (HookState::Unreadable, Some(error.to_string())),
        };
        Status {
            agent: agent.hooks.kind,
            state,
            file,
            present: agent.present,
            what,
        }
    };
    Ok(hooked_agents(what, kinds)?
        .into_iter()
        .map(status)
        .collect())
}

/// Returns what would change for these agents, or else for those that are present. Each agent is independent: one whose
/// file cannot be read does not prevent the change of another.
///
/// # Errors
/// There is no `$HOME`, or no agent.
pub fn plan(
    act: HooksAction,
    what: Installable,
    kinds: &[String],
) -> Result<Vec<Result<FileChange>>> {
    let program = program()?;
    let mut hooked_agents = hooked_agents(what, kinds)?;
    let known: Vec<&str> = hooked_agents.iter().map(|it| it.hooks.kind).collect();
    if kinds.is_empty() {
        hooked_agents.retain(|agent| agent.present);
    }
    if hooked_agents.is_empty() {
        return Err(Error::nothing(format!(
            "no agent with hooks is installed: name one anyway ({})",
            known.join(", ")
        )));
    }
    Ok(hooked_agents
        .iter()
        .map(|agent| change(act, agent, &program))
        .collect())
}

fn change(act: HooksAction, agent: &HookedAgent, program: &str) -> Result<FileChange> {
    let file = agent.file();
    let before = settings::read(&file)?;
    let text = before.as_deref().unwrap_or("");
    let refused = |refusal: Refusal| refused(&file, &refusal);
    let status = agent.hooks.status(text, program).map_err(refused)?;
    let after = match act {
        HooksAction::Install => Some(agent.hooks.install(text, program).map_err(refused)?),
        HooksAction::Remove if status == HookStatus::Absent => before.clone(),
        HooksAction::Remove => {
            let original = settings::before(&file);
            let left = agent.hooks.remove(text, original.as_deref());
            left.map_err(refused)?
        }
    };
    Ok(FileChange {
        agent: agent.hooks.kind,
        file,
        before,
        after,
        note: agent.hooks.note.filter(|_| act == HooksAction::Install),
        act,
        home: agent.home.clone(),
        had_none: status == HookStatus::Absent,
    })
}

impl FileChange {
    /// Whether there is anything to change.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.before != self.after
    }

    /// Makes the change. Returns where the former content is kept.
    ///
    /// # Errors
    /// The file cannot be written, or was changed meanwhile.
    pub fn make(&self) -> Result<Option<PathBuf>> {
        let kept = if self.act == HooksAction::Install && self.had_none {
            settings::keep(&self.file, self.before.as_deref())?
        } else {
            None
        };
        settings::replace(&self.file, self.before.as_deref(), self.after.as_deref())?;
        if self.after.is_none() {
            settings::prune(&self.file, &self.home);
        }
        Ok(kept)
    }
}

/// Returns the program that the hooks start: the one beside this program, by its own path, because an agent may have
/// another PATH.
fn program() -> Result<String> {
    let program = env::helper("sesh-report")
        .ok_or_else(|| Error::nothing("sesh-report is neither next to this program nor on PATH"))?;
    program
        .to_str()
        .map(Into::into)
        .ok_or_else(|| Error::failed(format!("the path {} is not UTF-8", program.display())))
}

fn hooked_agents(what: Installable, kinds: &[String]) -> Result<Vec<HookedAgent>> {
    Kind::with_hooks()
        .into_iter()
        .filter_map(|kind| kind.code.hooks)
        .map(|hooks| match what {
            Installable::Hooks => *hooks,
            Installable::Skill => hooks.skill(),
        })
        .filter(|hooks| kinds.is_empty() || kinds.iter().any(|kind| kind == hooks.kind))
        .map(|hooks| {
            let mut homes = hooks.home.iter();
            let home = homes
                .find_map(|(variable, below)| Some(env::folder(variable)?.join(below)))
                .ok_or_else(|| {
                    Error::nothing(format!(
                        "$HOME is not set: the configuration of {} cannot be found",
                        hooks.kind
                    ))
                })?;
            let present = home.is_dir() || env::helper_on_path(hooks.kind).is_some();
            Ok(HookedAgent {
                hooks,
                home,
                present,
            })
        })
        .collect()
}

fn refused(file: &Path, refusal: &Refusal) -> Error {
    Error::unusable(format!(
        "{}:{}:{}: {}: the file was not changed",
        file.display(),
        refusal.line,
        refusal.column,
        refusal.what
    ))
}
