//! Any pane, registered or not.
//!
//! [`capture`](mod@capture) reads its text, [`since`](mod@since) reads what is new after a
//! [cursor](mod@capture_cursor), and [`output`](mod@output) reads all that panes have printed. [`keys`](mod@keys) types
//! into a pane, and [`deliver`](mod@deliver) sends a message and proves its delivery. [`agent`](mod@agent) finds the
//! agent in a pane and judges its state, and [`resolve`](mod@resolve) reports that agent.

pub mod agent;
pub mod capture;
pub mod capture_cursor;
pub mod deliver;
pub mod given;
pub mod interrupt_keys;
pub mod keys;
mod look;
pub mod output;
pub mod resolve;
pub mod shell;
pub mod since;
pub mod viewers;
