//! An agent's own command for its queue: nothing is typed, so that no draft and no popup is in the way.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Busy, Delivery, DeliveryOutcome, Proof, pause};
use crate::error::{Error, Exit, Result};
use crate::pane::agent::PaneAgent;
use crate::proc;
use crate::state::State;

/// How long the command may take: Codex 0.169.0 needs 0.4 s.
const PATIENCE: Duration = Duration::from_secs(10);

impl Delivery<'_> {
    /// Puts the message into the agent's queue by its own command. `None`: that is not so, and typing is left.
    pub(super) fn native(&self) -> Result<Option<DeliveryOutcome>> {
        // A command of the agent's would be a message there.
        if self.message.busy != Busy::Queue || self.message.as_it_is || !self.message.enter {
            return Ok(None);
        }
        let seen = self.look()?;
        let Some(mut command) = seen
            .pane_agent()
            .filter(|pane_agent| pane_agent.verdict().state == State::Busy)
            .and_then(|pane_agent| self.command(pane_agent))
        else {
            return Ok(None);
        };
        // One that is not there, or a text that is too long for a word: 128 KiB on Linux.
        let Ok(mut child) = command.spawn() else {
            return Ok(None);
        };
        let limit = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < limit => pause(),
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Error::new(
                        Exit::Unconfirmed,
                        "the agent's queue gave no answer: nobody knows whether it has the message",
                    ));
                }
            }
        };
        if !status.success() {
            return Ok(None);
        }
        let record = seen.look.pane.record.as_ref();
        Ok(Some(DeliveryOutcome::Proven {
            by: Proof::Queue,
            queued: true,
            agent: seen.agent(),
            before: record.map(|record| (record.uuid, record.generation)),
        }))
    }

    /// The command, as the agent itself would run it. The conversation is that of which its hooks speak: what its command
    /// line names may have been left since.
    fn command(&self, pane_agent: &PaneAgent<'_>) -> Option<Command> {
        let words = pane_agent.living.agent.manifest.commands.queue.as_ref()?;
        let id = pane_agent.works_in.as_ref()?;
        let word = |word: &String| {
            let word = word.replace("{id}", id);
            word.replace("{text}", self.message.text)
        };
        let (program, words) = words.split_first()?;
        let pid = pane_agent.living.process.pid;
        let environment = proc::environment(pid);
        let mut command = Command::new(program);
        command.args(words.iter().map(word));
        command.env_clear().envs(environment.all());
        if let Some(folder) = proc::folder(pid) {
            command.current_dir(folder);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Some(command)
    }
}
