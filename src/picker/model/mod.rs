//! The state of the picker, and what [`keys`] do to it. It is pure, so that it is tested without a terminal.

mod keys;

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::actions::Verb;
use super::filter::Filter;
use super::input::TextInput;
use super::job::{Done, Job, Undo};
use super::preview::Preview;
use super::rows::{Grouping, Item, Row, RowId, flat, grouped};

/// The purpose of the picker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To go to the chosen row.
    #[default]
    Enter,
    /// To print the chosen row.
    Pick,
    /// To watch the rows: the picker stays open.
    Watch,
}

/// Which rows are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum RowSet {
    /// Seshes with a pane that are not archived.
    #[default]
    Active,
    /// Archived and exited seshes too.
    All,
    /// Also panes that are no sesh.
    Panes,
}

/// A question in the footer.
#[derive(Debug)]
pub(super) struct Prompt {
    pub verb: Verb,
    pub title: String,
    pub input: TextInput,
    /// The rows that the answer is for.
    pub on: Vec<Row>,
}

/// A sentence in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub text: String,
    pub trouble: bool,
}

/// The target of a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Row(RowId),
    Verb(Verb),
}

/// What the loop has to do.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Leave,
    Go(Box<Row>),
    Do(Job),
    /// Read the rows anew, because other rows are wanted.
    Reload,
}

/// The picker.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub purpose: Purpose,
    pub rows: Vec<Row>,
    pub input: TextInput,
    pub filter: Filter,
    pub grouping: Grouping,
    pub shown: RowSet,
    pub items: Vec<Item>,
    pub selected: Option<RowId>,
    /// The first visible line of the list.
    pub top: usize,
    /// The number of visible lines of the list.
    pub height: usize,
    pub marked: BTreeSet<RowId>,
    pub prompt: Option<Prompt>,
    pub help: bool,
    pub notice: Option<Notice>,
    pub previews: bool,
    /// Whether there was room for the preview at the last drawing.
    pub preview_fits: bool,
    pub preview: Option<Preview>,
    /// The number of pending restores.
    pub pending: usize,
    /// The number of jobs that are not done yet.
    pub running: usize,
    /// The time, in epoch seconds.
    pub now: u64,
    /// The areas of the last drawing that can be clicked.
    pub hits: Vec<(Rect, Hit)>,
    undo: Vec<Undo>,
    /// The question whose answer is being carried out, as long as no key was pressed since.
    asked: Option<Prompt>,
    /// Whether panes that are no sesh were asked for: the first of them is chosen when they come.
    wants_pane: bool,
}

impl Model {
    #[must_use]
    pub(super) fn new(purpose: Purpose, filter: &str) -> Self {
        Self {
            purpose,
            input: TextInput::of(filter),
            filter: Filter::parse(filter),
            previews: true,
            ..Self::default()
        }
    }

    /// Replaces the rows. The chosen row stays chosen; if it is gone, the row in its place is chosen.
    pub(super) fn set_rows(&mut self, rows: Vec<Row>) {
        let at = self.at();
        self.rows = rows;
        let known: BTreeSet<RowId> = self.rows.iter().map(|row| row.id).collect();
        self.marked.retain(|id| known.contains(id));
        self.arrange(at.unwrap_or(0));
        let mut lines = self.items.iter().filter_map(|item| self.row(item));
        if self.wants_pane
            && let Some(pane) = lines.find(|row| row.uuid().is_none())
        {
            self.selected = Some(pane.id);
            self.wants_pane = false;
        }
    }

    /// Builds the lines of the list anew. Where no row is chosen, the one at line `otherwise` is chosen.
    fn arrange(&mut self, otherwise: usize) {
        let mut kept: Vec<(u32, usize)> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(index, row)| Some((self.filter.score(row)?, index)))
            .collect();
        self.items = if self.filter.ranks() {
            kept.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
            flat(&kept.iter().map(|(_, index)| *index).collect::<Vec<_>>())
        } else {
            let kept: Vec<usize> = kept.into_iter().map(|(_, index)| index).collect();
            grouped(&self.rows, &kept, self.grouping)
        };
        if self.at().is_none() {
            self.select_near(otherwise);
        }
    }

    /// Returns the row of a line.
    #[must_use]
    pub(super) fn row(&self, item: &Item) -> Option<&Row> {
        match item {
            Item::Head { .. } => None,
            Item::Row { index, .. } => self.rows.get(*index),
        }
    }

    /// Returns the line of the chosen row.
    #[must_use]
    pub(super) fn at(&self) -> Option<usize> {
        let selected = self.selected?;
        let is_it = |item: &Item| self.row(item).is_some_and(|row| row.id == selected);
        self.items.iter().position(is_it)
    }

    /// Returns the chosen row.
    #[must_use]
    pub(super) fn chosen(&self) -> Option<&Row> {
        self.row(self.items.get(self.at()?)?)
    }

    /// Returns the number of seshes and the number of other panes among the lines.
    #[must_use]
    pub(super) fn count(&self) -> (usize, usize) {
        let rows = self.items.iter().filter_map(|item| self.row(item));
        let (seshes, panes): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| row.uuid().is_some());
        (seshes.len(), panes.len())
    }

    /// Chooses the row at a line, else the first one behind it, else the last one before it.
    fn select_near(&mut self, line: usize) {
        let line = line.min(self.items.len());
        let (before, behind) = self.items.split_at(line);
        let found = behind
            .iter()
            .chain(before.iter().rev())
            .find_map(|item| self.row(item));
        self.selected = found.map(|row| row.id);
    }

    /// Chooses a row, if it is there.
    pub(super) fn select(&mut self, id: RowId) {
        if self.rows.iter().any(|row| row.id == id) {
            self.selected = Some(id);
        }
    }

    fn step(&mut self, by: isize) {
        let rows: Vec<RowId> = self
            .items
            .iter()
            .filter_map(|item| Some(self.row(item)?.id))
            .collect();
        let Some(last) = rows.len().checked_sub(1) else {
            return;
        };
        let at = rows
            .iter()
            .position(|id| Some(*id) == self.selected)
            .unwrap_or(0);
        let to = at.saturating_add_signed(by).min(last);
        // One step past an end leads to the other end.
        let to = match by {
            -1 if at == 0 => last,
            1 if at == last => 0,
            _ => to,
        };
        self.selected = rows.get(to).copied();
    }

    /// Returns the visible lines for a height. The chosen line is among them, with the head of its group where there is
    /// room.
    pub(super) fn window(&mut self, height: usize) -> std::ops::Range<usize> {
        self.height = height;
        let at = self.at().unwrap_or(0);
        let head = at > 0 && matches!(self.items.get(at - 1), Some(Item::Head { .. }));
        let first = if head && height > 1 { at - 1 } else { at };
        self.top = self.top.min(first).max((at + 1).saturating_sub(height));
        self.top = self.top.min(self.items.len().saturating_sub(height));
        self.top..self.items.len().min(self.top + height)
    }

    /// Returns the rows that the next action is for: all marked rows, else the chosen one.
    fn action_rows(&self) -> Vec<Row> {
        if self.marked.is_empty() {
            return self.chosen().cloned().into_iter().collect();
        }
        let is_marked = |row: &&Row| self.marked.contains(&row.id);
        self.rows.iter().filter(is_marked).cloned().collect()
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice {
            text: text.into(),
            trouble: false,
        });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice {
            text: text.into(),
            trouble: true,
        });
    }

    /// Applies the outcome of a job.
    pub(super) fn done(&mut self, done: Done) {
        self.running = self.running.saturating_sub(1);
        self.notice = Some(Notice {
            text: done.message,
            trouble: done.trouble,
        });
        if done.is_final {
            // An earlier change is not the last one any more, so it cannot be undone.
            self.undo.clear();
        }
        self.undo.extend(done.undo);
        let asked = self.asked.take().filter(|_| done.again);
        self.prompt = self.prompt.take().or(asked);
        if let Some(id) = done.select {
            self.reveal(id);
        }
    }

    /// Chooses a row, if it is there. Where the filter hides it, the filter is cleared.
    fn reveal(&mut self, id: RowId) {
        self.select(id);
        if self.selected == Some(id) && self.at().is_none() {
            self.input = TextInput::default();
            self.filter = Filter::default();
            self.arrange(0);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::super::rows::tests::row;
    use super::*;
    use crate::state::State;

    /// Makes a picker with these rows.
    pub(in super::super) fn picker(names: &[(&str, State)]) -> Model {
        let mut model = Model::new(Purpose::Enter, "");
        model.set_rows(
            names
                .iter()
                .map(|(name, state)| row(name, *state))
                .collect(),
        );
        model.height = 10;
        model
    }

    fn sample() -> Model {
        picker(&[
            ("build", State::Busy),
            ("review", State::Waiting),
            ("docs", State::Idle),
            ("deploy", State::Idle),
        ])
    }

    fn chosen(model: &Model) -> &str {
        model.chosen().map_or("", |row| &row.name)
    }

    fn press(model: &mut Model, code: KeyCode) -> Effect {
        model.event(&Event::Key(KeyEvent::from(code)))
    }

    fn control(model: &mut Model, c: char) -> Effect {
        model.event(&Event::Key(KeyEvent::new(
            KeyCode::Char(c),
            KeyModifiers::CONTROL,
        )))
    }

    fn type_in(model: &mut Model, text: &str) {
        for c in text.chars() {
            press(model, KeyCode::Char(c));
        }
    }

    #[test]
    fn a_waiting_row_is_chosen_first() {
        let mut model = sample();
        assert_eq!(chosen(&model), "review");
        press(&mut model, KeyCode::Down);
        assert_eq!(chosen(&model), "build");
        press(&mut model, KeyCode::Up);
        press(&mut model, KeyCode::Up);
        assert_eq!(chosen(&model), "docs");
        assert!(matches!(press(&mut model, KeyCode::Enter), Effect::Go(row) if row.name == "docs"));
    }

    #[test]
    fn the_choice_stays_while_rows_move() {
        let mut model = sample();
        press(&mut model, KeyCode::End);
        assert_eq!(chosen(&model), "docs");
        let mut rows = model.rows.clone();
        rows[3].state = State::Busy;
        rows[2].need = Some(crate::store::record::Need::Unseen);
        rows.reverse();
        model.set_rows(rows);
        assert_eq!(chosen(&model), "docs");
        // When it is gone, the row in its place is chosen.
        let at = model.at();
        let rest = model
            .rows
            .iter()
            .filter(|row| row.name != "docs")
            .cloned()
            .collect();
        model.set_rows(rest);
        assert!(model.at().is_some() && at.is_some());
        model.set_rows(Vec::new());
        assert_eq!(model.at(), None);
        assert!(matches!(press(&mut model, KeyCode::Enter), Effect::None));
        assert!(model.notice.as_ref().is_some_and(|notice| notice.trouble));
    }

    #[test]
    fn typing_chooses_the_best() {
        let mut model = sample();
        type_in(&mut model, "do");
        assert_eq!(chosen(&model), "docs");
        control(&mut model, 'u');
        type_in(&mut model, "state:idle");
        assert_eq!(model.count().0, 2);
        type_in(&mut model, " zzz");
        assert_eq!((model.count().0, model.at()), (0, None));
        control(&mut model, 'u');
        assert_eq!(model.count().0, 4);
        assert!(matches!(press(&mut model, KeyCode::Esc), Effect::Leave));
    }

    #[test]
    fn actions_are_for_all_marked_rows() {
        let mut model = sample();
        press(&mut model, KeyCode::Tab);
        press(&mut model, KeyCode::Tab);
        assert_eq!(model.action_rows().len(), 2);
        let mut rows = model.rows.clone();
        rows.retain(|row| row.name != "review");
        model.set_rows(rows);
        assert_eq!(
            model
                .action_rows()
                .iter()
                .map(|row| row.name.as_str())
                .collect::<Vec<_>>(),
            ["build"]
        );
        assert!(matches!(press(&mut model, KeyCode::Esc), Effect::None));
        assert!(model.marked.is_empty());
    }

    #[test]
    fn only_the_chosen_row_is_renamed() {
        let mut model = sample();
        press(&mut model, KeyCode::Tab);
        press(&mut model, KeyCode::Tab);
        let name = chosen(&model).to_string();
        assert_eq!(model.action_rows().len(), 2);
        control(&mut model, 'r');
        let prompt = model.prompt.as_ref().expect("a question");
        assert_eq!((prompt.on.len(), &prompt.on[0].name), (1, &name));
    }

    #[test]
    fn a_refused_answer_is_asked_again_unless_something_else_is_typed() {
        let refused = || Done {
            message: "the name is taken".into(),
            trouble: true,
            again: true,
            ..Done::default()
        };
        for elsewhere in [false, true] {
            let mut model = sample();
            control(&mut model, 'r');
            type_in(&mut model, "x");
            assert!(matches!(press(&mut model, KeyCode::Enter), Effect::Do(_)));
            if elsewhere {
                type_in(&mut model, "d");
            }
            model.done(refused());
            let asked = model.prompt.as_ref().map(|prompt| prompt.input.text());
            assert_eq!(asked, Some("reviewx").filter(|_| !elsewhere));
        }
    }

    #[test]
    fn a_message_that_is_pasted_keeps_its_lines() {
        let paste = || Event::Paste("one\r\ntwo\u{1b}".into());
        let mut model = sample();
        control(&mut model, 's');
        model.event(&paste());
        let text = |model: &Model| {
            let prompt = model.prompt.as_ref();
            prompt.map(|prompt| prompt.input.text().to_string())
        };
        assert_eq!(text(&model).as_deref(), Some("one\ntwo "));
        press(&mut model, KeyCode::Esc);
        control(&mut model, 't');
        model.event(&paste());
        assert_eq!(text(&model).as_deref(), Some("one  two "));
    }

    #[test]
    fn no_job_starts_where_a_row_is_only_chosen() {
        let mut model = sample();
        model.purpose = Purpose::Pick;
        for action in &super::super::actions::ACTIONS {
            let effect = model.act(action.verb);
            assert!(!matches!(effect, Effect::Do(_)), "{action:?}");
            assert!(model.prompt.is_none(), "{action:?}");
        }
    }

    #[test]
    fn a_click_chooses_and_a_second_one_goes() {
        let mut model = sample();
        let id = model.rows[2].id;
        model.hits = vec![(Rect::new(0, 3, 20, 1), Hit::Row(id))];
        let click = Event::Mouse(crossterm::event::MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: 4,
            row: 3,
            modifiers: KeyModifiers::NONE,
        });
        assert!(matches!(model.event(&click), Effect::None));
        assert_eq!(chosen(&model), "docs");
        assert!(matches!(model.event(&click), Effect::Go(_)));
    }

    proptest! {
        #[test]
        fn any_keys_leave_the_choice_in_the_list(
            keys in prop::collection::vec(0usize..24, 0..60),
            height in 1usize..12,
        ) {
            let mut model = sample();
            for key in keys {
                let codes = [
                    KeyCode::Up, KeyCode::Down, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home, KeyCode::End,
                    KeyCode::Tab, KeyCode::Enter, KeyCode::Backspace, KeyCode::Left, KeyCode::Char('d'),
                    KeyCode::Char('é'), KeyCode::Char('?'), KeyCode::Char('y'),
                ];
                match codes.get(key) {
                    Some(code) => drop(press(&mut model, *code)),
                    None => {
                        let letters = ['g', 'e', 'v', 'u', 'w', 'x', 'n', 'o', 't', 'z'];
                        control(&mut model, letters[key - codes.len()]);
                    }
                }
                let window = model.window(height);
                prop_assert!(window.len() <= height && window.end <= model.items.len());
                match model.at() {
                    Some(at) => prop_assert!(window.contains(&at)),
                    None => prop_assert_eq!(model.count().0, 0),
                }
            }
        }
    }
}
