//! Finds changes that no writer reports: the foreground of a shell, an exit without a report, an agent without hooks.
//!
//! The plugin's tick looks for all of these, where it runs. A wait also looks at the processes of its own seshes, which
//! costs a few reads of the process table, and at what agents print where no tick does. When something has changed, one
//! of the waits reconciles the store, at most once a second for all of them. The store then signals the change to all
//! waits but one: a wait on a sesh in a pane does not hear of the loss of that pane, and reads the store until it is
//! stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::events::Seshes;
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::proc;
use crate::store::second::{self, Reconciler};
use crate::store::{Record, schema, write};
use crate::tmux::{Batch, Server, command};

/// How often the process table is read at most and at least. The interval grows with the number of seshes, since each
/// sesh is a read.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(5);
const INTERVAL_PER_SESH: Duration = Duration::from_millis(100);
/// How often the server is asked whether agents have printed: while they print, and while none does.
const PRINT_INTERVAL_MIN: Duration = Duration::from_secs(1);
const PRINT_INTERVAL_MAX: Duration = Duration::from_secs(4);
/// For how many seconds after it has printed an agent may still be drawing.
const DRAWING_SECONDS: u64 = 4;

/// What a wait saw at its last look.
#[derive(Debug)]
pub(super) struct Poll {
    processes: BTreeMap<SeshId, ProcessState>,
    printed: Vec<String>,
    next: Instant,
    next_printed: Instant,
    print_interval: Duration,
    /// Something has changed, and the store has not been reconciled since.
    changed: bool,
    /// In which second that was known at the latest, by the server's clock.
    noticed: Option<u64>,
}

/// What the process table has of a sesh: the foreground of its pane, and whether the process that it is bound to is
/// alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessState {
    /// The generation of a shell, so that a state that another process has written counts as a change. That process may
    /// have looked earlier than this one, and this one may see the same foreground as at its last look.
    generation: Option<u64>,
    foreground: Option<i32>,
    is_alive: bool,
}

/// What a wait has to do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Nothing,
    /// The store has to be read: another process reconciles it.
    Read,
    Reconcile,
}

impl ProcessState {
    fn of(record: &Record) -> Self {
        // A sesh that is bound to another process than the first one of its pane does not own that pane any more.
        let first = record.tmux.as_ref().map(|place| place.pid);
        let bound = record.bound();
        let process = first
            .or(bound.map(|bound| bound.pid))
            .and_then(proc::read)
            .filter(|process| !process.zombie);
        let start = bound.and_then(|bound| bound.start);
        Self {
            generation: record.is_shell().then_some(record.generation),
            foreground: process.as_ref().map(|process| process.foreground),
            is_alive: process
                .is_some_and(|process| start.is_none_or(|start| start == process.start)),
        }
    }
}

fn processes(seshes: &Seshes) -> BTreeMap<SeshId, ProcessState> {
    let not_exited = seshes.not_exited();
    not_exited
        .map(|record| (record.uuid, ProcessState::of(record)))
        .collect()
}

impl Poll {
    /// Looks for the first time. The store is about to be reconciled.
    pub(super) fn of(seshes: &Seshes) -> Self {
        let now = Instant::now();
        Self {
            processes: processes(seshes),
            printed: Vec::new(),
            next: now + INTERVAL_MIN,
            next_printed: now + PRINT_INTERVAL_MIN,
            print_interval: PRINT_INTERVAL_MIN,
            changed: false,
            noticed: None,
        }
    }

    /// Notes that the store could not be reconciled, so that the wait tries again.
    pub(super) fn reconcile_failed(&mut self) {
        self.notice();
    }

    fn notice(&mut self) {
        self.changed = true;
        self.noticed = None;
    }

    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Looks again. Returns whether this process is to reconcile the store now, or to read it. `ticks`: the plugin looks
    /// at agents.
    pub(super) fn look(&mut self, server: &Server, seshes: &Seshes, ticks: bool) -> Result<Duty> {
        let now = Instant::now();
        let processes = processes(seshes);
        let each = u32::try_from(processes.len()).unwrap_or(u32::MAX);
        self.next = now
            + INTERVAL_PER_SESH
                .saturating_mul(each)
                .clamp(INTERVAL_MIN, INTERVAL_MAX);
        let is_unchanged = |(id, state)| self.processes.get(id) == Some(state);
        if !processes.iter().all(is_unchanged) {
            self.notice();
        }
        let any_lost = processes.values().any(|state| !state.is_alive);
        self.processes = processes;
        let has_agents = seshes.not_exited().any(|record| record.agent.is_some());
        if has_agents && !ticks && now >= self.next_printed {
            if self.agents_print(server, seshes)? {
                self.notice();
                self.print_interval = PRINT_INTERVAL_MIN;
            } else {
                self.print_interval = (self.print_interval * 2).min(PRINT_INTERVAL_MAX);
            }
            self.next_printed = now + self.print_interval;
        }
        if !self.changed {
            return Ok(Duty::Nothing);
        }
        Ok(match second::reconciler(server, self.noticed)? {
            Reconciler::Later(second) => {
                self.noticed = self.noticed.or(second);
                Duty::Nothing
            }
            Reconciler::Own => {
                self.changed = false;
                Duty::Reconcile
            }
            Reconciler::Other => {
                self.changed = any_lost;
                self.noticed = None;
                if any_lost { Duty::Read } else { Duty::Nothing }
            }
        })
    }

    /// Returns whether an agent has printed since the last look or just before it.
    fn agents_print(&mut self, server: &Server, seshes: &Seshes) -> Result<bool> {
        let agents = seshes.not_exited().filter(|record| record.agent.is_some());
        let panes = agents.filter_map(|record| Some(record.tmux.as_ref()?.pane));
        let panes: Vec<PaneId> = panes.collect();
        let output = server.run(&last_output(&panes))?;
        let is_member = |pane: &str| panes.iter().any(|it| it.0.to_string() == pane);
        let mut printed = Vec::new();
        let mut recently = false;
        for line in output.lines() {
            let &[pane, activity, now] = &line.split(' ').collect::<Vec<&str>>()[..] else {
                continue;
            };
            if is_member(pane) {
                let seconds = |text: &str| text.parse::<u64>().unwrap_or(0);
                recently |= seconds(activity) + DRAWING_SECONDS >= seconds(now);
                printed.push(format!("{pane} {activity}"));
            }
        }
        let changed = recently || printed != self.printed;
        self.printed = printed;
        Ok(changed)
    }
}

/// Returns the question when the windows of these panes have printed: the number of the pane, that time, and the present
/// one. It may ask for other agents too.
fn last_output(panes: &[PaneId]) -> Batch {
    /// Up to so many panes are asked for one by one, which costs less than to look through all.
    const FEW: usize = 8;
    // 3.2a crashes on the time of a window that is gone.
    let time = format!("#{{?pane_id,#{{window_activity}},}} {}", write::NOW);
    if panes.len() <= FEW {
        let print =
            |pane: &PaneId| command::print(Some(&pane.to_string()), &format!("{} {time}", pane.0));
        let mut batch = Batch::new();
        batch.extend(panes.iter().map(print));
        return batch;
    }
    let has_agent = format!("#{{!=:{},}}", schema::Key::Agent.format());
    let format = format!("#{{s/%//:pane_id}} {time}");
    Batch::from(command::list_panes(&format, Some(&has_agent)))
}
