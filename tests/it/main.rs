//! Everything that touches tmux, on real servers of its own. `support` is what the stories are told with.

mod house;
mod support;

mod create;
mod end;
mod moves;
mod races;
mod run;
