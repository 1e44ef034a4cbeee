//! The table of texts ([`texts`]), sent to a real agent. The model's log shows what arrived.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use unicode_normalization::UnicodeNormalization;

use super::agents::Real;
use super::lab::Lab;
use super::story::Story;
use super::texts;
use crate::support::{NONE, Said, say, soak, until};

/// Without `--soak` every so many texts are sent.
const STEP: usize = 10;

/// Sends the texts to an agent in a pane of this size. `SESH_TEXTS` limits the run to the texts whose name contains one
/// of these words, which commas separate.
#[track_caller]
pub(super) fn is_delivered(agent: &'static Real, size: (u16, u16)) {
    let Some(lab) = super::lab(agent, size) else {
        return;
    };
    let chosen = chosen(size);
    let mut story = Story::of(&lab);
    let mut uuid = start(&mut story);
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    let total = chosen.len();
    let (columns, rows) = size;
    for (name, text) in chosen {
        let begun = Instant::now();
        let before = lab.prompts().len();
        let send = [&lab.pane, "-", "--json", "--wait=60s"];
        let said = lab
            .server
            .sesh("sesh-send", send)
            .stdin(text.as_str())
            .said();
        let outcome = judged(&lab, &said, &text, before);
        let took = begun.elapsed().as_millis();
        match outcome {
            Ok(proof) => say(&format!("{columns}x{rows} {name}: {proof} in {took} ms")),
            Err(Some(reason)) => {
                say(&format!(
                    "{columns}x{rows} {name}: refused ({reason}) in {took} ms"
                ));
                refused.push(name);
            }
            Err(None) => {
                let prompts = lab.prompts().split_off(before);
                let what = format!("{name}: {said}\n{prompts:?}\n{}", lab.evidence());
                say(&format!("{columns}x{rows} WRONG {what}"));
                wrong.push(what);
                // What it left behind must not spoil the next one.
                end(&lab, &uuid);
                story.forgets();
                uuid = start(&mut story);
            }
        }
    }
    say(&format!(
        "{} {columns}x{rows}: {total} texts, {} refused: {refused:?}, {} wrong",
        agent.name,
        refused.len(),
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Returns the texts of this run: all of them with `--soak`, else every [`STEP`]th, at each size others.
fn chosen((columns, _): (u16, u16)) -> Vec<(&'static str, String)> {
    let texts = texts::all();
    if let Ok(words) = std::env::var("SESH_TEXTS") {
        let named = |name: &str| words.split(',').any(|word| name.contains(word));
        return texts.into_iter().filter(|(name, _)| named(name)).collect();
    }
    let step = if soak() { 1 } else { STEP };
    let first = usize::from(columns) / 20 % step;
    texts.into_iter().skip(first).step_by(step).collect()
}

fn start(story: &mut Story<'_>) -> String {
    let found = story.starts("start");
    // Gemini and pi lose what comes before they have been there for a moment.
    story.stays("nothing to do", Duration::from_secs(2));
    found.uuid().into()
}

fn end(lab: &Lab, uuid: &str) {
    let pid = lab.server.record(uuid).get("agentPid").as_i64();
    let pid = i32::try_from(pid.expect("the agent's pid")).expect("a pid");
    // A killed one starts with another renderer the next time.
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it lives");
    until("the shell is back", || lab.in_shell());
    until("the sesh is over", || {
        lab.server.sesh("sesh-reap", NONE).ok();
        lab.server.record(uuid).state() == "exited"
    });
    lab.keys(&["C-l"]);
}

/// Returns the proof of a delivery whose text the model has got once, or the reason of a refusal after which it has got
/// nothing. Everything else is wrong.
fn judged(lab: &Lab, said: &Said, text: &str, before: usize) -> Result<String, Option<String>> {
    let outcome = said.json();
    let word = |key: &str| outcome[key].as_str().unwrap_or_default().to_string();
    let got = lab.prompts().split_off(before);
    match (said.code(), word("outcome").as_str()) {
        (Some(0), "delivered") if got.len() == 1 && plain(&got[0]) == plain(text) => {
            Ok(word("proof"))
        }
        (Some(4), "refused") if got.is_empty() && word("reason") == "command" => {
            Err(Some(word("reason")))
        }
        _ => Err(None),
    }
}

/// Returns a text without what agents do to it on purpose: canonical composition, four blanks for a tab, no blanks at
/// its ends, and the frame in which Claude passes a long paste to its model.
fn plain(text: &str) -> String {
    let mut text: String = text.nfc().collect();
    for frame in ["<pasted_content id=", "</pasted_content id="] {
        while let Some(begin) = text.find(frame) {
            let end = text[begin..]
                .find('>')
                .map_or(text.len(), |at| begin + at + 1);
            text.replace_range(begin..end, "");
        }
    }
    text.replace('\t', "    ").trim().into()
}
