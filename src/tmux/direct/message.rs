//! The message types used here, from tmux-protocol.h.

pub(super) const VERSION: u32 = 12;
pub(super) const IDENTIFY_TERM: u32 = 101;
pub(super) const IDENTIFY_TTYNAME: u32 = 102;
pub(super) const IDENTIFY_ENVIRON: u32 = 105;
pub(super) const IDENTIFY_DONE: u32 = 106;
pub(super) const IDENTIFY_CLIENTPID: u32 = 107;
pub(super) const IDENTIFY_CWD: u32 = 108;
pub(super) const IDENTIFY_FEATURES: u32 = 109;
pub(super) const IDENTIFY_LONGFLAGS: u32 = 111;
pub(super) const COMMAND: u32 = 200;
pub(super) const DETACH: u32 = 201;
pub(super) const DETACHKILL: u32 = 202;
pub(super) const EXIT: u32 = 203;
pub(super) const EXITED: u32 = 204;
pub(super) const EXITING: u32 = 205;
pub(super) const SHUTDOWN: u32 = 210;
pub(super) const READ_OPEN: u32 = 300;
pub(super) const READ: u32 = 301;
pub(super) const READ_DONE: u32 = 302;
pub(super) const WRITE_OPEN: u32 = 303;
pub(super) const WRITE: u32 = 304;
pub(super) const WRITE_READY: u32 = 305;
pub(super) const WRITE_CLOSE: u32 = 306;
