//! Branches without command strings: converts a [`Batch`] with branches to one list of plain commands.
//!
//! The branch of tmux is `if-shell -F`. Its bodies are strings, which the server parses when it reaches them. tmux 3.3
//! and later never free the parsed commands: 400 bytes for one `set-option`, each time (measured on 3.3a and 3.7c). A
//! plain list leaves nothing. So a branch is written in three ways, all of which work on 3.2a to 3.7c and the head of
//! 3.8:
//!
//! - The condition is expanded once, into a hidden variable (`SESH_if1`, `SESH_if2` …). A list that does not wait is
//!   one step of the server, so no other client changes the variable before it is read.
//! - A command of which tmux expands a part carries the condition in that part. tmux expands the **name** of an option,
//!   and `set-option -q` with an empty name does nothing: it causes no error and no redraw. If the condition is false,
//!   a print prints an empty line, and a hidden variable keeps its value.
//! - Any other command must end the list, with a guard before it: a `set-option -su`. If the condition is true, the
//!   guard unsets an option that is never set, which does nothing. Otherwise its name is not that of an option
//!   ([`STOP`]), so the guard fails and tmux drops the rest of the list.
//!
//! The signals of [`wait_for`](super::command::signal) that depend on conditions are sent once, at the end, if any of
//! the conditions was true: their order among the other commands of a list does not matter, and a needless signal does no
//! harm.

use super::Batch;
use super::command::Command;
use super::step::{Carrier, NEVER_SET, Step};

/// The option name with which a guard fails: `invalid option: sesh-stop`.
const STOP: &str = "sesh-stop";
/// The variable that is true if a signal must be sent at the end of the list.
const SIGNAL: &str = "SESH_if_signal";

/// Returns whether an error message of tmux means only that a guard ended the list.
pub(super) fn is_guard(stderr: &str) -> bool {
    stderr.trim() == format!("invalid option: {STOP}")
}

/// Returns the commands of a batch as one list of plain commands, each as its words.
///
/// # Panics
/// If a command without a [`Carrier`] is in a branch that is not the last command of its list. Such a batch cannot be
/// one list, and must be sent as several.
pub(super) fn flatten(batch: &Batch) -> Vec<Vec<String>> {
    let mut list = List::default();
    list.add(batch, None, true);
    list.finish()
}

/// When a command runs: if a variable is true, or if it is not.
#[derive(Clone, Debug)]
struct When {
    variable: String,
    holds: bool,
}

impl When {
    /// Returns a format that expands to `then` if the command runs, else to `otherwise`.
    fn choose(&self, then: &str, otherwise: &str) -> String {
        let variable = &self.variable;
        if self.holds {
            format!("#{{?{variable},{then},{otherwise}}}")
        } else {
            format!("#{{?{variable},{otherwise},{then}}}")
        }
    }
}

#[derive(Default)]
struct List {
    commands: Vec<Vec<String>>,
    variables: usize,
    /// The channels to signal at the end, if the variable [`SIGNAL`] is true then.
    signals: Vec<String>,
}

impl List {
    /// Adds the commands of a batch. `last` means that the list may end with them.
    fn add(&mut self, batch: &Batch, when: Option<&When>, last: bool) {
        for (at, command) in batch.0.iter().enumerate() {
            let last = last && at + 1 == batch.0.len();
            match &command.step {
                Step::Plain(words, carrier) => match when {
                    None => self.commands.push(words.clone()),
                    Some(when) => self.add_conditional(words, *carrier, when),
                },
                Step::Branch {
                    target,
                    condition,
                    then,
                    otherwise,
                } => {
                    let target = target.as_deref();
                    self.add_branch(target, condition, [then, otherwise], when, last);
                }
            }
        }
    }

    fn add_branch(
        &mut self,
        target: Option<&str>,
        condition: &str,
        [then, otherwise]: [&Batch; 2],
        when: Option<&When>,
        last: bool,
    ) {
        let variable = self.variable(target, condition, when);
        // Selects the branch that ends the list: one that must end it, or one that may. A branch may end the list only
        // if no signal is pending, since the guard would send that signal needlessly.
        let must_end = [then, otherwise].map(|batch| !is_carried(batch));
        let may_end = last && when.is_none() && self.signals.is_empty();
        let ending = match must_end {
            [true, true] => panic!("two branches that only end a list: {then:?} {otherwise:?}"),
            [true, false] => Some(true),
            [false, true] => Some(false),
            [false, false] => may_end.then_some(!then.is_empty()),
        };
        assert!(
            last || must_end == [false, false],
            "a branch that only ends a list stands in it: {then:?} {otherwise:?}"
        );
        let [if_true, if_false] = [true, false].map(|holds| When {
            variable: variable.clone(),
            holds,
        });
        match ending {
            // The variable is also false if `when` does not hold, and then neither branch runs.
            None if when.is_some() && !otherwise.is_empty() => {
                let variable = self.variable(None, &if_false.choose("1", ""), when);
                let holds = true;
                self.add(then, Some(&if_true), false);
                self.add(otherwise, Some(&When { variable, holds }), false);
            }
            None => {
                self.add(then, Some(&if_true), false);
                self.add(otherwise, Some(&if_false), false);
            }
            Some(true) => {
                self.add(otherwise, Some(&if_false), false);
                self.guard(&if_true);
                self.add(then, None, true);
            }
            Some(false) => {
                self.add(then, Some(&if_true), false);
                self.guard(&if_false);
                self.add(otherwise, None, true);
            }
        }
    }

    /// Sets a new variable to the value of a condition for a target, and returns its name.
    fn variable(&mut self, target: Option<&str>, condition: &str, when: Option<&When>) -> String {
        self.variables += 1;
        let name = format!("SESH_if{}", self.variables);
        let value = match when {
            Some(when) => when.choose(&escape_format(condition), ""),
            None => condition.into(),
        };
        self.hidden(target, &name, &value);
        name
    }

    fn hidden(&mut self, target: Option<&str>, name: &str, format: &str) {
        let mut words = vec!["set-environment", "-ghF"];
        words.extend(target.iter().flat_map(|target| ["-t", target]));
        words.extend([name, format]);
        self.commands
            .push(words.into_iter().map(Into::into).collect());
    }

    /// Ends the list here unless what follows runs.
    fn guard(&mut self, when: &When) {
        // The end of the list would also drop the signals at its end, so they are sent here.
        self.send_signals();
        let name = when.choose(NEVER_SET, STOP);
        let words = ["set-option", "-su", &name];
        self.commands.push(words.map(Into::into).to_vec());
    }

    fn add_conditional(&mut self, words: &[String], carrier: Carrier, when: &When) {
        let mut words = words.to_vec();
        match carrier {
            Carrier::Option(name) => {
                words[name] = when.choose(&escape_format(&words[name]), "");
                if !words[..name].iter().any(|word| word == "-q") {
                    words.insert(1, "-q".into());
                }
            }
            Carrier::Harmless => {}
            Carrier::Print(format) => {
                words[format] = when.choose(&escape_format(&words[format]), "");
            }
            Carrier::Hidden { value, expanded } => {
                let new = if expanded {
                    escape_format(&words[value])
                } else {
                    escape_text(&words[value])
                };
                words[value] = when.choose(&new, &format!("#{{{}}}", words[value - 1]));
                if !expanded {
                    words.insert(1, "-F".into());
                }
            }
            Carrier::Signal(channel) => {
                let channel = &words[channel];
                if self.signals.is_empty() {
                    self.hidden(None, SIGNAL, "");
                }
                if !self.signals.contains(channel) {
                    self.signals.push(channel.clone());
                }
                let value = when.choose("1", &format!("#{{{SIGNAL}}}"));
                self.hidden(None, SIGNAL, &value);
                return;
            }
            Carrier::None => unreachable!("checked by is_carried"),
        }
        self.commands.push(words);
    }

    fn finish(mut self) -> Vec<Vec<String>> {
        let signals = std::mem::take(&mut self.signals);
        if !signals.is_empty() {
            self.guard(&When {
                variable: SIGNAL.into(),
                holds: true,
            });
            self.signals = signals;
            self.send_signals();
        }
        self.commands
    }

    fn send_signals(&mut self) {
        let signals = std::mem::take(&mut self.signals);
        let signals = signals
            .iter()
            .map(|channel| super::command::signal(channel));
        self.commands.extend(signals.map(Command::into_words));
    }
}

/// Returns whether every command of a batch can carry a condition.
fn is_carried(batch: &Batch) -> bool {
    batch.0.iter().all(|command: &Command| match &command.step {
        Step::Plain(_, carrier) => *carrier != Carrier::None,
        Step::Branch {
            then, otherwise, ..
        } => is_carried(then) && is_carried(otherwise),
    })
}

/// Escapes a format as a part of a conditional. A comma or a brace outside of its own braces would end that part.
fn escape_format(format: &str) -> String {
    let mut escaped = String::with_capacity(format.len());
    let mut depth = 0_u32;
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        match c {
            '#' => {
                escaped.push('#');
                if let Some(next) = characters.next() {
                    depth += u32::from(next == '{');
                    escaped.push(next);
                }
            }
            '}' if depth > 0 => {
                depth -= 1;
                escaped.push('}');
            }
            ',' | '}' if depth == 0 => escaped.extend(['#', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escapes a text as a part of a conditional, so that tmux expands the part to that text.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '#' | ',' | '}') {
            escaped.push('#');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::tmux::command;

    fn lines(batch: &Batch) -> Vec<String> {
        flatten(batch).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn a_branch_at_the_end_follows_a_guard() {
        let then = Batch::from(command::set_pane("%1", "@a", "1")).then(command::signal("c"));
        let otherwise = Batch::from(command::print(None, "no, not"));
        let batch = Batch::from(command::if_format(Some("%1"), "#{x}", &then, &otherwise));
        assert_eq!(
            lines(&batch),
            [
                "set-environment -ghF -t %1 SESH_if1 #{x}",
                "display-message -p #{?SESH_if1,,no#, not}",
                "set-option -su #{?SESH_if1,@sesh_none,sesh-stop}",
                "set-option -p -q -t %1 @a 1",
                "wait-for -S c",
            ]
        );
    }

    #[test]
    fn a_branch_in_the_middle_is_carried_by_its_commands() {
        let inner = command::if_format(
            None,
            "1",
            &Batch::from(command::fire_after_set_hook("%1")),
            &Batch::new(),
        );
        let then = Batch::from(command::unset_pane("%1", "@a"))
            .then(command::set_hidden("X", "a,b#}"))
            .then(command::signal("c"))
            .then(inner);
        let batch = Batch::from(command::if_format(None, "#{x}", &then, &Batch::new()))
            .then(command::print(None, "end"));
        assert_eq!(
            lines(&batch),
            [
                "set-environment -ghF SESH_if1 #{x}",
                "set-option -p -q -u -t %1 #{?SESH_if1,@a,}",
                "set-environment -F -h -g X #{?SESH_if1,a#,b###},#{X}}",
                "set-environment -ghF SESH_if_signal ",
                "set-environment -ghF SESH_if_signal #{?SESH_if1,1,#{SESH_if_signal}}",
                "set-environment -ghF SESH_if2 #{?SESH_if1,1,}",
                "set-hook -gu -t %1 @sesh_none",
                "display-message -p end",
                "set-option -su #{?SESH_if_signal,@sesh_none,sesh-stop}",
                "wait-for -S c",
            ]
        );
    }

    #[test]
    #[should_panic(expected = "stands in it")]
    fn a_command_that_carries_no_condition_must_end_the_list() {
        let kill = Batch::from(command::leave_mode(crate::id::PaneId(1)));
        let batch = Batch::from(command::if_format(None, "1", &kill, &Batch::new()))
            .then(command::print(None, "end"));
        flatten(&batch);
    }

    #[test]
    fn formats_and_texts_inside_a_conditional() {
        assert_eq!(escape_format("#{?a,b,c},d}"), "#{?a,b,c}#,d#}");
        assert_eq!(escape_format("##{a,b"), "##{a#,b");
        assert_eq!(escape_format("#,#"), "#,#");
        assert_eq!(escape_text("a,#{b}"), "a#,##{b#}");
    }
}
