//! Every name that tmux-sesh keeps in tmux, once: the README's table, the queries and the tests are made
//! from this list.
//!
//! The schema is public: write your own formats on it. Texts are percent-encoded (see [`super::value`]).

mod hidden;

use crate::id::SeshId;
use crate::tmux::Channel;
pub use hidden::{
    ANSWER_OF_PANE, HOOK_OF_PANE, PROMPT_OF_PANE, answer, hook, pane_of_hook, prompt, send, tail,
    tail_of, was,
};

/// The version of the schema: the first word of every book record. A newer program reads older ones.
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

/// How long a value of a sesh lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as its pane: the record has it too, but is not written for its sake.
    Pane,
    /// As long as the record, so as long as the server: it means nothing to a later server.
    Record,
    /// It is in the journal too, which outlives the server.
    Journal,
}

/// One row of the schema.
pub struct Entry {
    pub key: Key,
    /// The tmux option; its part after `@sesh_` names the field in a book record.
    pub option: &'static str,
    pub lifetime: Lifetime,
    /// What its value looks like.
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
        "pid:start",
        "the agent's process: another one in the pane is another story",
    )
    .lasts(Lifetime::Record),
    entry(
        Key::Auto,
        "@sesh_auto",
        "1",
        "nobody registered it: it was found, and ends with its agent",
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
        "1",
        "sesh-new made the pane: its first process is `sesh-run`",
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
        "the reason of `waiting`: `permission` `question` `trust` `login` `dialog`",
    ),
    entry(
        Key::Since,
        "@sesh_since",
        "seconds",
        "when the state changed, by the server's clock",
    ),
    entry(
        Key::By,
        "@sesh_by",
        "word",
        "who says so: the state's authority",
    ),
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
    entry(Key::Created, "@sesh_created", "seconds", "its birth"),
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
        "who answers for it: the sesh that made it, or whom `--owner` named",
    ),
    entry(
        Key::Expires,
        "@sesh_expires",
        "seconds",
        "when its time is over, and `sesh-reap` ends it",
    ),
    entry(Key::Host, "@sesh_host", "text", "the machine"),
    entry(
        Key::Exit,
        "@sesh_exit",
        "`code signal seconds`",
        "how it ended; `-` for what does not apply",
    ),
    entry(
        Key::Held,
        "@sesh_held",
        "seconds",
        "since when the ended pane is held readable",
    )
    .lasts(Lifetime::Record),
    entry(Key::Archived, "@sesh_archived", "1", "put away by a person"),
    entry(Key::Note, "@sesh_note", "text", "a person's note"),
    entry(
        Key::Meta,
        "@sesh_meta",
        "` k=v k=v`",
        "a script's own fields",
    ),
];

impl Key {
    /// The tmux option that holds it.
    #[must_use]
    pub fn option(self) -> &'static str {
        PANE[self as usize].option
    }

    /// Its name in a book record.
    #[must_use]
    pub fn field(self) -> &'static str {
        &self.option()["@sesh_".len()..]
    }

    /// The tmux format that gives its value on a pane.
    #[must_use]
    pub fn format(self) -> String {
        format!("#{{{}}}", self.option())
    }
}

/// A name outside the panes.
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

/// Everything that is not a pane option.
pub const ELSEWHERE: [Named; 46] = [
    named(
        "@seshbook_<uuid>",
        "server option",
        "the record of a sesh, from its birth on: `version,field=value,…`, the last of two equal fields \
         counts; without a pane it is an ended sesh",
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
        "of how many nobody knows what they do",
    ),
    named(
        "@seshsum_ended",
        "server option",
        "how many have ended and are held in their panes",
    ),
    named(
        "@seshsum_unseen",
        "server option",
        "how many of those, and of the agents that have finished, nobody has looked at since",
    ),
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
         and exited, which count in none; `w`, `I` and `E` with the pane's number behind them",
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
        "SESH_given_up",
        "hidden variable",
        "the number of waits on that channel that were given up, each of which signals it too",
    ),
    named(
        "SESH_tell",
        "hidden variable",
        "the pane of an agent that has begun to wait, or has finished, where no client shows it; empty of another change of \
         state. It stands in the list that writes the state, before the count",
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
        "@seshplugin_hooks",
        "server option",
        "the hooks that the plugin set, all at index 8801",
    ),
    named(
        "SESH_tail_<uuid, no dashes>",
        "hidden variable",
        "the last lines of an ended sesh, percent-encoded",
    ),
    named(
        "SESH_hook_<pane number>",
        "hidden variable",
        "what the agent's hooks said last: `pid:start,milliseconds,state,why,event,conversation`, `-` for what they did not",
    ),
    named(
        "SESH_send_<pane number>",
        "hidden variable",
        "which process is typing a message there: `pid:start:…`; two at once would be one text",
    ),
    named(
        "SESH_prompt_<pane number>",
        "hidden variable",
        "the prompt that the agent took last, as its hook says: `pid:start,milliseconds,mark`, where the mark tells \
         whether it is a certain text and nothing of what stands in it",
    ),
    named(
        "SESH_answer_<pane number>",
        "hidden variable",
        "what the agent said last, as its hook says: `pid:start,milliseconds,whole,text` or `cut` in place of `whole`, the text \
         percent-encoded; of a long one its first 8 kB",
    ),
    named(
        "SESH_was_<client>",
        "hidden variable",
        "the pane where that client was before it was last taken to a sesh: where `sesh-enter --last` goes; what is no letter \
         or digit in the client's name is `_`",
    ),
    named(
        "SESH_reap",
        "hidden variable",
        "since when a `sesh-reap` runs, in seconds",
    ),
    named(
        "SESH_reap_again",
        "hidden variable",
        "1: another `sesh-reap` is wanted when that one has ended",
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
        "set while `sesh-reap` is started for everything, not only for what has no pane any more",
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
        "how many seshes were alive when the last tmux server died, as long as nobody has said what is to become of them",
    ),
    named(
        "SESH_restored",
        "hidden variable",
        "whether those were brought back in this life of the server: `pid:start` of who does it, then `done`",
    ),
    named(
        "SESH_unwritten",
        "hidden variable",
        "the journal cannot be written: `said`, or `missed` as long as nobody has been told; `sesh-save` takes it back",
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
        "SESH_swept",
        "hidden variable",
        "when `sesh-reap` last looked for what is left of forgotten seshes, which it does once an hour",
    ),
    named(
        "SESH_settled",
        "hidden variable",
        "when a wait last put right what is stored, in seconds: once a second is enough for all that wait",
    ),
    named(
        "tmux-sesh",
        "channel of `wait-for`",
        "whoever writes a state, an end, a birth, a tag or a removal signals it, in the same list: a hint to read the store \
         again, never a proof",
    ),
];

/// What is signalled after every change that may be waited for.
pub static CHANGED: Channel = Channel {
    name: "tmux-sesh",
    changes: "SESH_changes",
    given_up: "SESH_given_up",
};

/// The hidden variable with the pane of which the count notifies a person.
pub const TELL: &str = "SESH_tell";

/// Since when a reconciliation runs, and whether another is wanted then.
pub const REAP: &str = "SESH_reap";
pub const REAP_AGAIN: &str = "SESH_reap_again";

/// When what is left of forgotten seshes was last looked for, in seconds.
pub const SWEPT: &str = "SESH_swept";

/// How many were alive when the last server died and are not answered for.
pub const PENDING: &str = "@seshsum_lost";

/// Who brings those back, or that it is done.
pub const RESTORED: &str = "SESH_restored";

/// Which panes were there before tmux-resurrect restored.
pub const THERE: &str = "SESH_there";

/// Which seshes were forgotten while the journal could not be written.
pub const FORGOTTEN: &str = "SESH_forgotten";

/// That the journal cannot be written: was it said?
pub const UNWRITTEN: &str = "SESH_unwritten";

/// When a wait last put right what is stored, in seconds.
pub const RECONCILED: &str = "SESH_settled";

/// How the line starts that the pane of an ended sesh shows last.
pub const HELD: &str = "[sesh: ";

/// The server option that holds the book record of a sesh.
#[must_use]
pub fn book(id: SeshId) -> String {
    format!("@seshbook_{id}")
}

/// The server option that holds the book record of a pane's sesh, as a format.
pub const BOOK_OF_PANE: &str = "@seshbook_#{@sesh_id}";

/// Whether a name is one of the pane options. Set anywhere else it hides what panes have, or gives them what they do
/// not have.
#[must_use]
pub fn is_state(name: &str) -> bool {
    PANE.iter().any(|entry| entry.option == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_keys() {
        for (at, entry) in PANE.iter().enumerate() {
            pretty_assertions::assert_eq!(entry.key as usize, at, "{}", entry.option);
            assert!(entry.option.starts_with("@sesh_"), "{}", entry.option);
        }
    }
}
