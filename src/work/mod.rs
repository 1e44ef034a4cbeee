//! Work: which sesh works on which item of a repository. The [`ledger`] of the repository decides under its lock; tmux
//! only shows the result.
//!
//! An [`item`] is one piece of work. A sesh that claims it is its [`holder`] until it gives the item back, another sesh
//! takes it over, or it has landed. [`event`] is what the ledger consists of, and [`ledger_state`] what follows from it.

pub mod board;
pub mod board_text;
pub mod caller;
pub mod claim;
pub mod claim_json;
pub mod claimed;
pub mod drop;
pub mod event;
mod foreign_lock;
mod glob;
pub mod grant;
pub mod holder;
pub mod import;
pub mod item;
pub mod landing;
pub mod landing_event;
pub mod landing_json;
pub mod landing_state;
pub mod ledger;
pub mod ledger_state;
pub mod mirror;
pub mod named_lock;
pub mod new_sesh;
pub mod overlap;
pub mod own;
pub mod registry;
pub mod remote_claim;
pub mod repair;
pub mod risk;
pub mod shown_item;
pub mod take;
pub mod workplace;
pub mod worktree;
