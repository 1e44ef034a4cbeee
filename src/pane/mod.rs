//! Any pane, registered or not: [`capture`](mod@capture), [`keys`], who lives in it and what that does ([`resident`](mod@resident)),
//! and that as an answer of its own ([`resolve`](mod@resolve)).

pub mod capture;
pub mod keys;
pub mod resident;
pub mod resolve;
