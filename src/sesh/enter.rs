//! Going to a sesh: the client that asked is switched, or a new one is attached.

use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::PaneId;
use crate::inventory::find;
use crate::store::condition::{both, equal, registered};
use crate::store::record::Need;
use crate::store::{Key, Place, Record, Select, Snapshot, schema, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What to do to be there.
#[derive(Debug)]
pub enum Route {
    /// Run this batch: a client is switched.
    Switch(Batch),
    /// Become this client: the terminal is outside.
    Attach(Batch),
}

impl Route {
    /// The same, and then another command: not if going there fails.
    #[must_use]
    pub fn then(self, command: Command) -> Self {
        match self {
            Route::Switch(batch) => Route::Switch(batch.then(command)),
            Route::Attach(batch) => Route::Attach(batch.then(command)),
        }
    }
}

/// The sesh that needs a person next: of those that wait and that nobody has looked at since, the one that has waited
/// longest; then of those that have ended or finished their work; then the ones that still wait, one after another.
/// Archived ones need nobody. `client` is the one that asks.
///
/// # Errors
/// [`Exit::Nothing`] when none does.
pub fn next(server: &Server, client: Option<&str>) -> Result<Record> {
    let snapshot = find::read(
        server,
        &Select {
            filter: Some(both(&registered(), &equal(Key::Archived, ""))),
            ..Select::default()
        },
    )?;
    let mut needy: Vec<(Need, &Record)> = snapshot
        .with_pane()
        .filter_map(|record| Some((record.needs()?, record)))
        .collect();
    let pane = |record: &Record| record.tmux.as_ref().map(|place| place.pane);
    needy.sort_by_key(|(need, record)| (*need, record.since, pane(record)));
    let first = match needy.first() {
        Some((Need::Waits, _)) => {
            let here = looked_at(server, client)?;
            let at = needy.iter().position(|(_, record)| pane(record) == here);
            let next = at.and_then(|at| needy.get(at + 1)).or(needy.first());
            next.filter(|(_, record)| pane(record) != here)
        }
        first => first,
    };
    first.map(|(_, record)| (*record).clone()).ok_or_else(|| {
        Error::nothing(
            "no sesh needs you: none waits elsewhere, and none has finished or ended that nobody has looked at since; \
             sesh-list shows them all",
        )
    })
}

/// The pane that the client looks at, or that this process runs in.
fn looked_at(server: &Server, client: Option<&str>) -> Result<Option<PaneId>> {
    let Some(client) = client else {
        return Ok(env::tmux_pane().filter(|_| server.is_callers()));
    };
    let frame = Frame::new();
    let format = frame.format(["#{client_name}", "#{pane_id}"]);
    let output = server.run(&Batch::from(command::list_clients(&format, None)))?;
    let (rows, _) = frame.read(&output);
    let own = rows.iter().find(|row| row.first() == Some(&client));
    Ok(own.and_then(|row| row.get(1)?.parse().ok()))
}

/// The command that says that a person looks at a sesh.
#[must_use]
pub fn see(record: &Record) -> Option<Command> {
    let pane = record.tmux.as_ref()?.pane;
    Some(write::seen(pane, record.uuid))
}

/// The way to a sesh.
///
/// # Errors
/// A sesh without a pane; inside tmux, no client that could have asked.
pub fn route(
    server: &Server,
    record: &Record,
    client: Option<&str>,
    read_only: bool,
) -> Result<Route> {
    let place = record.tmux.as_ref().ok_or_else(|| {
        Error::unusable(format!(
            "{} has ended and has no pane any more: sesh-restore brings it back, pane-capture shows its last lines",
            record.name
        ))
    })?;
    route_to(server, place, client, read_only)
}

/// The way to a pane.
///
/// # Errors
/// Inside tmux, no client that could have asked.
pub fn route_to(
    server: &Server,
    place: &Place,
    client: Option<&str>,
    read_only: bool,
) -> Result<Route> {
    if client.is_none() && !server.is_callers() {
        return Ok(Route::Attach(Batch::from(command::attach(
            Some(&target(place, &place.session_id)),
            read_only,
        ))));
    }
    let (client, session) = asking_client(server, client, Some(place))?;
    let mut batch = Batch::from(command::switch_client(
        &client.name,
        &target(place, &session),
    ));
    if client.pane != place.pane.to_string() {
        batch = batch.then(write::left_pane(&client.name, &client.pane));
    }
    if read_only {
        batch = batch.then(command::make_read_only(&client.name));
    }
    Ok(Route::Switch(batch))
}

/// The client that [`way`] would switch: asked before something is done for it. `None` where a terminal would be attached.
///
/// # Errors
/// As [`way`].
pub fn asking_client_name(server: &Server, client: Option<&str>) -> Result<Option<String>> {
    if client.is_none() && !server.is_callers() {
        return Ok(None);
    }
    asking_client(server, client, None).map(|(client, _)| Some(client.name))
}

/// The way to tmux's own chooser, showing seshes alone.
///
/// # Errors
/// As [`way`], and [`Exit::Nothing`] when there is no sesh to choose.
pub fn chooser(server: &Server, client: Option<&str>, read_only: bool) -> Result<Route> {
    let filter = registered();
    let any = server.run(&Batch::from(command::list_panes("x", Some(&filter))))?;
    if any.is_empty() {
        return Err(Error::nothing(
            "there is no sesh to choose: sesh-new makes one",
        ));
    }
    let format = format!(
        "{} {} {}",
        Key::Name.format(),
        Key::State.format(),
        Key::Tags.format()
    );
    if client.is_none() && !server.is_callers() {
        return Ok(Route::Attach(
            Batch::from(command::attach(None, false))
                .then(command::choose_tree(None, &filter, &format)),
        ));
    }
    let (client, session) = asking_client(server, client, None)?;
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

/// The way back to where the client was before it was last taken somewhere from here.
///
/// # Errors
/// [`Exit::Nothing`] when it was taken nowhere, or that pane is gone; outside tmux nobody has been anywhere.
pub fn last(server: &Server, client: Option<&str>) -> Result<Route> {
    let (asking, _) = asking_client(server, client, None)?;
    let format = format!("#{{{}}}", schema::was(&asking.name));
    let before = server.run(&Batch::from(command::print(None, &format)))?;
    let nowhere = || {
        Error::nothing(
            "there is nothing to go back to: no key and no sesh-enter has taken this client anywhere, or that pane \
             is gone",
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

/// The pane as a target that also says in which session: a window may be in several.
fn target(place: &Place, session: &str) -> String {
    format!("{session}:{}.{}", place.window_id, place.pane)
}

/// One attached client.
struct Client {
    name: String,
    session: String,
    /// What it looks at.
    pane: String,
    activity: u64,
}

/// The client that asked, and the session in which it should see `place`.
///
/// tmux cannot tell which client's key started a process: a binding hands the name on (`--client`). Else it
/// is one that looks at the session which the caller is in; of several the one that was used last, since
/// a key there is what started the caller.
fn asking_client(
    server: &Server,
    wanted: Option<&str>,
    place: Option<&Place>,
) -> Result<(Client, String)> {
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
    // The sessions in which the caller's window is linked: several, in a session group.
    let linked_to = |mark: &str, pane: PaneId| {
        command::list_panes(
            &frame.format([mark, "#{session_id}"]),
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
            ["own", session] => own.push(session.into()),
            ["linked", session] => linked.push(session),
            _ => {}
        }
    }
    if wanted.is_none() {
        clients.retain(|client| own.contains(&client.session));
    }
    let client = clients
        .into_iter()
        .max_by_key(|client| client.activity)
        .ok_or_else(|| match wanted {
            Some(name) => Error::nothing(format!(
                "there is no client {name}: tmux list-clients shows them"
            )),
            None => Error::new(
                Exit::Unusable,
                "no client looks at this session: name the one to switch with --client",
            ),
        })?;
    let session = match place {
        Some(_) if linked.contains(&client.session.as_str()) => client.session.clone(),
        Some(place) => place.session_id.clone(),
        None => client.session.clone(),
    };
    Ok((client, session))
}
