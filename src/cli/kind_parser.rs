//! The parser for arguments that name a kind of agent: a built-in kind, or one that a file of the user defines.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, Error};

use crate::agent::kinds::{Agents, KINDS, Kind};

/// Parses the name of a kind. The user's files are read only for a name that is not built in. The help shows only the
/// built-in names.
#[derive(Clone, Copy, Debug)]
pub(super) struct KindParser {
    with_hooks: bool,
}

impl KindParser {
    pub(super) fn any() -> Self {
        Self { with_hooks: false }
    }

    /// Accepts only the kinds whose hooks can be read. That takes code, which only built-in kinds have.
    pub(super) fn with_hooks() -> Self {
        Self { with_hooks: true }
    }

    /// Returns the built-in names.
    fn built_in(self) -> Vec<&'static str> {
        if self.with_hooks {
            Kind::with_hooks().iter().map(|kind| kind.name).collect()
        } else {
            KINDS.iter().map(|kind| kind.name).collect()
        }
    }
}

impl TypedValueParser for KindParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        let built_in = self.built_in();
        let name = value.to_str().unwrap_or_default();
        if built_in.contains(&name) {
            return Ok(name.into());
        }
        let agents = Agents::loaded();
        let why = match agents.named(name) {
            Some(_) if self.with_hooks => Some(format!(
                "no hooks are known for {name:?}, only for {}; its scripts can call sesh-report --state",
                built_in.join(", ")
            )),
            Some(_) => return Ok(name.into()),
            None => agents.problem_of(name).map(Into::into),
        };
        if let Some(why) = why {
            let refuse = move |_: &str| Err::<String, String>(why.clone());
            return refuse.parse_ref(command, argument, value);
        }
        let known: Vec<String> = if self.with_hooks {
            built_in.into_iter().map(Into::into).collect()
        } else {
            agents.all.iter().map(|agent| agent.name.clone()).collect()
        };
        PossibleValuesParser::new(known).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            self.built_in().into_iter().map(PossibleValue::new),
        ))
    }
}
