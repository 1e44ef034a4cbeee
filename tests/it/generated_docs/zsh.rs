//! The table of the completions for zsh: the arguments of its `_arguments`.

use super::takes::{Argument, Helper, Kind};

pub(super) fn first_line(helpers: &[Helper]) -> String {
    let names: Vec<&str> = helpers.iter().map(|helper| helper.name).collect();
    format!("#compdef tmux-sesh {}\n", names.join(" "))
}

/// The tables, by their names.
pub(super) fn tables(helpers: &[Helper]) -> Vec<(&'static str, String)> {
    let mut takes = String::from("  (tmux-sesh|help)\n    local -a helpers=(\n");
    for helper in helpers {
        let about = helper.about.replace(':', "\\:");
        takes += &format!(
            "      {}\n",
            quoted(&format!("{}:{about}", helper.short_name))
        );
    }
    takes += "      'help:Print the help of a helper'\n    )\n    _arguments -S ':helper:{ _describe helper helpers }' \\\n      \
              '(- :)'{-h,--help}'[Print help]' '(- :)'{-V,--version}'[Print version]'\n    ;;\n";
    for helper in helpers {
        let command = helper.places.iter().any(|place| place.last);
        let call = if command {
            "_tmux-sesh_command || _arguments"
        } else {
            "_arguments"
        };
        takes += &format!("  ({})\n    {call} -S", super::patterns(helper, "|"));
        let places = helper.places.iter().filter(|place| !place.last).map(place);
        for spec in helper.options.iter().flat_map(option).chain(places) {
            takes += &format!(" \\\n      {}", quoted(&spec));
        }
        takes += "\n    ;;\n";
    }
    vec![("takes", takes)]
}

/// One specification a name: each excludes the others, unless it may be repeated.
fn option(option: &Argument) -> Vec<String> {
    let start = if option.repeats {
        "*".into()
    } else {
        format!("({})", option.names.join(" "))
    };
    option
        .names
        .iter()
        .map(|name| {
            let joined = match &option.value {
                None => "",
                Some(value) if value.optional => "=-",
                Some(_) if name.starts_with("--") => "=",
                Some(_) => "+",
            };
            format!(
                "{start}{name}{joined}[{}]{}",
                escaped(&option.help),
                value(option)
            )
        })
        .collect()
}

fn place(place: &Argument) -> String {
    let start = match (place.repeats, place.required) {
        (true, _) => "*",
        (false, true) => "",
        (false, false) => ":",
    };
    format!("{start}{}", value(place))
}

/// `:message:action`, nothing for a switch.
fn value(argument: &Argument) -> String {
    let Some(value) = &argument.value else {
        return String::new();
    };
    let action = match &value.kind {
        Kind::Text | Kind::Command => " ".into(),
        Kind::Words(words) => format!("({})", words.join(" ")),
        Kind::List(words) => format!("_values -s , value {}", words.join(" ")),
        // The blank keeps what _arguments would add out of the words.
        Kind::Kinds(words) => format!(" _tmux-sesh_kinds {}", words.join(" ")),
        Kind::Live(what) => format!("_tmux-sesh_{what}"),
        Kind::Folder => "_directories".into(),
        Kind::File => "_files".into(),
    };
    let colon = if value.optional { "::" } else { ":" };
    format!("{colon}{}:{action}", escaped(&value.name))
}

/// A text that `_arguments` takes as it is.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = "\\[]:".contains(c).then_some('\\');
            escape.into_iter().chain([c])
        })
        .collect()
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
