//! What the helpers take, as papers need it: from their clap commands.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction};
use tmux_sesh::cli::{ALIASES, Examples, TOOLS};

pub(super) struct Helper {
    pub(super) name: &'static str,
    /// Its name below `tmux-sesh`.
    pub(super) short_name: &'static str,
    /// Another name below `tmux-sesh`.
    pub(super) alias: Option<&'static str>,
    pub(super) about: String,
    /// What its help says behind that, or the same if that is all.
    pub(super) description: String,
    /// What its help says at its end.
    pub(super) notes: String,
    pub(super) examples: Examples,
    pub(super) options: Vec<Argument>,
    pub(super) places: Vec<Argument>,
}

/// An option, or an argument in its place.
pub(super) struct Argument {
    /// `-L`, `--tag` or both; none of an argument in its place.
    pub(super) names: Vec<String>,
    pub(super) help: String,
    /// `None` for a switch.
    pub(super) value: Option<Value>,
    pub(super) required: bool,
    pub(super) repeats: bool,
    /// It comes after `--`.
    pub(super) last: bool,
}

pub(super) struct Value {
    /// What the help calls it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) default: Option<String>,
    /// It may be left out, and else stands behind `=`.
    pub(super) optional: bool,
}

pub(super) enum Kind {
    /// Nothing is known of it.
    Text,
    Words(Vec<String>),
    /// Several of these words, with commas between.
    List(Vec<String>),
    /// Kinds of agents: these come along, and the user's files are more.
    Kinds(Vec<String>),
    /// What there is at the moment: the word names the function that knows, in all three shells.
    Live(&'static str),
    Folder,
    File,
    /// A command and its arguments.
    Command,
}

/// What a value is, by its name in the help: one word means the same in all helpers.
fn kind(name: &str) -> Kind {
    match name {
        "TARGET" | "TARGET|PREFIX" | "TARGET... MESSAGE" => Kind::Live("targets"),
        "PANE" | "%N" => Kind::Live("panes"),
        "TAG" => Kind::Live("tags"),
        "OLD=NEW" => Kind::Live("retags"),
        "CLIENT" => Kind::Live("clients"),
        "SESSION[:WINDOW]" => Kind::Live("sessions"),
        "KIND" => Kind::Live("agents"),
        "WHO" => Kind::Live("owners"),
        "UUID" => Kind::Live("uuids"),
        "CURSOR" => words("start now"),
        "KEY" => words(
            "Enter Escape Tab BTab Space BSpace Up Down Left Right Home End PageUp PageDown IC DC C-a C-c C-d C-e C-k C-l \
             C-r C-u C-w C-z F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12",
        ),
        // What --for waits for; the last two go on.
        "EVENT" => words("idle waiting busy exit turn change output= quiet="),
        "DIR" => Kind::Folder,
        "FILE" | "PATH" => Kind::File,
        "COMMAND" => Kind::Command,
        _ => Kind::Text,
    }
}

fn words(words: &str) -> Kind {
    Kind::Words(words.split_whitespace().map(Into::into).collect())
}

/// Every helper but `tmux-sesh`, which takes one of them and its arguments.
pub(super) fn helpers() -> Vec<Helper> {
    TOOLS
        .iter()
        .map(|tool| {
            let mut command = (tool.command)();
            command.build();
            let text = |styled: Option<&StyledStr>| styled.map(ToString::to_string);
            let about = tool.about();
            let long = text(command.get_long_about()).unwrap_or_default();
            let more = long.strip_prefix(&about).unwrap_or(&long).trim_start();
            let (places, options) = command
                .get_arguments()
                .filter(|argument| !argument.is_hide_set())
                .partition::<Vec<&Arg>, _>(|argument| argument.is_positional());
            Helper {
                name: tool.name,
                short_name: tool.short_name(),
                alias: ALIASES
                    .iter()
                    .find_map(|(alias, name)| (*name == tool.name).then_some(*alias)),
                description: if more.is_empty() { &about } else { more }.into(),
                about,
                notes: text(command.get_after_help()).unwrap_or_default(),
                examples: tool.examples,
                options: options.into_iter().map(argument).collect(),
                places: places.into_iter().map(argument).collect(),
            }
        })
        .collect()
}

fn argument(argument: &Arg) -> Argument {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long_and_visible_aliases().unwrap_or_default();
    let long = long.into_iter().map(|long| format!("--{long}"));
    let values = argument.get_num_args().unwrap_or_default();
    Argument {
        names: short.into_iter().chain(long).collect(),
        help: match argument.get_action() {
            // clap says there which of -h and --help says more.
            ArgAction::Help => "Print help".into(),
            _ => argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default(),
        },
        value: values.takes_values().then(|| value(argument)),
        required: argument.is_required_set(),
        repeats: matches!(argument.get_action(), ArgAction::Append),
        last: argument.is_last_set(),
    }
}

fn value(argument: &Arg) -> Value {
    let name = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(|| argument.get_id().to_string(), ToString::to_string);
    let words: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().into())
        .collect();
    let kind = match (words.is_empty(), argument.get_value_delimiter()) {
        (true, _) if argument.get_short() == Some('L') => Kind::Live("sockets"),
        (true, _) => kind(&name),
        (false, Some(_)) => Kind::List(words),
        (false, None) if name == "KIND" => Kind::Kinds(words),
        (false, None) => Kind::Words(words),
    };
    let default = argument.get_default_values().first();
    Value {
        name,
        kind,
        default: default
            .filter(|_| !argument.is_hide_default_value_set())
            .map(|default| default.to_string_lossy().into_owned()),
        optional: argument
            .get_num_args()
            .is_some_and(|values| values.min_values() == 0)
            && argument.is_require_equals_set(),
    }
}
