//! The description of a sesh that would be created.

use serde::Serialize;

/// What `sesh-new --dry-run` would do. The fields are public, and their order is that of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// The command line, its words joined with blanks, or `a login shell`.
    pub command: String,
    /// The folder that it starts in.
    pub cwd: String,
    pub name: String,
    /// `COLUMNSxROWS`.
    pub size: String,
    /// The tmux commands.
    pub tmux: String,
    pub uuid: String,
    /// Where the pane goes, in words.
    #[serde(rename = "where")]
    pub spot: String,
}

impl Description {
    /// Returns the fields in the order of the text output.
    #[must_use]
    pub fn lines(&self) -> [(&'static str, &str); 7] {
        [
            ("name", &self.name),
            ("uuid", &self.uuid),
            ("where", &self.spot),
            ("size", &self.size),
            ("cwd", &self.cwd),
            ("command", &self.command),
            ("tmux", &self.tmux),
        ]
    }
}
