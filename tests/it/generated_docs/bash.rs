//! The tables of the completions for bash.

use super::takes::{Argument, Helper, Kind};

/// The tables, by their names.
pub(super) fn tables(helpers: &[Helper]) -> Vec<(&'static str, String)> {
    let names: Vec<&str> = helpers.iter().map(|helper| helper.short_name).collect();
    let mut takes = row(
        "tmux-sesh | help",
        &[
            format!("1=words:{},help", names.join(",")),
            "-h".into(),
            "--help".into(),
            "-V".into(),
            "--version".into(),
        ],
    );
    for helper in helpers {
        let mut words = Vec::new();
        for (at, place) in helper.places.iter().enumerate() {
            if place.last {
                words.extend(entries(&["--".into()], place));
            } else {
                words.extend(entries(&[(at + 1).to_string()], place));
                if place.repeats {
                    words.extend(entries(&["+".into()], place));
                }
            }
        }
        for option in &helper.options {
            words.extend(entries(&option.names, option));
        }
        takes += &row(&super::patterns(helper, " | "), &words);
    }
    let mut complete = String::from("complete -F _tmux_sesh tmux-sesh");
    for helper in helpers {
        complete += &format!(" \\\n  {}", helper.name);
    }
    vec![("takes", takes), ("names", complete + "\n")]
}

/// `NAME=KIND`, or `NAME` alone where no value follows in a word of its own.
fn entries(names: &[String], argument: &Argument) -> Vec<String> {
    let kind = argument
        .value
        .as_ref()
        .filter(|value| !value.optional)
        .map_or_else(String::new, |value| match &value.kind {
            Kind::Text => "=text".into(),
            Kind::Words(words) => format!("=words:{}", words.join(",")),
            Kind::List(words) => format!("=list:{}", words.join(",")),
            Kind::Kinds(words) => format!("=kinds:{}", words.join(",")),
            Kind::Live(what) => format!("={what}"),
            Kind::Folder => "=folder".into(),
            Kind::File => "=file".into(),
            Kind::Command => "=command".into(),
        });
    names.iter().map(|name| format!("{name}{kind}")).collect()
}

fn row(pattern: &str, words: &[String]) -> String {
    let mut row = format!("    {pattern})\n      takes=(");
    let mut room = 0;
    for word in words {
        if word.len() + 3 > room {
            row += "\n       ";
            room = 100;
        }
        row += &format!(" '{word}'");
        room = room.saturating_sub(word.len() + 3);
    }
    row + "\n      )\n      ;;\n"
}
