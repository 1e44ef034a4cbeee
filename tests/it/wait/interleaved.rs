//! Several wait for the same set, each in its own way, while others change it at random. Whatever the interleaving: each
//! waiter hears of each end, each coming and each leaving once, believes in the end what is so, and hears of what was
//! printed at least once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Event, ends, events, told};
use crate::support::{Record, Server, for_all, until};

/// What somebody does to one of their seshes.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create {
        tagged: bool,
    },
    /// One that prints a line and ends before anybody can look.
    Flash {
        tagged: bool,
    },
    Print,
    State(&'static str),
    Tag,
    Untag,
    Archive,
    Exit,
    Kill,
}

/// What one of those who change the set does, one after another.
type Story = Vec<(Act, Index)>;

fn story() -> impl Strategy<Value = Story> {
    let act = prop_oneof![
        2 => prop::bool::weighted(0.7).prop_map(|tagged| Act::Create { tagged }),
        1 => prop::bool::weighted(0.7).prop_map(|tagged| Act::Flash { tagged }),
        6 => Just(Act::Print),
        2 => prop::sample::select(&["busy", "idle", "waiting"][..]).prop_map(Act::State),
        1 => Just(Act::Tag),
        1 => Just(Act::Untag),
        1 => Just(Act::Archive),
        1 => Just(Act::Exit),
        1 => Just(Act::Kill),
    ];
    prop::collection::vec((act, any::<Index>()), 1..8)
}

/// What became of a sesh.
#[derive(Clone, Debug, Default)]
struct Fate {
    ended: bool,
    in_set: bool,
    ever_in_set: bool,
    /// What it said last that it does.
    state: Option<&'static str>,
    /// Just before it last printed something that can be read as long as anybody likes.
    printed: Option<Instant>,
}

type Fates = BTreeMap<String, Fate>;

/// What one of those who wait was told, and when.
#[derive(Default)]
struct Heard(Mutex<Vec<(Instant, Event)>>);

impl Heard {
    fn all(&self) -> MutexGuard<'_, Vec<(Instant, Event)>> {
        self.0.lock().expect("what was heard")
    }

    /// Whether it was told of a sesh since a moment.
    fn since(&self, uuid: &str, moment: Instant) -> bool {
        let all = self.all();
        let of = |(at, event): &(Instant, Event)| *at >= moment && event.text("uuid") == uuid;
        all.iter().any(of)
    }

    /// What it believes that a sesh does.
    fn believes(&self, uuid: &str) -> Option<String> {
        let all = self.all();
        let (_, last) = (all.iter().rev()).find(|(_, event)| event.text("uuid") == uuid)?;
        Some(last.0["sesh"]["state"].as_str()?.into())
    }

    /// One event a call, from cursor to cursor, until the set is empty.
    fn listen(&self, server: &Server, tag: &str, wanted: &str, mut cursor: String) {
        loop {
            let args = ["--json", "--tag", tag, "--for", wanted, "--since", &cursor];
            let said = server.sesh("sesh-wait", args).said();
            if said.code() == Some(3) {
                return;
            }
            assert_eq!(said.code(), Some(0), "{said}");
            let mut events = events(&said);
            assert_eq!(events.len(), 1, "{said}");
            let event = events.remove(0);
            cursor = event.cursor();
            self.all().push((Instant::now(), event));
        }
    }
}

/// Somebody who changes the set.
struct Actor<'a> {
    server: &'a Server,
    tag: &'a str,
    /// Their seshes' names begin with it.
    name: String,
    living: Vec<Record>,
    fates: Fates,
}

impl Actor<'_> {
    fn plays(mut self, story: &Story) -> Self {
        for (step, (act, which)) in story.iter().enumerate() {
            match act {
                Act::Create { tagged } => self.create(step, *tagged),
                Act::Flash { tagged } => self.flash(step, *tagged),
                _ if self.living.is_empty() => self.create(step, true),
                act => self.change(step, *act, which.index(self.living.len())),
            }
        }
        self
    }

    fn create(&mut self, step: usize, tagged: bool) {
        let name = format!("{}{step}", self.name);
        let tag: &[&str] = if tagged { &["--tag", self.tag] } else { &[] };
        let made = told(self.server, &[&[name.as_str()], tag].concat());
        let fate = Fate {
            in_set: tagged,
            ever_in_set: tagged,
            ..Fate::default()
        };
        self.fates.insert(made.uuid().into(), fate);
        self.living.push(made);
    }

    fn flash(&mut self, step: usize, tagged: bool) {
        let name = format!("{}{step}", self.name);
        let tag: &[&str] = if tagged { &["--tag", self.tag] } else { &[] };
        let begun = Instant::now();
        let run = ["--", "sh", "-c", "echo a line; exit 0"];
        let made = self.server.new_sesh([&[name.as_str()], tag, &run].concat());
        let fate = Fate {
            ended: true,
            in_set: tagged,
            ever_in_set: tagged,
            state: None,
            printed: tagged.then_some(begun),
        };
        self.server.ended(made.uuid());
        self.fates.insert(made.uuid().into(), fate);
    }

    fn change(&mut self, step: usize, act: Act, at: usize) {
        let Self { server, tag, .. } = *self;
        let (uuid, pane) = (self.living[at].uuid(), self.living[at].pane());
        let fate = self.fates.get_mut(uuid).expect("its fate");
        match act {
            Act::Create { .. } | Act::Flash { .. } => {}
            Act::Print => {
                fate.printed = fate.in_set.then(Instant::now);
                server.say(pane, &format!("echo a line {step}"));
            }
            Act::State(state) => {
                let why = if state == "waiting" {
                    " --why question"
                } else {
                    ""
                };
                server.say(pane, &format!("sesh-report --state {state}{why}"));
                fate.state = Some(state);
            }
            Act::Tag => {
                server.sesh("sesh-set", [uuid, "--tag", tag]).ok();
                fate.in_set = true;
                fate.ever_in_set = true;
            }
            Act::Untag => {
                server.sesh("sesh-set", [uuid, "--untag", tag]).ok();
                fate.in_set = false;
                fate.printed = None;
            }
            Act::Archive => {
                server.sesh("sesh-set", [uuid, "--archive"]).ok();
            }
            Act::Exit => {
                server.say(pane, "exit 3");
                server.ended(uuid);
                fate.ended = true;
                self.living.remove(at);
            }
            Act::Kill => {
                server.tmux(["kill-pane", "-t", pane]);
                server.when("its end is written", uuid, |it| !it.get("exit").is_null());
                fate.ended = true;
                // Nobody can read it any more.
                fate.printed = None;
                self.living.remove(at);
            }
        }
    }

    /// What is left ends: while anything of the set has not, those who wait go on.
    fn ends(mut self) -> Fates {
        for sesh in &self.living {
            self.server.say(sesh.pane(), "exit 0");
            self.fates.get_mut(sesh.uuid()).expect("its fate").ended = true;
        }
        self.fates
    }
}

#[test]
fn nothing_is_missed_and_nothing_told_twice() {
    let servers = [(); 4].map(|()| Server::start());
    let number = AtomicUsize::new(0);
    let four = [(); 4].map(|()| [story(), story()]);
    for_all(1000 / 4, &four, |four| {
        std::thread::scope(|scope| {
            for (server, stories) in servers.iter().zip(&four) {
                let tag = format!("x{}", number.fetch_add(1, Ordering::Relaxed));
                scope.spawn(move || play(server, &tag, stories));
            }
        });
        Ok(())
    });
}

fn play(server: &Server, tag: &str, stories: &[Story; 2]) {
    // It never ends, so that the set never is empty.
    let anchor = told(server, &[&format!("{tag}-anchor"), "--tag", tag]);
    let now = ["--tag", tag, "--for", "change", "--timeout", "0s"];
    let first = ends(server, 6, "timeout", &now);
    let [changes, exits, output, quiet] = [(); 4].map(|()| Heard::default());
    let (fates, followed) = std::thread::scope(|scope| {
        let listeners = [
            (&changes, "change"),
            (&exits, "exit"),
            (&output, "output=^a line"),
            (&quiet, "quiet=100ms"),
        ];
        for (heard, wanted) in listeners {
            let first = first.clone();
            scope.spawn(move || heard.listen(server, tag, wanted, first));
        }
        let follower = scope.spawn(|| {
            let args = [
                "--json", "--tag", tag, "--for", "change", "--follow", "--since", &first,
            ];
            events(&server.sesh("sesh-wait", args).ok())
        });
        let actors: Vec<_> = ["a", "b"]
            .iter()
            .zip(stories)
            .map(|(name, story)| {
                let actor = Actor {
                    server,
                    tag,
                    name: format!("{tag}{name}"),
                    living: Vec::new(),
                    fates: Fates::new(),
                };
                scope.spawn(move || actor.plays(story))
            })
            .collect();
        let actors: Vec<Actor<'_>> = actors
            .into_iter()
            .map(|actor| actor.join().expect("an actor"))
            .collect();
        for (uuid, fate) in actors.iter().flat_map(|actor| &actor.fates) {
            if let Some(moment) = fate.printed {
                for heard in [&output, &quiet] {
                    until("what was printed was told", || heard.since(uuid, moment));
                }
            }
            if let (Some(state), true, false) = (fate.state, fate.in_set, fate.ended) {
                let believes = || changes.believes(uuid).as_deref() == Some(state);
                until("what it does was told", believes);
            }
        }
        let fates: Fates = actors.into_iter().flat_map(Actor::ends).collect();
        server.say(anchor.pane(), "exit 0");
        (fates, follower.join().expect("the follower"))
    });
    let one_by_one: Vec<Event> = changes.all().drain(..).map(|(_, event)| event).collect();
    for events in [one_by_one, followed] {
        check(&events, &fates);
    }
    for (uuid, fate) in &fates {
        let exits = exits.all();
        let ends = exits.iter().filter(|(_, event)| event.text("uuid") == uuid);
        let ends = ends.count();
        let due = usize::from(fate.in_set && fate.ended);
        let most = usize::from(fate.ever_in_set && fate.ended);
        assert!(
            (due..=most).contains(&ends),
            "{uuid}: {exits:#?}\n{fates:#?}"
        );
    }
    let all = fates.keys().map(String::as_str);
    let all: Vec<&str> = all.chain([anchor.uuid(), "--forget"]).collect();
    server.sesh("sesh-end", all).ok();
}

/// What was heard is what happened: each end of a member once, nothing after it, no state twice, and who is a member in
/// the end is known to be one.
fn check(events: &[Event], truth: &Fates) {
    let story = || {
        let words: Vec<String> = events.iter().map(Event::words).collect();
        format!("{words:#?}\n{truth:#?}")
    };
    for (uuid, fate) in truth {
        let own = events.iter().filter(|event| event.text("uuid") == uuid);
        let own: Vec<&Event> = own.collect();
        let ends = own.iter().filter(|event| event.text("event") == "exit");
        let ends = ends.count();
        if !fate.ever_in_set {
            assert!(own.is_empty(), "{uuid} was no member: {}", story());
        }
        assert!(ends <= 1, "{uuid} ended more than once: {}", story());
        if fate.in_set && fate.ended {
            assert_eq!(ends, 1, "the end of {uuid}: {}", story());
        }
        let mut generation = 0;
        let mut inside = false;
        for event in own {
            match event.text("event") {
                "left" => {
                    assert!(inside, "{uuid} left and had not come: {}", story());
                    inside = false;
                    // Who comes again is told of anew.
                    generation = 0;
                    continue;
                }
                "joined" => assert!(!inside, "{uuid} came twice: {}", story()),
                _ => {}
            }
            inside = true;
            let now = event.0["sesh"]["gen"].as_u64().expect("a generation");
            let ended = event.text("event") == "exit";
            assert!(
                now > generation || ended,
                "{uuid} was told twice: {}",
                story()
            );
            generation = now;
        }
        assert_eq!(inside, fate.in_set, "{uuid}: {}", story());
    }
}
