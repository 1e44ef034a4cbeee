//! A program to be copied as `claude`, `codex`, …: it lives until its terminal is gone, and runs what is typed behind
//! `hook ` as such an agent runs its hooks.

use std::process::{Command, Stdio};

fn main() {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Some(hook) = line.strip_prefix("hook ") {
            let _ = Command::new("sh")
                .args(["-c", hook])
                .stdin(Stdio::null())
                .status();
        }
    }
}
