//! Signals to others.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, kill, killpg, raise};
use nix::unistd::Pid;

use super::table;
pub use nix::sys::signal::Signal;

/// Sends a signal to one process. `false` when there is none, or it is not ours.
#[must_use]
pub fn to_process(pid: i32, signal: Signal) -> bool {
    pid > 1 && kill(Pid::from_raw(pid), signal).is_ok()
}

/// Sends a signal to a process group. `false` when there is none, or it is not ours.
#[must_use]
pub fn to_group(group: i32, signal: Signal) -> bool {
    group > 1 && killpg(Pid::from_raw(group), signal).is_ok()
}

/// Whether a process group has members, zombies too.
#[must_use]
pub fn group_exists(group: i32) -> bool {
    group > 0 && killpg(Pid::from_raw(group), None) != Err(Errno::ESRCH)
}

/// From here on HUP and TERM do not end this process: it is about to end the terminal that it runs in, and
/// has more to do.
pub fn outlive_the_terminal() {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGHUP);
    mask.add(Signal::SIGTERM);
    let _ = mask.thread_block();
}

/// Calls `then` once, instead of ending, when this process is to end: HUP, INT or TERM, less those that it ignores. To be
/// called before any thread is started; what is run from here takes the signals as ever.
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

/// Ends this process as a signal that was caught would have.
pub fn end_by(signal: Signal) -> ! {
    let mut mask = SigSet::empty();
    mask.add(signal);
    let _ = mask.thread_unblock();
    let _ = raise(signal);
    // It is ignored by now.
    std::process::exit(128 + signal as i32)
}

/// The short name of a signal: `HUP`.
#[must_use]
pub fn name(number: i32) -> String {
    Signal::try_from(number).map_or_else(
        |_| number.to_string(),
        |signal| signal.as_str().trim_start_matches("SIG").to_string(),
    )
}
