//! What changes something goes to the server as a client without a process, at most once.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tmux_sesh::error::{Error, Exit};
use tmux_sesh::id::PaneId;
use tmux_sesh::tmux::command::{self, ActingClient};
use tmux_sesh::tmux::{Batch, Command, Socket};

use crate::support::{Call, Play, Relay, Server, for_all, message, until};

const COMMAND: u32 = 200;
const EXIT: u32 = 203;
const VERSION: u32 = 12;
const WRITE_OPEN: u32 = 303;
const WRITE: u32 = 304;

/// How many whole lists these bytes hold.
fn whole_lists(mut bytes: &[u8]) -> usize {
    let mut lists = 0;
    while let Some((header, _)) = bytes.split_at_checked(16) {
        let field = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().expect("four"));
        let length = usize::try_from(field(4)).expect("a length");
        if length > bytes.len() {
            break;
        }
        lists += usize::from(field(0) == COMMAND);
        bytes = &bytes[length..];
    }
    lists
}

/// What a server does with a client.
#[derive(Clone, Debug)]
enum Act {
    /// It hangs up when it has read so many bytes.
    Reads(usize),
    /// It reads the list, says this and hangs up.
    Says(Vec<u8>),
}

/// A server that hangs up, and counts the whole lists that it got.
struct FakeServer {
    act: Arc<Mutex<Act>>,
    lists: Arc<AtomicUsize>,
    /// How many bytes were read of the last client.
    bytes: Arc<AtomicUsize>,
    socket: PathBuf,
}

impl FakeServer {
    fn at(socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).expect("a socket");
        let act = Arc::new(Mutex::new(Act::Reads(0)));
        let lists = Arc::new(AtomicUsize::new(0));
        let bytes = Arc::new(AtomicUsize::new(0));
        let (acts, counted, read) = (Arc::clone(&act), Arc::clone(&lists), Arc::clone(&bytes));
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let act = acts.lock().expect("the act").clone();
                let got = serve(&mut client, &act);
                read.store(got.len(), Ordering::SeqCst);
                counted.fetch_add(whole_lists(&got), Ordering::SeqCst);
                drop(client);
            }
        });
        Self {
            act,
            lists,
            bytes,
            socket,
        }
    }

    fn acts(&self, act: &Act) {
        *self.act.lock().expect("the act") = act.clone();
    }

    /// How many whole lists came since the last look.
    fn lists(&self) -> usize {
        self.lists.swap(0, Ordering::SeqCst)
    }
}

/// Returns what was read.
fn serve(client: &mut UnixStream, act: &Act) -> Vec<u8> {
    let mut got = Vec::new();
    match act {
        Act::Reads(length) => {
            let _ = client.take(*length as u64).read_to_end(&mut got);
        }
        Act::Says(words) => {
            let mut chunk = [0; 4096];
            while whole_lists(&got) == 0 {
                match client.read(&mut chunk) {
                    Ok(0) | Err(_) => return got,
                    Ok(length) => got.extend_from_slice(&chunk[..length]),
                }
            }
            let _ = client.write_all(words);
        }
    }
    got
}

/// What a server says to a list that prints a text.
fn answer(text: &str) -> Vec<u8> {
    let open = [1_i32, 1, 0].into_iter().flat_map(i32::to_ne_bytes);
    let mut write = 1_i32.to_ne_bytes().to_vec();
    write.extend(text.as_bytes());
    [
        message(WRITE_OPEN, &open.collect::<Vec<u8>>()),
        message(WRITE, &write),
        message(EXIT, &0_i32.to_ne_bytes()),
    ]
    .concat()
}

/// A `tmux` that writes down that it was run for a list, and says what a server says.
fn program_says(server: &Server, text: &str) {
    server.script(
        "tmux",
        &format!(
            "case $1 in -V) echo 'tmux 3.3a'; exit ;; esac\necho call >>'{}'\nprintf '{text}'",
            server.path("calls").display()
        ),
    );
}

#[test]
fn a_list_reaches_the_server_or_the_program_once() {
    let server = Server::empty();
    let fake = FakeServer::at(server.path("fake"));
    program_says(&server, "sent\\n");
    let press = || -> Call {
        let call = server.helper("pane-keys");
        call.args(["-S".as_ref(), fake.socket.as_os_str()])
            .args(["%0", "Enter"])
    };
    let answers = answer("sent\n");
    fake.acts(&Act::Says(answers.clone()));
    press().ok();
    assert_eq!((fake.lists(), server.tmux_calls()), (1, 0));
    let whole = fake.bytes.load(Ordering::SeqCst);
    let mut acts: Vec<Act> = (0..=whole).map(Act::Reads).collect();
    acts.extend((0..answers.len()).map(|end| Act::Says(answers[..end].to_vec())));
    let (mut unsent, mut in_doubt) = (0, 0);
    for act in &acts {
        fake.acts(act);
        let said = press().said();
        let (lists, calls) = (fake.lists(), server.tmux_calls());
        assert!(lists + calls <= 1, "{act:?}: {lists} and {calls}");
        match said.code() {
            // The server hung up before it had read the list, so the program did it.
            Some(0) => {
                assert_eq!((lists, calls), (0, 1), "{act:?}");
                unsent += 1;
            }
            code => {
                assert_eq!((code, calls), (Some(7), 0), "{act:?}: {said}");
                let sentence = said.sentence();
                assert!(
                    sentence.contains("unknown whether it was done"),
                    "{sentence}"
                );
                assert!(sentence.contains("hung up"), "{sentence}");
                in_doubt += 1;
            }
        }
    }
    // Linux tells what was left unread.
    assert_eq!((unsent, in_doubt), (whole, answers.len() + 1));
}

#[test]
fn a_server_of_another_protocol_has_run_nothing() {
    let server = Server::empty();
    let fake = FakeServer::at(server.path("fake"));
    program_says(&server, "sent\\n");
    let mut version = message(VERSION, b"");
    version[8] = 7;
    fake.acts(&Act::Says(version));
    let call = server.helper("pane-keys");
    call.args(["-S".as_ref(), fake.socket.as_os_str()])
        .args(["%0", "Enter"])
        .ok();
    assert_eq!(server.tmux_calls(), 1);
}

#[test]
fn the_program_reports_a_hang_up_alike() {
    let server = Server::empty();
    server.script(
        "tmux",
        "case $1 in -V) echo 'tmux 3.3a'; exit ;; esac\necho 'server exited unexpectedly' >&2; exit 1",
    );
    let call = server.sesh("pane-keys", ["%0", "Enter"]);
    let sentence = call.env("SESH_CLIENT", "tmux").fails(7);
    assert!(
        sentence.contains("unknown whether it was done"),
        "{sentence}"
    );
    // A question has changed nothing.
    let call = server.sesh("sesh-list", ["--json"]);
    call.env("SESH_CLIENT", "tmux").fails(69);
}

/// Two servers that get the same lists: one directly, the other one through the tmux program.
struct Twins {
    direct: Server,
    program: Server,
}

impl Twins {
    fn start() -> Self {
        Self {
            direct: Server::start(),
            program: Server::start(),
        }
    }

    fn both<T>(&self, each: impl Fn(&Server) -> T) -> [T; 2] {
        [each(&self.direct), each(&self.program)]
    }

    /// Runs a list on both, each in its way.
    fn run(&self, batch: &Batch, folder: Option<&Path>) -> [Outcome; 2] {
        let server = |it: &Server| {
            let socket = Socket::Path(it.socket());
            tmux_sesh::tmux::Server::with_program(it.program().into(), socket).expect("a server")
        };
        let direct = server(&self.direct);
        let by_socket = match folder {
            Some(folder) => direct.run_in(batch, folder),
            None => direct.run(batch),
        };
        let program = server(&self.program);
        let by_program = program.run_with_program(batch, folder);
        [
            Outcome::of(by_socket, &self.direct),
            Outcome::of(by_program, &self.program),
        ]
    }
}

/// What a list gave, without what differs between two servers.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Printed(String),
    Failed(Exit, String),
}

impl Outcome {
    fn of(outcome: Result<String, Error>, server: &Server) -> Self {
        let socket = server.socket().display().to_string();
        match outcome {
            Ok(text) => Self::Printed(text),
            Err(error) => Self::Failed(error.exit, error.to_string().replace(&socket, "SOCKET")),
        }
    }
}

/// What a list can have changed.
fn state(server: &Server) -> String {
    let mut all = server.everything();
    let panes = "#{pane_id} #{pane_start_path} #{pane_in_mode} #{window_width}x#{window_height} #{session_name}";
    all.push_str(&server.panes(panes).join("\n"));
    for line in server
        .tmux(["list-sessions", "-F", "#{session_name}"])
        .lines()
    {
        all.push_str(&server.tmux(["show-environment", "-t", line]));
    }
    all.push_str(&server.tmux(["list-buffers", "-F", "#{buffer_name} #{buffer_sample}"]));
    all.push_str(&server.tmux(["show-environment", "-gh"]));
    let folder = server.folder().display().to_string();
    all.replace(&folder, "FOLDER")
}

/// The environment of the processes of all panes, without what tmux sets.
fn environments(server: &Server) -> Vec<BTreeSet<String>> {
    let folder = server.folder().display().to_string();
    let of = |pid: String| {
        let all = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let text = String::from_utf8_lossy(&all).replace(&folder, "FOLDER");
        text.split_terminator('\0')
            .filter(|line| !line.starts_with("TMUX"))
            .map(Into::into)
            .collect()
    };
    server.panes("#{pane_pid}").into_iter().map(of).collect()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(";".into()),
        Just("a b;".into()),
        Just("#{pane_id}".into()),
        Just("-x ' \" $HOME ~".into()),
        "[ -~é]{0,20}",
    ]
}

fn targets() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("%0".to_string()),
        2 => Just("=main:=user".to_string()),
        1 => Just("%99".to_string()),
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("@a"),
        Just("@b"),
        Just("@sesh_note"),
        Just("no-option")
    ]
    .prop_map(Into::into)
}

/// A command that does not wait. Some fail.
fn commands() -> impl Strategy<Value = Command> {
    let argv = || vec!["sleep".to_string(), "1000".to_string()];
    prop_oneof![
        (targets(), names(), texts())
            .prop_map(|(pane, name, text)| command::set_pane(&pane, &name, &text)),
        (targets(), names(), texts())
            .prop_map(|(pane, name, text)| command::set_pane_expanded(&pane, &name, &text)),
        (names(), texts()).prop_map(|(name, text)| command::set_server(&name, &text)),
        (targets(), names()).prop_map(|(pane, name)| command::unset_pane(&pane, &name)),
        texts().prop_map(|text| command::set_hidden("X", &text)),
        (targets(), texts()).prop_map(|(pane, text)| command::set_hidden_for(&pane, "Y", &text)),
        (prop::option::of(targets()), texts())
            .prop_map(|(pane, text)| command::print(pane.as_deref(), &text)),
        Just(command::print(
            None,
            "#{pane_id} #{session_name} #{client_termname} #{@a}"
        )),
        Just(command::list_panes("#{pane_id} #{@a}", None)),
        Just(command::signal("channel")),
        Just(command::start_server()),
        texts().prop_map(|text| command::set_buffer("b", &text)),
        Just(command::delete_buffer("b")),
        Just(command::paste_as_keys(PaneId(0), "b")),
        texts().prop_map(|text| command::send_text(PaneId(0), ActingClient::Default, &text)),
        Just(command::send_keys(
            PaneId(99),
            ActingClient::Default,
            1,
            &["a".into()]
        )),
        Just(command::leave_mode(PaneId(0))),
        Just(command::kill_pane(PaneId(3))),
        (targets(), 20_u16..90)
            .prop_map(|(pane, columns)| command::resize_window(&pane, columns, 30)),
        (targets(), "[a-z]{1,5}").prop_map(|(pane, name)| command::rename_window(&pane, &name)),
        (prop_oneof![Just("=main"), Just("=none")]).prop_map(move |session| command::new_window(
            session,
            "w",
            &argv()
        )),
        Just(command::new_session("second", "w", (80, 24), &argv())),
        (targets(), texts()).prop_map(|(pane, text)| {
            let set = Batch::from(command::set_pane(&pane, "@c", &text));
            command::if_format(Some(&pane), "#{@a}", &set, &Batch::new())
        }),
    ]
}

#[test]
fn both_ways_give_the_same_and_do_the_same() {
    let twins = Twins::start();
    let folder = tempfile::tempdir().expect("a folder");
    for server in [&twins.direct, &twins.program] {
        // A new session takes it from its client.
        server.tmux(["set-option", "-g", "update-environment", "HOME PATH LANG"]);
    }
    let lists = (prop::collection::vec(commands(), 1..6), any::<bool>());
    for_all(60, &lists, |(list, inside)| {
        let batch = Batch::new().and(list);
        let folder = inside.then(|| folder.path());
        let [direct, program] = twins.run(&batch, folder);
        prop_assert_eq!(direct, program);
        let [direct, program] = twins.both(state);
        prop_assert_eq!(direct, program);
        for server in [&twins.direct, &twins.program] {
            // Each list that creates something makes the next comparison longer.
            for window in server
                .tmux(["list-windows", "-a", "-F", "#{window_id} #{window_index}"])
                .lines()
            {
                let (window, index) = window.split_once(' ').expect("an id");
                if index.parse::<usize>().is_ok_and(|index| index > 2) {
                    server.tmux(["kill-window", "-t", window]);
                }
            }
        }
        Ok(())
    });
    until("the processes run", || {
        let [direct, program] = twins.both(environments);
        direct == program
    });
}

#[test]
fn a_list_that_ends_the_server_succeeds_either_way() {
    let twins = Twins::start();
    twins.both(|server| server.tmux(["set-option", "-s", "exit-empty", "on"]));
    let last = Batch::from(command::kill_pane(PaneId(0)));
    let batch = Batch::from(command::print(None, "before")).and([command::kill_pane(PaneId(0))]);
    let [direct, program] = twins.run(&batch, None);
    assert_eq!(direct, Outcome::Printed("before\n".into()));
    assert_eq!(direct, program);
    until("both have ended", || {
        twins.both(|server| !server.alive()) == [true, true]
    });
    let [direct, program] = twins.run(&last, None);
    assert_eq!(direct, program);
}

#[test]
fn a_hook_of_the_user_reads_and_writes_files_through_the_client() {
    let twins = Twins::start();
    let ways = twins.both(|server| {
        let (config, saved) = (server.path("config"), server.path("saved"));
        std::fs::write(&config, "set-option -s @sourced yes\n").expect("a file");
        server.tmux(["set-buffer", "-b", "kept", "text"]);
        let hook = format!(
            "source-file '{}' ; save-buffer -b kept '{}' ; save-buffer -b kept -",
            config.display(),
            saved.display()
        );
        server.tmux(["set-hook", "-g", "after-rename-window", &hook]);
    });
    assert_eq!(ways.len(), 2);
    let batch = Batch::from(command::rename_window("%0", "new"));
    let [direct, program] = twins.run(&batch, None);
    assert_eq!(direct, Outcome::Printed("text".into()));
    assert_eq!(direct, program);
    for server in [&twins.direct, &twins.program] {
        assert_eq!(server.tmux(["show-options", "-sv", "@sourced"]), "yes\n");
        let saved = std::fs::read_to_string(server.path("saved")).expect("a file");
        assert_eq!(saved, "text");
    }
}

#[test]
fn what_changes_something_is_a_client_and_no_process() {
    let server = Server::start();
    let pane = server.user_pane();
    server.count_tmux();
    server
        .inside(&pane, "sesh-new", ["build", "--", "sleep", "1000"])
        .ok();
    server.sesh("sesh-set", ["build", "--note", "x"]).ok();
    server.sesh("pane-keys", ["build", "--literal", "x"]).ok();
    server.sesh("pane-keys", [&pane, "--literal", "x"]).ok();
    server.sesh("sesh-end", ["build"]).ok();
    assert_eq!(server.tmux_calls(), 0);
    server
        .sesh("pane-keys", [&pane, "--literal", "x"])
        .env("SESH_CLIENT", "tmux")
        .ok();
    assert_eq!(server.tmux_calls(), 1);
}

/// A name is looked up first. A change that the journal keeps is read again after it was written there.
#[test]
fn a_change_is_few_clients() {
    let server = Server::start();
    let pane = server.user_pane();
    server.new_sesh(["build", "--", "sleep", "1000"]);
    let relay = Relay::before(&server, "relay", Play::Honest);
    let calls: [(&str, &[&str], usize); 4] = [
        ("pane-keys", &[&pane, "x"], 1),
        ("pane-keys", &["build", "x"], 2),
        ("sesh-set", &["build", "--note", "x"], 3),
        ("sesh-set", &["build", "--name", "built"], 5),
    ];
    let call = |helper: &str, args: &[&str]| {
        let socket = ["-S".as_ref(), relay.socket().as_os_str()];
        server.helper(helper).args(socket).args(args).ok();
    };
    // The first change at a socket starts its journal.
    call("sesh-set", &["build", "--note", "first"]);
    relay.clients();
    for (helper, args, clients) in calls {
        call(helper, args);
        assert_eq!(relay.clients(), clients, "{helper} {args:?}");
    }
}

#[test]
fn a_server_that_is_started_shows_nothing_of_the_list() {
    let server = Server::start();
    let socket = server.path("other");
    let on = |helper: &str| {
        server
            .helper(helper)
            .args(["-S".as_ref(), socket.as_os_str()])
    };
    let made = on("sesh-new").args(["hidden-name", "--json", "--", "sleep", "1000"]);
    let made = made.ok().record();
    assert_eq!(made.name(), "hidden-name");
    let tmux = |args: &[&str]| {
        let tmux = server.call(server.program());
        tmux.args(["-S".as_ref(), socket.as_os_str()])
            .args(args)
            .ok()
    };
    let pid = tmux(&["display-message", "-p", "#{pid}"])
        .line()
        .parse()
        .expect("a pid");
    let words = tmux_sesh::proc::program(pid).argv;
    tmux(&["kill-server"]);
    assert!(words.iter().any(|word| word == "start-server"), "{words:?}");
    let is_of_list = |word: &String| word.contains("hidden-name") || word == "set-option";
    assert!(!words.iter().any(is_of_list), "{words:?}");
}
