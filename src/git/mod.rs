//! Runs git. No other module does.
//!
//! [`command`] is how git is called, [`repository`] which repository that is, [`objects`] what is computed without a
//! checkout, [`refs`] names that are compared and set, here and at a remote, [`worktree`] the checkouts, and [`diff`] the
//! names of changed files.

pub mod command;
pub mod diff;
pub mod objects;
pub mod refs;
pub mod repository;
pub mod worktree;

pub use command::{GitCommand, GitOutput};
pub use objects::Oid;
pub use repository::Repository;
