//! A list with branches does in a real server what its branches say, whatever stands in it, and leaves nothing behind.

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tmux_sesh::store::condition::both;
use tmux_sesh::tmux::{Batch, Command, Server as Tmux, Socket, command};

use crate::support::{Server, for_all};

/// What the lists of this test change: two options of a pane, a hidden variable and a buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    options: [Option<String>; 2],
    hidden: String,
    buffer: Option<String>,
    printed: Vec<String>,
}

const OPTIONS: [&str; 2] = ["@a", "@b"];
const HIDDEN: &str = "TEST_hidden";
const BUFFER: &str = "test";

#[derive(Clone, Debug)]
enum Condition {
    Always,
    Never,
    Is(usize, String),
    IsUnset(usize),
    HiddenIs(String),
    Both(Box<Self>, Box<Self>),
}

impl Condition {
    fn format(&self) -> String {
        match self {
            Self::Always => "1".into(),
            Self::Never => "0".into(),
            Self::Is(at, word) => format!("#{{==:#{{{}}},{word}}}", OPTIONS[*at]),
            Self::IsUnset(at) => format!("#{{==:#{{{}}},}}", OPTIONS[*at]),
            Self::HiddenIs(word) => format!("#{{==:#{{{HIDDEN}}},{word}}}"),
            Self::Both(one, other) => both(&one.format(), &other.format()),
        }
    }

    fn holds(&self, state: &State) -> bool {
        let option = |at: usize| state.options[at].as_deref().unwrap_or("");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Is(at, word) => option(*at) == word,
            Self::IsUnset(at) => option(*at).is_empty(),
            Self::HiddenIs(word) => state.hidden == *word,
            Self::Both(one, other) => one.holds(state) && other.holds(state),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set(usize, String),
    Append(usize, String),
    /// To what the other option is.
    Copy(usize),
    Unset(usize),
    Hide(String),
    /// Hides what an option is.
    HideOption(usize),
    Print(u8),
    Signal,
    Branch(Condition, Vec<Self>, Vec<Self>),
    /// It takes no condition, so it can only stand in the last branch.
    Buffer(String),
}

impl Step {
    fn command(&self, pane: &str) -> Command {
        match self {
            Self::Set(at, text) => command::set_pane(pane, OPTIONS[*at], text),
            Self::Append(at, text) => command::append_pane(pane, OPTIONS[*at], text),
            Self::Copy(at) => {
                let other = format!("#{{{}}}", OPTIONS[1 - at]);
                command::set_pane_expanded(pane, OPTIONS[*at], &other)
            }
            Self::Unset(at) => command::unset_pane(pane, OPTIONS[*at]),
            Self::Hide(text) => command::set_hidden(HIDDEN, text),
            Self::HideOption(at) => {
                command::set_hidden_for(pane, HIDDEN, &format!("#{{{}}}", OPTIONS[*at]))
            }
            Self::Print(number) => command::print(None, &format!("n, {number}")),
            Self::Signal => command::signal("test"),
            Self::Branch(condition, then, otherwise) => command::if_format(
                Some(pane),
                &condition.format(),
                &batch(then, pane),
                &batch(otherwise, pane),
            ),
            Self::Buffer(text) => command::set_buffer(BUFFER, text),
        }
    }

    fn apply(&self, state: &mut State) {
        match self {
            Self::Set(at, text) => state.options[*at] = Some(text.clone()),
            Self::Append(at, text) => {
                let now = state.options[*at].take().unwrap_or_default();
                state.options[*at] = Some(now + text);
            }
            Self::Copy(at) => {
                state.options[*at] = Some(state.options[1 - at].clone().unwrap_or_default());
            }
            Self::Unset(at) => state.options[*at] = None,
            Self::Hide(text) => state.hidden.clone_from(text),
            Self::HideOption(at) => state.hidden = state.options[*at].clone().unwrap_or_default(),
            Self::Print(number) => state.printed.push(format!("n, {number}")),
            Self::Signal => {}
            Self::Branch(condition, then, otherwise) => {
                let chosen = if condition.holds(state) {
                    then
                } else {
                    otherwise
                };
                for step in chosen {
                    step.apply(state);
                }
            }
            Self::Buffer(text) => state.buffer = Some(text.clone()),
        }
    }
}

fn batch(steps: &[Step], pane: &str) -> Batch {
    let mut batch = Batch::new();
    batch.extend(steps.iter().map(|step| step.command(pane)));
    batch
}

/// Texts of what acts in a format, in a list or in a command string. tmux 3.4 and 3.5a print control characters and
/// dollars as something else, so these have none.
fn text() -> impl Strategy<Value = String> {
    const PARTS: [&str; 18] = [
        "x",
        "#",
        "##",
        "#{",
        "#{@b}",
        "}",
        ",",
        "#,",
        ";",
        "#(touch x)",
        "'",
        "\"",
        "\\",
        "é",
        "日",
        "%",
        "~",
        " ",
    ];
    prop::collection::vec(prop::sample::select(&PARTS[..]), 1..5).prop_map(|parts| parts.concat())
}

fn condition() -> impl Strategy<Value = Condition> {
    let word = || prop::sample::select(&["x", "xx", ""][..]).prop_map(String::from);
    let leaf = prop_oneof![
        Just(Condition::Always),
        Just(Condition::Never),
        (0..2_usize, word()).prop_map(|(at, word)| Condition::Is(at, word)),
        (0..2_usize).prop_map(Condition::IsUnset),
        word().prop_map(Condition::HiddenIs),
    ];
    leaf.prop_recursive(1, 4, 2, |inner| {
        (inner.clone(), inner)
            .prop_map(|(one, other)| Condition::Both(Box::new(one), Box::new(other)))
    })
}

fn carried() -> impl Strategy<Value = Step> {
    let x = || prop_oneof![Just("x".to_string()), text()];
    let leaf = prop_oneof![
        3 => (0..2_usize, x()).prop_map(|(at, text)| Step::Set(at, text)),
        1 => (0..2_usize, x()).prop_map(|(at, text)| Step::Append(at, text)),
        1 => (0..2_usize).prop_map(Step::Copy),
        2 => (0..2_usize).prop_map(Step::Unset),
        2 => x().prop_map(Step::Hide),
        1 => (0..2_usize).prop_map(Step::HideOption),
        1 => (0..9_u8).prop_map(Step::Print),
        1 => Just(Step::Signal),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let steps = || prop::collection::vec(inner.clone(), 0..4);
        (condition(), steps(), steps())
            .prop_map(|(condition, then, otherwise)| Step::Branch(condition, then, otherwise))
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let last = (
        condition(),
        prop::collection::vec(carried(), 0..3),
        prop::collection::vec(carried(), 0..3),
        text(),
        any::<bool>(),
    );
    let last = last.prop_map(|(condition, mut ends, other, text, then)| {
        ends.push(Step::Buffer(text));
        let [then, otherwise] = if then { [ends, other] } else { [other, ends] };
        Step::Branch(condition, then, otherwise)
    });
    (
        prop::collection::vec(carried(), 0..5),
        prop::option::of(last),
    )
        .prop_map(|(mut steps, last)| {
            steps.extend(last);
            steps
        })
}

#[test]
fn a_list_does_what_its_branches_say() {
    let server = Server::start();
    let pane = server.user_pane();
    let tmux = Tmux::at(Socket::Path(server.socket())).expect("a server");
    for_all(2_000, &steps(), |steps| {
        let mut expected = State::default();
        for step in &steps {
            step.apply(&mut expected);
        }
        let [a, b] = OPTIONS;
        server.tmux(["set-option", "-pqu", "-t", &pane, a]);
        server.tmux(["set-option", "-pqu", "-t", &pane, b]);
        server.tmux(["set-environment", "-ghu", HIDDEN]);
        server.try_tmux(["delete-buffer", "-b", BUFFER]);

        let printed = tmux.run(&batch(&steps, &pane)).expect("the list runs");

        let buffers = server.tmux(["list-buffers", "-F", "#{buffer_name}"]);
        let shown = |name: &str| {
            let set = server.tmux(["show-options", "-p", "-t", &pane]);
            let is_set = set
                .lines()
                .any(|line| line.starts_with(&format!("{name} ")));
            let value = server.tmux(["show-options", "-pqv", "-t", &pane, name]);
            is_set.then(|| value.trim_end_matches('\n').to_string())
        };
        let hidden = server.tmux(["display-message", "-p", &format!("#{{{HIDDEN}}}")]);
        let now = State {
            options: [shown(a), shown(b)],
            hidden: hidden.trim_end_matches('\n').into(),
            buffer: buffers
                .contains(BUFFER)
                .then(|| server.tmux(["show-buffer", "-b", BUFFER])),
            printed: printed
                .lines()
                .filter(|line| !line.is_empty())
                .map(Into::into)
                .collect(),
        };
        prop_assert_eq!(now, expected, "{:?}", batch(&steps, &pane).text());
        Ok(())
    });
    assert!(!server.path("x").exists(), "a text was executed");
    let left = server.tmux(["show-options", "-s"]);
    assert!(!left.contains("@sesh_none"), "{left}");
}

#[test]
fn a_condition_of_a_pane_that_is_gone_fails() {
    let server = Server::start();
    let tmux = Tmux::at(Socket::Path(server.socket())).expect("a server");
    let there =
        Batch::from(command::set_pane("%99", "@a", "1")).then(command::print(None, "there"));
    let gone = Batch::from(command::print(None, "gone"));
    let asked = command::if_format(Some("%99"), "#{==:#{pane_dead},0}", &there, &gone);
    let answer = tmux.run(&Batch::from(asked).then(command::print(None, "end")));
    assert_eq!(answer.expect("an answer").trim(), "gone\nend");
}
