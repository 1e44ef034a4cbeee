//! The picker: every sesh on one screen, live, with everything that can be done with it. Only `cli` uses it.
//!
//! Its state, and what keys do to it, is pure and needs no terminal: [`rows`] are what can be chosen and how they are
//! grouped, [`filter`] is what is typed, [`actions`] is the one table of keys, [`model`] combines them, and [`view`]
//! draws the model in a [`theme`], which is the plugin's. The loop here reads one channel: the terminal's events, the
//! rows of [`source`] whenever the store has changed, the previews of [`preview`], and the outcome of each [`job`]. The
//! loop waits for tmux only to go somewhere and to read the rows anew, so that other keys take effect at once.

pub mod actions;
mod branch;
pub mod choice;
mod filter;
mod fzf;
mod input;
mod job;
mod model;
mod preview;
pub mod rows;
mod source;
mod terminal;
mod theme;
mod view;

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crossterm::event::Event;

pub use model::Purpose;
pub use source::named;

use crate::clock;
use crate::error::{Error, Result};
use crate::id::SeshId;
use crate::proc::signal;
use crate::sesh::enter::{self, Route};
use crate::sesh::restore;
use crate::store::{Record, pending_restore};
use crate::tmux::{Batch, Frame, Server};
use branch::Branches;
use job::Done;
use model::{Effect, Model};
use preview::Preview;
use rows::{Row, RowId};
use terminal::Canvas;
use theme::Theme;

/// The rows to choose from.
#[derive(Debug, Default)]
pub enum From {
    /// The rows of the server, which are read again when they change.
    #[default]
    Store,
    /// Only these of them.
    Only(HashSet<RowId>),
    /// Rows from elsewhere, which are not read again.
    Rows(Vec<Row>),
}

/// The options of the picker.
#[derive(Debug, Default)]
pub struct PickerOptions {
    pub purpose: Purpose,
    /// The client that asked.
    pub client: Option<String>,
    pub read_only: bool,
    /// The text that is typed at first.
    pub filter: String,
    /// Whether archived and exited seshes are shown at first.
    pub all: bool,
    /// The sesh that is chosen at first.
    pub cursor: Option<SeshId>,
    pub from: From,
}

/// How the picker ended.
#[derive(Debug)]
pub enum PickerOutcome {
    /// Nothing was chosen.
    Left,
    /// The client was switched to the chosen row.
    Gone,
    /// This process has to become a client to go there.
    Attach(Route),
    Chosen(Box<Row>),
}

/// An event for the loop.
enum LoopEvent {
    Event(Event),
    /// The rows for a query, and the number of pending restores.
    Rows(source::RowQuery, Result<Vec<Row>>, usize),
    Preview(Preview),
    Done(Done),
    /// The outcome of a restore.
    Restored(Result<Box<Record>>),
    /// The picker has to end: a signal came, or the terminal is gone.
    End,
}

/// Runs the picker until something is chosen or it is left.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) when no sesh to choose,
/// [`Exit::Unusable`](crate::error::Exit::Unusable) without a terminal, and as [`Server::run`].
pub fn run(server: &Server, options: PickerOptions) -> Result<PickerOutcome> {
    let mut model = Model::new(options.purpose, &options.filter);
    model.now = clock::seconds();
    if options.all {
        model.shown = model::RowSet::All;
    }
    let mut wanted = source::RowQuery {
        shown: model.shown,
        only: None,
    };
    let live = match options.from {
        From::Rows(rows) => {
            model.set_rows(rows);
            false
        }
        from => {
            if let From::Only(only) = from {
                wanted.only = Some(only);
            }
            model.set_rows(source::read(
                server,
                &wanted,
                true,
                &mut Branches::default(),
            )?);
            true
        }
    };
    if model.rows.is_empty() && options.purpose == Purpose::Pick {
        return Err(nothing(wanted.shown));
    }
    if let Some(cursor) = options.cursor {
        model.select(RowId::Sesh(cursor));
    }
    let theme = theme(server, options.client.as_deref());
    let (sender, events) = channel();
    let end = sender.clone();
    signal::on_end(move |_| drop(end.send(LoopEvent::End)));
    let screen = Canvas::open()?;
    let (want_preview, previews) = channel();
    let picker = Picker {
        server,
        client: options.client,
        read_only: options.read_only,
        wanted: Arc::new(Mutex::new(wanted)),
        model,
        theme,
        screen,
        want_preview,
        previewed: None,
        sender,
    };
    picker.start(previews, live);
    let outcome = picker.run(&events);
    // The thread that reads the rows ends with the process. Its client in the server has to end before.
    server.wake_waiting_clients();
    outcome
}

/// Lets the person choose with fzf instead.
///
/// # Errors
/// As [`run`], and where there is no fzf.
pub fn run_fzf(server: &Server, options: &PickerOptions) -> Result<PickerOutcome> {
    let mut wanted = source::RowQuery::default();
    if options.all {
        wanted.shown = model::RowSet::All;
    }
    if let From::Only(only) = &options.from {
        wanted.only = Some(only.clone());
    }
    let read;
    let rows = match &options.from {
        From::Rows(rows) => rows,
        _ => {
            read = source::read(server, &wanted, false, &mut Branches::default())?;
            &read
        }
    };
    if rows.is_empty() {
        return Err(nothing(wanted.shown));
    }
    let chosen = fzf::choose(server, rows)?;
    Ok(chosen.map_or(PickerOutcome::Left, |row| {
        PickerOutcome::Chosen(Box::new(row.clone()))
    }))
}

fn nothing(shown: model::RowSet) -> Error {
    Error::nothing("no sesh to choose").with_way_out(match shown {
        model::RowSet::Active => "sesh-new creates one, --all shows archived and exited ones",
        _ => "sesh-new creates one",
    })
}

/// Returns the row of one sesh, without a picker.
///
/// # Errors
/// [`Exit::Nothing`](crate::error::Exit::Nothing) when it is not among them.
pub fn row(server: &Server, uuid: SeshId, from: From) -> Result<Row> {
    let wanted = source::RowQuery {
        shown: model::RowSet::All,
        only: None,
    };
    let id = RowId::Sesh(uuid);
    let rows = match from {
        From::Rows(rows) => rows,
        From::Only(only) if !only.contains(&id) => Vec::new(),
        _ => source::read(server, &wanted, false, &mut Branches::default())?,
    };
    let found = rows.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| Error::nothing(format!("no sesh {uuid} to choose")))
}

/// Returns the route to a row. A sesh without a pane is restored first, and `late` is called with a sentence where that
/// takes longer than a second.
///
/// # Errors
/// As [`enter::route`] and [`restore::one`].
pub fn route(
    server: &Server,
    row: &Row,
    client: Option<&str>,
    read_only: bool,
    late: &dyn Fn(&str),
) -> Result<Route> {
    match (&row.record, &row.place) {
        (Some(record), None) => {
            let record = restored(server, record, late)?;
            enter::route(server, &record, client, read_only)
        }
        (Some(record), Some(_)) => enter::route(server, record, client, read_only),
        (None, Some(place)) => enter::route_to(server, place, client, read_only),
        (None, None) => Err(Error::nothing(format!("{} has no pane here", row.name))),
    }
}

fn restored(server: &Server, record: &Record, late: &dyn Fn(&str)) -> Result<Record> {
    let options = restore::RestoreOptions {
        late,
        ..restore::RestoreOptions::DEFAULT
    };
    restore::one(server, record, &options)
}

fn theme(server: &Server, client: Option<&str>) -> Theme {
    let frame = Frame::new();
    let mut batch = Batch::new();
    batch.extend(Theme::ask(&frame, client));
    // A server without a session gives no answer.
    let output = server.run(&batch).unwrap_or_default();
    Theme::read(&frame.read(&output).0, client)
}

struct Picker<'a> {
    server: &'a Server,
    client: Option<String>,
    read_only: bool,
    wanted: Arc<Mutex<source::RowQuery>>,
    model: Model,
    theme: Theme,
    screen: Canvas,
    want_preview: Sender<preview::PreviewQuery>,
    /// The last preview query: the row, whether it has a pane, and the height.
    previewed: Option<(RowId, bool, u16)>,
    sender: Sender<LoopEvent>,
}

impl Picker<'_> {
    /// Starts the threads that send events to the loop.
    fn start(&self, previews: Receiver<preview::PreviewQuery>, live: bool) {
        let events = self.sender.clone();
        thread::spawn(move || {
            while let Ok(event) = crossterm::event::read() {
                if events.send(LoopEvent::Event(event)).is_err() {
                    return;
                }
            }
            let _ = events.send(LoopEvent::End);
        });
        let (server, seen) = (self.server.clone(), self.sender.clone());
        thread::spawn(move || {
            preview::watch(&server, &previews, |now| {
                seen.send(LoopEvent::Preview(now)).is_ok()
            });
        });
        if live {
            let (server, rows) = (self.server.clone(), self.sender.clone());
            let wanted = Arc::clone(&self.wanted);
            thread::spawn(move || {
                let wanted = || {
                    wanted
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clone()
                };
                source::watch(&server, &wanted, |wanted, found, pending| {
                    rows.send(LoopEvent::Rows(wanted, found, pending)).is_ok()
                });
            });
        }
    }

    fn run(mut self, events: &Receiver<LoopEvent>) -> Result<PickerOutcome> {
        // The screen is drawn again at least this often: ages grow by minutes.
        const TICK: Duration = Duration::from_secs(10);
        loop {
            self.model.now = clock::seconds();
            self.request_preview();
            let (model, theme) = (&mut self.model, &self.theme);
            self.screen.draw(|frame| view::draw(frame, model, theme))?;
            let first = match events.recv_timeout(TICK) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(PickerOutcome::Left),
            };
            // All events that have arrived are handled before the screen is drawn again.
            for event in std::iter::once(first).chain(events.try_iter()) {
                if let Some(outcome) = self.handle(event)? {
                    return Ok(outcome);
                }
            }
        }
    }

    /// Requests a preview of the chosen row.
    fn request_preview(&mut self) {
        if !self.model.previews {
            return;
        }
        let Some(row) = self.model.chosen() else {
            return;
        };
        let size = crossterm::terminal::size().unwrap_or((80, 24));
        let area = ratatui::layout::Rect::new(0, 0, size.0, size.1);
        let height = view::Places::of(area, true, 1)
            .preview
            .height
            .saturating_sub(2);
        let wanted = (row.id, row.place.is_some(), height);
        if height > 0 && self.previewed != Some(wanted) {
            self.previewed = Some(wanted);
            let row = row.clone();
            let _ = self
                .want_preview
                .send(preview::PreviewQuery { row, height });
        }
    }

    fn handle(&mut self, event: LoopEvent) -> Result<Option<PickerOutcome>> {
        match event {
            LoopEvent::Event(event) => {
                let effect = self.model.event(&event);
                return Ok(self.follow(effect));
            }
            LoopEvent::Rows(asked, rows, pending) => {
                self.model.pending = pending;
                if asked.shown == self.model.shown {
                    self.model.set_rows(rows?);
                } else {
                    rows?;
                }
            }
            LoopEvent::Preview(seen) => self.model.preview = Some(seen),
            LoopEvent::Done(done) => {
                // A new sesh is to be chosen, so its row has to be read first.
                self.reload();
                self.model.pending = pending_restore::offered(self.server).unwrap_or(0);
                self.model.done(done);
            }
            LoopEvent::Restored(Ok(record)) => return Ok(self.go(Box::new(Row::of(*record)))),
            LoopEvent::Restored(Err(error)) => self.model.complain(error.to_string()),
            LoopEvent::End => return Ok(Some(PickerOutcome::Left)),
        }
        Ok(None)
    }

    fn follow(&mut self, effect: Effect) -> Option<PickerOutcome> {
        match effect {
            Effect::None => {}
            Effect::Leave => return Some(PickerOutcome::Left),
            Effect::Reload => self.reload(),
            Effect::Go(row) => return self.go(row),
            Effect::Do(job) => {
                if !job.doing().is_empty() {
                    self.model.say(job.doing());
                }
                let (server, sender) = (self.server.clone(), self.sender.clone());
                thread::spawn(move || drop(sender.send(LoopEvent::Done(job.carry_out(&server)))));
            }
        }
        None
    }

    /// Reads the rows now. An error is ignored: the thread that watches the rows meets it too, and reports it.
    fn reload(&mut self) {
        let wanted = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.shown = self.model.shown;
            wanted.clone()
        };
        if let Ok(rows) = source::read(self.server, &wanted, true, &mut Branches::default()) {
            self.model.set_rows(rows);
        }
    }

    /// Goes to a row, or returns it as the choice.
    fn go(&mut self, row: Box<Row>) -> Option<PickerOutcome> {
        if self.model.purpose == Purpose::Pick {
            return Some(PickerOutcome::Chosen(row));
        }
        if let (Some(record), None) = (&row.record, &row.place) {
            self.model.say(format!("restoring {} …", record.name));
            let (server, sender) = (self.server.clone(), self.sender.clone());
            let record = record.clone();
            thread::spawn(move || {
                let record = restored(&server, &record, &|_| {});
                drop(sender.send(LoopEvent::Restored(record.map(Box::new))));
            });
            return None;
        }
        match route(
            self.server,
            &row,
            self.client.as_deref(),
            self.read_only,
            &|_| {},
        ) {
            Ok(route @ Route::Attach(_)) => return Some(PickerOutcome::Attach(route)),
            Ok(Route::Switch(batch)) => match self.server.run(&batch) {
                Ok(_) if self.model.purpose == Purpose::Watch => {}
                Ok(_) => return Some(PickerOutcome::Gone),
                Err(error) => self.model.complain(error.to_string()),
            },
            Err(error) => self.model.complain(error.to_string()),
        }
        None
    }
}
