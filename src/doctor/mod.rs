//! The diagnosis: what is in order and what is not, each fault with the way to repair it. It changes nothing.

mod agents;
mod journal;
mod machine;
mod mend;
mod plugin;
mod problem;
mod records;
mod settings;
mod work;

use serde::Serialize;

use mend::Mends;
pub use problem::ProblemKind;

use crate::error::{Error, Exit, Result};
use crate::store::{schema, write};
use crate::tmux::show::OptionScope;
use crate::tmux::{Batch, Frame, Server, command, show};

/// The severity of a finding. The words are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Ok,
    /// Worth knowing; nothing is wrong.
    Note,
    Fault,
}

/// The subject of a finding. The words are public.
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
    Work,
}

impl Area {
    /// Every area with its meaning. The table in plugin/doc/json.md is generated from it.
    pub const MEANINGS: [(Area, &str); 13] = [
        (Area::Tmux, "tmux itself: client, server and known faults"),
        (Area::Helpers, "the helpers next to this one and on PATH"),
        (
            Area::Permissions,
            "who can open the socket and the private files",
        ),
        (Area::Plugin, "the plugin and the helpers that it uses"),
        (Area::Keys, "the keys that it bound"),
        (Area::Hooks, "the hooks that it set"),
        (Area::Segment, "the status segment"),
        (Area::Settings, "the options that are set"),
        (
            Area::Agents,
            "the files that describe agents, and failures of their hooks",
        ),
        (Area::Store, "the records, and options in the wrong scope"),
        (
            Area::Journal,
            "the journal: whether it can be written and read",
        ),
        (Area::Stale, "records that no longer match reality"),
        (
            Area::Work,
            "the repository of this folder: git, the ledger of claims, and their worktrees",
        ),
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
            Area::Work => "work",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub level: Severity,
    pub area: Area,
    /// The problem; `None` for what is in order.
    pub id: Option<ProblemKind>,
    /// What was found, as a sentence.
    pub what: String,
    /// The way to repair it.
    pub mend: Option<String>,
}

/// The findings so far, and the words of their mends.
#[derive(Debug)]
pub(super) struct Findings {
    all: Vec<Finding>,
    mends: Mends,
}

impl Findings {
    fn ok(&mut self, area: Area, what: impl Into<String>) {
        self.all.push(Finding {
            level: Severity::Ok,
            area,
            id: None,
            what: what.into(),
            mend: None,
        });
    }

    /// Adds a problem. Every mend is tested: what it says is done, and then the finding has gone.
    fn problem(&mut self, kind: ProblemKind, what: impl Into<String>, mend: impl Into<String>) {
        self.all.push(Finding {
            level: kind.severity(),
            area: kind.area(),
            id: Some(kind),
            what: what.into(),
            mend: Some(mend.into()),
        });
    }

    /// Adds an error as a problem, with the way out of the error, or else with this one.
    fn error(&mut self, kind: ProblemKind, error: &Error, mend: &str) {
        let mend = error.way_out().unwrap_or(mend);
        self.problem(kind, &error.what, mend);
    }

    /// Returns the number of findings so far.
    fn count(&self) -> usize {
        self.all.len()
    }

    /// Reports that an area is in order, if nothing was added since `before`.
    fn ok_unless_more(&mut self, before: usize, area: Area, what: impl Into<String>) {
        if self.count() == before {
            self.ok(area, what);
        }
    }
}

/// What was found, and why a part could not be examined: no server, no tmux.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    pub missing: Option<Error>,
}

/// What a server returns about itself, about the plugin and about its options, in one tmux process.
#[derive(Debug, Default)]
pub(super) struct ServerInfo {
    version: String,
    pid: i32,
    socket: String,
    /// The time by the server's clock, in epoch seconds.
    now: u64,
    /// When the running reconciliation started, as it is stored.
    reaping: String,
    plugin: plugin::PluginOptions,
    server_options: Vec<String>,
    session_options: Vec<String>,
    window_options: Vec<String>,
    hooks: Vec<String>,
    keys: Vec<String>,
}

/// Examines everything. `helpers` are the names of all helpers, and `version` is their version. `chosen` are the words
/// that chose the server.
///
/// # Errors
/// The server cannot be named, as by a socket path that is not UTF-8.
pub fn examine(
    server: Result<Server>,
    chosen: &[String],
    helpers: &[&str],
    version: &str,
) -> Result<Report> {
    let mut findings = Findings {
        all: Vec::new(),
        mends: Mends::new(chosen),
    };
    let missing = match server {
        Ok(server) => examine_server(&server, helpers, version, &mut findings),
        Err(error) if error.exit == Exit::NoTmux => {
            findings.error(ProblemKind::NoTmux, &error, "install it");
            machine::helpers(helpers, version, &mut findings);
            machine::files(&mut findings);
            agents::manifests(&mut findings);
            agents::hooks(&mut findings);
            agents::failures(&mut findings);
            Some(error)
        }
        Err(error) => return Err(error),
    };
    Ok(Report {
        findings: findings.all,
        missing,
    })
}

fn examine_server(
    server: &Server,
    helpers: &[&str],
    version: &str,
    findings: &mut Findings,
) -> Option<Error> {
    let mut answer = query(server);
    if answer.as_ref().is_err_and(machine::hung_up) {
        // The server may have been about to end. A server of another version closes the connection again.
        answer = query(server);
    }
    let (info, missing) = match answer {
        Ok(info) => (Some(info), None),
        Err(error) => (None, Some(error)),
    };
    let silent = missing
        .as_ref()
        .is_some_and(|error| machine::silence(server, error, findings));
    if let Some(error) = &missing
        && !silent
        && ![Exit::NoServer, Exit::NoTmux].contains(&error.exit)
    {
        let mend = format!(
            "put tmux itself first on PATH, instead of {}",
            server.program().display()
        );
        findings.error(ProblemKind::NoAnswerOfTmux, error, &mend);
    }
    machine::tmux(server, info.as_ref(), missing.as_ref(), findings);
    machine::helpers(helpers, version, findings);
    machine::files(findings);
    agents::manifests(findings);
    agents::hooks(findings);
    agents::failures(findings);
    if !silent {
        machine::lost(server, findings);
    }
    journal::journal(server, info.is_some(), findings);
    if let Some(info) = &info {
        machine::socket(info, findings);
        plugin::plugin(info, version, findings);
        plugin::keys(info, findings);
        plugin::hooks(info, findings);
        plugin::segment(info, findings);
        settings::settings(info, findings);
        records::store(info, findings);
        records::stale(server, info, findings);
    }
    if let Ok(folder) = std::env::current_dir() {
        work::work(server, &folder, findings);
    }
    missing
}

fn query(server: &Server) -> Result<ServerInfo> {
    let frame = Frame::new();
    let separator = || command::print(None, &frame.format(["next"]));
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
        .then(show::server_options())
        .then(separator())
        .then(show::global_options(OptionScope::Sessions))
        .then(separator())
        .then(show::global_options(OptionScope::Windows))
        .then(separator())
        .then(show::global_hooks(OptionScope::Sessions))
        .then(show::global_hooks(OptionScope::Windows))
        .then(separator())
        .then(show::keys());
    // This uses the tmux program even for questions that the server could answer directly, because whether the program
    // works is part of the diagnosis.
    let output = server.run_with_program(&batch, None)?;
    let sections: Vec<_> = frame.sections(&output).collect();
    let lines = |at: usize| -> Vec<String> {
        sections
            .get(at)
            .map_or_else(Vec::new, |(_, text)| text.lines().map(Into::into).collect())
    };
    let row = sections.first().map_or(&[][..], |(row, _)| &row[..]);
    let [version, pid, socket, now, reaping, plugin @ ..] = row else {
        return Err(Error::failed("tmux does not print its version"));
    };
    Ok(ServerInfo {
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
