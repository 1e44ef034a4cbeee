//! The documents say what the code says: their tables are compared with the sources, their commands with the helpers, and
//! their links with what is there. `UPDATE=1` writes the tables anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use serde_json::Value;
use tmux_sesh::cli::TOOLS;
use tmux_sesh::doctor::Area;
use tmux_sesh::error::Exit;
use tmux_sesh::store::{schema, setting};
use tmux_sesh::work::landing::BlockedReason;

use crate::language;
use crate::support::Server;

/// The documents in the project's folder.
const AT_THE_TOP: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "RELEASE.md",
    "SECURITY.md",
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A document, by its path in the project's folder.
pub(crate) fn document(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Writes a document anew, at once: another test may read it.
pub(crate) fn update(name: &str, text: &str) {
    let beside = path(&format!("{name}.new"));
    std::fs::write(&beside, text).expect("a document can be written");
    std::fs::rename(&beside, path(name)).expect("a document can be replaced");
}

/// Every document, by its path in the project's folder, with its text.
pub(crate) fn documents() -> Vec<(String, String)> {
    let entries = std::fs::read_dir(path("plugin/doc")).expect("the pages");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|page| page.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|page| Some(format!("plugin/doc/{}", page.file_name()?.display())))
        .collect();
    names.sort();
    let names = AT_THE_TOP.iter().map(ToString::to_string).chain(names);
    names
        .chain(["plugin/skill/SKILL.md".into()])
        .map(|name| (name.clone(), document(&name)))
        .collect()
}

fn mark(name: &str) -> String {
    format!("<!-- table: {name} -->\n")
}

/// The lines of the table that is marked with a name.
pub(crate) fn table<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&mark(name))
        .unwrap_or_else(|| panic!("no table {name}"));
    let (table, _) = rest.split_once("<!-- end -->").expect("a table has an end");
    table
}

/// What is below a heading.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = format!("\n## {heading}\n");
    let (_, rest) = text
        .split_once(&start)
        .unwrap_or_else(|| panic!("no section {heading}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Every table that is made from code, by its name.
fn tables() -> Vec<(&'static str, String)> {
    let mut helpers = row(&["helper", "job"]) + &row(&["---", "---"]);
    for tool in &TOOLS {
        helpers += &row(&[&code(tool.name), &tool.about()]);
    }
    let mut store = row(&["pane option", "form", "meaning"]) + &row(&["---", "---", "---"]);
    for entry in &schema::PANE {
        store += &row(&[&code(entry.option), entry.form, entry.meaning]);
    }
    let mut elsewhere = row(&["name", "scope", "meaning"]) + &row(&["---", "---", "---"]);
    for entry in &schema::ELSEWHERE {
        elsewhere += &row(&[&code(entry.name), entry.scope, entry.meaning]);
    }
    let mut configuration = row(&["option", "default", "meaning"]) + &row(&["---", "---", "---"]);
    for setting in &setting::SETTINGS {
        let default = match setting.default {
            "" => String::new(),
            default => code(default),
        };
        configuration += &row(&[&code(setting.name), &default, setting.meaning]);
    }
    let mut exits = row(&["code", "meaning"]) + &row(&["---", "---"]);
    for (exit, meaning) in Exit::MEANINGS {
        exits += &row(&[&exit.code().to_string(), meaning]);
    }
    let mut findings = row(&["area", "about"]) + &row(&["---", "---"]);
    for (area, about) in Area::MEANINGS {
        findings += &row(&[&code(area.as_str()), about]);
    }
    let mut blocked = row(&["reason", "meaning"]) + &row(&["---", "---"]);
    for (reason, meaning) in BlockedReason::MEANINGS {
        blocked += &row(&[&code(reason.as_str()), meaning]);
    }
    vec![
        ("blocked", blocked),
        ("findings", findings),
        ("helpers", helpers),
        ("store", store),
        ("elsewhere", elsewhere),
        ("configuration", configuration),
        ("exits", exits),
    ]
}

#[test]
fn the_tables_are_those_of_the_code() {
    let documents = documents();
    let mut stale = Vec::new();
    for (name, made) in tables() {
        let holders: Vec<_> = documents
            .iter()
            .filter(|(_, text)| text.contains(&mark(name)))
            .collect();
        let [(page, text)] = holders[..] else {
            panic!("the table {name} stands in {} documents", holders.len());
        };
        if table(text, name) != made {
            stale.push(format!("{name} in {page}"));
            if std::env::var_os("UPDATE").is_some() {
                // An earlier table may have changed the page.
                let now = document(page);
                let old = mark(name) + table(&now, name);
                let new = now.replace(&old, &(mark(name) + &made));
                update(page, &new);
            }
        }
    }
    assert!(stale.is_empty(), "UPDATE=1 writes them anew: {stale:#?}");
}

#[test]
fn the_table_of_the_record_has_its_fields() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let text = document("plugin/doc/json.md");
    let listed = |name: &str| -> BTreeSet<String> {
        let lines = table(&text, name).lines().skip(2);
        lines
            .map(|line| line.split('`').nth(1).expect("a field").to_string())
            .collect()
    };
    let fields = |record: &Value| -> BTreeSet<String> {
        let record = record.as_object().expect("a record");
        record.keys().cloned().collect()
    };
    let of_record = listed("record");
    assert_eq!(of_record, fields(&made.0));
    let more = listed("transcript");
    for helper in ["sesh-list", "sesh-pane"] {
        let said = server.sesh(helper, ["one", "--json"]).ok().json();
        let record = said.get(0).unwrap_or(&said);
        assert_eq!(fields(record), &of_record | &more, "{helper}");
        assert!(more.iter().all(|field| record[field].is_null()), "{record}");
    }
}

#[test]
fn the_commands_exist_with_their_options() {
    let mut checked = 0;
    for (page, text) in documents() {
        let mut in_shell = false;
        for line in text.lines() {
            if line.starts_with("```") {
                in_shell = line == "```sh";
            }
            let typed = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> "));
            let Some(line) = typed.or(in_shell.then_some(line)) else {
                continue;
            };
            // What is behind a `#` is for the reader.
            let line = line.split(" # ").next().unwrap_or(line);
            for command in line.split(['|', ';', '(', '&']) {
                checked += check_options(&page, command);
            }
        }
    }
    assert!(checked > 40, "this reads the wrong lines: {checked}");
}

/// Checks the options of one command, and returns how many there were.
fn check_options(page: &str, line: &str) -> usize {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((tool, at)) = TOOLS.iter().find_map(|tool| {
        let at = words.iter().position(|word| *word == tool.name)?;
        Some((tool, at))
    }) else {
        return 0;
    };
    let command = (tool.command)();
    let mut known: BTreeSet<String> = ["--help", "--version"].map(Into::into).into();
    for argument in command.get_arguments() {
        known.extend(argument.get_long().map(|long| format!("--{long}")));
        let aliases = argument.get_all_aliases().unwrap_or_default();
        known.extend(aliases.iter().map(|alias| format!("--{alias}")));
    }
    let options = words[at..]
        .iter()
        .take_while(|word| **word != "--")
        .filter_map(|word| word.split('=').next())
        .map(|word| word.trim_end_matches([')', '"', '`', ']', '\'']))
        .filter(|word| word.starts_with("--"));
    options
        .inspect(|option| assert!(known.contains(*option), "{option} in {page}: {line}"))
        .count()
}

#[test]
fn the_readme_can_be_read_to_the_end() {
    let size = document("README.md").len();
    assert!(
        (6_000..=8_000).contains(&size),
        "README.md has {size} bytes"
    );
}

#[test]
fn every_link_leads_somewhere() {
    let mut checked = 0;
    for (page, text) in documents() {
        let folder = path(&page);
        let folder = folder.parent().expect("a folder");
        for link in links(&text) {
            checked += 1;
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                path(&page)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{page}: there is no {link}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&target).expect("a page");
                let anchors = anchors(&text);
                assert!(
                    anchors.contains(anchor),
                    "{page}: {link} is none of {anchors:?}"
                );
            }
        }
    }
    assert!(checked > 60, "this reads the wrong lines: {checked}");
}

/// The lines of a document that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// Where the links and pictures of a document lead.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        for rest in line.split("](").skip(1) {
            let (link, _) = rest
                .split_once(')')
                .unwrap_or_else(|| panic!("a link without an end: {line}"));
            links.push(link.into());
        }
    }
    links
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let reached: BTreeSet<String> = links(&document("README.md"))
        .into_iter()
        .map(|link| link.split('#').next().unwrap_or_default().to_string())
        .collect();
    for (page, _) in documents() {
        // A release is the maintainers' own business, and the skill is for agents: pages name both.
        let named = ["README.md", "RELEASE.md", "plugin/skill/SKILL.md"].contains(&page.as_str());
        assert!(named || reached.contains(&page), "no link to {page}");
    }
}

#[test]
fn the_documents_use_plain_words() {
    // The tables are made of texts of the sources, whose words have a test of their own.
    let mut found = Vec::new();
    for (page, text) in documents() {
        let quotes_words = page == "CONTRIBUTING.md";
        for line in prose(&text).filter(|line| !(quotes_words && line.starts_with('|'))) {
            for word in language::avoided_in(line) {
                found.push(format!("{page}: {word:?}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// What the workflows test is what the README promises.
#[test]
fn the_workflows_test_what_is_promised() {
    let ci = document(".github/workflows/ci.yml");
    let readme = document("README.md");
    let rust = document("Cargo.toml")
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .expect("a version")
        .to_string();
    assert!(readme.contains(&format!("Rust {rust}")), "{rust}");
    assert!(
        ci.contains("rust-version"),
        "the version comes from Cargo.toml"
    );
    let matrix = ci
        .lines()
        .find_map(|line| line.trim().strip_prefix("tmux: ["))
        .expect("the versions of tmux");
    let oldest = matrix.split('\'').nth(1).expect("a version");
    assert!(readme.contains(&format!("tmux {oldest} or newer")));
    assert!(matrix.contains("'3.7"), "{matrix}");
}
