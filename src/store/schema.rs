//! The list of all names that tmux-sesh uses in tmux. The tables in plugin/doc/store.md, the queries and the tests are
//! built from it.
//!
//! The schema is public: users may write their own formats with it. Texts are percent-encoded (see [`super::value`]).

mod hidden;

use crate::id::SeshId;
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

/// A name in tmux that is not a pane option of [`PANE`].
pub struct Named {
    pub name: &'static str,
    pub scope: &'static str,
    pub meaning: &'static str,
}

const fn named(name: &'static str, scope: &'static str, meaning: &'static str) -> Named {
    Named {
        name,
        scope,
        meaning,
    }
}

/// All names that are not in [`PANE`].
pub const ELSEWHERE: [Named; 50] = [
    named(
        "@seshbook_<uuid>",
        "server option",
        "the record of a sesh, from its creation on: `version,field=value,…`, the last of two equal fields \
         counts; without a pane it is an exited sesh",
    ),
    named(
        "@seshsum_waiting",
        "server option",
        "how many seshes wait for a person; archived ones count in none of the sums, and unset is 0",
    ),
    named("@seshsum_busy", "server option", "how many are busy"),
    named("@seshsum_idle", "server option", "how many are idle"),
    named(
        "@seshsum_unknown",
        "server option",
        "how many are in an unknown state",
    ),
    named(
        "@seshsum_ended",
        "server option",
        "how many have exited and are held in their panes",
    ),
    named(
        "@seshsum_unseen",
        "server option",
        "how many of those, and of the agents that have finished, are unread",
    ),
    named("@seshsum_failed", "server option", "unread failures"),
    named(
        "@seshsum_next",
        "server option",
        "a pane that needs a person: where a click on the segment goes",
    ),
    named(
        "@seshsum_letter",
        "pane option",
        "what the sums count this pane as: `w` waiting, `b` busy, `i` idle, `u` anything else, `e` exited; `I` and `E` \
         the same and unread; `m` waiting only for an answer to a menu that a person opened, `a` archived, `x` archived \
         and exited, which count in none; `w`, `I` and `E` with the pane's number behind them, and `e` with an `f`, `E` with an \
         `F` at the end, where the command has failed",
    ),
    named(
        "@seshplugin_tell",
        "server option",
        "a format: the shell command that notifies a person of a pane, as `@sesh-notify` says; the count starts it for the \
         pane in `SESH_tell`",
    ),
    named(
        "SESH_changes",
        "hidden variable",
        "the number of changes that were signalled on the channel `tmux-sesh`",
    ),
    named(
        "SESH_tell",
        "hidden variable",
        "the pane of an agent that has begun to wait or has finished, if no client shows it; empty for other changes \
         of state. It is set in the list that writes the state, before the count",
    ),
    named(
        "SESH_if<n>, SESH_if_signal",
        "hidden variable",
        "the conditions of a helper's list of commands, from its begin to its end",
    ),
    named(
        "@seshsum_procedure",
        "global option",
        "the tmux commands that count the current pane and write the sums anew",
    ),
    named(
        "@seshplugin_bin",
        "server option",
        "the folder of the helpers that the plugin uses",
    ),
    named("@seshplugin_dir", "server option", "the plugin's folder"),
    named(
        "@seshplugin_version",
        "server option",
        "the plugin's version",
    ),
    named(
        "@seshplugin_trouble",
        "server option",
        "what keeps the plugin from working, in one sentence; unset when all is well",
    ),
    named(
        "@seshplugin_keys",
        "server option",
        "the keys that the plugin bound: `table key table key …`",
    ),
    named(
        "@seshsum_arrived, SESH_arrivals",
        "pane option, hidden variable",
        "the number of the last arrival of a client at an unread sesh, until it has been looked at for a second",
    ),
    named(
        "@seshplugin_job, @seshplugin_key_job, @seshplugin_procedures",
        "server options",
        "how the plugin starts a script, in silence where its folder is gone, and the hooks that it runs as procedures",
    ),
    named(
        "@seshplugin_hooks",
        "server option",
        "the hooks that the plugin set, all at index 8801",
    ),
    named(
        "SESH_tail_<uuid, no dashes>",
        "hidden variable",
        "the last lines of an exited sesh, percent-encoded",
    ),
    named(
        "SESH_hook_<pane number>",
        "hidden variable",
        "the last report of the agent's hooks: `pid:start,milliseconds,state,why,event,conversation`, `-` for what it \
         lacks",
    ),
    named(
        "SESH_send_<pane number>",
        "hidden variable",
        "which process is typing a message there: `pid:start:…`; two at once would mix their texts",
    ),
    named(
        "SESH_prompt_<pane number>",
        "hidden variable",
        "the last prompt that the agent accepted, as its hook reports: `pid:start,milliseconds,mark`; the mark tells \
         whether it is a certain text, and nothing of its content",
    ),
    named(
        "SESH_answer_<pane number>",
        "hidden variable",
        "the agent's last answer, as its hook reports: `pid:start,milliseconds,whole,text` or `cut` in place of \
         `whole`, the text percent-encoded; of a long one its first 8 kB",
    ),
    named(
        "SESH_was_<client>",
        "hidden variable",
        "the pane where that client was before it last went to a sesh; characters of its name other than letters and \
         digits are `_`",
    ),
    named(
        "SESH_from_<pane number>",
        "hidden variable",
        "where clients were before they went to that pane, and return to when it closes: `client=session:pane …`",
    ),
    named(
        "SESH_reap",
        "hidden variable",
        "since when a `sesh-reap` runs, in seconds",
    ),
    named(
        "SESH_reap_again",
        "hidden variable",
        "1: another `sesh-reap` is requested for when this one has ended",
    ),
    named(
        "SESH_do",
        "hidden variable",
        "which of the plugin's procedures `set-hook -gR after-unbind-key` runs, as words; set right before and unset right \
         after, in one list",
    ),
    named(
        "SESH_letter, SESH_scan, SESH_found, SESH_next",
        "hidden variables",
        "what a procedure computed last: a pane's letter, the letters of all panes, how many of them are alive, and \
         the next `@seshsum_next`",
    ),
    named(
        "SESH_needs",
        "hidden variable",
        "the letters of the panes that wait or are unread, each with a space behind it",
    ),
    named(
        "SESH_count, SESH_live",
        "hidden variables",
        "how many panes have a letter, and how many of those have a process that has not exited: fewer than counted \
         have the sums written anew, and start `sesh-reap`",
    ),
    named(
        "SESH_checked, SESH_armed",
        "hidden variables",
        "when the plugin last looked what closings left, and since when it waits before it looks again, in seconds",
    ),
    named(
        "SESH_shared",
        "hidden variable",
        "not empty when a window is in several sessions, or a session in a group",
    ),
    named(
        "SESH_scope",
        "hidden variable",
        "set while `sesh-reap` is started for all seshes, not only for those without a pane",
    ),
    named(
        "SESH_tick, SESH_every, SESH_late, SESH_client",
        "hidden variables",
        "the tick: its generation, its seconds, how long output counts as new, and the client that its timer hangs on",
    ),
    named(
        "SESH_now, SESH_before",
        "hidden variables",
        "what the tick compares: what all panes do, and what they did",
    ),
    named(
        "@seshsum_lost",
        "server option",
        "pending restores: how many seshes were alive when the last tmux server died",
    ),
    named(
        "SESH_restored",
        "hidden variable",
        "whether they were restored in this life of the server: `pid:start` while it is done, then `done`",
    ),
    named(
        "SESH_unwritten",
        "hidden variable",
        "the journal cannot be written: `said`, or `missed` as long as it is not reported; `sesh-save` takes it back",
    ),
    named(
        "SESH_there",
        "hidden variable",
        "the panes that were there before tmux-resurrect restored, until it has",
    ),
    named(
        "SESH_forgotten",
        "hidden variable",
        "the seshes that were forgotten while the journal could not be written; `sesh-save` writes that",
    ),
    named(
        "SESH_swept, SESH_left",
        "hidden variables",
        "when `sesh-reap` last looked for what forgotten seshes left; set once the journal alone has an exited sesh",
    ),
    named(
        "SESH_settled",
        "hidden variable",
        "when a wait last reconciled what is stored, in seconds: once a second is enough for all that wait",
    ),
    named(
        "tmux-sesh",
        "channel of `wait-for`",
        "each write of a state, an end, a birth, a tag or a removal signals it, in the same list: a hint to read the store \
         again, never a proof",
    ),
    named(
        "tmux-sesh-p<n>, tmux-sesh-s<n>",
        "channels of `wait-for`",
        "the same for the changes of one sesh: the first one of its pane, by the number of the pane modulo 1024; the \
         second one, for a sesh without a pane, by the end of its uuid. A birth signals both. Several seshes may share one",
    ),
];

/// The hidden variable that counts the changes of which a hint was given.
pub const CHANGES: &str = "SESH_changes";

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
