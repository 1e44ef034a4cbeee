//! The only writer of files: what a new pane must be told and nobody else may read ([`launch`]), and what went wrong
//! where nobody watched ([`failures`]).

pub mod failures;
pub mod launch;
