//! The table of the completions for fish.

use super::takes::{Argument, Helper, Kind};

/// The tables, by their names.
pub(super) fn tables(helpers: &[Helper]) -> Vec<(&'static str, String)> {
    let names: Vec<&str> = helpers.iter().map(|helper| helper.name).collect();
    let mut takes = format!("set -g __tmux_sesh_helpers {}\n", names.join(" "));
    let aliases = helpers
        .iter()
        .filter_map(|helper| Some((helper.alias?, helper.name)));
    let aliases: Vec<String> = aliases
        .map(|(alias, name)| format!("{alias}={name}"))
        .collect();
    takes += &format!("set -g __tmux_sesh_aliases {}\n", aliases.join(" "));
    takes += "complete -c tmux-sesh -f\n\
              complete -c tmux-sesh -n '__tmux_sesh_at 1' -s h -l help -d 'Print help'\n\
              complete -c tmux-sesh -n '__tmux_sesh_at 1' -s V -l version -d 'Print version'\n\
              complete -c tmux-sesh -n 'not __tmux_sesh_at 1' -a '(__tmux_sesh_below)'\n\
              complete -c tmux-sesh -n '__tmux_sesh_at 1' -a help -d 'Print the help of a helper'\n";
    for helper in helpers {
        takes += &format!(
            "complete -c tmux-sesh -n '__tmux_sesh_at 1' -a {} -d {}\n",
            helper.short_name,
            quoted(&helper.about),
        );
    }
    for helper in helpers {
        takes += &format!("complete -c {} -f\n", helper.name);
        for option in &helper.options {
            let names: String = option.names.iter().map(|name| flag(name)).collect();
            takes += &format!(
                "complete -c {}{names}{} -d {}\n",
                helper.name,
                value(option),
                quoted(&option.help)
            );
        }
        let valued: Vec<&str> = helper
            .options
            .iter()
            .filter(|option| option.value.as_ref().is_some_and(|value| !value.optional))
            .flat_map(|option| option.names.iter().map(String::as_str))
            .collect();
        for (at, place) in helper.places.iter().enumerate() {
            let Some(action) = action(place) else {
                continue;
            };
            let condition = if place.last {
                "contains -- -- (commandline -opc)".into()
            } else {
                let more = if place.repeats { "+" } else { "" };
                format!("__tmux_sesh_at {}{more} {}", at + 1, valued.join(" "))
            };
            takes += &format!("complete -c {} -n '{condition}'{action}\n", helper.name);
        }
    }
    vec![("takes", takes)]
}

fn flag(name: &str) -> String {
    match name.strip_prefix("--") {
        Some(long) => format!(" -l {long}"),
        None => format!(" -s {}", &name[1..]),
    }
}

/// The rest of an option's line: what its value can be.
fn value(option: &Argument) -> String {
    match &option.value {
        Some(value) if !value.optional => match &value.kind {
            Kind::File => " -r -F".into(),
            _ => format!(" -x{}", action(option).unwrap_or_default()),
        },
        _ => String::new(),
    }
}

/// What a value can be, if anything is known of it.
fn action(argument: &Argument) -> Option<String> {
    let what = match &argument.value.as_ref()?.kind {
        Kind::Text => return None,
        Kind::File => return Some(" -F".into()),
        Kind::Words(words) => words.join(" "),
        Kind::List(words) => format!("(__tmux_sesh_list {})", words.join(" ")),
        Kind::Kinds(words) => format!("(__tmux_sesh_kinds {})", words.join(" ")),
        Kind::Live(what) => format!("(__tmux_sesh_{what})"),
        Kind::Folder => "(__fish_complete_directories)".into(),
        Kind::Command => "(__tmux_sesh_command)".into(),
    };
    Some(format!(" -a '{what}'"))
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "\\'"))
}
