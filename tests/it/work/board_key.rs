//! The board in a popup, by a key of the plugin.

use serde_json::json;

use super::Repo;
use crate::support::{MAIN, Screen, until};

#[test]
fn a_key_shows_the_board_of_the_repository_of_the_pane() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.registry(&json!([{"id": "first", "title": "it's \"#(touch ran)\" `touch ran` $(touch ran)"}, {"id": "second"}]));
    repo.server.load();
    let target = one.pane();
    let goes_to = |pane: &str| {
        repo.server
            .tmux(["select-window", "-t", pane, ";", "select-pane", "-t", pane])
    };
    goes_to(target);
    let person = Screen::attach(&repo.server, MAIN, (100, 30));
    person.types(&["C-b", "W"]);
    person.shows("it's \"#(touch ran)\"");
    // It follows what happens.
    repo.claim(target, &["second", "--step", "reading along"]);
    person.shows("reading along");
    person.types(&["Enter"]);
    until("the popup is closed", || {
        !person.text().contains("reading along")
    });
    // Where there is no repository, it says so until somebody has read it.
    let outside = repo.server.folder().to_str().expect("UTF-8");
    let format = ["-P", "-F", "#{pane_id}", "-t", MAIN, "-c", outside, "cat"];
    let other = repo.server.tmux([&["new-window"][..], &format].concat());
    goes_to(other.trim());
    person.types(&["C-b", "W"]);
    person.shows("not in a git repository");
    person.types(&["Enter"]);
    until("the popup is closed", || {
        !person.text().contains("not in a git")
    });
    assert!(!repo.top.join("ran").exists() && !repo.server.path("ran").exists());
}

#[test]
fn the_key_of_the_board_is_as_the_person_wants() {
    let repo = Repo::new();
    let keys = |wanted: &str| {
        repo.server.option("@sesh-key-work", wanted);
        repo.server.load();
        let all = repo.server.tmux(["list-keys"]);
        let own = all.lines().filter(|line| line.contains("key.sh work"));
        own.map(Into::into).collect::<Vec<String>>()
    };
    assert_eq!(keys("none"), Vec::<String>::new());
    let root = keys("root M-w");
    assert!(
        root.len() == 1 && root[0].contains("root") && root[0].contains("M-w"),
        "{root:?}"
    );
    repo.server
        .tmux(["bind-key", "W", "display-message", "mine"]);
    assert_eq!(keys(""), Vec::<String>::new());
    repo.server.tmux(["unbind-key", "W"]);
    assert_eq!(keys("").len(), 1);
}
