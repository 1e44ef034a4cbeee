//! The only writer of files: what a new pane must be told and nobody else may read ([`launch`]), what must outlive the
//! server ([`ledger`] of [`line`]s), what went wrong where nobody watched ([`failures`]), and the configuration of
//! agents ([`settings`]).

pub mod failures;
mod file;
pub mod launch;
pub mod line;
pub mod log;
pub mod settings;
