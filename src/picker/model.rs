//! What the picker knows and what keys make of it: pure, so that it is tested without a terminal.

use std::collections::BTreeSet;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use ratatui::layout::{Position, Rect};

use super::actions::{Action, Verb};
use super::filter::Filter;
use super::input::Input;
use super::job::{Done, Job, Undo};
use super::preview::Preview;
use super::rows::{Grouping, Item, Row, RowId, flat, grouped};

/// What the picker is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To go somewhere.
    #[default]
    Enter,
    /// To say what was chosen.
    Pick,
    /// To be looked at: it stays.
    Watch,
}

/// Which rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// Seshes with a pane that are not put away.
    #[default]
    Active,
    /// Archived and ended ones too.
    All,
    /// And panes that are no sesh.
    Panes,
}

/// A question at the foot.
#[derive(Debug)]
pub(super) struct Prompt {
    pub verb: Verb,
    pub title: String,
    pub input: Input,
    /// About whom.
    pub on: Vec<Row>,
}

/// A sentence at the foot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saying {
    pub text: String,
    pub trouble: bool,
}

/// What a click meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Row(RowId),
    Verb(Verb),
}

/// What is to be done outside of here.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Leave,
    Go(Box<Row>),
    Do(Job),
    /// Other rows are wanted.
    Reload,
}

/// The picker.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub purpose: Purpose,
    pub rows: Vec<Row>,
    pub input: Input,
    pub filter: Filter,
    pub grouping: Grouping,
    pub shown: Shown,
    pub items: Vec<Item>,
    pub selected: Option<RowId>,
    /// The first line of the list that is seen.
    pub top: usize,
    /// How many lines of the list are seen.
    pub height: usize,
    pub marked: BTreeSet<RowId>,
    pub prompt: Option<Prompt>,
    pub help: bool,
    pub saying: Option<Saying>,
    pub previews: bool,
    pub preview: Option<Preview>,
    /// Jobs that are not done yet.
    pub running: usize,
    /// The clock, in epoch seconds.
    pub now: u64,
    /// Where a click meets what, as it was drawn last.
    pub hits: Vec<(Rect, Hit)>,
    undo: Vec<Undo>,
}

impl Model {
    #[must_use]
    pub(super) fn new(purpose: Purpose, filter: &str) -> Self {
        Self {
            purpose,
            input: Input::of(filter),
            filter: Filter::parse(filter),
            previews: true,
            ..Self::default()
        }
    }

    /// Takes what there is now. The one that is chosen stays chosen; if it is gone, the one in its place is.
    pub(super) fn set_rows(&mut self, rows: Vec<Row>) {
        let at = self.at();
        self.rows = rows;
        let known: BTreeSet<RowId> = self.rows.iter().map(|row| row.id).collect();
        self.marked.retain(|id| known.contains(id));
        self.arrange(at.unwrap_or(0));
    }

    /// Lays the lines out anew; where nothing is chosen, what is at a line is.
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

    /// The row of a line.
    #[must_use]
    pub(super) fn row(&self, item: &Item) -> Option<&Row> {
        match item {
            Item::Head { .. } => None,
            Item::Row { index, .. } => self.rows.get(*index),
        }
    }

    /// The line that is chosen.
    #[must_use]
    pub(super) fn at(&self) -> Option<usize> {
        let selected = self.selected?;
        let is_it = |item: &Item| self.row(item).is_some_and(|row| row.id == selected);
        self.items.iter().position(is_it)
    }

    /// The row that is chosen.
    #[must_use]
    pub(super) fn chosen(&self) -> Option<&Row> {
        self.row(self.items.get(self.at()?)?)
    }

    /// How many seshes there are among these lines.
    #[must_use]
    pub(super) fn count(&self) -> usize {
        self.items
            .iter()
            .filter(|item| self.row(item).is_some())
            .count()
    }

    /// Chooses the row at a line, else the first behind it, else the last before it.
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
        // One step over the end comes to the other.
        let to = match by {
            -1 if at == 0 => last,
            1 if at == last => 0,
            _ => to,
        };
        self.selected = rows.get(to).copied();
    }

    /// Which lines are seen in so many: the one that is chosen is among them, with its group's head where there is room.
    pub(super) fn window(&mut self, height: usize) -> std::ops::Range<usize> {
        self.height = height;
        let at = self.at().unwrap_or(0);
        let head = at > 0 && matches!(self.items.get(at - 1), Some(Item::Head { .. }));
        let first = if head && height > 1 { at - 1 } else { at };
        self.top = self.top.min(first).max((at + 1).saturating_sub(height));
        self.top = self.top.min(self.items.len().saturating_sub(height));
        self.top..self.items.len().min(self.top + height)
    }

    /// What the next action is done to: all that are marked, else the one that is chosen.
    fn meant(&self) -> Vec<Row> {
        if self.marked.is_empty() {
            return self.chosen().cloned().into_iter().collect();
        }
        let is_marked = |row: &&Row| self.marked.contains(&row.id);
        self.rows.iter().filter(is_marked).cloned().collect()
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.saying = Some(Saying {
            text: text.into(),
            trouble: false,
        });
    }

    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.saying = Some(Saying {
            text: text.into(),
            trouble: true,
        });
    }

    /// Takes in what came of a job.
    pub(super) fn done(&mut self, done: Done) {
        self.running = self.running.saturating_sub(1);
        self.saying = Some(Saying {
            text: done.said,
            trouble: done.trouble,
        });
        self.undo.extend(done.undo);
        if let Some(id) = done.select {
            self.select(id);
        }
    }

    /// What becomes of an event.
    pub(super) fn event(&mut self, event: &Event) -> Effect {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Paste(text) => {
                let text = text.replace(|c: char| c.is_control(), " ");
                match &mut self.prompt {
                    Some(prompt) => prompt.input.insert(&text),
                    None => {
                        self.input.insert(&text);
                        self.typed();
                    }
                }
                Effect::None
            }
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::ScrollUp => self.scroll(-1),
                MouseEventKind::ScrollDown => self.scroll(1),
                MouseEventKind::Down(MouseButton::Left) => {
                    self.click(Position::new(mouse.column, mouse.row))
                }
                _ => Effect::None,
            },
            _ => Effect::None,
        }
    }

    fn scroll(&mut self, by: isize) -> Effect {
        if self.prompt.is_none() && !self.help {
            self.step(by * 2);
        }
        Effect::None
    }

    fn click(&mut self, at: Position) -> Effect {
        if self.help {
            self.help = false;
            return Effect::None;
        }
        let hit = self.hits.iter().find(|(area, _)| area.contains(at));
        match hit.map(|(_, hit)| *hit) {
            Some(Hit::Verb(verb)) if self.prompt.is_none() => self.act(verb),
            Some(Hit::Row(id)) if self.prompt.is_none() => {
                if self.selected == Some(id) {
                    return self.act(Verb::Go);
                }
                self.selected = Some(id);
                Effect::None
            }
            _ => Effect::None,
        }
    }

    fn key(&mut self, key: &KeyEvent) -> Effect {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            return Effect::Leave;
        }
        if self.help {
            self.help = false;
            return Effect::None;
        }
        if self.prompt.is_some() {
            return self.answer(key);
        }
        self.saying = None;
        if let Some(verb) = Action::by(key, !self.input.is_empty()) {
            return self.act(verb);
        }
        let page = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1);
        match (key.code, control) {
            (KeyCode::Up, _) | (KeyCode::Char('k' | 'p'), true) => self.step(-1),
            (KeyCode::Down, _) | (KeyCode::Char('j'), true) => self.step(1),
            (KeyCode::PageUp, _) => self.step(-page.max(2)),
            (KeyCode::PageDown, _) => self.step(page.max(2)),
            (KeyCode::Home, _) => self.select_near(0),
            (KeyCode::End, _) => self.select_near(self.items.len()),
            _ if self.input.key(key) => self.typed(),
            _ => {}
        }
        Effect::None
    }

    /// What was typed has changed: the best is chosen.
    fn typed(&mut self) {
        self.filter = Filter::parse(self.input.text());
        if self.filter.ranks() {
            self.selected = None;
            self.top = 0;
        }
        self.arrange(0);
    }

    /// Does what a key means.
    fn act(&mut self, verb: Verb) -> Effect {
        if Action::of(verb).acts && self.purpose == Purpose::Pick {
            self.complain("here one is only chosen");
            return Effect::None;
        }
        match verb {
            Verb::Go => match self.chosen() {
                Some(row) => return Effect::Go(Box::new(row.clone())),
                None => self.complain("nothing is chosen"),
            },
            Verb::Answer => return self.answer_next(),
            // The last change is not known before it is made.
            Verb::Undo if self.running > 0 => self.complain("something is still being done"),
            Verb::Undo => match self.undo.pop() {
                Some(undo) => {
                    self.running += 1;
                    return Effect::Do(Job::undo(undo));
                }
                None => self.complain("there is nothing to undo"),
            },
            Verb::Archive => {
                let on = self.seshes();
                if !on.is_empty() {
                    return self.start(Job::archive(&on));
                }
            }
            Verb::Send | Verb::Rename | Verb::Tag | Verb::End => self.ask(verb),
            Verb::New => self.prompt(
                Verb::New,
                "new (a name, then an agent or a command)".into(),
                Vec::new(),
            ),
            Verb::Adopt => return self.adopt(),
            Verb::Mark => {
                if let Some(id) = self.chosen().map(|row| row.id) {
                    if !self.marked.remove(&id) {
                        self.marked.insert(id);
                    }
                    self.step(1);
                }
            }
            Verb::Group => {
                self.grouping = self.grouping.next();
                self.say(format!("grouped by {}", self.grouping.as_str()));
                self.arrange(0);
            }
            Verb::Show => {
                self.shown = match self.shown {
                    Shown::Active => Shown::All,
                    Shown::All if self.purpose == Purpose::Pick => Shown::Active,
                    Shown::All => Shown::Panes,
                    Shown::Panes => Shown::Active,
                };
                self.say(match self.shown {
                    Shown::Active => "those that live",
                    Shown::All => "archived and ended ones too",
                    Shown::Panes => "panes that are no sesh too: ^O makes one of them",
                });
                return Effect::Reload;
            }
            Verb::Preview => self.previews = !self.previews,
            Verb::Help => self.help = true,
            Verb::Leave if !self.marked.is_empty() => self.marked.clear(),
            Verb::Leave if self.purpose == Purpose::Watch => {
                self.input = Input::default();
                self.typed();
            }
            Verb::Leave => return Effect::Leave,
        }
        Effect::None
    }

    fn start(&mut self, job: Job) -> Effect {
        self.running += 1;
        self.saying = None;
        Effect::Do(job)
    }

    /// Goes to a prompt that waits.
    fn answer_next(&mut self) -> Effect {
        if let Some(row) = self.chosen().filter(|row| row.waits()) {
            return Effect::Go(Box::new(row.clone()));
        }
        let waiting = self.rows.iter().filter(|row| row.waits());
        match waiting.min_by_key(|row| (row.need, row.since)) {
            Some(row) => Effect::Go(Box::new(row.clone())),
            None => {
                self.complain("nobody waits for an answer");
                Effect::None
            }
        }
    }

    /// The seshes that are meant; says when there are none.
    fn seshes(&mut self) -> Vec<Row> {
        let mut on = self.meant();
        on.retain(|row| row.record.is_some());
        if on.is_empty() {
            self.complain("that is no sesh: ^O makes one of it");
        }
        on
    }

    /// Asks what an action still has to know.
    fn ask(&mut self, verb: Verb) {
        let mut on = self.seshes();
        if on.is_empty() {
            return;
        }
        if verb == Verb::Rename {
            on.truncate(1);
        }
        if verb == Verb::Send {
            on.retain(|row| row.place.is_some());
            if on.is_empty() {
                self.complain("it has ended and has no pane any more");
                return;
            }
        }
        let whom = match &on[..] {
            [one] => one.name.clone(),
            several => format!("{} seshes", several.len()),
        };
        let title = match verb {
            Verb::Send => format!("send to {whom}"),
            Verb::Rename => format!("rename {whom}"),
            Verb::Tag => format!("tag {whom} (-tag takes one away)"),
            _ if on.iter().all(|row| row.place.is_none()) => format!("forget {whom}? y/n"),
            _ => format!("end {whom}? y/n"),
        };
        self.prompt(verb, title, on);
    }

    fn prompt(&mut self, verb: Verb, title: String, on: Vec<Row>) {
        let text = match (verb, &on[..]) {
            (Verb::Rename, [one]) => one.name.as_str(),
            _ => "",
        };
        self.saying = None;
        self.prompt = Some(Prompt {
            verb,
            title,
            input: Input::of(text),
            on,
        });
    }

    /// Makes a sesh of the pane that is chosen; shows those that can be, if none is.
    fn adopt(&mut self) -> Effect {
        match self.chosen().filter(|row| row.uuid().is_none()) {
            Some(row) => {
                let row = row.clone();
                self.prompt(
                    Verb::Adopt,
                    "its name (empty: one is made up)".into(),
                    vec![row],
                );
                Effect::None
            }
            None if self.shown == Shown::Panes => {
                self.complain("that is a sesh already: choose one of the other panes");
                Effect::None
            }
            None => {
                self.shown = Shown::Panes;
                self.say("choose one of the other panes, and ^O again");
                Effect::Reload
            }
        }
    }

    /// A key for the question at the foot.
    fn answer(&mut self, key: &KeyEvent) -> Effect {
        let Some(mut prompt) = self.prompt.take() else {
            return Effect::None;
        };
        if key.code == KeyCode::Esc {
            return Effect::None;
        }
        if prompt.verb == Verb::End {
            return match key.code {
                KeyCode::Char('y' | 'Y') => {
                    self.marked.clear();
                    self.start(Job::end(&prompt.on))
                }
                _ => {
                    self.say("nothing was ended");
                    Effect::None
                }
            };
        }
        if key.code != KeyCode::Enter {
            prompt.input.key(key);
            self.prompt = Some(prompt);
            return Effect::None;
        }
        let text = prompt.input.text().trim().to_string();
        let folder = self.chosen().map(|row| row.cwd.clone());
        let job = match prompt.verb {
            Verb::Send if text.is_empty() => Err("there is no message: nothing was sent".into()),
            Verb::Send => Ok(Job::send(&prompt.on, text)),
            Verb::Rename => Job::rename(&prompt.on, &text),
            Verb::Tag => Job::tag(&prompt.on, &text),
            Verb::New => Job::new(&text, folder),
            _ => Job::adopt(&prompt.on, &text),
        };
        match job {
            Ok(job) => self.start(job),
            Err(sentence) => {
                self.complain(sentence);
                self.prompt = Some(prompt);
                Effect::None
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::rows::tests::row;
    use super::*;
    use crate::state::State;

    /// A picker of these rows.
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

    fn some() -> Model {
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
    fn the_first_is_whoever_waits() {
        let mut model = some();
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
        let mut model = some();
        press(&mut model, KeyCode::End);
        assert_eq!(chosen(&model), "docs");
        let mut rows = model.rows.clone();
        rows[3].state = State::Busy;
        rows[2].need = Some(crate::store::record::Need::Unseen);
        rows.reverse();
        model.set_rows(rows);
        assert_eq!(chosen(&model), "docs");
        // It goes, and the one in its place is chosen.
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
        assert!(model.saying.as_ref().is_some_and(|saying| saying.trouble));
    }

    #[test]
    fn typing_chooses_the_best() {
        let mut model = some();
        type_in(&mut model, "do");
        assert_eq!(chosen(&model), "docs");
        control(&mut model, 'u');
        type_in(&mut model, "state:idle");
        assert_eq!(model.count(), 2);
        type_in(&mut model, " zzz");
        assert_eq!((model.count(), model.at()), (0, None));
        control(&mut model, 'u');
        assert_eq!(model.count(), 4);
        assert!(matches!(press(&mut model, KeyCode::Esc), Effect::Leave));
    }

    #[test]
    fn several_are_marked_and_acted_on() {
        let mut model = some();
        press(&mut model, KeyCode::Tab);
        press(&mut model, KeyCode::Tab);
        assert_eq!(model.meant().len(), 2);
        let mut rows = model.rows.clone();
        rows.retain(|row| row.name != "review");
        model.set_rows(rows);
        assert_eq!(
            model
                .meant()
                .iter()
                .map(|row| row.name.as_str())
                .collect::<Vec<_>>(),
            ["build"]
        );
        assert!(matches!(press(&mut model, KeyCode::Esc), Effect::None));
        assert!(model.marked.is_empty());
    }

    #[test]
    fn where_one_is_only_chosen_nothing_is_done() {
        let mut model = some();
        model.purpose = Purpose::Pick;
        for action in &super::super::actions::ACTIONS {
            let effect = model.act(action.verb);
            assert!(!matches!(effect, Effect::Do(_)), "{action:?}");
            assert!(model.prompt.is_none(), "{action:?}");
        }
    }

    #[test]
    fn a_click_chooses_and_a_second_one_goes() {
        let mut model = some();
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
        fn whatever_is_pressed_the_choice_is_in_the_list(
            keys in prop::collection::vec(0usize..24, 0..60),
            height in 1usize..12,
        ) {
            let mut model = some();
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
                    None => prop_assert_eq!(model.count(), 0),
                }
            }
        }
    }
}
