//! What tmux remembers of seshes: the [`schema`], [`record`]s, what agents said last ([`heard`]), [`target`]s, [`query`]s
//! and their [`condition`]s, and conditional [`write`](mod@write)s; and what outlives the server: [`note`](mod@note)s that are
//! [`append`]ed to the journal, what the journal has ([`durable`]), and what was missed ([`backfill`]).

pub mod append;
pub mod backfill;
pub mod bound;
pub mod condition;
pub mod durable;
pub mod generated_name;
pub mod heard;
pub mod hold;
pub mod kept;
pub mod lease;
pub mod limit;
pub mod note;
pub mod pending_restore;
pub mod prior;
pub mod query;
pub mod record;
pub mod schema;
pub mod setting;
pub mod target;
pub mod value;
pub mod write;

pub use bound::Bound;
pub use query::{Select, Snapshot};
pub use record::{Place, Record, Values};
pub use schema::Key;
pub use target::Target;
