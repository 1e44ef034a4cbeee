//! Sends signals, and handles those that end this process.

use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, kill, killpg};
use nix::unistd::Pid;
use signal_hook::iterator::Signals;

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
pub fn block_hangup_and_term() {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGHUP);
    mask.add(Signal::SIGTERM);
    let _ = mask.thread_block();
}

/// Calls `then` once, instead of ending, when this process receives HUP, INT or TERM. Signals that the process ignores
/// remain ignored. Programs that this process starts end by these signals as usual: a handler does not outlive `exec`, as
/// a blocked signal would.
pub fn on_end(then: impl FnOnce(Signal) + Send + 'static) {
    let caught = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]
        .map(|signal| signal as i32)
        .into_iter()
        .filter(|signal| !table::ignores(std::process::id().cast_signed(), *signal));
    if let Ok(mut signals) = Signals::new(caught) {
        std::thread::spawn(move || {
            let signal = signals.forever().next();
            if let Some(Ok(signal)) = signal.map(Signal::try_from) {
                then(signal);
            }
        });
    }
}

/// Makes a write beyond the size limit of files (`ulimit -f`) an error of that write, as one to a full disk is. The signal
/// would end this process in the middle of its work. Programs that this process starts are not concerned: a handler does
/// not outlive `exec`.
pub fn survive_file_size_limit() {
    let _ = signal_hook::flag::register(Signal::SIGXFSZ as i32, Arc::default());
}

/// Ends this process as an uncaught signal would have.
pub fn end_by(signal: Signal) -> ! {
    let number = signal as i32;
    let _ = signal_hook::low_level::emulate_default_handler(number);
    // The process still runs, because it ignores the signal.
    std::process::exit(128 + number)
}

/// Ends this process with an exit code, from any thread.
pub fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}

/// Returns the short name of a signal, such as `HUP`.
#[must_use]
pub fn name(number: i32) -> String {
    Signal::try_from(number).map_or_else(
        |_| number.to_string(),
        |signal| signal.as_str().trim_start_matches("SIG").to_string(),
    )
}
