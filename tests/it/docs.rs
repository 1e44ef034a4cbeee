//! The README says what the code says: its tables are compared with their sources, its commands with the helpers.
//! `UPDATE=1` writes the tables anew.

use std::collections::BTreeSet;
use std::path::Path;

use pretty_assertions::assert_eq;
use tmux_sesh::cli::TOOLS;
use tmux_sesh::doctor::Area;
use tmux_sesh::error::Exit;
use tmux_sesh::store::{schema, setting};

use crate::support::Server;

pub(crate) fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(path).expect("the README")
}

/// The lines of the table that is marked with a name.
pub(crate) fn table<'a>(text: &'a str, name: &str) -> &'a str {
    let start = format!("<!-- table: {name} -->\n");
    let (_, rest) = text
        .split_once(&start)
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
        configuration += &row(&[&code(setting.name), &code(setting.default), setting.meaning]);
    }
    let mut exits = row(&["code", "meaning"]) + &row(&["---", "---"]);
    for (exit, meaning) in Exit::MEANINGS {
        exits += &row(&[&exit.code().to_string(), meaning]);
    }
    let mut findings = row(&["area", "about"]) + &row(&["---", "---"]);
    for (area, about) in Area::MEANINGS {
        findings += &row(&[&code(area.as_str()), about]);
    }
    vec![
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
    let found = readme();
    let mut expected = found.clone();
    for (name, made) in tables() {
        let mark = format!("<!-- table: {name} -->\n");
        let old = format!("{mark}{}", table(&found, name));
        expected = expected.replace(&old, &format!("{mark}{made}"));
    }
    if std::env::var_os("UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        std::fs::write(path, &expected).expect("the README can be written");
    }
    let differ: Vec<(&str, &str)> = found
        .lines()
        .zip(expected.lines())
        .filter(|(one, other)| one != other)
        .collect();
    assert!(found == expected, "UPDATE=1 writes it anew: {differ:#?}");
}

#[test]
fn the_table_of_the_record_has_its_fields() {
    let server = Server::start();
    let made = server.new_sesh(["one", "--", "sleep", "1000"]);
    let text = readme();
    let listed: BTreeSet<String> = table(&text, "record")
        .lines()
        .skip(2)
        .map(|line| line.split('`').nth(1).expect("a field").to_string())
        .collect();
    let fields: BTreeSet<String> = made
        .0
        .as_object()
        .expect("a record")
        .keys()
        .cloned()
        .collect();
    assert_eq!(listed, fields);
}

#[test]
fn the_commands_exist_with_their_options() {
    let text = readme();
    let mut checked = 0;
    for line in text.lines() {
        let Some(line) = line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")) else {
            continue;
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        for tool in &TOOLS {
            let Some(at) = words.iter().position(|word| *word == tool.name) else {
                continue;
            };
            let command = (tool.command)();
            let known: BTreeSet<String> = command
                .get_arguments()
                .filter_map(|argument| argument.get_long())
                .map(|long| format!("--{long}"))
                .collect();
            for word in words[at..].iter().take_while(|word| **word != "--") {
                let option = word
                    .split('=')
                    .next()
                    .unwrap_or("")
                    .trim_end_matches([')', '"', ']']);
                if option.starts_with("--") {
                    checked += 1;
                    assert!(known.contains(option), "{option} in: {line}");
                }
            }
        }
    }
    assert!(checked > 5, "this reads the wrong lines: {checked}");
}
