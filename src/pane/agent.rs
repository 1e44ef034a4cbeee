//! Who lives in panes and what it is doing: all that tells of it is asked at one moment, and judged.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::agent::composer::Composer;
use crate::agent::conversation;
use crate::agent::explain::{Explanation, explain};
use crate::agent::kinds::Agent;
use crate::agent::locate::locate;
use crate::agent::recognise::{Living, living};
use crate::agent::screen::{Screen, ScreenRow};
use crate::agent::state::{Evidence, HookEvidence, Session, Verdict, judge};
use crate::agent::transcript::Transcript;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ProcessId};
use crate::proc::{self, Process};
use crate::state::State;
use crate::store::hook_report::HookReport;
use crate::store::query::{Pane, extra, read_row, row_format_with};
use crate::store::{Key, schema, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What tmux tells of a pane, as formats: [`Told::of`] reads what they came to.
pub const TOLD: [&str; 3] = ["#{window_activity}", "#{pane_title}", schema::HOOK_OF_PANE];

/// How long an agent counts as one that has just started.
const YOUNG: Duration = Duration::from_secs(5);

/// How long, in seconds, a pane that printed is taken to be in the middle of drawing.
const SETTLES: u64 = 3;

/// What tmux tells of a pane.
#[derive(Clone, Copy, Debug, Default)]
pub struct PaneFacts<'a> {
    /// When its window printed last, in the server's seconds.
    activity: u64,
    title: &'a str,
    /// What the agent's hooks said last.
    heard: &'a str,
    /// What `capture-pane -p -e` prints.
    pub screen: Option<&'a str>,
}

impl<'a> PaneFacts<'a> {
    #[must_use]
    pub fn of(fields: &[&'a str]) -> Self {
        let &[activity, title, heard] = fields else {
            return Self::default();
        };
        Self {
            activity: activity.parse().unwrap_or(0),
            title,
            heard,
            screen: None,
        }
    }
}

/// The screens of panes, colours included, as [`Told::screen`] takes them. A pane that is gone has none.
///
/// # Errors
/// As [`Server::run`].
pub fn screens(server: &Server, panes: &[PaneId]) -> Result<HashMap<PaneId, String>> {
    let frame = Frame::new();
    let questions = panes
        .iter()
        .map(|pane| Batch::new().and(screen(&frame, *pane)));
    let answer = server.ask_each(&questions.collect::<Vec<Batch>>())?;
    let screens = frame.sections(&answer).filter_map(|(row, screen)| {
        let pane = screen_of(&row)?;
        Some((pane, screen.to_string()))
    });
    Ok(screens.collect())
}

/// The question for the screen of one pane: a mark that [`screen_of`] reads, and behind it the screen.
pub(crate) fn screen(frame: &Frame, pane: PaneId) -> [Command; 2] {
    [
        command::print(None, &frame.format([pane.0.to_string()])),
        command::capture_pane(&pane.to_string(), "0", true, false),
    ]
}

/// The pane of the screen behind a mark. `None` of any other row.
pub(crate) fn screen_of(row: &[&str]) -> Option<PaneId> {
    match row {
        [number] => number.parse().ok().map(PaneId),
        _ => None,
    }
}

/// The condition that an agent may live in a pane: one did, or something is in front there that is no shell. A wrapper
/// that is a shell hides its agent from tmux, which asks for the screen a round later, when it is known to be there.
#[must_use]
pub fn may_have_one() -> String {
    // A conditional, since || would look at the process of each pane.
    format!(
        "#{{?{},1,#{{!=:#{{m/r:^-?(a|ba|c|da|fi|k|mk|tc|z)?sh$,#{{pane_current_command}}}},1}}}}",
        Key::Agent.option()
    )
}

/// An agent that lives in a pane, with all that is known of it at this moment.
pub struct PaneAgent<'a> {
    pub living: Living<'a>,
    /// The id of its conversation, as its own files, its command line or its hooks say.
    pub conversation: Option<String>,
    /// The conversation of which its hooks said something last: what it works in is that.
    pub works_in: Option<String>,
    title: String,
    screen: Option<Screen>,
    session: Option<Session>,
    report: Option<HookEvidence>,
    activity: u64,
    now: u64,
}

/// The processes that descend from these, and more: one walk of the process table for many.
#[must_use]
pub fn processes(firsts: &[i32]) -> Vec<Process> {
    const FEW: usize = 8;
    if firsts.len() <= FEW {
        firsts.iter().flat_map(|first| proc::tree(*first)).collect()
    } else {
        proc::all()
    }
}

/// Who lives in a pane. `first` is the pane's first process, `processes` hold at least what descends from it, `now` is
/// the server's clock.
#[must_use]
pub fn agent_in<'a>(
    first: i32,
    processes: &[Process],
    agents: &'a [Agent],
    told: PaneFacts<'_>,
    now: u64,
) -> Option<PaneAgent<'a>> {
    let living = living(processes, first, agents, proc::program)
        .into_iter()
        .next()?;
    let pid = living.process.pid;
    let environment = OnceCell::new();
    let own = conversation::told(&living, |name| {
        let environment = environment.get_or_init(|| proc::environment(pid));
        environment.get(name)
    });
    let heard = HookReport::parse(told.heard).filter(|heard| heard.process == living.process.id());
    let said = heard.as_ref().and_then(|heard| heard.conversation.clone());
    Some(PaneAgent {
        conversation: own.id.or_else(|| said.clone()),
        works_in: said,
        title: told.title.into(),
        screen: told.screen.map(Screen::parse),
        session: own.session,
        report: heard.and_then(|heard| {
            Some(HookEvidence {
                state: heard.state?,
                why: heard.why,
                event: heard.event,
                // Exact for a hundred thousand years.
                #[expect(clippy::cast_precision_loss)]
                at: heard.at as f64 / 1000.0,
            })
        }),
        activity: told.activity,
        now,
        living,
    })
}

/// A pane, with who lives there.
pub struct Look<'a> {
    pub pane: Pane,
    /// Its first process has ended.
    pub dead: bool,
    /// The folder that tmux knows.
    pub folder: String,
    /// The server's clock.
    pub now: u64,
    pub pane_agent: Option<PaneAgent<'a>>,
    /// The screen, as `capture-pane -p -e` prints it.
    pub drawn: String,
    /// What the formats came to that the caller asked for.
    pub more: Vec<String>,
}

/// Looks at one pane: one question to the server, and the processes below the pane. `formats` are asked in the same.
///
/// # Errors
/// No such pane.
pub fn look<'a>(
    server: &Server,
    pane: PaneId,
    agents: &'a [Agent],
    formats: &[&str],
) -> Result<Look<'a>> {
    let frame = Frame::new();
    let more = ["#{pane_dead}", "#{pane_current_path}", write::NOW];
    let more: Vec<&str> = more
        .into_iter()
        .chain(TOLD)
        .chain(formats.iter().copied())
        .collect();
    let target = pane.to_string();
    let shown = Batch::from(command::print(
        Some(&target),
        &row_format_with(&frame, &more),
    ))
    .then(command::capture_pane(&target, "0", true, false));
    // 3.2a dies of some formats where there is no pane.
    let question = Batch::from(command::if_format(
        Some(&target),
        &format!("#{{==:#{{pane_id}},{pane}}}"),
        &shown,
        &Batch::new(),
    ));
    let gone = || Error::nothing(format!("there is no pane {pane}"));
    let output = match server.run(&question) {
        Err(error) if error.exit == Exit::Nothing => return Err(gone()),
        outcome => outcome?,
    };
    let (rows, screen) = frame.read(&output);
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let pane = read_row(row)?.ok_or_else(gone)?;
    let [dead, folder, now, tells @ ..] = extra(row) else {
        return Err(gone());
    };
    let Some((tells, more)) = tells.split_at_checked(TOLD.len()) else {
        return Err(gone());
    };
    let now = now.parse().unwrap_or(0);
    let mut told = PaneFacts::of(tells);
    told.screen = Some(screen);
    // The pid of a process that has ended may be another's by now.
    let dead = *dead == "1";
    let first = pane.place.pid;
    let pane_agent = (!dead)
        .then(|| agent_in(first, &proc::tree(first), agents, told, now))
        .flatten();
    Ok(Look {
        dead,
        folder: (*folder).into(),
        now,
        pane_agent,
        pane,
        drawn: screen.into(),
        more: more.iter().copied().map(Into::into).collect(),
    })
}

impl PaneAgent<'_> {
    /// Returns the identity of its process, as `@sesh_pid` holds it.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.living.process.id()
    }

    /// Whether this is the agent that was stored as `process`: it, or what it was before its wrapper had started it.
    #[must_use]
    pub fn was(&self, process: &str) -> bool {
        let Ok(process) = process.parse::<ProcessId>() else {
            return false;
        };
        let mut all = std::iter::once(&self.living.process).chain(&self.living.wrappers);
        all.any(|it| it.id() == process)
    }

    /// The folder that it works in.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        let folder = proc::folder(self.living.process.pid)?;
        Some(folder.to_string_lossy().into_owned())
    }

    /// Whether it has just started.
    #[must_use]
    pub fn is_young(&self) -> bool {
        let started = proc::started(&self.living.process);
        // A moment of the future is no age.
        started.is_some_and(|at| at.elapsed().unwrap_or_default() < YOUNG)
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            agent: self.living.agent,
            stopped: self.living.process.stopped,
            in_front: self.living.in_front,
            title: &self.title,
            young: self.is_young(),
            screen: self.screen.as_ref(),
            session: self.session.clone(),
            report: self.report.clone(),
            now: self.now,
        }
    }

    #[must_use]
    pub fn verdict(&self) -> Verdict {
        judge(&self.evidence())
    }

    /// What it is doing. `None` while its pane is in motion and cannot be read: then what was known before holds.
    #[must_use]
    pub fn state(&self) -> Option<Verdict> {
        let verdict = self.verdict();
        // A stopped one draws nothing: what its shell prints is no reason to wait.
        let stopped = self.living.process.stopped;
        let settled = stopped || self.activity.saturating_add(SETTLES) <= self.now;
        (settled || verdict.state != State::Unknown).then_some(verdict)
    }

    /// What it keeps of its conversation, from its end on. `None` where that is not known or cannot be read.
    #[must_use]
    pub fn transcript(&self) -> Option<Transcript> {
        let id = self.conversation.as_ref()?;
        let environment = proc::environment(self.living.process.pid);
        conversation::transcript(self.living.agent, id, |name| environment.get(name))
    }

    /// What stands in its composer.
    #[must_use]
    pub fn composer(&self) -> Composer {
        match &self.screen {
            Some(screen) => Composer::read(self.living.agent, screen),
            None => Composer::Absent,
        }
    }

    /// What is drawn above its composer, or all of its screen where that has none.
    #[must_use]
    pub fn above_composer(&self) -> String {
        let Some(screen) = &self.screen else {
            return String::new();
        };
        let found = locate(&self.living.agent.manifest.composer, screen);
        let end = found.map_or(screen.rows().len(), |found| found.rows.start);
        let rows: Vec<&str> = screen.rows()[..end].iter().map(ScreenRow::text).collect();
        rows.join("\n")
    }

    /// Whether a hook of this process has said what it does.
    #[must_use]
    pub fn has_spoken(&self) -> bool {
        self.report.is_some()
    }

    #[must_use]
    pub fn explanation(&self) -> Explanation {
        explain(&self.evidence())
    }
}
