//! A program to be copied as `claude`, `codex`, …: it lives until its terminal is gone.

fn main() {
    std::io::stdin().lines().for_each(drop);
}
