use pretty_assertions::{assert_eq, assert_ne};
use proptest::prelude::*;

use super::*;
use crate::journal::line::FORGOTTEN;
use crate::journal::line::tests::{ONE, TWO, id, line, lines};

fn log(folder: &Path) -> Log {
    Log::in_folder(
        &folder.join("state/journal"),
        Path::new("/tmp/tmux-1/default"),
    )
}

fn merged(text: &[u8]) -> Vec<Line<'_>> {
    MergedLines::of(text).iter().collect()
}

fn value(log: &Log, uuid: &str, name: &str) -> Option<String> {
    let text = log.read().expect("a text");
    let line = MergedLines::of(&text).get(id(uuid))?;
    Some(line.values.get(name).to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn compaction_keeps_the_merged_lines(lines in prop::collection::vec(lines(), 0..8)) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        for line in &lines {
            log.append(std::slice::from_ref(line), false).expect("a line");
        }
        let before = log.read().expect("a text");
        log.compact().expect("a file");
        log.compact().expect("a file");
        let after = log.read().expect("a text");
        prop_assert_eq!(merged(&before), merged(&after));
    }

    #[test]
    fn a_truncated_file_keeps_its_whole_lines_and_accepts_more(lines in prop::collection::vec(lines(), 1..5), at: prop::sample::Index) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        log.append(&lines, false).expect("lines");
        let text = log.read().expect("a text");
        let torn = &text[..at.index(text.len())];
        fs::write(log.path(), torn).expect("a file");
        let whole = torn.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        // A line of which only the line feed is missing is whole.
        let ended = [torn, b"\n"].concat();
        let mut expected = merged(&ended);
        let counted = merged(torn);
        prop_assert!(counted == expected || counted == merged(&text[..whole]));
        let another = line("cccc8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "created", &[("name", "x")]);
        log.append(std::slice::from_ref(&another), true).expect("a line");
        expected.push(another);
        let now = log.read().expect("a text");
        prop_assert_eq!(merged(&now), expected);
    }
}

#[test]
fn a_forgotten_identity_stays_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    log.append(
        &[line(ONE, "created", &[("name", "x"), ("tags", " a ")])],
        true,
    )
    .expect("a line");
    log.append(
        &[line(ONE, "changed", &[("name", "y"), ("tags", "")])],
        true,
    )
    .expect("a line");
    assert_eq!(value(&log, ONE, "name").as_deref(), Some("y"));
    assert_eq!(value(&log, ONE, "tags").as_deref(), Some(""));
    log.append(&[line(ONE, FORGOTTEN, &[])], true)
        .expect("a line");
    log.append(&[line(ONE, "ended", &[("name", "z")])], true)
        .expect("a line");
    log.compact().expect("a file");
    let text = log.read().expect("a text");
    let lines = merged(&text);
    assert!(
        lines[0].is_forgotten() && lines[0].values.0.is_empty(),
        "{lines:?}"
    );
}

#[test]
fn lines_of_a_newer_schema_are_kept_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    log.append(&[line(ONE, "created", &[])], true)
        .expect("a line");
    let newer = format!("{{ \"what\":[1], \"schema\":2,\"uuid\":\"{TWO}\" }}");
    let newer_forgotten =
        format!("{{\"schema\":9,\"uuid\":\"{ONE}\",\"event\":\"forgotten\",\"values\":[]}}");
    let text = log.read().expect("a text");
    let all = [
        &text[..],
        newer.as_bytes(),
        b"\nnonsense\n",
        newer_forgotten.as_bytes(),
        b"\n",
    ]
    .concat();
    fs::write(log.path(), all).expect("a file");
    let text = log.read().expect("a text");
    assert_eq!(
        (
            MergedLines::of(&text).newer(),
            MergedLines::of(&text).torn()
        ),
        (2, 1)
    );
    log.compact().expect("a file");
    let text = String::from_utf8(log.read().expect("a text")).expect("UTF-8");
    assert!(
        text.lines().any(|line| line == newer) && text.lines().any(|line| line == newer_forgotten),
        "{text}"
    );
    assert!(
        !text.contains("nonsense") && merged(text.as_bytes())[0].is_forgotten(),
        "{text}"
    );
}

#[test]
fn concurrent_writers_and_compactions_lose_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let log = &log;
            scope.spawn(move || {
                for at in 0..50_u8 {
                    let mut bytes = [0; 16];
                    bytes[..2].copy_from_slice(&[writer, at]);
                    let line = Line::new(SeshId::from_bytes(bytes), "created", 1);
                    log.append(&[line], at % 16 == 0).expect("a line");
                    if at % 5 == writer {
                        log.compact().expect("a file");
                    }
                }
            });
        }
    });
    let text = log.read().expect("a text");
    assert_eq!(
        (merged(&text).len(), MergedLines::of(&text).torn()),
        (200, 0)
    );
}

#[test]
fn a_grown_file_is_compacted() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let padding: &'static str = "x".repeat(1_000).leak();
    for _ in 0..600 {
        log.append(&[line(ONE, "state", &[("state", padding)])], false)
            .expect("a line");
    }
    let length = fs::metadata(log.path()).expect("a file").len();
    assert!(length < GROWTH + 4_000, "{length}");
    assert_eq!(value(&log, ONE, "state").as_deref(), Some(padding));
}

#[test]
fn only_the_user_and_the_own_server_may_use_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = log(folder.path());
    own.append(&[line(ONE, "created", &[])], true)
        .expect("a line");
    for path in [
        own.path(),
        &own.path().with_extension("lock"),
        own.file.folder(),
    ] {
        assert_eq!(
            fs::metadata(path).expect("a file").mode() & 0o077,
            0,
            "{path:?}"
        );
    }
    let foreign = Log {
        socket: "/other".into(),
        ..own.clone()
    };
    assert!(foreign.read().is_err());
    let before = own.read().expect("a text");
    assert!(foreign.append(&[line(ONE, "ended", &[])], true).is_err());
    assert_eq!(own.read().expect("a text"), before);
    assert!(file_name(&"/ü".repeat(300)).len() <= 255);
    assert_ne!(file_name("/a/b"), file_name("/a_b"));
}

#[test]
fn a_probe_leaves_the_file_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    log.append(&[line(ONE, "created", &[])], true)
        .expect("a line");
    let before = log.read().expect("a text");
    log.probe().expect("it can be written");
    assert_eq!(log.read().expect("a text"), before);
}
