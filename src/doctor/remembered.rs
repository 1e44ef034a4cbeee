//! What tmux remembers of seshes: whether it can be read, and whether it is so.

use super::{Area, Findings, Said};
use crate::error::Exit;
use crate::inventory::change::ChangeKind;
use crate::sesh::reap;
use crate::store::query::book_line;
use crate::store::record::{Values, book_version};
use crate::store::schema;
use crate::tmux::Server;

/// How many names a sentence says.
const NAMES: usize = 5;
/// How old the mark of a reconciliation may be, in seconds: one takes far less.
const OVER: u64 = 30;

/// The books, and names where they do not belong.
pub(super) fn store(said: &Said, findings: &mut Findings) {
    let before = findings.0.len();
    let mut books = 0;
    for line in &said.server_options {
        let Some(name) = line
            .split(' ')
            .next()
            .filter(|name| name.starts_with("@seshbook_"))
        else {
            continue;
        };
        books += 1;
        let text = book_line(line).map_or("", |(_, text)| text);
        match book_version(text) {
            Some(version) if version > schema::VERSION => findings.fault(
                Area::Store,
                format!("{name} was written by a newer tmux-sesh, which this one leaves alone"),
                "install that version of the helpers",
            ),
            Some(_) if Values::from_book(text).is_some() => {}
            _ => findings.fault(
                Area::Store,
                format!("{name} cannot be read"),
                format!("look at it with tmux show-options -s {name}, and remove it with tmux set-option -su {name}"),
            ),
        }
    }
    let scopes = [
        (&said.server_options, "-su", "the server"),
        (&said.session_options, "-gu", "all sessions"),
        (&said.window_options, "-gwu", "all windows"),
    ];
    for (lines, flags, whom) in scopes {
        for name in lines.iter().filter_map(|line| line.split(' ').next()) {
            if schema::is_state(name) {
                findings.fault(
                    Area::Store,
                    format!("{name} is set for {whom}, so panes that are no sesh seem to have it"),
                    format!("tmux set-option {flags} {name}"),
                );
            }
        }
    }
    findings.ok_unless_more(
        before,
        Area::Store,
        format!("{books} seshes are remembered, schema {}", schema::VERSION),
    );
}

/// What is stored and not so any more.
pub(super) fn stale(server: &Server, said: &Said, findings: &mut Findings) {
    let changes = match reap::look(server) {
        Ok(changes) => changes,
        // Said already, with the names.
        Err(error) if error.exit == Exit::Unusable => return,
        Err(error) => return findings.error(Area::Stale, &error),
    };
    let before = findings.0.len();
    // Shells and agents are busy and idle all day: that their state is to be written is no fault.
    let (states, others): (Vec<_>, Vec<_>) = changes.iter().partition(|change| {
        matches!(
            change.change,
            ChangeKind::State | ChangeKind::Agent | ChangeKind::Adopted
        )
    });
    for (changes, fault) in [(others, true), (states, false)] {
        if changes.is_empty() {
            continue;
        }
        let mut said: Vec<String> = changes
            .iter()
            .take(NAMES)
            .map(|change| {
                let name = change.name.clone().filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| change.uuid.to_string());
                format!("{} {}", name, change.what)
            })
            .collect();
        if changes.len() > NAMES {
            said.push(format!("and {} more", changes.len() - NAMES));
        }
        let what = said.join("; ");
        if fault {
            findings.fault(Area::Stale, what, "sesh-reap");
        } else {
            findings.note(
                Area::Stale,
                what,
                "sesh-reap writes it down; the plugin starts it by itself",
            );
        }
    }
    let since = said.reaping.parse().unwrap_or(said.now);
    if since.saturating_add(OVER) < said.now {
        findings.note(
            Area::Stale,
            format!(
                "a sesh-reap that was started {} s ago has not said that it is over",
                said.now - since
            ),
            "sesh-reap",
        );
    }
    findings.ok_unless_more(before, Area::Stale, "what is remembered is so");
}
