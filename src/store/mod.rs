//! What tmux remembers of seshes: the [`schema`], [`record`]s, what agents said last ([`heard`]), [`target`]s, [`query`]s
//! and their [`condition`]s, and the commands of conditional [`write`](mod@write)s; and what outlives the server:
//! [`note`](mod@note)s for the journal, what the journal has ([`durable`]), and what was missed ([`backfill`]).
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
pub mod hold;
pub mod hook_report;
pub mod kept;
pub mod lease;
pub mod limit;
pub mod note;
pub mod pending_restore;
pub mod prior;
pub mod query;
pub mod record;
pub mod schema;
pub mod second;
pub mod setting;
pub mod tail;
pub mod target;
pub mod value;
pub mod write;

pub use bound::Binding;
pub use query::{Select, Snapshot};
pub use record::{Place, Record, Values};
pub use schema::Key;
pub use target::Target;
