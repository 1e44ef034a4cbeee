//! What exists now, against what is stored: [`find`] reads seshes as they are at this moment, [`scan`] finds what differs,
//! and [`reconcile`] mends it. Agents that were started by hand become seshes here (`auto_adopt`).

mod agent_difference;
mod auto_adopt;
mod book;
pub mod change;
pub mod find;
mod pane;
pub mod reconcile;
mod returned;
pub mod scan;
