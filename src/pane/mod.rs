//! Any pane, registered or not: [`capture`](mod@capture) and [`keys`].

pub mod capture;
pub mod keys;
