//! What keys, clicks and pasted texts do in the picker.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};
use ratatui::layout::Position;

use super::{Effect, Hit, Model, Prompt, Purpose, RowSet};
use crate::picker::actions::{Action, Verb};
use crate::picker::filter::Filter;
use crate::picker::input::TextInput;
use crate::picker::job::Job;
use crate::picker::rows::Row;

impl Model {
    /// Applies an event, and returns what the loop has to do.
    pub(in super::super) fn event(&mut self, event: &Event) -> Effect {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Paste(text) => {
                let line = || text.replace(|c: char| c.is_control(), " ");
                match &mut self.prompt {
                    // A message may have several lines.
                    Some(prompt) if prompt.verb == Verb::Send => {
                        let text = text.replace("\r\n", "\n").replace('\r', "\n");
                        let acts = |c: char| c.is_control() && c != '\n';
                        prompt.input.insert(&text.replace(acts, " "));
                    }
                    Some(prompt) => prompt.input.insert(&line()),
                    None => {
                        self.input.insert(&line());
                        self.filter_changed();
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
            Some(Hit::Verb(Verb::Leave)) if self.prompt.is_none() => Effect::Leave,
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
            return self.prompt_key(key);
        }
        self.notice = None;
        self.asked = None;
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
            _ if self.input.key(key) => self.filter_changed(),
            _ => {}
        }
        Effect::None
    }

    /// Applies the filter after its text has changed. Where rows are ranked, the best is chosen.
    fn filter_changed(&mut self) {
        self.filter = Filter::parse(self.input.text());
        if self.filter.ranks() {
            self.selected = None;
            self.top = 0;
        }
        self.arrange(0);
    }

    /// Carries out the action of a key.
    pub(super) fn act(&mut self, verb: Verb) -> Effect {
        if Action::of(verb).acts && self.purpose == Purpose::Pick {
            self.complain("this picker only chooses a sesh");
            return Effect::None;
        }
        match verb {
            Verb::Go => match self.chosen() {
                Some(row) => return Effect::Go(Box::new(row.clone())),
                None => self.complain("nothing is chosen"),
            },
            Verb::Answer => return self.answer_next(),
            // The last change is not known before the running jobs are done.
            Verb::Undo if self.running > 0 => self.complain("wait: another action is running"),
            Verb::Undo => match self.undo.pop() {
                Some(undo) => {
                    self.running += 1;
                    return Effect::Do(Job::undo(undo));
                }
                None => self.complain("nothing to undo"),
            },
            Verb::Archive => {
                let on = self.action_seshes();
                if !on.is_empty() {
                    return self.start(Job::archive(&on));
                }
            }
            Verb::Send | Verb::Rename | Verb::Tag | Verb::End => self.ask(verb),
            Verb::Restore if self.pending == 0 => self.complain("no pending restores"),
            Verb::Restore => return self.start(Job::Restore),
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
                    RowSet::Active => RowSet::All,
                    RowSet::All if self.purpose == Purpose::Pick => RowSet::Active,
                    RowSet::All => RowSet::Panes,
                    RowSet::Panes => RowSet::Active,
                };
                self.say(match self.shown {
                    RowSet::Active => "seshes that have a pane",
                    RowSet::All => "also archived and exited seshes",
                    RowSet::Panes => "also other panes: ^O adopts one",
                });
                return Effect::Reload;
            }
            Verb::Preview if self.previews && !self.preview_fits => {
                self.complain("no room for the preview here");
            }
            Verb::Preview => self.previews = !self.previews,
            Verb::Help => self.help = true,
            Verb::Leave if !self.marked.is_empty() => self.marked.clear(),
            Verb::Leave if self.purpose == Purpose::Watch => {
                self.input = TextInput::default();
                self.filter_changed();
            }
            Verb::Leave => return Effect::Leave,
        }
        Effect::None
    }

    fn start(&mut self, job: Job) -> Effect {
        self.running += 1;
        self.notice = None;
        Effect::Do(job)
    }

    /// Goes to a prompt that waits: that of the chosen row, else the most urgent one.
    fn answer_next(&mut self) -> Effect {
        if let Some(row) = self.chosen().filter(|row| row.waits()) {
            return Effect::Go(Box::new(row.clone()));
        }
        let waiting = self.rows.iter().filter(|row| row.waits());
        match waiting.min_by_key(|row| (row.need, row.since)) {
            Some(row) => Effect::Go(Box::new(row.clone())),
            None => {
                self.complain("no sesh waits for an answer");
                Effect::None
            }
        }
    }

    /// Returns the seshes that an action is for, and complains where there are none.
    fn action_seshes(&mut self) -> Vec<Row> {
        let mut on = self.action_rows();
        on.retain(|row| row.record.is_some());
        if on.is_empty() {
            self.complain(match self.chosen() {
                Some(_) => "not a sesh: ^O adopts this pane",
                None => "nothing is chosen",
            });
        }
        on
    }

    /// Opens the prompt for what an action still needs.
    fn ask(&mut self, verb: Verb) {
        let mut on = self.action_seshes();
        if on.is_empty() {
            return;
        }
        if verb == Verb::Rename {
            // Only the chosen sesh is renamed, however many are marked: a name is unique.
            on = self.chosen().cloned().into_iter().collect();
            on.retain(|row| row.record.is_some());
            if on.is_empty() {
                self.complain("nothing is chosen to rename");
                return;
            }
        }
        if verb == Verb::Send {
            on.retain(|row| row.place.is_some());
            if on.is_empty() {
                self.complain("it has exited and has no pane: Enter restores it");
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
            Verb::Tag => format!("tag {whom} (-tag removes one)"),
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
        self.notice = None;
        self.prompt = Some(Prompt {
            verb,
            title,
            input: TextInput::of(text),
            on,
        });
    }

    /// Adopts the chosen pane; shows the panes that can be adopted, if none is chosen.
    fn adopt(&mut self) -> Effect {
        match self.chosen().filter(|row| row.uuid().is_none()) {
            Some(row) => {
                let row = row.clone();
                self.prompt(Verb::Adopt, "name (empty: generated)".into(), vec![row]);
                Effect::None
            }
            None if self.shown == RowSet::Panes => {
                self.complain("already a sesh: choose one of the other panes");
                Effect::None
            }
            None => {
                self.shown = RowSet::Panes;
                self.wants_pane = true;
                self.say("choose one of the other panes, then ^O again");
                Effect::Reload
            }
        }
    }

    /// Applies a key to the question in the footer.
    fn prompt_key(&mut self, key: &KeyEvent) -> Effect {
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
            self.notice = None;
            self.prompt = Some(prompt);
            return Effect::None;
        }
        let text = prompt.input.text().trim().to_string();
        let folder = self.chosen().map(|row| row.cwd.clone());
        let job = match prompt.verb {
            Verb::Send if text.is_empty() => Err("no message: nothing was sent".into()),
            Verb::Send => Ok(Job::send(&prompt.on, text)),
            Verb::Rename => Job::rename(&prompt.on, &text),
            Verb::Tag => Job::tag(&prompt.on, &text),
            Verb::New => Job::new(&text, folder),
            _ => Job::adopt(&prompt.on, &text),
        };
        match job {
            Ok(job) => {
                let effect = self.start(job);
                self.asked = Some(prompt);
                effect
            }
            Err(sentence) => {
                self.complain(sentence);
                self.prompt = Some(prompt);
                Effect::None
            }
        }
    }
}
