//! Measures what a tmux server holds: its heap, its descriptors, its processes.

use std::time::{Duration, Instant};

use super::{Server, say, until};

/// How the heap is measured. The first that works on this machine is used for a whole test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// The bytes that are allocated, from glibc's `mallinfo2()`, which gdb calls in the server: exact.
    Gdb,
    /// The resident set of `/proc/PID/statm`: whole pages, and free memory that the allocator keeps counts too.
    Rss,
}

impl Source {
    /// What a measurement can be wrong by, in bytes.
    pub(crate) fn noise(self) -> i64 {
        match self {
            Self::Gdb => 0,
            // The heap grows by 132 kB at a time, and a page counts from its first use on.
            Self::Rss => 132 * 1024,
        }
    }

    /// Whether so many acts that may leave `limit` bytes each have left more.
    pub(crate) fn is_over(self, grown: i64, times: usize, limit: i64) -> bool {
        let times = i64::try_from(times).expect("a number");
        grown - self.noise() > limit * times
    }
}

/// Measures the heap of one server.
pub(crate) struct Gauge<'a> {
    server: &'a Server,
    pub(crate) source: Source,
}

impl<'a> Gauge<'a> {
    /// Returns the most exact way to measure this server, or nothing where there is no `/proc` either.
    pub(crate) fn new(server: &'a Server) -> Option<Self> {
        let source = if by_gdb(server).is_some() {
            Source::Gdb
        } else if by_rss(server).is_some() {
            Source::Rss
        } else {
            say("the heap is not measured: neither gdb nor /proc works here");
            return None;
        };
        say(&format!("the heap is measured by {source:?}"));
        Some(Self { server, source })
    }

    /// Returns the size of the heap in bytes.
    #[track_caller]
    pub(crate) fn bytes(&self) -> i64 {
        match self.source {
            Source::Gdb => by_gdb(self.server).expect("gdb works as it did before"),
            Source::Rss => by_rss(self.server).expect("/proc works as it did before"),
        }
    }
}

/// Returns the allocated bytes of a server that is built with glibc, on a machine where gdb may attach to it.
fn by_gdb(server: &Server) -> Option<i64> {
    let gdb = which::which("gdb").ok()?;
    let pid = server.pid().to_string();
    // Large blocks are mapped one by one and counted apart.
    let sum = "p mallinfo2().uordblks + mallinfo2().hblkhd";
    let said = server
        .call(&gdb)
        .args(["-p", &pid, "-batch", "-nx", "-ex", sum])
        .said();
    String::from_utf8_lossy(&said.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("$1 = ")?.trim().parse().ok())
}

/// Returns the resident set of a server in bytes.
pub(crate) fn by_rss(server: &Server) -> Option<i64> {
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", server.pid())).ok()?;
    let pages: i64 = statm.split(' ').nth(1)?.parse().ok()?;
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * size)
}

impl Server {
    /// Returns the number of open descriptors of the server; 0 where there is no `/proc`.
    pub(crate) fn descriptors(&self) -> usize {
        let folder = std::fs::read_dir(format!("/proc/{}/fd", self.pid()));
        folder.map_or(0, Iterator::count)
    }

    /// Waits until the server runs no process but those of its panes, for 0.2 s: what its hooks have started has
    /// ended, and what that started in turn.
    #[track_caller]
    pub(crate) fn is_at_rest(&self) {
        let mut since = None;
        until("the server starts nothing", || {
            if self.children() > self.panes("x").len() {
                since = None;
                return false;
            }
            let since: Instant = *since.get_or_insert_with(Instant::now);
            since.elapsed() > Duration::from_millis(200)
        });
    }

    /// Returns the number of living processes that the server itself has started. A server that gdb has stopped may miss
    /// the signal of one that ended, and then reaps it together with the next.
    pub(crate) fn children(&self) -> usize {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let lives = |pid: &&str| {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name in parentheses may hold anything.
            state
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| !rest.starts_with('Z'))
        };
        children.map_or(0, |children| {
            children.split_whitespace().filter(lives).count()
        })
    }
}
