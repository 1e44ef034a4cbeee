//! Sends signals, and handles those that end this process.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, kill, killpg, raise};
use nix::unistd::Pid;

use super::table;
pub use nix::sys::signal::Signal;

/// Sends a signal to one process. Returns `false` if there is none, or the user may not signal it.
#[must_use]
pub fn to_process(pid: i32, signal: Signal) -> bool {
    pid > 1 && kill(Pid::from_raw(pid), signal).is_ok()
}

/// Sends a signal to a process group. Returns `false` if there is none, or the user may not signal it.
#[must_use]
pub fn to_group(group: i32, signal: Signal) -> bool {
    group > 1 && killpg(Pid::from_raw(group), signal).is_ok()
}

/// Returns whether a process group has members, zombies included.
#[must_use]
pub fn group_exists(group: i32) -> bool {
    group > 0 && killpg(Pid::from_raw(group), None) != Err(Errno::ESRCH)
}

/// Blocks HUP and TERM, so that they do not end this process. It is about to end the terminal that it runs in, and has
/// work left after that.
pub fn outlive_the_terminal() {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGHUP);
    mask.add(Signal::SIGTERM);
    let _ = mask.thread_block();
}

/// Calls `then` once, instead of ending, when this process receives HUP, INT or TERM. Signals that the process ignores
/// remain ignored. Call this before any thread is started. Programs that this process starts inherit the blocked
/// signals (std 1.95).
pub fn on_end(then: impl FnOnce(Signal) + Send + 'static) {
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        if !table::ignores(signal as i32) {
            mask.add(signal);
        }
    }
    if mask.thread_block().is_ok() {
        std::thread::spawn(move || {
            if let Ok(signal) = mask.wait() {
                then(signal);
            }
        });
    }
}

/// Ends this process as an uncaught signal would have.
pub fn end_by(signal: Signal) -> ! {
    let mut mask = SigSet::empty();
    mask.add(signal);
    let _ = mask.thread_unblock();
    let _ = raise(signal);
    // The process still runs, because it ignores the signal.
    std::process::exit(128 + signal as i32)
}

/// Returns the short name of a signal, such as `HUP`.
#[must_use]
pub fn name(number: i32) -> String {
    Signal::try_from(number).map_or_else(
        |_| number.to_string(),
        |signal| signal.as_str().trim_start_matches("SIG").to_string(),
    )
}
