//! What is known of an agent: one TOML file each. What files there are is read in
//! [`kinds`](super::kinds).

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::rule::{Pattern, Rule};
use crate::state::{State, Why};

/// Everything about one agent. In a user's file for one of our kinds each key that is given replaces ours.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    pub process: ProcessForm,
    pub commands: Commands,
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

/// How its process is told from others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessForm {
    /// What a process can be called: its short name, its first word, the file that it runs, the script.
    pub names: Option<Vec<String>>,
    /// Folders in the path of a script that belong to it alone.
    pub packages: Option<Vec<String>>,
    /// First words behind the program's name with which it is no agent: daemons, viewers, tools.
    #[serde(alias = "apart")]
    pub not_agent: Option<Vec<String>>,
}

/// Where it keeps its files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Home {
    /// The environment variable that names the folder.
    pub variable: Option<String>,
    /// Its name in the user's home otherwise.
    pub folder: Option<String>,
}

/// Where the id of the running conversation is. Paths are below [`Home`]; `{pid}` is the agent's pid.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conversation {
    /// A JSON file of the process.
    pub file: Option<String>,
    /// The field of the file that holds the id.
    pub id: Option<String>,
    /// The field of the file that holds the start of the process: another process may have had the pid.
    pub start: Option<String>,
    /// A file of the process in the conversation's folder, which is `*` here and named by the id.
    pub lock: Option<String>,
    /// Words on the command line that the id follows.
    pub options: Option<Vec<String>>,
    /// Words on the command line with which it is not the id that follows.
    pub unless: Option<Vec<String>>,
    /// What an id looks like.
    pub form: Option<IdForm>,
}

/// Command lines. `{id}` is a conversation's id, `{prompt}` or `{text}` what it is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Starts it.
    pub launch: Option<Vec<String>>,
    /// Starts it in a new conversation with an id that is chosen.
    pub launch_as: Option<Vec<String>>,
    /// Goes on with a conversation.
    pub resume: Option<Vec<String>>,
    /// Answers one prompt without a terminal.
    pub headless: Option<Vec<String>>,
    /// The same in a conversation.
    pub headless_resume: Option<Vec<String>>,
    /// While it works in a conversation: gives it a message for when it has finished, and fails if that is not so.
    pub queue: Option<Vec<String>>,
}

/// Where what was said is written down.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcripts {
    /// The files, below [`Home`]. `{id}` is the conversation's id, `{id8}` its first 8 characters, `*` any one name or
    /// part of a name.
    pub files: Option<String>,
    /// The files below the folder that it works in.
    pub local: Option<String>,
}

/// What is typed to it. Keys have tmux's names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Sends what stands in the composer.
    pub submit: Option<Vec<String>>,
    /// Stops what it is doing.
    pub interrupt: Option<Vec<String>>,
    /// What is typed and sent to end it.
    pub leave: Option<String>,
    /// While it works: has it take what stands in the composer when it has finished.
    pub queue: Option<Vec<String>>,
    /// While it works: gives it what stands in the composer at once, and it goes on. Without it that would take an
    /// interrupt.
    pub steer: Option<Vec<String>>,
    /// Puts a draft aside, which comes back when something else was sent.
    pub stash: Option<Vec<String>>,
}

/// What it does with texts that are pasted into its composer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// What makes a text that begins with it no message, but a command or nothing at all.
    pub commands: Option<Vec<String>>,
    /// The same, where a blank before it helps.
    pub spaced: Option<Vec<String>>,
    /// What makes Enter behind it begin a new line.
    pub continues: Option<Vec<String>>,
    /// What a last word begins with that Enter would complete.
    pub completes: Option<Vec<String>>,
    /// All of what it shows in place of a long text, without blanks.
    pub pasted: Option<Pattern>,
}

/// What tells its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sources {
    /// The strongest first. Without it everything that is described, in the order of [`Source`].
    pub order: Option<Vec<Source>>,
}

/// Something that tells the state at every moment. Hooks do not: they tell of changes, and not of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    SessionFile,
    Title,
    Screen,
}

/// What its file about the running session ([`Conversation::file`]) says of the state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionFile {
    /// The field with the state.
    pub status: Option<String>,
    /// The field with what it waits for.
    pub waiting: Option<String>,
    /// The field with the time of the last change, in milliseconds.
    pub at: Option<String>,
    /// What its words for the state mean.
    pub states: BTreeMap<String, State>,
    /// What its words for what it waits for mean.
    pub reasons: BTreeMap<String, Why>,
}

/// How its composer looks.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComposerForm {
    /// What the row over it is drawn with.
    pub above: Option<String>,
    /// What the row under it is drawn with. Without it, what is behind the last blank row is its footer.
    pub below: Option<String>,
    /// What each of its rows begins with.
    pub edge: Option<String>,
    /// What its first row can begin with.
    pub prompts: Option<Vec<String>>,
    /// Whether each of its rows begins so, not only the first.
    pub repeated: Option<bool>,
    /// How many rows at its end hold something else.
    pub trailer: Option<usize>,
    /// How many rows can be below it, without blank ones.
    pub footer: Option<usize>,
    /// Whether every row below its first one is indented.
    pub indented: Option<bool>,
    /// Whether what is drawn faint is typed too: it has no placeholder.
    pub faint: Option<bool>,
    /// What stands in an empty one, where no style tells.
    pub hints: Option<Vec<String>>,
}

/// What a conversation's id looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdForm {
    Uuid,
    /// Any word that is no option.
    Word,
}

/// Takes what is not said here from there.
macro_rules! fill {
    ($over:expr, $under:expr, $($field:ident)*) => {
        $( if $over.$field.is_none() { $over.$field.clone_from(&$under.$field); } )*
    };
}

impl Manifest {
    /// Reads a text.
    ///
    /// # Errors
    /// The line, and what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| located(text, error.span(), error.message()))
    }

    /// What it says over what another one says.
    pub(super) fn over(mut self, under: &Self) -> Self {
        fill!(self.process, under.process, names packages not_agent);
        fill!(self.home, under.home, variable folder);
        fill!(self.conversation, under.conversation, file id start lock options unless form);
        fill!(self.commands, under.commands, launch launch_as resume headless headless_resume queue);
        fill!(self.transcripts, under.transcripts, files local);
        fill!(self.keys, under.keys, submit interrupt leave queue steer stash);
        fill!(self.messages, under.messages, commands spaced continues completes pasted);
        fill!(self.sources, under.sources, order);
        fill!(self.session, under.session, status waiting at);
        add_missing(&mut self.session.states, &under.session.states);
        add_missing(&mut self.session.reasons, &under.session.reasons);
        fill!(self.composer, under.composer, above below edge prompts repeated trailer footer indented faint hints);
        for (rules, under) in [
            (&mut self.title, &under.title),
            (&mut self.screen, &under.screen),
        ] {
            for (name, rule) in rules.iter_mut() {
                if let Some(under) = under.get(name) {
                    fill!(rule, under, state why region composer last starts any all none regex priority);
                }
            }
            add_missing(rules, under);
        }
        self
    }
}

impl Manifest {
    /// What tells its state where its file does not say that: whatever it describes.
    pub(super) fn default_order(&self) -> Vec<Source> {
        [
            (Source::SessionFile, !self.session.states.is_empty()),
            (Source::Title, !self.title.is_empty()),
            (Source::Screen, !self.screen.is_empty()),
        ]
        .into_iter()
        .filter_map(|(source, is_described)| is_described.then_some(source))
        .collect()
    }

    /// What no parser sees. Ours are checked by a test: their patterns are compiled when they are needed.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        if let Some(pattern) = &self.messages.pasted
            && let Err(problem) = pattern.compile()
        {
            return Err(located(text, Some(pattern.span.clone()), problem));
        }
        for (table, rules) in [("title", &self.title), ("screen", &self.screen)] {
            for (name, rule) in rules {
                let wrong = |what: &str| Err(format!(": [{table}.{name}] {what}"));
                if let Some(pattern) = &rule.regex
                    && let Err(problem) = pattern.compile()
                {
                    return Err(located(text, Some(pattern.span.clone()), problem));
                }
                if rule.state.is_none() {
                    return wrong("has no state");
                }
                if rule.why.is_some() && rule.state != Some(State::Waiting) {
                    return wrong("has a why, which only waiting has");
                }
                let of_screen = rule.region.is_some() || rule.composer.is_some();
                if table == "title" && (of_screen || rule.last.is_some()) {
                    return wrong(
                        "has a region, a composer or a last row, which only a screen has",
                    );
                }
                if rule.says_nothing() {
                    return wrong("has no condition: it would always hold");
                }
                if table == "screen" && rule.region.is_none() && rule.has_text() {
                    return wrong("has no region to look for its text in");
                }
            }
        }
        Ok(())
    }
}

impl ComposerForm {
    /// Whether it says what a composer looks like.
    pub(super) fn is_described(&self) -> bool {
        let drawn = [&self.above, &self.below, &self.edge];
        drawn.into_iter().any(Option::is_some) || self.prompts.is_some()
    }
}

impl ProcessForm {
    pub(super) fn says_something(&self) -> bool {
        [&self.names, &self.packages]
            .into_iter()
            .flatten()
            .any(|words| !words.is_empty())
    }
}

/// Adds what is there and not here.
fn add_missing<V: Clone>(here: &mut BTreeMap<String, V>, there: &BTreeMap<String, V>) {
    for (name, value) in there {
        here.entry(name.clone()).or_insert_with(|| value.clone());
    }
}

/// `:LINE: what stands there: what is wrong with it`.
fn located(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let at = span.map_or(0, |span| span.start.min(text.len()));
    let line = text[..at].matches('\n').count();
    let stands = text.lines().nth(line).unwrap_or("").trim();
    let message = message.replace('\n', " ");
    format!(":{}: {stands}: {message}", line + 1)
}
