//! Our hooks in an agent's own configuration: a text of it in, the text with or without them out.

mod edit;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde_json::json;

pub use edit::Refusal;
use edit::{Container, Layout, parse, refuse, take};

/// The hooks of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    pub kind: &'static str,
    /// Where the agent's configuration is: below the folder that the first variable names which is set.
    pub home: &'static [(&'static str, &'static str)],
    /// The file of it that they are in.
    pub file: &'static str,
    /// What a person has to know of them.
    pub note: Option<&'static str>,
    pub(super) form: HookForm,
}

/// What they are in the agent's configuration.
#[derive(Clone, Copy, Debug)]
pub(super) enum HookForm {
    /// `hooks` in a file of settings: a list of groups for each event.
    Settings {
        events: &'static [&'static str],
        /// How long one may take, in the agent's own unit.
        timeout: u32,
    },
    /// A file of ours, with `COMMAND` in it.
    File(&'static str),
}

impl Hooks {
    /// The skill for the same agent, which tells it how to use the family: a file where it looks for skills. As its
    /// documents say (Claude Code 2.1.329, Codex 0.169.0, Gemini CLI 0.61.0, opencode 1.18.33, pi 0.73.1).
    #[must_use]
    pub fn skill(&self) -> Self {
        Self {
            kind: self.kind,
            home: self.home,
            file: "skills/tmux-sesh/SKILL.md",
            note: None,
            form: HookForm::File(include_str!("../../../plugin/skill/SKILL.md")),
        }
    }
}

/// How our hooks stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookStatus {
    Absent,
    /// Each of them once, and as this program would write it.
    Installed,
    /// Some of them, or for another program.
    Outdated,
}

/// How the line starts that an agent runs.
const COMMAND: &str = "sh -c 'r=$0; ";
/// How a file of ours starts.
const MARK: &str = "// tmux-sesh: ";
/// How the skill begins.
const SKILL: &str = "---\nname: tmux-sesh\n";

/// Whether a file is all ours.
fn is_own(text: &str) -> bool {
    text.starts_with(MARK) || text.starts_with(SKILL)
}

/// The command that an agent runs. It works from any PATH, and where the program is gone it takes the payload and does
/// nothing.
#[must_use]
pub fn command(kind: &str, program: &str) -> String {
    let program = program.replace('\'', r"'\''");
    format!(
        "{COMMAND}[ -x \"$r\" ] || r=$(command -v sesh-report) || exec cat >/dev/null; exec \"$r\" \"$@\"' \
         '{program}' --from {kind}"
    )
}

impl Hooks {
    /// How they stand in a text; no text is an empty one.
    ///
    /// # Errors
    /// The text cannot be read.
    pub fn standing(&self, text: &str, program: &str) -> Result<HookStatus, Refusal> {
        match self.form {
            HookForm::File(_) => Ok(match text {
                _ if text == self.own_file(program) => HookStatus::Installed,
                _ if is_own(text) => HookStatus::Outdated,
                _ => HookStatus::Absent,
            }),
            HookForm::Settings { events, .. } => {
                let ours = self.ours(text.trim_start_matches('\u{feff}'))?;
                let wanted = command(self.kind, program);
                let each = |event: &&str| {
                    let mut of_event = ours.iter().filter(|ours| ours.event == *event);
                    of_event.next().is_some_and(|ours| ours.command == wanted)
                        && of_event.next().is_none()
                };
                Ok(if ours.is_empty() {
                    HookStatus::Absent
                } else if events.iter().all(each) && ours.len() == events.len() {
                    HookStatus::Installed
                } else {
                    HookStatus::Outdated
                })
            }
        }
    }

    /// A text with our hooks in it, each once.
    ///
    /// # Errors
    /// The text cannot be read, or something else is where they belong.
    pub fn install(&self, text: &str, program: &str) -> Result<String, Refusal> {
        let events = match self.form {
            HookForm::Settings { events, .. } => events,
            HookForm::File(_) if text.is_empty() || is_own(text) => {
                return Ok(self.own_file(program));
            }
            HookForm::File(_) => return Err(refuse(text, 0, "this file is not of tmux-sesh")),
        };
        if self.standing(text, program)? == HookStatus::Installed {
            return Ok(text.into());
        }
        let command = command(self.kind, program);
        let mut text = self.strip(text)?;
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut body = text.split_off(mark);
        let Some(root) = root(&body)? else {
            let style = Layout::of(&body, None);
            if !body.is_empty() && !body.ends_with('\n') {
                body.push_str(style.newline());
            }
            let inner = style.deeper("");
            let deeper = style.deeper(&inner);
            let group = self.group(&command);
            let events = events
                .iter()
                .map(|event| member_of(event, &style.lines(LIST, [group.clone()], &deeper)));
            let hooks = member_of("hooks", &style.lines(OBJECT, events, &inner));
            body += &style.lines(OBJECT, [hooks], "");
            body += style.newline();
            return Ok(text + &body);
        };
        let style = Layout::of(&body, Some(&root));
        for event in events {
            self.put(&mut body, &style, event, &command)?;
        }
        Ok(text + &body)
    }

    /// Puts the hook of one event in.
    fn put(
        &self,
        text: &mut String,
        style: &Layout,
        event: &str,
        command: &str,
    ) -> Result<(), Refusal> {
        let group = self.group(command);
        let read = text.clone();
        let Some(root) = root(&read)? else {
            return Ok(());
        };
        let Some(hooks) = member(&root, "hooks") else {
            style.put(text, &Container::from(&root), true, |indent| {
                let groups = style.lines(LIST, [group.clone()], &style.deeper(indent));
                let events = style.lines(OBJECT, [member_of(event, &groups)], indent);
                member_of("hooks", &events)
            });
            return Ok(());
        };
        let Value::Object(hooks) = &hooks.value else {
            return Err(refuse(text, hooks.value.start(), "\"hooks\" is no object"));
        };
        let Some(groups) = member(hooks, event) else {
            style.put(text, &Container::from(hooks), false, |indent| {
                member_of(event, &style.lines(LIST, [group.clone()], indent))
            });
            return Ok(());
        };
        let Value::Array(groups) = &groups.value else {
            let what = format!("{event:?} is no list");
            return Err(refuse(text, groups.value.start(), what));
        };
        style.put(text, &Container::from(groups), false, |_| group.clone());
        Ok(())
    }

    /// What is in the list of an event, on one line.
    fn group(&self, command: &str) -> String {
        let timeout = match self.form {
            HookForm::Settings { timeout, .. } => timeout,
            HookForm::File(_) => 0,
        };
        format!(
            "{{ \"hooks\": [{{ \"type\": \"command\", \"command\": {}, \"timeout\": {timeout} }}] }}",
            json!(command)
        )
    }

    /// A text without our hooks. `original` is what was there before they were installed, if that is known. `None` when
    /// nothing is left: there was no file.
    ///
    /// # Errors
    /// The text cannot be read.
    pub fn remove(&self, text: &str, original: Option<&str>) -> Result<Option<String>, Refusal> {
        if matches!(self.form, HookForm::File(_)) {
            let theirs = (!is_own(text)).then(|| text.to_string());
            return Ok(theirs.or_else(|| original.map(Into::into)));
        }
        let Some(first) = self.ours(text.trim_start_matches('\u{feff}'))?.pop() else {
            return Ok(Some(text.into()));
        };
        // Nobody has changed anything since.
        let before = original.unwrap_or("");
        if self.with(before, &first.command).as_deref() == Ok(text) {
            return Ok(original.map(Into::into));
        }
        let left = self.strip(text)?;
        let hollow = matches!(root(left.trim_start_matches('\u{feff}'))?, Some(root) if root.properties.is_empty());
        let gone =
            original.is_none() && hollow && left.split_whitespace().collect::<String>() == "{}";
        Ok((!gone).then_some(left))
    }

    /// A text with hooks that run a command.
    fn with(&self, text: &str, command: &str) -> Result<String, Refusal> {
        let behind = command.strip_suffix(&format!("' --from {}", self.kind));
        let program = behind.and_then(|behind| behind.split_once("\"$@\"' '"));
        let program = program.map_or(String::new(), |(_, program)| program.replace(r"'\''", "'"));
        self.install(text, &program)
    }

    /// Takes all of ours out.
    fn strip(&self, text: &str) -> Result<String, Refusal> {
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut body = text[mark..].to_string();
        while let Some(ours) = self.ours(&body)?.pop() {
            take(&mut body, &ours.ways);
        }
        Ok(format!("{}{body}", &text[..mark]))
    }

    /// The hooks in a text that are ours.
    fn ours(&self, text: &str) -> Result<Vec<Ours>, Refusal> {
        let mut ours = Vec::new();
        let Some(root) = root(text)? else {
            return Ok(ours);
        };
        let tail = format!(" --from {}", self.kind);
        for (at_hooks, hooks) in root.properties.iter().enumerate() {
            let Value::Object(events) = &hooks.value else {
                continue;
            };
            if hooks.name.as_str() != "hooks" {
                continue;
            }
            for (at_event, event) in events.properties.iter().enumerate() {
                let groups = event.value.as_array();
                for (at_group, group) in groups.iter().flat_map(|it| it.elements.iter().enumerate())
                {
                    let Some(entries) =
                        group.as_object().and_then(|group| group.get_array("hooks"))
                    else {
                        continue;
                    };
                    for (at, entry) in entries.elements.iter().enumerate() {
                        let command = entry
                            .as_object()
                            .and_then(|entry| entry.get_string("command"));
                        let Some(command) = command.map(|command| command.value.to_string()) else {
                            continue;
                        };
                        if !command.starts_with(COMMAND) || !command.ends_with(&tail) {
                            continue;
                        }
                        let Some(groups) = groups else {
                            continue;
                        };
                        let mut ways = vec![
                            (Container::from(&root), at_hooks),
                            (Container::from(events), at_event),
                            (Container::from(groups), at_group),
                        ];
                        // A group with others' hooks in it stays.
                        if entries.elements.len() > 1 {
                            ways.push((Container::from(entries), at));
                        }
                        ours.push(Ours {
                            event: event.name.as_str().into(),
                            command,
                            ways,
                        });
                    }
                }
            }
        }
        Ok(ours)
    }

    fn own_file(&self, program: &str) -> String {
        match self.form {
            HookForm::File(text) => {
                let command = json!(command(self.kind, program)).to_string();
                text.replace("COMMAND", &command)
            }
            HookForm::Settings { .. } => String::new(),
        }
    }
}

/// A hook of ours in a text.
struct Ours {
    event: String,
    command: String,
    /// What it is in, from outside in, and as which child.
    ways: Vec<(Container, usize)>,
}

const LIST: [char; 2] = ['[', ']'];
const OBJECT: [char; 2] = ['{', '}'];

fn member_of(name: &str, value: &str) -> String {
    format!("\"{name}\": {value}")
}

/// The object that a text is.
fn root(text: &str) -> Result<Option<Object<'_>>, Refusal> {
    match parse(text)? {
        Some(Value::Object(root)) => Ok(Some(root)),
        Some(other) => Err(refuse(text, other.start(), "this is no object")),
        None => Ok(None),
    }
}

/// A member of an object: of several of one name the last counts, as it does for the agents.
fn member<'a, 'b>(object: &'b Object<'a>, name: &str) -> Option<&'b ObjectProp<'a>> {
    object
        .properties
        .iter()
        .rev()
        .find(|member| member.name.as_str() == name)
}
