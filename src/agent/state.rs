//! The state of an agent, judged from evidence.
//!
//! A session file, a title or the screen shows the state at any moment; a hook reports only changes, and not all of
//! them. So the report of a hook decides only while it is fresh, or when no other source has a state.

use std::collections::BTreeMap;

use serde::Serialize;

use super::kinds::Agent;
use super::locate::locate;
use super::manifest::Source;
use super::mark::shows_work;
use super::rule::{Rule, is_own_title};
use super::screen::{ComposerArea, Screen};
use crate::state::{State, Why};

/// How long a hook's report beats the slower sources, in seconds. The session file follows within 0.3 s, screens and
/// titles are drawn within a second.
pub const FRESH: f64 = 2.0;

/// The name of the general mark of work where a rule has its name.
const MARK: &str = "a mark of work near the composer";

/// What is known of an agent's pane at one moment.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    pub agent: &'a Agent,
    /// Its process is stopped (C-z).
    pub stopped: bool,
    /// The agent has the pane's foreground, so title and screen belong to it.
    pub in_front: bool,
    pub title: &'a str,
    /// The folder that the agent works in. `None` if no rule of the agent needs it.
    pub folder: Option<String>,
    /// The agent has just started. Until it sets a title, that of a killed agent before it stays. Gemini 0.61.0 sets its
    /// title after 2 s, and draws its screen a moment later.
    pub young: bool,
    /// `None` if it was not captured.
    pub screen: Option<&'a Screen>,
    /// The state in the agent's own file, of this process.
    pub session: Option<Session>,
    /// The last report of a hook, of this process and conversation.
    pub report: Option<HookEvidence>,
    /// The server's clock, in epoch seconds.
    pub now: u64,
}

/// The state of the running session in an agent's own file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Session {
    /// The agent's word for the state.
    pub status: String,
    /// The agent's word for the reason to wait.
    pub waiting_for: Option<String>,
    /// When the state last changed, in epoch seconds.
    pub at: Option<f64>,
}

/// The report of a hook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HookEvidence {
    pub state: State,
    pub why: Option<Why>,
    /// The agent's name of the event.
    pub event: String,
    /// The time of the report, in epoch seconds.
    pub at: f64,
}

/// The state of an agent, and the source that decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub state: State,
    pub why: Option<Why>,
    pub by: Authority,
    pub confidence: Confidence,
}

/// The source of a state. The words are those of `@sesh_by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    Process,
    SessionFile,
    Title,
    Screen,
    Hook,
}

impl Authority {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::SessionFile => "session-file",
            Self::Title => "title",
            Self::Screen => "screen",
            Self::Hook => "hook",
        }
    }
}

/// How certain a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// No source has a state, or only the report of a hook that is no longer fresh.
    Low,
    /// Only the screen shows it.
    Medium,
    /// The agent reports it itself, or two sources agree.
    High,
}

/// The state that one source shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SourceState {
    pub state: State,
    pub why: Option<Why>,
}

/// Judges the state of the agent.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    decide(evidence, &SourceStates::of(evidence)).0
}

/// Returns the state that the screen alone shows.
#[must_use]
pub fn on_screen(agent: &Agent, screen: &Screen) -> Option<SourceState> {
    ScreenRules::new(agent, screen, false)
        .first()
        .map(|(_, claim)| claim)
}

/// The state that each source shows.
pub(super) struct SourceStates<'a> {
    session: Option<SourceState>,
    pub(super) title: Option<(&'a str, SourceState)>,
    pub(super) screen: Option<(&'a str, SourceState)>,
}

impl<'a> SourceStates<'a> {
    pub(super) fn of(evidence: &Evidence<'a>) -> Self {
        let known = &evidence.agent.manifest;
        let is_listed = |source| order(evidence.agent).contains(&source);
        let session = evidence
            .session
            .as_ref()
            .filter(|_| is_listed(Source::SessionFile));
        let session = session.map(|session| {
            // The state behind a word of a newer version is not known, and no weaker source replaces the file.
            let state = known.session.states.get(&session.status);
            let state = state.copied().unwrap_or(State::Unknown);
            let word = session
                .waiting_for
                .as_ref()
                .filter(|_| state == State::Waiting);
            let why = word.and_then(|word| known.session.reasons.get(word).copied());
            SourceState { state, why }
        });
        let seen = ScreenRules::seen(evidence);
        let screen = seen
            .as_ref()
            .filter(|_| is_listed(Source::Screen))
            .and_then(ScreenRules::first);
        let title = (evidence.in_front && is_listed(Source::Title))
            .then(|| {
                let rules = by_weight(&known.title);
                let composer = seen.as_ref().map(ScreenRules::has_composer);
                let holds = |rule: &Rule| rule.holds_for_title(evidence.title, composer).is_ok();
                rules.into_iter().find_map(|(name, rule)| {
                    state_of_rule(rule)
                        .filter(|_| holds(rule))
                        .map(|claim| (name, claim))
                })
            })
            .flatten()
            .filter(|_| !evidence.young || screen.is_some());
        Self {
            session,
            title,
            screen,
        }
    }

    pub(super) fn state_from(&self, source: Source) -> Option<SourceState> {
        match source {
            Source::SessionFile => self.session,
            Source::Title => self.title.map(|(_, claim)| claim),
            Source::Screen => self.screen.map(|(_, claim)| claim),
        }
    }
}

pub(super) fn order(agent: &Agent) -> &[Source] {
    agent.manifest.sources.order.as_deref().unwrap_or_default()
}

fn state_of_rule(rule: &Rule) -> Option<SourceState> {
    Some(SourceState {
        state: rule.state?,
        why: rule.why,
    })
}

pub(super) fn by_weight(rules: &BTreeMap<String, Rule>) -> Vec<(&str, &Rule)> {
    let mut rules: Vec<_> = rules
        .iter()
        .map(|(name, rule)| (name.as_str(), rule))
        .collect();
    rules.sort_by_key(|(_, rule)| std::cmp::Reverse(rule.weight()));
    rules
}

/// The rules of an agent for one screen.
pub(super) struct ScreenRules<'a> {
    pub(super) agent: &'a Agent,
    pub(super) screen: &'a Screen,
    pub(super) composer: Option<ComposerArea>,
    /// The title of the pane is one that the agent has set.
    pub(super) titled: bool,
}

impl<'a> ScreenRules<'a> {
    pub(super) fn of(evidence: &Evidence<'a>, screen: &'a Screen) -> Self {
        let folder = evidence.folder.as_deref();
        let titled = folder.is_some_and(|folder| is_own_title(evidence.title, folder));
        Self::new(evidence.agent, screen, titled)
    }

    /// Returns the rules for the screen of the evidence, if it is the agent's and was captured.
    pub(super) fn seen(evidence: &Evidence<'a>) -> Option<Self> {
        let screen = evidence.screen.filter(|_| evidence.in_front)?;
        Some(Self::of(evidence, screen))
    }

    fn new(agent: &'a Agent, screen: &'a Screen, titled: bool) -> Self {
        let known = &agent.manifest.composer;
        // Without a description every row would look like a composer, and would be in no other region.
        let composer = known
            .is_described()
            .then(|| locate(known, screen))
            .flatten();
        Self {
            agent,
            screen,
            composer,
            titled,
        }
    }

    pub(super) fn has_composer(&self) -> bool {
        self.composer.is_some()
    }

    /// Returns the first rule that holds. The general mark of work near the composer is stronger than a rule for idle.
    fn first(&self) -> Option<(&'a str, SourceState)> {
        let rules = by_weight(&self.agent.manifest.screen);
        let (name, claim) = rules.into_iter().find_map(|(name, rule)| {
            let claim = state_of_rule(rule)?;
            let holds = rule.holds_on(self.screen, self.composer.as_ref(), self.titled);
            holds.is_ok().then_some((name, claim))
        })?;
        let composer = self.composer.as_ref();
        let works = composer
            .is_some_and(|found| shows_work(&self.agent.manifest.composer, self.screen, found));
        Some(if claim.state == State::Idle && works {
            let (state, why) = (State::Busy, None);
            (MARK, SourceState { state, why })
        } else {
            (name, claim)
        })
    }
}

pub(super) fn decide(
    evidence: &Evidence<'_>,
    claims: &SourceStates<'_>,
) -> (Verdict, &'static str) {
    let verdict = |claim: SourceState, by, confidence| Verdict {
        state: claim.state,
        why: claim.why.filter(|_| claim.state == State::Waiting),
        by,
        confidence,
    };
    let unknown = SourceState {
        state: State::Unknown,
        why: None,
    };
    if evidence.stopped {
        let verdict = verdict(unknown, Authority::Process, Confidence::High);
        return (
            verdict,
            "its process is stopped (C-z): it does nothing until it is continued",
        );
    }
    let level = order(evidence.agent)
        .iter()
        .find_map(|&source| Some((claims.state_from(source)?, Authority::from(source))));
    let report = evidence.report.as_ref();
    let reported = report.map(|report| SourceState {
        state: report.state,
        why: report.why,
    });
    let fresh = report.is_some_and(|report| {
        let newer = evidence.session.as_ref().and_then(|session| session.at);
        let overtaken = claims.session.is_some() && newer.is_some_and(|at| at > report.at);
        is_fresh(evidence, report.at) && !overtaken
    });
    // A screen that shows nothing but a free composer does not say that a turn has ended whose end was not reported.
    let runs = evidence.agent.manifest.sources.ends == Some(true)
        && reported.is_some_and(|reported| reported.state == State::Busy)
        && matches!(
            level,
            Some((
                SourceState {
                    state: State::Idle,
                    ..
                },
                Authority::Screen
            ))
        );
    let (mut claim, mut by, mut because) = match (level, reported) {
        (_, Some(reported)) if runs && !fresh => (
            reported,
            Authority::Hook,
            "its hooks report the end of every turn, and have not reported this one",
        ),
        (_, Some(reported)) if fresh => {
            (reported, Authority::Hook, "a hook reported it a moment ago")
        }
        (Some((claim, by)), _) => (claim, by, "it is the strongest source with a statement"),
        (None, Some(reported)) => (
            reported,
            Authority::Hook,
            "the last hook is the only source with a statement",
        ),
        (None, None) => (
            unknown,
            Authority::Process,
            "no known source tells its state",
        ),
    };
    // Where hooks report every answer, the screen may show the answered prompt for a moment longer.
    let is_answered = evidence.agent.manifest.sources.prompts == Some(true)
        && fresh
        && by == Authority::Hook
        && claim.state != State::Waiting;
    let prompt = prompt(claims, is_answered);
    if let Some((prompt, source)) = prompt {
        if claim.state != State::Waiting {
            (claim, by) = (prompt, source);
            because = "a prompt or another view of the agent receives the keys";
        } else if claim.why.is_none()
            || (prompt.why != Some(Why::Dialog) && claim.why != Some(Why::Dialog))
        {
            // The screen shows which prompt it is; the other sources name prompts only in general.
            claim.why = prompt.why.or(claim.why);
        }
    }
    let levels = order(evidence.agent)
        .iter()
        .filter_map(|&source| claims.state_from(source));
    let agree = levels
        .chain(reported)
        .filter(|it| it.state == claim.state)
        .count();
    let confidence = match by {
        Authority::Process => Confidence::Low,
        Authority::Hook if !fresh => Confidence::Low,
        _ if claim.state == State::Unknown => Confidence::Low,
        Authority::Screen if agree < 2 => Confidence::Medium,
        _ => Confidence::High,
    };
    (verdict(claim, by, confidence), because)
}

/// Returns the prompt or the other view of the agent that is seen, and where. It receives the keys, whatever slower sources
/// show of the turn behind it. But an agent that reports that it is idle asks nothing: what looks like a prompt is a text
/// about one. `is_answered`: what it asked has been answered a moment ago.
fn prompt(claims: &SourceStates<'_>, is_answered: bool) -> Option<(SourceState, Authority)> {
    let is_idle = claims.session.is_some_and(|it| it.state == State::Idle);
    let asks = |claim: &SourceState| matches!(claim.why, Some(Why::Permission | Why::Question));
    let is_prompt = |claim: &SourceState| claim.state == State::Waiting;
    let screen = claims
        .state_from(Source::Screen)
        .filter(|claim| is_prompt(claim) && !((is_idle || is_answered) && asks(claim)));
    let title = claims.state_from(Source::Title).filter(is_prompt);
    let view = title.filter(|claim| claim.why == Some(Why::Dialog));
    match (screen, view) {
        (Some(prompt), _) => Some((prompt, Authority::Screen)),
        (None, view) => view.map(|view| (view, Authority::Title)),
    }
}

impl From<Source> for Authority {
    fn from(source: Source) -> Self {
        match source {
            Source::SessionFile => Self::SessionFile,
            Source::Title => Self::Title,
            Source::Screen => Self::Screen,
        }
    }
}

/// Returns whether a time is of the last moments. A time in the future is not: the clock was set back since, so nothing
/// is known of its age. `now` has no fractions, so a time of this second may be a little ahead of it.
fn is_fresh(evidence: &Evidence<'_>, at: f64) -> bool {
    #[allow(clippy::cast_precision_loss)]
    let age = evidence.now as f64 - at;
    age > -FRESH && age < FRESH
}

/// Returns the age in seconds, to be shown. Both times are of one machine; a time in the future has the age 0.
pub(super) fn age(evidence: &Evidence<'_>, at: f64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let now = evidence.now as f64;
    (now - at).max(0.0)
}

#[cfg(test)]
pub(super) mod tests;
