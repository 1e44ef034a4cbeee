//! Runs a headless turn: the prompt comes from a private file, and the output is read, shown in the pane and kept in a
//! file.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{PROGRAM, Run, exit_code, log_warnings, runs_this_process};
use crate::agent::headless::{
    HeadlessEnd, HeadlessEvent, HeadlessForm, HeadlessOutcome, HeadlessOutput, HeadlessResult,
    OutputForm,
};
use crate::agent::kinds::{Agent, Agents};
use crate::env;
use crate::error::{Error, Result};
use crate::journal::launch::LaunchedTurn;
use crate::journal::turn_files::{FileLock, TurnFiles};
use crate::proc;
use crate::proc::job::{CapturedEnd, End, OutputStream, Terminal};
use crate::proc::signal::Signal;
use crate::store::commit;
use crate::store::note::{JournalEvent, Note};
use crate::store::{Key, value, write};

/// The signals of a program that crashes, as one of Node.js does that has no memory left.
const OWN_FAULTS: [Signal; 7] = [
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGSEGV,
    Signal::SIGSYS,
    Signal::SIGTRAP,
];
/// How many bytes of the error output are kept as a reason. The pane shows all of it.
const MAX_COMPLAINT: usize = 16 * 1024;

impl Run {
    /// Runs the turn and returns the exit code of the sesh: 0 for an answer, 1 for an error, 6 where its time was over.
    pub(super) fn run_turn(&self, terminal: &mut Terminal, turn: &LaunchedTurn) -> u8 {
        let files = TurnFiles::at(&turn.folder);
        let begun = Instant::now();
        // The locks are held until the end. By that of the turn, which is the last one, other processes see the end.
        let locks = lock_turn(&files, turn);
        let outcome = locks.as_ref().map_err(Clone::clone).and_then(|_| {
            self.record_command(terminal);
            terminal.restore();
            self.answer(terminal, &files, turn)
        });
        let result = match outcome {
            Ok(result) => result,
            Err(error) => {
                self.report.failed(&error.to_string());
                if self.report.has_failed() {
                    return 1;
                }
                HeadlessResult {
                    error: Some(error.to_string()),
                    ..HeadlessResult::default()
                }
            }
        };
        let end = match result.outcome {
            HeadlessOutcome::Answered => End::Code(0),
            HeadlessOutcome::Error => End::Code(1),
            HeadlessOutcome::TimedOut => End::Code(6),
            HeadlessOutcome::Aborted => End::Signal(Signal::SIGTERM as i32),
        };
        let written = serde_json::to_vec(&result).map_err(|error| Error::failed(error.to_string()));
        if let Err(error) = written.and_then(|bytes| files.set_result(&bytes)) {
            terminal.write(&format!("{error}\r\n"));
        }
        terminal.take_back();
        terminal.drain(super::DRAIN);
        // The pane of a turn closes. Its last lines are kept.
        let _ = self.record_end(end, true, begun.elapsed());
        let starter = files.starter();
        let is_awaited = starter.is_some_and(|starter| {
            starter.forget || (starter.waits && proc::is_alive(starter.process))
        });
        if !is_awaited {
            files.remove();
        }
        exit_code(end)
    }

    /// Runs the agent, and returns what came of it.
    fn answer(
        &self,
        terminal: &Terminal,
        files: &TurnFiles,
        turn: &LaunchedTurn,
    ) -> Result<HeadlessResult> {
        let agent = Agents::loaded().named(&turn.kind);
        let agent = agent.ok_or_else(|| Error::unusable(format!("unknown agent {}", turn.kind)))?;
        let mut kept = files.output()?;
        let as_text = HeadlessForm {
            form: Some(OutputForm::Text),
            ..HeadlessForm::default()
        };
        let (mut command, form) = if turn.queued {
            (self.queueing(turn)?, &as_text)
        } else {
            (self.command(), &agent.manifest.headless)
        };
        command
            .stdin(Stdio::from(files.take_prompt()?))
            .env(env::TURN, files.name());
        let mut output = HeadlessOutput::of(form);
        let mut complaint = Vec::new();
        let ended = terminal.run_captured(
            command,
            Duration::from_secs(turn.limit),
            |_| self.report.started(),
            |stream, bytes| match stream {
                OutputStream::Stdout => {
                    // A full disk costs the copy, not the turn.
                    let _ = kept.write_all(bytes);
                    for event in output.read(bytes) {
                        match event {
                            HeadlessEvent::Text(text) => terminal.show(&printable(&text)),
                            HeadlessEvent::Conversation(id) => {
                                self.record_conversation(agent, turn, &id);
                            }
                        }
                    }
                }
                OutputStream::Stderr => {
                    complaint.extend_from_slice(bytes);
                    let surplus = complaint.len().saturating_sub(MAX_COMPLAINT);
                    complaint.drain(..surplus);
                    terminal.show(&printable(&String::from_utf8_lossy(bytes)));
                }
            },
        );
        let ended = ended.map_err(|error| {
            let program = self.launch.argv.first().cloned().unwrap_or_default();
            Error::failed(format!("cannot run {}: {error}", program.display()))
        })?;
        let complaint = String::from_utf8_lossy(&complaint);
        let (mut result, unseen) = output.finish(end_of(ended), &complaint);
        if let Some(answer) = unseen {
            terminal.show(&printable(&format!("{answer}\n")));
        }
        if let Some(error) = &result.error {
            terminal.show(&printable(&format!("{error}\n")));
        }
        if result.conversation.is_none() && !turn.conversation.is_empty() {
            result.conversation = Some(turn.conversation.clone());
        }
        Ok(result)
    }

    /// Returns the command of a turn that another process of the agent answers.
    fn queueing(&self, turn: &LaunchedTurn) -> Result<Command> {
        let program = env::helper(PROGRAM)
            .ok_or_else(|| Error::failed(format!("{PROGRAM} is gone: install it again")))?;
        let mut command = Command::new(program);
        command.args(["--queued", &turn.kind, &turn.conversation]);
        self.set_environment_and_folder(&mut command);
        Ok(command)
    }

    /// Writes the id of the conversation to the store, as the agent tells it.
    fn record_conversation(&self, agent: &Agent, turn: &LaunchedTurn, id: &str) {
        if id == turn.conversation || !agent.manifest.conversation.may_be(id) {
            return;
        }
        let pane = self.pane.to_string();
        let encoded = value::encode(id);
        let mut commands = vec![write::put(&pane, Key::Conv, &encoded)];
        commands.extend(write::identity_news(&pane));
        commands.push(write::book(&pane, self.id));
        let values = [(Key::Conv, encoded.as_str())];
        let note = Note::values(JournalEvent::Changed, self.id, &values);
        // The turn runs even if this cannot be recorded.
        let _ = commit::on_pane(
            &self.server,
            self.pane,
            self.id,
            &runs_this_process(),
            commands,
            vec![note],
        );
        log_warnings();
    }
}

/// Takes the locks of a turn, in the order in which they are to be released.
fn lock_turn(files: &TurnFiles, turn: &LaunchedTurn) -> Result<(Option<FileLock>, File)> {
    let running = files.begin(proc::own())?;
    if turn.conversation.is_empty() {
        return Ok((None, running));
    }
    let lock = FileLock::to_run(files, &turn.kind, &turn.conversation)?;
    match lock {
        Some(lock) => Ok((Some(lock), running)),
        None => Err(Error::unusable("another turn runs in this conversation")),
    }
}

fn end_of(ended: CapturedEnd) -> HeadlessEnd {
    match (ended.timed_out, ended.asked_to_end, ended.end) {
        (true, ..) => HeadlessEnd::TimedOut,
        // What a program gets for its own faults is as its exit code, and what it printed says more.
        (_, false, End::Signal(number)) if OWN_FAULTS.iter().any(|it| *it as i32 == number) => {
            HeadlessEnd::Code(128 + number)
        }
        (_, true, _) | (.., End::Signal(_)) => HeadlessEnd::Signalled,
        (.., End::Code(code)) => HeadlessEnd::Code(code),
    }
}

/// Returns a text without what would control the terminal.
fn printable(text: &str) -> String {
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(is_kept).collect()
}
