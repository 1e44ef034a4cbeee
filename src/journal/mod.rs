//! The only writer of files. For now: what a new pane must be told and nobody else may read.

pub mod launch;
