//! Everything that touches tmux, on real servers of its own. `support` is what the stories are told with.

mod house;
mod support;

mod adopt;
mod capture;
mod change;
mod create;
mod docs;
mod doctor;
mod end;
mod enter;
mod errors;
mod find;
mod gather;
mod hooks;
mod keys;
mod list;
mod moves;
mod papers;
mod plugin;
mod plugin_hooks;
mod plugin_hostile;
mod plugin_install;
mod plugin_tpm;
mod questions;
mod races;
mod real;
mod reap;
mod recipes;
mod report;
mod resolve;
mod run;
mod send;
mod state;
mod values;
mod wait;
