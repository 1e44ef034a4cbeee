//! Delivers a message to a shell: only where its line editor has the terminal and its line is empty.
//!
//! The proof before Enter is the text itself, between the old position of the cursor and the new one. A text that does
//! not stand there as it was typed is removed again with the key by which shells kill a line.

use std::path::Path;
use std::time::{Duration, Instant};

use super::refusal::Blocked;
use super::typing::{BYTES_PER_SECOND, DRAW_TIMEOUT, STABLE, buffer};
use super::{Delivery, DeliveryOutcome, Draft, PaneView, Proof, Reason, pause, refused, typed};
use crate::agent::message;
use crate::agent::screen::{Screen, ScreenRow};
use crate::error::Result;
use crate::pane::shell::prompt::{self, LineContent};
use crate::pane::shell::{Reading, Shell};
use crate::proc::{self, Process};
use crate::tmux::{Batch, command};

/// How long a shell may take from its start to its first prompt.
const STARTUP: Duration = Duration::from_secs(30);
/// How long a shell may take from the end of a command to its next prompt.
const PROMPT_DELAY: Duration = Duration::from_secs(1);
/// How long a shell may take to move its cursor.
const MOVE_TIMEOUT: Duration = Duration::from_millis(200);
/// How long a shell may take to insert a character.
const INSERT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a shell may take to remove a line.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);
/// How many bytes of a line a terminal in canonical mode keeps, without its end (Linux; N_TTY_BUF_SIZE is 4096).
const LINE_BYTES: usize = 4095;

/// A shell that reads a line.
#[derive(Clone, Debug)]
pub(super) struct ShellLine {
    shell: Shell,
    reading: Reading,
    /// The screen does not show whether the line is empty.
    unsure: bool,
    /// Shows the screen up to the cursor.
    shown: String,
    /// Shows the rows above it.
    above: String,
    /// The prompt at the right edge.
    right: String,
}

/// How a text is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As a paste: bracketed, if the shell has asked for that.
    Paste,
    /// As keys, with the key before each line feed and tab by which bash and zsh insert the next key as it is.
    Quoted,
}

impl PaneView<'_> {
    fn cursor(&self) -> (usize, usize) {
        let facts = self.facts();
        let number = |text: &str| text.parse().unwrap_or(0);
        (number(facts.cursor_column), number(facts.cursor_row))
    }

    /// Returns whether tmux shows control characters of a buffer in place of typing them, unless `-S` is given: 3.7 and
    /// later, which tell whether a paste is bracketed.
    fn escapes(&self) -> bool {
        !self.facts().bracketed.is_empty()
    }

    fn line_content(&self) -> LineContent {
        let width = self.facts().width.parse().unwrap_or(usize::MAX);
        prompt::line(&Screen::parse(&self.look.drawn), self.cursor(), width)
    }

    /// Returns the condition that the cursor is where it was seen.
    fn cursor_stays(&self) -> String {
        let facts = self.facts();
        format!(
            "#{{==:#{{cursor_x}}:#{{cursor_y}},{}:{}}}",
            facts.cursor_column, facts.cursor_row
        )
    }

    /// Returns the screen up to the cursor without blanks, and without the prompt at the right edge.
    fn up_to_cursor(&self, right: &str) -> String {
        let (column, _) = self.cursor();
        self.rows_to_cursor(right, |row| prompt::split(row, column).0)
    }

    /// Returns the same with the whole row of the cursor, but for a suggestion. Where the shell and tmux place characters
    /// differently, the column of the cursor is not the end of the text.
    fn up_to_row_end(&self, right: &str) -> String {
        self.rows_to_cursor(right, |row| {
            let typed = row.characters(0).filter(|(_, style)| !style.is_faint());
            let typed: String = typed.map(|(c, _)| c).collect();
            let typed = typed.trim_end();
            typed.strip_suffix(right).unwrap_or(typed).into()
        })
    }

    /// Returns the rows above that of the cursor in the same way.
    fn above_cursor(&self, right: &str) -> String {
        self.rows_to_cursor(right, |_| String::new())
    }

    fn rows_to_cursor(&self, right: &str, last: impl Fn(&ScreenRow) -> String) -> String {
        let screen = Screen::parse(&self.look.drawn);
        let (_, row) = self.cursor();
        let rows = &screen.rows()[..row.min(screen.rows().len())];
        let above = rows.iter().map(ScreenRow::text).map(|text| {
            let text = text.strip_suffix(right).unwrap_or(text);
            message::normalized(text)
        });
        let mut shown: String = above.collect();
        if let Some(at_cursor) = screen.rows().get(row) {
            shown.push_str(&message::normalized(&last(at_cursor)));
        }
        shown
    }

    /// Returns the process in front of the pane's terminal.
    fn front(&self) -> Option<Process> {
        let first = proc::read(self.look.pane.place.pid);
        first.and_then(|first| proc::read(first.foreground))
    }
}

/// Returns the shell in front, if a message may be typed into its line.
pub(super) fn line_of(seen: &PaneView<'_>, front: Process) -> Result<ShellLine, Blocked> {
    let name = front.name.clone();
    let age = proc::started(&front).and_then(|started| started.elapsed().ok());
    let Some(shell) = Shell::of(front) else {
        let why = format!("it runs {name}, which is no agent and no shell: pane-keys types anyway");
        return Err(Blocked::new(Reason::Stranger, why));
    };
    let facts = seen.facts();
    let reading = shell.reading(Some(Path::new(facts.terminal)));
    if reading == Reading::Nothing {
        let left = STARTUP.saturating_sub(age.unwrap_or(STARTUP));
        if shell.is_interactive() && !left.is_zero() {
            let why = format!("{name} is not at its prompt: it is starting, or runs a command");
            return Err(Blocked::new(Reason::NotReady, why).passes_within(left));
        }
        let why =
            format!("{name} is not at its prompt: it runs a command, which would read the text");
        return Err(Blocked::new(Reason::Busy, why).passes_within(PROMPT_DELAY));
    }
    let screen = Screen::parse(&seen.look.drawn);
    let cursor = seen.cursor();
    let line = seen.line_content();
    match line {
        LineContent::Typed => {
            let row = screen.rows().get(cursor.1).map_or("", ScreenRow::text);
            let why = format!(
                "a person has typed a command, but not sent it: {:?}",
                row.trim()
            );
            Err(Blocked::new(Reason::Draft, why))
        }
        LineContent::NoPrompt => {
            let why = format!(
                "{name} shows no known prompt (one that ends in $, %, # or >): it may ask a question"
            );
            Err(Blocked::new(Reason::NotReady, why))
        }
        LineContent::Unsure if reading == Reading::Lines => {
            let why = format!("{name} does not show whether its line is empty");
            Err(Blocked::new(Reason::Draft, why))
        }
        LineContent::Empty | LineContent::Unsure => {
            let at_cursor = screen.rows().get(cursor.1);
            let right = at_cursor.map(|row| prompt::split(row, cursor.0).1);
            let right: String = right.into_iter().flatten().map(|(c, _)| c).collect();
            let right = right.trim().to_string();
            Ok(ShellLine {
                unsure: line == LineContent::Unsure,
                shown: seen.up_to_cursor(&right),
                above: seen.above_cursor(&right),
                shell,
                reading,
                right,
            })
        }
    }
}

impl ShellLine {
    /// Returns how the text is typed, or why the shell cannot get it as it is.
    fn form(&self, seen: &PaneView<'_>, text: &str) -> Result<Form, Blocked> {
        let has_lines = text.contains('\n');
        let unfit = |why: &str| Err(Blocked::new(Reason::Unsupported, why));
        if self.reading == Reading::Lines {
            if has_lines {
                return unfit("this shell would run each line separately: send one line at a time");
            }
            if text.len() > LINE_BYTES {
                return unfit("its terminal cuts a line at 4,095 bytes: put the text into a file");
            }
            return Ok(Form::Paste);
        }
        // Up to tmux 3.6 it is not known whether a paste is bracketed.
        let bracketed = seen.facts().bracketed;
        let program = self.shell.program.as_str();
        if bracketed == "1" || !(has_lines || text.contains('\t')) {
            Ok(Form::Paste)
        } else if ["bash", "zsh"].contains(&program) {
            Ok(Form::Quoted)
        } else if bracketed.is_empty() && program == "fish" && !self.shell.is_without_settings() {
            // It asks for bracketed paste in the functions that it comes with.
            Ok(Form::Paste)
        } else {
            unfit("this shell accepts no paste: a line end or a tab would act as a key")
        }
    }

    /// Returns whether the shell could take the text for commands of its vi keys. Measured after Escape with vi keys: zsh
    /// 5.9 and fish 3.6 insert a bracketed paste, bash 5.2 and ksh 93u+m do not.
    fn may_take_text_for_keys(&self, form: Form) -> bool {
        let inserts_paste = ["zsh", "fish"].contains(&self.shell.program.as_str());
        self.reading == Reading::Editor && (form == Form::Quoted || !inserts_paste)
    }

    /// Returns whether the text stands behind the prompt, and nothing else.
    fn holds(&self, now: &PaneView<'_>, text: &str) -> bool {
        let normalized = message::normalized(text);
        // With vi keys the cursor can stand on the last character.
        let row_end = now.up_to_row_end(&self.right);
        for shown in [&now.up_to_cursor(&self.right), &row_end] {
            if is_whole(now, &self.shown, &normalized, shown) {
                return true;
            }
        }
        let [prompt, drawn, shown] = [&self.shown, &normalized, &row_end].map(|it| self.drawn(it));
        message::has_odd_characters(text) && is_whole(now, &prompt, &drawn, &shown)
    }

    /// Returns what of a text the shell and the terminal certainly draw. The vowels of Hangul that is not composed have no
    /// width in zsh.
    fn drawn(&self, text: &str) -> String {
        if self.shell.program == "zsh" {
            let drawn = message::drawn(&without_numbers(text));
            drawn.replace(|c| matches!(c, '\u{1160}'..='\u{11ff}'), "")
        } else {
            message::drawn(text)
        }
    }

    /// Returns whether the line is empty again. Its prompt may tell another mode of vi keys, or the time.
    fn is_empty_again(&self, now: &PaneView<'_>) -> bool {
        let shown = now.up_to_cursor(&self.right);
        let is_as_before = !shown.is_empty() && self.shown.ends_with(&shown);
        let is_same_row = now.above_cursor(&self.right) == self.above;
        is_as_before || (is_same_row && now.line_content() == LineContent::Empty)
    }

    /// Returns whether this shell still is in front.
    fn is_in_front(&self, now: &PaneView<'_>) -> bool {
        let front = now.front();
        front.is_some_and(|front| front.id() == self.shell.process.id())
    }

    /// Returns whether this shell still is in front and reads its line.
    fn still_reads(&self, now: &PaneView<'_>) -> bool {
        let front = now.front().and_then(Shell::of);
        front.is_some_and(|front| {
            front.process.id() == self.shell.process.id()
                && front.reading(Some(Path::new(now.facts().terminal))) == self.reading
        })
    }
}

/// Returns a text without what zsh 5.9 shows in place of a character that has no width: its number, as in `<200d>`.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split('<');
    let mut rest = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let is_number = |digits: &str| {
            (4..=8).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit())
        };
        match part.split_once('>') {
            Some((digits, after)) if is_number(digits) => rest.push_str(after),
            _ => rest.extend(["<", part]),
        }
    }
    rest
}

/// Returns whether what is shown is all of a text behind a prompt. A text that is higher than the screen has scrolled
/// its own beginning away.
fn is_whole(now: &PaneView<'_>, prompt: &str, text: &str, shown: &str) -> bool {
    let height = Screen::parse(&now.look.drawn).rows().len();
    let is_high = now.cursor().1 + 1 >= height;
    format!("{prompt}{text}").ends_with(shown) && (is_high || shown.len() >= text.len())
}

impl<'a> Delivery<'a> {
    /// Types the message into the line of a shell. Returns `None` when the pane is to be looked at again.
    pub(super) fn deliver_to_shell(
        &self,
        seen: PaneView<'a>,
        line: &ShellLine,
        is_last_try: bool,
    ) -> Result<Option<DeliveryOutcome>> {
        let text = self.message.text;
        let form = match line.form(&seen, text) {
            Ok(form) => form,
            Err(blocked) => return Ok(Some(refused(&seen, blocked))),
        };
        let look_again = || {
            pause();
            Ok(None)
        };
        if line.unsure && self.has_typed_text(&seen)? {
            if self.message.draft == Draft::Wait && !self.timed_out() {
                return look_again();
            }
            let why = "a person has typed a command, but not sent it";
            return Ok(Some(refused(&seen, Blocked::new(Reason::Draft, why))));
        }
        let look_again_or_refuse = || {
            if !self.timed_out() {
                return look_again();
            }
            let why = "its shell redraws its line all the time";
            Ok(Some(refused(&seen, Blocked::new(Reason::NotReady, why))))
        };
        let begun = if line.may_take_text_for_keys(form) {
            if !self.type_keys(&seen, " ")? {
                return look_again_or_refuse();
            }
            let Some(begun) = self.wait_until_moved(&seen)? else {
                self.type_keys(&seen, "\u{15}")?;
                let why = "its shell inserts no text: press i there (vi command mode)";
                return Ok(Some(refused(&seen, Blocked::new(Reason::NotReady, why))));
            };
            Some(begun)
        } else {
            None
        };
        let at = begun.as_ref().unwrap_or(&seen);
        if !self.type_text(at, form, text, begun.is_some())? {
            return look_again_or_refuse();
        }
        let Some(drawn) = self.wait_until_line_holds(line, text)? else {
            return self.take_back(line, is_last_try);
        };
        if !self.message.enter {
            return Ok(Some(DeliveryOutcome::Placed { agent: None }));
        }
        let record = drawn.look.pane.record.as_ref();
        let before = record.map(|record| (record.uuid, record.generation));
        let buffer = buffer();
        let enter = Batch::from(command::paste_as_keys(self.pane, &buffer));
        let stays = drawn.cursor_stays();
        if !self.run_if_unchanged(&drawn, Some(&stays), enter, b"\n", &buffer)? {
            return self.take_back(line, is_last_try);
        }
        loop {
            let now = self.look()?;
            if !line.still_reads(&now) || !line.holds(&now, text) {
                return Ok(Some(DeliveryOutcome::Proven {
                    by: Proof::Screen,
                    queued: false,
                    agent: None,
                    before,
                    unreported: None,
                }));
            }
            if self.timed_out() {
                return Ok(Some(typed(&now, "the shell has not accepted the line")));
            }
            pause();
        }
    }

    /// Returns whether a text stands before the cursor: then the key Left moves it, and Right moves it back. A line that
    /// changes meanwhile counts as one with a text.
    fn has_typed_text(&self, seen: &PaneView<'a>) -> Result<bool> {
        if !self.press_here(seen, "Left", 1)? {
            return Ok(true);
        }
        let begun = Instant::now();
        loop {
            let now = self.look()?;
            if now.cursor() != seen.cursor() {
                self.press_here(&now, "Right", 1)?;
                return Ok(true);
            }
            if begun.elapsed() >= MOVE_TIMEOUT {
                return Ok(false);
            }
            pause();
        }
    }

    /// Presses a key if the pane and its cursor still are as they were seen.
    fn press_here(&self, seen: &PaneView<'_>, key: &str, times: u16) -> Result<bool> {
        self.press(seen, Some(&seen.cursor_stays()), times, &[key.into()])
    }

    /// Waits until the cursor has moved. Returns `None` if it does not.
    fn wait_until_moved(&self, seen: &PaneView<'a>) -> Result<Option<PaneView<'a>>> {
        let begun = Instant::now();
        loop {
            let now = self.look()?;
            if now.cursor() != seen.cursor() {
                return Ok(Some(now));
            }
            if begun.elapsed() >= INSERT_TIMEOUT {
                return Ok(None);
            }
            pause();
        }
    }

    /// Types keys, given as their bytes, if the pane and its cursor still are as they were seen.
    fn type_keys(&self, seen: &PaneView<'_>, keys: &str) -> Result<bool> {
        let buffer = buffer();
        let act = command::type_buffer(self.pane, &buffer, seen.escapes());
        let stays = seen.cursor_stays();
        self.run_if_unchanged(seen, Some(&stays), act.into(), keys.as_bytes(), &buffer)
    }

    /// Types the text. `is_begun`: a blank stands in the line, which is erased first.
    fn type_text(
        &self,
        seen: &PaneView<'_>,
        form: Form,
        text: &str,
        is_begun: bool,
    ) -> Result<bool> {
        /// Has bash and zsh insert the next key.
        const QUOTE: char = '\u{16}';
        const ERASE: &str = "\u{7f}";
        let mut act = Batch::new();
        if is_begun {
            let erase = buffer();
            act = act
                .then(command::set_buffer(&erase, ERASE))
                .then(command::type_buffer(self.pane, &erase, seen.escapes()));
        }
        let buffer = buffer();
        let (act, text) = match form {
            Form::Paste => (
                act.then(command::paste(self.pane, &buffer)),
                text.to_string(),
            ),
            Form::Quoted => {
                let quoted = |c| {
                    let quote = matches!(c, '\n' | '\t').then_some(QUOTE);
                    quote.into_iter().chain([c])
                };
                let keys = text.chars().flat_map(quoted).collect();
                let typed = command::type_buffer(self.pane, &buffer, seen.escapes());
                (act.then(typed), keys)
            }
        };
        let stays = seen.cursor_stays();
        self.run_if_unchanged(seen, Some(&stays), act, text.as_bytes(), &buffer)
    }

    /// Waits until the text stands behind the prompt and does not change any more. Returns `None` if it does not.
    fn wait_until_line_holds(&self, line: &ShellLine, text: &str) -> Result<Option<PaneView<'a>>> {
        let more = u32::try_from(text.len() / BYTES_PER_SECOND).unwrap_or(u32::MAX);
        let limit = Instant::now() + DRAW_TIMEOUT + Duration::from_secs(1).saturating_mul(more);
        let mut since: Option<Instant> = None;
        loop {
            let now = self.look()?;
            if !line.is_in_front(&now) {
                return Ok(None);
            }
            // A program that a key of its starts, or its prompt, may have the terminal for a moment.
            if line.still_reads(&now) && line.holds(&now, text) {
                if since.get_or_insert_with(Instant::now).elapsed() >= STABLE {
                    return Ok(Some(now));
                }
            } else {
                since = None;
            }
            if Instant::now() >= limit.min(self.deadline) {
                return Ok(None);
            }
            pause();
        }
    }

    /// Removes what was typed. Returns `None` when the message may be tried once more.
    fn take_back(&self, line: &ShellLine, is_last_try: bool) -> Result<Option<DeliveryOutcome>> {
        let begun = Instant::now();
        let mut pressed: Option<Instant> = None;
        loop {
            let now = self.look()?;
            if !line.still_reads(&now) {
                if line.is_in_front(&now) && begun.elapsed() < KILL_TIMEOUT {
                    pause();
                    continue;
                }
                let why = "its shell has left the prompt: unknown what happened to the text";
                return Ok(Some(typed(&now, why)));
            }
            if pressed.is_some() && line.is_empty_again(&now) {
                if !is_last_try && !self.timed_out() {
                    return Ok(None);
                }
                let why =
                    "the shell did not show the text as it was typed, and it was removed again";
                return Ok(Some(refused(&now, Blocked::new(Reason::Unsupported, why))));
            }
            if pressed.unwrap_or(begun).elapsed() >= KILL_TIMEOUT {
                // A person has typed at the same moment, so that the text may have run.
                let is_another = now.line_content() == LineContent::Empty;
                let why = if is_another {
                    "the shell shows another prompt: unknown what happened to the text"
                } else {
                    "the text at the prompt is not as it was typed: C-u there removes it"
                };
                return Ok(Some(typed(&now, why)));
            }
            // zsh and fish kill one line of several at a time.
            let lines = self.message.text.lines().count() * 2;
            let times = u16::try_from(lines).unwrap_or(u16::MAX).max(1);
            if pressed.is_none() && self.press_here(&now, "C-u", times)? {
                pressed = Some(Instant::now());
            }
            pause();
        }
    }
}
