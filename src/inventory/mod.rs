//! Compares what exists now with what is stored: [`find`] reads seshes as they are at this moment, [`scan`] finds the
//! differences, and [`reconcile`] repairs them. `auto_adopt` registers agents that were started by hand.

mod agent_difference;
mod auto_adopt;
mod book;
pub mod change;
pub mod find;
mod pane;
pub mod reconcile;
mod returned;
pub mod scan;
