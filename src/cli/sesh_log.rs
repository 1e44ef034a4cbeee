//! `sesh-log`: prints the transcript of a sesh's conversation.

use clap::Parser;
use serde::Serialize;
use serde_json::Value;

use super::{ServerArgs, end_clients_on_signal, target};
use crate::agent::kinds::Agents;
use crate::error::{Exit, warn};
use crate::inventory::find;
use crate::out;
use crate::sesh::log::follow::LogFollower;
use crate::sesh::log::{LogCursor, LogExtent, LogSince, SeshLog};
use crate::transcript::{LogEntry, Logged};

pub(super) const EXAMPLES: super::Examples = &[
    ("Print the last two turns of an agent", "sesh-log api -n 2"),
    (
        "Save the whole conversation, with a cursor in its last line",
        "sesh-log api --whole --json >api.jsonl",
    ),
    (
        "Print what was added since then",
        "sesh-log api --since \"$(tail -n 1 api.jsonl | cut -d '\"' -f 4)\"",
    ),
    (
        "Follow what an agent says until a word appears",
        "sesh-log api --follow | grep -m 1 hello",
    ),
];

/// Print the transcript of an agent: prompts, answers and tools
///
/// Reads what the agent itself keeps of the conversation, also after it has exited: a prompt begins with >, an answer is
/// indented, a tool begins with *, its result with = (! where it failed), and anything else with -. Of a tool and of its
/// result one line is printed; --json has all of them.
#[derive(Debug, Parser)]
#[command(after_help = super::TARGETS)]
pub(super) struct Args {
    /// The sesh whose transcript to print
    target: String,

    /// Print the last TURNS turns: a turn is a prompt with all that follows it
    #[arg(short = 'n', long, value_name = "TURNS", default_value_t = 5, group = "extent",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    turns: u32,

    /// Print the whole conversation
    #[arg(long, group = "extent")]
    whole: bool,

    /// Print only what is new since a cursor: start (everything), now (nothing), or the last cursor of --json
    #[arg(long, value_name = "CURSOR", group = "extent")]
    since: Option<LogSince>,

    /// Keep running, and print what is added, also in the next conversation, until the agent exits
    #[arg(long, short = 'f')]
    follow: bool,

    /// Print one JSON object a line. The last one has the cursor for --since; with --follow, one follows each addition
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    on: ServerArgs,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    let server = args.on.server()?;
    let record = find::one(&server, &target(&server, &args.target)?)?;
    let extent = match (&args.since, args.whole) {
        (Some(LogSince::Start), _) | (None, true) => LogExtent::Whole,
        (Some(LogSince::Now), _) => LogExtent::Now,
        (Some(LogSince::Cursor(cursor)), _) => LogExtent::Since(cursor.clone()),
        (None, false) => LogExtent::Turns(usize::try_from(args.turns)?),
    };
    let agents = Agents::loaded();
    let log = match SeshLog::read(&record, agents, &extent) {
        Ok(mut log) => {
            if log.is_limited {
                warn(
                    "earlier turns were left out, because they are far from the end: --whole reads all",
                );
            }
            let entries = std::mem::take(&mut log.entries);
            print(&args, &entries, &log.cursor())?;
            Some(log)
        }
        // It may have one soon.
        Err(error) if args.follow && record.live && error.exit == Exit::Nothing => {
            warn(format!("waiting, since {error}"));
            None
        }
        Err(error) => return Err(error.into()),
    };
    if args.follow {
        end_clients_on_signal(&server);
        let follower = LogFollower::new(&server, agents, record, log, &extent);
        follower.follow(|added, cursor| print(&args, &added, &cursor))?;
    }
    Ok(Exit::Done)
}

/// The last line of `--json`.
#[derive(Serialize)]
struct NextCursor {
    cursor: String,
}

fn print(args: &Args, entries: &[Logged], cursor: &LogCursor) -> anyhow::Result<()> {
    let mut text = String::new();
    if args.json {
        for logged in entries {
            text.push_str(&serde_json::to_string(logged)?);
            text.push('\n');
        }
        let cursor = cursor.to_string();
        text.push_str(&serde_json::to_string(&NextCursor { cursor })?);
    } else {
        let width = out::width().unwrap_or(LINE_WIDTH);
        for line in entries.iter().flat_map(|logged| lines(logged, width)) {
            text.push_str(&out::as_line(&line));
        }
    }
    if text.is_empty() {
        return Ok(());
    }
    out::text(&text)
}

/// The width of the line of a tool where no terminal has one, in columns.
const LINE_WIDTH: usize = 160;

/// Returns the lines of an entry. Only the first one begins in the first column, so that no text can look like another
/// entry.
fn lines(logged: &Logged, width: usize) -> Vec<String> {
    let mut lines = match &logged.entry {
        LogEntry::Prompt { text } => block("> ", text),
        LogEntry::Answer { text } => block("  ", text),
        LogEntry::Note { text } => block("- ", text),
        LogEntry::Conversation { id } => block("- ", &format!("another conversation: {id}")),
        LogEntry::Tool { name, input, .. } => {
            vec![one_line(&format!("* {name}: {}", summary(input)), width)]
        }
        LogEntry::Result { text, error, .. } => {
            let mark = if *error { "!" } else { "=" };
            vec![result(mark, text, width)]
        }
        LogEntry::Queued { .. } | LogEntry::Begin | LogEntry::End => Vec::new(),
    };
    if let Some(size) = logged.cut {
        lines.push(format!("  [cut: a line of {} kB]", size >> 10));
    }
    lines
}

fn block(mark: &str, text: &str) -> Vec<String> {
    text.trim_end()
        .split('\n')
        .enumerate()
        .map(|(at, line)| {
            let mark = if at == 0 { mark } else { "  " };
            format!("{mark}{}", line.trim_end_matches('\r'))
        })
        .collect()
}

/// Returns the first line of a result that holds text, and how many follow it.
fn result(mark: &str, text: &str, width: usize) -> String {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("(nothing)");
    let more = match lines.count() {
        0 => String::new(),
        count => format!(" [+{count} lines]"),
    };
    let width = width.saturating_sub(more.len());
    one_line(&format!("{mark} {}", first.trim()), width) + &more
}

/// Returns the input of a tool in one line: its command, or its only value, or all of it.
fn summary(input: &Value) -> String {
    let command = ["command", "cmd"].iter().find_map(|key| input.get(key));
    let only = input.as_object().filter(|input| input.len() == 1);
    let value = command.or_else(|| only.and_then(|input| input.values().next()));
    match value.unwrap_or(input) {
        Value::String(text) => text.clone(),
        Value::Array(words) if words.iter().all(Value::is_string) => {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        }
        value => value.to_string(),
    }
}

/// Returns a text in one line that fits.
fn one_line(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<&str>>().join(" ");
    out::cut(&line, width)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn printed(entry: LogEntry) -> Vec<String> {
        let logged = Logged {
            entry,
            at: None,
            cut: None,
        };
        lines(&logged, 40)
    }

    #[test]
    fn only_an_entry_begins_in_the_first_column() {
        let text = "say\n> x\n* Bash: y\r\n\n- z\n".to_string();
        assert_eq!(
            printed(LogEntry::Prompt { text }),
            ["> say", "  > x", "  * Bash: y", "  ", "  - z"]
        );
    }

    #[test]
    fn a_tool_is_one_line() {
        let tool = |name: &str, input| {
            printed(LogEntry::Tool {
                id: "1".into(),
                name: name.into(),
                input,
            })
        };
        assert_eq!(
            tool("Bash", json!({"command": "echo a\necho b", "timeout": 3})),
            ["* Bash: echo a echo b"]
        );
        assert_eq!(
            tool("shell", json!({"command": ["ls", "-l"]})),
            ["* shell: ls -l"]
        );
        assert_eq!(tool("Read", json!({"path": "a b"})), ["* Read: a b"]);
        assert_eq!(
            tool("Edit", json!({"a": 1, "b": "x".repeat(99)})),
            [r#"* Edit: {"a":1,"b":"xxxxxxxxxxxxxxxxxxx…"#]
        );
        let result = |text: &str, error| {
            printed(LogEntry::Result {
                id: "1".into(),
                text: text.into(),
                error,
            })
        };
        assert_eq!(result("", false), ["= (nothing)"]);
        assert_eq!(result("\none\ntwo\nthree\n", true), ["! one [+2 lines]"]);
    }
}
