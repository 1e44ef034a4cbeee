//! Everything that touches tmux, on real servers of its own. `support` is what the stories are told with.

mod house;
mod support;

mod adopt;
mod capture;
mod change;
mod create;
mod docs;
mod end;
mod enter;
mod errors;
mod find;
mod keys;
mod list;
mod moves;
mod questions;
mod races;
mod resolve;
mod run;
mod values;
