//! `sesh-list`: finds and shows seshes.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::ServerArgs;
use super::list_columns::{CLAIM, COLUMNS, Column, column, columns, place};
use super::transcript_columns::{self, DetailedRecord};
use crate::clock;
use crate::env;
use crate::error::{self, Error, Exit, Result};
use crate::id::{PaneId, SeshId, Tag, counted, shown};
use crate::inventory::find;
use crate::out::{self, Table};
use crate::state::State;
use crate::store::condition::{both, either, equal, registered, tagged};
use crate::store::pending_restore;
use crate::store::query::{Past, ValueSource};
use crate::store::target::{is_id_prefix, search_starts};
use crate::store::{Key, Record, Select, Snapshot, schema, value};
use crate::tmux::Server;

pub(super) const EXAMPLES: super::Examples = &[
    ("List all seshes that have a pane", "sesh-list"),
    ("List archived and exited seshes, too", "sesh-list --all"),
    (
        "List the commands with a tag that have exited",
        "sesh-list --tag ci --state exited",
    ),
    (
        "Print names and exit codes for a script",
        "sesh-list --tag ci --columns name,exit --no-header",
    ),
    ("Print the record of one sesh", "sesh-list --json api"),
];

/// List seshes, with their states
///
/// Lists the seshes that have a pane and are not archived. A TARGET or PREFIX finds archived and exited seshes, too.
#[derive(Debug, Parser)]
pub(super) struct Args {
    /// List only these: names, uuids, or prefixes of them, and panes (%3)
    #[arg(value_name = "TARGET|PREFIX")]
    words: Vec<String>,

    /// List only seshes with this tag; repeat it to require several tags
    #[arg(long, visible_alias = "tagged", value_name = "TAG")]
    tag: Vec<Tag>,

    /// List only seshes of this kind of agent
    #[arg(long, value_name = "KIND")]
    agent: Option<String>,

    /// List only seshes in one of these states; failed means exited seshes whose command has failed
    #[arg(long, value_delimiter = ',', value_parser = states())]
    state: Vec<String>,

    /// List only seshes whose owner or parent is the sesh of this pane
    #[arg(long)]
    mine: bool,

    /// List only seshes of this owner
    #[arg(long, value_name = "WHO", value_parser = super::sesh_new::owner, allow_hyphen_values = true)]
    owner: Option<String>,

    /// List archived seshes, too
    #[arg(long)]
    archived: bool,

    /// List archived and exited seshes, too
    #[arg(long)]
    all: bool,

    /// List the seshes of all tmux servers of this user, each with its socket. The sockets are those in
    /// $SESH_TMUX_SOCKETS (paths separated by colons), else all in tmux's folder
    #[arg(long, conflicts_with_all = ["mine", "format"])]
    all_servers: bool,

    /// List the tags in use and how many seshes have each, instead
    #[arg(long, conflicts_with_all = ["columns", "format"])]
    tags: bool,

    /// Print these columns, separated by tabs. In values a tab, a newline and a backslash are \t, \n and \\
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", ignore_case = true,
        value_parser = PossibleValuesParser::new(COLUMNS.map(|(name, _)| name)).try_map(column))]
    columns: Vec<Column>,

    /// Print an array of records as JSON
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Print this tmux format, one line for each pane, as in '#{@sesh_name} #{pane_title}'
    #[arg(long, value_name = "FORMAT", conflicts_with = "columns")]
    format: Option<String>,

    /// Print no header line
    #[arg(long)]
    no_header: bool,

    /// Keep running, and print the list again when it changes. On a terminal the picker opens as a dashboard, if only
    /// --tag, --agent, --state, --all and --archived are given. Else each list follows an empty line; with --json each
    /// is one line
    #[arg(long)]
    watch: bool,

    #[command(flatten)]
    on: ServerArgs,
}

/// The word of `--state` for the exited seshes whose command has failed.
const FAILED: &str = "failed";

/// Returns the values of `--state`.
fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(State::ALL.map(State::as_str).into_iter().chain([FAILED]))
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    if args.words.iter().any(String::is_empty) {
        return Err(Error::usage("the target is empty: omit it for all seshes").into());
    }
    let server = args.on.server()?;
    if args.watch {
        dashboard(&args);
        return watch(&server, &args);
    }
    let text = current_text(&server, &args)?;
    if text.is_empty() {
        out::hint(&no_sesh(&server));
    } else {
        out::text(&text)?;
    }
    Ok(Exit::Done)
}

/// Replaces this process with the picker, where the picker can show what was asked for. The picker is another program,
/// because this one is run all the time and has to stay small.
fn dashboard(args: &Args) {
    let other = args.json || args.tags || args.mine || args.no_header;
    let other = other || args.format.is_some() || args.owner.is_some();
    let other = other || args.state.len() > 1 || args.state.iter().any(|state| state == FAILED);
    if other || !args.words.is_empty() || !args.columns.is_empty() || out::width().is_none() {
        return;
    }
    let terms = args.tag.iter().map(|tag| format!("tag:{tag}"));
    let terms = terms.chain(args.agent.iter().map(|agent| format!("agent:{agent}")));
    let terms = terms.chain(args.state.iter().map(|state| format!("state:{state}")));
    let filter = terms.collect::<Vec<String>>().join(" ");
    if let Some(picker) = env::helper("sesh-enter") {
        let mut picker = Command::new(picker);
        picker
            .args(["--watch", "--filter", &filter])
            .args((args.all || args.archived).then_some("--all"))
            .args(args.on.words());
        // Where the picker cannot be run, the table is shown.
        let _ = picker.exec();
    }
}

const NO_SESH: &str =
    "no sesh to show: sesh-new creates one, sesh-list --all shows exited ones, too";

/// Returns the sentence for an empty list. After the death of a server a person looks here for what was alive then.
fn no_sesh(server: &Server) -> String {
    match pending_restore::pending(server) {
        Ok(pending) if !pending.is_empty() => format!(
            "no sesh to show: sesh-restore --last-alive restores the {} of the last tmux server",
            counted(pending.len(), "sesh", "seshes")
        ),
        _ => NO_SESH.into(),
    }
}

/// Prints the list whenever it has changed, until the process is interrupted or the server is gone.
fn watch(server: &Server, args: &Args) -> anyhow::Result<Exit> {
    // A second is soon enough for a person, and one question a second is no load for a server.
    const PAUSE: Duration = Duration::from_secs(1);
    let mut before = None;
    loop {
        let text = current_text(server, args)?;
        if before.as_ref() != Some(&text) {
            let whole = args.json || !text.is_empty();
            out::redraw(
                if whole { &text } else { NO_SESH },
                before.is_none() || args.json,
            )?;
            before = Some(text);
        }
        std::thread::sleep(PAUSE); // why: no signal covers every change: the end of a process in a shell shows only in the process table.
    }
}

/// Returns what there is to show now, as text.
fn current_text(server: &Server, args: &Args) -> anyhow::Result<String> {
    let mine = if args.mine {
        Some(own_sesh(server)?)
    } else {
        None
    };
    let old = args.all || args.archived;
    let claims = args.columns.iter().any(|(name, _)| *name == CLAIM);
    let format = args.format.clone();
    let format = format.or_else(|| claims.then(|| format!("#{{{}}}", schema::CLAIM)));
    let values = match format {
        Some(_) => ValueSource::Panes,
        None => ValueSource::Records,
    };
    let mut select = Select {
        values,
        filter: Some(filter(args, mine)),
        ended: old || !args.words.is_empty(),
        past: match (old, args.words.is_empty()) {
            (false, _) => Past::No,
            (true, true) => Past::All,
            (true, false) => Past::Of(search_starts(&args.words)),
        },
        format,
    };
    let read = |select: &Select| {
        if args.all_servers {
            find::read_all(select)
        } else {
            find::read(server, select).map(|snapshot| vec![snapshot])
        }
    };
    let own = env::tmux_pane().filter(|_| server.is_own_server() && !args.all_servers);
    let is_wanted = |record: &&Record| wanted(record, args, own, mine);
    let mut snapshots = read(&select);
    let none = match &snapshots {
        Ok(snapshots) => !snapshots
            .iter()
            .flat_map(Snapshot::records)
            .any(|record| is_wanted(&record)),
        Err(error) => error.exit == Exit::NoServer,
    };
    if none && !old && !args.words.is_empty() {
        // It may belong to a server that has ended.
        select.past = Past::Of(search_starts(&args.words));
        snapshots = read(&select);
    }
    let snapshots = snapshots?;
    let all = snapshots.iter().flat_map(Snapshot::records);
    let mut records: Vec<&Record> = all.filter(is_wanted).collect();
    records.sort_by(|one, other| age_order(one).cmp(&age_order(other)));
    if records.is_empty() && !args.words.is_empty() {
        let words: Vec<String> = args.words.iter().map(|word| shown(word)).collect();
        let none = Error::nothing(format!("no sesh matches {}", words.join(", ")));
        let state = args.words.iter().find(|word| {
            let states = State::ALL.map(State::as_str).into_iter().chain([FAILED]);
            states.into_iter().any(|state| state == **word)
        });
        let way_out = match state {
            Some(state) => format!("give a state with --state: --state {state}"),
            None => match tag_among(&args.words, &snapshots) {
                Some(tag) => format!("it is a tag: --tag {tag}"),
                None => "sesh-list --all shows all seshes".into(),
            },
        };
        return Err(none.with_way_out(way_out).into());
    }
    for lost in records.iter().filter_map(|record| record.lost_server()) {
        error::warn(lost.to_string());
    }
    if args.tags {
        tags(&records, args)
    } else if args.json {
        json(&records, &args.columns)
    } else if args.format.is_some() {
        formatted(&snapshots, &records)
    } else if args.columns.is_empty() {
        Ok(rendered(
            &table(&records, args.all_servers),
            !args.no_header,
        ))
    } else {
        let claim = |record: &Record| {
            let pane = record.tmux.as_ref().map(|place| place.pane);
            let shown = snapshots.iter().find_map(|it| it.formatted.get(&pane?));
            shown.map_or_else(String::new, |text| value::decode(text))
        };
        Ok(columns(&records, &args.columns, !args.no_header, claim))
    }
}

/// Returns the sort key of a record: the oldest first, in one second by the number of the pane, without panes by name.
fn age_order(record: &Record) -> (Option<u64>, Option<PaneId>, &str) {
    let pane = record.tmux.as_ref().map(|place| place.pane);
    (record.created_at, pane, &record.name)
}

/// Returns the sesh that this pane is.
fn own_sesh(server: &Server) -> Result<SeshId> {
    let pane = env::tmux_pane().filter(|_| server.is_own_server());
    let pane = pane.ok_or_else(|| {
        Error::nothing("--mine: not in a pane of this tmux server: run it in one, or use --owner")
    })?;
    find::of_pane(server, pane, None)?
        .map(|(record, _)| record.uuid)
        .ok_or_else(|| {
            Error::nothing(format!(
                "pane {pane} is not a sesh, so it has created none: sesh-adopt . registers it"
            ))
        })
}

/// Returns the first of these words that is a tag of a sesh.
fn tag_among<'a>(words: &'a [String], snapshots: &[Snapshot]) -> Option<&'a str> {
    let records = || snapshots.iter().flat_map(Snapshot::records);
    let is_tag =
        |word: &&String| records().any(|record| record.tags.iter().any(|tag| tag == *word));
    words.iter().find(is_tag).map(String::as_str)
}

/// Returns the part of the query that the server evaluates.
fn filter(args: &Args, mine: Option<SeshId>) -> String {
    let mut filter = registered();
    for tag in &args.tag {
        filter = both(&filter, &tagged(tag));
    }
    if let Some(agent) = &args.agent {
        filter = both(&filter, &equal(Key::Agent, &value::encode(agent)));
    }
    if let Some(owner) = &args.owner {
        filter = both(&filter, &equal(Key::Owner, &value::encode(owner)));
    }
    if let Some(id) = mine.map(|id| id.to_string()) {
        let made = either(&equal(Key::Owner, &id), &equal(Key::Parent, &id));
        filter = both(&filter, &made);
    }
    if !args.all && !args.archived && args.words.is_empty() {
        filter = both(&filter, &equal(Key::Archived, ""));
    }
    filter
}

/// Returns whether a record matches the whole query. The server does not filter stored
/// records, and words and states are compared only here.
fn wanted(record: &Record, args: &Args, own: Option<PaneId>, mine: Option<SeshId>) -> bool {
    let tagged = args
        .tag
        .iter()
        .all(|tag| record.tags.iter().any(|it| it == tag.as_str()));
    let agent = args
        .agent
        .as_ref()
        .is_none_or(|agent| record.agent.as_ref() == Some(agent));
    let is_in = |state: &String| match state.as_str() {
        FAILED => record.state == State::Exited && record.failed(),
        state => record.state.as_str() == state,
    };
    let state = args.state.is_empty() || args.state.iter().any(is_in);
    let shown = if args.words.is_empty() {
        let there = record.tmux.is_some() || args.all || (args.archived && record.archived);
        there && (!record.archived || args.archived || args.all)
    } else {
        args.words
            .iter()
            .any(|word| word_matches(word, record, own))
    };
    let owner = args
        .owner
        .as_ref()
        .is_none_or(|owner| record.owner.as_ref() == Some(owner));
    let made = mine.is_none_or(|id| {
        record.parent == Some(id)
            || record
                .owner
                .as_ref()
                .is_some_and(|it| *it == id.to_string())
    });
    tagged && agent && state && owner && made && shown
}

fn word_matches(word: &str, record: &Record, own: Option<PaneId>) -> bool {
    let pane = record.tmux.as_ref().map(|place| place.pane);
    if word == "." {
        return pane.is_some() && pane == own;
    }
    let id = record.uuid.to_string();
    pane.is_some_and(|pane| pane.to_string() == word)
        || record.name.starts_with(word)
        || id == word.to_lowercase()
        || (is_id_prefix(word) && id.starts_with(&word.to_lowercase()))
}

#[derive(Serialize)]
struct TagCount<'a> {
    tag: &'a str,
    count: usize,
}

fn tags(records: &[&Record], args: &Args) -> anyhow::Result<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tag in records.iter().flat_map(|record| &record.tags) {
        *counts.entry(tag).or_default() += 1;
    }
    let counts: Vec<TagCount<'_>> = counts
        .into_iter()
        .map(|(tag, count)| TagCount { tag, count })
        .collect();
    if args.json {
        return out::json_text(&counts);
    }
    let table = Table {
        header: vec!["TAG", "SESHES"],
        rows: counts
            .iter()
            .map(|count| vec![count.tag.into(), count.count.to_string()])
            .collect(),
        shrink: vec![0],
        ..Table::default()
    };
    Ok(rendered(&table, !args.no_header))
}

/// Returns the records as JSON, with what their transcripts say.
fn json(records: &[&Record], columns: &[Column]) -> anyhow::Result<String> {
    if let Some((name, _)) = columns
        .iter()
        .find(|(name, _)| !transcript_columns::NAMES.contains(name))
    {
        let other = format!("--columns {name}: --json has all fields anyway");
        return Err(Error::usage(other).into());
    }
    let records = records.iter().map(|record| DetailedRecord::read(record));
    out::json_text(&records.collect::<Vec<_>>())
}

fn formatted(snapshots: &[Snapshot], records: &[&Record]) -> anyhow::Result<String> {
    let mut lines = String::new();
    for record in records {
        let Some(place) = &record.tmux else { continue };
        let mut formatted = snapshots.iter().map(|snapshot| &snapshot.formatted);
        let formatted = formatted.find_map(|formatted| formatted.get(&place.pane));
        let formatted = formatted
            .ok_or_else(|| Error::usage("tmux cannot parse the format: check its braces"))?;
        lines.push_str(&out::as_line(formatted));
    }
    Ok(lines)
}

fn table(records: &[&Record], servers: bool) -> Table {
    let now = clock::seconds();
    let home = env::home();
    let mut table = Table {
        header: vec![
            "NAME", "STATE", "AGE", "AGENT", "TAGS", "WHERE", "CWD", "NOTE",
        ],
        rows: records
            .iter()
            .map(|record| {
                let cwd = std::path::Path::new(&record.cwd);
                let cwd = match home.as_ref().and_then(|home| cwd.strip_prefix(home).ok()) {
                    Some(rest) if rest.as_os_str().is_empty() => "~".into(),
                    Some(rest) => format!("~/{}", rest.display()),
                    None => record.cwd.clone(),
                };
                vec![
                    record.name.clone(),
                    record.state_in_words(),
                    out::age(record.since, now),
                    record.agent.clone().unwrap_or_default(),
                    record.tags.join(" "),
                    place(record),
                    cwd,
                    // A note may be a page long. --json prints all of it.
                    out::cut(record.note.as_deref().unwrap_or_default(), 60),
                ]
            })
            .collect(),
        shrink: vec![7, 6, 4, 5, 0],
        red: records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.state == State::Exited && record.failed())
            .map(|(row, _)| (row, 1))
            .collect(),
    };
    if servers {
        table.header.push("SERVER");
        for (row, record) in table.rows.iter_mut().zip(records) {
            row.push(record.socket.clone().unwrap_or_default());
        }
    }
    table
}

fn rendered(table: &Table, header: bool) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    table.render(header, out::width())
}
