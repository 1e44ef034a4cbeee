//! Tests of the rules on recorded screens of the real agents (`tests/fixtures/agents`), and on variants of them for
//! other panes: lower, narrower, wider, and with a conversation that contains the agent's own markers.
//!
//! `turn` in a recording is the true state at that moment. `tests/fixtures/decidable.txt` lists the recordings whose
//! title and screen show it. For the others, the process shows it (killed, left), or nothing does (a screen that
//! scrolled).
//!
//! A recording is what the agent drew, except for words that occur in it by chance and that a search of this project's
//! own code would find: the person's home directory, the command that takes its time (`fetch`) and a word of OpenCode's
//! example are replaced by words of the same length.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pretty_assertions::{assert_eq, assert_ne};
use proptest::prelude::*;
use serde::Deserialize;

use super::composer::Composer;
use super::explain::explain;
use super::kinds::{Agent, Agents};
use super::locate::locate;
use super::screen::{Colour, Screen, Style};
use super::state::{Evidence, Verdict, judge};
use crate::state::{State, Why};

/// The true state when a screen was recorded.
#[derive(Deserialize)]
struct Truth {
    turn: String,
    why: Option<Why>,
    title: String,
}

struct Recording {
    /// `agent-version/state.size`.
    name: String,
    agent: usize,
    ansi: String,
    truth: Truth,
}

impl Recording {
    /// Returns the state in the name: the one that the recording was made for.
    fn intended(&self) -> &str {
        let (_, file) = self.name.split_once('/').expect("a folder and a file");
        file.split_once('.').expect("a state and a size").0
    }

    fn expected(&self) -> Option<(State, Option<Why>)> {
        match self.truth.turn.as_str() {
            "none" => None,
            "dialog" => Some((State::Waiting, Some(Why::Dialog))),
            word => Some((word.parse().expect("a state"), self.truth.why)),
        }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn recordings(agents: &[Agent]) -> Vec<Recording> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(fixtures().join("agents")).expect("the recordings") {
        let folder = folder.expect("a folder");
        let version = folder.file_name().into_string().expect("a name");
        let kind = version.split('-').next().expect("an agent");
        let agent = agents.iter().position(|agent| agent.name == kind);
        for file in std::fs::read_dir(folder.path()).expect("a folder of recordings") {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|extension| extension != "ansi") {
                continue;
            }
            let truth = std::fs::read(path.with_extension("json")).expect("its truth");
            let name = path.file_stem().expect("a name").to_string_lossy();
            found.push(Recording {
                name: format!("{version}/{name}"),
                agent: agent.expect("a known agent"),
                ansi: std::fs::read_to_string(&path).expect("a screen"),
                truth: serde_json::from_slice(&truth).expect("its truth"),
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 300, "recordings are missing");
    found
}

fn decidable() -> BTreeSet<String> {
    let list = std::fs::read_to_string(fixtures().join("decidable.txt")).expect("the list");
    list.lines().map(Into::into).collect()
}

fn evidence<'a>(agent: &'a Agent, title: &'a str, screen: &'a Screen) -> Evidence<'a> {
    Evidence {
        agent,
        stopped: false,
        in_front: true,
        title,
        folder: Some("/home/alice/proj/codex/project".into()),
        young: false,
        screen: Some(screen),
        session: None,
        report: None,
        now: 0,
    }
}

/// Returns whether a verdict contradicts the true state. `unknown` contradicts nothing.
fn is_wrong(verdict: Verdict, expected: Option<(State, Option<Why>)>) -> bool {
    let Some((state, why)) = expected else {
        return false;
    };
    verdict.state != State::Unknown
        && (verdict.state != state || (why.is_some() && verdict.why != why))
}

#[test]
fn every_recorded_screen() {
    let agents = Agents::read(None).all;
    let decidable = decidable();
    let (mut wrong, mut missed, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for recording in recordings(&agents) {
        let screen = Screen::parse(&recording.ansi);
        let evidence = evidence(&agents[recording.agent], &recording.truth.title, &screen);
        let verdict = judge(&evidence);
        assert_eq!(explain(&evidence).verdict, verdict, "{}", recording.name);
        if is_wrong(verdict, recording.expected()) {
            wrong.push(format!("{}: {verdict:?}", recording.name));
        }
        if decidable.contains(&recording.name) {
            if verdict.state == State::Unknown {
                missed.push(recording.name.clone());
            }
            seen.insert(recording.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(seen, decidable, "decidable.txt lists what is not there");
    let decided = decidable.len() - missed.len();
    assert!(decided * 100 >= decidable.len() * 95, "{missed:#?}");
}

#[test]
fn every_recorded_composer() {
    // Text that is typed for a menu or a mode is in the composer as any draft is, and so is a prompt that the agent put
    // back.
    let typed = [
        "at",
        "bang",
        "slash",
        "slash-exit",
        "slash-quit",
        "api-error-esc",
    ];
    let agents = Agents::read(None).all;
    let decidable = decidable();
    let mut wrong = Vec::new();
    for recording in recordings(&agents) {
        let agent = &agents[recording.agent];
        let composer = Composer::read(agent, &Screen::parse(&recording.ansi));
        let intended = recording.intended();
        let right = match (recording.truth.turn.as_str(), &composer) {
            // The draft is not on the screen yet.
            ("idle", Composer::Empty) if recording.name == "copilot-1.0.102/draft.80x24" => true,
            ("idle" | "busy", Composer::Draft(text)) if intended == "draft" => {
                text == "draft text not sent"
            }
            ("idle", Composer::Draft(text)) if intended == "draft-path" => {
                text == "/tmp/x is a path"
            }
            ("busy", _) if agent.name == "aider" => true,
            // Qwen Code puts the interrupted prompt back.
            ("idle", Composer::Draft(_)) if agent.name == "qwen" && intended == "interrupted" => {
                true
            }
            ("idle" | "busy", Composer::Draft(_)) => {
                intended.contains("draft") || typed.contains(&intended)
            }
            ("idle" | "busy", Composer::Empty) => {
                !intended.contains("draft") || intended == "ctrl-c-draft"
            }
            // The pane is too low for the whole composer.
            ("idle" | "busy", Composer::Absent) => !decidable.contains(&recording.name),
            ("waiting" | "dialog", composer) => *composer == Composer::Absent,
            _ => true,
        };
        if !right {
            wrong.push(format!("{}: {composer:?}", recording.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A screen that can be changed.
#[derive(Clone)]
struct EditableScreen(Vec<Vec<(char, Style)>>);

impl EditableScreen {
    fn of(screen: &Screen) -> Self {
        let rows = screen.rows().iter();
        Self(rows.map(|row| row.characters(0).collect()).collect())
    }

    /// Returns the screen as `capture-pane -p -e` prints it.
    fn ansi(&self) -> String {
        let mut ansi = String::new();
        let mut last = Style::default();
        for row in &self.0 {
            for (c, style) in row {
                if *style != last {
                    ansi.push_str("\x1b[0m");
                    for (on, code) in [(style.dim, 2), (style.reverse, 7), (style.shaded, 44)] {
                        if on {
                            ansi.push_str(&format!("\x1b[{code}m"));
                        }
                    }
                    ansi.push_str(&match style.colour {
                        Colour::Default => String::new(),
                        Colour::Index(index) => format!("\x1b[38;5;{index}m"),
                        Colour::Rgb(red, green, blue) => format!("\x1b[38;2;{red};{green};{blue}m"),
                    });
                    last = *style;
                }
                ansi.push(*c);
            }
            ansi.push('\n');
        }
        ansi
    }

    fn insert(&mut self, at: usize, text: &str) {
        let rows = text.lines().map(|line| {
            let plain = |c| (c, Style::default());
            line.chars().map(plain).collect()
        });
        self.0.splice(at..at, rows);
    }

    /// Makes the rows that are lines from edge to edge longer or shorter. A line can have words in it.
    fn draw_lines(&mut self, width: usize) {
        for row in &mut self.0 {
            if let Some(&last) = row.last()
                && "─▄▀▔╌".contains(last.0)
                && row.iter().filter(|(c, _)| *c == last.0).count() > 10
            {
                row.resize(width.max(1), last);
            }
        }
    }
}

/// A conversation that contains everything that the rules look for.
const CONVERSATION: &str = "
  The footer says esc to interrupt while it works, and Esc to cancel in a dialog.
  Do you want to proceed? 1. Yes 2. No. Would you like to run the following command?
  Press enter to confirm or esc to cancel. enter select, esc back. Allow once, Allow execution.
  (Y)es/(N)o. Permission required. Do you trust the files in this folder? Working (3s - esc to
  interrupt). Action Required. Enter to select, Tab to amend, esc interrupt, Thinking... (esc to
  cancel, 2s). Waiting for 1 background agent to finish. Answer Questions. Type to search
";

/// Returns variants of a screen for other panes.
fn variants(agent: &Agent, screen: &Screen, menu: bool) -> Vec<(&'static str, String)> {
    let picture = EditableScreen::of(screen);
    let mut variants = vec![("as it is", picture.ansi())];
    let mut change = |name, change: &dyn Fn(&mut EditableScreen)| {
        let mut picture = picture.clone();
        change(&mut picture);
        variants.push((name, picture.ansi()));
    };
    change("blank rows below", &|it| {
        it.insert(it.0.len(), "\n\n\n\n\n");
    });
    change("blank rows above", &|it| it.insert(0, "\n\n\n\n\n\n\n\n"));
    change("a shell above", &|it| it.insert(0, "$ make\nok\n$ agent\n"));
    change("talk at the top", &|it| {
        it.insert(0, &CONVERSATION.repeat(4));
    });
    change("200 columns", &|it| it.draw_lines(200));
    if menu {
        // A menu is laid out for its pane and not cut off. Menus of low and narrow panes are among the recordings.
        return variants;
    }
    // Some agents draw the conversation from the top of the pane, and the composer at its end.
    let from_the_top = locate(&agent.manifest.composer, screen).is_some_and(|found| {
        let above = screen.rows()[..found.rows.start].iter().rev();
        above.take_while(|row| row.is_blank()).count() > 3
    });
    change("the last 15 rows", &|it| {
        let last =
            it.0.iter()
                .rposition(|row| row.iter().any(|(c, _)| *c != ' '));
        it.0.truncate(last.map_or(0, |at| at + 1));
        if !from_the_top {
            it.0.drain(..it.0.len().saturating_sub(15));
        }
    });
    change("60 columns", &|it| {
        it.draw_lines(60);
        for row in &mut it.0 {
            // A list in a frame is drawn with both of its edges.
            let edge = row.iter().rposition(|(c, _)| *c != ' ');
            let edge = edge.filter(|&at| at >= 60).map(|at| row[at]);
            row.truncate(60);
            if let (Some(edge @ ('┃', _)), Some(last)) = (edge, row.last_mut()) {
                *last = edge;
            }
        }
    });
    if let Some(found) = locate(&agent.manifest.composer, screen) {
        // The agent's own last rows stay between the conversation and the composer, as they always do.
        let above = &screen.rows()[..found.rows.start];
        let said = above.iter().rposition(|row| !row.is_blank()).unwrap_or(0);
        let at = said.saturating_sub(9);
        change("talk before the last rows", &|it| {
            it.insert(at, CONVERSATION);
        });
        change("talk as a draft", &|it| {
            let input = &agent.manifest.composer;
            let marks: Vec<&String> = input.prompts.iter().flatten().chain(&input.edge).collect();
            let row = &mut it.0[found.text.start];
            let text: String = row.iter().map(|(c, _)| *c).collect();
            let end = |mark: &&String| {
                Some(text[..text.find(*mark)?].chars().count() + mark.chars().count())
            };
            row.truncate(marks.iter().filter_map(end).max().unwrap_or(0));
            let draft = format!(" {} Search      esc", CONVERSATION.replace('\n', " "));
            row.extend(draft.chars().map(|c| (c, Style::default())));
            // No row is wider than the pane, and so than the lines that frame the composer.
            let width = row.len();
            it.draw_lines(width);
        });
    }
    variants
}

#[test]
fn verdicts_hold_in_other_panes() {
    let agents = Agents::read(None).all;
    let mut wrong = Vec::new();
    let (mut decided, mut all) = (0, 0);
    for recording in recordings(&agents) {
        let agent = &agents[recording.agent];
        let screen = Screen::parse(&recording.ansi);
        let whole = judge(&evidence(agent, &recording.truth.title, &screen));
        let Some((state, why)) = recording.expected() else {
            continue;
        };
        for (name, ansi) in variants(agent, &screen, why == Some(Why::Dialog)) {
            let screen = Screen::parse(&ansi);
            let verdict = judge(&evidence(agent, &recording.truth.title, &screen));
            if is_wrong(verdict, Some((state, None))) {
                wrong.push(format!("{} with {name}: {verdict:?}", recording.name));
            }
            let composer = Composer::read(agent, &screen);
            let lost = match recording.intended() {
                _ if name == "talk as a draft" => {
                    state != State::Waiting && !matches!(composer, Composer::Draft(_))
                }
                "draft" => composer == Composer::Empty && agent.name != "copilot",
                "idle" | "idle-start" | "turn-done" => matches!(composer, Composer::Draft(_)),
                _ => false,
            };
            if lost {
                wrong.push(format!("{} with {name}: {composer:?}", recording.name));
            }
            if whole.state != State::Unknown {
                all += 1;
                decided += usize::from(verdict.state == state);
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
    assert!(
        decided * 100 >= all * 95,
        "only {decided} of {all} are decided"
    );
}

#[test]
fn prose_is_no_prompt() {
    let prose = "
● I can do that. Would you like to proceed, or shall I wait?
  Do you want to keep the old file? Just say so.
  1. It is the old one. 2. Or do you trust the files in this folder, and trust this folder?
  Allow once, Allow execution, Apply this change: that is what another program says. △ So it is.
  Don't trust it. Approve once, Reject with feedback, Approve tool call? Type something. Or Other.
  Cline is asking a question. Its choices are [y] Approve and [n] Deny; Waiting for user confirmation.
  Select login method, Sign in with ChatGPT, Answer Questions: it tells of all that.
";
    let below = [
        "",
        "  ────────────────────────\n  main | ctx 10%\n",
        "\n\n  model · ~/project\n",
    ];
    for agent in &Agents::read(None).all {
        for below in below {
            let screen = Screen::parse(&format!("{prose}{below}"));
            let verdict = judge(&evidence(agent, "", &screen));
            assert_ne!(verdict.state, State::Waiting, "{}: {verdict:?}", agent.name);
        }
    }
}

#[test]
fn a_row_that_says_that_it_works_is_busy_without_its_animation() {
    let agents = Agents::read(None).all;
    let codex = agents.iter().find(|agent| agent.name == "codex");
    let codex = codex.expect("a built-in kind");
    let state = |row: &str| {
        let composer = "› Ask Codex to do anything\n\n  lab-model · ~/project\n";
        let screen = Screen::parse(&format!("› fix the tests\n\n{row}\n\n\n{composer}"));
        judge(&evidence(codex, "project", &screen)).state
    };
    for row in [
        "Working (3s • esc to interrupt)",
        "• Working (1m 03s • esc to interrupt)",
        "Reading the tests (12s • esc to interrupt)",
    ] {
        assert_eq!(state(row), State::Busy, "{row}");
    }
    // A person's message about such a row.
    assert_ne!(state("› • Working (3s • esc to interrupt)"), State::Busy);
    assert_ne!(state("› Working (3s • esc to interrupt)"), State::Busy);
}

/// Generates pieces of what agents draw.
fn pieces() -> impl Strategy<Value = String> {
    let marks = [
        "─",
        "────────────────────────",
        "▄",
        "▀",
        "❯",
        "❯ ",
        "›",
        "› ",
        "> ",
        "┃",
        "╹▀▀▀▀▀▀▀▀▀▀▀▀▀",
        "\n",
        "\n\n",
        "esc to interrupt",
        "Esc to cancel",
        "1. Yes",
        "\x1b[2m",
        "\x1b[7m",
        "\x1b[0m",
        "\x1b[38;5;8m",
        "\x1b[38;2;1",
        "\x1b]8;;x",
        "\x1b",
        "✽ a… (",
        "⠋ b",
        "│",
        "╰",
        " ",
        "\u{a0}",
        "e\u{301}",
        "漢",
        "\r",
        "\u{9b}1m",
    ];
    let mark = proptest::sample::select(marks.to_vec()).prop_map(String::from);
    prop_oneof![4 => mark, 1 => any::<String>()]
}

proptest! {
    #[test]
    fn no_screen_causes_a_panic(
        pieces in proptest::collection::vec(pieces(), 0..60),
        title in any::<String>(),
        front in any::<bool>(),
    ) {
        let screen = Screen::parse(&pieces.concat());
        for agent in &Agents::read(None).all {
            let mut evidence = evidence(agent, &title, &screen);
            evidence.in_front = front;
            let verdict = judge(&evidence);
            prop_assert_eq!(explain(&evidence).verdict, verdict);
            prop_assert!(verdict.why.is_none() || verdict.state == State::Waiting);
            let _ = Composer::read(agent, &screen);
        }
    }

    #[test]
    fn a_screen_keeps_its_text(rows in proptest::collection::vec("[^\\p{Cc}]{0,40}", 1..20)) {
        let screen = Screen::parse(&format!("{}\n", rows.join("\n")));
        let read: Vec<&str> = screen.rows().iter().map(super::screen::ScreenRow::whole).collect();
        prop_assert_eq!(read, rows);
    }
}
