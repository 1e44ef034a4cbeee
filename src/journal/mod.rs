//! Writes files. No other module does. There are five kinds: the private command of a new pane ([`launch`]), the data
//! that must outlive the server ([`log`], which consists of [`line`](mod@line)s; [`search`] finds some of them, [`merged`]
//! merges those of one identity), the same for another machine ([`export`]), the failures of unattended programs
//! ([`failures`]), and the configuration of agents ([`settings`]).

pub mod export;
pub mod failures;
mod file;
pub mod launch;
pub mod line;
pub mod log;
pub mod merged;
pub mod search;
pub mod settings;
pub mod start_signal;
