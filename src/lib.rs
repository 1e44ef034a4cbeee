//! tmux-sesh: tmux itself as the store of sessions.
//!
//! The map, top down; arrows go one way (`tests/it/architecture.rs` holds them):
//!
//! - [`cli`]: one table of helpers, one file each: arguments, glue, exit codes.
//! - [`picker`]: every sesh on one screen, to choose from and to act on; for `cli` alone.
//! - `out`: printing, for `cli` and the picker: tables, JSON, text made harmless for terminals.
//! - [`doctor`]: what is well on this machine and in this server, and what is not; for `cli` alone.
//! - [`sesh`]: the verbs on seshes: create, adopt, change, enter, send, gather, end, reap, restore.
//! - [`watch`]: waiting: one, any or all of a set, from a cursor on. [`runner`]: `sesh-run`, the process in a created pane.
//! - [`inventory`]: what exists now, against what is stored: finding, scanning, reconciling.
//! - [`pane`]: any pane, registered or not: capture, keys, who lives there and what it does.
//! - [`agent`]: the coding CLIs that can live in a pane: one manifest each, recognition, conversations.
//! - [`store`]: what tmux remembers: the schema, records, queries, conditional writes; and what of it outlives the server.
//! - [`journal`]: the only writer of files.
//! - [`proc`]: the only reader of the process table, and the only user of system calls.
//! - [`tmux`]: the only door to tmux.
//! - [`id`], [`state`], [`env`](mod@env), [`error`], [`clock`]: words that identify, what a sesh is doing, the environment,
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
pub mod watch;
