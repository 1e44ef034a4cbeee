//! The coding CLIs that can live in a pane: which kinds there are ([`kinds`]) and what is known of each ([`manifest`]),
//! which one lives there ([`recognise`]), in which conversation it is ([`conversation`]), what stands on its screen ([`screen`]) and in its
//! composer ([`composer`]), what can be typed to it ([`message`]), what its hooks say ([`report`]), what it is doing
//! ([`state`]) and why that is so
//! ([`explain`]).
//!
//! `agent` is given text, titles and processes, never a server.

pub mod composer;
pub mod conversation;
pub mod explain;
pub mod hooks;
pub mod kinds;
pub mod locate;
pub mod manifest;
pub mod message;
mod program;
pub mod recognise;
#[cfg(test)]
mod recorded;
pub mod report;
pub mod rule;
pub mod screen;
pub mod session;
pub mod state;
pub mod transcript;
