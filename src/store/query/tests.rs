//! Which sesh a target means.

use pretty_assertions::assert_eq;

use super::*;

const ONE: &str = "aaaa8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";
const TWO: &str = "aaaa9b20-5b7e-4c1d-9f00-1a2b3c4d5e6f";
const THREE: &str = "bbbb8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f";

fn ended(id: &str, name: &str) -> Record {
    let mut values = Values::default();
    values.set(Key::Id, id);
    values.set(Key::Name, name);
    Record::ended(values).expect("a record")
}

fn live(id: &str, name: &str, pane: u32) -> Pane {
    let mut record = ended(id, name);
    let place = Place {
        socket: String::new(),
        session: String::new(),
        window: 0,
        pane: PaneId(pane),
        session_id: String::new(),
        window_id: String::new(),
        window_name: String::new(),
        pid: 1,
    };
    record.live = true;
    record.tmux = Some(place.clone());
    Pane {
        place,
        attached: None,
        record: Some(record),
    }
}

fn found(snapshot: &Snapshot, text: &str) -> Result<String> {
    let target = Target::parse(text, None)?;
    snapshot.find(&target).map(|record| record.uuid.to_string())
}

#[test]
fn a_live_name_ranks_before_an_id_prefix_and_an_exited_name() {
    let snapshot = Snapshot {
        panes: vec![live(ONE, "build", 1), live(TWO, "aa", 2)],
        ended: vec![
            ended(THREE, "build"),
            ended("cccc8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "old"),
        ],
        ..Snapshot::default()
    };
    assert_eq!(found(&snapshot, "build").expect("the live one"), ONE);
    assert_eq!(found(&snapshot, "aaaa8").expect("by prefix"), ONE);
    assert_eq!(found(&snapshot, "AAAA9").expect("in any case"), TWO);
    assert_eq!(
        found(&snapshot, "bbbb").expect("an ended one by prefix"),
        THREE
    );
    assert_eq!(found(&snapshot, "%2").expect("by pane"), TWO);
    assert!(found(&snapshot, "old").is_ok());
    assert_eq!(found(&snapshot, THREE).expect("by uuid"), THREE);
    let many = found(&snapshot, "aaaa").expect_err("two");
    assert!(
        many.to_string().contains(ONE) && many.to_string().contains(TWO),
        "{many}"
    );
    assert_eq!(many.exit.code(), 4);
    for text in ["missing", "%9", "ffff"] {
        assert_eq!(
            found(&snapshot, text).expect_err("no sesh").exit.code(),
            3,
            "{text}"
        );
    }
    assert_eq!(found(&snapshot, "").expect_err("empty").exit.code(), 2);
    assert_eq!(found(&snapshot, ".").expect_err("no pane").exit.code(), 3);
}

#[test]
fn of_exited_seshes_of_one_name_the_newest_is_meant() {
    let at = |id, seconds| {
        let mut record = ended(id, "x");
        record.updated_at = Some(seconds);
        record
    };
    for (one, other, newest) in [(5, 6, TWO), (6, 5, ONE)] {
        let mut archived = at(ONE, one);
        archived.archived = true;
        let snapshot = Snapshot {
            panes: vec![],
            ended: vec![archived, at(TWO, other)],
            ..Snapshot::default()
        };
        assert_eq!(found(&snapshot, "x").expect("the newest"), newest);
    }
}

#[test]
fn a_target_with_special_characters_is_refused() {
    for text in ["a#(touch x)", "a,b", "a}b", "x\ny"] {
        assert_eq!(
            Target::parse(text, None)
                .expect_err("no target")
                .exit
                .code(),
            3,
            "{text}"
        );
    }
}
