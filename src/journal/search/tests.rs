use std::collections::BTreeMap;
use std::io::Write;

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::journal::line::tests::{ONE, id};
use crate::journal::line::{AnySchema, FORGOTTEN, Fields, Spot};
use crate::journal::merged::MergedLines;

/// Names and other values of seshes: some are the start of others, of an identity, or of JSON.
const WORDS: [&str; 12] = [
    "a",
    "ab",
    "a b",
    "é",
    "éé",
    "日本",
    "aaaa",
    "exit",
    "uuid",
    "/a",
    "0 - 1",
    "forgotten",
];

fn uuid(number: u8) -> SeshId {
    id(&ONE.replacen("aaaa", &format!("aaa{number:x}"), 1))
}

/// What has written a line.
#[derive(Clone, Copy, Debug)]
enum WrittenBy {
    /// Any version of this program.
    Plain,
    /// Another JSON program: in another order, and with `\u` for what is not ASCII.
    Foreign,
    /// This program, which was killed.
    Torn(Index),
    /// This program, before a crash of the machine left zeros in the line.
    Zeros(Index),
    /// A newer version.
    Newer,
}

prop_compose! {
    fn lines()(
        number in 0..4_u8,
        event in prop::sample::select(vec!["created", "changed", "ended", FORGOTTEN]),
        name in prop::option::of(prop::sample::select(WORDS.to_vec())),
        exit in prop::option::of(prop::sample::select(vec!["", "0 - 1", "- 9 1"])),
        note in prop::option::of(prop::sample::select(WORDS.to_vec())),
        window in prop::option::of("[a\"\\\\/}é\u{1}:]{0,4}"),
        tail in prop::option::of(prop::sample::select(WORDS.to_vec())),
        style in prop_oneof![
            6 => Just(WrittenBy::Plain),
            2 => Just(WrittenBy::Foreign),
            1 => any::<Index>().prop_map(WrittenBy::Torn),
            1 => any::<Index>().prop_map(WrittenBy::Zeros),
            1 => Just(WrittenBy::Newer),
        ],
    ) -> Vec<u8> {
        let values = [("name", name), ("exit", exit), ("note", note)];
        let values = values.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into())));
        let mut line = Line::new(uuid(number), event, 7);
        line.values = Fields(values.collect());
        line.spot = window.map(|name| Spot { session: "s".into(), window: 1, name: name.into() });
        line.tail = tail.map(Into::into);
        written(&line, style)
    }
}

fn written(line: &Line<'_>, style: WrittenBy) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).expect("JSON");
    match style {
        WrittenBy::Plain => {}
        WrittenBy::Torn(at) => text.truncate(at.index(text.len())),
        WrittenBy::Zeros(at) => {
            let at = at.index(text.len());
            text[at..].fill(0);
        }
        WrittenBy::Foreign => {
            let json = serde_json::to_value(line).expect("JSON").to_string();
            let escaped = json.chars().map(|c| match c {
                '/' => "\\/".into(),
                c if c.is_ascii() => c.to_string(),
                c => format!("\\u{:04x}", u32::from(c)),
            });
            text = escaped.collect::<String>().into_bytes();
        }
        WrittenBy::Newer => {
            let mut json = serde_json::to_value(line).expect("JSON");
            json["schema"] = (SCHEMA + 1).into();
            text = json.to_string().into_bytes();
        }
    }
    text.push(b'\n');
    text
}

/// Merges the lines of a text by parsing each of them.
fn reference(text: &[u8]) -> BTreeMap<SeshId, Line<'_>> {
    let mut all: BTreeMap<SeshId, Line<'_>> = BTreeMap::new();
    for bytes in text.split(|byte| *byte == b'\n') {
        let line = match serde_json::from_slice::<Line<'_>>(bytes) {
            Ok(line) if line.schema <= SCHEMA => line,
            _ => match serde_json::from_slice::<AnySchema>(bytes) {
                Ok(AnySchema {
                    schema,
                    uuid: Some(uuid),
                    event: Some(event),
                }) if schema > SCHEMA && event == FORGOTTEN => Line::new(uuid, FORGOTTEN, 0),
                _ => continue,
            },
        };
        match all.get_mut(&line.uuid) {
            Some(known) => known.absorb(line),
            None => {
                all.insert(line.uuid, line.without_empty_values());
            }
        }
    }
    all
}

fn merged(text: &[u8]) -> BTreeMap<SeshId, Line<'_>> {
    let merged = MergedLines::of(text);
    merged.iter().map(|line| (line.uuid, line)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_search_finds_what_parsing_everything_finds(
        lines in prop::collection::vec(lines(), 0..12),
        end in prop::bool::ANY,
        word in prop::sample::select(WORDS.to_vec()),
        number in 0..4_u8,
    ) {
        let mut text = lines.concat();
        if end {
            text.pop();
        }
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&text).expect("a file");
        let all = reference(&text);
        prop_assert_eq!(&merged(&text), &all);
        let check = |search: Search, wanted: &dyn Fn(&Line<'_>) -> bool| {
            let found = search.lines(&file).expect("lines");
            let found = merged(&found);
            for (id, line) in &found {
                prop_assert_eq!(Some(line), all.get(id), "{:?} finds a part", search);
            }
            for (id, line) in all.iter().filter(|(_, line)| wanted(line)) {
                prop_assert_eq!(Some(line), found.get(id), "{:?} does not find it", search);
            }
            Ok(())
        };
        let id = uuid(number);
        check(Search::default().id(id), &|line| line.uuid == id)?;
        check(Search::default().value(word), &|line| line.values.0.iter().any(|(_, value)| value == word))?;
        check(Search::default().start(word), &|line| {
            line.values.get("name").starts_with(word) || line.uuid.to_string().starts_with(word)
        })?;
        check(Search::default().part(word), &|line| line.values.0.iter().any(|(_, value)| value.contains(word)))?;
        check(Search::default().without("exit"), &|line| {
            !line.is_forgotten() && line.values.get("exit").is_empty()
        })?;
        check(Search::default().value(FORGOTTEN), &|line| line.is_forgotten())?;
        let field = format!("\"uuid\":\"{id}\"");
        let there = memmem::find(&text, field.as_bytes()).is_some();
        prop_assert_eq!(has_line_of(&file, id).expect("a file"), there);
    }
}

#[test]
fn only_what_is_searched_for_is_read() {
    let mut file = tempfile::tempfile().expect("a file");
    for number in 0..4 {
        let mut line = Line::new(uuid(number), "created", 7);
        let name = format!("name-{number}");
        let exit = if number == 2 { "" } else { "0 - 1" };
        line.values = Fields(vec![
            ("name".into(), name.into()),
            ("exit".into(), exit.into()),
        ]);
        file.write_all(&written(&line, WrittenBy::Plain))
            .expect("a file");
    }
    for search in [
        Search::default().id(uuid(2)),
        Search::default().value("name-2"),
        Search::default().start("name-2"),
        Search::default().start("aaa2"),
        Search::default().without("exit"),
    ] {
        let found = search.lines(&file).expect("lines");
        let found: Vec<SeshId> = merged(&found).into_keys().collect();
        assert_eq!(found, [uuid(2)], "{search:?}");
    }
    assert!(Search::default().lines(&file).expect("lines").is_empty());
}

#[test]
fn a_written_line_starts_as_it_is_expected_to() {
    let text = written(&Line::new(uuid(1), "created", 7), WrittenBy::Plain);
    assert_eq!(plain_id(&text), Some(uuid(1)));
    assert!(is_plain(text.trim_ascii_end()));
}
