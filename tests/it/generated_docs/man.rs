//! Manual pages.

use roff::{Inline, Roff, bold, italic, roman};
use tmux_sesh::error::Exit;
use tmux_sesh::store::setting::SETTINGS;

use super::takes::{Argument, Helper, Kind};
use crate::docs;

const ABOUT: &str = "list the helpers of tmux-sesh, and run any of them";

const DESCRIPTION: &str = "Any tmux pane can be a sesh: named, tagged, found, read, typed into, entered and ended by \
                           commands. tmux itself remembers it, in user options: there is no daemon, no database \
                           and no configuration file.";

const CALLS: &str = "Alone it lists the helpers, with a helper's name it is that helper. The sesh- of a name may be \
                     left out: tmux-sesh list is sesh-list.";

/// What is read of the environment, and what a sesh finds in its own.
pub(super) const ENVIRONMENT: [(&str, &str); 14] = [
    (
        "TMUX, TMUX_PANE",
        "set by tmux: the server and the pane that a helper runs in, where -L and -S name no other",
    ),
    (
        "TMUX_TMPDIR",
        "read by tmux: the folder of the sockets that -L names",
    ),
    (
        "SESH_CLIENT",
        "tmux: every question goes through the tmux program, where else the server is asked at once",
    ),
    (
        "SESH_MACHINE",
        "the machine that a new sesh is said to be on, instead of the host name",
    ),
    (
        "SESH_TMUX_SOCKETS",
        "the sockets of the servers that sesh-list --all-servers reads, with a colon between them; else all in tmux's folder",
    ),
    (
        "SESH_ID, SESH_NAME",
        "set in what sesh-new starts: the uuid and the name of its sesh",
    ),
    ("NO_COLOR", "not empty: the picker has no colours"),
    ("SHELL", "the shell of a sesh that was given no command"),
    (
        "PATH",
        "where tmux and the commands of new seshes are found",
    ),
    ("HOME", "shown as ~ in lists"),
    (
        "XDG_CONFIG_HOME",
        "where your own descriptions of agents are, in tmux-sesh/agents; ~/.config where it is not set",
    ),
    (
        "XDG_STATE_HOME",
        "where, in tmux-sesh, the journals of the tmux servers are, failures of what agents' hooks start are written down, and copies of the files that sesh-hooks changed are kept; ~/.local/state where it is not set",
    ),
    (
        "CLAUDE_CONFIG_DIR, CODEX_HOME, GEMINI_CLI_HOME, OPENCODE_CONFIG_DIR, PI_CODING_AGENT_DIR",
        "read as the agents read them: where sesh-hooks finds their configuration",
    ),
    (
        "XDG_RUNTIME_DIR, TMPDIR",
        "where the private file is written that tells sesh-run its command",
    ),
];

/// Every page, by its file name.
pub(super) fn pages(helpers: &[Helper]) -> Vec<(String, String)> {
    let names: Vec<&str> = std::iter::once("tmux-sesh")
        .chain(helpers.iter().map(|helper| helper.name))
        .collect();
    let mut pages = vec![("tmux-sesh.1".into(), family(helpers, &names))];
    pages.extend(
        helpers
            .iter()
            .map(|helper| (format!("{}.1", helper.name), page(helper, &names))),
    );
    pages
}

fn page(helper: &Helper, names: &[&str]) -> String {
    let mut roff = start(helper.name, &helper.about);
    let mut synopsis = vec![bold(helper.name)];
    for option in &helper.options {
        // Every command has these two.
        if !["-h", "-V"].contains(&option.names[0].as_str()) {
            synopsis.extend(bracketed(option, option_words(option, "|")));
        }
    }
    for place in &helper.places {
        let dashes = place.last.then(|| bold("-- "));
        let words = dashes.into_iter().chain(value_words(place)).collect();
        synopsis.extend(bracketed(place, words));
    }
    roff.control("SH", ["SYNOPSIS"]).text(synopsis);
    roff.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut roff, &helper.description);
    if !helper.notes.is_empty() {
        roff.control("PP", []);
        notes(&mut roff, &helper.notes);
    }
    roff.control("SH", ["OPTIONS"]);
    for place in helper.places.iter().filter(|place| !place.help.is_empty()) {
        item(&mut roff, value_words(place), &full_help(place));
    }
    for option in &helper.options {
        item(&mut roff, option_words(option, ", "), &full_help(option));
    }
    roff.control("SH", ["EXAMPLES"]);
    for (does, line) in helper.examples {
        item(&mut roff, vec![bold(*line)], does);
    }
    end(roff, helper.name, names)
}

/// What stands below a helper's options. A line that is set in is a word or a key, and what that is.
fn notes(roff: &mut Roff, text: &str) {
    let (items, prose): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("  "));
    paragraphs(roff, prose.join("\n").trim_end());
    for line in items {
        let (word, meaning) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
        item(roff, vec![bold(word)], meaning.trim());
    }
}

/// The page of `tmux-sesh`: what all helpers have in common. What the documents say of that is said in their words.
fn family(helpers: &[Helper], names: &[&str]) -> String {
    let mut roff = start("tmux-sesh", ABOUT);
    roff.control("SH", ["SYNOPSIS"]).text([
        bold("tmux-sesh"),
        roman(" ["),
        italic("HELPER"),
        roman(" ["),
        italic("ARGUMENT"),
        roman("]...]"),
    ]);
    roff.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut roff, &format!("{DESCRIPTION}\n\n{CALLS}"));
    roff.control("SH", ["HELPERS"]);
    for helper in helpers {
        item(&mut roff, reference(helper.name), &helper.about);
    }
    roff.control("SH", ["TARGET"]);
    let page = docs::document("plugin/doc/helpers.md");
    markdown(&mut roff, docs::section(&page, "TARGET"));
    roff.control("SH", ["NAMES"]);
    markdown(&mut roff, docs::section(&page, "Names and tags"));
    roff.control("SH", ["RECORD"]);
    roff.text([roman(
        "What --json prints for a sesh. Times are seconds since 1970, what is absent is null.",
    )]);
    let page = docs::document("plugin/doc/json.md");
    for row in docs::table(&page, "record").lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [field, form, meaning] = cells[..] else {
            panic!("three cells in {row}");
        };
        let mut term = code(field);
        term.push(roman(format!(" ({form})")));
        roff.control("TP", []).text(term).text(code(meaning));
    }
    roff.control("SH", ["CONFIGURATION"]);
    roff.text([roman("Options of tmux, to be set with set -g.")]);
    for setting in &SETTINGS {
        let mut text = code(setting.meaning);
        if !setting.default.is_empty() {
            text.push(roman(format!(" [default: {}]", setting.default)));
        }
        roff.control("TP", []).text([bold(setting.name)]).text(text);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        item(&mut roff, vec![bold(name)], meaning);
    }
    end(roff, "tmux-sesh", names)
}

fn start(name: &str, about: &str) -> Roff {
    let source = concat!("tmux-sesh ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new();
    // No date: the page is that of the version.
    roff.control(
        "TH",
        [&name.to_uppercase(), "1", "\"\"", source, "tmux-sesh"],
    );
    roff.control("SH", ["NAME"])
        .text([roman(format!("{name} - {about}"))]);
    roff
}

fn end(mut roff: Roff, name: &str, names: &[&str]) -> String {
    roff.control("SH", ["EXIT STATUS"]);
    roff.text([roman("The same codes for all helpers:")]);
    for (exit, meaning) in Exit::MEANINGS {
        item(&mut roff, vec![bold(exit.code().to_string())], meaning);
    }
    roff.control("SH", ["SEE ALSO"]);
    let others = names.iter().filter(|other| **other != name);
    roff.text(
        others
            .chain(&["tmux"])
            .enumerate()
            .flat_map(|(at, other)| {
                let comma = (at > 0).then(|| roman(", "));
                comma.into_iter().chain(reference(other))
            })
            .collect::<Vec<Inline>>(),
    );
    // groff would print these three as accents.
    roff.render()
        .replace('~', "\\(ti")
        .replace('^', "\\(ha")
        .replace('`', "\\(ga")
}

fn reference(name: &str) -> Vec<Inline> {
    vec![bold(name), roman("(1)")]
}

fn item(roff: &mut Roff, term: Vec<Inline>, text: &str) {
    roff.control("TP", []).text(term).text([roman(text)]);
}

fn paragraphs(roff: &mut Roff, text: &str) {
    for line in text.lines() {
        if line.is_empty() {
            roff.control("PP", []);
        } else {
            roff.text([roman(line)]);
        }
    }
}

/// Paragraphs and a numbered list, with code between backquotes.
fn markdown(roff: &mut Roff, text: &str) {
    for (at, block) in text.trim().split("\n\n").enumerate() {
        if at > 0 && numbered(block).is_none() {
            roff.control("PP", []);
        }
        for line in block.lines() {
            let rest = numbered(line).map_or(line, |(number, rest)| {
                roff.control("IP", [&format!("{number}."), "4"]);
                rest
            });
            roff.text(code(rest));
        }
    }
}

/// The number of a list's item, and the rest of it.
fn numbered(line: &str) -> Option<(u8, &str)> {
    let (number, rest) = line.split_once(". ")?;
    Some((number.parse().ok()?, rest))
}

/// A line with code between backquotes; two of them are round what holds one, with blanks between.
fn code(line: &str) -> Vec<Inline> {
    let mut inlines = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('`') {
        let (mark, after) = match after.strip_prefix('`') {
            Some(after) => ("``", after),
            None => ("`", after),
        };
        let (code, after) = after.split_once(mark).expect("the backquote that closes");
        inlines.extend([roman(before), bold(code.trim())]);
        rest = after;
    }
    inlines.push(roman(rest));
    inlines
}

/// `-n N`, with this between several names.
fn option_words(option: &Argument, between: &str) -> Vec<Inline> {
    let mut words = Vec::new();
    for (at, name) in option.names.iter().enumerate() {
        if at > 0 {
            words.push(roman(between));
        }
        words.push(bold(name));
    }
    match &option.value {
        None => {}
        Some(value) if value.optional => {
            words.extend([roman("[="), italic(&value.name), roman("]")]);
        }
        Some(value) => words.extend([roman(" "), italic(&value.name)]),
    }
    words
}

fn value_words(place: &Argument) -> Vec<Inline> {
    place
        .value
        .iter()
        .map(|value| italic(&value.name))
        .collect()
}

/// One part of a synopsis.
fn bracketed(argument: &Argument, words: Vec<Inline>) -> Vec<Inline> {
    let (open, close) = if argument.required {
        (" ", "")
    } else {
        (" [", "]")
    };
    let dots = if argument.repeats { "..." } else { "" };
    let mut all = vec![roman(open)];
    all.extend(words);
    all.push(roman(format!("{close}{dots}")));
    all
}

/// The help with what clap adds to it.
fn full_help(argument: &Argument) -> String {
    let mut help = argument.help.clone();
    if let Some(value) = &argument.value {
        if let Some(default) = &value.default {
            help += &format!(" [default: {default}]");
        }
        if let Kind::Words(words) | Kind::List(words) | Kind::Kinds(words) = &value.kind {
            help += &format!(" [possible values: {}]", words.join(", "));
        }
    }
    help
}
