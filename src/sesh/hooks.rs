//! Our hooks and our skill in the configuration of agents: looked at, put in, taken out.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::agent::hooks::{Hooks, Refusal, Standing};
use crate::agent::kinds::Kind;
use crate::env;
use crate::error::{Error, Result};
use crate::journal::settings;

/// How the hooks of an agent stand. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Absent,
    Installed,
    /// Not all of them, or for another program.
    Outdated,
    /// Its file cannot be read.
    Unreadable,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Absent => "absent",
            State::Installed => "installed",
            State::Outdated => "outdated",
            State::Unreadable => "unreadable",
        }
    }
}

/// The hooks of one agent.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub agent: &'static str,
    pub state: State,
    /// The file that they are in.
    pub file: PathBuf,
    /// Whether its program or its folder is there.
    pub present: bool,
    /// Why it is unreadable.
    pub what: Option<String>,
}

/// Of what this is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Hooks,
    /// The text that tells an agent how to use the family.
    Skill,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Install,
    Remove,
}

/// A change of one file.
#[derive(Clone, Debug)]
pub struct Change {
    pub agent: &'static str,
    pub file: PathBuf,
    /// `None` for no file.
    pub before: Option<String>,
    pub after: Option<String>,
    /// What a person has to know of it.
    pub note: Option<&'static str>,
    act: Act,
    home: PathBuf,
    /// Nothing of ours was in it.
    first: bool,
}

/// One agent that has hooks, on this machine.
struct Place {
    hooks: Hooks,
    home: PathBuf,
    present: bool,
}

impl Place {
    fn file(&self) -> PathBuf {
        self.home.join(self.hooks.file)
    }
}

/// How the hooks of these agents stand, or of all that have any.
///
/// # Errors
/// There is no home.
pub fn status(what: What, kinds: &[String]) -> Result<Vec<Status>> {
    let program = program()?;
    let status = |place: Place| {
        let file = place.file();
        let found = settings::read(&file).and_then(|text| {
            let text = text.unwrap_or_default();
            let standing = place.hooks.standing(&text, &program);
            standing.map_err(|refusal| refused(&file, &refusal))
        });
        let (state, what) = match found {
            Ok(Standing::Absent) => (State::Absent, None),
            Ok(Standing::Installed) => (State::Installed, None),
            Ok(Standing::Outdated) => (State::Outdated, None),
            Err(error) => (State::Unreadable, Some(error.to_string())),
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
pub fn plan(act: Act, what: What, kinds: &[String]) -> Result<Vec<Result<Change>>> {
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

fn change(act: Act, place: &Place, program: &str) -> Result<Change> {
    let file = place.file();
    let before = settings::read(&file)?;
    let text = before.as_deref().unwrap_or("");
    let refused = |refusal: Refusal| refused(&file, &refusal);
    let standing = place.hooks.standing(text, program).map_err(refused)?;
    let after = match act {
        Act::Install => Some(place.hooks.install(text, program).map_err(refused)?),
        Act::Remove if standing == Standing::Absent => before.clone(),
        Act::Remove => {
            let original = settings::before(&file);
            let left = place.hooks.remove(text, original.as_deref());
            left.map_err(refused)?
        }
    };
    Ok(Change {
        agent: place.hooks.kind,
        file,
        before,
        after,
        note: place.hooks.note.filter(|_| act == Act::Install),
        act,
        home: place.home.clone(),
        first: standing == Standing::Absent,
    })
}

impl Change {
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
        let kept = if self.act == Act::Install && self.first {
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

fn places(what: What, kinds: &[String]) -> Result<Vec<Place>> {
    Kind::with_hooks()
        .into_iter()
        .filter_map(|kind| kind.code.hooks)
        .map(|hooks| match what {
            What::Hooks => *hooks,
            What::Skill => hooks.skill(),
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
            Ok(Place {
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
