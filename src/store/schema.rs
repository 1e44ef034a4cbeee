//! The list of all names that tmux-sesh uses in tmux. The tables in plugin/doc/store.md, the queries and the tests are
//! built from it.
//!
//! The schema is public: users may write their own formats with it. Texts are percent-encoded (see [`super::value`]).

mod elsewhere;
mod hidden;

use crate::id::SeshId;
pub use elsewhere::{ELSEWHERE, Named};
pub use hidden::{
    ANSWER_OF_PANE, HOOK_OF_PANE, LAST_AGENT_OF_PANE, LEFT, PROMPT_OF_PANE, answer, hook,
    last_agent, origins, pane_of_variable, previous_pane, prompt, send, tail, tail_of,
};

/// The version of the schema: the first word of every stored record. A newer program reads older records.
pub const VERSION: u32 = 1;

/// A pane option of a sesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Id,
    Name,
    Tags,
    Agent,
    Conv,
    Pid,
    Auto,
    Proc,
    Made,
    State,
    Why,
    Since,
    By,
    Gen,
    Seen,
    Worked,
    Cwd,
    Cmd,
    Created,
    Updated,
    Parent,
    Owner,
    Expires,
    Host,
    Exit,
    Held,
    Archived,
    Note,
    Meta,
}

/// How long a value of a sesh is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as its pane. The record contains it too, but a change of it alone does not cause a write of the record.
    Pane,
    /// As long as the record, and therefore as long as the server. It has no meaning for a later server.
    Record,
    /// Longer than the server: the journal contains it too.
    Journal,
}

/// One row of the schema.
pub struct Entry {
    pub key: Key,
    /// The tmux option. Its part after `@sesh_` is the name of the field in a stored record.
    pub option: &'static str,
    pub lifetime: Lifetime,
    /// The form of its value.
    pub form: &'static str,
    pub meaning: &'static str,
}

const fn entry(key: Key, option: &'static str, form: &'static str, meaning: &'static str) -> Entry {
    Entry {
        key,
        option,
        lifetime: Lifetime::Journal,
        form,
        meaning,
    }
}

impl Entry {
    const fn lasts(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// The pane options, in the order of [`Key`].
pub const PANE: [Entry; 29] = [
    entry(Key::Id, "@sesh_id", "UUID", "the identity; never reused"),
    entry(
        Key::Name,
        "@sesh_name",
        "name",
        "unique among the live seshes of the server",
    ),
    entry(
        Key::Tags,
        "@sesh_tags",
        "` a b `",
        "so that a filter `* a *` is exact",
    ),
    entry(
        Key::Agent,
        "@sesh_agent",
        "word",
        "the agent's kind; empty for a shell or a command",
    ),
    entry(
        Key::Conv,
        "@sesh_conv",
        "text",
        "the agent's conversation id",
    ),
    entry(
        Key::Pid,
        "@sesh_pid",
        "pid:start[:given]",
        "the agent's process; `given` where a person named the agent of this process",
    )
    .lasts(Lifetime::Record),
    entry(
        Key::Auto,
        "@sesh_auto",
        "1",
        "adopted automatically; ends with its agent",
    ),
    entry(
        Key::Proc,
        "@sesh_proc",
        "pid[:start[:shell]]",
        "the pane's process that the identity is bound to, and the pid of the shell in it",
    )
    .lasts(Lifetime::Record),
    entry(
        Key::Made,
        "@sesh_made",
        "`1`, `headless`",
        "the pane was created with `sesh-run` as its first process; `headless`: for one headless turn",
    ),
    entry(
        Key::State,
        "@sesh_state",
        "word",
        "`starting` `busy` `waiting` `idle` `exited` `unknown`",
    ),
    entry(
        Key::Why,
        "@sesh_why",
        "word",
        "the reason of `waiting`: `permission` `question` `trust` `login` `dialog` `start`",
    ),
    entry(
        Key::Since,
        "@sesh_since",
        "seconds",
        "when the state changed, by the server's clock",
    ),
    entry(Key::By, "@sesh_by", "word", "the source of the state"),
    entry(
        Key::Gen,
        "@sesh_gen",
        "number",
        "grows with every change of the state",
    )
    .lasts(Lifetime::Record),
    entry(
        Key::Seen,
        "@sesh_seen",
        "number",
        "the generation that a person last looked at",
    )
    .lasts(Lifetime::Pane),
    entry(
        Key::Worked,
        "@sesh_worked",
        "number",
        "the generation at which it last became busy",
    )
    .lasts(Lifetime::Record),
    entry(
        Key::Cwd,
        "@sesh_cwd",
        "text",
        "the folder it was started in",
    ),
    entry(
        Key::Cmd,
        "@sesh_cmd",
        "words",
        "the command it was started with; empty for a login shell",
    ),
    entry(
        Key::Created,
        "@sesh_created",
        "seconds",
        "when it was created",
    ),
    entry(
        Key::Updated,
        "@sesh_updated",
        "seconds",
        "its last change of any kind",
    ),
    entry(
        Key::Parent,
        "@sesh_parent",
        "UUID",
        "the sesh it was started from",
    ),
    entry(
        Key::Owner,
        "@sesh_owner",
        "text",
        "its owner: the sesh that created it, or what `--owner` named",
    ),
    entry(
        Key::Expires,
        "@sesh_expires",
        "seconds",
        "when `sesh-reap` ends it (`--ttl`)",
    ),
    entry(Key::Host, "@sesh_host", "text", "the machine"),
    entry(
        Key::Exit,
        "@sesh_exit",
        "`code signal seconds`",
        "how it exited; `-` for what does not apply",
    ),
    entry(
        Key::Held,
        "@sesh_held",
        "seconds",
        "since when the exited pane is held readable",
    )
    .lasts(Lifetime::Record),
    entry(Key::Archived, "@sesh_archived", "1", "archived by a person"),
    entry(Key::Note, "@sesh_note", "text", "a person's note"),
    entry(
        Key::Meta,
        "@sesh_meta",
        "` k=v k=v`",
        "a script's own fields",
    ),
];

impl Key {
    /// Returns the tmux option that holds the value.
    #[must_use]
    pub fn option(self) -> &'static str {
        PANE[self as usize].option
    }

    /// Returns the name of the field in a stored record.
    #[must_use]
    pub fn field(self) -> &'static str {
        &self.option()["@sesh_".len()..]
    }

    /// Returns the tmux format that expands to the value of a pane.
    #[must_use]
    pub fn format(self) -> String {
        format!("#{{{}}}", self.option())
    }
}

/// The hidden variable that counts the changes of which a hint was given.
pub const CHANGES: &str = "SESH_changes";

/// The pane option with the locks that `sesh-lock` holds for the commands of the pane.
pub const LOCKS: &str = "@sesh_locks";

/// The hidden variable with the pane about which the count notifies a person.
pub const NOTIFY_PANE: &str = "SESH_tell";

/// The hidden variable with the time since when a `sesh-reap` runs.
pub const REAP: &str = "SESH_reap";
/// The hidden variable that is set when another `sesh-reap` has to run after the current one.
pub const REAP_AGAIN: &str = "SESH_reap_again";

/// The hidden variable with the time of the last search for remains of forgotten seshes, in seconds.
pub const LAST_SWEEP: &str = "SESH_swept";

/// The option with the number of pending restores: seshes that were alive when the last server died, and about which a
/// person has not decided yet.
pub const PENDING: &str = "@seshsum_lost";

/// The hidden variable with the process that brings the pending restores back, or with the word for "done".
pub const RESTORED: &str = "SESH_restored";

/// The hidden variable with the panes that existed before tmux-resurrect restored.
pub const PANES_BEFORE_RESURRECT: &str = "SESH_there";

/// The hidden variable with the seshes that were forgotten while the journal could not be written.
pub const FORGOTTEN: &str = "SESH_forgotten";

/// The hidden variable that is set while the journal cannot be written. Its value shows whether that was reported.
pub const UNWRITTEN: &str = "SESH_unwritten";

/// The hidden variable with the time when a wait last reconciled the store, in seconds.
pub const RECONCILED: &str = "SESH_settled";

/// The pane option with the items that the sesh of the pane has claimed.
pub const CLAIM: &str = "@sesh_claim";
/// The options with the numbers of claims, of claims whose holders are gone, and of landings that wait.
pub const CLAIMS: &str = "@seshsum_claims";
pub const LOST_CLAIMS: &str = "@seshsum_lostclaims";
pub const LANDING: &str = "@seshsum_landing";
/// The hidden variable with the repositories that [`work`] has an option for, each with a space on both sides.
pub const REPOSITORIES: &str = "SESH_repositories";

/// Returns the server option that shows the claims of a repository, by the 8 digits of the repository.
#[must_use]
pub fn work(repository: &str) -> String {
    format!("@seshwork_{repository}")
}

/// Returns the hidden variable with the number of events of the ledger that [`work`] shows. A write of it redraws nothing.
#[must_use]
pub fn work_length(repository: &str) -> String {
    format!("SESH_work_{repository}")
}

/// The start of the line that the pane of an ended sesh shows last.
pub const HELD: &str = "[sesh: ";

/// Returns the server option that holds the record of a sesh.
#[must_use]
pub fn book(id: SeshId) -> String {
    format!("@seshbook_{id}")
}

/// The server option that holds the record of a pane's sesh, as a format.
pub const BOOK_OF_PANE: &str = "@seshbook_#{@sesh_id}";

/// Returns whether a name is one of the pane options of [`PANE`]. If such an option is set in another scope, it hides
/// the values of panes, or gives panes a value that they do not have.
#[must_use]
pub fn is_state(name: &str) -> bool {
    PANE.iter().any(|entry| entry.option == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_keys() {
        for (index, entry) in PANE.iter().enumerate() {
            pretty_assertions::assert_eq!(entry.key as usize, index, "{}", entry.option);
            assert!(entry.option.starts_with("@sesh_"), "{}", entry.option);
        }
    }
}
