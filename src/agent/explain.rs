//! Why an agent counts as being in its state: every source with its state, the rules that nearly held, and what would
//! change the verdict.

use std::collections::BTreeMap;

use serde::Serialize;

use super::manifest::Source;
use super::rule::{Miss, Rule};
use super::state::{
    Authority, Evidence, ScreenRules, SourceState, SourceStates, Verdict, age, by_weight, decide,
    order,
};
use crate::state::State;

/// A verdict with everything that led to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub verdict: Verdict,
    /// Why this verdict won.
    pub because: String,
    /// Every source, the strongest first.
    pub sources: Vec<Statement>,
    /// What would change the verdict.
    pub changes: Vec<String>,
}

/// One source in an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    pub source: Authority,
    pub says: Option<SourceState>,
    /// The age of that state, in seconds.
    pub age: Option<f64>,
    /// What the source contains.
    pub read: Option<String>,
    /// The rule of the manifest that decided.
    pub rule: Option<String>,
    /// The rules that held in part.
    pub near: Vec<NearMiss>,
}

/// A rule that did not hold, though some of its conditions did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearMiss {
    pub rule: String,
    pub state: State,
    pub missing: String,
}

/// Judges the state of an agent and explains the verdict.
#[must_use]
pub fn explain(evidence: &Evidence<'_>) -> Explanation {
    let claims = SourceStates::of(evidence);
    let (verdict, because) = decide(evidence, &claims);
    Explanation {
        verdict,
        because: because.into(),
        sources: statements(evidence, &claims),
        changes: changes(evidence, verdict),
    }
}

fn near_misses(
    rules: &BTreeMap<String, Rule>,
    holds: impl Fn(&Rule) -> Result<(), Miss<'_>>,
) -> Vec<NearMiss> {
    let rules = by_weight(rules).into_iter();
    rules
        .filter_map(|(name, rule)| match holds(rule) {
            Err(Miss { held, what }) if held > 0 => Some(NearMiss {
                rule: name.into(),
                state: rule.state?,
                missing: what.to_string(),
            }),
            _ => None,
        })
        .collect()
}

/// Returns the rules that held in part on a screen.
fn near_misses_on_screen(rules: &ScreenRules<'_>) -> Vec<NearMiss> {
    near_misses(&rules.agent.manifest.screen, |rule| {
        rule.holds_on(rules.screen, rules.composer.as_ref(), rules.titled)
    })
}

fn statements(evidence: &Evidence<'_>, claims: &SourceStates<'_>) -> Vec<Statement> {
    let known = &evidence.agent.manifest;
    let mut statements: Vec<Statement> = order(evidence.agent)
        .iter()
        .map(|&source| {
            let mut statement = Statement {
                source: source.into(),
                says: claims.state_from(source),
                age: None,
                read: None,
                rule: None,
                near: Vec::new(),
            };
            match source {
                Source::SessionFile => {
                    let session = evidence.session.as_ref();
                    statement.age = session.and_then(|it| it.at).map(|at| age(evidence, at));
                    statement.read = session.map(|it| match &it.waiting_for {
                        Some(waiting) => format!("{}: {waiting}", it.status),
                        None => it.status.clone(),
                    });
                }
                Source::Title => {
                    statement.read = Some(evidence.title.into());
                    statement.rule = claims.title.map(|(rule, _)| rule.into());
                    let seen = ScreenRules::seen(evidence);
                    let composer = seen.as_ref().map(ScreenRules::has_composer);
                    statement.near = near_misses(&known.title, |rule| {
                        rule.holds_for_title(evidence.title, composer)
                    });
                }
                Source::Screen => {
                    statement.rule = claims.screen.map(|(rule, _)| rule.into());
                    if let Some(screen) = evidence.screen {
                        statement.near = near_misses_on_screen(&ScreenRules::of(evidence, screen));
                    }
                }
            }
            statement
        })
        .collect();
    if let Some(report) = &evidence.report {
        statements.push(Statement {
            source: Authority::Hook,
            says: Some(SourceState {
                state: report.state,
                why: report.why,
            }),
            age: Some(age(evidence, report.at)),
            read: Some(report.event.clone()),
            rule: None,
            near: Vec::new(),
        });
    }
    statements
}

fn changes(evidence: &Evidence<'_>, verdict: Verdict) -> Vec<String> {
    if evidence.stopped {
        return vec!["continue it (fg)".into()];
    }
    let mut changes = Vec::new();
    if verdict.by == Authority::Hook && !order(evidence.agent).is_empty() {
        changes.push("any other source that contradicts the hook after 2 s".into());
    }
    if verdict.by != Authority::Hook {
        changes.push("a report of a hook, within 2 s".into());
    }
    if verdict.state != State::Waiting {
        changes.push("a prompt on the screen that matches a rule".into());
    }
    if evidence.young {
        changes.push("its title, once its screen is drawn or 5 s after its start".into());
    }
    for source in order(evidence.agent) {
        let by = Authority::from(*source);
        if by == verdict.by {
            break;
        }
        changes.push(format!("a word of the {}", by.as_str()));
    }
    changes
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::screen::Screen;
    use crate::agent::state::tests::{IDLE, agent, no_evidence, report};
    use crate::agent::state::{Confidence, Session};
    use crate::state::Why;

    fn verdict(evidence: &Evidence<'_>) -> (State, Option<Why>, Authority) {
        let verdict = explain(evidence).verdict;
        (verdict.state, verdict.why, verdict.by)
    }

    /// The screen of a pi whose composer is free.
    const FREE: &str =
        "──────────────────────\n\n──────────────────────\n ~/project\n 0.0%/128k   lab-model\n";

    #[test]
    fn a_free_composer_ends_no_turn_that_a_hook_has_reported() {
        let screen = Screen::parse(FREE);
        let busy = (State::Busy, None, Authority::Hook);
        for (name, by_hook) in [("pi", true), ("opencode", true), ("codex", false)] {
            let agent = agent(name);
            let mut evidence = no_evidence(&agent);
            evidence.screen = Some(&screen);
            evidence.report = Some(report(State::Busy, 60.0));
            if name == "pi" {
                assert_eq!(verdict(&evidence), busy);
                assert_eq!(explain(&evidence).verdict.confidence, Confidence::Low);
                evidence.report = Some(report(State::Idle, 60.0));
                let idle = (State::Idle, None, Authority::Screen);
                assert_eq!(verdict(&evidence), idle);
            }
            let ends = agent.manifest.sources.ends == Some(true);
            assert_eq!(ends, by_hook, "{name}");
        }
    }

    #[test]
    fn a_spinner_near_the_composer_means_work_whatever_the_manifest_says() {
        let pi = agent("pi");
        // The word is in the line: it does not make the line longer.
        let label = "── ⠼ Dreaming ─";
        let covered = "─".repeat(label.chars().count());
        for (text, state) in [
            (FREE.replacen(&covered, label, 1), State::Busy),
            (format!("⠹ Dreaming\n\n{FREE}"), State::Busy),
            (
                FREE.replace(" ~/project", " ✻ Dreaming (3s · esc to interrupt)"),
                State::Busy,
            ),
            (format!("it dreams (esc to interrupt)\n{FREE}"), State::Idle),
            (FREE.into(), State::Idle),
        ] {
            let screen = Screen::parse(&text);
            let mut evidence = no_evidence(&pi);
            evidence.screen = Some(&screen);
            assert_eq!(verdict(&evidence).0, state, "{text}");
        }
    }

    #[test]
    fn another_view_of_claude_takes_the_keys() {
        let claude = agent("claude");
        let idle = Screen::parse(IDLE);
        let view = IDLE.replace("? for shortcuts", "enter to return · space to reply");
        let view = Screen::parse(&view);
        let mut evidence = no_evidence(&claude);
        evidence.session = Some(Session {
            status: "idle".into(),
            ..Session::default()
        });
        evidence.screen = Some(&idle);
        assert_eq!(verdict(&evidence).0, State::Idle);
        let dialog = |by| (State::Waiting, Some(Why::Dialog), by);
        evidence.title = "2 awaiting input · claude agents";
        assert_eq!(verdict(&evidence), dialog(Authority::Title));
        evidence.screen = Some(&view);
        assert_eq!(verdict(&evidence), dialog(Authority::Screen));
        evidence.title = "";
        assert_eq!(verdict(&evidence), dialog(Authority::Screen));
    }

    #[test]
    fn codex_without_its_title_is_idle_only_behind_the_end_of_a_turn() {
        let codex = agent("codex");
        let screen =
            |above: &str| Screen::parse(&format!("› go on\n\n{above}\n\n› Ask Codex\n\n  model\n"));
        let streams = screen("• word word");
        let over = screen("• word word\n\n  Worked for 9s • 05:18");
        let stopped =
            screen("■ Conversation interrupted - use /feedback if something\n  went wrong");
        let mut evidence = no_evidence(&codex);
        evidence.folder = Some("/home/a/project/deep".into());
        for (title, screen, state) in [
            ("host", &streams, State::Unknown),
            ("", &streams, State::Unknown),
            ("a@host: ~/project", &streams, State::Unknown),
            ("host", &over, State::Idle),
            ("host", &stopped, State::Idle),
            ("project", &streams, State::Idle),
            ("a talk | project", &streams, State::Idle),
            ("proj... | a talk", &streams, State::Idle),
            ("⠹ a talk | project", &streams, State::Busy),
        ] {
            evidence.title = title;
            evidence.screen = Some(screen);
            assert_eq!(verdict(&evidence).0, state, "{title:?}");
        }
    }

    #[test]
    fn an_explanation_names_the_rule_and_the_near_ones() {
        let claude = agent("claude");
        let text = IDLE.replace("? for shortcuts", "Enter to select · ↑/↓ to navigate");
        let screen = Screen::parse(&text.replace("❯", "x"));
        let mut evidence = no_evidence(&claude);
        evidence.screen = Some(&screen);
        evidence.report = Some(report(State::Busy, 9.0));
        let explanation = explain(&evidence);
        let statement_of = |by| explanation.sources.iter().find(|it| it.source == by);
        let screen = statement_of(Authority::Screen).expect("the screen");
        assert_eq!(screen.rule.as_deref(), Some("question"));
        let hook = statement_of(Authority::Hook).expect("the hook");
        assert_eq!((hook.age, hook.read.as_deref()), (Some(9.0), Some("E")));
        assert!(!explanation.changes.is_empty());
        let codex = agent("codex");
        let almost = Screen::parse("  Would you like to run it?\n");
        let mut evidence = no_evidence(&codex);
        evidence.screen = Some(&almost);
        let explanation = explain(&evidence);
        assert_eq!(explanation.verdict.state, State::Unknown);
        let near: Vec<_> = explanation.sources.iter().flat_map(|it| &it.near).collect();
        assert_eq!(near[0].rule, "permission", "{near:?}");
        let json = serde_json::to_value(&explanation).expect("JSON");
        assert_eq!(json["verdict"]["by"], "process");
    }
}
