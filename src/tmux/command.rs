//! Single tmux commands as words. tmux_interface 0.4.0 builds them. This module corrects its errors: the crate passes
//! the command of a pane as one string for a shell, never writes `--`, and has no `send-keys -c`.

use tmux_interface::{
    AttachSession, CapturePane, ChooseTree, DisplayMessage, JoinPane, KillPane, ListClients,
    ListPanes, NewSession, NewWindow, RefreshClient, RenameWindow, ResizeWindow, SetEnvironment,
    SetOption, StartServer, SwitchClient, TmuxCommand,
};

use super::Batch;
use super::step::{Carrier, NEVER_SET, Step};
use crate::id::PaneId;

/// One tmux command, or a branch of the list that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub(super) step: Step,
    /// Whether it may run twice, mostly because it changes nothing.
    pub(super) repeatable: bool,
}

impl From<TmuxCommand<'_>> for Command {
    fn from(built: TmuxCommand<'_>) -> Self {
        Self::of(built.to_vec())
    }
}

impl Command {
    pub(super) fn of(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self {
            step: Step::Plain(words, Carrier::None),
            repeatable: false,
        }
    }

    /// Returns the names of the commands that it runs, for errors.
    pub(super) fn names(&self) -> Vec<&str> {
        match &self.step {
            Step::Plain(words, _) => words.first().map(String::as_str).into_iter().collect(),
            Step::Branch {
                then, otherwise, ..
            } => [then, otherwise]
                .into_iter()
                .flat_map(|batch| batch.0.iter().flat_map(Command::names))
                .collect(),
        }
    }

    /// Returns its words; none if it is a branch.
    pub(super) fn into_words(self) -> Vec<String> {
        match self.step {
            Step::Plain(words, _) => words,
            Step::Branch { .. } => Vec::new(),
        }
    }

    pub(super) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    fn and(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        if let Step::Plain(words, _) = &mut self.step {
            words.extend(more.into_iter().map(Into::into));
        }
        self
    }

    /// Returns the command with a carrier. `carrier` receives the number of its words.
    fn carried_by(mut self, carrier: impl FnOnce(usize) -> Carrier) -> Self {
        if let Step::Plain(words, present) = &mut self.step {
            *present = carrier(words.len());
        }
        self
    }

    /// Returns a command that sets an option: the name and the value are its last words.
    fn setting(built: TmuxCommand<'_>) -> Self {
        Self::from(built).carried_by(|words| Carrier::Option(words - 2))
    }

    /// Returns a command that unsets an option: the name is its last word.
    fn unsetting(built: TmuxCommand<'_>) -> Self {
        Self::from(built).carried_by(|words| Carrier::Option(words - 1))
    }
}

/// Lists all panes of the server, or those for which `filter` is true.
#[must_use]
pub fn list_panes(format: &str, filter: Option<&str>) -> Command {
    let command = ListPanes::new().all().format(format);
    let built = match filter {
        Some(filter) => command.filter(filter).build(),
        None => command.build(),
    };
    Command::from(built).repeatable()
}

/// Lists the clients that are attached to a session, or all clients.
#[must_use]
pub fn list_clients(format: &str, session: Option<&str>) -> Command {
    let command = ListClients::new().format(format);
    let built = match session {
        Some(session) => command.target_session(session).build(),
        None => command.build(),
    };
    Command::from(built).repeatable()
}

/// Prints a format, expanded for a target. For a target that is gone, tmux prints empty fields and exits with 0.
#[must_use]
pub fn print(target: Option<&str>, format: &str) -> Command {
    let command = DisplayMessage::new().print();
    let command = match target {
        Some(target) => command.target_pane(target),
        None => command,
    };
    Command::from(command.message(format).build())
        .carried_by(|words| Carrier::Print(words - 1))
        .repeatable()
}

/// Sets a pane option. `target` is any tmux pane target: `%3`, or `=session:=window`.
#[must_use]
pub fn set_pane(target: &str, name: &str, value: &str) -> Command {
    Command::setting(
        SetOption::new()
            .pane()
            .quiet()
            .target_pane(target)
            .option(name)
            .value(value)
            .build(),
    )
}

/// Sets a pane option to what `format` expands to for that pane.
#[must_use]
pub fn set_pane_expanded(target: &str, name: &str, format: &str) -> Command {
    Command::setting(
        SetOption::new()
            .pane()
            .quiet()
            .format()
            .target_pane(target)
            .option(name)
            .value(format)
            .build(),
    )
}

/// Appends a value to a pane option, without expansion.
#[must_use]
pub fn append_pane(target: &str, name: &str, value: &str) -> Command {
    Command::setting(
        SetOption::new()
            .append()
            .pane()
            .quiet()
            .target_pane(target)
            .option(name)
            .value(value)
            .build(),
    )
}

#[must_use]
pub fn unset_pane(target: &str, name: &str) -> Command {
    Command::unsetting(
        SetOption::new()
            .pane()
            .quiet()
            .unset()
            .target_pane(target)
            .option(name)
            .build(),
    )
}

#[must_use]
pub fn set_server(name: &str, value: &str) -> Command {
    Command::setting(SetOption::new().server().option(name).value(value).build())
}

/// Sets a server option to what `format` expands to for `pane`.
#[must_use]
pub fn set_server_expanded(pane: &str, name: &str, format: &str) -> Command {
    Command::setting(
        SetOption::new()
            .server()
            .format()
            .target_pane(pane)
            .option(name)
            .value(format)
            .build(),
    )
}

/// Sets a server option to what `format` expands to. The format must not depend on a pane.
#[must_use]
pub fn set_server_computed(name: &str, format: &str) -> Command {
    Command::setting(
        SetOption::new()
            .server()
            .format()
            .option(name)
            .value(format)
            .build(),
    )
}

/// Appends the expansion of `format` to a server option.
#[must_use]
pub fn append_server(name: &str, format: &str) -> Command {
    Command::setting(
        SetOption::new()
            .append()
            .server()
            .format()
            .option(name)
            .value(format)
            .build(),
    )
}

#[must_use]
pub fn unset_server(name: &str) -> Command {
    Command::unsetting(SetOption::new().server().unset().option(name).build())
}

#[must_use]
pub fn unset_window(target: &str, name: &str) -> Command {
    Command::unsetting(
        SetOption::new()
            .window()
            .unset()
            .target_pane(target)
            .option(name)
            .build(),
    )
}

/// Sets a hidden variable of the global environment. Formats can read it, processes do not inherit it, and setting it
/// causes no redraw.
#[must_use]
pub fn set_hidden(name: &str, value: &str) -> Command {
    let built = SetEnvironment::new()
        .hidden()
        .global()
        .name(name)
        .value(value)
        .build();
    Command::from(built).carried_by(|words| Carrier::Hidden {
        value: words - 1,
        expanded: false,
    })
}

/// Sets a hidden variable to what `format` expands to.
#[must_use]
pub fn set_hidden_expanded(name: &str, format: &str) -> Command {
    let built = SetEnvironment::new()
        .expand()
        .hidden()
        .global()
        .name(name)
        .value(format)
        .build();
    Command::from(built).carried_by(|words| Carrier::Hidden {
        value: words - 1,
        expanded: true,
    })
}

/// Sets a hidden variable to what `format` expands to for a pane.
#[must_use]
pub fn set_hidden_for(pane: &str, name: &str, format: &str) -> Command {
    // A pane is also a valid target for a session, and tmux expands the format for the pane: 3.2a to 3.7c.
    Command::of(["set-environment", "-ghF", "-t", pane, name, format]).carried_by(|words| {
        Carrier::Hidden {
            value: words - 1,
            expanded: true,
        }
    })
}

#[must_use]
pub fn unset_hidden(name: &str) -> Command {
    SetEnvironment::new()
        .hidden()
        .global()
        .unset()
        .name(name)
        .build()
        .into()
}

/// Makes a pane close when its process ends, even if the global option of the user differs.
#[must_use]
pub fn close_dead_pane(target: &str) -> Command {
    set_pane(target, "remain-on-exit", "off")
}

/// Keeps a session that no client is attached to, even if the global option of the user destroys such sessions.
#[must_use]
pub fn keep_unattached(session: &str) -> Command {
    turn_off(session, "destroy-unattached")
}

/// Makes the clients of a session go to another one when it ends, even if the global option of the user detaches them.
#[must_use]
pub fn keep_clients(session: &str) -> Command {
    turn_off(session, "detach-on-destroy")
}

fn turn_off(session: &str, option: &str) -> Command {
    Command::setting(
        SetOption::new()
            .quiet()
            .target_pane(session)
            .option(option)
            .value("off")
            .build(),
    )
}

/// Runs one of two batches. The server chooses by a format, and no other client runs between the test and the batch.
/// See [`super::branch`] for the commands that the batches may contain.
#[must_use]
pub fn if_format(
    target: Option<&str>,
    condition: &str,
    then: &Batch,
    otherwise: &Batch,
) -> Command {
    Command {
        step: Step::Branch {
            target: target.map(Into::into),
            condition: condition.into(),
            then: then.clone(),
            otherwise: otherwise.clone(),
        },
        repeatable: then.is_repeatable() && otherwise.is_repeatable(),
    }
}

/// Fires the hook `after-set-hook` for a pane in the same list, so that the changes of both cause one redraw. If the
/// pane is gone, the hook is fired for the current one.
///
/// The command unsets a hook that is never set, which changes nothing. It is not `set-hook -R`, because 3.2a dies of it
/// if the pane is gone.
#[must_use]
pub fn fire_after_set_hook(pane: &str) -> Command {
    Command::of(["set-hook", "-gu", "-t", pane, NEVER_SET]).carried_by(|_| Carrier::Harmless)
}

/// Waits until a channel is signalled.
#[must_use]
pub(super) fn wait_for(channel: &str) -> Command {
    Command::of(["wait-for", channel])
}

/// Wakes all clients that wait on a channel. If there is none, tmux keeps the signal for the next one.
#[must_use]
pub fn signal(channel: &str) -> Command {
    Command::of(["wait-for", "-S", channel]).carried_by(|words| Carrier::Signal(words - 1))
}

/// Starts the server if it does not run.
#[must_use]
pub fn start_server() -> Command {
    StartServer::new().build().into()
}

/// Creates a detached session whose one pane runs `argv` without a shell.
#[must_use]
pub fn new_session(session: &str, window: &str, size: (u16, u16), argv: &[String]) -> Command {
    let (columns, rows) = size;
    let command = NewSession::new()
        .detached()
        .session_name(session)
        .window_name(window)
        .width(columns.into())
        .height(rows.into());
    Command::from(command.build())
        .and(["--"])
        .and(argv.iter().cloned())
}

/// Creates a detached window whose one pane runs `argv` without a shell. `session` is an exact target.
#[must_use]
pub fn new_window(session: &str, window: &str, argv: &[String]) -> Command {
    let command = NewWindow::new()
        .detached()
        .target_window(format!("{session}:"))
        .window_name(window);
    Command::from(command.build())
        .and(["--"])
        .and(argv.iter().cloned())
}

#[must_use]
pub fn rename_window(target: &str, name: &str) -> Command {
    RenameWindow::new()
        .target_window(target)
        .new_name(name)
        .build()
        .into()
}

/// Moves a pane beside another one, without making it the active pane.
#[must_use]
pub fn join_pane(source: &str, beside: &str, horizontal: bool, size: Option<u16>) -> Command {
    let command = JoinPane::new().detached();
    let command = if horizontal {
        command.horizontal()
    } else {
        command.vertical()
    };
    let command = Command::from(command.src_pane(source).dst_pane(beside).build());
    match size {
        Some(cells) => command.and(["-l".into(), cells.to_string()]),
        None => command,
    }
}

#[must_use]
pub fn resize_window(target: &str, columns: u16, rows: u16) -> Command {
    ResizeWindow::new()
        .target_window(target)
        .width(columns.into())
        .height(rows.into())
        .build()
        .into()
}

#[must_use]
pub fn kill_pane(pane: PaneId) -> Command {
    KillPane::new().target_pane(pane.to_string()).build().into()
}

/// Prints the text of a pane, starting at a line: 0 is the top of the screen, a negative number is in the history, `-`
/// is the oldest line. `pane` and `from` may be formats.
#[must_use]
pub fn capture_pane(pane: &str, from: &str, styled: bool, joined: bool) -> Command {
    let mut command = CapturePane::new().stdout();
    if styled {
        command = command.escape_sequences();
    }
    if joined {
        command = command.join();
    }
    Command::from(command.start_line(from).target_pane(pane).build()).repeatable()
}

/// Prints the saved screen of a pane in which a full-screen program runs, lines joined. Prints nothing if no such
/// program runs.
#[must_use]
pub fn capture_saved(pane: &str) -> Command {
    let command = CapturePane::new()
        .stdout()
        .alternate_screen()
        .quiet()
        .join();
    Command::from(command.target_pane(pane).build()).repeatable()
}

/// The client as which `send-keys` acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActingClient {
    /// The one that tmux chooses.
    Default,
    /// None (3.4 and later).
    None,
}

impl ActingClient {
    fn words(self) -> &'static [&'static str] {
        match self {
            ActingClient::Default => &[],
            ActingClient::None => &["-c", ""],
        }
    }
}

/// Sends keys, given by their names in tmux.
#[must_use]
pub fn send_keys(pane: PaneId, client: ActingClient, repeat: u16, keys: &[String]) -> Command {
    let mut words = vec!["send-keys".to_string()];
    if repeat > 1 {
        words.extend(["-N".into(), repeat.to_string()]);
    }
    Command::of(words)
        .and(client.words().iter().copied())
        .and(["-t".into(), pane.to_string(), "--".into()])
        .and(keys.iter().cloned())
}

/// Sends text without interpreting key names.
#[must_use]
pub fn send_text(pane: PaneId, client: ActingClient, text: &str) -> Command {
    Command::of(["send-keys", "-l"])
        .and(client.words().iter().copied())
        .and(["-t", &pane.to_string(), "--", text])
}

/// Loads the standard input of the client into a buffer.
#[must_use]
pub fn load_buffer(buffer: &str) -> Command {
    Command::of(["load-buffer", "-b", buffer, "-"])
}

/// Pastes a buffer and deletes it. Uses bracketed paste if the program requested it, and leaves line feeds unchanged.
///
/// Do not use it on a dead pane: tmux up to 3.3a dies of it (tmux#3830).
#[must_use]
pub fn paste(pane: PaneId, buffer: &str) -> Command {
    let pane = pane.to_string();
    Command::of(["paste-buffer", "-p", "-r", "-d", "-b", buffer, "-t", &pane])
}

/// Sends a buffer as keys and deletes it. Each line feed is Enter. Unlike other keys, it reaches the program in copy
/// mode too.
#[must_use]
pub fn paste_as_keys(pane: PaneId, buffer: &str) -> Command {
    let pane = pane.to_string();
    Command::of(["paste-buffer", "-d", "-b", buffer, "-t", &pane])
}

/// Types a buffer and deletes it: line feeds are no carriage returns. `escapes`: tmux 3.7 and later would show control
/// characters in place of typing them.
#[must_use]
pub fn type_buffer(pane: PaneId, buffer: &str, escapes: bool) -> Command {
    let pane = pane.to_string();
    let raw = escapes.then_some("-S");
    Command::of(["paste-buffer", "-r", "-d"])
        .and(raw)
        .and(["-b", buffer, "-t", &pane])
}

#[must_use]
pub fn set_buffer(buffer: &str, text: &str) -> Command {
    Command::of(["set-buffer", "-b", buffer, "--", text])
}

#[must_use]
pub fn delete_buffer(buffer: &str) -> Command {
    Command::of(["delete-buffer", "-b", buffer])
}

/// Leaves copy mode or any other mode of a pane.
#[must_use]
pub fn leave_mode(pane: PaneId) -> Command {
    Command::of(["copy-mode", "-q", "-t", &pane.to_string()])
}

/// Shows a pane on a client: selects its session, its window and the pane.
#[must_use]
pub fn switch_client(client: &str, target: &str) -> Command {
    SwitchClient::new()
        .target_client(client)
        .target_session(target)
        .build()
        .into()
}

/// Makes a client read-only. `switch-client -r` would only toggle this.
#[must_use]
pub fn make_read_only(client: &str) -> Command {
    let command = RefreshClient::new().target_client(client).build();
    Command::from(command).and(["-f", "read-only"])
}

#[must_use]
pub fn attach(target: Option<&str>, read_only: bool) -> Command {
    let mut command = AttachSession::new();
    if read_only {
        command = command.read_only();
    }
    if let Some(target) = target {
        command = command.target_session(target);
    }
    command.build().into()
}

/// Opens the chooser of tmux with the panes for which a filter is true.
#[must_use]
pub fn choose_tree(pane: Option<&str>, filter: &str, format: &str) -> Command {
    let mut command = ChooseTree::new().filter(filter).format(format);
    if let Some(pane) = pane {
        command = command.target_pane(pane);
    }
    command.build().into()
}
