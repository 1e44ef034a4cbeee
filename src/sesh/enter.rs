//! Goes to a sesh: switches the client that asked, or attaches a new one.

use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::PaneId;
use crate::inventory::find;
use crate::store::condition::{both, equal, registered};
use crate::store::origins::Origins;
use crate::store::record::Need;
use crate::store::{Key, Place, Record, Select, Snapshot, schema, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// How to get to a pane.
#[derive(Debug)]
pub enum Route {
    /// Run this batch, which switches a client.
    Switch(Batch),
    /// Become this client, because the terminal is outside tmux.
    Attach(Batch),
}

impl Route {
    /// Returns the route with a command after it. The command does not run if the route fails.
    #[must_use]
    pub fn then(self, command: Command) -> Self {
        match self {
            Route::Switch(batch) => Route::Switch(batch.then(command)),
            Route::Attach(batch) => Route::Attach(batch.then(command)),
        }
    }
}

/// Returns the sesh that needs a person next. First come unread seshes that wait, the one that has waited longest
/// first; then those that have exited or finished and are unread; then those that still wait, one after another.
/// Archived seshes are left out. `client` is the client that asks.
///
/// # Errors
/// [`Exit::Nothing`] when no sesh needs a person.
pub fn next(server: &Server, client: Option<&str>) -> Result<Record> {
    let snapshot = find::read(
        server,
        &Select {
            filter: Some(both(&registered(), &equal(Key::Archived, ""))),
            ..Select::default()
        },
    )?;
    let mut candidates: Vec<(Need, &Record)> = snapshot
        .with_pane()
        .filter_map(|record| Some((record.needs()?, record)))
        .collect();
    let pane = |record: &Record| record.tmux.as_ref().map(|place| place.pane);
    candidates.sort_by_key(|(need, record)| (*need, record.since, pane(record)));
    let first = match candidates.first() {
        Some((Need::Waits, _)) => {
            let here = looked_at(server, client)?;
            let at = candidates
                .iter()
                .position(|(_, record)| pane(record) == here);
            let next = at
                .and_then(|at| candidates.get(at + 1))
                .or(candidates.first());
            next.filter(|(_, record)| pane(record) != here)
        }
        first => first,
    };
    first.map(|(_, record)| (*record).clone()).ok_or_else(|| {
        Error::nothing("no sesh needs you: none waits, none is unread; sesh-list shows them")
    })
}

/// Returns the pane that the client shows, or the pane that this process runs in.
fn looked_at(server: &Server, client: Option<&str>) -> Result<Option<PaneId>> {
    let Some(client) = client else {
        return Ok(env::tmux_pane().filter(|_| server.is_own_server()));
    };
    let frame = Frame::new();
    let format = frame.format(["#{client_name}", "#{pane_id}"]);
    let output = server.run(&Batch::from(command::list_clients(&format, None)))?;
    let (rows, _) = frame.read(&output);
    let own = rows.iter().find(|row| row.first() == Some(&client));
    Ok(own.and_then(|row| row.get(1)?.parse().ok()))
}

/// Returns the command that records that a person looks at a sesh.
#[must_use]
pub fn mark_seen(record: &Record) -> Option<Command> {
    let pane = record.tmux.as_ref()?.pane;
    Some(write::seen(pane, record.uuid))
}

/// Returns the route to a sesh.
///
/// # Errors
/// The sesh has no pane; or, inside tmux, no client can have asked.
pub fn route(
    server: &Server,
    record: &Record,
    client: Option<&str>,
    read_only: bool,
) -> Result<Route> {
    let place = record.tmux.as_ref().ok_or_else(|| {
        record.no_pane("sesh-restore restores it, pane-capture shows its last lines")
    })?;
    route_to(server, place, client, read_only)
}

/// Returns the route to a pane.
///
/// # Errors
/// Inside tmux, no client can have asked.
pub fn route_to(
    server: &Server,
    place: &Place,
    client: Option<&str>,
    read_only: bool,
) -> Result<Route> {
    if client.is_none() && !server.is_own_server() {
        return Ok(Route::Attach(Batch::from(command::attach(
            Some(&target(place, &place.session_id)),
            read_only,
        ))));
    }
    let (client, session, origins) = asking_client(server, client, Some(place))?;
    let mut batch = Batch::from(command::switch_client(
        &client.name,
        &target(place, &session),
    ));
    if client.pane != place.pane.to_string() {
        let origins = origins.with(&client.name, &client.session, &client.pane);
        batch = batch
            .then(write::left_pane(&client.name, &client.pane))
            .then(write::origins(place.pane, &origins.value()));
    }
    if read_only {
        batch = batch.then(command::make_read_only(&client.name));
    }
    Ok(Route::Switch(batch))
}

/// Returns the client that [`route`] would switch, for a caller that does something before it. Returns `None` when a
/// terminal would be attached.
///
/// # Errors
/// As [`route`].
pub fn asking_client_name(server: &Server, client: Option<&str>) -> Result<Option<String>> {
    if client.is_none() && !server.is_own_server() {
        return Ok(None);
    }
    asking_client(server, client, None).map(|(client, ..)| Some(client.name))
}

/// Returns the route to tmux's own chooser, which shows only seshes.
///
/// # Errors
/// As [`route`], and [`Exit::Nothing`] when there is no sesh to choose.
pub fn chooser(server: &Server, client: Option<&str>, read_only: bool) -> Result<Route> {
    let filter = registered();
    let any = server.run(&Batch::from(command::list_panes("x", Some(&filter))))?;
    if any.is_empty() {
        return Err(Error::nothing("no sesh to choose: sesh-new creates one"));
    }
    let format = format!(
        "{} {} {}",
        Key::Name.format(),
        Key::State.format(),
        Key::Tags.format()
    );
    if client.is_none() && !server.is_own_server() {
        return Ok(Route::Attach(
            Batch::from(command::attach(None, false))
                .then(command::choose_tree(None, &filter, &format)),
        ));
    }
    let (client, session, _) = asking_client(server, client, None)?;
    let mut batch = Batch::new();
    if read_only {
        batch.extend([command::make_read_only(&client.name)]);
    }
    batch.extend([command::choose_tree(
        Some(&format!("{session}:")),
        &filter,
        &format,
    )]);
    Ok(Route::Switch(batch))
}

/// Returns the route to the pane that the client showed before it was last switched by this program.
///
/// # Errors
/// [`Exit::Nothing`] when the client was never switched, or that pane is gone. Outside tmux no client can have asked.
pub fn last(server: &Server, client: Option<&str>) -> Result<Route> {
    let (asking, ..) = asking_client(server, client, None)?;
    let format = format!("#{{{}}}", schema::previous_pane(&asking.name));
    let before = server.run(&Batch::from(command::print(None, &format)))?;
    let nowhere = || {
        Error::nothing(
            "nowhere to go back to: no key has moved this client yet, or that pane is gone",
        )
    };
    let pane: PaneId = before.trim_end().parse().map_err(|_| nowhere())?;
    let snapshot = Snapshot::read(
        server,
        &Select {
            filter: Some(format!("#{{==:#{{pane_id}},{pane}}}")),
            ..Select::default()
        },
    )?;
    let there = snapshot.panes.first().ok_or_else(nowhere)?;
    route_to(server, &there.place, Some(&asking.name), false)
}

/// Returns the pane as a target that includes the session, because a window may be in several sessions.
fn target(place: &Place, session: &str) -> String {
    format!("{session}:{}.{}", place.window_id, place.pane)
}

/// An attached client.
struct Client {
    name: String,
    session: String,
    /// The pane that it shows.
    pane: String,
    activity: u64,
}

/// Returns the client that asked, the session in which it should show `place`, and from where clients were taken there.
///
/// tmux does not report which client's key started a process, so a binding passes the client's name (`--client`).
/// Otherwise it is a client that shows the caller's session. Of several such clients it is one that shows the caller's
/// pane, else one of the session that the caller was started in (a window may be in several), else the one that was used
/// last, because a key there started the caller.
fn asking_client(
    server: &Server,
    wanted: Option<&str>,
    place: Option<&Place>,
) -> Result<(Client, String, Origins)> {
    let frame = Frame::new();
    let format = frame.format([
        "client",
        "#{client_name}",
        "#{session_id}",
        "#{pane_id}",
        "#{client_activity}",
        "#{client_control_mode}",
    ]);
    let mut batch = Batch::from(command::list_clients(&format, None));
    // The sessions in which a pane's window is linked: several in a session group.
    let linked_to = |label: &str, pane: PaneId| {
        command::list_panes(
            &frame.format([label, "#{session_id}", &Origins::format(pane)]),
            Some(&format!("#{{==:#{{pane_id}},{pane}}}")),
        )
    };
    let mut own: Vec<String> = Vec::new();
    match env::tmux_pane() {
        Some(pane) => batch = batch.then(linked_to("own", pane)),
        None => own.extend(env::tmux_session()),
    }
    if let Some(place) = place {
        batch = batch.then(linked_to("linked", place.pane));
    }
    let output = server.run(&batch)?;
    let (rows, _) = frame.read(&output);
    let mut clients = Vec::new();
    let mut linked = Vec::new();
    let mut origins = Origins::default();
    for row in &rows {
        match row[..] {
            ["client", name, session, pane, activity, control]
                if wanted.map_or(control != "1", |wanted| wanted == name) =>
            {
                clients.push(Client {
                    name: name.into(),
                    session: session.into(),
                    pane: pane.into(),
                    activity: activity.parse().unwrap_or(0),
                });
            }
            ["own", session, _] => own.push(session.into()),
            ["linked", session, from] => {
                linked.push(session);
                origins = Origins::read(from);
            }
            _ => {}
        }
    }
    if wanted.is_none() {
        clients.retain(|client| own.contains(&client.session));
    }
    let own_pane = env::tmux_pane().map(|pane| pane.to_string());
    let own_session = env::tmux_session();
    let client = clients
        .into_iter()
        .max_by_key(|client| {
            let shows_caller = own_pane.as_ref() == Some(&client.pane);
            let is_callers = own_session.as_ref() == Some(&client.session);
            (shows_caller, is_callers, client.activity)
        })
        .ok_or_else(|| match wanted {
            Some(name) => Error::nothing(format!("no client {name}: tmux list-clients shows them")),
            None => Error::new(
                Exit::Unusable,
                "no client shows this session: name the one to switch with --client",
            ),
        })?;
    let session = match place {
        Some(_) if linked.contains(&client.session.as_str()) => client.session.clone(),
        Some(place) => place.session_id.clone(),
        None => client.session.clone(),
    };
    Ok((client, session, origins))
}
