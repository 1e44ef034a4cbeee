//! What a sesh is doing, and why it waits: the words of `@sesh_state` and `@sesh_why`, which are public.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the sesh is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Starting,
    Busy,
    Waiting,
    Idle,
    Exited,
    Unknown,
}

impl State {
    pub const ALL: [State; 6] = [
        State::Starting,
        State::Busy,
        State::Waiting,
        State::Idle,
        State::Exited,
        State::Unknown,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Busy => "busy",
            State::Waiting => "waiting",
            State::Idle => "idle",
            State::Exited => "exited",
            State::Unknown => "unknown",
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(())
    }
}

/// What an agent that waits wants of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// To approve what it is about to do.
    Permission,
    /// To answer.
    Question,
    /// To say that it may work in this folder, or with these hooks.
    Trust,
    Login,
    /// Nothing: the person opened a menu of the agent's. It takes what is typed, so nothing may be sent, but it is
    /// not counted and nobody is told.
    Dialog,
}

impl Why {
    pub const ALL: [Why; 5] = [
        Why::Permission,
        Why::Question,
        Why::Trust,
        Why::Login,
        Why::Dialog,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Permission => "permission",
            Why::Question => "question",
            Why::Trust => "trust",
            Why::Login => "login",
            Why::Dialog => "dialog",
        }
    }
}

impl FromStr for Why {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|why| why.as_str() == text)
            .ok_or(())
    }
}
