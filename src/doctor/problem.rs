//! The problems that the doctor can find: one list, which the findings and the tests share.

use serde::{Serialize, Serializer};

use super::{Area, Severity};

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $severity:ident $area:ident $id:literal,)*) => {
        /// A problem that the doctor can find, whatever it is found in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind {
            $($(#[$doc])* $name,)*
        }

        impl ProblemKind {
            /// Every problem. A test brings each of them about and does what its mend says.
            pub const ALL: &[ProblemKind] = &[$(ProblemKind::$name),*];

            /// Returns its word, which is public.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(ProblemKind::$name => $id,)*
                }
            }

            #[must_use]
            pub fn area(self) -> Area {
                match self {
                    $(ProblemKind::$name => Area::$area,)*
                }
            }

            #[must_use]
            pub fn severity(self) -> Severity {
                match self {
                    $(ProblemKind::$name => Severity::$severity,)*
                }
            }
        }
    };
}

problems! {
    NoTmux = Fault Tmux "no-tmux",
    ClientTooOld = Fault Tmux "client-too-old",
    ServerTooOld = Fault Tmux "server-too-old",
    /// Client and server use different protocols.
    OtherProtocol = Fault Tmux "other-protocol",
    OtherVersion = Note Tmux "other-version",
    /// The server closed the connection, as one of another protocol does.
    ServerHungUp = Fault Tmux "server-hung-up",
    ServerStopped = Fault Tmux "server-stopped",
    ServerHangs = Fault Tmux "server-hangs",
    /// What the program `tmux` printed is no answer of tmux.
    NoAnswerOfTmux = Fault Tmux "no-answer-of-tmux",
    NoVersion = Note Tmux "no-version",
    /// tmux before 3.4 ends when text is pasted into a pane that is kept dead.
    PasteIntoDead = Note Tmux "paste-into-dead",
    /// tmux before 3.6 with libutempter loses exit statuses.
    LosesExits = Note Tmux "loses-exits",
    /// A server lives without its socket.
    LostServer = Fault Tmux "lost-server",
    HelperMissing = Fault Helpers "helper-missing",
    HelperWithoutVersion = Fault Helpers "helper-without-version",
    HelperOfOtherVersion = Fault Helpers "helper-of-other-version",
    NoHelperOnPath = Note Helpers "no-helper-on-path",
    /// The folder or a file of new panes is not private.
    LaunchFolder = Fault Permissions "launch-folder",
    LaunchUnwritable = Fault Permissions "launch-unwritable",
    JournalOpen = Fault Permissions "journal-open",
    /// The socket through which the server says that it is reached is gone.
    SocketGone = Fault Permissions "socket-gone",
    SocketOpen = Fault Permissions "socket-open",
    SocketFolderOpen = Note Permissions "socket-folder-open",
    JournalUnwritable = Fault Journal "journal-unwritable",
    JournalMissed = Note Journal "journal-missed",
    JournalLacks = Fault Journal "journal-lacks",
    JournalNewer = Note Journal "journal-newer",
    JournalTorn = Note Journal "journal-torn",
    PluginNotLoaded = Note Plugin "plugin-not-loaded",
    PluginTrouble = Fault Plugin "plugin-trouble",
    PluginFolderGone = Fault Plugin "plugin-folder-gone",
    PluginWithoutHelpers = Fault Plugin "plugin-without-helpers",
    PluginHelpersGone = Fault Plugin "plugin-helpers-gone",
    PluginHelpersOld = Fault Plugin "plugin-helpers-old",
    PluginOfOtherVersion = Note Plugin "plugin-of-other-version",
    KeyGone = Note Keys "key-gone",
    KeyTaken = Note Keys "key-taken",
    ProceduresGone = Fault Hooks "procedures-gone",
    HooksGone = Fault Hooks "hooks-gone",
    SegmentNotReplaced = Fault Segment "segment-not-replaced",
    SegmentUnset = Fault Segment "segment-unset",
    SegmentNotShown = Note Segment "segment-not-shown",
    SettingUnknown = Fault Settings "setting-unknown",
    AgentFile = Fault Agents "agent-file",
    HooksDisabled = Fault Agents "hooks-disabled",
    HookFailed = Fault Agents "hook-failed",
    HookFailedBefore = Note Agents "hook-failed-before",
    RecordNewer = Fault Store "record-newer",
    RecordUnreadable = Fault Store "record-unreadable",
    /// An option that belongs to one pane is set for many.
    StateForMany = Fault Store "state-for-many",
    Stale = Fault Stale "stale",
    StateUnwritten = Note Stale "state-unwritten",
    ReapWithoutEnd = Note Stale "reap-without-end",
    /// What exists now could not be read.
    NotCompared = Fault Stale "not-compared",
    GitTooOld = Note Work "git-too-old",
    LedgerUnwritable = Note Work "ledger-unwritable",
    LedgerUnread = Note Work "ledger-unread",
    WorktreeWithoutHolder = Note Work "worktree-without-holder",
}

impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
