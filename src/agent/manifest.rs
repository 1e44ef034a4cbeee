//! The manifest of an agent: one TOML file that describes it. [`kinds`](super::kinds) reads the files.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use super::headless::HeadlessForm;
use super::rule::{Pattern, Rule};
use crate::state::{State, Why};
use crate::transcript::form::TranscriptForm;

/// The description of one agent. In a user's file for a built-in kind, each key replaces the built-in one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    pub process: ProcessForm,
    pub commands: Commands,
    pub headless: HeadlessForm,
    pub home: Home,
    pub conversation: Conversation,
    pub transcripts: Transcripts,
    pub keys: Keys,
    pub messages: Messages,
    pub sources: Sources,
    pub session: SessionFile,
    /// Rules for the title of the pane, by name.
    pub title: BTreeMap<String, Rule>,
    /// Rules for the screen, by name.
    pub screen: BTreeMap<String, Rule>,
    pub composer: ComposerForm,
}

/// Something that some agents can do and others cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ability {
    /// Headless turns.
    Headless,
    /// Words that allow a tool.
    Allow,
    /// A command that lists its models.
    Models,
    /// A command that compacts its conversation.
    Compact,
}

/// How to recognize the agent's process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessForm {
    /// Names of the process: its short name, its first word, the file that it runs, or the script.
    pub names: Option<Vec<String>>,
    /// Folders in the path of a script that only this agent has.
    pub packages: Option<Vec<String>>,
    /// First words after the program's name with which the process is not the agent: daemons, viewers, tools.
    #[serde(alias = "apart")]
    pub not_agent: Option<Vec<String>>,
}

/// Where the agent keeps its files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Home {
    /// The environment variable that names the folder.
    pub variable: Option<String>,
    /// The folder in the user's home directory if the variable is not set.
    pub folder: Option<String>,
}

/// Where to find the id of the running conversation. Paths are below [`Home`]; `{pid}` is the agent's pid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conversation {
    /// A JSON file of the process.
    pub file: Option<String>,
    /// The field of the file that holds the id.
    pub id: Option<String>,
    /// The field of the file that holds the start time of the process, because an earlier process may have had the same
    /// pid.
    pub start: Option<String>,
    /// A file of the process in the conversation's folder. `*` stands for that folder, whose name is the id.
    pub lock: Option<String>,
    /// A file that the one process that writes in the conversation `{id}` keeps locked with `flock`.
    pub writer: Option<String>,
    /// Words on the command line that precede the id.
    pub options: Option<Vec<String>>,
    /// Words on the command line with which the id on it does not count.
    pub unless: Option<Vec<String>>,
    /// The form of an id.
    pub form: Option<IdForm>,
}

/// Command lines. `{id}` stands for a conversation's id, `{prompt}` or `{text}` for the prompt.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Starts the agent.
    pub launch: Option<Vec<String>>,
    /// Starts the agent in a new conversation with a given id.
    pub launch_as: Option<Vec<String>>,
    /// Resumes a conversation.
    pub resume: Option<Vec<String>>,
    /// The words that choose a model, after the words that start the agent. `{model}` stands for the model.
    pub model: Option<Vec<String>>,
    /// Words on the command line that choose a model.
    pub model_options: Option<Vec<String>>,
    /// Whether a conversation keeps its model. Otherwise the words that chose it are repeated when it is resumed.
    pub model_kept: Option<bool>,
    /// Prints the models that the agent offers.
    pub models: Option<Vec<String>>,
    /// The field of the JSON that `models` prints, at any depth, that holds the name of a model. Without it, what
    /// `models` prints is for a person.
    pub models_field: Option<String>,
    /// The words that allow a tool in a headless turn, once for each. `{tool}` stands for the tool, as the agent names it.
    /// Without words the agent allows all of them anyway.
    pub allow: Option<Vec<String>>,
    /// What the agent has no way to do. A way that a file describes counts nevertheless.
    pub lacks: Option<Vec<Ability>>,
    /// Answers one prompt, which is a word of it, without a terminal. [`HeadlessForm`] describes whole turns.
    pub headless: Option<Vec<String>>,
    /// Answers one prompt without a terminal, in an existing conversation.
    pub headless_resume: Option<Vec<String>>,
    /// While the agent works in a conversation: queues a message for when it has finished. Fails if the agent does not
    /// work in it.
    pub queue: Option<Vec<String>>,
}

/// Where the agent stores its transcripts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcripts {
    /// The files, below [`Home`]. `{id}` is the conversation's id, `{id8}` its first 8 characters, `*` any name or part
    /// of a name.
    pub files: Option<String>,
    /// Where the file of a conversation most likely is, as in `files`: it is looked for there first, because there can be
    /// hundreds of folders. `{folder}` is the working directory with `-` for all that is no ASCII letter or digit, `{date}`
    /// the day in the id, a UUID of version 7, as in `2026/11/30`.
    pub near: Option<String>,
    /// The files below the agent's working directory.
    pub local: Option<String>,
    /// The form of their lines. Without it they are not read.
    pub form: Option<TranscriptForm>,
    /// How many tokens fit into a request, by the names of models in the transcripts, where these do not say it.
    pub windows: BTreeMap<String, u64>,
}

/// What to type to the agent. Keys have tmux's names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Sends the content of the composer.
    pub submit: Option<Vec<String>>,
    /// Interrupts the agent.
    pub interrupt: Option<Vec<String>>,
    /// The text that ends the agent when it is typed and sent.
    pub leave: Option<String>,
    /// The text that has the agent compact its conversation when it is typed and sent.
    pub compact: Option<String>,
    /// While the agent works: queues the content of the composer until it has finished.
    pub queue: Option<Vec<String>>,
    /// While the agent works: gives it the content of the composer at once, and it continues. Without this key, that
    /// needs an interrupt.
    pub steer: Option<Vec<String>>,
    /// Stashes a draft. It comes back when another message was sent.
    pub stash: Option<Vec<String>>,
}

/// What the agent does with text that is pasted into its composer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// Prefixes with which a text is no message, but a command or nothing at all.
    pub commands: Option<Vec<String>>,
    /// The same, where a blank before the text makes it a message.
    pub spaced: Option<Vec<String>>,
    /// Endings after which Enter begins a new line.
    pub continues: Option<Vec<String>>,
    /// Prefixes of a last word that Enter would complete.
    pub completes: Option<Vec<String>>,
    /// The whole of what the agent shows in place of a long text, without blanks.
    pub pasted: Option<Pattern>,
}

/// The sources of its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// The strongest source first. Without it, all sources that the manifest describes, in the order of [`Source`].
    pub order: Option<Vec<Source>>,
    /// Whether the agent's hooks report every end of a turn, also of one that was interrupted.
    pub ends: Option<bool>,
    /// Whether the agent's hooks report every prompt, and every answer to one.
    pub prompts: Option<bool>,
}

/// A source that shows the state at every moment. Hooks are none: they report changes, and not all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    SessionFile,
    Title,
    Screen,
}

/// What the agent's file about the running session ([`Conversation::file`]) contains of the state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionFile {
    /// The field with the state.
    pub status: Option<String>,
    /// The field with the reason to wait.
    pub waiting: Option<String>,
    /// The field with the time of the last change, in milliseconds.
    pub at: Option<String>,
    /// The meaning of its words for the state.
    pub states: BTreeMap<String, State>,
    /// The meaning of its words for the reason to wait.
    pub reasons: BTreeMap<String, Why>,
}

/// What the agent's composer looks like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComposerForm {
    /// The characters of the row above it.
    pub above: Option<String>,
    /// The characters of the row below it. Without it, the rows after the last blank row are the footer.
    pub below: Option<String>,
    /// The start of each of its rows.
    pub edge: Option<String>,
    /// What is drawn at both sides of its rows, within the rows above and below.
    pub sides: Option<String>,
    /// Possible starts of its first row.
    pub prompts: Option<Vec<String>>,
    /// Those of the prompts that show a mode in which a text is no message: what such a composer holds is a draft.
    pub modes: Option<Vec<String>>,
    /// Prompts of a composer without a frame at the end of the screen, which the agent draws for a screen reader.
    pub plain: Option<Vec<String>>,
    /// Texts below it that show a mode in which Enter does not send.
    pub locked: Option<Vec<String>>,
    /// Whether each of its rows starts with a prompt, not only the first.
    pub repeated: Option<bool>,
    /// How many rows at its end hold something else.
    pub trailer: Option<usize>,
    /// How many rows that are not blank can be below it.
    pub footer: Option<usize>,
    /// Whether every row below its first one is indented.
    pub indented: Option<bool>,
    /// Whether faint text is typed text too, because the composer has no placeholder.
    pub faint: Option<bool>,
    /// What an empty composer shows, where no style distinguishes it from a draft.
    pub hints: Option<Vec<String>>,
}

/// The form of a conversation's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdForm {
    Uuid,
    /// Any word that is not an option.
    Word,
}

/// Fills the fields that are missing in the first from the second.
macro_rules! fill_missing {
    ($over:expr, $under:expr, $($field:ident)*) => {
        $( if $over.$field.is_none() { $over.$field.clone_from(&$under.$field); } )*
    };
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// The line, and what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| located(text, error.span(), error.message()))
    }

    /// Merges this manifest over another one: its keys win.
    pub(super) fn merged_over(mut self, under: &Self) -> Self {
        fill_missing!(self.process, under.process, names packages not_agent);
        fill_missing!(self.home, under.home, variable folder);
        fill_missing!(self.conversation, under.conversation, file id start lock writer options unless form);
        fill_missing!(self.commands, under.commands, launch launch_as resume model model_options model_kept models models_field headless headless_resume queue);
        fill_missing!(self.commands, under.commands, allow lacks);
        fill_missing!(self.headless, under.headless, first next id form conversation progress answer pieces error refused calls refusals usage compact end settings);
        fill_missing!(self.transcripts, under.transcripts, files near local form);
        add_missing(&mut self.transcripts.windows, &under.transcripts.windows);
        fill_missing!(self.keys, under.keys, submit interrupt leave compact queue steer stash);
        fill_missing!(self.messages, under.messages, commands spaced continues completes pasted);
        fill_missing!(self.sources, under.sources, order ends prompts);
        fill_missing!(self.session, under.session, status waiting at);
        add_missing(&mut self.session.states, &under.session.states);
        add_missing(&mut self.session.reasons, &under.session.reasons);
        fill_missing!(self.composer, under.composer, above below edge sides prompts modes plain locked repeated trailer footer indented faint hints);
        for (rules, under) in [
            (&mut self.title, &under.title),
            (&mut self.screen, &under.screen),
        ] {
            for (name, rule) in rules.iter_mut() {
                if let Some(under) = under.get(name) {
                    fill_missing!(rule, under, state why region composer titled last starts any all none regex coloured priority);
                }
            }
            add_missing(rules, under);
        }
        self
    }
}

impl Manifest {
    /// Returns it with an order of its sources. If the file gives none, that is all that it describes.
    pub(super) fn with_order(mut self) -> Self {
        if self.sources.order.is_none() {
            self.sources.order = Some(self.default_order());
        }
        self
    }

    fn default_order(&self) -> Vec<Source> {
        [
            (Source::SessionFile, !self.session.states.is_empty()),
            (Source::Title, !self.title.is_empty()),
            (Source::Screen, !self.screen.is_empty()),
        ]
        .into_iter()
        .filter_map(|(source, is_described)| is_described.then_some(source))
        .collect()
    }

    /// Returns whether it says that the agent cannot do something. Otherwise that may only not be described.
    #[must_use]
    pub fn lacks(&self, ability: Ability) -> bool {
        self.commands
            .lacks
            .iter()
            .flatten()
            .any(|it| *it == ability)
    }

    /// Returns whether a rule needs to know the folder that the agent works in.
    #[must_use]
    pub fn needs_folder(&self) -> bool {
        self.screen.values().any(|rule| rule.titled.is_some())
    }

    /// Checks what the parser cannot detect. A test checks the built-in manifests, so their patterns are compiled only
    /// when they are needed.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        if let Some(pattern) = &self.messages.pasted
            && let Err(problem) = pattern.compile()
        {
            let at = position(text, &["messages", "pasted"]);
            return Err(located(text, at, problem));
        }
        for (table, rules) in [("title", &self.title), ("screen", &self.screen)] {
            for (name, rule) in rules {
                let wrong = |what: &str| Err(format!(": [{table}.{name}] {what}"));
                if let Some(pattern) = &rule.regex
                    && let Err(problem) = pattern.compile()
                {
                    let at = position(text, &[table, name, "regex"]);
                    return Err(located(text, at, problem));
                }
                if rule.state.is_none() {
                    return wrong("has no state");
                }
                if rule.why.is_some() && rule.state != Some(State::Waiting) {
                    return wrong("has a why, which is allowed only for waiting");
                }
                let of_screen = rule.region.is_some() || rule.titled.is_some();
                if table == "title" && (of_screen || rule.last.is_some() || rule.coloured.is_some())
                {
                    return wrong(
                        "has a region, a title, a colour or a last row, which are allowed only for screens",
                    );
                }
                if rule.has_no_condition() {
                    return wrong("has no condition: it would always match");
                }
                if table == "title" && !rule.has_text() {
                    return wrong("has no title text");
                }
                if table == "screen" && rule.region.is_none() && rule.has_text() {
                    return wrong("has no region for its text");
                }
            }
        }
        Ok(())
    }
}

impl ComposerForm {
    /// Returns whether the manifest describes what a composer looks like.
    pub(super) fn is_described(&self) -> bool {
        let drawn = [&self.above, &self.below, &self.edge];
        drawn.into_iter().any(Option::is_some) || self.prompts.is_some()
    }
}

impl ProcessForm {
    pub(super) fn identifies_process(&self) -> bool {
        [&self.names, &self.packages]
            .into_iter()
            .flatten()
            .any(|words| !words.is_empty())
    }
}

/// Adds the entries of `there` that `here` does not have.
fn add_missing<V: Clone>(here: &mut BTreeMap<String, V>, there: &BTreeMap<String, V>) {
    for (name, value) in there {
        here.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// Returns the position of the value that has this path of keys.
fn position(text: &str, path: &[&str]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (key, path) = path.split_first()?;
    let mut value = table.get_ref().get(*key)?;
    for key in path {
        value = value.get_ref().get(*key)?;
    }
    Some(value.span())
}

/// Returns `:LINE: the text of that line: what is wrong with it`.
fn located(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let at = span.map_or(0, |span| span.start.min(text.len()));
    let line = text[..at].matches('\n').count();
    let stands = text.lines().nth(line).unwrap_or("").trim();
    let message = message.replace('\n', " ");
    format!(":{}: {stands}: {message}", line + 1)
}
