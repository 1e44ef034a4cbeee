//! What is well and what is not, each with the way to mend it. Nothing is changed.

mod agents;
mod journal;
mod machine;
mod plugin;
mod remembered;
mod settings;

use serde::Serialize;

use crate::error::{Error, Exit, Result};
use crate::store::{schema, write};
use crate::tmux::command::{OptionScope, list_keys, show_global_hooks, show_global_options};
use crate::tmux::{Batch, Frame, Server, command};

/// How bad. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Ok,
    /// Good to know; nothing is wrong.
    Note,
    Fault,
}

/// What a finding is about. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    Tmux,
    Helpers,
    Permissions,
    Plugin,
    Keys,
    Hooks,
    Segment,
    Settings,
    Agents,
    Store,
    Journal,
    Stale,
}

impl Area {
    /// Every area with its meaning: the README's table is made from it.
    pub const MEANINGS: [(Area, &str); 12] = [
        (
            Area::Tmux,
            "tmux itself: client, server, their known faults",
        ),
        (Area::Helpers, "the helpers beside this one and on PATH"),
        (
            Area::Permissions,
            "who may open the socket and the private files",
        ),
        (Area::Plugin, "the plugin, and the helpers that it uses"),
        (Area::Keys, "the keys that it bound"),
        (Area::Hooks, "the hooks that it set"),
        (Area::Segment, "the segment in the status lines"),
        (Area::Settings, "the options that you have set"),
        (
            Area::Agents,
            "the files that describe agents, and what their hooks could not tell",
        ),
        (
            Area::Store,
            "the records, and names where they do not belong",
        ),
        (
            Area::Journal,
            "what outlives the server: whether it can be written and read",
        ),
        (Area::Stale, "what is remembered and not so any more"),
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Area::Tmux => "tmux",
            Area::Helpers => "helpers",
            Area::Permissions => "permissions",
            Area::Plugin => "plugin",
            Area::Keys => "keys",
            Area::Hooks => "hooks",
            Area::Segment => "segment",
            Area::Settings => "settings",
            Area::Agents => "agents",
            Area::Store => "store",
            Area::Journal => "journal",
            Area::Stale => "stale",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub level: Severity,
    pub area: Area,
    /// What was found, as a sentence.
    pub what: String,
    /// The way to mend it.
    pub mend: Option<String>,
}

/// Findings as they come in.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, area: Area, what: impl Into<String>) {
        self.add(Severity::Ok, area, what.into(), None);
    }

    fn note(&mut self, area: Area, what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Note, area, what.into(), Some(mend.into()));
    }

    fn fault(&mut self, area: Area, what: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Fault, area, what.into(), Some(mend.into()));
    }

    fn error(&mut self, area: Area, error: &Error) {
        let mend = error.way_out().map(Into::into);
        self.add(Severity::Fault, area, error.what.clone(), mend);
    }

    /// Says that all is well in an area where nothing else was said since `before`.
    fn ok_unless_more(&mut self, before: usize, area: Area, what: impl Into<String>) {
        if self.0.len() == before {
            self.ok(area, what);
        }
    }

    fn add(&mut self, level: Severity, area: Area, what: String, mend: Option<String>) {
        self.0.push(Finding {
            level,
            area,
            what,
            mend,
        });
    }
}

/// What was found, and why a part could not be looked at: no server, no tmux.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    pub missing: Option<Error>,
}

/// What a server says of itself, of the plugin and of its options, in one tmux process.
#[derive(Debug, Default)]
pub(super) struct Said {
    version: String,
    pid: i32,
    socket: String,
    /// The time by its clock, in epoch seconds.
    now: u64,
    /// Since when a reconciliation runs, as it is stored.
    reaping: String,
    plugin: plugin::PluginOptions,
    server_options: Vec<String>,
    session_options: Vec<String>,
    window_options: Vec<String>,
    hooks: Vec<String>,
    keys: Vec<String>,
}

/// Looks at everything. `helpers` are the names of the family, and `version` is theirs.
///
/// # Errors
/// None of those that are findings.
pub fn examine(server: Result<Server>, helpers: &[&str], version: &str) -> Result<Report> {
    let mut findings = Findings::default();
    let missing = match server {
        Ok(server) => look_at(&server, helpers, version, &mut findings)?,
        Err(error) if error.exit == Exit::NoTmux => {
            findings.error(Area::Tmux, &error);
            machine::helpers(helpers, version, &mut findings);
            machine::files(&mut findings);
            agents::manifests(&mut findings);
            agents::failures(&mut findings);
            Some(error)
        }
        Err(error) => return Err(error),
    };
    Ok(Report {
        findings: findings.0,
        missing,
    })
}

fn look_at(
    server: &Server,
    helpers: &[&str],
    version: &str,
    findings: &mut Findings,
) -> Result<Option<Error>> {
    let mut asked = ask(server);
    if asked.as_ref().is_err_and(machine::hung_up) {
        // It may have been at its end. One of another version hangs up again.
        asked = ask(server);
    }
    let (said, missing) = match asked {
        Ok(said) => (Some(said), None),
        Err(error) if [Exit::NoServer, Exit::NoTmux].contains(&error.exit) => (None, Some(error)),
        Err(error) => return Err(error),
    };
    machine::tmux(server, said.as_ref(), missing.as_ref(), findings);
    machine::helpers(helpers, version, findings);
    machine::files(findings);
    agents::manifests(findings);
    agents::failures(findings);
    journal::journal(server, findings);
    if let Some(said) = &said {
        machine::socket(said, findings);
        plugin::plugin(said, version, findings);
        plugin::keys(said, findings);
        plugin::hooks(said, findings);
        plugin::segment(said, findings);
        settings::settings(said, findings);
        remembered::store(said, findings);
        remembered::stale(server, said, findings);
    }
    Ok(missing)
}

fn ask(server: &Server) -> Result<Said> {
    let frame = Frame::new();
    let mark = || command::print(None, &frame.format(["next"]));
    let reaping = format!("#{{{}}}", schema::REAP);
    let mut own = vec![
        "#{version}",
        "#{pid}",
        "#{socket_path}",
        write::NOW,
        &reaping,
    ];
    let plugin = plugin::PluginOptions::formats();
    own.extend(plugin.iter().map(String::as_str));
    let batch = Batch::from(command::print(None, &frame.format(&own)))
        .then(command::show_server_options())
        .then(mark())
        .then(show_global_options(OptionScope::Sessions))
        .then(mark())
        .then(show_global_options(OptionScope::Windows))
        .then(mark())
        .then(show_global_hooks(OptionScope::Sessions))
        .then(show_global_hooks(OptionScope::Windows))
        .then(mark())
        .then(list_keys());
    // By the program, also what the server would be asked at once: whether it can is part of the question.
    let output = server.run_in(&batch, None)?;
    let sections: Vec<_> = frame.sections(&output).collect();
    let lines = |at: usize| -> Vec<String> {
        sections
            .get(at)
            .map_or_else(Vec::new, |(_, text)| text.lines().map(Into::into).collect())
    };
    let row = sections.first().map_or(&[][..], |(row, _)| &row[..]);
    let [version, pid, socket, now, reaping, plugin @ ..] = row else {
        return Err(Error::failed("tmux did not say what it is"));
    };
    Ok(Said {
        version: (*version).into(),
        pid: pid.parse().unwrap_or(0),
        socket: (*socket).into(),
        now: now.parse().unwrap_or(0),
        reaping: (*reaping).into(),
        plugin: plugin::PluginOptions::read(plugin),
        server_options: lines(0),
        session_options: lines(1),
        window_options: lines(2),
        hooks: lines(3),
        keys: lines(4),
    })
}
