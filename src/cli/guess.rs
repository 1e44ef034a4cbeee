//! Arguments that people type and that a helper does not have, with what to type instead.
//!
//! clap suggests what is spelled alike. This table has what is called otherwise in other programs: in tmux, in docker, in
//! the agents' own command lines.

use std::ffi::OsString;

use clap::error::{ContextKind, ErrorKind};

use crate::id::shell_word;
use crate::out;

/// The helpers that have an argument of their own for what is guessed; an empty text is every helper.
type Helper = &'static str;

/// Flags that do not exist, by helper, with the way out. An entry of a helper comes before those of every helper.
const FLAGS: [(Helper, &[&str], &str); 61] = [
    (
        "sesh-new",
        &["--tags", "-t"],
        "write --tag TAG, once for each",
    ),
    (
        "sesh-new",
        &[
            "--dir",
            "--directory",
            "--cd",
            "--workdir",
            "--folder",
            "--path",
            "-c",
            "-C",
            "-w",
        ],
        "write --cwd DIR",
    ),
    (
        "sesh-new",
        &["-n"],
        "the name is the first argument, as in sesh-new NAME",
    ),
    (
        "sesh-new",
        &[
            "--prompt",
            "--message",
            "--task",
            "--msg",
            "--text",
            "-m",
            "-p",
        ],
        "write --send TEXT for the first message",
    ),
    (
        "sesh-new",
        &["--command", "--cmd", "--exec", "-x"],
        "the command goes after --, as in sesh-new NAME -- make test",
    ),
    (
        "sesh-new",
        &[
            "--resume",
            "--continue",
            "--dangerously-skip-permissions",
            "--yolo",
            "-r",
        ],
        "arguments of the agent go after --, as in sesh-new --agent claude -- --continue",
    ),
    (
        "sesh-new",
        &["--detach", "--detached", "-d", "--background"],
        "leave it out: a new sesh is detached",
    ),
    (
        "sesh-new",
        &["--attach", "--focus", "--switch", "--go", "-a"],
        "write --enter",
    ),
    (
        "sesh-new",
        &["-e", "--environment"],
        "write --env KEY=VALUE",
    ),
    ("sesh-new", &["-v", "--vertical"], "write --split v"),
    ("sesh-new", &["--horizontal"], "write --split h"),
    ("sesh-new", &["--width", "--columns"], "write --cols N"),
    ("sesh-new", &["--height", "--lines"], "write --rows N"),
    (
        "sesh-new",
        &["--timeout"],
        "write --wait=DURATION to wait so long, or --ttl DURATION to end it then",
    ),
    (
        "sesh-new",
        &["--session-name", "-s", "--in"],
        "write --target SESSION[:WINDOW]",
    ),
    ("sesh-list", &["-a", "--everything"], "write --all"),
    ("sesh-list", &["-w"], "write --watch"),
    (
        "sesh-list",
        &["-q", "--quiet", "--names", "--name-only"],
        "write --no-header --columns name",
    ),
    (
        "sesh-list",
        &["--sort", "--order", "--reverse"],
        "pipe it through sort: --columns name,since --no-header",
    ),
    (
        "sesh-list",
        &["--filter", "--where"],
        "write --tag, --agent, --state or --owner",
    ),
    (
        "sesh-list",
        &["--busy", "--idle", "--waiting", "--unknown", "--starting"],
        "write --state STATE",
    ),
    (
        "sesh-list",
        &["--running", "--live", "--alive"],
        "leave it out: those with a pane are shown",
    ),
    (
        "sesh-list",
        &["--exited", "--ended", "--dead"],
        "write --all --state exited",
    ),
    ("sesh-list", &["--failed"], "write --all --state failed"),
    (
        "sesh-list",
        &["--limit", "--last", "-n"],
        "pipe it through tail -n N",
    ),
    (
        "sesh-list",
        &["--fields", "-o", "--output"],
        "write --columns NAME,… or --json",
    ),
    ("sesh-list", &["--follow", "-f"], "write --watch"),
    (
        "sesh-send",
        &["--message", "--text", "--prompt", "--msg", "-m", "-p"],
        "the message is the last argument, as in sesh-send NAME 'text'",
    ),
    (
        "sesh-send",
        &["--interrupt", "--force", "-f"],
        "write --now to interrupt, or --queue to leave it for later",
    ),
    (
        "sesh-send",
        &["--to"],
        "name the target first, as in sesh-send NAME 'text'",
    ),
    (
        "sesh-send",
        &["--stdin", "-i"],
        "write - as the message, which reads stdin",
    ),
    (
        "sesh-send",
        &["--answer", "--response", "-r"],
        "write --reply",
    ),
    (
        "sesh-send",
        &["--all", "--broadcast"],
        "write --tag TAG for every sesh with a tag",
    ),
    (
        "sesh-wait",
        &["--until", "--state", "--event", "-e", "-f", "--status"],
        "write --for EVENT, as in --for idle",
    ),
    (
        "sesh-wait",
        &[
            "--idle",
            "--waiting",
            "--busy",
            "--exit",
            "--turn",
            "--change",
        ],
        "write --for EVENT",
    ),
    (
        "sesh-wait",
        &["--output", "--text", "--grep"],
        "write --for 'output=REGEX'",
    ),
    ("sesh-wait", &["--quiet"], "write --for quiet=DURATION"),
    (
        "sesh-wait",
        &["--done", "--finished", "--exited"],
        "write --for exit, or --for turn for an agent's turn",
    ),
    (
        "sesh-wait",
        &["--interval", "--poll"],
        "leave it out: a wait wakes at once",
    ),
    (
        "pane-capture",
        &["-f", "--follow", "-F", "--watch"],
        "sesh-wait --for output=REGEX waits for a line, --since CURSOR prints what is new",
    ),
    (
        "pane-capture",
        &["-p", "--print"],
        "leave it out: the text is printed",
    ),
    (
        "pane-capture",
        &["-e", "--color", "--colour", "--escape"],
        "write --ansi",
    ),
    (
        "sesh-log",
        &["--tail", "--lines", "--last", "--limit", "--count"],
        "write -n TURNS",
    ),
    (
        "sesh-log",
        &["--all", "--full", "-a", "--history"],
        "write --whole",
    ),
    ("sesh-log", &["--watch", "-F"], "write --follow"),
    ("pane-capture", &["-J"], "write --join"),
    (
        "pane-capture",
        &["-S", "-E", "--start", "--end"],
        "that is the socket of a server here; write --scrollback=N",
    ),
    (
        "pane-capture",
        &["--full", "--all", "--history", "-a"],
        "write --scrollback",
    ),
    ("pane-capture", &["--last", "--count"], "write -n N"),
    ("pane-keys", &["-l", "--text"], "write --literal TEXT"),
    ("pane-keys", &["-N"], "write --repeat N"),
    (
        "pane-keys",
        &["--enter"],
        "Enter is a key, as in pane-keys NAME --literal TEXT Enter",
    ),
    (
        "sesh-end",
        &["--force", "-f", "-9", "--signal", "--hard"],
        "write --kill",
    ),
    (
        "sesh-end",
        &["--delete", "--purge", "--remove", "--rm"],
        "write --forget",
    ),
    (
        "sesh-end",
        &["--all", "-a"],
        "name them, or write --tag TAG: nothing ends all seshes at once",
    ),
    (
        "sesh-end",
        &["--yes", "-y"],
        "leave it out: it does not ask",
    ),
    ("sesh-set", &["--rename", "-n"], "write --name NAME"),
    (
        "sesh-set",
        &["--add-tag", "--tags"],
        "write --tag TAG, once for each",
    ),
    (
        "sesh-set",
        &["--remove-tag", "--rm-tag", "--delete-tag"],
        "write --untag TAG",
    ),
    ("sesh-restore", &["--all", "-a"], "write --last-alive"),
    (
        "",
        &[
            "-t", "--target", "--sesh", "--name", "--id", "--uuid", "--pane", "-n",
        ],
        "name the TARGET without it: a name, a uuid, %N or .",
    ),
];

/// Returns what to type instead of what clap has refused, if that is known.
pub(super) fn instead(helper: &str, words: &[OsString], error: &clap::Error) -> Option<String> {
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return missing_target(helper, error);
    }
    let argument = error.get(ContextKind::InvalidArg)?.to_string();
    let flag = argument.split([' ', '=']).next()?;
    let lacks_value = error.kind() == ErrorKind::InvalidValue
        && error
            .get(ContextKind::InvalidValue)
            .is_none_or(|value| value.to_string().is_empty());
    match error.kind() {
        ErrorKind::UnknownArgument if is_number(flag) => negative_number(helper, words, flag),
        ErrorKind::UnknownArgument if !flag.starts_with('-') => surplus(helper, words, &argument),
        ErrorKind::UnknownArgument => {
            let suggested = || Some(format!("write {}", error.get(ContextKind::SuggestedArg)?));
            let way_out = of_flag(helper, flag).map_or_else(suggested, |it| Some(it.into()))?;
            Some(format!("no flag {flag}: {way_out}"))
        }
        _ if lacks_value => Some(format!("{flag}: {}", of_flag(helper, flag)?)),
        _ => None,
    }
}

fn of_flag(helper: &str, flag: &str) -> Option<&'static str> {
    let of = |owner: &str| {
        let mut entries = FLAGS.iter().filter(move |(it, ..)| *it == owner);
        entries.find_map(|(_, flags, way_out)| flags.contains(&flag).then_some(*way_out))
    };
    of(helper).or_else(|| {
        const WITHOUT: [&str; 5] = [
            "sesh-new",
            "sesh-reap",
            "sesh-save",
            "sesh-hooks",
            "sesh-doctor",
        ];
        if WITHOUT.contains(&helper) {
            None
        } else {
            of("")
        }
    })
}

/// Returns whether a flag is the begin of a negative number.
fn is_number(flag: &str) -> bool {
    let digits = flag.strip_prefix('-').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns what to type instead of `-20` or `-S -20`.
fn negative_number(helper: &str, words: &[OsString], flag: &str) -> Option<String> {
    let at = words
        .iter()
        .position(|word| word.to_string_lossy().starts_with(flag))?;
    let before = words[..at].last()?.to_string_lossy();
    if let (true, Some(way_out)) = (before.starts_with('-'), of_flag(helper, &before)) {
        return Some(format!("{before}: {way_out}"));
    }
    let number = words[at].to_string_lossy();
    let number = number.trim_start_matches('-');
    (helper == "pane-capture")
        .then(|| format!("a number of lines goes behind -n: -n {}", short(number)))
}

/// Returns what to type instead of one argument too many.
fn surplus(helper: &str, words: &[OsString], argument: &str) -> Option<String> {
    let written = short(argument);
    Some(match helper {
        "sesh-new"
            if words
                .iter()
                .any(|word| word.to_string_lossy().starts_with("--agent")) =>
        {
            format!(
                "{written} is one argument too many: a first message goes behind --send, and arguments of the agent after --"
            )
        }
        "sesh-new" => {
            let at = words
                .iter()
                .position(|word| word.to_str() == Some(argument))?;
            let command = words[at..].iter().take(8);
            let command: Vec<String> = command.map(|it| short(&it.to_string_lossy())).collect();
            format!("a command goes after --: -- {}", command.join(" "))
        }
        "sesh-adopt" => format!("{written} is one argument too many: the name goes behind --name"),
        "pane-capture" if argument.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("a number of lines goes behind -n: -n {argument}")
        }
        "sesh-restore" => {
            format!("{written} is one TARGET too many: restore them one by one, or with --tag TAG")
        }
        "sesh-reap" | "sesh-save" | "sesh-doctor" => {
            format!("{helper} looks at all seshes: leave {written} out")
        }
        _ => format!(
            "{written} is one argument too many: {helper} takes one TARGET, and a name with blanks is quoted"
        ),
    })
}

/// Quotes an argument, and cuts a long one.
fn short(argument: &str) -> String {
    out::cut(&shell_word(argument), 60)
}

/// Returns what to type where the target is missing.
fn missing_target(helper: &str, error: &clap::Error) -> Option<String> {
    let missing = error.get(ContextKind::InvalidArg)?.to_string();
    if !missing.contains("TARGET") {
        return None;
    }
    if helper == "sesh-send" {
        return Some(
            "no message: give a target or --tag TAG, then the message, or - for stdin".into(),
        );
    }
    let many = ["sesh-wait", "sesh-gather", "sesh-end"];
    let set = match helper {
        "sesh-restore" => ", --tag TAG for a set, or --last-alive for all that a crash ended",
        "sesh-set" => ", or --tagged TAG for a set",
        _ if many.contains(&helper) => ", or --tag TAG for a set",
        _ => "",
    };
    Some(format!(
        "no TARGET: give a sesh, a pane as in %3, or . for this pane{set}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TOOLS;

    #[test]
    fn no_guess_is_an_argument_that_the_helper_has() {
        for (helper, flags, _) in FLAGS.iter().filter(|(helper, ..)| !helper.is_empty()) {
            let tool = TOOLS.iter().find(|tool| tool.name == *helper);
            let mut command = (tool.unwrap_or_else(|| panic!("no helper {helper}")).command)();
            command.build();
            for flag in *flags {
                // The server's socket is an argument of every helper, and a guess where tmux has another meaning for it.
                let is_it = |arg: &clap::Arg| {
                    let long = arg.get_long_and_visible_aliases().unwrap_or_default();
                    let short = arg.get_short().map(|short| format!("-{short}"));
                    long.iter().any(|long| format!("--{long}") == **flag)
                        || short.as_deref() == Some(flag)
                };
                assert!(
                    *flag == "-S" || !command.get_arguments().any(is_it),
                    "{helper} {flag}"
                );
            }
        }
    }
}
