//! The life of a sesh: [`create`], [`run`], [`adopt`], [`find`], [`gather`](mod@gather), [`change`], [`enter`], [`end`],
//! [`restore`], [`resurrect`], [`send`](mod@send), [`words`](mod@words), [`explain`](mod@explain), [`reap`], [`report`](mod@report),
//! [`hooks`], [`doctor`].

pub mod adopt;
pub mod change;
pub mod create;
pub mod doctor;
pub mod end;
pub mod enter;
pub mod explain;
pub mod find;
pub mod gather;
mod hold;
pub mod hooks;
mod limit;
pub mod lost;
mod made_up;
mod past;
pub mod place;
pub mod reap;
pub mod report;
pub mod restore;
pub mod resurrect;
pub mod run;
pub mod save;
pub mod send;
pub mod words;
