//! The store of seshes. In tmux it consists of the [`schema`], [`record`]s and the last reports of agents
//! ([`hook_report`]). [`target`]s, [`query`]s and [`condition`]s read it, and conditional [`write`](mod@write)s change
//! it; each change ends with a [`hint`] to those that wait. The journal outlives the server: [`note`](mod@note)s are written to it, [`durable`] reads it, and [`backfill`]
//! writes what it lacks.
//!
//! Every change goes through [`commit`](mod@commit).

mod append;
pub mod backfill;
pub mod bound;
pub mod commit;
pub mod condition;
pub mod durable;
pub mod edit;
pub mod generated_name;
pub mod hint;
pub mod hold;
pub mod hook_report;
pub mod kept;
pub mod lease;
pub mod leave;
pub mod limit;
pub mod lock_mark;
mod lost_socket;
pub mod note;
pub mod origins;
pub mod pending_restore;
pub mod prior;
pub mod query;
pub mod record;
pub mod registration;
pub mod schema;
pub mod second;
pub mod setting;
pub mod tail;
pub mod target;
pub mod value;
pub mod work_mirror;
pub mod write;

pub use bound::Binding;
pub use query::{Select, Snapshot};
pub use record::{Place, Record, Values};
pub use schema::Key;
pub use target::Target;
