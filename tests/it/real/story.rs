//! What is told of an agent, step by step, beside what a person sees.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;

use super::lab::{LIMIT, Lab};
use crate::support::{NONE, Record, say};

/// How long what is told may stay behind what is seen, where nothing speaks by itself (95 of 100 times).
const LOOKED: Duration = Duration::from_millis(2500);
/// The same where a hook speaks.
const HEARD: Duration = Duration::from_millis(500);
/// After this a title that flashed at the start is as it stays.
const FLASH: Duration = Duration::from_secs(1);

/// Who tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// `sesh-reap`, called over and over.
    Looking,
    /// A hook of the agent alone.
    Hook,
}

/// A step that was taken.
struct Step {
    what: String,
    by: By,
    behind: Duration,
}

/// One story of an agent.
pub(super) struct Story<'a> {
    pub(super) lab: &'a Lab,
    generation: u64,
    state: String,
    steps: Vec<Step>,
    wrong: Vec<String>,
}

impl<'a> Story<'a> {
    pub(super) fn of(lab: &'a Lab) -> Self {
        Self {
            lab,
            generation: 0,
            state: String::new(),
            steps: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Starts the agent by hand and waits until it is found, and idle. Gives its record.
    pub(super) fn starts(&mut self, what: &str) -> Record {
        let lab = self.lab;
        lab.put(&lab.typed());
        lab.keys(&["Enter"]);
        // What it is while it draws its first screen is not told here, but it neither works nor waits then.
        let (on_the_way, over): (&[&str], _) = if lab.agent.flashes {
            (
                &["unknown", "starting", "idle", "busy", "idle", "busy"],
                FLASH,
            )
        } else {
            (&["unknown", "starting"], Duration::ZERO)
        };
        let since = Cell::new(None);
        let ready = || {
            if !lab.is_ready() {
                return false;
            }
            let first = since.get().unwrap_or_else(Instant::now);
            since.set(Some(first));
            first.elapsed() >= over
        };
        self.both(what, By::Looking, ready, "idle", on_the_way);
        let record = lab.server.sesh_of(&lab.pane).expect("a sesh");
        assert_eq!(record.text("agent"), lab.agent.name);
        record
    }

    /// Does something, waits until a person sees what came of it and until it is told. There is one change.
    pub(super) fn step(
        &mut self,
        what: &str,
        by: By,
        act: impl FnOnce(),
        seen: impl Fn() -> bool,
        state: &str,
    ) {
        act();
        self.both(what, by, seen, state, &[]);
    }

    /// The first prompt: the agent works. See [`super::agents::Real::blanks`]; a hook speaks before that.
    pub(super) fn begins(&mut self, by: By, act: impl FnOnce(), seen: impl Fn() -> bool) {
        act();
        let on_the_way: &[&str] = if self.lab.agent.blanks && by == By::Looking {
            &["unknown"]
        } else {
            &[]
        };
        self.both("prompt", by, seen, "busy", on_the_way);
    }

    /// The same, where it may be told that the agent works before it is told what comes of it.
    pub(super) fn passes(
        &mut self,
        what: &str,
        by: By,
        act: impl FnOnce(),
        seen: impl Fn() -> bool,
        state: &str,
    ) {
        act();
        self.both(what, by, seen, state, &["busy"]);
    }

    /// The pane is no sesh any more.
    pub(super) fn forgets(&mut self) {
        (self.generation, self.state) = self.told();
    }

    /// For a while nothing changes.
    pub(super) fn stays(&mut self, what: &str, how_long: Duration) {
        let until = Instant::now() + how_long;
        while Instant::now() < until {
            self.lab.server.sesh("sesh-reap", NONE).ok();
            let (generation, state) = self.told();
            if generation != self.generation {
                self.objects(&format!("{what}: {state}, not {}", self.state));
                (self.generation, self.state) = (generation, state);
            }
        }
    }

    /// Waits until something is seen and told. On the way only these other states may be told, each once at most.
    fn both(
        &mut self,
        what: &str,
        by: By,
        seen: impl Fn() -> bool,
        state: &str,
        on_the_way: &[&str],
    ) {
        let start = Instant::now();
        let (mut seen_at, mut told_at) = (None, None);
        let mut may = on_the_way.to_vec();
        may.push(state);
        while seen_at.is_none() || told_at.is_none() {
            if seen_at.is_none() && seen() {
                seen_at = Some(Instant::now());
            }
            if by == By::Looking {
                self.lab.server.sesh("sesh-reap", NONE).ok();
            }
            let (generation, now) = self.told();
            if generation < self.generation {
                self.objects(&format!("{what}: the sesh is gone, found again as {now:?}"));
                (self.generation, self.state) = (generation, now);
            } else if generation != self.generation {
                match may.iter().position(|it| *it == now) {
                    Some(at) if generation <= self.generation + 1 + at as u64 => {
                        may.drain(..=at);
                    }
                    _ => {
                        let changes = generation - self.generation;
                        self.objects(&format!("{what}: {now:?} after {changes} changes"));
                    }
                }
                (self.generation, self.state) = (generation, now);
            }
            if self.state == state {
                told_at = told_at.or_else(|| Some(Instant::now()));
            } else {
                told_at = None;
            }
            if start.elapsed() > LIMIT {
                self.objects(&format!(
                    "{what}: {}, told {:?}, not {state}",
                    if seen_at.is_some() {
                        "seen"
                    } else {
                        "not seen"
                    },
                    self.state
                ));
                panic!("{}", self.wrong.join("\n\n"));
            }
            std::thread::sleep(Duration::from_millis(5)); // why: what a program draws has no event.
        }
        let behind = told_at.zip(seen_at).map_or(Duration::ZERO, |(told, seen)| {
            told.saturating_duration_since(seen)
        });
        self.took(what, by, behind);
    }

    /// A step that was measured elsewhere.
    pub(super) fn took(&mut self, what: &str, by: By, behind: Duration) {
        self.steps.push(Step {
            what: what.into(),
            by,
            behind,
        });
    }

    /// What is stored: the generation, and `waiting permission`.
    fn told(&self) -> (u64, String) {
        let format = "#{@sesh_gen} #{@sesh_state} #{@sesh_why}";
        let told = self.lab.server.format(&self.lab.pane, format);
        let (generation, state) = told.split_once(' ').unwrap_or_default();
        (
            generation.parse().unwrap_or_default(),
            state.trim_end().into(),
        )
    }

    fn objects(&mut self, what: &str) {
        self.wrong.push(format!("{what}\n{}", self.lab.evidence()));
    }

    /// Nothing was wrong, and everything was told in time.
    pub(super) fn ends(mut self, title: &str) {
        let mut report = title.to_string();
        for by in [By::Looking, By::Hook] {
            let (word, most) = match by {
                By::Looking => ("looking", LOOKED),
                By::Hook => ("by hook", HEARD),
            };
            let mut steps: Vec<&Step> = self.steps.iter().filter(|step| step.by == by).collect();
            steps.sort_by_key(|step| step.behind);
            let Some(last) = steps.len().checked_sub(1) else {
                continue;
            };
            let at = |percent: usize| steps[(steps.len() * percent).div_ceil(100) - 1].behind;
            report.push_str(&format!(
                "\n  {word}: {} steps, behind the screen by {} ms (p50), {} ms (p95), {} ms at most ({})",
                steps.len(),
                at(50).as_millis(),
                at(95).as_millis(),
                steps[last].behind.as_millis(),
                steps[last].what
            ));
            if at(95) > most {
                self.wrong
                    .push(format!("{word}: more than {most:?} behind"));
            }
        }
        say(&report);
        assert!(
            self.wrong.is_empty(),
            "{title}:\n{}",
            self.wrong.join("\n\n")
        );
    }
}
