//! Making a sesh: a pane that runs `sesh-run`, its options and its book record, in one command list.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::place::{self, Placement, Where};
use crate::clock;
use crate::env;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{Name, ServerId, SeshId, Tag};
use crate::journal::launch::Launch;
use crate::store::commit::{self, commit_in};
use crate::store::condition::{name_is_free, record_is};
use crate::store::durable::Journal;
use crate::store::generated_name;
use crate::store::limit;
use crate::store::note::{JournalEvent, Note};
use crate::store::prior::{Prior, name_is_taken};
use crate::store::query::{self, first_pane, read_life, row_format};
use crate::store::target;
use crate::store::{Key, Record, value, write};
use crate::tmux::{Batch, Frame, Server, command};

/// The size of a session that nobody looks at: columns and rows.
const UNSEEN: (u16, u16) = (200, 50);
/// Made-up names or session labels that are tried before giving up.
const TRIES: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct CreateRequest {
    pub name: Option<Name>,
    pub id: Option<SeshId>,
    pub agent: Option<String>,
    pub conversation: Option<String>,
    pub tags: Vec<Tag>,
    /// Absolute and there.
    pub cwd: PathBuf,
    pub variables: Vec<(OsString, OsString)>,
    /// Columns and rows.
    pub size: RequestedSize,
    pub fixed: bool,
    pub place: Where,
    /// Without one, the sesh that the caller's pane is.
    pub parent: Option<SeshId>,
    /// Who answers for it. Without one, the sesh that the caller's pane is.
    pub owner: Option<String>,
    /// After which time `sesh-reap` ends it.
    pub ttl: Option<Duration>,
    pub note: String,
    /// Empty for a login shell.
    pub argv: Vec<OsString>,
    /// Make the pane and wait there for a key.
    pub wait: bool,
    /// The ended sesh that goes on here: what is not of this moment is as it was.
    pub past: Option<Prior>,
}

/// Columns and rows, where given.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestedSize {
    pub columns: Option<u16>,
    pub rows: Option<u16>,
}

/// What will be done.
#[derive(Clone, Debug)]
pub struct Plan {
    request: CreateRequest,
    id: SeshId,
    spot: Placement,
    size: (u16, u16),
    labels: usize,
}

/// Decides everything that can be decided before the sesh is made.
///
/// # Errors
/// An identity that an ended or a forgotten sesh has; a session or window that cannot be meant, no tmux around for `--window` or `--split`.
pub fn plan(server: &Server, mut request: CreateRequest) -> Result<Plan> {
    let id = request.id.unwrap_or_else(SeshId::random);
    // Of an earlier server, or forgotten: what it did would be taken for the other's.
    if request.id.is_some() && request.past.is_none() && Journal::read(server).has(id) {
        return Err(taken(id));
    }
    let around = place::around(server)?;
    // Whoever has it go on is not whoever made it.
    let own = around
        .as_ref()
        .and_then(|around| around.sesh)
        .filter(|_| request.past.is_none());
    request.parent = request.parent.or(own);
    request.owner = request.owner.or(own.map(|id| id.to_string()));
    let spot = place::decide(server, &request.place, around.as_ref())?;
    if request.fixed && matches!(spot, Placement::Beside { .. }) {
        return Err(Error::usage(
            "that window is there already: a split of it cannot keep a size of its own",
        ));
    }
    let seen = around
        .and_then(|around| around.size)
        .or_else(terminal)
        .unwrap_or(UNSEEN);
    let size = (
        request.size.columns.unwrap_or(seen.0),
        request.size.rows.unwrap_or(seen.1),
    );
    Ok(Plan {
        request,
        id,
        spot,
        size,
        labels: 0,
    })
}

/// What `sesh-new --dry-run` would do. The fields are public, and their order is that of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// The command line, its words joined with blanks, or `a login shell`.
    pub command: String,
    /// The folder that it starts in.
    pub cwd: String,
    pub name: String,
    /// `COLUMNSxROWS`.
    pub size: String,
    /// The tmux commands.
    pub tmux: String,
    pub uuid: String,
    /// Where the pane goes, in words.
    #[serde(rename = "where")]
    pub spot: String,
}

impl Description {
    /// The fields in the order in which they are read as text.
    #[must_use]
    pub fn lines(&self) -> [(&'static str, &str); 7] {
        [
            ("name", &self.name),
            ("uuid", &self.uuid),
            ("where", &self.spot),
            ("size", &self.size),
            ("cwd", &self.cwd),
            ("command", &self.command),
            ("tmux", &self.tmux),
        ]
    }
}

impl Plan {
    /// Makes the sesh and gives its record.
    ///
    /// # Errors
    /// [`Exit::Unusable`] when the name or the identity is taken; nothing is left behind then.
    pub fn carry_out(mut self, server: &Server) -> Result<Record> {
        let runner = runner()?;
        for again in 0..TRIES {
            let name = self.name(again);
            let launch = self.launch(server, &name).write()?;
            let argv = [runner.clone(), "--launch".into(), utf8(&launch)?];
            let outcome = limit::check(server, self.request.owner.as_deref())
                .and_then(|room| self.try_once(server, &name, &argv, room.as_deref()));
            if !matches!(outcome, Ok(Attempt::Made(..))) {
                Launch::discard(&launch);
            }
            match outcome? {
                Attempt::Made(record, _) => return Ok(*record),
                Attempt::NameTaken if self.request.past.is_some() => {
                    return Err(name_is_taken(name.as_str()));
                }
                Attempt::NameTaken if self.request.name.is_some() => {
                    return Err(Error::unusable(format!(
                        "the name {name} is taken by a living sesh: choose another, or go there with \
                         sesh-enter"
                    )));
                }
                Attempt::IdTaken if self.request.past.is_some() => {
                    return Err(target::changed(self.id));
                }
                Attempt::IdTaken => return Err(taken(self.id)),
                Attempt::SessionTaken => {
                    // Somebody may have made it since we looked.
                    let place = &self.request.place;
                    let spot = if matches!(place, Where::At { .. } | Where::Back { .. }) {
                        place::decide(server, place, None)?
                    } else {
                        self.spot.clone()
                    };
                    if spot == self.spot {
                        self.labels += 1;
                    }
                    self.spot = spot;
                }
                Attempt::NameTaken | Attempt::OthersCame => {}
            }
        }
        Err(Error::unusable(
            "no free name was found: give one as the first argument",
        ))
    }

    /// What would be done.
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

    fn name(&self, again: usize) -> Name {
        self.request
            .name
            .clone()
            .unwrap_or_else(|| generated_name::name(self.id, again))
    }

    fn label(&self, name: &Name) -> String {
        let given = match &self.spot {
            Placement::Session { label, .. } | Placement::Window { label, .. } => label.clone(),
            Placement::Beside { .. } => None,
        };
        let label = given.unwrap_or_else(|| name.label());
        match self.labels {
            0 => label,
            again => format!("{label}-{}", again + 1),
        }
    }

    /// What its window is called in the end. `None` where it becomes a part of another.
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
        let mut environment: Vec<(OsString, OsString)> = env::carried().collect();
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
        }
    }

    fn try_once(
        &self,
        server: &Server,
        name: &Name,
        argv: &[String],
        room: Option<&str>,
    ) -> Result<Attempt> {
        let frame = Frame::new();
        let batch = self.batch(&frame, name, argv, room);
        let made = commit_in(server, &self.request.cwd, &batch, |answer| {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.kind == ErrorKind::DuplicateSession => {
                    return Ok((Ok(Attempt::SessionTaken), Vec::new()));
                }
                Err(error) => return Ok((Err(error), Vec::new())),
            };
            let outcome = self.read(server, name, &frame, &answer)?;
            let note = match &outcome {
                // One that goes on is as it was until it is there.
                Attempt::Made(record, life) if self.request.past.is_none() => {
                    vec![Note::all(JournalEvent::Created, record, *life)]
                }
                _ => Vec::new(),
            };
            Ok((Ok(outcome), note))
        })?;
        made.map_err(|error| {
            self.undo(server, argv);
            no_room(error, &self.spot)
        })
    }

    /// Reads what the server answered.
    fn read(&self, server: &Server, name: &Name, frame: &Frame, answer: &str) -> Result<Attempt> {
        match answer.trim() {
            "name" => return Ok(Attempt::NameTaken),
            "id" => return Ok(Attempt::IdTaken),
            "room" => return Ok(Attempt::OthersCame),
            _ => {}
        }
        let (rows, _) = frame.read(answer);
        let record = first_pane(&rows)?
            .and_then(|pane| pane.record)
            .ok_or_else(|| {
                Error::failed("tmux made the pane, but did not say where: see sesh-list")
            })?;
        let mut record = match (&self.spot, &record.tmux) {
            // The row is from before the pane moved beside the other.
            (Placement::Beside { .. }, Some(place)) => write::reread(server, place.pane, self.id)?,
            _ => record,
        };
        // sesh-run writes it when it starts: see there for why this list cannot.
        record.command = self
            .request
            .argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        if let Some(place) = &mut record.tmux {
            // The window has its name since.
            place.window_name = self
                .window_name(name)
                .unwrap_or(std::mem::take(&mut place.window_name));
        }
        let words = self.request.argv.iter().map(|word| word.as_encoded_bytes());
        record.values.set(Key::Cmd, value::encode_words(words));
        let life = rows.iter().find_map(|row| read_life(row));
        Ok(Attempt::Made(Box::new(record), life))
    }

    /// The one command list: test of the name and of the owner's limit, pane, options, book, answer.
    fn batch(&self, frame: &Frame, name: &Name, argv: &[String], room: Option<&str>) -> Batch {
        // An implicit target after `new-window -d` is the user's own pane, so the new one is found by a
        // name of its window that nothing else has. A split is made as a window and then joined, for the
        // same reason: the new pane of `split-window -d` could not be named in this list.
        let mark = self.id.to_string();
        let label = self.label(name);
        let (make, window) = match &self.spot {
            Placement::Session { .. } => (
                command::new_session(&label, &mark, self.size, argv),
                format!("={label}:={mark}"),
            ),
            Placement::Window { session, .. } | Placement::Beside { session, .. } => (
                command::new_window(session, &mark, argv),
                format!("{session}:={mark}"),
            ),
        };
        let mut create = Batch::from(make);
        create.extend(write::birth(&window, self.id, &self.values(name)));
        // A user's global `on` would leave the pane dead when sesh-run ends: 3.2a and 3.3a die of a paste there.
        create.extend([command::close_dead_pane(&window)]);
        if matches!(self.spot, Placement::Session { .. }) && !self.request.fixed {
            // 3.2a gives the first window of a detached session 80x23 whatever -x and -y say. Resized, it would no
            // longer follow its clients: hence the second command.
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
        create.extend([
            command::print(Some(&window), &row_format(frame)),
            query::life(frame),
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
        create.extend(self.request.past.iter().flat_map(Prior::release_pane));
        let unused = match &self.request.past {
            Some(past) => past.is_unchanged(),
            None => record_is(self.id, ""),
        };
        let with_id = Batch::from(command::if_format(
            None,
            &unused,
            &create,
            &Batch::from(command::print(None, "id")),
        ));
        let with_room = match room {
            Some(room) => Batch::from(command::if_format(
                None,
                room,
                &with_id,
                &Batch::from(command::print(None, "room")),
            )),
            None => with_id,
        };
        Batch::from(command::start_server()).then(command::if_format(
            None,
            &name_is_free(name, self.request.past.as_ref().map(|_| self.id)),
            &with_room,
            &Batch::from(command::print(None, "name")),
        ))
    }

    fn values(&self, name: &Name) -> Vec<(Key, String)> {
        let request = &self.request;
        let agent = request.agent.as_deref().unwrap_or("");
        let state = if request.wait {
            "starting"
        } else if !agent.is_empty() {
            // What an agent does is for its own sources to say.
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
            (Key::By, "process".into()),
            (Key::Made, "1".into()),
            (Key::Cwd, value::encode(&request.cwd.to_string_lossy())),
            (
                Key::Parent,
                request.parent.map(|id| id.to_string()).unwrap_or_default(),
            ),
            (
                Key::Owner,
                value::encode(request.owner.as_deref().unwrap_or("")),
            ),
            (Key::Expires, request.ttl.map(end_of).unwrap_or_default()),
            (Key::Host, value::encode(&env::machine())),
            (Key::Note, value::encode(&request.note)),
        ];
        if let Some(past) = &request.past {
            past.carry_over(&mut values);
        }
        values
    }

    /// Takes back what a list that failed halfway has made: the pane is known by the launch file in its
    /// command, also when a hook of the user's renamed its window before it got its options.
    fn undo(&self, server: &Server, argv: &[String]) {
        let file = argv
            .last()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or_default();
        let ours = format!("#{{m:*{file}*,#{{pane_start_command}}}}");
        let Ok(output) = server.run(&Batch::from(command::list_panes("#{pane_id}", Some(&ours))))
        else {
            return;
        };
        let panes: Vec<_> = output
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        if let Some(past) = &self.request.past {
            let _ = past.restore_end(server, &panes);
            return;
        }
        for pane in panes {
            let _ = server.run(&Batch::from(command::kill_pane(pane)));
        }
        let _ = commit::withdraw(server, self.id);
    }
}

/// How one try went.
enum Attempt {
    Made(Box<Record>, Option<ServerId>),
    NameTaken,
    IdTaken,
    SessionTaken,
    /// The owner has other seshes than a moment ago.
    OthersCame,
}

fn taken(id: SeshId) -> Error {
    Error::unusable(format!(
        "the identity {id} is taken: leave --id out for a new one"
    ))
}

/// When a time that begins now is over, as it is stored.
fn end_of(ttl: Duration) -> String {
    let now = Duration::from_secs(clock::seconds());
    now.saturating_add(ttl).as_secs().to_string()
}

/// Where `sesh-run` is.
fn runner() -> Result<String> {
    let path = env::helper(crate::runner::PROGRAM).ok_or_else(|| {
        Error::failed(
            "sesh-run is neither beside this program nor on PATH: install it with the others",
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

/// The size of the terminal that this process runs in.
fn terminal() -> Option<(u16, u16)> {
    terminal_size::terminal_size().map(|(columns, rows)| (columns.0, rows.0))
}
