//! What real agents do in their panes, told right: their CLIs against a model on loopback (`bin/test --agents`).

mod agents;
mod headless;
mod lab;
mod story;
mod table;
mod texts;

use std::time::{Duration, Instant};

use agents::Real;
use lab::Lab;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::{assert_eq, assert_ne};
use story::{By, Story};

use crate::support::{NONE, say, until};

/// The tests that every agent has.
macro_rules! common {
    ($agent:ident) => {
        #[test]
        #[ignore = "needs the agent's real CLI: bin/test --agents"]
        fn in_a_small_pane() {
            super::is_followed(&$agent, (60, 15));
        }

        #[test]
        #[ignore = "needs the agent's real CLI: bin/test --agents"]
        fn in_a_usual_pane() {
            super::is_followed(&$agent, (80, 24));
        }

        #[test]
        #[ignore = "needs the agent's real CLI: bin/test --agents"]
        fn in_a_large_pane() {
            super::is_followed(&$agent, (200, 50));
        }

        #[test]
        #[ignore = "needs the agent's real CLI: bin/test --agents"]
        fn takes_messages() {
            super::takes(&$agent, (100, 30));
        }
    };
}

/// The tests of each agent, by themselves: what is told of one must not depend on another.
macro_rules! agents {
    ($($name:ident = $agent:ident)*) => {$(
        mod $name {
            use super::agents::$agent;

            common!($agent);

            #[test]
            #[ignore = "needs the agent's real CLI: bin/test --agents"]
            fn with_hooks() {
                super::speaks(&$agent, (80, 24));
            }

            #[test]
            #[ignore = "needs the agent's real CLI: bin/test --agents"]
            fn takes_texts_in_a_small_pane() {
                super::table::is_delivered(&$agent, (60, 15));
            }

            #[test]
            #[ignore = "needs the agent's real CLI: bin/test --agents"]
            fn takes_texts_in_a_usual_pane() {
                super::table::is_delivered(&$agent, (80, 24));
            }

            #[test]
            #[ignore = "needs the agent's real CLI: bin/test --agents"]
            fn takes_texts_in_a_large_pane() {
                super::table::is_delivered(&$agent, (160, 48));
            }

            #[test]
            #[ignore = "needs the agent's real CLI: bin/test --agents"]
            fn goes_on() {
                super::goes_on(&$agent, (100, 30));
            }
        }
    )*};
}

macro_rules! without_hooks {
    ($($name:ident = $agent:ident)*) => {$(
        mod $name {
            use super::agents::$agent;

            common!($agent);
        }
    )*};
}

without_hooks! {
    qwen = QWEN
    kimi = KIMI
    cline = CLINE
}

agents! {
    claude = CLAUDE
    codex = CODEX
    pi = PI
    gemini = GEMINI
    opencode = OPENCODE
}

/// The lab of an agent, unless that could not be installed and need not be.
#[track_caller]
fn lab(agent: &'static Real, size: (u16, u16)) -> Option<Lab> {
    let lab = Lab::new(agent, size);
    if lab.is_none() {
        let name = agent.name;
        assert!(!agent.needed, "tests/lab/install {name} comes first");
        say(&format!("skipped: {name} is not installed"));
    }
    lab
}

/// Nothing speaks: title, screen and files tell.
#[track_caller]
fn is_followed(agent: &'static Real, size: (u16, u16)) {
    let Some(lab) = lab(agent, size) else { return };
    let (columns, rows) = size;
    let mut story = Story::of(&lab);
    let found = story.starts("start");
    story.stays("nothing to do", Duration::from_secs(1));
    turns(&mut story, false);
    draft(&mut story);
    menu(&mut story);
    if agent.suspends {
        suspended(&mut story);
    }
    killed(&mut story, found.uuid());
    let another = story.starts("start again");
    assert_ne!(another.uuid(), found.uuid(), "another story");
    // Gemini takes no command before it has been there for a moment.
    story.stays("nothing to do yet", Duration::from_secs(2));
    left(&mut story, another.uuid());
    story.ends(&format!("{} {columns}x{rows}", agent.name));
}

/// The agent's hooks speak, and what they do not tell is seen all the same.
#[track_caller]
fn speaks(agent: &'static Real, size: (u16, u16)) {
    let Some(lab) = lab(agent, size) else { return };
    lab.hooks();
    let mut story = Story::of(&lab);
    let found = story.starts("start");
    turns(&mut story, true);
    let conversation = lab.server.record(found.uuid());
    let conversation = conversation.get("conversation");
    assert!(conversation.is_string(), "hooks tell which conversation");
    draft(&mut story);
    menu(&mut story);
    killed(&mut story, found.uuid());
    story.ends(&format!("{} with hooks", agent.name));
}

#[test]
#[ignore = "needs the agent's real CLI: bin/test --agents"]
fn an_agent_tells_a_sibling_by_its_shell_tool() {
    let Some(lab) = lab(&agents::CLAUDE, (120, 30)) else {
        return;
    };
    let mut story = Story::of(&lab);
    story.starts("start");
    lab.server
        .helper("sesh-hooks")
        .args(["install", "--skill", "claude"])
        .env("HOME", lab.server.path("agent"))
        .ok();
    let sibling = lab.server.types("PS1='$ '");
    lab.server
        .sesh("sesh-adopt", [&sibling, "--name", "sibling"])
        .ok();
    let told = lab.server.path("told");
    let send = crate::support::helpers().join("sesh-send");
    lab.put(&format!(
        "tool {} sibling 'touch {}'",
        send.display(),
        told.display()
    ));
    lab.keys(&["Enter"]);
    let (_, asks) = agents::CLAUDE.permission.expect("it asks");
    until("it asks whether it may", || lab.screen().contains(asks));
    assert!(!told.exists());
    // It takes no answer that comes sooner than a person could give one.
    let asked = Instant::now();
    until("a person could have read it", || {
        asked.elapsed() >= Duration::from_secs(2)
    });
    lab.keys(&["Enter"]);
    until("the sibling has done what it was told", || told.exists());
}

/// Messages arrive as they are, whatever stands in them, and nowhere where they would do harm.
#[track_caller]
fn takes(agent: &'static Real, size: (u16, u16)) {
    let Some(lab) = lab(agent, size) else { return };
    if agent.hooks {
        lab.hooks();
    }
    let mut story = Story::of(&lab);
    story.starts("start");
    // Gemini and pi lose what comes before they have been there for a moment.
    story.stays("nothing to do", Duration::from_secs(2));
    let send = |args: &[&str], text: &str| {
        let words = [&[lab.pane.as_str(), "-", "--json"], args].concat();
        lab.server.sesh("sesh-send", &words).stdin(text).said()
    };
    let outcome = |args: &[&str], text: &str| {
        let said = send(args, text);
        let outcome = said.json();
        (
            said.code(),
            outcome["outcome"].clone(),
            outcome["reason"].clone(),
        )
    };
    let rows = |text: &str, count: usize| -> String {
        let rows: Vec<String> = (0..count).map(|at| format!("{text} {at}")).collect();
        rows.join("\n")
    };
    let texts = [
        "a message of sixty characters or so, of which none is odd".to_string(),
        rows("row", 10),
        rows("a line of a longer text that takes some room", 100),
        rows(
            "a line of a text that is longer than anybody types by hand",
            780,
        ),
        "!ls".into(),
        "# a heading".into(),
        "? what".into(),
        "/tmp/x is a path".into(),
        "it ends with \\".into(),
        "look at @nothing".into(),
        "'\"`$(touch y)` #{pane_id} & | > ~/ :;".into(),
        "👩‍👩‍👧 日本語 العربية".into(),
    ];
    for text in &texts {
        let refused = agent.commands.iter().any(|mark| text.starts_with(mark));
        let said = send(&["--wait=60s"], text);
        let expected = if refused { Some(4) } else { Some(0) };
        assert_eq!(said.code(), expected, "{text:.60}: {said}");
        if !refused {
            let proof = said.json()["proof"].clone();
            let begin: String = text.chars().take(30).collect();
            say(&format!("{}: {begin:?} proven by {proof}", agent.name));
        }
    }
    // While it works.
    let said = send(&[], "slow 4");
    assert_eq!(said.code(), Some(0), "{said}");
    until("it works", || lab.screen().contains("word1 "));
    assert_eq!(outcome(&[], "no").2, "busy");
    if agent.queues {
        let queued = send(&["--queue", "--wait=60s"], "and then this");
        assert_eq!(queued.json()["outcome"], "queued", "{queued}");
        let by_command = queued.json()["proof"] == "queue";
        assert_eq!(by_command, agent.name == "codex", "{queued}");
    } else {
        assert_eq!(outcome(&["--queue"], "no").2, "busy");
        until("it works no more", || lab.screen().contains("slow done"));
    }
    // A person's draft.
    lab.put("a draft");
    assert_eq!(outcome(&[], "no").2, "draft");
    lab.rubs_out("a draft");
    // At a question of its own.
    if let Some((text, asks)) = agent.permission {
        let said = send(&["--wait=60s"], text);
        assert_eq!(said.code(), Some(0), "{said}");
        until("it asks", || lab.screen().contains(asks));
        for how in [&[][..], &["--queue"], &["--now"], &["--as-it-is"]] {
            assert_eq!(outcome(how, "yes").2, "permission");
        }
        assert!(lab.screen().contains(asks), "it still asks");
        assert!(!lab.server.path("project/x").exists());
    }
}

/// Brought back, it remembers what was said before, and is in the same conversation.
#[track_caller]
fn goes_on(agent: &'static Real, size: (u16, u16)) {
    let Some(lab) = lab(agent, size) else { return };
    lab.hooks();
    lab.on_path();
    let server = &lab.server;
    let folder = server.path("project").display().to_string();
    let made = server.new_sesh(["one", "--agent", agent.name, "--cwd", &folder]);
    until("it is ready", || {
        server.screen(made.pane()).contains(agent.ready)
    });
    let says = |text: &str| {
        let send = ["one", text, "--reply", "--wait=60s"];
        server.sesh("sesh-send", send).said()
    };
    server.becomes(made.pane(), "idle");
    let said = says("the word is secret-zebra");
    assert_eq!(said.code(), Some(0), "{said}");
    let before = server.when("its conversation is known", made.uuid(), |record| {
        record.get("conversation").is_string()
    });
    server.sesh("sesh-reap", NONE).ok();
    server.dies();
    let begun = Instant::now();
    let restore = server.sesh("sesh-restore", ["one", "--json"]);
    let now = restore.ok().record();
    let took = begun.elapsed();
    assert_eq!(now.get("conversation"), before.get("conversation"));
    let said = says("recall");
    assert!(said.text().contains("it was secret-zebra"), "{said}");
    let now = server.record(made.uuid());
    assert_eq!(now.get("conversation"), before.get("conversation"));
    say(&format!("{}: there after {took:?}", agent.name));
}

/// Turns of every kind.
fn turns(story: &mut Story<'_>, hooks: bool) {
    let lab = story.lab;
    let agent = lab.agent;
    let by = |told: bool| if hooks && told { By::Hook } else { By::Looking };
    // Long enough for a report to be old, so that levels count again; and for a question to be read: agents take no
    // answer that comes sooner than one could.
    let while_ = Duration::from_millis(if hooks { 2500 } else { 1000 });
    let settle = |story: &mut Story<'_>, what: &str| story.stays(what, while_);
    let prompt = |text: &str| {
        lab.put(text);
        lab.keys(&["Enter"]);
    };
    let sees = |text: &'static str| move || lab.screen().contains(text);
    let sees_not = |text: &'static str| move || !lab.screen().contains(text);

    // Longer than what follows, and more than a row: Claude draws whole ones.
    story.begins(by(true), || prompt("slow 10"), sees("word1 "));
    settle(story, "a turn goes on");
    story.step(
        "end of the turn",
        by(true),
        || {},
        sees("slow done"),
        "idle",
    );
    settle(story, "a turn is over");

    if let Some((text, asks)) = agent.permission {
        let what = "wish for permission";
        // Whether busy is seen before is a matter of moments.
        story.passes(
            what,
            by(agent.tells.permission),
            || prompt(text),
            sees(asks),
            "waiting permission",
        );
        settle(story, what);
        let approve = || lab.keys(&["Enter"]);
        story.step(
            "approval",
            by(agent.tells.approval),
            approve,
            sees_not(asks),
            "busy",
        );
        story.step(
            "end of the tool",
            by(true),
            || {},
            sees("tool done"),
            "idle",
        );
        settle(story, "a tool is over");
    }
    if let Some((text, asks)) = agent.question {
        let what = "question";
        story.passes(
            what,
            by(agent.tells.question),
            || prompt(text),
            sees(asks),
            "waiting question",
        );
        settle(story, what);
        let dismiss = || lab.keys(&["Escape"]);
        story.passes(
            "question dismissed",
            By::Looking,
            dismiss,
            sees_not(asks),
            "idle",
        );
        settle(story, "a question is gone");
    }

    story.step(
        "second prompt",
        by(true),
        || prompt("slow 30"),
        || answers(lab, "slow 30"),
        "busy",
    );
    settle(story, "a second turn goes on");
    let (last, first) = agent.interrupted.split_last().expect("a word");
    let interrupt = || {
        for says in first {
            lab.keys(&["Escape"]);
            until("it has seen one Escape", || lab.screen().contains(says));
        }
        lab.keys(&["Escape"]);
    };
    story.step(
        "interrupt",
        by(agent.tells.interrupt),
        interrupt,
        sees(last),
        "idle",
    );
    story.stays("after the interrupt", Duration::from_millis(2500));
    rubs_out_prompt(lab);
}

/// Returns whether the answer to a prompt has begun: a large screen still shows those to earlier ones.
fn answers(lab: &Lab, prompt: &str) -> bool {
    let screen = lab.screen();
    let below = screen.rsplit_once(prompt);
    below.is_some_and(|(_, below)| below.contains("word1 "))
}

/// Removes the prompt of an interrupted turn, if the agent puts it back into its composer.
fn rubs_out_prompt(lab: &Lab) {
    if !lab.agent.puts_back {
        return;
    }
    lab.keys(&["-N", "20", "BSpace"]);
    until("the prompt that it put back is gone", || {
        lab.screen().matches("slow 30").count() < 2
    });
}

/// What is typed and not sent is nothing that the agent does.
fn draft(story: &mut Story<'_>) {
    let text = "slow and not sent";
    story.lab.put(text);
    story.stays("a draft", Duration::from_secs(1));
    story.lab.rubs_out(text);
    story.stays("the draft is gone", Duration::from_millis(500));
}

/// A menu that the person opened takes the keys.
fn menu(story: &mut Story<'_>) {
    let lab = story.lab;
    let (command, shows) = lab.agent.menu;
    let open = || {
        lab.put(command);
        lab.keys(&["Enter"]);
    };
    let sees = || lab.screen().contains(shows);
    story.passes("menu", By::Looking, open, sees, "waiting dialog");
    story.stays("a menu", Duration::from_secs(1));
    let close = || lab.keys(&["Escape"]);
    story.step("menu closed", By::Looking, close, || !sees(), "idle");
    story.stays("after the menu", Duration::from_millis(500));
}

fn suspended(story: &mut Story<'_>) {
    let lab = story.lab;
    let suspend = || lab.keys(&["C-z"]);
    story.step("C-z", By::Looking, suspend, || lab.in_shell(), "unknown");
    let go_on = || lab.keys(&["fg", "Enter"]);
    story.step("fg", By::Looking, go_on, || !lab.in_shell(), "idle");
    story.stays("after fg", Duration::from_millis(500));
}

/// Killed in the middle of a turn it leaves screen, title and files as they were.
fn killed(story: &mut Story<'_>, uuid: &str) {
    let lab = story.lab;
    let prompt = || {
        lab.put("slow 31");
        lab.keys(&["Enter"]);
    };
    let works = || answers(lab, "slow 31");
    story.step("last prompt", By::Looking, prompt, works, "busy");
    let pid = lab.server.record(uuid).get("agentPid").as_i64();
    let pid = i32::try_from(pid.expect("the agent's pid")).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it lives");
    ended(story, "kill -9", uuid);
}

/// Left as its people leave it.
fn left(story: &mut Story<'_>, uuid: &str) {
    story.lab.put(story.lab.agent.leave);
    story.lab.keys(&["Enter"]);
    ended(story, "leaving", uuid);
}

/// The agent is gone: its sesh is over, and its pane is none.
fn ended(story: &mut Story<'_>, what: &str, uuid: &str) {
    let lab = story.lab;
    until("the shell is back", || lab.in_shell());
    let gone = Instant::now();
    until("the sesh is over", || {
        lab.server.sesh("sesh-reap", NONE).ok();
        lab.server.record(uuid).state() == "exited"
    });
    story.took(what, By::Looking, gone.elapsed());
    // A hook may have said it since that reconciliation.
    until("the pane is a plain one", || {
        lab.server.sesh("sesh-reap", NONE).ok();
        lab.server.sesh_of(&lab.pane).is_none()
    });
    story.forgets();
}
