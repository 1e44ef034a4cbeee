//! Many seshes that want one item at the same moment, while some of them are killed.

use std::process::Stdio;

use pretty_assertions::assert_eq;

use super::Repo;
use crate::support::{Dice, count, until_some};

/// The number of contenders of a round.
const CONTENDERS: usize = 60;

#[test]
fn s01_one_of_many_contenders_wins() {
    let repo = Repo::new();
    let (contenders, rounds) = if crate::support::soak() {
        (40, 20)
    } else {
        (12, 3)
    };
    let panes: Vec<String> = (0..contenders)
        .map(|at| repo.sesh(&format!("s{at}")).pane().to_string())
        .collect();
    for round in 0..rounds {
        let item = format!("item-{round}");
        let running: Vec<_> = panes
            .iter()
            .map(|pane| {
                let mut command = repo.work(pane, &["claim", &item]).command();
                let child = command
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
                child.spawn().expect("a contender")
            })
            .collect();
        let mut winners = 0;
        for child in running {
            let output = child.wait_with_output().expect("its end");
            match output.status.code() {
                Some(0) => winners += 1,
                Some(4) => {
                    let text = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(text.contains(&format!("{item} is held by s")), "{text}");
                }
                other => panic!("{other:?}: {output:?}"),
            }
        }
        assert_eq!(winners, 1, "{item}");
    }
    assert_eq!(repo.ledger().lines().count(), rounds);
}

/// Contenders are killed at any moment, also between the ledger and what tmux shows, and in every fifth round the server is
/// killed. The ledger never has two holders, and what a winner was told holds.
#[test]
fn contenders_that_are_killed_leave_one_holder() {
    let repo = Repo::new();
    let rounds = count(50);
    let contenders = if crate::support::soak() {
        CONTENDERS
    } else {
        20
    };
    let mut dice = Dice::new();
    let mut panes = new_panes(&repo, contenders, 0);
    let (mut killed, mut told) = (0, 0);
    for round in 0..rounds {
        let item = format!("item-{round}");
        let mut running: Vec<_> = panes
            .iter()
            .map(|(pane, _)| {
                let mut command = repo.work(pane, &["claim", "--json", &item]).command();
                let child = command
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::null());
                child.spawn().expect("a contender")
            })
            .collect();
        let kills_server = round % 5 == 4;
        for child in &mut running {
            if dice.roll(3) == 0 {
                std::thread::sleep(dice.moment(3)); // why: the moment of the kill is what is tried.
                let _ = child.kill();
                killed += 1;
            }
        }
        if kills_server {
            repo.server.dies();
        }
        let mut grants = Vec::new();
        for child in running {
            let output = child.wait_with_output().expect("its end");
            if output.status.code() == Some(0) {
                let claim: serde_json::Value =
                    serde_json::from_slice(&output.stdout).expect("JSON");
                grants.push(claim["grant"].as_str().expect("a grant").to_string());
            }
        }
        assert!(grants.len() <= 1, "two winners of {item}");
        let grants_in_ledger = holders(&repo, &item);
        assert!(grants_in_ledger.len() <= 1, "two holders of {item}");
        // A winner that was told has it. One that was killed before may have it.
        for grant in &grants {
            assert_eq!(&grants_in_ledger, std::slice::from_ref(grant));
            told += 1;
        }
        if kills_server {
            repo.server.starts_again();
            panes = new_panes(&repo, contenders, round + 1);
        }
        // The next command has tmux show what the ledger has, whatever was killed.
        let (pane, _) = &panes[0];
        repo.work(pane, &[]).ok();
        let claims = repo.board()["claims"].as_array().expect("claims").len();
        let sum = repo.server.format(pane, "#{@seshsum_claims}");
        assert_eq!(sum, claims.to_string());
    }
    // A former holder is fenced, each time.
    let (taker, _) = &panes[0];
    for (pane, name) in panes.iter().skip(1).take(5) {
        let item = format!("fenced-{name}");
        repo.work(pane, &["claim", &item]).ok();
        repo.work(taker, &["take", &item, "--force", "a test"])
            .said();
        let said = repo.work(pane, &["step", "s", "--id", &item]).said();
        assert_eq!(said.code(), Some(5), "{said}");
    }
    crate::support::say(&format!(
        "{rounds} rounds of {contenders}: {killed} killed, {told} told that they won"
    ));
}

fn new_panes(repo: &Repo, contenders: usize, round: usize) -> Vec<(String, String)> {
    (0..contenders)
        .map(|at| {
            let name = format!("r{round}-{at}");
            let pane = until_some("a pane", || {
                let top = repo.top.to_str().expect("UTF-8");
                let new = ["--json", &name, "--session", "--cwd", top, "--", "cat"];
                let said = repo.server.sesh("sesh-new", new).said();
                (said.code() == Some(0)).then(|| said.record().pane().to_string())
            });
            (pane, name)
        })
        .collect()
}

/// The grants of an item that the ledger has.
fn holders(repo: &Repo, item: &str) -> Vec<String> {
    let text = repo.ledger();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines
        .filter(|line| line["event"] == "claim" && line["id"] == item)
        .map(|line| line["grant"].as_str().expect("a grant").to_string())
        .collect()
}
