//! The actions of the picker: one table of keys, which the loop, the line of keys, the help and the man page use.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Go,
    Answer,
    Send,
    Rename,
    Tag,
    Archive,
    Undo,
    End,
    New,
    Adopt,
    Mark,
    Group,
    Show,
    Preview,
    /// Restores what was alive when the last tmux server died.
    Restore,
    Help,
    Leave,
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PressedKey {
    Enter,
    Tab,
    Escape,
    Control(char),
    /// A character that is an action only while nothing is typed; afterwards it is text.
    Plain(char),
}

/// An action.
#[derive(Debug)]
pub struct Action {
    pub verb: Verb,
    pub key: PressedKey,
    /// Its name, in a word.
    pub word: &'static str,
    /// Its description, in a line.
    pub about: &'static str,
    /// Whether it changes something or leads somewhere. Such an action is not offered where the choice is only printed.
    pub acts: bool,
}

const fn action(verb: Verb, key: PressedKey, word: &'static str, about: &'static str) -> Action {
    Action {
        verb,
        key,
        word,
        about,
        acts: true,
    }
}

const fn view(verb: Verb, key: PressedKey, word: &'static str, about: &'static str) -> Action {
    Action {
        verb,
        key,
        word,
        about,
        acts: false,
    }
}

/// Every action, the most useful first.
pub const ACTIONS: [Action; 17] = [
    view(Verb::Go, PressedKey::Enter, "go", "go to it"),
    view(
        Verb::Help,
        PressedKey::Plain('?'),
        "help",
        "show all keys (before anything is typed)",
    ),
    action(
        Verb::Send,
        PressedKey::Control('s'),
        "send",
        "send it a message",
    ),
    action(
        Verb::Answer,
        PressedKey::Control('y'),
        "answer",
        "go to its prompt, else to the one that waits longest",
    ),
    action(
        Verb::End,
        PressedKey::Control('x'),
        "end",
        "end it, after a question",
    ),
    action(
        Verb::New,
        PressedKey::Control('n'),
        "new",
        "create one in its folder: name, then agent or command",
    ),
    action(
        Verb::Archive,
        PressedKey::Control('a'),
        "archive",
        "archive or unarchive it",
    ),
    action(
        Verb::Undo,
        PressedKey::Control('z'),
        "undo",
        "undo the last change",
    ),
    action(
        Verb::Rename,
        PressedKey::Control('r'),
        "rename",
        "rename it",
    ),
    action(
        Verb::Tag,
        PressedKey::Control('t'),
        "tag",
        "add tags; -tag removes one",
    ),
    action(
        Verb::Adopt,
        PressedKey::Control('o'),
        "adopt",
        "adopt another pane; first shows the panes",
    ),
    action(
        Verb::Mark,
        PressedKey::Tab,
        "mark",
        "mark it; the next action acts on all marked seshes",
    ),
    view(
        Verb::Group,
        PressedKey::Control('g'),
        "group",
        "group by state, tag, session, agent or as a tree",
    ),
    view(
        Verb::Show,
        PressedKey::Control('e'),
        "all",
        "show archived and exited seshes, then other panes",
    ),
    view(
        Verb::Preview,
        PressedKey::Control('v'),
        "preview",
        "show or hide the preview",
    ),
    action(
        Verb::Restore,
        PressedKey::Control('l'),
        "restore",
        "restore the seshes that were alive when tmux died",
    ),
    view(Verb::Leave, PressedKey::Escape, "leave", "close the picker"),
];

/// The keys that move and that edit the typed text, for the help only.
pub const MOVES: [(&str, &str); 4] = [
    ("Up Down ^K ^J", "move; PgUp PgDn Home End wheel"),
    ("click", "select; a second click goes there"),
    ("^U ^W", "clear the filter; delete a word"),
    (
        "tag:x agent:x state:x",
        "filter by a field; !tag:x excludes; session:x",
    ),
];

impl Action {
    /// Returns the action of a verb.
    #[must_use]
    pub fn of(verb: Verb) -> &'static Self {
        let own = ACTIONS.iter().find(|action| action.verb == verb);
        own.unwrap_or(&ACTIONS[0])
    }

    /// Returns what a key does, `None` where it is no action. `typing`: something was typed already.
    #[must_use]
    pub fn by(event: &KeyEvent, typing: bool) -> Option<Verb> {
        let found = ACTIONS.iter().find(|action| action.key.is(event, typing));
        found.map(|action| action.verb)
    }
}

impl PressedKey {
    fn is(self, event: &KeyEvent, typing: bool) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        match (self, event.code) {
            (PressedKey::Enter, KeyCode::Enter) | (PressedKey::Tab, KeyCode::Tab) => !control,
            (PressedKey::Escape, KeyCode::Esc) => true,
            (PressedKey::Control(own), KeyCode::Char(c)) => control && own == c,
            (PressedKey::Plain(own), KeyCode::Char(c)) => !control && !typing && own == c,
            _ => false,
        }
    }

    /// Returns its name as it is shown.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            PressedKey::Enter => "Enter".into(),
            PressedKey::Tab => "Tab".into(),
            PressedKey::Escape => "Esc".into(),
            PressedKey::Control(c) => format!("^{}", c.to_ascii_uppercase()),
            PressedKey::Plain(c) => c.into(),
        }
    }
}

/// Returns the table of keys for a helper's help.
#[must_use]
pub fn help() -> String {
    let own = ACTIONS
        .iter()
        .map(|action| (action.key.name(), action.about));
    let moves = MOVES.iter().map(|(key, about)| ((*key).into(), *about));
    let lines: Vec<String> = own
        .chain(moves)
        .map(|(key, about): (String, &str)| format!("  {key:<22} {about}"))
        .collect();
    format!("Keys of the picker (^S is Ctrl-s):\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn every_key_does_one_thing() {
        // A terminal sends ^J and ^M for Enter and ^I for Tab. ^C ends a program, ^H is a backspace on some terminals.
        const RESERVED: [PressedKey; 9] = [
            PressedKey::Control('c'),
            PressedKey::Control('h'),
            PressedKey::Control('i'),
            PressedKey::Control('j'),
            PressedKey::Control('k'),
            PressedKey::Control('m'),
            PressedKey::Control('u'),
            PressedKey::Control('w'),
            PressedKey::Control('b'),
        ];
        for (at, action) in ACTIONS.iter().enumerate() {
            assert!(!RESERVED.contains(&action.key), "{action:?}");
            for other in &ACTIONS[at + 1..] {
                assert!(action.key != other.key, "{action:?} and {other:?}");
                assert!(action.verb != other.verb, "{action:?} and {other:?}");
                assert!(action.word != other.word, "{action:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_question_mark_can_be_typed() {
        let mark = KeyEvent::from(KeyCode::Char('?'));
        assert_eq!(Action::by(&mark, false), Some(Verb::Help));
        assert_eq!(Action::by(&mark, true), None);
        let send = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL);
        assert_eq!(Action::by(&send, true), Some(Verb::Send));
        assert_eq!(Action::by(&KeyEvent::from(KeyCode::Char('s')), true), None);
    }
}
