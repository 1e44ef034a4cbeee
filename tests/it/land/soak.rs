//! Many agents claim, work and land, and are killed.

use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use super::{Ground, started};
use crate::support::{Dice, GitRepo, soak};

const AGENTS: usize = 5;

/// Five agents land items; who lands is killed at random, and types it again.
#[test]
fn five_agents_land_all_items() {
    let (items, files) = if soak() { (100, 3000) } else { (10, 100) };
    let ground = Ground::with_gate(":");
    for at in 0..files {
        ground
            .repo
            .write(&format!("files/{}/{at}", at % 50), &format!("{at}\n"));
    }
    ground.repo.write("users.txt", "theirs\n");
    ground.repo.commit("many files");
    ground.repo.write("users.txt", "mine\n");
    ground.repo.write("untracked", "mine\n");
    let start = ground.repo.oid("main");
    let next = AtomicUsize::new(0);
    let kills = AtomicUsize::new(0);
    let making = Mutex::new(());
    let dice = Mutex::new(Dice::new());
    std::thread::scope(|scope| {
        for agent in 0..AGENTS {
            let (ground, next, kills, making, dice) = (&ground, &next, &kills, &making, &dice);
            scope.spawn(move || {
                let pane = ground
                    .server
                    .session((80, 24), &["-s", &format!("a{agent}"), "sh"]);
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    if at >= items {
                        return;
                    }
                    let id = format!("item-{at}");
                    let branch = format!("work-{at}");
                    let claim = ["claim", &id, "--branch", &branch];
                    let call = ground.server.inside(&pane, "sesh-work", claim);
                    let said = call.folder(ground.repo.path()).said();
                    assert_eq!(said.code(), Some(0), "{said}");
                    let tree = {
                        // git refuses two that add worktrees in the same moment.
                        let _one = making.lock().expect("no panic");
                        ground.branch(&branch, &format!("done/{id}"), &format!("{agent}\n"))
                    };
                    tree.commits(&format!("files/{}/{at}", at % 50), "changed\n");
                    land(ground, &pane, &tree, kills, dice);
                    let _one = making.lock().expect("no panic");
                    ground
                        .repo
                        .git(["worktree", "remove", tree.path().to_str().expect("a path")]);
                }
            });
        }
    });
    assert!(kills.load(Ordering::SeqCst) > 0, "nothing was killed");
    let landed = ground
        .repo
        .git(["rev-list", "--count", &format!("{start}..main")]);
    assert_eq!(landed, items.to_string());
    let merges = ground
        .repo
        .git(["rev-list", "--merges", &format!("{start}..main")]);
    assert_eq!(merges, "");
    for at in 0..items {
        let file = format!("done/item-{at}");
        let commits = ground
            .repo
            .git(["rev-list", "--count", "main", "--", &file]);
        assert_eq!(commits, "1", "{file}");
    }
    assert_eq!(ground.repo.read("users.txt"), "mine\n");
    assert_eq!(ground.repo.read("untracked"), "mine\n");
    assert_eq!(ground.repo.status(), " M users.txt\n?? untracked");
    ground.is_sound(start.as_str());
    let board = ground.server.helper("sesh-work").args(["--json"]);
    let board = board.folder(ground.repo.path()).said().json();
    assert_eq!(
        (&board["landing"], &board["claims"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    // The user's checkout and the gate's.
    assert_eq!(ground.repo.git(["worktree", "list"]).lines().count(), 2);
}

/// Lands, and types it again after each kill.
fn land(ground: &Ground, pane: &str, tree: &GitRepo, kills: &AtomicUsize, dice: &Mutex<Dice>) {
    const MOST_KILLS: usize = 2;
    for attempt in 0.. {
        let call = ground.server.inside(pane, "sesh-land", ["--json"]);
        let mut child = started(call.folder(tree.path()));
        let (dies, moment, part) = {
            let mut dice = dice.lock().expect("no panic");
            (dice.roll(2) == 0, dice.moment(1500), dice.roll(3))
        };
        if dies && attempt < MOST_KILLS {
            std::thread::sleep(moment); // why: the moment of the kill is drawn.
            kill_part(&child, part);
            kills.fetch_add(1, Ordering::SeqCst);
        }
        let status = child.wait().expect("a status");
        match status.code() {
            Some(0) => return,
            // git alone was killed, or this process was.
            Some(1) | None => assert!(attempt < MOST_KILLS + 2, "{status}"),
            Some(_) => {
                let output = child.wait_with_output().expect("an output");
                panic!("{status}: {output:?}");
            }
        }
    }
}

fn kill_part(child: &Child, part: usize) {
    let own = Pid::from_raw(child.id().cast_signed());
    let git = || {
        let tree = tmux_sesh::proc::tree(own.as_raw());
        tree.into_iter().find(|process| process.name == "git")
    };
    let _ = match part {
        0 => kill(own, Signal::SIGKILL),
        1 => killpg(own, Signal::SIGKILL),
        _ => match git() {
            Some(git) => kill(Pid::from_raw(git.pid), Signal::SIGKILL),
            None => Ok(()),
        },
    };
}
