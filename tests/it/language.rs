//! The language of the sources: plain words, and one meaning for each type's name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::rust_files;

/// Words and phrases that the comments, texts and names of the sources do not use, each with what to write instead.
const AVOIDED: [(&str, &str); 14] = [
    (
        "nobody",
        "no one in particular: name the process, the person or the value that is missing",
    ),
    ("whoever", "the process or person that is meant"),
    ("somebody", "another process, a person"),
    ("house", "folder, layer"),
    ("resident", "agent"),
    ("speaker", "the agent that reports"),
    ("needy", "waiting for a person"),
    ("made up", "generated"),
    ("put away", "archived, hidden"),
    ("put right", "reconciled"),
    ("taken in", "adopted"),
    ("goes on", "continues, is restored"),
    ("of late", "recently"),
    ("what is so", "conditions that hold"),
];

/// Where such a word may stand, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

/// The words as a reader sees them: lower case, with one blank for what parts them in comments, texts and names.
fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    format!(" {} ", words.join(" "))
}

fn uses(text: &str, avoided: &str) -> bool {
    let text = plain(text);
    let plural = format!(" {avoided}s ");
    text.contains(&format!(" {avoided} ")) || text.contains(&plural)
}

#[test]
fn the_sources_use_plain_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (name, path) in rust_files(&root) {
        let text = std::fs::read_to_string(&path).expect("a source");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            // A phrase may begin on one line of a comment and end on the next.
            let next = lines.get(at + 1).copied().unwrap_or_default();
            for (avoided, instead) in AVOIDED {
                let here = uses(line, avoided);
                let across = !here
                    && avoided.contains(' ')
                    && !uses(next, avoided)
                    && uses(&format!("{line} {next}"), avoided);
                let excepted = EXCEPTIONS
                    .iter()
                    .any(|(file, word, _)| *file == name && *word == avoided);
                if (here || across) && !excepted {
                    found.push(format!(
                        "{name}:{}: {avoided:?} (write: {instead}): {}",
                        at + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} places:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// The words of a line that are avoided.
pub(crate) fn avoided_in(line: &str) -> impl Iterator<Item = &'static str> {
    AVOIDED
        .into_iter()
        .map(|(avoided, _)| avoided)
        .filter(move |avoided| uses(line, avoided))
}

#[test]
fn an_avoided_word_is_found() {
    assert!(uses("/// Nobody's pane.", "nobody"));
    assert!(uses("let made_up = 1;", "made up"));
    assert!(uses("for it in residents {", "resident"));
    assert!(uses("// it goes  on", "goes on"));
    assert!(!uses("// the warehouse, residential", "house"));
    assert!(!uses("// what has gone", "goes on"));
}

/// The type name that several files use: the arguments of each helper.
const SHARED: &str = "Args";

#[test]
fn a_type_name_means_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, path) in rust_files(&root) {
        let text = std::fs::read_to_string(&path).expect("a source");
        for (at, line) in text.lines().enumerate() {
            let mut words = line
                .split_whitespace()
                .skip_while(|word| word.starts_with("pub"));
            // An indented `type` is an associated one of a trait.
            let is_type = words.next().is_some_and(|word| {
                let declares = ["struct", "enum", "trait"].contains(&word);
                declares || (word == "type" && !line.starts_with(' '))
            });
            let Some(word) = words.next().filter(|_| is_type) else {
                continue;
            };
            let own = word
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            if own.starts_with(char::is_uppercase) && own != SHARED {
                types
                    .entry(own.into())
                    .or_default()
                    .push(format!("{name}:{}", at + 1));
            }
        }
    }
    assert!(types.len() > 100, "this reads the wrong files: {types:?}");
    types.retain(|_, places| places.len() > 1);
    assert!(types.is_empty(), "{types:#?}");
}
