//! Writes files. No other module does. There are these kinds: the private command of a new pane ([`launch`]), the data
//! that must outlive the server ([`log`], which consists of [`line`](mod@line)s; [`search`] finds some of them, [`merged`]
//! merges those of one identity), the same for another machine ([`export`]), the failures of unattended programs
//! ([`failures`]), the configuration of agents ([`settings`]), and the prompt and the result of a headless turn
//! ([`turn_files`]). [`worktree_files`] is what a new
//! worktree needs. [`lines_file`] is a file that several processes append to: the journal, or the ledger of a
//! repository.

pub mod export;
pub mod exported_file;
pub mod failures;
mod file;
pub mod landing_files;
pub mod launch;
pub mod line;
pub mod lines_file;
pub mod lock_file;
pub mod log;
pub mod merged;
pub mod search;
pub mod settings;
pub mod start_signal;
pub mod turn_files;
pub mod worktree_files;
