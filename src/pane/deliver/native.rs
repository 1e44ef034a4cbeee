//! Queues a message with the agent's own command. Nothing is typed, so no draft and no popup can block it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Busy, Delivery, DeliveryOutcome, Proof, pause};
use crate::error::{Error, Exit, Result};
use crate::pane::agent::PaneAgent;
use crate::proc;
use crate::state::State;

/// How long the command may take: Codex 0.169.0 needs 0.4 s.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

impl Delivery<'_> {
    /// Puts the message into the agent's queue with the agent's own command. Returns `None` where that is not possible,
    /// and the message has to be typed.
    pub(super) fn queue_natively(&self) -> Result<Option<DeliveryOutcome>> {
        // In the queue a command of the agent would be an ordinary message.
        if self.message.busy != Busy::Queue
            || self.message.allow_agent_commands
            || !self.message.enter
        {
            return Ok(None);
        }
        let seen = self.look()?;
        let Some(mut command) = seen
            .pane_agent()
            .filter(|pane_agent| pane_agent.own_verdict().state == State::Busy)
            .and_then(|pane_agent| self.command(pane_agent))
        else {
            return Ok(None);
        };
        // The command does not exist, or the text is too long for an argument (128 KiB on Linux).
        let Ok(mut child) = command.spawn() else {
            return Ok(None);
        };
        let limit = Instant::now() + COMMAND_TIMEOUT;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < limit => pause(),
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Error::new(
                        Exit::Unconfirmed,
                        "the agent's queue did not answer: unknown whether it has the message",
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
            unreported: None,
        }))
    }

    /// Returns the command with the agent's own environment and folder. The conversation is that of the last hook
    /// report, since the agent may have left the one that its command line names.
    fn command(&self, pane_agent: &PaneAgent<'_>) -> Option<Command> {
        let words = pane_agent
            .process_of_agent
            .agent
            .manifest
            .commands
            .queue
            .as_ref()?;
        let id = pane_agent.hook_conversation.as_ref()?;
        let word = |word: &String| {
            let word = word.replace("{id}", id);
            word.replace("{text}", self.message.text)
        };
        let (program, words) = words.split_first()?;
        let pid = pane_agent.process_of_agent.process.pid;
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
