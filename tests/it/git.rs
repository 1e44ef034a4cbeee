//! The one caller of git: what it finds, computes without a checkout, compares and sets.

use std::path::Path;
use std::sync::Barrier;

use pretty_assertions::assert_eq;
use tempfile::TempDir;
use tmux_sesh::error::{ErrorKind, Exit};
use tmux_sesh::git::objects::{self, MergedTree};
use tmux_sesh::git::refs::{self, Push, RefChange};
use tmux_sesh::git::repository::Unfinished;
use tmux_sesh::git::worktree::{self, FastForward};
use tmux_sesh::git::{Oid, Repository, diff};

use crate::support::{GitRepo, count};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn init(folder: &TempDir) -> GitRepo {
    GitRepo::init(&folder.path().join("repo"))
}

fn find(path: &Path) -> Repository {
    Repository::find(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_repository_is_found_from_everywhere_in_it() {
    let folder = folder();
    let repo = init(&folder);
    repo.commits("sub/deep/file", "x");
    let linked = repo.worktree(&folder.path().join("größe ☃"), "other", "main");
    let main = repo.repository();
    assert_eq!(main.top.as_deref(), Some(repo.path()));
    assert_eq!(main.common, repo.file(".git"));
    assert_eq!(find(&repo.file("sub/deep")), main);
    let other = linked.repository();
    assert_eq!(
        (&other.common, other.short_hash()),
        (&main.common, main.short_hash())
    );
    assert_eq!(other.top.as_deref(), Some(linked.path()));
    assert_ne!(other.git_dir, main.git_dir);
    assert_eq!(
        (main.branch().expect("git"), other.branch().expect("git")),
        (Some("main".into()), Some("other".into()))
    );
    // Through a link it is the same one.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(repo.path(), &link).expect("a link");
    assert_eq!(find(&link).short_hash(), main.short_hash());
    // Without a checkout.
    let inside = find(&repo.file(".git"));
    assert_eq!((&inside.common, inside.top), (&main.common, None));
    let bare = GitRepo::bare(&folder.path().join("bare"));
    assert_eq!(bare.repository().top, None);
    assert_eq!(bare.repository().common, bare.path());
}

#[test]
fn the_short_way_to_a_main_checkout_finds_what_git_finds() {
    let folder = folder();
    let repo = init(&folder);
    repo.commits("sub/deep/file", "x");
    repo.git(["config", "sesh.Target", "trunk"]);
    repo.git(["config", "user.name", "nobody"]);
    let short = |path: &Path| Repository::of_main_checkout(path, "sesh.");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(repo.file("sub"), &link).expect("a link");
    for path in [repo.path(), &repo.file("sub/deep"), &link] {
        let (found, settings) = short(path).expect("a main checkout");
        assert_eq!(found, find(path));
        let settings: Vec<_> = settings.into_iter().collect();
        assert_eq!(settings, [("sesh.target".into(), "trunk".into())]);
    }
    // Where git finds another repository than the nearest folder with this name, or where the place is not plain, it says
    // nothing.
    let nested = |name: &str| GitRepo::init(&repo.file(name));
    std::fs::write(nested("head").file(".git/HEAD"), "rubbish").expect("a file");
    std::fs::remove_dir_all(nested("objects").file(".git/objects")).expect("a folder");
    std::fs::write(nested("unsafe").file(".git/commondir"), "../../.git").expect("a file");
    std::fs::write(nested("empty").file(".git/config"), "").expect("a file");
    nested("moved").git(["config", "core.worktree", "/"]);
    nested("bare").git(["config", "core.bare", "true"]);
    nested("newer").git(["config", "core.repositoryformatversion", "9"]);
    nested("a\nb");
    GitRepo::bare(&repo.file("other.git"));
    repo.worktree(&repo.file("linked"), "other", "main");
    let names = [
        ".git",
        "head",
        "objects",
        "unsafe",
        "empty",
        "moved",
        "bare",
        "newer",
        "a\nb",
        "other.git",
        "linked",
    ];
    for name in names {
        assert_eq!(short(&repo.file(name)), None, "{name}");
    }
    assert_eq!(short(folder.path()), None);
    assert_eq!(short(&folder.path().join("none")), None);
}

#[test]
fn where_there_is_no_repository() {
    let folder = folder();
    let error = Repository::find(folder.path()).expect_err("there is none");
    assert_eq!(error.exit, Exit::Unusable);
    assert!(error.what.starts_with("not in a git repository"), "{error}");
    let error = Repository::find(&folder.path().join("none")).expect_err("no folder");
    assert_eq!(error.exit, Exit::Unusable);
    let broken = init(&folder);
    std::fs::write(broken.file(".git/HEAD"), "rubbish").expect("a file");
    let error = Repository::find(broken.path()).expect_err("it is broken");
    assert_eq!(error.exit, Exit::Unusable);
    let newline = GitRepo::init(&folder.path().join("a\nb"));
    let error = Repository::find(newline.path()).expect_err("a newline");
    assert!(error.what.contains("newline"), "{error}");
}

#[test]
fn an_operation_in_progress_is_seen() {
    let folder = folder();
    let repo = init(&folder);
    let linked = repo.worktree(&folder.path().join("other"), "other", "main");
    linked.commits("base.txt", "theirs\n");
    repo.commits("base.txt", "ours\n");
    assert_eq!(repo.repository().unfinished(), None);
    assert!(!repo.try_git(["merge", "other"]).status.success());
    assert_eq!(repo.repository().unfinished(), Some(Unfinished::Merge));
    assert!(!linked.try_git(["rebase", "main"]).status.success());
    let unfinished = linked.repository();
    assert_eq!(unfinished.unfinished(), Some(Unfinished::Rebase));
    let error = unfinished.check_finished().expect_err("a rebase");
    assert_eq!(error.exit, Exit::Unusable);
    linked.git(["rebase", "--abort"]);
    linked.repository().check_finished().expect("it has ended");
}

#[test]
fn a_merge_without_a_checkout() {
    let folder = folder();
    let repo = init(&folder);
    let base = repo.commits("ours", "1\n");
    repo.git(["checkout", "--quiet", "-b", "feature", "HEAD~1"]);
    let tip = repo.commits("theirs \"ü\n\".txt", "2\n");
    repo.git(["checkout", "--quiet", "main"]);
    repo.write("base.txt", "dirty\n");
    let before = std::fs::read(repo.file(".git/index")).expect("an index");
    let MergedTree::Clean(tree) = objects::merge_tree(repo.path(), &base, &tip).expect("git")
    else {
        panic!("no conflict is there");
    };
    let author = objects::author(repo.path(), &tip).expect("git");
    assert_eq!(author.name, "Alice Example");
    let message = "land\n\n-- with \"quotes\", $(x) and ü\n";
    let commit = objects::commit_tree(repo.path(), &tree, &[&base], message, Some(&author));
    let commit = commit.expect("git");
    assert_eq!(
        (
            objects::message(repo.path(), &commit).expect("git"),
            objects::author(repo.path(), &commit).expect("git"),
        ),
        (message.trim_end().to_string() + "\n", author)
    );
    assert_eq!(repo.oid(&format!("{commit}^")), base);
    let mut changed = diff::changed(repo.path(), &base, &commit).expect("git");
    assert_eq!(changed, ["theirs \"ü\n\".txt"]);
    changed = diff::changed_on_branch(repo.path(), &base, &tip).expect("git");
    assert_eq!(changed, ["theirs \"ü\n\".txt"]);
    // Neither the checkout nor its index nor a ref has changed.
    assert_eq!(repo.status(), " M base.txt");
    assert_eq!(
        std::fs::read(repo.file(".git/index")).expect("an index"),
        before
    );
    assert_eq!(repo.oid("main"), base);
}

#[test]
fn a_merge_with_conflicts_names_the_files() {
    let folder = folder();
    let repo = init(&folder);
    repo.commits("größe \"x\"", "0\n");
    repo.git(["checkout", "--quiet", "-b", "feature"]);
    repo.write("größe \"x\"", "1\n");
    let tip = repo.commits("base.txt", "theirs\n");
    repo.git(["checkout", "--quiet", "main"]);
    repo.write("größe \"x\"", "2\n");
    let base = repo.commits("base.txt", "ours\n");
    assert_eq!(
        objects::merge_tree(repo.path(), &base, &tip).expect("git"),
        MergedTree::Conflict(vec!["base.txt".into(), "größe \"x\"".into()])
    );
    assert_eq!(repo.repository().unfinished(), None);
    // Another failure is an error, and no conflict.
    let tree = objects::tree(repo.path(), &base).expect("git");
    repo.git(["checkout", "--quiet", "--orphan", "alone"]);
    let alone = repo.commits("alone", "x\n");
    objects::merge_tree(repo.path(), &base, &alone).expect_err("nothing in common");
    let none: Oid = "1234567890123456789012345678901234567890"
        .parse()
        .expect("a hash");
    objects::merge_tree(repo.path(), &base, &none).expect_err("no such commit");
    assert_eq!(objects::commit(repo.path(), "--all").expect("git"), None);
    assert_eq!(objects::commit(repo.path(), "none").expect("git"), None);
    assert_eq!(
        objects::at_path(repo.path(), &base, "base.txt/none").expect("git"),
        None
    );
    assert_eq!(objects::tree(repo.path(), &base).expect("git"), tree);
}

#[test]
fn of_many_who_set_a_ref_one_wins() {
    const RIVALS: usize = 8;
    let folder = folder();
    let repo = init(&folder);
    let first = repo.oid("main");
    let rivals: Vec<Oid> = (0..RIVALS)
        .map(|at| repo.commits("rival", &at.to_string()))
        .collect();
    for round in 0..count(20) {
        let name = format!("refs/heads/race-{round}");
        let set = |to: &Oid, expected: Option<&Oid>| refs::set(repo.path(), &name, to, expected);
        assert_eq!(set(&first, None).expect("git"), RefChange::Done);
        assert_eq!(set(&first, None).expect("git"), RefChange::Moved);
        let barrier = Barrier::new(RIVALS);
        let winners: usize = std::thread::scope(|scope| {
            let all: Vec<_> = rivals
                .iter()
                .map(|to| {
                    scope.spawn(|| {
                        barrier.wait();
                        // Who meets the lock of another has not won, and is told so.
                        let outcome = set(to, Some(&first));
                        usize::from(outcome.is_ok_and(|it| it == RefChange::Done))
                    })
                })
                .collect();
            all.into_iter().map(|it| it.join().expect("a thread")).sum()
        });
        assert_eq!(winners, 1);
    }
    let error = refs::set(repo.path(), "refs/heads/..", &first, None);
    error.expect_err("no name of a ref");
    assert_eq!(
        refs::read(repo.path(), "refs/heads/mai").expect("git"),
        None
    );
    assert_eq!(
        refs::delete(repo.path(), "refs/heads/race-0", &first).expect("git"),
        RefChange::Moved
    );
}

#[test]
fn a_fetch_of_our_own_touches_nothing_of_the_user() {
    let folder = folder();
    let repo = init(&folder);
    let clone = GitRepo::cloned(repo.path(), &folder.path().join("clone"));
    let before = clone.oid("refs/remotes/origin/main");
    let newer = repo.commits("newer", "x");
    assert_eq!(
        refs::upstream(clone.path(), "main").expect("git"),
        Some(("origin".into(), "main".into()))
    );
    assert_eq!(refs::upstream(repo.path(), "main").expect("git"), None);
    let fetched = refs::fetch(clone.path(), "origin", "main", "refs/sesh/base/main");
    assert_eq!(fetched.expect("git"), Some(newer));
    assert_eq!(clone.oid("refs/remotes/origin/main"), before);
    assert!(!clone.file(".git/FETCH_HEAD").exists());
    let none = refs::fetch(clone.path(), "origin", "none", "refs/sesh/base/none");
    assert_eq!(none.expect("git"), None);
    refs::fetch(clone.path(), "nowhere", "main", "refs/sesh/base/main").expect_err("no remote");
}

#[test]
fn a_push_is_a_comparison_at_the_remote() {
    let folder = folder();
    let bare = GitRepo::bare(&folder.path().join("bare"));
    let repo = init(&folder);
    let remote = bare.path().to_str().expect("a path");
    let push = |commit: &Oid| refs::push(repo.path(), remote, commit, "main").expect("git");
    let first = repo.oid("main");
    assert_eq!(push(&first), Push::Done);
    let second = repo.commits("a", "1");
    repo.git(["reset", "--quiet", "--hard", first.as_str()]);
    let rival = repo.commits("b", "1");
    assert_eq!(push(&second), Push::Done);
    assert_eq!(push(&rival), Push::Moved);
    assert_eq!(bare.oid("main"), second);
    let claim = "refs/sesh/claims/x";
    let create = || refs::create_at(repo.path(), remote, claim, &first).expect("git");
    assert_eq!(create(), Push::Done);
    assert_eq!(create(), Push::Moved);
    assert_eq!(
        refs::read_at(repo.path(), remote, claim).expect("git"),
        Some(first.clone())
    );
    assert_eq!(
        refs::delete_at(repo.path(), remote, claim, &second).expect("git"),
        Push::Moved
    );
    assert_eq!(
        refs::delete_at(repo.path(), remote, claim, &first).expect("git"),
        Push::Done
    );
    let blob = objects::write_blob(repo.path(), b"{}").expect("git");
    assert_eq!(objects::blob(repo.path(), &blob).expect("git"), b"{}");
    let created = refs::create_at(repo.path(), remote, claim, &blob);
    assert_eq!(created.expect("git"), Push::Done);
    // A remote that says no is no race.
    bare.write("hooks/pre-receive", "#!/bin/sh\nexit 1\n");
    let hook = bare.file("hooks/pre-receive");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a mode");
    repo.git(["reset", "--quiet", "--hard", second.as_str()]);
    let third = repo.commits("c", "1");
    let Push::Refused(why) = push(&third) else {
        panic!("a hook refuses it");
    };
    assert!(why.contains("pre-receive hook declined"), "{why}");
    refs::push(repo.path(), "/nowhere", &third, "main").expect_err("no remote");
}

#[test]
fn a_checkout_moves_and_keeps_what_the_user_has() {
    let folder = folder();
    let repo = init(&folder);
    repo.commits("other.txt", "other\n");
    repo.git(["branch", "later"]);
    repo.git(["checkout", "--quiet", "later"]);
    let later = repo.commits("base.txt", "later\n");
    repo.git(["checkout", "--quiet", "main"]);
    let old = repo.oid("main");
    // A file in the way, changed or untracked.
    repo.write("base.txt", "mine\n");
    assert_eq!(
        worktree::fast_forward(repo.path(), &later).expect("git"),
        FastForward::InTheWay(vec!["base.txt".into()])
    );
    assert_eq!(
        (repo.read("base.txt").as_str(), repo.oid("main")),
        ("mine\n", old)
    );
    repo.git(["checkout", "--quiet", "base.txt"]);
    // Others stay.
    repo.write("other.txt", "mine\n");
    repo.write("untracked ü", "mine\n");
    let found = worktree::uncommitted(repo.path()).expect("git");
    assert_eq!(found.changed, ["other.txt"]);
    assert_eq!(found.untracked, ["untracked ü"]);
    assert_eq!(
        worktree::fast_forward(repo.path(), &later).expect("git"),
        FastForward::Done
    );
    assert_eq!(repo.oid("main"), later);
    assert_eq!(
        (
            repo.read("other.txt").as_str(),
            repo.read("untracked ü").as_str(),
            repo.read("base.txt").as_str()
        ),
        ("mine\n", "mine\n", "later\n")
    );
    repo.git(["checkout", "--quiet", "-b", "apart", "HEAD~1"]);
    repo.commits("apart", "x");
    assert_eq!(
        worktree::fast_forward(repo.path(), &later).expect("git"),
        FastForward::Diverged
    );
}

#[test]
fn hooks_do_not_run_and_a_move_has_a_session_of_its_own() {
    let folder = folder();
    let repo = init(&folder);
    let sid = folder.path().join("sid");
    repo.git(["checkout", "--quiet", "-b", "later"]);
    repo.write(".gitattributes", "base.txt filter=say\n");
    let later = repo.commits("base.txt", "later\n");
    repo.git(["checkout", "--quiet", "main"]);
    let smudge = format!("ps -o sid= -p $$ >'{}'; cat", sid.display());
    repo.git(["config", "filter.say.smudge", &smudge]);
    repo.write(".git/hooks/post-merge", "#!/bin/sh\ntouch hooked\n");
    let hook = repo.file(".git/hooks/post-merge");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("a mode");
    assert_eq!(
        worktree::fast_forward(repo.path(), &later).expect("git"),
        FastForward::Done
    );
    assert!(!repo.file("hooked").exists());
    let theirs: i32 = std::fs::read_to_string(sid)
        .expect("the filter has run")
        .trim()
        .parse()
        .expect("a session");
    let own = tmux_sesh::proc::read(std::process::id().cast_signed()).expect("this process");
    assert_ne!(theirs, own.session);
}

#[test]
fn a_lock_file_of_git_is_told_from_other_failures() {
    let folder = folder();
    let repo = init(&folder);
    let first = repo.oid("main");
    let later = repo.commits("a", "1");
    repo.git(["reset", "--quiet", "--hard", first.as_str()]);
    repo.write(".git/index.lock", "");
    let error = worktree::fast_forward(repo.path(), &later).expect_err("it is locked");
    assert_eq!(error.kind, ErrorKind::GitLocked, "{error}");
    std::fs::remove_file(repo.file(".git/index.lock")).expect("it is there");
    repo.write(".git/refs/heads/main.lock", "");
    let error = refs::set(repo.path(), "refs/heads/main", &later, Some(&first));
    let error = error.expect_err("it is locked");
    assert_eq!(error.kind, ErrorKind::GitLocked, "{error}");
}

#[test]
fn everything_of_a_checkout_as_a_commit() {
    let folder = folder();
    let repo = init(&folder);
    repo.write(".gitignore", "ignored\n");
    repo.commits("staged", "1\n");
    repo.write("staged", "2\n");
    repo.git(["add", "staged"]);
    repo.write("base.txt", "changed\n");
    repo.write("new ü", "new\n");
    repo.write("ignored", "x\n");
    let before = repo.status();
    let index = folder.path().join("index");
    let commit = worktree::snapshot(repo.path(), &index, "rescue").expect("git");
    assert_eq!(repo.status(), before);
    let names = diff::changed(repo.path(), &repo.oid("main"), &commit).expect("git");
    assert_eq!(names, ["base.txt", "new ü", "staged"]);
    assert_eq!(repo.git(["show", &format!("{commit}:staged")]), "2");
}

#[test]
fn checkouts_of_a_repository() {
    let folder = folder();
    let repo = init(&folder);
    let place = folder.path().join("with\nnewline");
    let start = repo.oid("main");
    worktree::add_new(repo.path(), &place, "feature/a", &start).expect("git");
    let found = worktree::of_branch(repo.path(), "feature/a").expect("git");
    assert_eq!(found.expect("it is there").path, place);
    assert_eq!(worktree::of_branch(repo.path(), "none").expect("git"), None);
    worktree::add(repo.path(), &folder.path().join("b"), "feature/a").expect_err("it is there");
    let own = folder.path().join("own");
    worktree::add_detached(repo.path(), &own, &start).expect("git");
    let own = GitRepo::at(&own);
    own.write("base.txt", "changed\n");
    own.write("untracked", "x\n");
    own.write("sub/untracked", "x\n");
    std::fs::write(repo.file(".git/info/exclude"), "cache\n").expect("a file");
    own.write("cache", "kept\n");
    let later = repo.commits("later", "x\n");
    worktree::reset_own(own.path(), &later).expect("git");
    assert_eq!((own.status().as_str(), own.oid("HEAD")), ("", later));
    assert_eq!(own.read("cache"), "kept\n");
    // A dirty one is not removed.
    std::fs::write(place.join("dirty"), "x").expect("a file");
    worktree::remove(repo.path(), &place).expect_err("it is dirty");
    std::fs::remove_file(place.join("dirty")).expect("it is there");
    worktree::remove(repo.path(), &place).expect("it is clean");
    std::fs::remove_dir_all(own.path()).expect("a folder");
    worktree::prune(repo.path()).expect("git");
    assert_eq!(worktree::list(repo.path()).expect("git").len(), 1);
}

#[test]
fn settings_are_read_when_the_checkout_is_gone() {
    let folder = folder();
    let repo = init(&folder);
    let linked = repo.worktree(&folder.path().join("other"), "other", "main");
    let found = linked.repository();
    repo.git(["config", "sesh.delete", "yes"]);
    std::fs::remove_dir_all(linked.path()).expect("a folder");
    assert!(found.switch("sesh.delete").expect("git"));
    assert_eq!(
        found.setting("sesh.delete").expect("git"),
        Some("yes".into())
    );
}
