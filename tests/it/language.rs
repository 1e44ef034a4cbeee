//! The language of the sources: one meaning for each type's name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::rust_files;

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
