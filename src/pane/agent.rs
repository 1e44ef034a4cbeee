//! The agents in panes and what they are doing. All evidence of an agent is read at one moment and then judged.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::agent::composer::Composer;
use crate::agent::conversation;
use crate::agent::explain::{Explanation, explain};
use crate::agent::kinds::Agent;
use crate::agent::locate::locate;
use crate::agent::recognise::{AgentProcess, OwnProcesses, living};
use crate::agent::screen::{Screen, ScreenCursor, ScreenRow};
use crate::agent::state::{Evidence, FRESH, HookEvidence, Session, Verdict, judge};
use crate::agent::transcript::Transcript;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, ProcessId};
use crate::pane::given;
use crate::proc::{self, Process};
use crate::state::State;
use crate::store::hook_report::HookReport;
use crate::store::query::{Pane, extra, read_row, row_format_with};
use crate::store::{Key, Record, schema, write};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// The formats of what tmux knows about a pane. [`PaneFacts::of`] parses what they expand to.
pub const FACT_FORMATS: [&str; 4] = [
    "#{window_activity}",
    "#{pane_title}",
    schema::HOOK_OF_PANE,
    "#{cursor_x},#{cursor_y}",
];

/// How long after its start an agent counts as one that has just started.
const YOUNG: Duration = Duration::from_secs(5);

/// For how many seconds after it has printed a pane may be in the middle of drawing.
const DRAWING_SECONDS: u64 = 3;

/// What tmux knows about a pane.
#[derive(Clone, Copy, Debug, Default)]
pub struct PaneFacts<'a> {
    /// When its window printed last, in seconds of the server's clock.
    activity: u64,
    title: &'a str,
    /// The last report of the agent's hooks.
    hook_report: &'a str,
    /// The position of the cursor.
    cursor: Option<ScreenCursor>,
    /// The screen, as `capture-pane -p -e` prints it.
    pub screen: Option<&'a str>,
}

impl<'a> PaneFacts<'a> {
    #[must_use]
    pub fn of(fields: &[&'a str]) -> Self {
        let &[activity, title, hook_report, cursor] = fields else {
            return Self::default();
        };
        Self {
            activity: activity.parse().unwrap_or(0),
            title,
            hook_report,
            cursor: ScreenCursor::parse(cursor),
            screen: None,
        }
    }
}

/// Returns the screens of panes with their colours, for [`PaneFacts::screen`]. A pane that is gone has none.
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

/// Returns the question for the screen of one pane. The answer is a header that [`screen_of`] parses, and the screen.
pub(crate) fn screen(frame: &Frame, pane: PaneId) -> [Command; 2] {
    [
        command::print(None, &frame.format([pane.0.to_string()])),
        command::capture_pane(&pane.to_string(), "0", true, false),
    ]
}

/// Returns the pane whose screen follows a header, or `None` for any other row.
pub(crate) fn screen_of(row: &[&str]) -> Option<PaneId> {
    match row {
        [number] => number.parse().ok().map(PaneId),
        _ => None,
    }
}

/// Returns the condition that an agent may run in a pane: one is stored for the pane, or the program in front is no
/// shell. Where the wrapper of an agent is a shell, tmux does not see the agent. The screen of such a pane is asked for
/// in a second round, when the agent is known to be there.
#[must_use]
pub fn may_have_agent() -> String {
    // A conditional, since || would read the process of every pane.
    format!(
        "#{{?{},1,#{{!=:#{{m/r:^-?(a|ba|c|da|fi|k|mk|tc|z)?sh$,#{{pane_current_command}}}},1}}}}",
        Key::Agent.option()
    )
}

/// An agent in a pane, with all that is known of it at one moment.
pub struct PaneAgent<'a> {
    pub process_of_agent: AgentProcess<'a>,
    /// The id of its conversation, from its own files, its command line or its hooks.
    pub conversation: Option<String>,
    /// The conversation of its last hook report, which is the one that it works in.
    pub hook_conversation: Option<String>,
    title: String,
    screen: Option<Screen>,
    session: Option<Session>,
    report: Option<HookEvidence>,
    /// The report is that of a delivery, and not of a hook.
    is_delivery: bool,
    activity: u64,
    now: u64,
}

/// Returns at least the processes that descend from these. For many it reads the whole process table once.
#[must_use]
pub fn processes(firsts: &[i32]) -> Vec<Process> {
    const FEW: usize = 8;
    if firsts.len() <= FEW {
        firsts.iter().flat_map(|first| proc::tree(*first)).collect()
    } else {
        proc::all()
    }
}

/// Returns the agent in a pane: the one that is found there, or else the one that a person named for its sesh. `first`
/// is the pane's first process, `processes` hold at least its descendants, and `now` is the server's clock.
#[must_use]
pub fn agent_in<'a>(
    first: i32,
    processes: &[Process],
    agents: &'a [Agent],
    record: Option<&Record>,
    facts: PaneFacts<'_>,
    now: u64,
) -> Option<PaneAgent<'a>> {
    let living = living(processes, first, agents, &OwnProcesses)
        .into_iter()
        .next()
        .or_else(|| given::agent(record?, first, processes, agents))?;
    let pid = living.process.pid;
    let environment = OnceCell::new();
    let own = conversation::told(&living, |name| {
        let environment = environment.get_or_init(|| proc::environment(pid));
        environment.get(name)
    });
    let report =
        HookReport::parse(facts.hook_report).filter(|report| report.process == living.process.id());
    let reported = report
        .as_ref()
        .and_then(|report| report.conversation.clone());
    let is_delivery = report.as_ref().is_some_and(HookReport::is_delivery);
    Some(PaneAgent {
        conversation: own.id.or_else(|| reported.clone()),
        hook_conversation: reported,
        title: facts.title.into(),
        screen: facts
            .screen
            .map(|screen| Screen::parse(screen).with_cursor(facts.cursor)),
        session: own.session,
        report: report.and_then(|report| {
            // Exact for a hundred thousand years.
            #[expect(clippy::cast_precision_loss)]
            let (at, now) = (report.at as f64 / 1000.0, now as f64);
            let is_old = at + FRESH < now;
            Some(HookEvidence {
                state: report.state.filter(|_| !(is_delivery && is_old))?,
                why: report.why,
                event: report.event,
                at,
            })
        }),
        is_delivery,
        activity: facts.activity,
        now,
        process_of_agent: living,
    })
}

/// A pane and the agent in it.
pub struct Look<'a> {
    pub pane: Pane,
    /// Its first process has ended.
    pub dead: bool,
    /// The working folder that tmux has for the pane.
    pub folder: String,
    /// The server's clock.
    pub now: u64,
    pub pane_agent: Option<PaneAgent<'a>>,
    /// The screen, as `capture-pane -p -e` prints it.
    pub drawn: String,
    /// The position of the cursor.
    pub cursor: Option<ScreenCursor>,
    /// The values of the formats that the caller asked for.
    pub more: Vec<String>,
}

/// Looks at one pane: asks the server one question and reads the processes below the pane. `formats` are part of that
/// question.
///
/// # Errors
/// There is no such pane.
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
        .chain(FACT_FORMATS)
        .chain(formats.iter().copied())
        .collect();
    let target = pane.to_string();
    let shown = Batch::from(command::print(
        Some(&target),
        &row_format_with(&frame, &more),
    ))
    .then(command::capture_pane(&target, "0", true, false));
    // 3.2a crashes on some formats where there is no pane.
    let question = Batch::from(command::if_format(
        Some(&target),
        &format!("#{{==:#{{pane_id}},{pane}}}"),
        &shown,
        &Batch::new(),
    ));
    let gone = || Error::no_pane(pane);
    let output = match server.run(&question) {
        Err(error) if error.exit == Exit::Nothing => return Err(gone()),
        outcome => outcome?,
    };
    let (rows, screen) = frame.read(&output);
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    let mut pane = read_row(row)?.ok_or_else(gone)?;
    pane.find_where_seen(server)?;
    let [dead, folder, now, facts @ ..] = extra(row) else {
        return Err(gone());
    };
    let Some((facts, more)) = facts.split_at_checked(FACT_FORMATS.len()) else {
        return Err(gone());
    };
    let now = now.parse().unwrap_or(0);
    let mut facts = PaneFacts::of(facts);
    facts.screen = Some(screen);
    // The pid of a process that has ended may belong to another process by now.
    let dead = *dead == "1";
    let first = pane.place.pid;
    let pane_agent = (!dead)
        .then(|| {
            let processes = proc::tree(first);
            agent_in(first, &processes, agents, pane.record.as_ref(), facts, now)
        })
        .flatten();
    Ok(Look {
        dead,
        folder: (*folder).into(),
        now,
        pane_agent,
        pane,
        drawn: screen.into(),
        cursor: facts.cursor,
        more: more.iter().copied().map(Into::into).collect(),
    })
}

impl PaneAgent<'_> {
    /// Returns the identity of its process.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.process_of_agent.process.id()
    }

    /// Returns the value of `@sesh_pid` for its process.
    #[must_use]
    pub fn stored_value(&self) -> String {
        if self.process_of_agent.given {
            given::stored_value(self.process())
        } else {
            self.process().to_string()
        }
    }

    /// Returns whether this is the agent that was stored as `process`: its process, or a wrapper that was seen before
    /// it had started the agent.
    #[must_use]
    pub fn matches_stored(&self, process: &str) -> bool {
        if let Some(given) = given::process_of(process) {
            // A program that a person named as the agent may have started it meanwhile.
            return proc::is_alive(given);
        }
        let Ok(process) = process.parse::<ProcessId>() else {
            return false;
        };
        let mut all =
            std::iter::once(&self.process_of_agent.process).chain(&self.process_of_agent.wrappers);
        all.any(|it| it.id() == process)
    }

    /// Returns the folder that it works in.
    #[must_use]
    pub fn folder(&self) -> Option<String> {
        let folder = proc::folder(self.process_of_agent.process.pid)?;
        Some(folder.to_string_lossy().into_owned())
    }

    /// Returns whether it has just started.
    #[must_use]
    pub fn is_young(&self) -> bool {
        let started = proc::started(&self.process_of_agent.process);
        // A start far in the future is one before the clock was set back. The start has the fractions of a clock tick, so
        // it may be a little ahead.
        started.is_some_and(|at| match at.elapsed() {
            Ok(age) => age < YOUNG,
            Err(ahead) => ahead.duration() < YOUNG,
        })
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            agent: self.process_of_agent.agent,
            stopped: self.process_of_agent.process.stopped,
            in_front: self.process_of_agent.in_front,
            title: &self.title,
            folder: self
                .process_of_agent
                .agent
                .manifest
                .needs_folder()
                .then(|| self.folder())
                .flatten(),
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

    /// Returns what it shows and reports itself: a message that was delivered a moment ago does not make it busy.
    #[must_use]
    pub fn own_verdict(&self) -> Verdict {
        let mut evidence = self.evidence();
        evidence.report = evidence.report.filter(|_| !self.is_delivery);
        judge(&evidence)
    }

    /// Returns what it is doing. Returns `None` while its pane prints and its state cannot be read: the state that was
    /// known before stays valid then.
    #[must_use]
    pub fn state(&self) -> Option<Verdict> {
        let verdict = self.verdict();
        // A stopped agent draws nothing, so output of its shell is no reason to wait.
        let stopped = self.process_of_agent.process.stopped;
        let settled = stopped || self.activity.saturating_add(DRAWING_SECONDS) <= self.now;
        (settled || verdict.state != State::Unknown).then_some(verdict)
    }

    /// Returns the transcript of its conversation, positioned at its end. Returns `None` where the conversation is not
    /// known or its transcript cannot be read.
    #[must_use]
    pub fn transcript(&self) -> Option<Transcript> {
        let id = self.conversation.as_ref()?;
        let environment = proc::environment(self.process_of_agent.process.pid);
        conversation::transcript(self.process_of_agent.agent, id, |name| {
            environment.get(name)
        })
    }

    /// Returns the content of its composer.
    #[must_use]
    pub fn composer(&self) -> Composer {
        match &self.screen {
            Some(screen) => Composer::read(self.process_of_agent.agent, screen),
            None => Composer::Absent,
        }
    }

    /// Returns the rows above its composer, or the whole screen where there is no composer.
    #[must_use]
    pub fn above_composer(&self) -> String {
        let Some(screen) = &self.screen else {
            return String::new();
        };
        let found = locate(&self.process_of_agent.agent.manifest.composer, screen);
        let end = found.map_or(screen.rows().len(), |found| found.rows.start);
        let rows: Vec<&str> = screen.rows()[..end].iter().map(ScreenRow::text).collect();
        rows.join("\n")
    }

    /// Returns whether a hook of this process has reported a state.
    #[must_use]
    pub fn has_hook_report(&self) -> bool {
        self.report.is_some() && !self.is_delivery
    }

    #[must_use]
    pub fn explanation(&self) -> Explanation {
        explain(&self.evidence())
    }
}
