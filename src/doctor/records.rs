//! The records of seshes in tmux: whether they can be read, and whether they match panes and processes.

use super::{Area, Findings, ProblemKind, ServerInfo, machine};
use crate::error::Exit;
use crate::id::counted;
use crate::inventory::change::ChangeKind;
use crate::sesh::reap;
use crate::store::query::book_line;
use crate::store::record::{Values, book_version};
use crate::store::schema;
use crate::tmux::Server;

/// How many names a sentence lists.
const MAX_NAMES: usize = 5;
/// How long a reconciliation may run, in seconds. One takes far less.
const REAP_LIMIT: u64 = 30;

/// Checks the records, and names in scopes where they do not belong.
pub(super) fn store(info: &ServerInfo, findings: &mut Findings) {
    let before = findings.count();
    let mut books = 0;
    for line in &info.server_options {
        let Some(name) = line
            .split(' ')
            .next()
            .filter(|name| name.starts_with("@seshbook_"))
        else {
            continue;
        };
        books += 1;
        let text = book_line(line).map_or("", |(_, text)| text);
        let remove = findings.mends.tmux(&["set-option", "-su", name]);
        match book_version(text) {
            Some(version) if version > schema::VERSION => findings.problem(
                ProblemKind::RecordNewer,
                format!("{name} was written by a newer tmux-sesh, and is left alone"),
                format!("install that version of the helpers; or remove this record: {remove}"),
            ),
            Some(_) if Values::from_book(text).is_some() => {}
            _ => {
                let show = findings.mends.tmux(&["show-options", "-s", name]);
                findings.problem(
                    ProblemKind::RecordUnreadable,
                    format!("{name} cannot be read"),
                    format!("inspect it ({show}), and remove it: {remove}"),
                );
            }
        }
    }
    let scopes = [
        (&info.server_options, "-su", "the server"),
        (&info.session_options, "-gu", "all sessions"),
        (&info.window_options, "-gwu", "all windows"),
    ];
    for (lines, flags, scope) in scopes {
        for name in lines.iter().filter_map(|line| line.split(' ').next()) {
            if schema::is_state(name) {
                let unset = findings.mends.tmux(&["set-option", flags, name]);
                findings.problem(
                    ProblemKind::StateForMany,
                    format!(
                        "{name} is set for {scope}, so panes that are not seshes seem to have it"
                    ),
                    unset,
                );
            }
        }
    }
    findings.ok_unless_more(
        before,
        Area::Store,
        format!(
            "{}, schema {}",
            counted(books, "record", "records"),
            schema::VERSION
        ),
    );
}

/// Checks the stored values that no longer match.
pub(super) fn stale(server: &Server, info: &ServerInfo, findings: &mut Findings) {
    let changes = match reap::look(server) {
        Ok(changes) => changes,
        // The finding is there already, with the names.
        Err(error) if error.exit == Exit::Unusable => return,
        Err(error) if machine::silence(server, &error, findings) => return,
        Err(error) => {
            let again = findings.mends.helper("sesh-doctor", &[]);
            return findings.error(
                ProblemKind::NotCompared,
                &error,
                &format!("try again: {again}"),
            );
        }
    };
    let reap = findings.mends.helper("sesh-reap", &[]);
    let before = findings.count();
    // Shells and agents become busy and idle all day, so a state that is not written yet is not a fault.
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
        let mut sentences: Vec<String> = changes
            .iter()
            .take(MAX_NAMES)
            .map(|change| {
                let name = change.name.clone().filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| change.uuid.to_string());
                format!("{} {}", name, change.what)
            })
            .collect();
        if changes.len() > MAX_NAMES {
            sentences.push(format!("and {} more", changes.len() - MAX_NAMES));
        }
        let what = sentences.join("; ");
        if fault {
            findings.problem(ProblemKind::Stale, what, &reap);
        } else {
            findings.problem(
                ProblemKind::StateUnwritten,
                what,
                format!("the plugin records it within seconds; to do it now: {reap}"),
            );
        }
    }
    let since = info.reaping.parse().unwrap_or(info.now);
    if since.saturating_add(REAP_LIMIT) < info.now {
        findings.problem(
            ProblemKind::ReapWithoutEnd,
            format!(
                "a sesh-reap that started {} s ago has not finished",
                info.now - since
            ),
            &reap,
        );
    }
    findings.ok_unless_more(before, Area::Stale, "records match reality");
}
