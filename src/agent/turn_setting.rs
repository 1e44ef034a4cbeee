//! Settings that a headless turn changes for good in a conversation. A terminal program that resumes it gets them as they
//! were.
//!
//! `codex exec` runs with the approval policy `never`, and a TUI that resumes the thread has `never` too, whatever the
//! configuration says (codex 0.171.0).

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::Value;

use super::headless::{OutputPlace, TurnSetting};
use super::kinds::Agent;
use super::transcript::Transcript;

impl TurnSetting {
    fn value(&self, home: &Path, transcript: Option<&Path>) -> Option<String> {
        let last = transcript.and_then(|path| self.in_transcript(path));
        last.or_else(|| self.in_configuration(home))
            .or_else(|| self.default.clone())
    }

    fn in_transcript(&self, path: &Path) -> Option<String> {
        let place = OutputPlace {
            when: self.when.clone(),
            at: Some(self.at.clone()),
        };
        let of_headless_turn = OutputPlace {
            when: self.unless.clone(),
            at: None,
        };
        let mut last = None;
        let mut file = BufReader::new(File::open(path).ok()?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line).ok()? > 0 {
            // Most lines are of other kinds, and parsing a long transcript takes seconds.
            let may_fit = self
                .when
                .values()
                .all(|value| memchr::memmem::find(&line, value.as_bytes()).is_some());
            if may_fit && let Ok(object) = serde_json::from_slice::<Value>(&line) {
                let values = place.values(&object);
                let is_headless =
                    !self.unless.is_empty() && !of_headless_turn.values(&object).is_empty();
                if let (Some(Value::String(value)), false) = (values.last(), is_headless) {
                    last = Some(value.clone());
                }
            }
            line.clear();
        }
        last
    }

    fn in_configuration(&self, home: &Path) -> Option<String> {
        let (file, key) = self.file.as_ref().zip(self.key.as_ref())?;
        let text = std::fs::read_to_string(home.join(file)).ok()?;
        let table: toml::Table = toml::from_str(&text).ok()?;
        table.get(key)?.as_str().map(Into::into)
    }
}

/// Returns the words with which a terminal program that resumes a conversation after headless turns has the settings of
/// before. `variable` reads an environment.
pub fn words(
    agent: &Agent,
    conversation: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<OsString> {
    let Some(settings) = &agent.manifest.headless.settings else {
        return Vec::new();
    };
    let Some(home) = agent.manifest.home.folder(&variable) else {
        return Vec::new();
    };
    let transcript = super::conversation::transcript(agent, conversation, &variable);
    let path = transcript.as_ref().map(Transcript::path);
    let words = settings.iter().filter_map(|setting| {
        let value = setting.value(&home, path)?;
        let is_word = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_word.then(|| {
            setting
                .words
                .iter()
                .map(move |word| word.replace("{}", &value).into())
        })
    });
    words.flatten().collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::agent::kinds::Agents;

    const ID: &str = "0190d8a4-0000-7000-8000-000000000001";

    /// Returns the words for the conversation of a codex home among the fixtures.
    fn words_of(home: &str) -> String {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/headless");
        let home = fixtures.join(home);
        let agents = Agents::read(None);
        let codex = agents.named("codex").expect("codex");
        let variable = |name: &str| (name == "CODEX_HOME").then(|| home.clone().into());
        let words = words(codex, ID, variable);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn what_was_before_the_headless_turns() {
        // An interactive turn, and then two headless ones.
        assert_eq!(
            words_of("home-before"),
            "-c approval_policy=untrusted -c sandbox_mode=workspace-write"
        );
        // Only a headless turn: its sandbox is the configured one.
        assert_eq!(words_of("home-configured"), "-c approval_policy=untrusted");
        assert_eq!(words_of("home-plain"), "-c approval_policy=on-request");
        assert_eq!(
            words_of("home-odd"),
            "",
            "what is no word does not get on a command line"
        );
    }
}
