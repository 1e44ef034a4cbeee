//! The operations on seshes: [`create`], [`adopt`], [`change`], [`autoname`], [`enter`], [`end`], [`gather`](mod@gather),
//! [`send`](mod@send), [`log`], [`explain`](mod@explain), [`report`](mod@report), [`hooks`], [`reap`](mod@reap),
//! [`save`](mod@save), [`restore`], [`turn`].

pub mod adopt;
pub mod argv;
pub mod autoname;
mod await_command;
pub mod change;
pub mod create;
mod create_request;
pub mod description;
pub mod end;
pub mod enter;
mod environment;
pub mod explain;
pub mod forget;
pub mod gather;
pub mod hooks;
pub mod import;
pub mod interrupt;
pub mod log;
pub mod model;
pub mod place;
pub mod reap;
pub mod register;
pub mod report;
pub mod restore;
pub mod save;
pub mod send;
pub mod turn;
