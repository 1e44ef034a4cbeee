//! The record as scripts get it: JSON.

use serde_json::Value;

/// One sesh as `--json` prints it.
#[derive(Clone, Debug)]
pub(crate) struct Record(pub(crate) Value);

/// Two records are equal if what is stored is the same. Some helpers add what the transcript says.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let stored = |record: &Self| {
            let mut fields = record.0.clone();
            if let Some(fields) = fields.as_object_mut() {
                for added in ["model", "contextPct", "title", "transcript"] {
                    fields.remove(added);
                }
            }
            fields
        };
        stored(self) == stored(other)
    }
}

impl Record {
    /// A field, by its path in the JSON: `exit/code`.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> &Value {
        self.0
            .pointer(&format!("/{path}"))
            .unwrap_or_else(|| panic!("no {path} in {:#}", self.0))
    }

    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> &str {
        self.get(path)
            .as_str()
            .unwrap_or_else(|| panic!("{path} is no text in {:#}", self.0))
    }

    #[track_caller]
    pub(crate) fn uuid(&self) -> &str {
        self.text("uuid")
    }

    #[track_caller]
    pub(crate) fn name(&self) -> &str {
        self.text("name")
    }

    #[track_caller]
    pub(crate) fn pane(&self) -> &str {
        self.text("tmux/pane")
    }

    #[track_caller]
    pub(crate) fn state(&self) -> &str {
        self.text("state")
    }

    #[track_caller]
    pub(crate) fn live(&self) -> bool {
        self.get("live").as_bool().expect("live is a truth value")
    }

    pub(crate) fn has_pane(&self) -> bool {
        !self.get("tmux").is_null()
    }

    /// The code it exited with.
    pub(crate) fn code(&self) -> Option<i64> {
        self.0.pointer("/exit/code").and_then(Value::as_i64)
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i64> {
        self.0.pointer("/exit/signal").and_then(Value::as_i64)
    }

    #[track_caller]
    pub(crate) fn strings(&self, path: &str) -> Vec<&str> {
        self.get(path)
            .as_array()
            .expect("a list")
            .iter()
            .map(|word| word.as_str().expect("a list of texts"))
            .collect()
    }
}
