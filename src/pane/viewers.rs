//! The clients that show a pane, and where they go when it closes.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::PaneId;
use crate::store::condition::IS_READ;
use crate::store::origins::Origins;
use crate::tmux::{Batch, Frame, Server, command};

/// Returns whether a person reads a pane: a client shows it, or it is in copy mode or another mode. Returns `false` if
/// the server does not answer.
pub(crate) fn is_read(server: &Server, pane: PaneId) -> bool {
    let question = command::print(Some(&pane.to_string()), IS_READ);
    let answer = server.run(&Batch::from(question));
    answer.is_ok_and(|answer| answer.trim_end() == "1")
}

/// Takes the clients that show a pane away from it, because it is about to close: back to where they were before they
/// were taken there, else to another session if theirs ends with the pane. tmux would detach them then, or choose any
/// session. A failure changes nothing: tmux chooses.
pub(crate) fn lead_back(server: &Server, pane: Option<PaneId>) {
    if let Some(pane) = pane {
        let _ = switch_clients(server, pane);
    }
}

/// A client that shows the pane.
struct Viewer {
    name: String,
    session: String,
    last_session: String,
}

fn switch_clients(server: &Server, pane: PaneId) -> Result<()> {
    let (viewers, origins) = viewers(server, pane)?;
    if viewers.is_empty() {
        return Ok(());
    }
    let sessions = Sessions::read(server, pane)?;
    for viewer in viewers {
        let origin = origins.of(&viewer.name).and_then(|origin| {
            let mut places = sessions.places.iter();
            let there = |place: &&OtherPane| place.pane == origin.pane;
            let same = |place: &&OtherPane| there(place) && place.session == origin.session;
            places
                .find(same)
                .or_else(|| sessions.places.iter().find(there))
                .map(OtherPane::target)
        });
        if let Some(target) = origin.or_else(|| sessions.other_than_ending(&viewer)) {
            // One that has left meanwhile must not keep the others here.
            let _ = server.run(&Batch::from(command::switch_client(&viewer.name, &target)));
        }
    }
    Ok(())
}

/// Returns the clients that show a pane, and from where clients were taken there.
fn viewers(server: &Server, pane: PaneId) -> Result<(Vec<Viewer>, Origins)> {
    let frame = Frame::new();
    let clients = frame.format([
        "#{client_name}",
        "#{pane_id}",
        "#{session_id}",
        "#{client_last_session}",
    ]);
    let question = Batch::from(command::print(None, &frame.format([Origins::format(pane)])))
        .then(command::list_clients(&clients, None));
    let output = server.run(&question)?;
    let (rows, _) = frame.read(&output);
    let pane = pane.to_string();
    let mut origins = Origins::default();
    let mut viewers = Vec::new();
    for row in &rows {
        match row[..] {
            [from] => origins = Origins::read(from),
            [name, shown, session, last_session] if shown == pane => viewers.push(Viewer {
                name: name.into(),
                session: session.into(),
                last_session: last_session.into(),
            }),
            _ => {}
        }
    }
    Ok((viewers, origins))
}

/// A pane that stays, in a session.
struct OtherPane {
    session: String,
    window: String,
    pane: String,
}

impl OtherPane {
    fn target(&self) -> String {
        format!("{}:{}.{}", self.session, self.window, self.pane)
    }
}

/// The sessions that have more than the pane that closes, so that they stay.
struct Sessions {
    places: Vec<OtherPane>,
    /// When the session was last used, by its id.
    activity: HashMap<String, u64>,
    names: HashMap<String, String>,
}

impl Sessions {
    fn read(server: &Server, closing: PaneId) -> Result<Self> {
        let frame = Frame::new();
        let format = frame.format([
            "#{session_id}",
            "#{window_id}",
            "#{pane_id}",
            "#{session_activity}",
            "#{session_name}",
        ]);
        let others = format!("#{{!=:#{{pane_id}},{closing}}}");
        let output = server.run(&Batch::from(command::list_panes(&format, Some(&others))))?;
        let (rows, _) = frame.read(&output);
        let mut sessions = Self {
            places: Vec::new(),
            activity: HashMap::new(),
            names: HashMap::new(),
        };
        for row in &rows {
            if let [session, window, pane, activity, name] = row[..] {
                sessions.places.push(OtherPane {
                    session: session.into(),
                    window: window.into(),
                    pane: pane.into(),
                });
                let activity = activity.parse().unwrap_or(0);
                sessions.activity.insert(session.into(), activity);
                sessions.names.insert(name.into(), session.into());
            }
        }
        Ok(sessions)
    }

    /// Returns where a client goes whose session ends with the pane: to the session where it was before, else to the one
    /// that was used last. Returns `None` if the session stays, or if there is no other.
    fn other_than_ending(&self, viewer: &Viewer) -> Option<String> {
        if self.activity.contains_key(&viewer.session) {
            return None;
        }
        let before = self.names.get(&viewer.last_session);
        let last_used = || {
            let latest = self.activity.iter().max_by_key(|(_, activity)| **activity);
            latest.map(|(session, _)| session)
        };
        before
            .or_else(last_used)
            .map(|session| format!("{session}:"))
    }
}
