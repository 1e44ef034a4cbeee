//! Any pane, registered or not: [`capture`](mod@capture), [`keys`] and who lives in it ([`resolve`](mod@resolve)).

pub mod capture;
pub mod keys;
pub mod resolve;
