//! Types into a pane: keys by tmux's names, and literal text. Both are checked before anything is sent.

use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::{PaneId, SeshId, shown};
use crate::store::Key;
use crate::store::condition::{both, equal};
use crate::tmux::command::ActingClient;
use crate::tmux::row::formats;
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What to send, and to which panes.
#[derive(Clone, Debug, Default)]
pub struct KeysRequest {
    /// Literal text, sent before the keys.
    pub text: String,
    pub keys: Vec<String>,
    /// How often to send them, 1 to 1000.
    pub repeat: u16,
    pub mode: Mode,
    /// Also send to the prompt of a held pane, where Enter closes the pane and r runs the command again.
    pub to_held: bool,
    /// Also send to a pane whose window has synchronised panes, so that all of them get the keys.
    pub synchronized: bool,
}

/// What to do in copy mode and similar modes, where the program gets no key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Refuse,
    /// Leave the mode first.
    Leave,
    /// Send the keys to the mode.
    Use,
}

/// Sends the keys if all of them will reach their target. The server tests that and sends them in one step. `sesh` is
/// the sesh that the pane must belong to, for a target that was given as a name.
///
/// # Errors
/// A key is unknown; then nothing is sent. [`Exit::Unusable`] with the reason when the keys would be lost or go to
/// another program.
pub fn send(
    server: &Server,
    pane: PaneId,
    sesh: Option<SeshId>,
    request: &KeysRequest,
) -> Result<()> {
    for key in &request.keys {
        check(key)?;
    }
    // Each field must be 0. The fields of a pane that is gone are empty, so the condition is false for it.
    let is_zero = |field: &str| format!("#{{==:#{{{field}}},0}}");
    let mut ready = both(&is_zero("pane_dead"), &is_zero("pane_input_off"));
    if request.mode == Mode::Refuse {
        ready = both(&ready, &is_zero("pane_in_mode"));
    }
    if !request.to_held {
        ready = both(&ready, &equal(Key::Held, ""));
    }
    if !request.synchronized {
        ready = both(&ready, &is_zero("pane_synchronized"));
    }
    let extended = request.keys.iter().any(|key| needs_extended(key));
    if extended {
        // The format is new in 3.5. Before 3.5 tmux cannot send such a key at all.
        ready = both(&ready, EXTENDED);
    }
    if let Some(sesh) = sesh {
        ready = both(&ready, &equal(Key::Id, &sesh.to_string()));
    }
    let frame = Frame::new();
    let reasons = frame.format(Reasons::FORMATS);
    let target = pane.to_string();
    let otherwise = Batch::from(command::print(Some(&target), &reasons));
    let send_as = |client: ActingClient| {
        let mut act = Batch::new();
        if request.mode == Mode::Leave {
            act.extend([command::leave_mode(pane)]);
        }
        act.extend(typing(pane, request, client));
        act.extend([command::print(None, "sent")]);
        server.run(&Batch::from(command::if_format(
            Some(&target),
            &ready,
            &act,
            &otherwise,
        )))
    };
    let output = match send_as(ActingClient::Default) {
        // From 3.7 on send-keys acts as the client that shows the pane, which may be read-only. It can act as no client
        // instead, which 3.2a and 3.3a do not support. tmux has refused the first of the keys, so none was sent.
        Err(error) if error.kind == ErrorKind::ReadOnly => send_as(ActingClient::None)?,
        outcome => outcome?,
    };
    if output.trim() == "sent" {
        return Ok(());
    }
    let (rows, _) = frame.read(&output);
    let reasons = Reasons::read(rows.first().into_iter().flatten().copied());
    Err(refusal(pane, &reasons, request.to_held, extended))
}

fn typing(pane: PaneId, request: &KeysRequest, client: ActingClient) -> Vec<Command> {
    if request.text.is_empty() {
        return vec![command::send_keys(
            pane,
            client,
            request.repeat,
            &request.keys,
        )];
    }
    let mut commands = Vec::new();
    for _ in 0..request.repeat {
        commands.push(command::send_text(pane, client, &request.text));
        if !request.keys.is_empty() {
            commands.push(command::send_keys(pane, client, 1, &request.keys));
        }
    }
    commands
}

formats! {
    /// The facts of a pane that tell why keys were refused.
    struct Reasons {
        /// Empty where there is no such pane.
        pane = "#{pane_id}",
        dead = "#{pane_dead}",
        input_off = "#{pane_input_off}",
        mode = "#{pane_mode}",
        synchronized = "#{pane_synchronized}",
        /// `0` where the program has not asked for extended keys.
        takes_extended = EXTENDED,
        /// Not empty while the pane is held after the end of its command.
        held = "#{@sesh_held}",
    }
}

/// Returns the error for keys that were refused. `extended`: one of them needs extended keys.
fn refusal(pane: PaneId, reasons: &Reasons<'_>, to_held: bool, extended: bool) -> Error {
    let because = match reasons {
        Reasons { dead: "1", .. } => "its process has exited".into(),
        Reasons { input_off: "1", .. } => {
            "its input is switched off (select-pane -e switches it on)".into()
        }
        Reasons { mode, .. } if !mode.is_empty() => {
            format!("it is in {mode}: --leave-mode leaves it first, --to-mode sends the keys to it")
        }
        Reasons { held, .. } if !held.is_empty() && !to_held => {
            "its command has exited and the pane is held: --to-held sends to its prompt".into()
        }
        Reasons {
            takes_extended: "0",
            ..
        } if extended => {
            "its program has not asked for extended keys, and others like C-Enter do not exist"
                .into()
        }
        Reasons {
            synchronized: "1", ..
        } => "its window's panes are synchronised: --synchronized sends to all of them".into(),
        Reasons { pane: found, .. } if !found.is_empty() => {
            return Error::new(
                Exit::Changed,
                format!("pane {pane} is now another sesh: check with sesh-list"),
            );
        }
        _ => return Error::no_pane(pane),
    };
    Error::unusable(format!("nothing was sent to pane {pane}: {because}"))
}

/// The names of keys in lower case, as tmux compares them (key-string.c, the same from 3.2a to 3.7c).
const NAMES: [&str; 50] = [
    "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "ic", "insert",
    "dc", "delete", "home", "end", "npage", "pagedown", "pgdn", "ppage", "pageup", "pgup", "btab",
    "space", "bspace", "tab", "enter", "escape", "up", "down", "left", "right", "kp/", "kp*",
    "kp-", "kp+", "kp.", "kpenter", "kp0", "kp1", "kp2", "kp3", "kp4", "kp5", "kp6", "kp7", "kp8",
    "kp9",
];

/// Refuses a word that is no key for tmux. tmux would type it as text or drop it, with exit 0.
///
/// # Errors
/// [`Exit::Usage`], with the way out.
pub fn check(key: &str) -> Result<()> {
    let (held, bare) = modifiers(key);
    let known = match one_char(bare) {
        Some(c) if held.control => takes_control(c),
        Some(c) => !c.is_control(),
        None => {
            let lower = bare.to_ascii_lowercase();
            NAMES.contains(&lower.as_str())
        }
    };
    if known {
        Ok(())
    } else {
        Err(Error::usage(format!(
            "{} is not a key: use Enter, Escape, C-c, M-x, F5, or one character; --literal sends text",
            shown(key)
        )))
    }
}

/// The condition that a pane's program has asked for extended keys.
const EXTENDED: &str = "#{m:Ext*,#{pane_key_mode}}";

/// Returns whether a key only exists for programs that ask for extended keys: Ctrl with a digit, with most punctuation
/// or with a key that is a control character itself; Shift with such a key or with a character; a keypad key with any
/// modifier. To other programs tmux sends nothing, and 3.2a and 3.3a type `S-Enter` as text.
#[must_use]
pub fn needs_extended(key: &str) -> bool {
    let (held, bare) = modifiers(key);
    match one_char(bare) {
        Some(c) => {
            held.shift || (held.control && !(c.is_ascii_alphabetic() || "@[\\]^_? /".contains(c)))
        }
        None => {
            let lower = bare.to_ascii_lowercase();
            let itself = ["enter", "tab", "btab", "escape", "bspace"].contains(&lower.as_str());
            let keypad = lower.starts_with("kp");
            (held.control && (itself || keypad))
                || (held.shift && (itself || keypad || lower == "space"))
                || (held.meta && keypad)
        }
    }
}

/// The modifiers of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Modifiers {
    control: bool,
    meta: bool,
    shift: bool,
}

/// Splits a key into its modifiers and the key without them.
fn modifiers(key: &str) -> (Modifiers, &str) {
    let mut held = Modifiers::default();
    let mut rest = key;
    if rest.len() > 1
        && let Some(caret) = rest.strip_prefix('^')
    {
        held.control = true;
        rest = caret;
    }
    while rest.len() > 2 && rest.as_bytes()[1] == b'-' {
        match rest.as_bytes()[0].to_ascii_lowercase() {
            b'c' => held.control = true,
            b'm' => held.meta = true,
            b's' => held.shift = true,
            _ => break,
        }
        rest = &rest[2..];
    }
    (held, rest)
}

fn one_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Returns whether every tmux knows Ctrl with a character: letters, `@ [ \ ] ^ _ ? /`, the blank, and the characters of
/// [extended keys](needs_extended).
fn takes_control(c: char) -> bool {
    c.is_ascii_alphabetic() || "@[\\]^_?/ !#()+,-.0123456789:;<=>'".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_tmux_knows() {
        for key in [
            "a", "A", "é", "日", ";", "-", "^", "^c", "C-c", "c-C", "M-x", "S-Up", "C-M-Left",
            "Enter", "enter", "PageUp", "F12", "KP5", "C-Space", "C-@", "M-Enter", "C-?", "%",
            "\\",
        ] {
            assert!(check(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn keys_that_only_some_programs_get() {
        for key in [
            "C-Enter", "^1", "C-M-Tab", "C-;", "C-KP5", "S-Enter", "S-a", "M-KP1", "S-Space",
        ] {
            assert!(check(key).is_ok() && needs_extended(key), "{key}");
        }
        for key in [
            "Enter", "C-c", "C-/", "C-Space", "C-Up", "S-Up", "M-Enter", "1", ";",
        ] {
            assert!(!needs_extended(key), "{key}");
        }
    }

    #[test]
    fn words_that_are_no_keys() {
        for key in [
            "",
            "Entr",
            "F13x",
            "hello",
            "C-",
            "C-foo",
            "X-a",
            "\n",
            "\x1b",
            "C-é",
            "MouseDown1Pane",
        ] {
            assert!(check(key).is_err(), "{key:?}");
        }
    }
}
