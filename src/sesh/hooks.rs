//! Our hooks and our skill in the configuration of agents: looked at, put in, taken out.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::agent::hooks::{HookStatus, Hooks, Refusal};
use crate::agent::kinds::Kind;
use crate::env;
use crate::error::{Error, Result};
use crate::journal::settings;

/// How the hooks of an agent stand. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HookState {
    Absent,
    Installed,
    /// Not all of them, or for another program.
    Outdated,
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
            HookState::Unreadable => "unreadable",
        }
    }
}

/// The hooks of one agent.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub agent: &'static str,
    pub state: HookState,
    /// The file that they are in.
    pub file: PathBuf,
    /// Whether its program or its folder is there.
    pub present: bool,
    /// Why it is unreadable.
    pub what: Option<String>,
}

/// Of what this is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installable {
    Hooks,
    /// The text that tells an agent how to use the family.
    Skill,
}

/// What is to be done.
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
    /// `None` for no file.
    pub before: Option<String>,
    pub after: Option<String>,
    /// What a person has to know of it.
    pub note: Option<&'static str>,
    act: HooksAction,
    home: PathBuf,
    /// Nothing of ours was in it.
    first: bool,
}

/// One agent that has hooks, on this machine.
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

/// How the hooks of these agents stand, or of all that have any.
///
/// # Errors
/// There is no home.
pub fn status(what: Installable, kinds: &[String]) -> Result<Vec<Status>> {
    let program = program()?;
    let status = |place: HookedAgent| {
        let file = place.file();
        let found = settings::read(&file).and_then(|text| {
            let text = text.unwrap_or_default();
            let standing = place.hooks.standing(&text, &program);
            standing.map_err(|refusal| refused(&file, &refusal))
        });
        let (state, what) = match found {
            Ok(HookStatus::Absent) => (HookState::Absent, None),
            Ok(HookStatus::Installed) => (HookState::Installed, None),
            Ok(HookStatus::Outdated) => (HookState::Outdated, None),
            Err(error) => (HookState::Unreadable, Some(error.to_string())),
        };
        Status {
            agent: place.hooks.kind,
            state,
            file,
            present: place.present,
            what,
        }
    };
    Ok(places(what, kinds)?.into_iter().map(status).collect())
}

/// What would change: for these agents, else for those that are there. Each is by itself: one that cannot be read keeps
/// no other back.
///
/// # Errors
/// There is no home, or no agent.
pub fn plan(
    act: HooksAction,
    what: Installable,
    kinds: &[String],
) -> Result<Vec<Result<FileChange>>> {
    let program = program()?;
    let mut places = places(what, kinds)?;
    if kinds.is_empty() {
        places.retain(|place| place.present);
    }
    if places.is_empty() {
        return Err(Error::nothing(
            "no agent that has hooks is here: neither its program nor its folder; name it to have them all the same",
        ));
    }
    Ok(places
        .iter()
        .map(|place| change(act, place, &program))
        .collect())
}

fn change(act: HooksAction, place: &HookedAgent, program: &str) -> Result<FileChange> {
    let file = place.file();
    let before = settings::read(&file)?;
    let text = before.as_deref().unwrap_or("");
    let refused = |refusal: Refusal| refused(&file, &refusal);
    let standing = place.hooks.standing(text, program).map_err(refused)?;
    let after = match act {
        HooksAction::Install => Some(place.hooks.install(text, program).map_err(refused)?),
        HooksAction::Remove if standing == HookStatus::Absent => before.clone(),
        HooksAction::Remove => {
            let original = settings::before(&file);
            let left = place.hooks.remove(text, original.as_deref());
            left.map_err(refused)?
        }
    };
    Ok(FileChange {
        agent: place.hooks.kind,
        file,
        before,
        after,
        note: place.hooks.note.filter(|_| act == HooksAction::Install),
        act,
        home: place.home.clone(),
        first: standing == HookStatus::Absent,
    })
}

impl FileChange {
    /// Whether there is anything to do.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.before != self.after
    }

    /// Makes it, and gives where what was there before is kept.
    ///
    /// # Errors
    /// The file cannot be written, or was changed meanwhile.
    pub fn make(&self) -> Result<Option<PathBuf>> {
        let kept = if self.act == HooksAction::Install && self.first {
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

/// The program that the hooks start: beside this one, by its own path, since an agent may have another PATH.
fn program() -> Result<String> {
    let program = env::helper("sesh-report")
        .ok_or_else(|| Error::nothing("sesh-report is neither beside this program nor on PATH"))?;
    program
        .to_str()
        .map(Into::into)
        .ok_or_else(|| Error::failed(format!("the path {} is not UTF-8", program.display())))
}

fn places(what: Installable, kinds: &[String]) -> Result<Vec<HookedAgent>> {
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
                        "there is no $HOME to find the configuration of {} in",
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
        "{}:{}:{}: {}: the file is left alone",
        file.display(),
        refusal.line,
        refusal.column,
        refusal.what
    ))
}
