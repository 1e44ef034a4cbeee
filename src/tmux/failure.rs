//! Converts a failure of tmux to an error. No other module reads what tmux prints on stderr.

use super::version::{FLOOR, Version};
use crate::error::{Error, ErrorKind, Exit};

/// Returns the error for a message of tmux. `names` are the names of the commands that were run, `socket` is that of
/// the server.
pub(super) fn read(stderr: &str, names: &str, socket: &str) -> Error {
    const NO_SERVER: [&str; 5] = [
        "no server running",
        "error connecting to",
        "lost server",
        "server exited",
        "failed to connect",
    ];
    if NO_SERVER.iter().any(|words| stderr.contains(words)) {
        // tmux prints the socket again, and then the reason that the system gave.
        let why = stderr
            .rsplit_once(" (")
            .and_then(|(_, why)| why.strip_suffix(')'));
        return Error::new(
            Exit::NoServer,
            match why {
                Some(why) => format!("no tmux server at {socket}: {why}"),
                None => format!("no tmux server at {socket}"),
            },
        );
    }
    let error = if stderr.contains("can't find") || stderr.contains("no current") {
        Error::nothing(format!("tmux: {stderr}"))
    } else {
        Error::failed(format!("tmux refused {names}: {stderr}"))
    };
    error.of_kind(kind(stderr))
}

/// Returns the kind of a failure. If several texts match, the first one counts.
fn kind(stderr: &str) -> ErrorKind {
    const KINDS: [(&str, ErrorKind); 7] = [
        ("duplicate session", ErrorKind::DuplicateSession),
        ("no current", ErrorKind::EmptyServer),
        ("can't find pane", ErrorKind::NoSuchPane),
        ("no space for new pane", ErrorKind::NoRoom),
        ("pane too small", ErrorKind::NoRoom),
        ("size or position", ErrorKind::NoRoom),
        ("client is read-only", ErrorKind::ReadOnly),
    ];
    let matching = KINDS.iter().find(|(words, _)| stderr.contains(words));
    matching.map_or(ErrorKind::Other, |(_, kind)| *kind)
}

/// Returns whether a message of tmux means that the server has closed the connection.
pub(super) fn is_hang_up(stderr: &str) -> bool {
    stderr.contains("server exited unexpectedly")
}

/// Returns the error that the server at a socket has closed the connection. `in_doubt`: it had got a change.
pub(super) fn hung_up(socket: &str, in_doubt: bool) -> Error {
    let why = format!(
        "the tmux server at {socket} hung up: it has ended, or has another version than this tmux (3.5 and older \
         cannot talk to 3.6 and newer)"
    );
    let error = if in_doubt {
        Error::new(
            Exit::Unconfirmed,
            format!("unknown whether it was done: {why}"),
        )
    } else {
        Error::new(Exit::NoServer, why)
    };
    error.of_kind(ErrorKind::HungUp)
}

pub(super) fn too_old(version: Version) -> Error {
    Error::new(
        Exit::NoTmux,
        format!("tmux {version} is too old: tmux-sesh needs {FLOOR} or newer"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn errors_for_messages_of_tmux() {
        for (stderr, exit, kind) in [
            ("no current target", Exit::Nothing, ErrorKind::EmptyServer),
            ("no current client", Exit::Nothing, ErrorKind::EmptyServer),
            ("can't find pane: %7", Exit::Nothing, ErrorKind::NoSuchPane),
            ("can't find window: 7", Exit::Nothing, ErrorKind::Other),
            (
                "duplicate session: no",
                Exit::Failed,
                ErrorKind::DuplicateSession,
            ),
            (
                "create pane failed: pane too small",
                Exit::Failed,
                ErrorKind::NoRoom,
            ),
            ("client is read-only", Exit::Failed, ErrorKind::ReadOnly),
            ("no server running on /x", Exit::NoServer, ErrorKind::Other),
            ("out of luck", Exit::Failed, ErrorKind::Other),
        ] {
            let error = read(stderr, "list-panes", "/x");
            assert_eq!((error.exit, error.kind), (exit, kind), "{stderr}");
        }
        let error = read("error connecting to /x (No such file)", "list-panes", "/x");
        assert_eq!(error.to_string(), "no tmux server at /x: No such file");
        let error = read("out of luck", "list-panes", "/x");
        assert_eq!(error.to_string(), "tmux refused list-panes: out of luck");
    }
}
