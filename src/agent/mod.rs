//! The coding CLIs that can run in a pane:
//!
//! - which kinds exist ([`kinds`]), and how each is described ([`manifest`]);
//! - which agent runs in a pane ([`recognise`]), and in which conversation ([`conversation`]);
//! - what is on its screen ([`screen`]) and in its composer ([`composer`]);
//! - what can be typed to it ([`message`]);
//! - what its hooks report ([`report`]), and what it prints without a terminal ([`headless`]);
//! - its state ([`state`]), and why it has that state ([`explain`]).
//!
//! The functions take text, titles and processes, never a server.

pub mod composer;
pub mod conversation;
pub mod explain;
pub mod headless;
pub mod hooks;
pub mod kinds;
pub mod locate;
pub mod manifest;
mod mark;
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
pub mod turn_setting;
