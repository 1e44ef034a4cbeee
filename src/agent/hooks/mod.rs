//! The hooks of tmux-sesh in an agent's own configuration: functions that take its text and return it with or without
//! them.

mod edit;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde_json::json;

pub use edit::Refusal;
use edit::{Container, Layout, parse, refusal_at, remove_child};

/// The hooks of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    pub kind: &'static str,
    /// Where the agent's configuration is: pairs of an environment variable and a folder below its value. The first
    /// variable that is set counts.
    pub home: &'static [(&'static str, &'static str)],
    /// The file of the configuration that holds the hooks.
    pub file: &'static str,
    /// The member of that file which switches all hooks off if it is true.
    pub off_switch: Option<&'static str>,
    /// What a person has to know about them.
    pub note: Option<&'static str>,
    pub(super) form: HookForm,
}

/// The form that the hooks have in the agent's configuration.
#[derive(Clone, Copy, Debug)]
pub(super) enum HookForm {
    /// The member `hooks` of a settings file: a list of groups for each event.
    Settings {
        events: &'static [&'static str],
        /// The time limit of one hook, in the agent's own unit.
        timeout: u32,
    },
    /// A file that belongs to tmux-sesh. `COMMAND` in it stands for the command.
    File(&'static str),
    /// A file that belongs to tmux-sesh and is written byte for byte.
    Document(&'static str),
}

impl Hooks {
    /// Returns the member of the configuration that switches all hooks off, if it does.
    #[must_use]
    pub fn switched_off_by(&self, configuration: &str) -> Option<&'static str> {
        let settings: serde_json::Value = serde_json::from_str(configuration).ok()?;
        let is_on = |name: &&str| settings.get(name).is_some_and(|value| value == true);
        self.off_switch.filter(is_on)
    }

    /// Returns the skill for the same agent: a file that explains the helpers to the agent, in the folder where it
    /// looks for skills. The folders are those of the agents' documentation (Claude Code 2.1.329, Codex 0.169.0, Gemini
    /// CLI 0.61.0, opencode 1.18.33, pi 0.73.1).
    #[must_use]
    pub fn skill(&self) -> Self {
        Self {
            kind: self.kind,
            home: self.home,
            file: "skills/tmux-sesh/SKILL.md",
            off_switch: None,
            note: None,
            form: HookForm::Document(include_str!("../../../plugin/skill/SKILL.md")),
        }
    }
}

/// Whether a text holds the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookStatus {
    Absent,
    /// Each hook is there once, and as this program would write it.
    Installed,
    /// Only some of the hooks are there, or they run another program.
    Outdated,
}

/// The start of the command line that an agent runs.
const COMMAND_START: &str = "sh -c 'r=$0; ";
/// The start of a file that belongs to tmux-sesh.
const FILE_START: &str = "// tmux-sesh: ";
/// The start of the skill.
const SKILL_START: &str = "---\nname: tmux-sesh\n";

/// Returns whether a file belongs to tmux-sesh as a whole.
fn is_own(text: &str) -> bool {
    text.starts_with(FILE_START) || text.starts_with(SKILL_START)
}

/// Returns the command that an agent runs. It works with any `PATH`. If the program is missing, the command reads the
/// payload and does nothing.
#[must_use]
pub fn command(kind: &str, program: &str) -> String {
    let program = program.replace('\'', r"'\''");
    format!(
        "{COMMAND_START}[ -x \"$r\" ] || r=$(command -v sesh-report) || exec cat >/dev/null; exec \"$r\" \"$@\"' \
         '{program}' --from {kind}"
    )
}

impl Hooks {
    /// Returns the status of the hooks in a text. A missing file counts as an empty text.
    ///
    /// # Errors
    /// The text cannot be parsed.
    pub fn status(&self, text: &str, program: &str) -> Result<HookStatus, Refusal> {
        match self.form {
            HookForm::File(_) | HookForm::Document(_) => Ok(match text {
                _ if text == self.own_file(program) => HookStatus::Installed,
                _ if is_own(text) => HookStatus::Outdated,
                _ => HookStatus::Absent,
            }),
            HookForm::Settings { events, .. } => {
                let ours = self.own_hooks(text.trim_start_matches('\u{feff}'))?;
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

    /// Returns the text with each hook in it once.
    ///
    /// # Errors
    /// The text cannot be parsed, or something else is in the place of the hooks.
    pub fn install(&self, text: &str, program: &str) -> Result<String, Refusal> {
        let events = match self.form {
            HookForm::Settings { events, .. } => events,
            HookForm::File(_) | HookForm::Document(_) if text.is_empty() || is_own(text) => {
                return Ok(self.own_file(program));
            }
            HookForm::File(_) | HookForm::Document(_) => {
                return Err(refusal_at(
                    text,
                    0,
                    "this file does not belong to tmux-sesh",
                ));
            }
        };
        if self.status(text, program)? == HookStatus::Installed {
            return Ok(text.into());
        }
        let command = command(self.kind, program);
        let mut text = self.strip(text)?;
        let bom = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut body = text.split_off(bom);
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
            self.insert_event(&mut body, &style, event, &command)?;
        }
        Ok(text + &body)
    }

    /// Inserts the hook of one event.
    fn insert_event(
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
            style.insert(text, &Container::from(&root), true, |indent| {
                let groups = style.lines(LIST, [group.clone()], &style.deeper(indent));
                let events = style.lines(OBJECT, [member_of(event, &groups)], indent);
                member_of("hooks", &events)
            });
            return Ok(());
        };
        let Value::Object(hooks) = &hooks.value else {
            return Err(refusal_at(
                text,
                hooks.value.start(),
                "\"hooks\" is not an object",
            ));
        };
        let Some(groups) = member(hooks, event) else {
            style.insert(text, &Container::from(hooks), false, |indent| {
                member_of(event, &style.lines(LIST, [group.clone()], indent))
            });
            return Ok(());
        };
        let Value::Array(groups) = &groups.value else {
            let what = format!("{event:?} is not a list");
            return Err(refusal_at(text, groups.value.start(), what));
        };
        style.insert(text, &Container::from(groups), false, |_| group.clone());
        Ok(())
    }

    /// Returns the entry for the list of an event, on one line.
    fn group(&self, command: &str) -> String {
        let timeout = match self.form {
            HookForm::Settings { timeout, .. } => timeout,
            HookForm::File(_) | HookForm::Document(_) => 0,
        };
        format!(
            "{{ \"hooks\": [{{ \"type\": \"command\", \"command\": {}, \"timeout\": {timeout} }}] }}",
            json!(command)
        )
    }

    /// Returns the text without the hooks. `original` is the text before they were installed, if it is known. Returns
    /// `None` if nothing is left and there was no file before.
    ///
    /// # Errors
    /// The text cannot be parsed.
    pub fn remove(&self, text: &str, original: Option<&str>) -> Result<Option<String>, Refusal> {
        if matches!(self.form, HookForm::File(_) | HookForm::Document(_)) {
            let foreign = (!is_own(text)).then(|| text.to_string());
            return Ok(foreign.or_else(|| original.map(Into::into)));
        }
        let Some(first) = self.own_hooks(text.trim_start_matches('\u{feff}'))?.pop() else {
            return Ok(Some(text.into()));
        };
        // If the text has not changed since the installation, the original is restored.
        let before = original.unwrap_or("");
        if self.install_command(before, &first.command).as_deref() == Ok(text) {
            return Ok(original.map(Into::into));
        }
        let left = self.strip(text)?;
        let hollow = matches!(root(left.trim_start_matches('\u{feff}'))?, Some(root) if root.properties.is_empty());
        let gone =
            original.is_none() && hollow && left.split_whitespace().collect::<String>() == "{}";
        Ok((!gone).then_some(left))
    }

    /// Installs hooks that run this command into a text.
    fn install_command(&self, text: &str, command: &str) -> Result<String, Refusal> {
        let behind = command.strip_suffix(&format!("' --from {}", self.kind));
        let program = behind.and_then(|behind| behind.split_once("\"$@\"' '"));
        let program = program.map_or(String::new(), |(_, program)| program.replace(r"'\''", "'"));
        self.install(text, &program)
    }

    /// Removes all hooks of tmux-sesh.
    fn strip(&self, text: &str) -> Result<String, Refusal> {
        let bom = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut body = text[bom..].to_string();
        while let Some(ours) = self.own_hooks(&body)?.pop() {
            remove_child(&mut body, &ours.path);
        }
        Ok(format!("{}{body}", &text[..bom]))
    }

    /// Finds the hooks of tmux-sesh in a text.
    fn own_hooks(&self, text: &str) -> Result<Vec<OwnHook>, Refusal> {
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
                        if !command.starts_with(COMMAND_START) || !command.ends_with(&tail) {
                            continue;
                        }
                        let Some(groups) = groups else {
                            continue;
                        };
                        let mut path = vec![
                            (Container::from(&root), at_hooks),
                            (Container::from(events), at_event),
                            (Container::from(groups), at_group),
                        ];
                        // A group that also holds other hooks stays.
                        if entries.elements.len() > 1 {
                            path.push((Container::from(entries), at));
                        }
                        ours.push(OwnHook {
                            event: event.name.as_str().into(),
                            command,
                            path,
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
            HookForm::Document(text) => text.into(),
            HookForm::Settings { .. } => String::new(),
        }
    }
}

/// A hook of tmux-sesh in a text.
struct OwnHook {
    event: String,
    command: String,
    /// The containers that hold it, from the outermost to the innermost, each with the index of the child.
    path: Vec<(Container, usize)>,
}

const LIST: [char; 2] = ['[', ']'];
const OBJECT: [char; 2] = ['{', '}'];

fn member_of(name: &str, value: &str) -> String {
    format!("\"{name}\": {value}")
}

/// Parses a text as an object.
fn root(text: &str) -> Result<Option<Object<'_>>, Refusal> {
    match parse(text)? {
        Some(Value::Object(root)) => Ok(Some(root)),
        Some(other) => Err(refusal_at(text, other.start(), "not an object")),
        None => Ok(None),
    }
}

/// Returns a member of an object. If several have the same name, the last one counts, as it does for the agents.
fn member<'a, 'b>(object: &'b Object<'a>, name: &str) -> Option<&'b ObjectProp<'a>> {
    object
        .properties
        .iter()
        .rev()
        .find(|member| member.name.as_str() == name)
}
