//! The registries that are read, and what is written of one.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::Repo;

#[test]
fn the_registry_of_multi_session_is_read_as_it_is() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let registry = json!({
        "version": 1,
        "prds": [
            {"id": "prd-login", "title": "Log in", "status": "ready", "priority": "medium", "branchName": "work/login", "stories": {"completed": 1, "total": 4}},
            {"id": "prd-pay", "title": "Pay", "status": "ready", "priority": "critical", "dependsOn": ["prd-cart"]},
            {"id": "prd-old", "status": "in_progress"},
            {"id": "prd-idea", "status": "draft"},
        ],
        "completed": [{"id": "prd-cart", "status": "completed"}],
    });
    repo.write("docs/prd-registry.json", &registry.to_string());
    repo.write("docs/prds/prd-login.md", "# Log in\n");
    let board = repo.board();
    let groups: Vec<(String, String)> = board["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            (
                item["id"].as_str().expect("an id").into(),
                item["group"].as_str().expect("a group").into(),
            )
        })
        .collect();
    let expected = [
        ("prd-login", "ready"),
        ("prd-pay", "ready"),
        ("prd-idea", "draft"),
        ("prd-old", "elsewhere"),
        ("prd-cart", "done"),
    ];
    assert_eq!(
        groups,
        expected.map(|(id, group)| (id.to_string(), group.to_string()))
    );
    // The most urgent one.
    assert_eq!(repo.claim(one.pane(), &[])["id"], "prd-pay");
    let login = repo.claim(one.pane(), &[]);
    assert_eq!(
        (&login["branch"], &login["file"]),
        (&json!("work/login"), &json!("docs/prds/prd-login.md"))
    );
    let shown = repo
        .work(one.pane(), &["show", "login", "--json"])
        .ok()
        .json();
    assert_eq!(shown["title"], "Log in");
    let prompt = shown["prompt"].as_str().expect("a text");
    assert!(
        prompt.starts_with("Work on prd-login: Log in. Read docs/prds/prd-login.md first. "),
        "{prompt}"
    );
}

#[test]
fn a_command_is_a_registry() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.write("items.json", r#"[{"id": "bd-1", "title": "one", "priority": 2, "status": "open"}, {"id": "bd-2", "priority": 0, "status": "open"}]"#);
    repo.git(&["config", "sesh.work", "cat items.json"]);
    assert_eq!(repo.claim(one.pane(), &[])["id"], "bd-2");
    repo.git(&["config", "sesh.work", "echo nonsense"]);
    let refused = repo.work(one.pane(), &["claim"]).fails(1);
    assert!(
        refused.starts_with("cannot read the output of \"echo nonsense\""),
        "{refused}"
    );
    repo.git(&["config", "sesh.work", "exit 7"]);
    let refused = repo.work(one.pane(), &["claim"]).fails(1);
    assert!(
        refused.starts_with("the registry command \"exit 7\" failed"),
        "{refused}"
    );
}

#[test]
fn import_adds_what_is_new() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let items = r#"{"prds": [{"id": "prd-x", "title": "größe; \"q\"", "priority": "high", "dependsOn": ["y"]}, {"id": "../bad"}], "completed": [{"id": "y"}]}"#;
    repo.write("other.json", items);
    let said = repo.work(one.pane(), &["import", "other.json"]).said();
    assert_eq!(
        (said.code(), said.text()),
        (Some(0), "2 new items in .sesh/work.json\n"),
        "{said}"
    );
    assert!(
        said.stderr.contains("\"../bad\" is no id of an item"),
        "{said}"
    );
    let again = repo
        .work(one.pane(), &["import", "-", "--json"])
        .stdin(r#"[{"id": "x"}, {"id": "z"}]"#)
        .ok();
    assert_eq!(again.json(), json!({"added": 1}));
    let text = std::fs::read_to_string(repo.top.join(".sesh/work.json")).expect("a file");
    let written: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(written["version"], 1);
    assert_eq!(
        written["items"][0],
        json!({"id": "prd-x", "title": "größe; \"q\"", "priority": "high", "dependsOn": ["y"], "status": "ready"})
    );
    assert_eq!(repo.claim(one.pane(), &[])["id"], "prd-x");
    repo.write("half.json", "{\"items\": [");
    repo.work(one.pane(), &["import", "half.json"]).fails(1);
    repo.work(one.pane(), &["import", "nowhere.json"]).fails(1);
}
