//! How each of the real ones looks, as far as anything goes by it.

use unicode_width::UnicodeWidthChar;

use super::kind::Kind;

/// What there is to draw.
pub(crate) struct Scene<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) history: &'a [String],
    /// What stands in the composer, as it is shown.
    pub(crate) text: &'a str,
    pub(crate) works: bool,
    /// The rows of a person's own below everything.
    pub(crate) footer: &'a [String],
    /// A mode of its vim keys.
    pub(crate) mode: &'a str,
    /// Drawn for a screen reader.
    pub(crate) plain: bool,
    pub(crate) asks: Option<Question>,
    /// A menu of what a last `@word` completes to.
    pub(crate) completes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Permission,
    Trust,
}

/// As wide as the pane.
const WIDTH: usize = 80;
/// As many rows of a text as a low pane has room for.
const MOST: usize = 10;

/// A row as the real ones draw it: what belongs to one picture is at one place, and what follows is behind its width.
fn placed(row: &str) -> String {
    let joins =
        |c: char| matches!(c, '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}');
    if !row.contains(|c: char| c.width() == Some(0) || joins(c)) {
        return row.into();
    }
    let (mut placed, mut column, mut joined) = (String::new(), 1, false);
    for c in row.chars() {
        if !(joined || joins(c) || c.width() == Some(0)) {
            placed.push_str(&format!("\x1b[{column}G"));
            column += c.width().unwrap_or(0);
        }
        placed.push(c);
        joined = c == '\u{200d}';
    }
    placed
}

impl Scene<'_> {
    /// The title, where it tells something.
    pub(crate) fn title(&self) -> Option<&'static str> {
        let asks = self.asks.is_some();
        let (idle, busy, waiting) = match self.kind.name {
            "codex" => ("project", "⠋ project", "[ ! ] Action Required | project"),
            "gemini" => (
                "◇  Ready (project)",
                "✦  Working… (project)",
                "✋  Action Required (project)",
            ),
            _ => return None,
        };
        Some(match (asks, self.works) {
            (true, _) => waiting,
            (_, true) => busy,
            _ => idle,
        })
    }

    /// The rows, and which of them the composer's last is.
    pub(crate) fn rows(&self) -> (Vec<String>, usize) {
        let history = self.history.iter().flat_map(|text| text.split('\n'));
        let mut rows: Vec<String> = history.map(Into::into).collect();
        if let Some(question) = self.asks {
            rows.extend(self.question(question).iter().map(ToString::to_string));
            let last = rows.len() - 1;
            return (rows, last);
        }
        if self.plain {
            rows.push("manual mode on".into());
            let mut lines = self.text.split('\n').map(ToString::to_string);
            let first = lines.next().filter(|line| !line.is_empty());
            rows.push(first.map_or("$".into(), |first| format!("$\u{a0} {first}")));
            rows.extend(lines);
            let last = rows.len() - 1;
            return (rows, last);
        }
        if self.works {
            rows.extend(self.working());
        }
        if self.kind.name == "aider" && self.works {
            let last = rows.len() - 1;
            return (rows, last);
        }
        rows.extend(self.above());
        let typed = self.typed();
        rows.extend(typed);
        let at = rows.len() - 1;
        let mut below = self.below();
        if !self.mode.is_empty() {
            below.push(format!("  {}", self.mode));
        }
        rows.extend(below);
        rows.extend_from_slice(self.footer);
        (rows, at)
    }

    fn working(&self) -> Vec<String> {
        let row = match self.kind.name {
            "codex" => "• Working (1s • esc to interrupt)",
            "gemini" => " ⠴ Thinking... (esc to cancel, 2s)",
            "pi" => " ⠋ Working...",
            "aider" => "> what it works on",
            "claude" => "✻ Working… (esc to interrupt)",
            _ => return Vec::new(),
        };
        vec![row.into(), String::new()]
    }

    fn above(&self) -> Vec<String> {
        match self.kind.name {
            "codex" => vec![String::new()],
            "gemini" => vec!["▄".repeat(WIDTH)],
            "opencode" => vec!["  ┃".into()],
            "claude" => vec![self.upper_line()],
            _ => vec!["─".repeat(WIDTH)],
        }
    }

    /// Claude's line names the rows that have scrolled out of its composer.
    fn upper_line(&self) -> String {
        let hidden = self.lines().len().saturating_sub(MOST);
        if hidden == 0 {
            return "─".repeat(WIDTH);
        }
        let label = format!("─── ↑ {hidden} more ");
        let rest = WIDTH - label.chars().count();
        format!("{label}{}", "─".repeat(rest))
    }

    fn below(&self) -> Vec<String> {
        let footer = |idle: &str, busy: &str| if self.works { busy } else { idle }.to_string();
        let rule = "─".repeat(WIDTH);
        match self.kind.name {
            "codex" if self.completes => vec![String::new(), "  README.md  file".into()],
            "codex" => vec![
                String::new(),
                "  lab-model default · /project".into(),
                "  ? for shortcuts".into(),
            ],
            "gemini" => {
                let mut rows = vec!["▀".repeat(WIDTH)];
                if self.completes {
                    rows.push(" README.md".into());
                }
                rows.push(" workspace (/directory)            branch".into());
                rows.push(" /project                          master".into());
                rows
            }
            "opencode" => vec![
                "  ┃".into(),
                "  ┃  Build · lab-model Lab".into(),
                format!("  ╹{}", "▀".repeat(WIDTH - 6)),
                footer("     ctrl+p commands", "   ⬝⬝■■■■■■  esc interrupt"),
            ],
            "pi" => vec![
                rule,
                "/project".into(),
                "0.0%/128k (auto)                    lab-model".into(),
            ],
            "copilot" => vec![
                rule,
                footer(
                    " Interactive · Manual Approval · / commands",
                    " ◉ Working · 74 B esc esc interrupt",
                ),
            ],
            "aider" => Vec::new(),
            _ => vec![rule, footer("  ? for shortcuts", "  esc to interrupt")],
        }
    }

    /// The composer's rows, broken where the pane ends.
    fn typed(&self) -> Vec<String> {
        let (first, more) = match self.kind.name {
            "codex" => ("› ", "  "),
            "gemini" => (" > ", "   "),
            "opencode" => ("  ┃  ", "  ┃  "),
            "pi" => ("", ""),
            "copilot" => ("❯ ", "  "),
            "aider" => ("> ", "> "),
            _ => ("❯\u{a0}", "  "),
        };
        if self.text.is_empty() {
            let hint = match self.kind.name {
                "codex" => "\x1b[2mAsk Codex to do anything\x1b[0m",
                "gemini" => "  Type your message or @path/to/file",
                "opencode" => "\x1b[2mAsk anything…\x1b[0m",
                _ => "",
            };
            return vec![format!("{first}{hint}")];
        }
        let mut rows: Vec<String> = Vec::new();
        for piece in self.lines() {
            let edge = if rows.is_empty() { first } else { more };
            rows.push(placed(&format!("{edge}{}", self.coloured(&piece))));
        }
        let skip = rows.len().saturating_sub(MOST);
        if skip > 0 {
            rows.drain(..skip);
            if self.kind.name != "claude" {
                rows[0] = rows[0].replacen(more, first, 1);
            }
        }
        rows
    }

    /// The lines of the text, broken where the pane ends.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.text.split('\n') {
            let characters: Vec<char> = line.chars().collect();
            let pieces = characters.chunks(WIDTH - 8);
            let before = lines.len();
            lines.extend(pieces.map(|piece| piece.iter().collect::<String>()));
            if lines.len() == before {
                lines.push(String::new());
            }
        }
        lines
    }

    /// aider draws some words in grey, and a tab as it is called.
    fn coloured(&self, piece: &str) -> String {
        if self.kind.name != "aider" {
            return piece.into();
        }
        let word = |word: &str| {
            if word.starts_with(['#', '@']) {
                format!("\x1b[38;5;246m{word}\x1b[0m")
            } else {
                word.into()
            }
        };
        let words: Vec<String> = piece.split(' ').map(word).collect();
        words.join(" ").replace('\t', "^I")
    }

    fn question(&self, question: Question) -> &'static [&'static str] {
        match (self.kind.name, question) {
            ("codex", Question::Permission) => &[
                "  Would you like to run the following command?",
                "",
                "  $ rm -r x",
                "",
                "› 1. Yes, proceed (y)",
                "  2. Yes, and don't ask again for commands that start with `rm` (p)",
                "  3. No, and tell Codex what to do differently (esc)",
                "",
                "  Press enter to confirm or esc to cancel",
            ],
            ("codex", Question::Trust) => &[
                "  Do you trust the contents of this directory?",
                "",
                "› 1. Trust and continue",
                "  2. No, quit",
                "",
                "  enter continue · esc back",
            ],
            ("gemini", Question::Permission) => &[
                "╭────────────────────────────────────╮",
                "│ Allow execution of [Shell]?        │",
                "│                                    │",
                "│ ● 1. Allow once                    │",
                "│   2. Allow for this session        │",
                "│   3. No, suggest changes (esc)     │",
                "╰────────────────────────────────────╯",
            ],
            ("gemini", Question::Trust) => &[
                "╭────────────────────────────────────╮",
                "│ ● 1. Trust folder (project)        │",
                "│   2. Trust parent folder (proj)    │",
                "│   3. Don't trust                   │",
                "╰────────────────────────────────────╯",
            ],
            ("opencode", _) => &[
                "  ┃  △ Permission required",
                "  ┃    # Shell command",
                "  ┃",
                "  ┃  $ rm -r x",
                "  ┃",
                "  ┃   Allow once   Allow always   Reject  ctrl+f fullscreen",
                "  ┃",
            ],
            ("copilot", Question::Permission) => &[
                "╭────────────────────────────────────╮",
                "│ Do you want to run this command?   │",
                "│                                    │",
                "│ ❯ 1. Yes                           │",
                "│   3. No, and tell Copilot what to  │",
                "│                                    │",
                "│ enter to select · esc to cancel    │",
                "╰────────────────────────────────────╯",
            ],
            ("copilot", Question::Trust) => &[
                "╭────────────────────────────────────╮",
                "│ Do you trust the files in this     │",
                "│ ❯ 1. Yes                           │",
                "│   3. No (Esc)                      │",
                "│ enter to select · esc to cancel    │",
                "╰────────────────────────────────────╯",
            ],
            ("aider", _) => &[
                "touch x",
                "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]:",
            ],
            (_, Question::Trust) => &[
                " Security guide",
                "",
                " ❯ No, exit",
                "   Yes, I trust this folder",
                "",
                " Enter to confirm · Esc to cancel",
            ],
            (_, Question::Permission) => &[
                " Bash command",
                "",
                "   rm -r x",
                "",
                " Do you want to proceed?",
                " ❯ 1. Yes",
                "   2. No",
                "",
                " Esc to cancel",
            ],
        }
    }
}
