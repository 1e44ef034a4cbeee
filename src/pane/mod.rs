//! Any pane, registered or not: [`capture`](mod@capture), [`keys`], a message that is proven to arrive ([`deliver`](mod@deliver)), who lives in it and what that does ([`resident`](mod@resident)),
//! and that as an answer of its own ([`resolve`](mod@resolve)).

pub mod capture;
pub mod deliver;
pub mod keys;
pub mod resident;
pub mod resolve;
