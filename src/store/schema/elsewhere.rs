//! The names that are no pane options of a sesh: server options, hidden variables and channels.

/// A name in tmux that is not a pane option of [`PANE`](super::PANE).
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

/// All names that are not in [`PANE`](super::PANE).
pub const ELSEWHERE: [Named; 57] = [
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
    named(
        "@sesh_locks",
        "pane option",
        "` a b `: the locks that `sesh-lock` holds for the commands of this pane",
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
    named(
        "@sesh_claim",
        "pane option",
        "the items that the sesh of this pane has claimed, each with its progress: `x 3/7 y`; `x lost to NAME` after another \
         sesh took one over. The ledger of the repository decides, and this only shows it",
    ),
    named(
        "@seshwork_<repository>",
        "server option",
        "the claims of a repository: how many claims it has, how many of them have a \
         holder that is gone, how many landings wait, and its common git directory",
    ),
    named(
        "@seshsum_claims",
        "server option",
        "how many claims all repositories have that this server knows",
    ),
    named(
        "@seshsum_lostclaims",
        "server option",
        "how many of them have a holder that is gone",
    ),
    named(
        "@seshsum_landing",
        "server option",
        "how many landings wait or run in these repositories",
    ),
    named(
        "SESH_repositories, SESH_work_<repository>",
        "hidden variables",
        "the repositories that have a `@seshwork_` option, and the number of events of the ledger that each shows: an older \
         state of it is not written over a newer one",
    ),
];
