//! What tmux remembers of seshes: the [`schema`], [`record`]s, what agents said last, queries and conditional [`write`](mod@write)s.

pub mod heard;
pub mod query;
pub mod record;
pub mod schema;
pub mod value;
pub mod write;

pub use query::{Select, Snapshot, Target};
pub use record::{Place, Record, Values};
pub use schema::Key;
