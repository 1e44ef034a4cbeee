//! What each of the real ones does with what is typed and pasted, as it was measured: Claude Code 2.1.329, Codex 0.169.0,
//! pi 0.73.1, Gemini CLI 0.61.0, opencode 1.18.33, Copilot CLI 1.0.102, aider 0.86.2.

use std::time::Duration;

/// The habits of one of them.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Keys that come faster are a paste, and Enter right behind them a line of it.
    pub(crate) fast: Duration,
    /// Enter so close behind a paste is a line of it.
    pub(crate) swallows: Duration,
    /// What it does with what comes while it works.
    pub(crate) meanwhile: Meanwhile,
    /// The key that queues, where Enter steers.
    pub(crate) queues: &'static [u8],
    /// C-s puts the draft aside.
    pub(crate) stashes: bool,
    /// What it does with a word behind a slash that it does not know.
    pub(crate) slash: Slash,
    /// `!` before a text runs it.
    pub(crate) runs: bool,
    /// Enter behind a backslash begins a new line.
    pub(crate) goes_on: bool,
    /// Enter behind a last `@word` takes what it completes to.
    pub(crate) completes: bool,
    pub(crate) tab: &'static str,
    /// A path is a command too.
    pub(crate) paths: bool,
    /// Blanks before a text are taken away.
    pub(crate) trims: bool,
    /// A long paste has a frame when the model gets it.
    pub(crate) frames: bool,
    /// Accents and Hangul are composed.
    pub(crate) composes: bool,
    /// It adds a blank to a long paste.
    pub(crate) pads: bool,
    /// From how many lines or characters on a paste is shown as a mark.
    pub(crate) long: (usize, usize),
    /// The keys that choose at its question, beside Enter.
    pub(crate) choices: &'static [u8],
    /// Enter trusts where it asks whether to.
    pub(crate) trusts: bool,
    /// The key that interrupts it.
    pub(crate) interrupt: u8,
    /// That key has to come twice, with a pause between: two at once are another key.
    pub(crate) twice: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    Queues,
    Steers,
    /// It reads nothing, and later all of it.
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slash {
    /// The text is gone.
    Gone,
    /// The text stays where it is.
    Stays,
    Sent,
}

const NONE: Duration = Duration::ZERO;
const ESCAPE: u8 = 0x1b;
const C_C: u8 = 0x03;

const CLAUDE: Kind = Kind {
    name: "claude",
    fast: NONE,
    swallows: NONE,
    meanwhile: Meanwhile::Queues,
    queues: b"",
    stashes: true,
    slash: Slash::Gone,
    runs: true,
    goes_on: true,
    completes: false,
    tab: "    ",
    paths: false,
    trims: false,
    frames: true,
    composes: true,
    pads: false,
    long: (4, 800),
    choices: b"123",
    trusts: false,
    interrupt: ESCAPE,
    twice: false,
};

const KINDS: [Kind; 7] = [
    CLAUDE,
    Kind {
        name: "codex",
        fast: Duration::from_millis(120),
        meanwhile: Meanwhile::Steers,
        queues: b"\t",
        stashes: false,
        slash: Slash::Stays,
        goes_on: false,
        completes: true,
        tab: "\t",
        trims: true,
        frames: false,
        composes: false,
        long: (usize::MAX, 1000),
        choices: b"ypn123",
        trusts: true,
        ..CLAUDE
    },
    Kind {
        name: "pi",
        meanwhile: Meanwhile::Steers,
        queues: b"\x1b\r",
        stashes: false,
        slash: Slash::Sent,
        trims: true,
        frames: false,
        composes: false,
        long: (10, 1000),
        ..CLAUDE
    },
    Kind {
        name: "gemini",
        fast: Duration::from_millis(40),
        swallows: Duration::from_millis(40),
        stashes: false,
        slash: Slash::Sent,
        runs: false,
        completes: true,
        tab: "\t",
        trims: true,
        frames: false,
        composes: false,
        long: (6, 500),
        trusts: true,
        ..CLAUDE
    },
    Kind {
        name: "opencode",
        stashes: false,
        slash: Slash::Sent,
        runs: false,
        goes_on: false,
        completes: true,
        tab: "\t",
        frames: false,
        composes: false,
        pads: true,
        long: (3, 700),
        choices: b"hl",
        twice: true,
        ..CLAUDE
    },
    Kind {
        name: "copilot",
        stashes: false,
        completes: true,
        trims: true,
        frames: false,
        composes: false,
        long: (20, usize::MAX),
        trusts: true,
        interrupt: C_C,
        ..CLAUDE
    },
    Kind {
        name: "aider",
        meanwhile: Meanwhile::Nothing,
        stashes: false,
        goes_on: false,
        tab: "\t",
        paths: true,
        frames: false,
        composes: false,
        long: (usize::MAX, usize::MAX),
        choices: b"",
        interrupt: C_C,
        ..CLAUDE
    },
];

impl Kind {
    /// The one that this program is called after.
    pub(crate) fn own() -> &'static Self {
        let name = super::name();
        let known = KINDS.iter().find(|kind| kind.name == name);
        known.unwrap_or(&KINDS[0])
    }

    /// What stands in place of a long paste.
    pub(crate) fn mark(&self, text: &str) -> Option<String> {
        let (lines, characters) = (text.lines().count(), text.chars().count());
        if lines < self.long.0 && characters <= self.long.1 {
            return None;
        }
        Some(match self.name {
            "codex" => format!("[Pasted Content {characters} chars]"),
            "pi" if lines >= self.long.0 => format!("[paste #1 +{lines} lines]"),
            "pi" => format!("[paste #1 {characters} chars]"),
            "gemini" if lines >= self.long.0 => format!("[Pasted Text: {lines} lines]"),
            "gemini" => format!("[Pasted Text: {characters} chars]"),
            "opencode" => format!("[Pasted ~{lines} lines]"),
            "copilot" => format!("[Paste #1 - {lines} lines]"),
            _ if lines > 1 => format!("[Pasted text #1 +{} lines]", lines - 1),
            _ => "[Pasted text #1]".into(),
        })
    }
}
