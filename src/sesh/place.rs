//! Decides where a new pane goes.

use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, SeshId, shown};
use crate::proc;
use crate::store::{Key, setting};
use crate::tmux::row::formats;
use crate::tmux::{Batch, Frame, Server, command, show};

/// Where a pane is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Where {
    /// Inside tmux as `@sesh-new-in` says, outside tmux a session.
    #[default]
    Default,
    Session,
    Window,
    Split {
        horizontal: bool,
    },
    /// A session, and a window there. They are created when absent.
    At {
        session: String,
        window: Option<String>,
    },
    /// A window of the session where the sesh was. The session is created when it is gone.
    Back {
        session: Option<String>,
    },
}

/// The decided place of a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// Without a label, the sesh's name is shown.
    Session {
        label: Option<String>,
        window: Option<String>,
    },
    Window {
        session: String,
        label: Option<String>,
    },
    Beside {
        session: String,
        pane: PaneId,
        horizontal: bool,
    },
}

/// The caller's position in tmux.
pub(super) struct CallerContext {
    session: String,
    pane: Option<PaneId>,
    pub(super) size: Option<(u16, u16)>,
    new_in: String,
    pub(super) sesh: Option<SeshId>,
    /// The variables that the client of its session has passed on when it attached, and that the caller has as tmux gave
    /// them to its pane. Those without a value, the client did not have.
    pub(super) updated: Vec<(String, Option<String>)>,
}

/// Returns the position of the caller: the session of its pane, or the session of a popup or a hook. Returns `None`
/// outside tmux.
pub(super) fn caller_context(server: &Server) -> Result<Option<CallerContext>> {
    let pane = env::tmux_pane().filter(|_| server.is_own_server());
    let Some(target) = pane
        .map(|pane| pane.to_string())
        .or_else(|| env::tmux_session().filter(|_| server.is_own_server()))
    else {
        return Ok(None);
    };
    let frame = Frame::new();
    let format = frame.format([
        "#{pane_id}",
        "#{session_id}",
        "#{window_width}",
        "#{window_height}",
        &setting::NEW_IN.format(),
        &Key::Id.format(),
        "#{version}",
        "#{pane_pid}",
    ]);
    // tmux takes the session of a pane for these two.
    let question = Batch::from(command::print(Some(&target), &format))
        .then(show::updated_variables(&target))
        .then(command::print(Some(&target), &frame.format([""])))
        .then(show::session_environment(&target));
    let output = match server.run(&question) {
        Ok(output) => output,
        // `$TMUX` names a server that is gone, which counts as outside.
        Err(error) if error.exit == Exit::NoServer => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut sections = frame.sections(&output);
    let (row, patterns) = sections.next().unwrap_or_default();
    let (_, environment) = sections.next().unwrap_or_default();
    let Some([found, session, columns, rows, new_in, sesh, version, first]) =
        <&[&str; 8]>::try_from(&row[..]).ok()
    else {
        return Ok(None);
    };
    crate::tmux::check_floor(version)?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut updated = updated(patterns, environment);
    if let (Some(_), Ok(first)) = (pane, first.parse()) {
        // What the caller has set itself since tmux started its pane is meant so.
        let from_tmux = proc::environment(first);
        updated.retain(|(name, _)| from_tmux.get(name) == env::value(name));
    }
    Ok(Some(CallerContext {
        session: (*session).into(),
        pane,
        size: columns.parse().ok().zip(rows.parse().ok()),
        new_in: (*new_in).into(),
        // A popup or a hook has no pane of its own.
        sesh: pane.and_then(|_| sesh.parse().ok()),
        updated,
    }))
}

/// Returns the variables of a session's environment that its clients pass on, by the names and patterns of
/// `update-environment`.
fn updated(patterns: &str, environment: &str) -> Vec<(String, Option<String>)> {
    let variable = |line: &str| match line.split_once('=') {
        Some((name, value)) => Some((name.to_string(), Some(value.to_string()))),
        None => Some((line.strip_prefix('-')?.to_string(), None)),
    };
    environment
        .lines()
        .filter_map(variable)
        .filter(|(name, _)| patterns.lines().any(|pattern| matches(pattern, name)))
        .collect()
}

/// Returns whether a name matches a pattern, in which a star stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| matches(rest, &name[at..]))
        }),
    }
}

/// Decides where a pane goes.
///
/// # Errors
/// A session or window has an invalid name; a window or a split is wanted outside tmux.
pub(super) fn decide(
    server: &Server,
    wanted: &Where,
    caller: Option<&CallerContext>,
) -> Result<Placement> {
    Ok(match (wanted, caller) {
        (Where::At { session, window }, _) => at(server, session, window.as_deref())?,
        (
            Where::Back {
                session: Some(session),
            },
            _,
        ) => at(server, session, None).or_else(|error| match error.exit {
            // Not every tmux keeps this name unchanged.
            Exit::Usage => Ok(Placement::Session {
                label: None,
                window: None,
            }),
            _ => Err(error),
        })?,
        (Where::Session | Where::Back { session: None }, _) | (Where::Default, None) => {
            Placement::Session {
                label: None,
                window: None,
            }
        }
        (Where::Default, Some(caller)) if caller.new_in == "session" => Placement::Session {
            label: None,
            window: None,
        },
        (Where::Default | Where::Window, Some(caller)) => Placement::Window {
            session: caller.session.clone(),
            label: None,
        },
        (Where::Split { horizontal }, Some(caller)) => Placement::Beside {
            session: caller.session.clone(),
            pane: caller.pane.ok_or_else(|| {
                Error::unusable("no pane to split here: use --target SESSION:WINDOW")
            })?,
            horizontal: *horizontal,
        },
        (Where::Window | Where::Split { .. }, None) => {
            return Err(Error::unusable(
                "not inside tmux: use --session, or --target SESSION[:WINDOW]",
            ));
        }
    })
}

formats! {
    /// A pane with its position.
    struct PaneSpot {
        session_id = "#{session_id}",
        session_name = "#{session_name}",
        window_index = "#{window_index}",
        window_name = "#{window_name}",
        pane = "#{pane_id}",
        /// `1` where it is the active pane of its window.
        active = "#{pane_active}",
    }
}

/// Returns the place that `--target SESSION[:WINDOW]` means now.
fn at(server: &Server, session: &str, window: Option<&str>) -> Result<Placement> {
    let frame = Frame::new();
    let format = frame.format(PaneSpot::FORMATS);
    let output = match server.run(&Batch::from(command::list_panes(&format, None))) {
        Ok(output) => output,
        Err(error) if error.exit == Exit::NoServer => String::new(),
        Err(error) => return Err(error),
    };
    let (rows, _) = frame.read(&output);
    let panes: Vec<PaneSpot<'_>> = rows
        .iter()
        .map(|row| PaneSpot::read(row.iter().copied()))
        .collect();
    let in_session =
        |pane: &&PaneSpot<'_>| pane.session_id == session || pane.session_name == session;
    let Some(found) = panes.iter().find(in_session) else {
        return Ok(Placement::Session {
            label: Some(label(session)?),
            window: window.map(label).transpose()?,
        });
    };
    let id = found.session_id.to_string();
    let Some(window) = window else {
        return Ok(Placement::Window {
            session: id,
            label: None,
        });
    };
    let beside = panes.iter().filter(in_session).find(|pane| {
        let in_window = pane.window_index == window || pane.window_name == window;
        in_window && pane.active == "1"
    });
    if let Some(beside) = beside {
        return Ok(Placement::Beside {
            session: id,
            pane: beside.pane.parse()?,
            horizontal: false,
        });
    }
    Ok(Placement::Window {
        session: id,
        label: Some(label(window)?),
    })
}

/// Returns the text if every tmux keeps it unchanged as the name of a session or a window.
fn label(text: &str) -> Result<String> {
    let kept = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(kept) {
        Ok(text.into())
    } else {
        Err(Error::usage(format!(
            "{} is not a valid session or window name: use letters, digits, - and _",
            shown(text)
        )))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn variables_that_a_client_passes_on() {
        let environment = "SSH_AUTH_SOCK=/a=b\n-DISPLAY\nOWN=1\nFOO_A=1\nFOO=1\n";
        let some = |name: &str, value: &str| (name.to_string(), Some(value.to_string()));
        assert_eq!(
            updated("DISPLAY\nSSH_AUTH_SOCK\nFOO_*\n", environment),
            [
                some("SSH_AUTH_SOCK", "/a=b"),
                ("DISPLAY".into(), None),
                some("FOO_A", "1"),
            ]
        );
        assert!(matches("*_A*", "FOO_AB") && !matches("FOO_*B", "FOO_A"));
    }
}
