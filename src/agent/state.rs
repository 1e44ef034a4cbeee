use super::manifest::Agent;
use super::screen::Screen;
use crate::state::{State, Why};
pub struct Evidence<'a> {
    pub agent: &'a Agent,
    pub stopped: bool,
    pub in_front: bool,
    pub title: &'a str,
    pub screen: Option<&'a Screen>,
    pub session: Option<Session>,
    pub report: Option<Report>,
    pub now: u64,
}
#[derive(Clone)]
pub struct Session {
    pub status: String,
    pub waiting_for: Option<String>,
    pub at: Option<u64>,
}
#[derive(Clone)]
pub struct Report {
    pub state: State,
    pub why: Option<Why>,
    pub event: String,
    pub at: u64,
}
pub struct Verdict {
    pub state: State,
    pub why: Option<Why>,
    pub by: Authority,
}
#[derive(Clone, Copy)]
pub enum Authority {
    Screen,
}
impl Authority {
    pub fn as_str(self) -> &'static str {
        "screen"
    }
}
pub struct Explanation;
pub fn judge(_: &Evidence) -> Verdict {
    Verdict {
        state: State::Idle,
        why: None,
        by: Authority::Screen,
    }
}
pub fn explain(_: &Evidence) -> Explanation {
    Explanation
}
