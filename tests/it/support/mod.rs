//! What the tests are told with: a private tmux server, the helpers run as anybody runs them, clients that look.

mod agent;
mod client;
mod git_repo;
mod heap;
mod plugin;
mod probe;
mod record;
mod relay;
mod run;
mod server;
mod site;
mod sources;
mod victim;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseResult, TestRunner};

pub(crate) use agent::is;
pub(crate) use client::{Control, Screen};
pub(crate) use git_repo::GitRepo;
pub(crate) use heap::{Gauge, by_rss};
pub(crate) use plugin::{WELCOMED, copy_plugin, same_settings};
pub(crate) use record::Record;
pub(crate) use relay::{Gate, Play, Relay, message};
pub(crate) use run::{Call, Said};
pub(crate) use server::{MAIN, Server, helpers};
pub(crate) use site::{Site, archive, program};
pub(crate) use sources::rust_files;
pub(crate) use victim::Victim;

/// How long a fact may take to become true, and a program to end: long enough for a busy machine, and for one
/// with hundreds of processes in a queue.
pub(crate) fn limit() -> Duration {
    let usual = if REAL_AGENTS.load(Ordering::Relaxed) {
        70
    } else {
        20
    };
    Duration::from_secs(if soak() { 200 } else { usual })
}

/// Set by the first test that runs a real agent. Those tests run by themselves, and wait for their agents for up to 60 s.
pub(crate) static REAL_AGENTS: AtomicBool = AtomicBool::new(false);

/// Whether the counts that issues name are run in full.
pub(crate) fn soak() -> bool {
    std::env::var_os("SESH_SOAK").is_some_and(|value| value == "1")
}

/// Arguments for a program that gets none.
pub(crate) const NONE: [&str; 0] = [];

/// Waits for a fact.
#[track_caller]
pub(crate) fn until(what: &str, mut fact: impl FnMut() -> bool) {
    until_some(what, || fact().then_some(()));
}

/// Waits for a value.
#[track_caller]
pub(crate) fn until_some<T>(what: &str, mut fact: impl FnMut() -> Option<T>) -> T {
    let limit = limit();
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = fact() {
            return value;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(5)); // why: the facts are of several processes and have no event in common.
    }
}

/// A count that an issue names: in full with `SESH_SOAK=1`, else a twentieth, and never below 4.
pub(crate) fn count(full: usize) -> usize {
    let scaled = if soak() { full } else { (full / 20).max(4) };
    say(&format!("{scaled} of {full} (SESH_SOAK=1 for all)"));
    scaled
}

/// The seed of what is random: `SESH_SEED`, else the clock.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("SESH_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    });
    say(&format!("SESH_SEED={seed}"));
    seed
}

/// Numbers from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self::of(seed())
    }

    /// The numbers of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    /// One of several.
    pub(crate) fn one_of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        &several[self.roll(several.len())]
    }

    /// A time within so many milliseconds, to the microsecond.
    pub(crate) fn moment(&mut self, within: usize) -> Duration {
        Duration::from_micros(u64::try_from(self.roll(within * 1000)).expect("a time"))
    }
}

/// Runs a property on so many values in all, made from a seed that is printed.
#[track_caller]
pub(crate) fn for_all<S: Strategy>(
    full: usize,
    values: &S,
    property: impl Fn(S::Value) -> TestCaseResult,
) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: u32::try_from(count(full)).expect("a number of cases"),
        rng_seed: RngSeed::Fixed(seed()),
        failure_persistence: None,
        max_shrink_iters: 200,
        max_shrink_time: 120_000,
        ..ProptestConfig::default()
    });
    if let Err(error) = runner.run(values, property) {
        panic!("{error}");
    }
}

/// Tells whoever reads a failure.
#[expect(clippy::print_stderr, reason = "the report of a failed test")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
