//! Any pane, registered or not: [`capture`](mod@capture), what is new in it [`since`](mod@since) a [`mark`], all its
//! [`output`], [`keys`], a message that is proven to arrive ([`deliver`](mod@deliver)), who lives in it and what that does
//! ([`agent`](mod@resident)),
//! and that as an answer of its own ([`resolve`](mod@resolve)).

pub mod agent;
pub mod capture;
pub mod capture_cursor;
pub mod deliver;
pub mod keys;
mod look;
pub mod output;
pub mod resolve;
pub mod since;
