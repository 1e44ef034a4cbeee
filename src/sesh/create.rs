//! Creates a sesh: a pane that runs `sesh-run`, its options, and its book record, in one command list.

use std::ffi::OsString;
use std::time::Duration;

use super::await_command::{self, NewPane};
pub use super::create_request::{CreateRequest, RequestedSize};
use super::description::Description;
use super::environment;
use super::place::{self, Placement, Where};
use crate::clock;
use crate::env;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::{Name, SeshId, Tag};
use crate::journal::launch::Launch;
use crate::journal::start_signal::StartSignal;
use crate::state::Why;
use crate::store::commit::{self, commit_in};
use crate::store::condition::{both, name_is_free, record_is};
use crate::store::durable::Journal;
use crate::store::generated_name;
use crate::store::limit;
use crate::store::note::{JournalEvent, Note};
use crate::store::prior::{Prior, name_is_taken};
use crate::store::query::{self, first_pane, row_format};
use crate::store::record::HEADLESS;
use crate::store::target;
use crate::store::{Key, Record, value, write};
use crate::tmux::{Batch, Frame, Server, command};

/// The size of a session that no client shows: columns and rows.
const DEFAULT_SIZE: (u16, u16) = (200, 50);
/// How many generated names or session labels are tried.
const MAX_ATTEMPTS: usize = 100;

/// What will be created.
#[derive(Clone, Debug)]
pub struct Plan {
    request: CreateRequest,
    id: SeshId,
    spot: Placement,
    size: (u16, u16),
    /// The variables that the client of the caller's session has passed on.
    updated: Vec<(String, Option<String>)>,
    label_attempts: usize,
}

/// Decides everything that can be decided before the sesh is created.
///
/// # Errors
/// The identity is that of an exited or a forgotten sesh; a session or window has an invalid name; `--window` or
/// `--split` is used outside tmux.
pub fn plan(server: &Server, mut request: CreateRequest) -> Result<Plan> {
    let id = request.id.unwrap_or_else(SeshId::random);
    // The identity may be that of a sesh of an earlier server, or of a forgotten one. What that sesh did would be
    // attributed to this one.
    if request.id.is_some() && request.prior.is_none() && Journal::of(server, id).has(id) {
        return Err(id_is_taken(id));
    }
    let caller = place::caller_context(server)?;
    // The caller that restores a sesh is not the one that created it.
    let own = caller
        .as_ref()
        .and_then(|caller| caller.sesh)
        .filter(|_| request.prior.is_none());
    request.parent = request.parent.or(own);
    request.owner = request.owner.or(own.map(|id| id.to_string()));
    let spot = place::decide(server, &request.place, caller.as_ref())?;
    if request.fixed && matches!(spot, Placement::Beside { .. }) {
        return Err(Error::usage(
            "that window exists: a split of it cannot keep a size of its own",
        ));
    }
    let (size, updated) =
        caller.map_or_else(Default::default, |caller| (caller.size, caller.updated));
    let fallback = size.or_else(terminal).unwrap_or(DEFAULT_SIZE);
    let size = (
        request.size.columns.unwrap_or(fallback.0),
        request.size.rows.unwrap_or(fallback.1),
    );
    Ok(Plan {
        request,
        id,
        spot,
        size,
        updated,
        label_attempts: 0,
    })
}

impl Plan {
    /// Creates the sesh and returns its record.
    ///
    /// # Errors
    /// [`Exit::Unusable`](crate::error::Exit::Unusable) when the name or the identity is taken. Then nothing is left behind.
    pub fn carry_out(mut self, server: &Server) -> Result<Record> {
        let runner = runner()?;
        for attempt in 0..MAX_ATTEMPTS {
            let name = self.name(attempt);
            let launch = self.launch(server, &name).write()?;
            let signal = StartSignal::of(&launch).inspect_err(|_| Launch::discard(&launch))?;
            let argv = [runner.clone(), "--launch".into(), utf8(&launch)?];
            let outcome =
                limit::check(server, self.request.owner.as_deref()).and_then(|below_limit| {
                    self.try_once(server, &name, &argv, below_limit.as_deref())
                });
            match &outcome {
                Ok(Attempt::Made(..)) => {}
                // The server may still run the list, or has run it.
                Err(error) if error.exit == Exit::Unconfirmed => {}
                _ => Launch::discard(&launch),
            }
            match outcome? {
                Attempt::Made(made) => {
                    let prior = self.request.prior.as_ref();
                    let turn = self.request.turn.as_ref();
                    if let Err(error) = await_command::wait(server, &made, prior, turn, signal) {
                        // Otherwise its pane may still read it.
                        if error.exit != Exit::Unconfirmed {
                            Launch::discard(&launch);
                        }
                        return Err(error);
                    }
                    return Ok(made.record);
                }
                Attempt::NameTaken if self.request.prior.is_some() => {
                    return Err(name_is_taken(name.as_str()));
                }
                Attempt::NameTaken if self.request.name.is_some() => {
                    return Err(Error::unusable(format!(
                        "the name {name} is taken by a live sesh: choose another, or go there with sesh-enter"
                    )));
                }
                Attempt::IdTaken if self.request.prior.is_some() => {
                    return Err(target::changed(self.id));
                }
                Attempt::IdTaken => return Err(id_is_taken(self.id)),
                Attempt::SessionTaken => {
                    // Another process may have created the session meanwhile.
                    let place = &self.request.place;
                    let spot = if matches!(place, Where::At { .. } | Where::Back { .. }) {
                        place::decide(server, place, None)?
                    } else {
                        self.spot.clone()
                    };
                    if spot == self.spot {
                        self.label_attempts += 1;
                    }
                    self.spot = spot;
                }
                Attempt::NameTaken | Attempt::OwnerChanged => {}
            }
        }
        Err(Error::unusable(
            "no free name found: give one as the first argument",
        ))
    }

    /// Returns a description of what would be done.
    ///
    /// # Errors
    /// When `sesh-run` is not installed.
    pub fn describe(&self) -> Result<Description> {
        let runner = runner()?;
        let name = self.name(0);
        let argv = [runner, "--launch".into(), "FILE".into()];
        let spot = match &self.spot {
            Placement::Session { .. } => format!("a new session {}", self.label(&name)),
            Placement::Window { session, .. } => {
                format!("a new window {} in session {session}", self.label(&name))
            }
            Placement::Beside { pane, .. } => format!("a split of pane {pane}"),
        };
        let words = |words: &[OsString]| {
            words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect::<Vec<String>>()
                .join(" ")
        };
        Ok(Description {
            command: if self.request.argv.is_empty() {
                "a login shell".into()
            } else {
                words(&self.request.argv)
            },
            cwd: self.request.cwd.display().to_string(),
            tmux: self.batch(&Frame::new(), &name, &argv, None).text(),
            name: name.to_string(),
            size: format!("{}x{}", self.size.0, self.size.1),
            uuid: self.id.to_string(),
            spot,
        })
    }

    fn name(&self, attempt: usize) -> Name {
        self.request
            .name
            .clone()
            .unwrap_or_else(|| generated_name::name(self.id, attempt))
    }

    fn label(&self, name: &Name) -> String {
        let given = match &self.spot {
            Placement::Session { label, .. } | Placement::Window { label, .. } => label.clone(),
            Placement::Beside { .. } => None,
        };
        let label = given.unwrap_or_else(|| name.label());
        match self.label_attempts {
            0 => label,
            attempt => format!("{label}-{}", attempt + 1),
        }
    }

    /// Returns the final name of the window. Returns `None` when the pane becomes a part of another window.
    fn window_name(&self, name: &Name) -> Option<String> {
        match &self.spot {
            Placement::Session { window, .. } => {
                Some(window.clone().unwrap_or_else(|| name.label()))
            }
            Placement::Window { .. } => Some(self.label(name)),
            Placement::Beside { .. } => None,
        }
    }

    fn launch(&self, server: &Server, name: &Name) -> Launch {
        let mut environment = environment::inherited(&self.updated);
        environment.extend(self.request.variables.iter().cloned());
        environment.push(("SESH_ID".into(), self.id.to_string().into()));
        environment.push(("SESH_NAME".into(), name.as_str().into()));
        Launch {
            cwd: self.request.cwd.clone(),
            tmux: server.program().into(),
            argv: self.request.argv.clone(),
            environment,
            agent: self.request.agent.is_some(),
            wait: self.request.wait,
            turn: self.request.turn.clone(),
        }
    }

    fn try_once(
        &self,
        server: &Server,
        name: &Name,
        argv: &[String],
        below_limit: Option<&str>,
    ) -> Result<Attempt> {
        let frame = Frame::new();
        let batch = self.batch(&frame, name, argv, below_limit);
        let made = commit_in(server, &self.request.cwd, &batch, |answer| {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind == ErrorKind::DuplicateSession => {
                    return Ok((Ok(Attempt::SessionTaken), Vec::new()));
                }
                // The session was there a moment ago, and closed with its last turn.
                Err(error) if error.exit == Exit::Nothing && self.request.turn.is_some() => {
                    self.undo(server, argv);
                    return Ok((Ok(Attempt::SessionTaken), Vec::new()));
                }
                Err(error) => return Ok((Err(error), Vec::new())),
            };
            let outcome = self.read(server, name, &frame, &answer)?;
            let note = match &outcome {
                // A restored sesh keeps its old record in the journal until it has started.
                Attempt::Made(made) if self.request.prior.is_none() => {
                    vec![
                        Note::all(JournalEvent::Created, &made.record, made.server)
                            .with_path(environment::path(&self.request.variables).to_str()),
                    ]
                }
                _ => Vec::new(),
            };
            Ok((Ok(outcome), note))
        })?;
        made.map_err(|error| {
            if error.exit != Exit::Unconfirmed {
                self.undo(server, argv);
            }
            no_room(error, &self.spot)
        })
    }

    /// Reads the server's answer.
    fn read(&self, server: &Server, name: &Name, frame: &Frame, answer: &str) -> Result<Attempt> {
        match answer.trim() {
            "name" => return Ok(Attempt::NameTaken),
            "id" => return Ok(Attempt::IdTaken),
            "room" => return Ok(Attempt::OwnerChanged),
            _ => {}
        }
        let (rows, _) = frame.read(answer);
        let record = first_pane(&rows)?
            .and_then(|pane| pane.record)
            .ok_or_else(|| {
                Error::failed("tmux created the pane, but did not say where: see sesh-list")
            })?;
        let mut record = match (&self.spot, &record.tmux) {
            // The row is from before the pane was joined to the other window.
            (Placement::Beside { .. }, Some(place)) => write::reread(server, place.pane, self.id)?,
            _ => record,
        };
        // sesh-run records the command when it starts. `Run::record_command` there explains why this list cannot.
        record.command = self
            .request
            .argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        if let Some(place) = &mut record.tmux {
            // The window has been renamed since.
            place.window_name = self
                .window_name(name)
                .unwrap_or(std::mem::take(&mut place.window_name));
        }
        let words = self.request.argv.iter().map(|word| word.as_encoded_bytes());
        record.values.set(Key::Cmd, value::encode_words(words));
        Ok(Attempt::Made(Box::new(NewPane::read(record, &rows))))
    }

    /// Returns the one command list: test of the name and of the owner's limit, pane, options, book record, answer.
    fn batch(
        &self,
        frame: &Frame,
        name: &Name,
        argv: &[String],
        below_limit: Option<&str>,
    ) -> Batch {
        // An implicit target after `new-window -d` is the user's own pane. Therefore the new pane is found by a window
        // name that no other window has. A split is made as a window and then joined, for the same reason: this list
        // could not name the new pane of `split-window -d`.
        // Half of the identity: each command of the list repeats the target, and tmux writes each command out twice.
        let temporary_name = format!("s{}", &self.id.simple()[16..]);
        let label = self.label(name);
        let (make, window) = match &self.spot {
            Placement::Session { .. } => (
                command::new_session(&label, &temporary_name, self.size, argv),
                format!("={label}:={temporary_name}"),
            ),
            Placement::Window { session, .. } | Placement::Beside { session, .. } => (
                command::new_window(session, &temporary_name, argv),
                format!("{session}:={temporary_name}"),
            ),
        };
        let mut create = Batch::from(make);
        create.extend(write::birth(&window, self.id, &self.values(name)));
        // A user's global `on` would leave the pane dead when sesh-run ends, and 3.2a and 3.3a crash on a paste there.
        create.extend([command::close_dead_pane(&window)]);
        if matches!(self.spot, Placement::Session { .. }) {
            let session = format!("={label}:");
            create.extend([
                command::keep_unattached(&session),
                command::keep_clients(&session),
            ]);
        }
        if matches!(self.spot, Placement::Session { .. }) && !self.request.fixed {
            // 3.2a gives the first window of a detached session 80x23, whatever -x and -y say. A resized window no
            // longer follows its clients, hence the second command.
            let (columns, rows) = self.size;
            create.extend([
                command::resize_window(&window, columns, rows),
                command::unset_window(&window, "window-size"),
            ]);
        }
        let sized = self.request.size.columns.is_some() || self.request.size.rows.is_some();
        if matches!(self.spot, Placement::Window { .. }) && sized || self.request.fixed {
            create.extend([command::resize_window(&window, self.size.0, self.size.1)]);
            if !self.request.fixed {
                // resize-window stops a window from following its clients.
                create.extend([command::unset_window(&window, "window-size")]);
            }
        }
        let printed = [
            row_format(frame),
            query::life_format(frame),
            NewPane::server_format(frame),
        ];
        create.extend([
            // One print for all, since each command has its price.
            command::print(Some(&window), &printed.concat()),
        ]);
        create.extend([match &self.spot {
            Placement::Beside {
                pane, horizontal, ..
            } => {
                let size = if *horizontal {
                    self.request.size.columns
                } else {
                    self.request.size.rows
                };
                command::join_pane(&window, &pane.to_string(), *horizontal, size)
            }
            Placement::Session { .. } | Placement::Window { .. } => {
                let shown = self.window_name(name).unwrap_or_default();
                command::rename_window(&window, &shown)
            }
        }]);
        create.extend(self.request.prior.iter().flat_map(Prior::release_pane));
        let name_is_free = name_is_free(name, self.request.prior.as_ref().map(|_| self.id));
        let id_is_free = record_is(self.id, "");
        let (is_free, refusal) = match &self.request.prior {
            None => (
                both(&name_is_free, &id_is_free),
                format!("#{{?{id_is_free},name,id}}"),
            ),
            Some(past) => {
                create = Batch::from(command::if_format(
                    None,
                    &past.is_unchanged(),
                    &create,
                    &Batch::from(command::print(None, "id")),
                ));
                (name_is_free, "name".into())
            }
        };
        if let Some(below_limit) = below_limit {
            create = Batch::from(command::if_format(
                None,
                below_limit,
                &create,
                &Batch::from(command::print(None, "room")),
            ));
        }
        Batch::from(command::start_server()).then(command::if_format(
            None,
            &is_free,
            &create,
            &Batch::from(command::print(None, &refusal)),
        ))
    }

    fn values(&self, name: &Name) -> Vec<(Key, String)> {
        let request = &self.request;
        let agent = request.agent.as_deref().unwrap_or("");
        let state = if request.wait {
            "waiting"
        } else if request.turn.is_some() {
            "busy"
        } else if !agent.is_empty() {
            // The state of an agent comes from its own sources.
            "unknown"
        } else if request.argv.is_empty() {
            "idle"
        } else {
            "busy"
        };
        let tags: Vec<&str> = request.tags.iter().map(Tag::as_str).collect();
        let mut values = vec![
            (Key::Name, name.to_string()),
            (Key::Tags, value::encode_tags(&tags)),
            (Key::Agent, value::encode(agent)),
            (
                Key::Conv,
                value::encode(request.conversation.as_deref().unwrap_or("")),
            ),
            (Key::State, state.into()),
            (
                Key::Why,
                if request.wait {
                    Why::Start.as_str()
                } else {
                    ""
                }
                .into(),
            ),
            (Key::By, "process".into()),
            (
                Key::Made,
                if request.turn.is_some() {
                    HEADLESS
                } else {
                    "1"
                }
                .into(),
            ),
            (Key::Cwd, value::encode(&request.cwd.to_string_lossy())),
            (
                Key::Parent,
                request.parent.map(|id| id.to_string()).unwrap_or_default(),
            ),
            (
                Key::Owner,
                value::encode(request.owner.as_deref().unwrap_or("")),
            ),
            (Key::Expires, request.ttl.map(expiry).unwrap_or_default()),
            (Key::Host, value::encode(&env::machine())),
            (Key::Note, value::encode(&request.note)),
        ];
        if let Some(past) = &request.prior {
            past.carry_over(&mut values);
        }
        values
    }

    /// Removes what a list that failed halfway has created. The pane is found by the launch file in its command, even
    /// if a user's hook renamed its window before it got its options.
    fn undo(&self, server: &Server, argv: &[String]) {
        let file = argv
            .last()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or_default();
        let is_own_pane = format!("#{{m:*{file}*,#{{pane_start_command}}}}");
        let Ok(output) = server.run(&Batch::from(command::list_panes(
            "#{pane_id}",
            Some(&is_own_pane),
        ))) else {
            return;
        };
        let panes: Vec<_> = output
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        if let Some(past) = &self.request.prior {
            let _ = past.restore_end(server, &panes);
            return;
        }
        for pane in panes {
            let _ = server.run(&Batch::from(command::kill_pane(pane)));
        }
        let _ = commit::withdraw(server, self.id);
    }
}

/// The outcome of one attempt.
enum Attempt {
    Made(Box<NewPane>),
    NameTaken,
    IdTaken,
    SessionTaken,
    /// The owner's seshes have changed since the limit was checked.
    OwnerChanged,
}

fn id_is_taken(id: SeshId) -> Error {
    Error::unusable(format!(
        "the uuid {id} has been used before: omit --id for a new one"
    ))
}

/// Returns the end of a time that begins now, as it is stored.
fn expiry(ttl: Duration) -> String {
    let now = Duration::from_secs(clock::seconds());
    now.saturating_add(ttl).as_secs().to_string()
}

/// Returns the path of `sesh-run`.
fn runner() -> Result<String> {
    let path = env::helper(crate::runner::PROGRAM).ok_or_else(|| {
        Error::failed(
            "sesh-run is neither next to this program nor on PATH: install all helpers together",
        )
    })?;
    utf8(&path)
}

fn utf8(path: &std::path::Path) -> Result<String> {
    path.to_str()
        .map(Into::into)
        .ok_or_else(|| Error::unusable(format!("the path {} is not UTF-8", path.display())))
}

fn no_room(error: Error, spot: &Placement) -> Error {
    match spot {
        Placement::Beside { pane, .. } if error.kind == ErrorKind::NoRoom => {
            Error::unusable(format!("pane {pane} is too small to split"))
                .with_way_out("use --window")
        }
        _ => error,
    }
}

/// Returns the size of the terminal that this process runs in.
fn terminal() -> Option<(u16, u16)> {
    terminal_size::terminal_size().map(|(columns, rows)| (columns.0, rows.0))
}
