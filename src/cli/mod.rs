//! The helpers: one table, and one file for each helper. A file holds the arguments and a few lines of glue, and the
//! modules below do the work.

mod guess;
mod kind_parser;
mod list_columns;
mod pane_capture;
mod pane_keys;
mod pane_resolve;
mod sesh_adopt;
mod sesh_delegate;
mod sesh_doctor;
mod sesh_end;
mod sesh_enter;
mod sesh_explain;
mod sesh_gather;
mod sesh_hooks;
mod sesh_land;
mod sesh_list;
mod sesh_lock;
mod sesh_log;
mod sesh_new;
mod sesh_pane;
mod sesh_reap;
mod sesh_report;
mod sesh_restore;
mod sesh_run;
mod sesh_save;
mod sesh_send;
mod sesh_set;
mod sesh_wait;
mod sesh_work;
mod tmux_sesh;
mod transcript_columns;

use std::error::Error as _;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use crate::agent::kinds::Kind;
use crate::clock;
use crate::env;
use crate::error::{Error, Exit, Result};
use crate::id::{PaneId, shown};
use crate::inventory::find;
use crate::journal::failures;
use crate::out;
use crate::proc::{input, signal};
use crate::store::Target;
use crate::tmux::{Server, Socket};

pub use tmux_sesh::ALIASES;

/// Examples of a helper: what each does, and its line of shell. A test runs every line.
pub type Examples = &'static [(&'static str, &'static str)];

/// One helper.
pub struct Tool {
    /// The name of its binary, and of the link to `tmux-sesh` that runs it.
    pub name: &'static str,
    /// Its arguments and its help.
    pub command: fn() -> clap::Command,
    /// The examples at the end of its help and of its man page.
    pub examples: Examples,
    /// Runs it with the parsed arguments.
    pub run: fn(&ArgMatches) -> anyhow::Result<Exit>,
    /// Whether it hides its failures, unless a person typed the command: it logs the error, prints nothing and exits
    /// with 0. The programs that start it take its output and its exit code for an answer.
    pub silent: bool,
}

macro_rules! tools {
    ($($tool:ident = $name:literal in $file:ident $($silent:ident)?,)*) => {
        // Each helper is a static of its own, so that a binary contains only the helper that it runs and not all of
        // them: small programs start faster.
        $(
            pub static $tool: Tool = Tool {
                name: $name,
                command: || {
                    $file::Args::command()
                        .name($name)
                        .version(env!("CARGO_PKG_VERSION"))
                        .max_term_width(HELP_WIDTH)
                },
                examples: $file::EXAMPLES,
                run: |matches| $file::run($file::Args::from_arg_matches(matches)?),
                silent: tools!(@silent $($silent)?),
            };
        )*

        /// Every helper. The binaries, `tmux-sesh`, the help and the table in plugin/doc/helpers.md are made from this
        /// table.
        pub static TOOLS: [&Tool; [$($name),*].len()] = [$(&$tool),*];
    };
    (@silent) => { false };
    (@silent silent) => { true };
}

tools! {
    SESH_NEW = "sesh-new" in sesh_new,
    SESH_ADOPT = "sesh-adopt" in sesh_adopt,
    SESH_LIST = "sesh-list" in sesh_list,
    SESH_SET = "sesh-set" in sesh_set,
    SESH_END = "sesh-end" in sesh_end,
    SESH_RESTORE = "sesh-restore" in sesh_restore,
    SESH_GATHER = "sesh-gather" in sesh_gather,
    SESH_RUN = "sesh-run" in sesh_run,
    SESH_SEND = "sesh-send" in sesh_send,
    SESH_DELEGATE = "sesh-delegate" in sesh_delegate,
    SESH_PANE = "sesh-pane" in sesh_pane,
    SESH_ENTER = "sesh-enter" in sesh_enter,
    SESH_WAIT = "sesh-wait" in sesh_wait,
    SESH_WORK = "sesh-work" in sesh_work,
    SESH_LOG = "sesh-log" in sesh_log,
    SESH_LAND = "sesh-land" in sesh_land,
    SESH_LOCK = "sesh-lock" in sesh_lock,
    SESH_EXPLAIN = "sesh-explain" in sesh_explain,
    SESH_REAP = "sesh-reap" in sesh_reap,
    SESH_SAVE = "sesh-save" in sesh_save,
    SESH_REPORT = "sesh-report" in sesh_report silent,
    SESH_HOOKS = "sesh-hooks" in sesh_hooks,
    SESH_DOCTOR = "sesh-doctor" in sesh_doctor,
    PANE_CAPTURE = "pane-capture" in pane_capture,
    PANE_KEYS = "pane-keys" in pane_keys,
    PANE_RESOLVE = "pane-resolve" in pane_resolve,
}

impl Tool {
    /// Returns its description, in one line.
    #[must_use]
    pub fn about(&self) -> String {
        (self.command)()
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Returns the end of its help.
    fn examples_in_help(&self) -> String {
        let examples = self.examples.iter();
        let examples = examples.map(|(does, line)| format!("\n  # {does}\n  {line}\n"));
        format!("\nExamples:{}", examples.collect::<String>())
    }

    /// Returns its name as a command of `tmux-sesh`.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name.strip_prefix("sesh-").unwrap_or(self.name)
    }
}

/// Makes HUP, INT and TERM end the clients of this process that wait in the server, before they end the process: see
/// [`Subscription`](crate::tmux::Subscription). Must be called before any thread is started.
fn end_clients_on_signal(server: &Server) {
    const ANSWER: Duration = Duration::from_millis(500);
    let server = server.clone().with_each_answer_within(ANSWER);
    signal::on_end(move |signal| {
        server.wake_waiting_clients();
        signal::end_by(signal)
    });
}

/// Runs a helper with the arguments of this process. This is the `main` of its binary.
#[must_use]
pub fn main(tool: &Tool) -> ExitCode {
    signal::survive_file_size_limit();
    ExitCode::from(call(tool, std::env::args_os().skip(1).collect()))
}

/// Runs `tmux-sesh`, the binary that contains every helper, as the helper by whose name it was called: an installation has
/// this one program and a link to it for each helper.
#[must_use]
pub fn multicall() -> ExitCode {
    signal::survive_file_size_limit();
    let mut words = std::env::args_os();
    let called_as = words.next().unwrap_or_default();
    ExitCode::from(tmux_sesh::main(&called_as, words.collect()))
}

/// Joins a flag whose value is optional with a duration or a number behind it, so that `--wait 10m` means `--wait=10m`. Any
/// other word there is not its value.
fn join_optional_values(command: &Command, words: &mut Vec<OsString>) {
    let takes_optional_value = |word: &OsString| {
        command.get_arguments().any(|arg| {
            let is_it = |long: &str| word.to_str() == Some(&format!("--{long}"));
            arg.is_require_equals_set() && arg.get_long().is_some_and(is_it)
        })
    };
    let mut at = 0;
    while at + 1 < words.len() && words[at] != "--" {
        let is_duration = |word: &str| clock::duration(word).is_ok();
        if takes_optional_value(&words[at]) && words[at + 1].to_str().is_some_and(is_duration) {
            let value = words.remove(at + 1);
            words[at].push("=");
            words[at].push(value);
        }
        at += 1;
    }
}

/// Parses the arguments of a helper. A number behind a flag whose value is optional is its value, unless it is needed as an
/// argument of its own: `pane-capture --scrollback 3` reads the sesh `3`.
fn parse(tool: &Tool, words: &mut Vec<OsString>) -> Result<ArgMatches, clap::Error> {
    let mut command = (tool.command)();
    let typed = words.clone();
    join_optional_values(&command, words);
    let joined = command.try_get_matches_from_mut(words.iter());
    match joined {
        Err(error) if *words != typed && error.kind() == ErrorKind::MissingRequiredArgument => {
            (tool.command)()
                .try_get_matches_from(typed)
                .map_err(|_| error)
        }
        outcome => outcome,
    }
}

/// Runs a helper with its arguments and returns its exit code.
fn call(tool: &Tool, arguments: Vec<OsString>) -> u8 {
    let mut words = vec![OsString::from(tool.name)];
    words.extend(arguments);
    let silent = tool.silent && !input::is_terminal();
    let source = source(tool, &words);
    let matches = match parse(tool, &mut words) {
        Ok(matches) => matches,
        Err(error) if silent && error.use_stderr() => {
            failures::log(&source, &first_sentence(&error));
            return Exit::Done.code();
        }
        Err(error) => return explain(tool, &words, &error),
    };
    let outcome = (tool.run)(&matches);
    let warnings = crate::error::warnings();
    if silent && outcome.is_ok() && warnings.is_empty() {
        failures::worked(&source);
    }
    for warning in warnings {
        if silent {
            failures::log(&source, &warning);
        } else {
            out::complain(tool.name, &warning);
        }
    }
    match outcome {
        Ok(exit) => exit.code(),
        Err(error) if silent => {
            failures::log(&source, &format!("{error:#}"));
            Exit::Done.code()
        }
        Err(error) => failed(tool.name, &error),
    }
}

/// Returns what a failure of a helper is recorded under: the helper, and for which agent it was called. So what works for
/// one agent does not hide what fails for another.
fn source(tool: &Tool, words: &[OsString]) -> String {
    let words = || words.iter().filter_map(|word| word.to_str());
    let behind = words().skip_while(|word| *word != "--from").nth(1);
    let agent = behind.or_else(|| words().find_map(|word| word.strip_prefix("--from=")));
    let has_hooks = |agent: &&str| Kind::named(agent).is_some_and(|it| it.code.payload.is_some());
    match agent.filter(has_hooks) {
        Some(agent) => format!("{} --from {agent}", tool.name),
        None => tool.name.into(),
    }
}

/// Prints what went wrong and returns the exit code. A reader that closed the pipe is not an error.
fn failed(name: &str, error: &anyhow::Error) -> u8 {
    if out::is_hang_up(error) {
        return Exit::Done.code();
    }
    if let Some(coded) = error.downcast_ref::<sesh_run::CommandExit>() {
        return coded.0;
    }
    out::complain(name, &format!("{error:#}"));
    error
        .downcast_ref::<Error>()
        .map_or(Exit::Failed, |error| error.exit)
        .code()
}

/// Prints the help and the version on stdout, a usage error as one sentence on stderr, and returns the exit code.
fn explain(tool: &Tool, words: &[OsString], error: &clap::Error) -> u8 {
    let name = tool.name;
    let text = match error.kind() {
        ErrorKind::DisplayHelp => format!("{}{}", error.render(), tool.examples_in_help()),
        ErrorKind::DisplayVersion => error.render().to_string(),
        _ => {
            let sentence = guess::instead(name, words, error).unwrap_or_else(|| {
                let sentence = first_sentence(error);
                let joint = if sentence.ends_with('?') { "" } else { ";" };
                format!("{sentence}{joint} {name} --help shows the usage")
            });
            out::complain(name, &sentence);
            return Exit::Usage.code();
        }
    };
    match out::text(&text) {
        Ok(()) => Exit::Done.code(),
        Err(error) => failed(name, &error),
    }
}

/// Returns the first paragraph of a message, which says what is wrong, and what clap suggests instead; the rest repeats the
/// usage. For a value that was refused it returns the flag, the value and the reason: a status line has room for little
/// more.
fn first_sentence(error: &clap::Error) -> String {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if let (Some(reason), Some(argument)) = (error.source(), argument) {
        let flag = argument.split(' ').next().unwrap_or(&argument);
        let place = flag.strip_prefix(['[', '<']);
        let flag = place.map_or(flag, |place| place.trim_end_matches([']', '>', '.']));
        let (reason, value) = (reason.to_string(), error.get(ContextKind::InvalidValue));
        return match value.map(|value| shown(&value.to_string())) {
            Some(value) if !reason.contains(&value) => format!("{flag} {value}: {reason}"),
            _ => format!("{flag}: {reason}"),
        };
    }
    let message = error.render().to_string();
    let paragraph = message
        .trim_start_matches("error: ")
        .split("\n\n")
        .next()
        .unwrap_or("");
    let (what, values) = match paragraph.split_once('[') {
        Some((what, values)) if values.starts_with("possible values") => (what, values),
        _ => (paragraph, ""),
    };
    let what = what.split_whitespace().collect::<Vec<&str>>().join(" ");
    let suggestion = suggestion(error);
    let values = match values.trim_end().strip_suffix(']') {
        Some(values) if suggestion.is_empty() => format!("; {values}"),
        Some(values) => format!(" {values}"),
        None => String::new(),
    };
    // The suggestion comes first: the list may be long.
    what + &suggestion + &values
}

/// Returns the words that clap suggests instead of an unknown one, as the end of a sentence.
fn suggestion(error: &clap::Error) -> String {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let words: Vec<String> = kinds
        .into_iter()
        .filter_map(|kind| error.get(kind))
        .flat_map(|value| match value {
            ContextValue::String(word) => vec![word.clone()],
            ContextValue::Strings(words) => words.clone(),
            _ => Vec::new(),
        })
        .collect();
    if words.is_empty() {
        return String::new();
    }
    format!("; did you mean {}?", words.join(" or "))
}

/// The two options that choose the server, the same for every helper.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ServerArgs {
    /// Use the tmux server with this socket name
    #[arg(
        short = 'L',
        value_name = "NAME",
        global = true,
        help_heading = "Server"
    )]
    socket_name: Option<String>,

    /// Use the tmux server with this socket path
    #[arg(
        short = 'S',
        value_name = "PATH",
        conflicts_with = "socket_name",
        global = true,
        help_heading = "Server"
    )]
    socket_path: Option<PathBuf>,
}

impl ServerArgs {
    /// Returns the arguments that choose the same server for another helper.
    fn words(&self) -> Vec<OsString> {
        match (&self.socket_name, &self.socket_path) {
            (Some(name), _) => vec!["-L".into(), name.into()],
            (None, Some(path)) => vec!["-S".into(), path.into()],
            (None, None) => Vec::new(),
        }
    }

    /// Returns the server. With a limit it has to answer within that time from now on, all questions together.
    fn server_within(&self, limit: Option<Duration>) -> Result<Server> {
        let server = self.server()?;
        Ok(match limit {
            Some(limit) => server.within(limit),
            None => server,
        })
    }

    fn server(&self) -> Result<Server> {
        Server::at(match (&self.socket_name, &self.socket_path) {
            (Some(name), _) => Socket::Name(name.clone()),
            (None, Some(path)) => Socket::Path(absolute(path)?),
            (None, None) => Socket::Default,
        })
    }
}

/// Returns the pane of a TARGET, which may be any pane.
///
/// # Errors
/// There is no such sesh, or it has no pane.
fn pane_of(server: &Server, text: &str) -> Result<PaneId> {
    match target(server, text)? {
        Target::Pane(pane) => Ok(pane),
        named => {
            let record = find::one(server, &named)?;
            let place = record.tmux.as_ref();
            let place = place.ok_or_else(|| record.no_pane("sesh-restore brings it back"))?;
            Ok(place.pane)
        }
    }
}

/// Returns the pane that `--pane` names, else the one that the helper runs in.
fn pane_or_own(server: &Server, pane: Option<PaneId>) -> Result<PaneId> {
    pane.or_else(|| env::tmux_pane().filter(|_| server.is_own_server()))
        .ok_or_else(|| Error::nothing("not in a pane of this tmux server: give the pane, as in %3"))
}

/// Parses a TARGET on a server. `.` is valid only on the server that the caller runs in.
fn target(server: &Server, text: &str) -> Result<Target> {
    let own = env::tmux_pane().filter(|_| server.is_own_server());
    Target::parse(text, own)
}

fn targets(server: &Server, texts: &[String]) -> Result<Vec<Target>> {
    texts.iter().map(|text| target(server, text)).collect()
}

fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| Error::failed(format!("cannot resolve {}: {error}", path.display())))
}

/// Parses `KEY=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("it needs a =, as in KEY=VALUE")?;
    let fits = (1..=64).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if fits {
        Ok((key.into(), value.into()))
    } else {
        Err("a key is 1 to 64 of A-Z a-z 0-9 _ . -".into())
    }
}

/// The TARGET grammar, which is printed at the end of a helper's help.
const TARGETS: &str = "TARGET is, in this order: . (this pane), %N (a pane), a uuid, the name of a live sesh, \
                       the first 4 or more digits of a uuid, the name of an exited sesh.";

/// The width of the help on a wide terminal, in columns.
const HELP_WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_helper_describes_itself() {
        for tool in TOOLS {
            let mut command = (tool.command)();
            command.build();
            command.clone().debug_assert();
            assert!(!tool.about().is_empty(), "{}", tool.name);
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                let name = argument.get_id();
                assert!(
                    help.is_some_and(|help| !help.is_empty()),
                    "{}: {name}",
                    tool.name
                );
            }
        }
    }
}
