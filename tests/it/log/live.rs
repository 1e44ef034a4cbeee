//! A transcript while it is written.

use std::process::{Command, Stdio};
use std::time::Duration;

use pretty_assertions::assert_eq;
use tmux_sesh::proc;

use super::Talk;
use crate::support::{Dice, count, say, soak};

/// The processor time of a process and of the children that it has waited for, in clock ticks, and how often it has run.
fn used(pid: i32) -> (Vec<u64>, u64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("its times");
    let (_, fields) = stat.rsplit_once(") ").expect("its fields");
    let fields = fields.split(' ').skip(11).take(4);
    let ticks = fields.map(|field| field.parse().expect("a number"));
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let runs = status
        .lines()
        .filter_map(|line| line.split_once("ctxt_switches:"))
        .map(|(_, count)| count.trim().parse::<u64>().expect("a number"));
    (ticks.collect(), runs.sum())
}

/// For 60 s with `SESH_SOAK=1`.
#[test]
fn following_uses_no_clock_tick_and_starts_no_process() {
    let time = Duration::from_secs(if soak() { 60 } else { 3 });
    say(&format!("{time:?} (SESH_SOAK=1 for 60 s)"));
    let mut talk = Talk::new();
    talk.turn("one", "1");
    let mut follower = talk.follow(&[]);
    follower.prints("> one");
    follower.prints("  1");
    follower.listens();
    let before = used(follower.pid());
    std::thread::sleep(time); // why: nothing happens in this time.
    assert_eq!(used(follower.pid()), before);
    assert!(proc::children(follower.pid()).is_empty());
    talk.leaves();
    follower.prints("");
    follower.ends();
}

/// The text of a line, which shows where it is cut.
fn text(number: usize) -> String {
    format!(
        "line {number} {} end {number}",
        "größe 🦀 \" ".repeat(number * 7 % 60)
    )
}

/// Another process writes the lines in pieces of any size, also within a character. Neither a follower nor a reader of the
/// last turns shows a part of one.
#[test]
fn a_line_is_shown_whole_or_not_at_all() {
    let mut talk = Talk::new();
    let all = count(4000);
    let mut dice = Dice::new();
    talk.turn("begin", "now");
    let mut follower = talk.follow(&[]);
    follower.prints("> begin");
    follower.prints("  now");
    let bytes: Vec<u8> = (0..all)
        .flat_map(|number| talk.next("user", text(number)))
        .collect();
    let pieces = talk.server.path("pieces");
    std::fs::create_dir(&pieces).expect("a folder");
    let (mut at, mut piece) = (0, 0);
    while at < bytes.len() {
        let end = bytes.len().min(at + 1 + dice.roll(600));
        let file = pieces.join(format!("{piece:06}"));
        std::fs::write(file, &bytes[at..end]).expect("a piece");
        (at, piece) = (end, piece + 1);
    }
    let mut writer = Command::new("/bin/sh")
        .args([
            "-c",
            "for piece in \"$1\"/*; do cat \"$piece\" >>\"$2\"; done",
            "sh",
        ])
        .args([&pieces, &talk.file])
        .stdin(Stdio::null())
        .spawn()
        .expect("a writer");
    let mut last = 0;
    let mut is_over = false;
    while !is_over {
        is_over = writer.try_wait().expect("a status").is_some();
        let shown = talk.log(&["-n", "20"]);
        let number = |line: &String| line.split(' ').nth(2)?.parse::<usize>().ok();
        let numbers: Vec<usize> = shown.iter().filter_map(number).collect();
        let expected: Vec<String> = numbers
            .iter()
            .map(|it| format!("> {}", text(*it)))
            .collect();
        let lines = shown
            .iter()
            .filter(|line| !["> begin", "  now"].contains(&line.as_str()));
        assert_eq!(lines.cloned().collect::<Vec<_>>(), expected);
        assert!(
            numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{numbers:?}"
        );
        let newest = numbers.last().copied().unwrap_or_default();
        assert!(newest >= last, "{newest} after {last}");
        last = newest;
    }
    writer.wait().expect("its end");
    assert_eq!(last, all - 1);
    for number in 0..all {
        follower.prints(&format!("> {}", text(number)));
    }
    talk.leaves();
    follower.prints("");
    follower.ends();
}
