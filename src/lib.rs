//! tmux-sesh: tmux itself as the store of sessions.
//!
//! The modules, from top to bottom. A module uses only those below it (`tests/it/architecture.rs` enforces this):
//!
//! - [`cli`]: the helpers: one table, and one file for each helper with its arguments, its glue and its exit codes.
//! - [`picker`]: the full-screen picker, which lists every sesh and acts on it; only `cli` uses it.
//! - `out`: printing, for `cli` and the picker: tables, JSON, text that is escaped for terminals.
//! - [`doctor`]: the diagnosis of this machine and of this server; only `cli` uses it.
//! - [`work`]: which sesh works on which item of a repository; claims and their worktrees.
//! - [`sesh`]: the operations on seshes: create, adopt, change, enter, send, gather, end, reap, restore.
//! - [`watch`]: waiting for one, any or all of a set, from a cursor. [`runner`]: `sesh-run`, the process in a created
//!   pane.
//! - [`inventory`]: what exists now, compared with what is stored: finding, scanning, reconciling.
//! - [`pane`]: any pane, registered or not: capture, keys, which agent runs in it and what it does.
//! - [`agent`]: the coding CLIs that can run in a pane: one manifest each, recognition, conversations.
//! - [`store`]: what is stored in tmux: the schema, records, queries, conditional writes; and the part of it that
//!   outlives the server.
//! - [`journal`]: the only module that writes files.
//! - [`transcript`]: reads the files that agents keep of their conversations.
//! - [`git`]: the only module that runs git.
//! - [`proc`]: the only module that reads the process table, and the only one that makes system calls.
//! - [`tmux`]: the only module that sends commands to tmux.
//! - [`id`], [`state`], [`env`](mod@env), [`error`], [`clock`]: names and ids, the states of a sesh, the environment,
//!   errors with their exit codes, the time.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

pub mod agent;
pub mod cli;
pub mod clock;
pub mod doctor;
pub mod env;
pub mod error;
pub mod git;
pub mod id;
pub mod inventory;
pub mod journal;
mod out;
pub mod pane;
pub mod picker;
pub mod proc;
pub mod runner;
pub mod sesh;
pub mod state;
pub mod store;
pub mod tmux;
pub mod transcript;
pub mod watch;
pub mod work;
