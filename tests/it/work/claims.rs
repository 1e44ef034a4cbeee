//! Who gets an item, and what a holder may do.

use std::os::unix::fs::PermissionsExt;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::Repo;
use crate::support::{MAIN, Play, Relay, Screen};

#[test]
fn s02_the_next_item_is_the_one_that_is_ready() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.registry(&json!([{"id": "a"}, {"id": "b", "dependsOn": ["a"]}, {"id": "c"}, {"id": "d", "status": "draft"}]));
    assert_eq!(repo.claim(one.pane(), &["a"])["id"], "a");
    let refused = repo.work(two.pane(), &["claim", "b"]).fails(4);
    assert!(
        refused.starts_with("b requires a, which is not completed"),
        "{refused}"
    );
    assert_eq!(repo.claim(two.pane(), &[])["id"], "c");
    let none = repo.work(two.pane(), &["claim"]).fails(3);
    assert!(none.starts_with("no item is ready"), "{none}");
    let unknown = repo.work(two.pane(), &["claim", "nothing"]).fails(3);
    assert!(
        unknown.starts_with("no item nothing in the registry"),
        "{unknown}"
    );
    let draft = repo.work(two.pane(), &["claim", "d"]).fails(4);
    assert!(draft.starts_with("d is a draft"), "{draft}");
    let held = repo.work(two.pane(), &["claim", "a"]).fails(4);
    assert!(
        held.starts_with(&format!("a is held by one ({}) for ", one.pane())),
        "{held}"
    );
}

#[test]
fn s02_a_step_and_an_age_are_named_of_what_is_held() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x", "--step", "reading"]);
    let held = repo.work(two.pane(), &["claim", "x"]).fails(4);
    assert!(
        held.contains("for 0s, at \"reading\"") || held.contains("s, at \"reading\""),
        "{held}"
    );
    let late = repo
        .work(two.pane(), &["claim", "x", "--wait", "0.4s"])
        .fails(6);
    assert!(late.starts_with("timed out: x is held by one"), "{late}");
}

#[test]
fn s03_a_second_claim_of_the_same_sesh_is_the_same_one() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let first = repo.claim(one.pane(), &["x"]);
    let second = repo.claim(one.pane(), &["x"]);
    assert_eq!(first["grant"], second["grant"]);
    assert_eq!(repo.ledger().lines().count(), 1, "{}", repo.ledger());
    for (field, value) in [
        ("name", json!("one")),
        ("pane", json!(one.pane())),
        ("state", json!("live")),
        ("schema", json!(1)),
    ] {
        assert_eq!(second[field], value, "{field}");
    }
    assert_eq!(
        (&second["prdId"], &second["status"]),
        (&json!("x"), &json!("working"))
    );
    assert_eq!(second["sessionId"], second["sesh"]);
}

#[test]
fn s05_a_step_costs_no_commit_no_dirty_file_and_no_redraw() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    let (head, status) = (
        repo.git(&["rev-parse", "HEAD"]),
        repo.git(&["status", "--porcelain"]),
    );
    let screen = Screen::attach(&repo.server, MAIN, (80, 24));
    let cost = screen.cost(&repo.server, &|| {
        for at in 0..20 {
            repo.work(one.pane(), &["step", &format!("story {at}")])
                .ok();
        }
    });
    assert_eq!(cost, 0, "a step redraws the client");
    assert_eq!(repo.claimed("x")["step"], "story 19");
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(repo.git(&["status", "--porcelain"]), status);
}

#[test]
fn s10_a_former_holder_is_fenced_and_told() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x"]);
    assert_eq!(repo.shown(one.pane()), "x");
    let refused = repo.work(two.pane(), &["take", "x"]).fails(4);
    assert!(refused.starts_with("x is held by one"), "{refused}");
    repo.work(two.pane(), &["take", "x", "--force", "gone home"])
        .ok();
    let before = repo.claimed("x");
    for verb in [
        &["step", "more"][..],
        &["block", "why"],
        &["drop"],
        &["drop", "x"],
        &["step", "a", "--id", "x"],
    ] {
        let fenced = repo.work(one.pane(), verb).fails(5);
        assert!(
            fenced.starts_with("x is no longer yours: two took it over"),
            "{fenced}"
        );
        assert!(fenced.contains("gone home"), "{fenced}");
    }
    assert_eq!(repo.claimed("x")["grant"], before["grant"]);
    assert_eq!(repo.claimed("x")["step"], "");
    assert_eq!(repo.shown(one.pane()), "x lost to two");
    assert_eq!(repo.shown(two.pane()), "x");
    // What it claims next is told of the loss once, and works.
    let said = repo.work(one.pane(), &["claim", "y"]).said();
    assert_eq!(said.code(), Some(0), "{said}");
    assert!(said.stderr.contains("x is no longer yours"), "{said}");
    repo.work(one.pane(), &["step", "fine"]).ok();
    assert_eq!(repo.shown(one.pane()), "y");
    let history = repo.work(two.pane(), &["show", "x", "--json"]).ok().json();
    assert_eq!(history["history"][0]["reason"], "gone home");
    assert_eq!(history["history"][0]["takenBy"], "two");
}

#[test]
fn s16_a_blocked_item_is_shown_with_its_reason_and_is_not_the_next_one() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.registry(&json!([{"id": "a"}]));
    repo.claim(one.pane(), &["a"]);
    let why = "needs `API` key; #(x) \"q\" größe 🦀";
    repo.work(one.pane(), &["block", why]).ok();
    let claim = repo.claimed("a");
    assert_eq!(
        (&claim["blockedReason"], &claim["group"]),
        (&json!(why), &json!("blocked"))
    );
    repo.work(two.pane(), &["claim"]).fails(3);
    repo.work(one.pane(), &["block", "--clear"]).ok();
    assert_eq!(repo.claimed("a")["group"], "active");
}

#[test]
fn s17_what_is_given_back_is_free_and_what_is_abandoned_is_saved() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x"]);
    repo.work(one.pane(), &["drop"]).ok();
    assert_eq!(repo.shown(one.pane()), "");
    repo.claim(two.pane(), &["x"]);
    repo.git(&["branch", "feature/x"]);
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let tip = repo.git(&["commit-tree", &tree, "-p", "HEAD", "-m", "work"]);
    repo.git(&["update-ref", "refs/heads/feature/x", &tip]);
    repo.work(two.pane(), &["drop", "--abandon", "not worth it"])
        .ok();
    assert_eq!(repo.git(&["rev-parse", "refs/sesh/rescue/x"]), tip);
    assert_eq!(repo.git(&["rev-parse", "feature/x"]), tip);
    let board = repo.board();
    assert_eq!(board["claims"], json!([]));
    assert_eq!(board["items"][0]["abandoned"], "not worth it");
}

#[test]
fn s18_commits_that_have_not_landed_are_not_given_back() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    repo.git(&["checkout", "-qb", "feature/x"]);
    repo.commit("a", "1\n");
    repo.commit("b", "2\n");
    let refused = repo.work(one.pane(), &["drop"]).fails(4);
    assert!(
        refused.starts_with("x has 2 commits on feature/x not landed"),
        "{refused}"
    );
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--ff-only", "feature/x"]);
    repo.work(one.pane(), &["drop"]).ok();
}

#[test]
fn s19_the_risk_of_two_claims() {
    let repo = Repo::new();
    let (one, two, three) = (repo.sesh("one"), repo.sesh("two"), repo.sesh("three"));
    repo.registry(&json!([
        {"id": "a", "paths": ["src/a.rs", "Cargo.lock"]},
        {"id": "b", "paths": ["src/*.rs"]},
        {"id": "c", "paths": ["Cargo.lock", "docs/**"]},
        {"id": "d", "conflictsWith": [{"prdId": "prd-a", "risk": "high"}]},
    ]));
    repo.claim(one.pane(), &["a"]);
    let medium = repo.work(two.pane(), &["claim", "b"]).said();
    assert_eq!(medium.code(), Some(0), "{medium}");
    let sentence = medium.sentence();
    assert!(
        sentence.starts_with(
            "b conflicts with a of one: the risk is medium: src/a.rs; consider to wait"
        ),
        "{sentence}"
    );
    let low = repo.work(three.pane(), &["claim", "c"]).said();
    assert!(
        low.sentence()
            .starts_with("c conflicts with a of one: the risk is low: Cargo.lock"),
        "{low}"
    );
    let high = repo.work(three.pane(), &["claim", "d"]).fails(4);
    assert!(
        high.starts_with("d conflicts with a of one: the risk is high: the registry says so"),
        "{high}"
    );
    let over = repo
        .work(three.pane(), &["claim", "d", "--override", "we talked"])
        .said();
    assert_eq!(over.code(), Some(0), "{over}");
    assert!(
        repo.ledger().contains("\"over\":\"we talked\""),
        "{}",
        repo.ledger()
    );
    // The other holder is told at its next call, and only then.
    let told = repo.work(one.pane(), &["step", "s"]).said();
    assert!(
        told.stderr
            .contains("b of two touches what a does: src/a.rs"),
        "{told}"
    );
    repo.work(one.pane(), &["step", "t"]).ok();
}

#[test]
fn s19_the_risk_of_what_is_changed_already() {
    let repo = Repo::new();
    repo.commit("shared.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repo.commit("Cargo.lock", "a\n");
    let seshes = ["one", "two", "three"].map(|name| repo.sesh(name));
    let places = ["a", "b", "c"].map(|id| repo.server.path(&format!("at-{id}")));
    for ((sesh, place), id) in seshes.iter().zip(&places).zip(["a", "b", "c"]) {
        let place = place.to_str().expect("UTF-8");
        repo.claim(sesh.pane(), &[id, "--worktree", place]);
    }
    repo.commit_in(&places[0], "shared.txt", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repo.commit_in(&places[1], "shared.txt", "1\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
    let risk = |id: &str| repo.claimed(id)["risk"].clone();
    assert_eq!(
        (risk("a"), risk("b"), risk("c")),
        (json!("medium"), json!("medium"), json!("none"))
    );
    repo.commit_in(&places[1], "shared.txt", "UNO\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
    assert_eq!(risk("a"), "high");
    assert_eq!(
        repo.claimed("a")["conflictsWith"],
        json!([{"id": "b", "risk": "high", "paths": ["shared.txt"]}])
    );
    // A file that is not committed counts as well.
    repo.commit_in(&places[0], "Cargo.lock", "b\n");
    super::write(&places[2], "Cargo.lock", "c\n");
    assert_eq!(
        repo.claimed("c")["conflictsWith"],
        json!([{"id": "a", "risk": "low", "paths": ["Cargo.lock"]}])
    );
}

#[test]
fn s20_what_cannot_be_written_is_not_claimed() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x"]);
    let before = repo.ledger();
    // As good as a full disk: the file may not grow.
    let limited = "ulimit -f 0; exec \"$0\" claim y";
    let claim = repo.server.inside(two.pane(), "/bin/sh", ["-c", limited]);
    let helper = crate::support::helpers().join("sesh-work");
    let said = claim.args([helper]).folder(&repo.top).said();
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(said.stderr.contains("work.jsonl: File too large"), "{said}");
    assert_eq!(repo.ledger(), before);
    assert_eq!(repo.shown(two.pane()), "");
    assert_eq!(repo.claimed("x")["name"], "one");
    repo.claim(two.pane(), &["y"]);
}

#[test]
fn s21_solo_use_costs_nothing() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let options = || repo.server.tmux(["show-options", "-s"]);
    let before = options();
    repo.work(one.pane(), &[]).ok();
    repo.work(one.pane(), &["step", "x"]).fails(3);
    repo.work(one.pane(), &["drop"]).fails(3);
    assert!(!repo.top.join(".git/sesh").exists());
    assert_eq!(options(), before);
    let refs = repo.git(&["for-each-ref"]);
    repo.claim(one.pane(), &["x"]);
    repo.work(one.pane(), &["drop"]).ok();
    assert_eq!(repo.git(&["for-each-ref"]), refs);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
}

#[test]
fn s55_a_prefix_makes_no_other_item() {
    let repo = Repo::new();
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.registry(&json!([{"id": "prd-x"}]));
    assert_eq!(repo.claim(one.pane(), &["x"])["id"], "prd-x");
    assert_eq!(repo.claimed("prd-x")["branch"], "feature/x");
    for id in ["x", "prd-x"] {
        let refused = repo.work(two.pane(), &["claim", id]).fails(4);
        assert!(refused.starts_with("prd-x is held by one"), "{refused}");
    }
}

#[test]
fn s56_a_live_lock_of_another_tool_is_respected() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let lock = |age: u64| {
        let at = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        let at = humantime(at);
        let lock = json!({"sessions": [{"sessionId": "developer-0a1b2c", "prdId": "prd-x", "heartbeat": at, "status": "in_progress"}]});
        repo.write("docs/session-locks.json", &lock.to_string());
    };
    lock(60);
    let refused = repo.work(one.pane(), &["claim", "x"]).fails(4);
    assert!(
        refused.starts_with(
            "x is locked by the session \"developer-0a1b2c\" in docs/session-locks.json"
        ),
        "{refused}"
    );
    lock(3600);
    repo.claim(one.pane(), &["x"]);
    // It is theirs: we never write it.
    let text = std::fs::read_to_string(repo.top.join("docs/session-locks.json")).expect("a file");
    assert!(text.contains("developer-0a1b2c"));
}

/// A time as JavaScript writes it.
fn humantime(at: std::time::SystemTime) -> String {
    let seconds = at
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time")
        .as_secs();
    let said = std::process::Command::new("date")
        .args([
            "-u",
            "-d",
            &format!("@{seconds}"),
            "+%Y-%m-%dT%H:%M:%S.000Z",
        ])
        .output();
    String::from_utf8(said.expect("a date").stdout)
        .expect("UTF-8")
        .trim()
        .into()
}

#[test]
fn s62_without_write_access_nothing_is_half_done() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let git = repo.top.join(".git");
    let mode = |mode| {
        std::fs::set_permissions(&git, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode(0o555);
    // Root may write in spite of the mode.
    let writable = std::fs::write(git.join("probe"), "").is_ok();
    let said = repo.work(one.pane(), &["claim", "x", "--worktree"]).said();
    mode(0o755);
    if writable {
        return;
    }
    assert_eq!(said.code(), Some(1), "{said}");
    assert!(said.sentence().contains(".git/sesh"), "{said}");
    assert!(!git.join("sesh").exists());
    assert_eq!(repo.git(&["branch", "--list", "feature/*"]), "");
}

#[test]
fn s62_a_folder_that_cannot_be_made_is_one_sentence() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.write(".git/sesh", "in the way");
    let refused = repo.work(one.pane(), &["claim", "x"]).fails(1);
    assert!(
        refused.contains(".git/sesh/work.lock") || refused.contains(".git/sesh/work.jsonl"),
        "{refused}"
    );
    assert_eq!(repo.git(&["branch", "--list", "feature/*"]), "");
}

#[test]
fn what_is_no_claim_is_refused_with_a_sentence() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    for (args, start) in [
        (&["claim", "a b"][..], "\"a b\" is no id of an item"),
        (
            &["claim", "#(touch z)"],
            "\"#(touch z)\" is no id of an item",
        ),
        (&["step"], "it needs a text"),
        (&["block"], "it needs a reason"),
        (&["take"], "it needs an item"),
        (
            &["claim", "x", "--force", "y"],
            "--force is for sesh-work take",
        ),
        (&["--done", "3"], "--done is for sesh-work step"),
        (&["claim", "--watch"], "--watch is for the board"),
    ] {
        let refused = repo.work(one.pane(), args).fails(2);
        assert!(refused.starts_with(start), "{args:?}: {refused}");
    }
    let outside = repo
        .server
        .inside(one.pane(), "sesh-work", ["claim", "x"])
        .fails(4);
    assert!(outside.starts_with("not in a git repository"), "{outside}");
    let no_pane = repo
        .server
        .sesh("sesh-work", ["claim", "x"])
        .folder(&repo.top)
        .fails(3);
    assert!(
        no_pane.starts_with("a claim belongs to a pane"),
        "{no_pane}"
    );
    let none = repo.work(one.pane(), &["claim"]).fails(3);
    assert!(
        none.starts_with("this repository has no registry of work"),
        "{none}"
    );
    repo.write(".git/MERGE_HEAD", "");
    let merge = repo.work(one.pane(), &["claim", "x"]).fails(4);
    assert!(merge.starts_with("a merge is in progress in "), "{merge}");
    assert!(!repo.top.join(".git/sesh").exists());
}

#[test]
fn texts_of_any_kind_come_back_as_they_were() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    let long = "ü".repeat(5_000);
    for text in [
        "a\nb\tc",
        "\"q\" '$(x)' `y` #{pane_id} ; } %41 \\",
        "🦀",
        &long,
        "-x",
    ] {
        repo.work(one.pane(), &["step", "--", text]).ok();
        assert_eq!(repo.claimed("x")["step"], text);
    }
    let board = repo.work(one.pane(), &[]).ok();
    assert!(
        board.text().starts_with("Active (1)\n  x  -x  one (%"),
        "{}",
        board.text()
    );
}

#[test]
fn several_claims_of_a_sesh_are_told_apart() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    repo.claim(one.pane(), &["y"]);
    assert_eq!(repo.shown(one.pane()), "x y");
    let several = repo.work(one.pane(), &["step", "s"]).fails(4);
    assert!(several.starts_with("several claims: x, y"), "{several}");
    repo.work(
        one.pane(),
        &["step", "s", "--id", "y", "--done", "2", "--total", "5"],
    )
    .ok();
    assert_eq!(repo.shown(one.pane()), "x y 2/5");
    repo.work(one.pane(), &["drop", "x"]).ok();
    assert_eq!(repo.shown(one.pane()), "y 2/5");
}

#[test]
fn a_pane_becomes_a_sesh_by_claiming_and_not_by_being_refused() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    let user = repo.server.user_pane();
    repo.work(&user, &["claim", "x"]).fails(4);
    assert_eq!(repo.server.format(&user, "#{@sesh_id}"), "");
    let claim = repo.claim(&user, &["y"]);
    assert_eq!(
        repo.server.format(&user, "#{@sesh_id}"),
        claim["sesh"].as_str().expect("a uuid")
    );
    let sums = repo.server.format(
        &user,
        "#{@seshsum_claims} #{@seshsum_lostclaims} #{@seshsum_landing}",
    );
    assert_eq!(sums, "2 0 0");
}

#[test]
fn the_sums_are_those_of_all_repositories() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    repo.git_in(repo.server.folder(), &["clone", "-q", "repo", "other"]);
    let other = repo.server.path("other");
    let claim = |id: &str| repo.work(one.pane(), &["claim", id]).folder(&other);
    claim("p").ok();
    claim("q").ok();
    let sum = || repo.server.format(one.pane(), "#{@seshsum_claims}");
    assert_eq!(sum(), "3");
    repo.work(one.pane(), &["drop"]).ok();
    assert_eq!(sum(), "2");
}

#[test]
fn a_claim_with_a_remote_counts_in_all_clones() {
    let repo = Repo::new();
    repo.git_in(
        repo.server.folder(),
        &["clone", "-q", "--bare", "repo", "remote.git"],
    );
    repo.git_in(
        repo.server.folder(),
        &["clone", "-q", "remote.git", "other"],
    );
    let other = repo.server.path("other");
    repo.git(&["remote", "add", "origin", "../remote.git"]);
    for folder in [&repo.top, &other] {
        repo.git_in(folder, &["config", "sesh.claims", "origin"]);
    }
    let (one, two) = (repo.sesh("one"), repo.sesh("two"));
    repo.claim(one.pane(), &["x"]);
    repo.claim(one.pane(), &["x"]);
    let refused = repo
        .work(two.pane(), &["claim", "x"])
        .folder(&other)
        .fails(4);
    assert!(
        refused.starts_with("x is held by another clone: origin has refs/sesh/claims/x"),
        "{refused}"
    );
    let there = repo
        .work(two.pane(), &["--json"])
        .folder(&other)
        .ok()
        .json();
    assert_eq!(there["claims"], json!([]));
    repo.work(one.pane(), &["drop"]).ok();
    repo.work(two.pane(), &["claim", "x"]).folder(&other).ok();
    repo.work(one.pane(), &["claim", "x"]).fails(4);
    // Without the remote nothing is claimed.
    repo.git(&["remote", "set-url", "origin", "../nowhere.git"]);
    repo.work(one.pane(), &["claim", "y"]).fails(1);
    assert_eq!(repo.board()["claims"], json!([]));
}

#[test]
fn a_claim_is_two_clients_of_the_server_and_no_process() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    let relay = Relay::before(&repo.server, "relay", Play::Honest);
    repo.server.count_tmux();
    let tmux = format!("{},{},0", relay.socket().display(), repo.server.pid());
    for (args, clients) in [
        (&["claim", "x"][..], 2),
        (&["step", "s"], 2),
        (&["drop"], 2),
    ] {
        repo.work(one.pane(), args).env("TMUX", &tmux).ok();
        assert_eq!(
            (relay.clients(), repo.server.tmux_calls()),
            (clients, 0),
            "{args:?}"
        );
    }
}

#[test]
fn what_others_write_does_not_steer_a_terminal() {
    let repo = Repo::new();
    let one = repo.sesh("one");
    repo.claim(one.pane(), &["x"]);
    let step = "a\nb\x1b]0;title\x07\u{9b}31m #(touch ran) #{pid}";
    repo.work(one.pane(), &["step", step]).ok();
    let shown = repo.work(one.pane(), &["show", "x"]).ok();
    let shown = shown.text();
    assert!(
        shown.contains("step      a b ]0;title  31m #(touch ran) #{pid}\n"),
        "{shown:?}"
    );
    assert_eq!(repo.claimed("x")["step"], step);
    assert!(!repo.top.join("ran").exists());
}
