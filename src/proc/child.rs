//! Runs a command in place of this process: it has the terminal and the output, and gets the signals.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::iterator::Signals;

use super::job::End;
use super::table;

/// Signals that are sent to this process, and meant for the command.
const PASSED_ON: [Signal; 4] = [
    Signal::SIGHUP,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];
/// Signals that a terminal sends to the command too. This process has to outlive it.
const OF_TERMINAL: [Signal; 2] = [Signal::SIGINT, Signal::SIGQUIT];

/// Runs a command to its end. The command is in the process group of this process, and a signal that would end this process
/// ends the command instead. What this process ignores stays ignored.
///
/// # Errors
/// The command cannot be started.
pub fn run(command: &mut Command) -> io::Result<End> {
    let own = std::process::id().cast_signed();
    let caught = PASSED_ON
        .into_iter()
        .chain(OF_TERMINAL)
        .map(|signal| signal as i32)
        .filter(|signal| !table::ignores(own, *signal));
    let mut signals = Signals::new(caught)?;
    let mut child = command.spawn()?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let handle = signals.handle();
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in signals.forever() {
                let signal = Signal::try_from(number);
                if let Some(signal) = signal.ok().filter(|signal| PASSED_ON.contains(signal)) {
                    let _ = kill(pid, signal);
                }
            }
        });
        let status = child.wait();
        handle.close();
        status
    })?;
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    })
}
