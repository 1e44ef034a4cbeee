//! How states are judged.

use pretty_assertions::assert_eq;

use super::*;
use crate::agent::explain::explain;
use crate::agent::kinds::Agents;

const NOW: u64 = 1_000;

pub(in crate::agent) fn agent(name: &str) -> Agent {
    let agents = Agents::read(None).all;
    agents.into_iter().find(|it| it.name == name).expect(name)
}

pub(in crate::agent) fn no_evidence(agent: &Agent) -> Evidence<'_> {
    Evidence {
        agent,
        stopped: false,
        in_front: true,
        title: "",
        folder: None,
        young: false,
        screen: None,
        session: None,
        report: None,
        now: NOW,
    }
}

pub(in crate::agent) fn report(state: State, age: f64) -> HookEvidence {
    HookEvidence {
        state,
        why: None,
        event: "E".into(),
        at: 1_000.0 - age,
    }
}

fn session(status: &str, waiting: Option<&str>) -> Session {
    Session {
        status: status.into(),
        waiting_for: waiting.map(Into::into),
        at: None,
    }
}

fn judged(evidence: &Evidence<'_>) -> (State, Option<Why>, Authority) {
    let verdict = judge(evidence);
    assert_eq!(explain(evidence).verdict, verdict);
    (verdict.state, verdict.why, verdict.by)
}

/// The screen of a Claude at its prompt.
pub(in crate::agent) const IDLE: &str = "\
    ────────────────────────\n❯\u{a0}\n────────────────────────\n  ? for shortcuts\n";
/// The screen of a Claude that asks.
const ASKING: &str = "\
    ────────────────────────\n Bash command\n\n Do you want to proceed?\n ❯ 1. Yes\n\n Esc to cancel\n";

#[test]
fn a_report_wins_while_it_is_fresh() {
    let claude = agent("claude");
    let mut evidence = no_evidence(&claude);
    evidence.session = Some(session("idle", None));
    evidence.report = Some(report(State::Busy, 1.0));
    assert_eq!(judged(&evidence), (State::Busy, None, Authority::Hook));
    // A report of this second, whose fractions `now` does not have.
    evidence.report = Some(report(State::Busy, -0.9));
    assert_eq!(judged(&evidence).2, Authority::Hook);
    // The clock was set back after a report: its age is unknown.
    evidence.report = Some(report(State::Busy, -3_600.0));
    assert_ne!(judged(&evidence).2, Authority::Hook);
    evidence.report = Some(report(State::Busy, 3.0));
    let corrected = (State::Idle, None, Authority::SessionFile);
    assert_eq!(judged(&evidence), corrected);
    // A file that changed after the report wins at once.
    evidence.report = Some(report(State::Busy, 1.0));
    evidence.session.as_mut().expect("a session").at = Some(999.5);
    assert_eq!(judged(&evidence), corrected);
}

#[test]
fn a_background_command_of_an_idle_agent_does_not_make_it_busy() {
    let claude = agent("claude");
    let mut evidence = no_evidence(&claude);
    evidence.session = Some(session("shell", None));
    assert_eq!(
        judged(&evidence),
        (State::Idle, None, Authority::SessionFile)
    );
}

#[test]
fn an_unknown_word_of_the_agents_own_file_is_unknown() {
    let claude = agent("claude");
    let idle = Screen::parse(IDLE);
    let mut evidence = no_evidence(&claude);
    evidence.session = Some(session("dreaming", None));
    evidence.screen = Some(&idle);
    let unknown = (State::Unknown, None, Authority::SessionFile);
    assert_eq!(judged(&evidence), unknown);
    assert_eq!(judge(&evidence).confidence, Confidence::Low);
    let asking = Screen::parse(ASKING);
    evidence.screen = Some(&asking);
    let asked = (State::Waiting, Some(Why::Permission), Authority::Screen);
    assert_eq!(judged(&evidence), asked);
}

#[test]
fn no_prompt_stands_against_an_agent_that_says_it_is_idle() {
    let claude = agent("claude");
    let asking = Screen::parse(ASKING);
    let question = ASKING.replace("Esc to cancel", "Enter to select · ↑/↓ to navigate");
    let question = Screen::parse(&question);
    for screen in [&asking, &question] {
        let mut evidence = no_evidence(&claude);
        evidence.screen = Some(screen);
        evidence.session = Some(session("idle", None));
        let idle = (State::Idle, None, Authority::SessionFile);
        assert_eq!(judged(&evidence), idle);
        evidence.session = None;
        assert_eq!(judged(&evidence).0, State::Waiting);
    }
    // A menu that the person has opened takes the keys all the same.
    let menu = Screen::parse("▔▔▔▔▔▔▔▔▔▔▔▔\n  Select model\n\n  Enter to confirm · Esc to exit\n");
    let mut evidence = no_evidence(&claude);
    evidence.screen = Some(&menu);
    evidence.session = Some(session("idle", None));
    let dialog = (State::Waiting, Some(Why::Dialog), Authority::Screen);
    assert_eq!(judged(&evidence), dialog);
}

#[test]
fn an_old_report_is_better_than_nothing() {
    let claude = agent("claude");
    let mut evidence = no_evidence(&claude);
    let unknown = (State::Unknown, None, Authority::Process);
    assert_eq!(judged(&evidence), unknown);
    evidence.report = Some(report(State::Busy, 500.0));
    let verdict = judge(&evidence);
    assert_eq!((verdict.state, verdict.by), (State::Busy, Authority::Hook));
    assert_eq!(verdict.confidence, Confidence::Low);
    let idle = Screen::parse(IDLE);
    evidence.screen = Some(&idle);
    assert_eq!(judged(&evidence), (State::Idle, None, Authority::Screen));
}

#[test]
fn a_stopped_agent_and_one_in_the_background() {
    let claude = agent("claude");
    let idle = Screen::parse(IDLE);
    let mut evidence = no_evidence(&claude);
    evidence.screen = Some(&idle);
    evidence.stopped = true;
    let unknown = (State::Unknown, None, Authority::Process);
    assert_eq!(judged(&evidence), unknown);
    evidence.stopped = false;
    evidence.in_front = false;
    assert_eq!(judged(&evidence), unknown, "the screen is another's");
    evidence.session = Some(session("busy", None));
    assert_eq!(
        judged(&evidence),
        (State::Busy, None, Authority::SessionFile)
    );
}

#[test]
fn the_title_of_an_earlier_agent_does_not_count() {
    let gemini = agent("gemini");
    let mut evidence = no_evidence(&gemini);
    evidence.title = "✦  Working… (project)";
    assert_eq!(judged(&evidence), (State::Busy, None, Authority::Title));
    evidence.young = true;
    let loading = Screen::parse("bash-5.2# gemini\n");
    evidence.screen = Some(&loading);
    assert_eq!(
        judged(&evidence),
        (State::Unknown, None, Authority::Process)
    );
    let works = include_str!("../../../tests/fixtures/agents/gemini-0.61.0/busy.80x24.ansi");
    let works = Screen::parse(works);
    evidence.screen = Some(&works);
    assert_eq!(judged(&evidence), (State::Busy, None, Authority::Title));
}

#[test]
fn a_title_that_comes_before_its_prompt_or_stays_after_it_is_not_believed() {
    let gemini = agent("gemini");
    let mut evidence = no_evidence(&gemini);
    evidence.title = "✋  Action Required (project)";
    let general = (State::Waiting, Some(Why::Permission), Authority::Title);
    assert_eq!(judged(&evidence), general, "the screen is not known");
    let screen = |text: &str| Screen::parse(text);
    let before = screen(include_str!(
        "../../../tests/fixtures/agents/gemini-0.61.0/busy.80x24.ansi"
    ));
    let asks = screen(include_str!(
        "../../../tests/fixtures/agents/gemini-0.61.0/question.60x15.ansi"
    ));
    let after = screen(include_str!(
        "../../../tests/fixtures/agents/gemini-0.61.0/question-answered.80x24.ansi"
    ));
    let unknown = screen("a prompt of a later version\n");
    for (name, screen, is) in [
        ("before", &before, (State::Busy, None)),
        ("it asks", &asks, (State::Waiting, Some(Why::Question))),
        ("after", &after, (State::Idle, None)),
        ("unknown", &unknown, (State::Waiting, Some(Why::Permission))),
    ] {
        evidence.screen = Some(screen);
        let (state, why, _) = judged(&evidence);
        assert_eq!((state, why), is, "{name}");
    }
}

#[test]
fn a_frame_that_has_only_begun_is_no_end_of_an_older_one() {
    let kimi = agent("kimi");
    let (over, under) = ("─".repeat(20), "─".repeat(20));
    // A killed agent has left the beginning of its composer, and the new one has drawn that of its own.
    let left = format!(" ⠇ Working\n ╭{over}╮\n │ > Killed           │\n$ kimi\n");
    let begun = format!("{left} ╭{over}╮\n");
    let drawn = format!("{begun} │ >                  │\n ╰{under}╯\n");
    for (text, state) in [(left, None), (begun, None), (drawn, Some(State::Idle))] {
        let claim = on_screen(&kimi, &Screen::parse(&text));
        assert_eq!(claim.map(|claim| claim.state), state, "{text}");
    }
}

#[test]
fn a_screen_without_a_match_is_unknown() {
    for agent in &Agents::read(None).all {
        for text in ["", "\n\n", "hello\nworld\n", "$ \n"] {
            let screen = Screen::parse(text);
            let mut evidence = no_evidence(agent);
            evidence.screen = Some(&screen);
            let (state, ..) = judged(&evidence);
            assert_eq!(state, State::Unknown, "{}: {text:?}", agent.name);
        }
    }
}

#[test]
fn a_prompt_on_the_screen_beats_other_sources() {
    let claude = agent("claude");
    let asking = Screen::parse(ASKING);
    let mut evidence = no_evidence(&claude);
    evidence.screen = Some(&asking);
    evidence.session = Some(session("busy", None));
    evidence.report = Some(report(State::Busy, 0.1));
    let asked = (State::Waiting, Some(Why::Permission), Authority::Screen);
    assert_eq!(judged(&evidence), asked);
}

#[test]
fn an_answered_prompt_may_stay_on_the_screen_for_a_moment() {
    let asking =
        "  ┃  Which of them\n  ┃  1. Alpha\n  ┃\n  ┃  ↑↓ select  enter submit  esc dismiss\n";
    let menu = "     Search                      esc\n";
    let (question, menu) = (Screen::parse(asking), Screen::parse(menu));
    let waits = |why, by| (State::Waiting, Some(why), by);
    let opencode = agent("opencode");
    for (screen, reported, age, expected) in [
        (
            &question,
            State::Busy,
            0.1,
            (State::Busy, None, Authority::Hook),
        ),
        (
            &question,
            State::Idle,
            0.1,
            (State::Idle, None, Authority::Hook),
        ),
        (
            &question,
            State::Busy,
            3.0,
            waits(Why::Question, Authority::Screen),
        ),
        // A menu that a person has opened is reported by no hook.
        (
            &menu,
            State::Idle,
            0.1,
            waits(Why::Dialog, Authority::Screen),
        ),
    ] {
        let mut evidence = no_evidence(&opencode);
        evidence.screen = Some(screen);
        evidence.report = Some(report(reported, age));
        assert_eq!(judged(&evidence), expected, "{reported:?} {age}");
    }
}

#[test]
fn the_reason_to_wait() {
    let claude = agent("claude");
    let asking = Screen::parse(ASKING);
    let why = |waiting, screen| {
        let mut evidence = no_evidence(&claude);
        evidence.session = Some(session("waiting", waiting));
        evidence.screen = screen;
        judged(&evidence).1
    };
    assert_eq!(why(Some("input needed"), None), Some(Why::Question));
    assert_eq!(why(Some("dialog open"), None), Some(Why::Dialog));
    assert_eq!(why(Some("something new"), None), None);
    assert_eq!(
        why(Some("something new"), Some(&asking)),
        Some(Why::Permission)
    );
    // 2.1.197 calls every prompt a permission; the screen shows which it is.
    assert_eq!(
        why(Some("input needed"), Some(&asking)),
        Some(Why::Permission)
    );
    // A menu that the person opened stays a dialog, whatever words it contains.
    assert_eq!(why(Some("dialog open"), Some(&asking)), Some(Why::Dialog));
}
