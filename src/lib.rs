//! tmux-sesh: tmux itself as the store of sessions.
//!
//! The map, top down; arrows go one way (`tests/it/house.rs` holds them):
//!
//! - [`cli`]: one table of helpers, one file each: arguments, glue, exit codes.
//! - [`picker`]: every sesh on one screen, to choose from and to act on; for `cli` alone.
//! - `out`: printing, for `cli` and the picker: tables, JSON, text made harmless for terminals.
//! - [`sesh`]: the life of a sesh: create, run, adopt, find, change, enter, end, reap; doctor.
//! - [`watch`]: waiting: one, any or all of a set, from a cursor on.
//! - [`pane`]: any pane, registered or not: capture, keys, who lives there and what it does.
//! - [`agent`]: the coding CLIs that can live in a pane: one manifest each, recognition, conversations.
//! - [`store`]: what tmux remembers: the schema, records, queries, conditional writes; and what of it outlives the server.
//! - [`journal`]: the only writer of files.
//! - [`proc`]: the only reader of the process table, and the only user of system calls.
//! - [`tmux`]: the only door to tmux.
//! - [`id`], [`state`], [`env`](mod@env), [`error`]: words that identify, what a sesh is doing, the environment, errors
//!   with their exit codes.

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

pub mod agent;
pub mod cli;
pub mod env;
pub mod error;
pub mod id;
pub mod journal;
mod out;
pub mod pane;
pub mod picker;
pub mod proc;
pub mod sesh;
pub mod state;
pub mod store;
pub mod tmux;
pub mod watch;
