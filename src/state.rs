//! The values of `@sesh_state` and `@sesh_why`, which are public: what a sesh is doing, and why it waits.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a sesh is doing.
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

/// What a waiting sesh needs from a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Approval of what it is about to do.
    Permission,
    /// An answer.
    Question,
    /// Confirmation that it may work in this folder, or with these hooks.
    Trust,
    Login,
    /// Nothing: the person opened a menu of the agent. The menu receives what is typed, so nothing may be sent. The
    /// sesh is not counted as waiting and causes no notification.
    Dialog,
    /// Enter: the command of the sesh is typed in its pane and has not started.
    Start,
}

impl Why {
    pub const ALL: [Why; 6] = [
        Why::Permission,
        Why::Question,
        Why::Trust,
        Why::Login,
        Why::Dialog,
        Why::Start,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Permission => "permission",
            Why::Question => "question",
            Why::Trust => "trust",
            Why::Login => "login",
            Why::Dialog => "dialog",
            Why::Start => "start",
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
