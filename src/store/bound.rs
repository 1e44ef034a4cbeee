//! The process that a sesh is bound to: the value of `@sesh_proc`.

use std::fmt;

use crate::id::ProcessId;

/// The process that a sesh is bound to: `pid[:start[:shell]]`. The later parts may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub pid: i32,
    /// The start time, as in [`ProcessId`]. `None` until the process table was read.
    pub start: Option<u64>,
    /// The pid of the shell that `sesh-run` started.
    pub shell: Option<i32>,
}

impl Binding {
    /// Returns the binding to a process of which only the pid is known.
    #[must_use]
    pub fn pid(pid: i32) -> Self {
        Self {
            pid,
            start: None,
            shell: None,
        }
    }

    /// Parses the value. Returns `None` if it does not begin with a pid.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut fields = value.split(':');
        Some(Self {
            pid: fields.next()?.parse().ok()?,
            start: fields.next().and_then(|start| start.parse().ok()),
            shell: fields.next().and_then(|shell| shell.parse().ok()),
        })
    }
}

impl From<ProcessId> for Binding {
    fn from(process: ProcessId) -> Self {
        Self {
            start: Some(process.start),
            ..Self::pid(process.pid)
        }
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(start) = self.start else {
            return write!(f, "{}", self.pid);
        };
        let pid = self.pid;
        write!(f, "{}", ProcessId { pid, start })?;
        self.shell.map_or(Ok(()), |shell| write!(f, ":{shell}"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_binding_round_trips(pid: i32, start: Option<u64>, shell: Option<i32>) {
            let shell = shell.filter(|_| start.is_some());
            let bound = Binding { pid, start, shell };
            prop_assert_eq!(Binding::parse(&bound.to_string()), Some(bound));
        }
    }

    #[test]
    fn a_binding_must_begin_with_a_pid() {
        assert_eq!(Binding::parse(""), None);
        assert_eq!(Binding::parse(":1"), None);
        assert_eq!(Binding::parse("7:x"), Some(Binding::pid(7)));
    }
}
