//! What no writer tells of: the foreground of a shell, the end of a process that said nothing, an agent without hooks.
//!
//! The plugin's tick looks at all that, where there is one; a wait looks at the processes of its own seshes too, which
//! costs a few reads of the process table, and at what agents print where no tick does. What has moved is put right in
//! the store, once a second for all that wait, and the store then tells everybody.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::events::Seshes;
use crate::error::Result;
use crate::id::SeshId;
use crate::proc;
use crate::store::{Record, schema, second, write};
use crate::tmux::{Batch, Server, command};

/// How often the process table is read: rarer for many seshes, each of which is a read.
const OFTEN: Duration = Duration::from_secs(1);
const RARELY: Duration = Duration::from_secs(5);
const EACH: Duration = Duration::from_millis(100);
/// How often agents' windows are asked about while they print, and while none does.
const SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(4);
/// For so many seconds after it has printed, an agent may be drawing.
const SETTLES: u64 = 4;

/// What was last seen.
#[derive(Debug)]
pub(super) struct Levels {
    processes: BTreeMap<SeshId, ProcessState>,
    printed: Vec<String>,
    next: Instant,
    next_printed: Instant,
    pause: Duration,
    /// Something has moved, and nobody has put it right yet.
    moved: bool,
}

/// What the process table says of a sesh: the foreground of its pane, and whether the process that it is bound to lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessState {
    /// The generation of a shell: whoever else wrote its state may have looked before this did, and this may see what
    /// it saw before.
    generation: Option<u64>,
    foreground: Option<i32>,
    lives: bool,
}

impl ProcessState {
    fn of(record: &Record) -> Self {
        // Bound to another process than its pane's, it is the pane's no more.
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
            lives: process.is_some_and(|process| start.is_none_or(|start| start == process.start)),
        }
    }
}

fn processes(seshes: &Seshes) -> BTreeMap<SeshId, ProcessState> {
    let open = seshes.open();
    open.map(|record| (record.uuid, ProcessState::of(record)))
        .collect()
}

impl Levels {
    /// What is now: the store is about to be put right.
    pub(super) fn of(seshes: &Seshes) -> Self {
        let now = Instant::now();
        Self {
            processes: processes(seshes),
            printed: Vec::new(),
            next: now + OFTEN,
            next_printed: now + SOON,
            pause: SOON,
            moved: false,
        }
    }

    /// It could not be put right.
    pub(super) fn are_still_off(&mut self) {
        self.moved = true;
    }

    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Whether the store is to be put right now, by this process. `ticks`: the plugin looks at agents.
    pub(super) fn are_off(
        &mut self,
        server: &Server,
        seshes: &Seshes,
        ticks: bool,
    ) -> Result<bool> {
        let now = Instant::now();
        let processes = processes(seshes);
        let each = u32::try_from(processes.len()).unwrap_or(u32::MAX);
        self.next = now + EACH.saturating_mul(each).clamp(OFTEN, RARELY);
        let is_as_it_was = |(id, level)| self.processes.get(id) == Some(level);
        self.moved |= !processes.iter().all(is_as_it_was);
        self.processes = processes;
        let has_agents = seshes.open().any(|record| record.agent.is_some());
        if has_agents && !ticks && now >= self.next_printed {
            if self.prints(server, seshes)? {
                self.moved = true;
                self.pause = SOON;
            } else {
                self.pause = (self.pause * 2).min(LATE);
            }
            self.next_printed = now + self.pause;
        }
        if self.moved && second::is_first(server)? {
            self.moved = false;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether an agent has printed since the last look, or just before.
    fn prints(&mut self, server: &Server, seshes: &Seshes) -> Result<bool> {
        let has_agent = format!("#{{!=:{},}}", schema::Key::Agent.format());
        let format = format!("#{{pane_id}} #{{window_activity}} {}", write::NOW);
        let batch = Batch::from(command::list_panes(&format, Some(&has_agent)));
        let output = server.run(&batch)?;
        let is_member = |pane: &str| {
            seshes.open().any(|record| {
                let place = record.tmux.as_ref();
                place.is_some_and(|place| place.pane.to_string() == pane)
            })
        };
        let mut printed = Vec::new();
        let mut lately = false;
        for line in output.lines() {
            let &[pane, activity, now] = &line.split(' ').collect::<Vec<&str>>()[..] else {
                continue;
            };
            if is_member(pane) {
                let seconds = |text: &str| text.parse::<u64>().unwrap_or(0);
                lately |= seconds(activity) + SETTLES >= seconds(now);
                printed.push(format!("{pane} {activity}"));
            }
        }
        let moved = lately || printed != self.printed;
        self.printed = printed;
        Ok(moved)
    }
}
