//! The picker in a real popup: a person's keys go in, what a person sees comes out.

use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pretty_assertions::assert_eq;

use crate::support::{
    Dice, MAIN, NONE, Record, Screen, Server, count, helpers, say, until, until_some,
};

/// The terminals of people.
const SIZES: [(u16, u16); 3] = [(80, 24), (60, 15), (200, 50)];

/// What the picker shows while it is open.
const OPEN: &str = " › ";

impl Screen {
    /// Presses the key for the picker, and waits for it.
    #[track_caller]
    fn opens(&self) {
        self.types(&["C-b", "e"]);
        self.shows(OPEN);
    }

    /// Waits until the picker is gone.
    #[track_caller]
    fn closes(&self) {
        until("the picker is gone", || !self.text().contains(OPEN));
    }

    /// The line that the bar of the choice stands in.
    fn chosen(&self) -> String {
        let text = self.text();
        let line = text.lines().find(|line| line.contains('▌'));
        line.unwrap_or_default().into()
    }

    /// Types what finds a sesh, and waits until it is chosen.
    #[track_caller]
    fn finds(&self, name: &str) {
        self.types(&["C-u"]);
        self.types_text(name);
        until(&format!("{name} is chosen"), || {
            self.text().contains(&format!("{OPEN}{name}")) && self.chosen().contains(name)
        });
    }
}

/// A sesh with a quiet program in a session of its own.
fn quiet(server: &Server, name: &str) -> Record {
    let title = format!("this was {name}; exec cat");
    server.new_sesh([
        "--session",
        name,
        "--",
        "sh",
        "-c",
        &format!("echo {title}"),
    ])
}

/// Where a client is.
fn place(server: &Server, client: &str) -> String {
    let format = "#{client_name} #{session_name}";
    let clients = server.tmux(["list-clients", "-F", format]);
    let own = clients
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{client} ")).map(String::from));
    own.unwrap_or_default()
}

/// A server with the plugin, three seshes and a person.
fn scene(size: (u16, u16)) -> (Server, Screen) {
    let server = Server::start();
    server.load();
    for name in ["alpha", "beta", "gamma"] {
        quiet(&server, name);
    }
    let person = Screen::attach(&server, MAIN, size);
    (server, person)
}

#[test]
fn whoever_pressed_the_key_goes_there() {
    for size in SIZES {
        let (server, person) = scene(size);
        let other = Screen::attach(&server, MAIN, size);
        person.opens();
        person.shows("3 seshes");
        person.finds("beta");
        assert!(
            !other.text().contains("beta"),
            "the other one sees something of it"
        );
        // It looks at the same session, and types at the same moment.
        other.types(&["x", "Enter"]);
        person.types(&["Enter"]);
        person.shows("this was beta");
        until("it is there", || place(&server, person.client()) == "beta");
        assert_eq!(place(&server, other.client()), MAIN);
        // Until then keys are the popup's.
        person.closes();
        // And back, and there again.
        for session in [MAIN, "beta"] {
            person.types(&["C-b", "b"]);
            until("it is back", || place(&server, person.client()) == session);
        }
        // Left, nothing is done.
        person.opens();
        person.types(&["Escape"]);
        person.closes();
        assert_eq!(place(&server, person.client()), "beta");
    }
}

#[test]
fn what_is_on_a_pane_is_seen_as_it_changes() {
    let (server, person) = scene((200, 50));
    person.opens();
    person.finds("beta");
    person.shows("this was beta");
    let beta = server.sesh("sesh-list", ["--json", "beta"]).ok().only();
    server.say(beta.pane(), "something new");
    person.shows("something new");
    // Without it there is room for more, and it comes back.
    person.types(&["C-v"]);
    until("no preview", || !person.text().contains("something new"));
    person.types(&["C-v"]);
    person.shows("something new");
}

#[test]
fn every_action_has_its_key() {
    for size in SIZES {
        actions(size);
    }
}

fn actions(size: (u16, u16)) {
    let (server, person) = scene(size);
    let alpha = server.sesh("sesh-list", ["--json", "alpha"]).ok().only();
    let gamma = server.sesh("sesh-list", ["--json", "gamma"]).ok().only();
    let now = || server.record(alpha.uuid());
    let answer = |question: &str, text: &str| {
        person.shows(question);
        person.types(&["C-u"]);
        person.types_text(text);
        person.types(&["Enter"]);
    };
    person.opens();
    person.finds("alpha");
    // Rename; a name that is taken is refused, and the question stays.
    person.types(&["C-r"]);
    answer("rename alpha", "beta");
    person.shows("the name beta is taken");
    answer("rename alpha", "a:b");
    person.shows("is not a valid name: it contains ':'");
    answer("rename alpha", "first");
    person.shows("alpha renamed to first");
    assert_eq!(now().name(), "first");
    // It is not what was looked for any more, and still the one that is chosen.
    until("it is still chosen", || person.chosen().contains(" first "));
    // Tags.
    person.types(&["C-t"]);
    answer("tag first", "api web");
    until("it has tags", || now().strings("tags") == ["api", "web"]);
    person.shows("tagged first: api web");
    person.types(&["C-t"]);
    answer("tag first", "-api");
    person.shows("tagged first: -api");
    until("it has one less", || now().strings("tags") == ["web"]);
    person.types(&["C-z"]);
    person.shows("undone");
    until("it has it again", || now().strings("tags").contains(&"api"));
    // Archive, and undo.
    person.types(&["C-a"]);
    person.shows("first archived");
    assert_eq!(now().get("archived"), true);
    person.types(&["C-z"]);
    person.shows("undone");
    assert_eq!(now().get("archived"), false);
    // Undo leaves a name alone that another process has given since.
    person.types(&["C-r"]);
    answer("rename first", "second");
    person.shows("first renamed to second");
    server.sesh("sesh-set", ["second", "--name", "first"]).ok();
    person.types(&["C-z"]);
    person.shows("second has been renamed to first since");
    assert_eq!(now().name(), "first");
    person.finds("first");
    // A message to a shell.
    server.new_sesh(["--session", "shell"]);
    let shell = server.sesh("sesh-list", ["--json", "shell"]).ok().only();
    server.runs(shell.pane(), "sh");
    person.finds("shell");
    person.types(&["C-s"]);
    answer("send to shell", "echo arrived-$((1+1))");
    server.shows(shell.pane(), "arrived-2");
    person.shows("delivered to shell");
    // A new one, with a command.
    person.types(&["C-n"]);
    answer("new (", "made cat");
    person.shows("made created");
    let made = server.sesh("sesh-list", ["--json", "made"]).ok().only();
    server.runs(made.pane(), "cat");
    // What cannot be is said at once, and the question stays.
    person.types(&["C-n"]);
    answer("new (", "odd sh -c 'echo");
    person.shows("an open quote: close it");
    person.types_text(" \"a  b\"; cat'");
    person.types(&["Enter"]);
    person.shows("odd created");
    let odd = server.sesh("sesh-list", ["--json", "odd"]).ok().only();
    server.shows(odd.pane(), "a  b");
    // End: no, and yes.
    person.finds("made");
    person.types(&["C-x"]);
    person.shows("end made? y/n");
    person.types(&["n"]);
    person.shows("nothing was ended");
    assert!(server.record(made.uuid()).live());
    person.types(&["C-x"]);
    person.shows("end made? y/n");
    person.types(&["y"]);
    person.shows("made ended");
    server.ended(made.uuid());
    // The rename before that is not the last change any more.
    person.types(&["C-z"]);
    person.shows("nothing to undo");
    assert_eq!(now().name(), "first");
    several(&server, &person, &gamma);
}

/// What is done to several, and what leads elsewhere.
fn several(server: &Server, person: &Screen, gamma: &Record) {
    person.types(&["C-u"]);
    for name in ["beta", "gamma"] {
        person.finds(name);
        person.types(&["Tab"]);
        person.shows("marked");
    }
    person.types(&["C-a"]);
    person.shows("2 seshes archived");
    assert_eq!(server.record(gamma.uuid()).get("archived"), true);
    // They are shown when they are asked for.
    person.types(&["Escape", "C-u"]);
    person.types(&["C-e"]);
    person.shows("also archived and exited seshes");
    person.finds("gamma");
    person.types(&["C-a"]);
    person.shows("gamma unarchived");
    assert_eq!(server.record(gamma.uuid()).get("archived"), false);
    // Another pane becomes one.
    person.types(&["C-u"]);
    person.types(&["C-o"]);
    person.shows("choose one of the other panes");
    until("another pane is chosen", || person.chosen().contains('·'));
    person.types(&["C-o"]);
    person.shows("name (empty");
    person.types_text("adopted");
    person.types(&["Enter"]);
    person.shows("is adopted now");
    assert_eq!(
        server.format(&server.user_pane(), "#{@sesh_name}"),
        "adopted"
    );
    // Groups, and all keys.
    for by in ["tag", "session", "agent", "tree", "state"] {
        person.types(&["C-g"]);
        person.shows(&format!("grouped by {by}"));
    }
    person.types(&["?"]);
    person.shows("any key closes this");
    person.types(&["x"]);
    person.shows(OPEN);
    // Whoever waits is answered.
    let pane = gamma.pane();
    for (option, value) in [("@sesh_state", "waiting"), ("@sesh_why", "permission")] {
        server.tmux(["set-option", "-p", "-t", pane, option, value]);
    }
    server.tmux(["wait-for", "-S", "tmux-sesh"]);
    person.shows("needs you");
    person.types(&["C-y"]);
    person.shows("this was gamma");
    until("it is there", || place(server, person.client()) == "gamma");
}

#[test]
fn the_choice_stays_while_others_come_and_go() {
    let (server, person) = scene((80, 24));
    person.opens();
    person.types(&["End"]);
    until("the last is chosen", || person.chosen().contains("gamma"));
    quiet(&server, "aaa-new");
    person.shows("aaa-new");
    assert!(person.chosen().contains("gamma"), "{}", person.text());
    server.sesh("sesh-end", ["alpha", "--forget"]).ok();
    until("it is gone", || !person.text().contains("alpha"));
    assert!(person.chosen().contains("gamma"), "{}", person.text());
}

#[test]
fn pending_restores_come_back_with_one_key() {
    for size in [(80, 24), (120, 40), (200, 50)] {
        let server = Server::start();
        server.new_sesh(["shell", "--session"]);
        server.new_sesh(["command", "--", "sleep", "1000"]);
        server.dies();
        server.starts_again();
        server.tmux(["new-session", "-d", "-s", MAIN]);
        server.load();
        let person = Screen::attach(&server, MAIN, size);
        let other = Screen::attach(&server, MAIN, size);
        person.opens();
        person.shows("^L restores 2 seshes that were alive when tmux died");
        person.types(&["C-l"]);
        person.shows("2 seshes restored");
        person.types(&["Down"]);
        until("nothing is offered any more", || {
            !person.text().contains("^L restores")
        });
        let now = server.sesh("sesh-list", ["--json"]).ok().records();
        let states: Vec<(&str, &str)> = now.iter().map(|it| (it.name(), it.state())).collect();
        assert_eq!(states, [("shell", "idle"), ("command", "waiting")]);
        person.types(&["C-l"]);
        person.shows("no pending restores");
        assert_eq!(place(&server, other.client()), MAIN);
    }
}

#[test]
fn one_without_a_pane_comes_back() {
    let (server, person) = scene((80, 24));
    let beta = server.sesh("sesh-list", ["--json", "beta"]).ok().only();
    let ends = || {
        server.sesh("sesh-end", ["beta"]).ok();
        until("it is in its book alone", || {
            !server.record(beta.uuid()).has_pane()
        });
        person.opens();
        person.types(&["C-e"]);
        person.finds("beta");
    };
    ends();
    person.types(&["Enter"]);
    until("it is there", || place(&server, person.client()) == "beta");
    person.closes();
    // Its command is typed, and not run: it has the sign that it has in the status bar.
    person.shows("ready; Enter starts");
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    person.opens();
    person.finds("beta");
    until("the sign", || person.chosen().contains("◆ beta"));
    person.types(&["Escape", "Escape"]);
    person.closes();
    assert!(server.record(beta.uuid()).live());
    // One that cannot come back stays in the list, and the picker open.
    server.tmux(["switch-client", "-c", person.client(), "-t", MAIN]);
    let gone = server.path("gone");
    std::fs::create_dir(&gone).expect("a folder");
    let cwd = gone.to_str().expect("UTF-8");
    server.new_sesh(["delta", "--cwd", cwd, "--", "sleep", "60"]);
    server.sesh("sesh-end", ["delta"]).ok();
    std::fs::remove_dir(&gone).expect("no folder");
    person.opens();
    person.types(&["C-e"]);
    person.finds("delta");
    person.types(&["Enter"]);
    person.shows("is gone");
    person.shows(OPEN);
    person.types(&["Escape", "Escape"]);
    person.closes();
    ends();
    // Nothing can be sent to it; it can be forgotten.
    person.types(&["C-s"]);
    person.shows("has no pane: Enter");
    person.types(&["C-x"]);
    person.shows("forget beta? y/n");
    person.types(&["y"]);
    person.shows("beta forgotten");
    server.sesh("sesh-list", ["beta"]).fails(3);
}

#[test]
fn of_an_agent_without_a_pane_the_end_of_its_talk_is_shown() {
    let server = Server::start();
    server.agent("claude");
    let id = "46ed2323-f13a-4fb3-98e7-659d84033d77";
    let made = server.new_sesh([
        "api",
        "--agent",
        "claude",
        "--",
        "claude",
        "--session-id",
        id,
    ]);
    server.runs(made.pane(), "claude");
    server.when("its conversation is known", made.uuid(), |record| {
        server.sesh("sesh-reap", NONE).ok();
        record.get("conversation") == id
    });
    let folder = server.path("home/.claude/projects/-home");
    std::fs::create_dir_all(&folder).expect("a folder");
    let talk = r#"{"type":"user","message":{"content":"what is \u001b[31mred\u0007?"}}
{"type":"assistant","message":{"content":[{"type":"text","text":"a colour:\n日本語"}]}}
no line of a transcript
"#;
    std::fs::write(folder.join(format!("{id}.jsonl")), talk).expect("a transcript");
    server.dies();
    server.starts_again();
    server.tmux(["new-session", "-d", "-s", MAIN, "cat"]);
    server.load();
    let person = Screen::attach(&server, MAIN, (120, 30));
    person.opens();
    person.types(&["C-e"]);
    person.finds("api");
    person.shows("› what is [31mred?");
    person.shows("  a colour:");
    person.shows("  日本語");
}

#[test]
fn the_mouse_works() {
    let (server, person) = scene((80, 24));
    server.tmux(["set-option", "-g", "mouse", "on"]);
    person.opens();
    person.shows("gamma");
    let point = |name: &str| {
        let text = person.text();
        let (y, line) = text
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(name))
            .expect("its line");
        let before = &line[..line.find(name).expect("its name")];
        (before.chars().count() + 1, y + 1)
    };
    let click = |name: &str| {
        let (x, y) = point(name);
        person.types_text(&format!("\x1b[<0;{x};{y}M"));
        person.types_text(&format!("\x1b[<0;{x};{y}m"));
    };
    click("gamma");
    until("it is chosen", || person.chosen().contains("gamma"));
    let (x, y) = point("gamma");
    person.types_text(&format!("\x1b[<64;{x};{y}M"));
    until("the wheel moves", || !person.chosen().contains("gamma"));
    // A key's name at the foot is a button.
    click("? help");
    person.shows("any key closes this");
    person.types(&["x"]);
    person.shows("gamma");
    click("beta");
    until("it is chosen", || person.chosen().contains("beta"));
    click("beta");
    person.shows("this was beta");
    until("it is there", || place(&server, person.client()) == "beta");
}

#[test]
fn a_dashboard_stays() {
    let server = Server::start();
    quiet(&server, "alpha");
    let list = helpers().join("sesh-list").display().to_string();
    let socket = server.socket().display().to_string();
    let screen = Screen::open((100, 30), &[&list, "-S", &socket, "--watch"]);
    screen.shows("alpha");
    screen.shows(OPEN);
    quiet(&server, "beta");
    screen.shows("2 seshes");
    screen.types(&["Escape"]);
    screen.types_text("bet");
    screen.shows("1 sesh");
    screen.types(&["Escape"]);
    screen.shows("2 seshes");
    screen.types(&["?"]);
    screen.shows("^C                      close the picker");
    screen.types(&["x"]);
    // With a question of its own.
    server.sesh("sesh-set", ["beta", "--tag", "api"]).ok();
    let screen = Screen::open(
        (100, 30),
        &[&list, "-S", &socket, "--watch", "--tag", "api"],
    );
    screen.shows("tag:api");
    screen.shows("1 sesh");
    // With what has ended.
    server.sesh("sesh-end", ["--kill", "alpha"]).ok();
    let screen = Screen::open((100, 30), &[&list, "-S", &socket, "--watch", "--all"]);
    screen.shows("alpha");
    screen.shows("2 seshes");
    screen.types(&["Escape"]);
}

/// Picks in a terminal of its own; what came of it is in files.
struct Pick {
    screen: Screen,
    out: std::path::PathBuf,
}

impl Pick {
    fn start(server: &Server, args: &str, stdin: &str) -> Self {
        let out = server.path("picked");
        let _ = std::fs::remove_file(server.path("picked.code"));
        std::fs::write(server.path("rows"), stdin).expect("a file");
        let enter = helpers().join("sesh-enter");
        let line = format!(
            "stty -a >'{o}.before'; '{e}' -S '{s}' --pick {args} <'{r}' >'{o}' 2>'{o}.err'; code=$?; stty -a >'{o}.after'; \
             echo $code >'{o}.tmp'; mv '{o}.tmp' '{o}.code'; echo over; exec cat",
            o = out.display(),
            e = enter.display(),
            s = server.socket().display(),
            r = server.path("rows").display(),
        );
        Self {
            screen: Screen::open((80, 24), &["sh", "-c", &line]),
            out,
        }
    }

    #[track_caller]
    fn ends(&self) -> (i32, String) {
        let code = self.out.with_extension("code");
        let code = until_some("it ends", || {
            std::fs::read_to_string(&code).ok()?.trim().parse().ok()
        });
        self.screen.shows("over");
        let text =
            |end: &str| std::fs::read_to_string(self.out.with_extension(end)).expect("a file");
        assert_eq!(
            text("before"),
            text("after"),
            "the terminal is not as it was"
        );
        let printed = std::fs::read_to_string(&self.out).expect("what was printed");
        (code, printed)
    }
}

#[test]
fn a_choice_is_printed() {
    let server = Server::start();
    Pick::start(&server, "", "").screen.shows("over");
    let (code, printed) = Pick::start(&server, "", "").ends();
    assert_eq!((code, printed.as_str()), (3, ""));
    let alpha = quiet(&server, "alpha");
    quiet(&server, "beta");
    let pick = Pick::start(&server, "", "");
    pick.screen.finds("alpha");
    // Here one is only chosen.
    pick.screen.types(&["C-x"]);
    pick.screen.shows("only chooses");
    pick.screen.types(&["Enter"]);
    let (code, printed) = pick.ends();
    assert_eq!(code, 0);
    let choice: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(choice["action"], "goto");
    assert_eq!(choice["uuid"], alpha.uuid());
    assert_eq!(choice["name"], "alpha");
    assert_eq!(choice["tmux"]["pane"], alpha.pane());
    for key in ["machine", "agent", "cwd"] {
        assert!(choice.get(key).is_some(), "{choice}");
    }
    let pick = Pick::start(
        &server,
        &format!("--format kv --cursor {}", alpha.uuid()),
        "",
    );
    pick.screen.shows("alpha");
    until("the cursor is there", || {
        pick.screen.chosen().contains("alpha")
    });
    pick.screen.types(&["Enter"]);
    let (code, printed) = pick.ends();
    assert_eq!(code, 0);
    assert!(
        printed.starts_with("action=goto\n") && printed.contains("\nname=alpha\n"),
        "{printed}"
    );
    for key in ["Escape", "C-c"] {
        let pick = Pick::start(&server, "", "");
        pick.screen.shows(OPEN);
        pick.screen.types(&[key]);
        assert_eq!(pick.ends(), (130, String::new()));
    }
}

#[test]
fn rows_come_from_stdin_too() {
    let server = Server::start();
    let alpha = quiet(&server, "alpha");
    quiet(&server, "beta");
    let stranger =
        r#"{"uuid":"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f","name":"far away","machine":"m"}"#;
    let pick = Pick::start(&server, "- --format nul", stranger);
    pick.screen.shows("far away");
    assert!(!pick.screen.text().contains("alpha"));
    pick.screen.types(&["Enter"]);
    let (code, printed) = pick.ends();
    let values: Vec<&str> = printed.split('\0').collect();
    assert_eq!((code, values.len()), (0, 11));
    assert_eq!(
        values[..3],
        ["resume", "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "m"]
    );
    let pick = Pick::start(&server, "-", "alpha\tsomething\nnobody\n");
    pick.screen.shows("1 sesh");
    pick.screen.types(&["Enter"]);
    let (code, printed) = pick.ends();
    assert!(code == 0 && printed.contains(alpha.uuid()), "{printed}");
    for (stdin, code) in [("", 3), ("[]", 3), ("nobody", 3), ("[1]", 2)] {
        assert_eq!(
            Pick::start(&server, "-", stdin).ends(),
            (code, String::new()),
            "{stdin}"
        );
    }
}

#[test]
fn one_is_chosen_without_asking() {
    let server = Server::start();
    let alpha = quiet(&server, "alpha");
    let person = Screen::attach(&server, MAIN, (80, 24));
    let select = ["--pick", "--select", alpha.uuid()];
    let choice = server.sesh("sesh-enter", select).ok().json();
    assert_eq!(
        (&choice["action"], &choice["name"]),
        (&"goto".into(), &"alpha".into())
    );
    let nobody = ["--pick", "--select", "3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f"];
    server.sesh("sesh-enter", nobody).fails(3);
    let user = server.user_pane();
    let go = [
        "--pick",
        "--select",
        alpha.uuid(),
        "--enter",
        "--client",
        person.client(),
    ];
    let said = server.inside(&user, "sesh-enter", go).ok();
    assert!(said.text().contains(alpha.uuid()), "{said}");
    person.shows("this was alpha");
    server.sesh("sesh-enter", ["--pick", "alpha"]).fails(2);
    server.sesh("sesh-enter", ["--enter"]).fails(2);
    // Without a terminal nobody can choose.
    let mut alone = Command::new("setsid");
    alone
        .arg("-w")
        .arg(helpers().join("sesh-enter"))
        .args(["-S".as_ref(), server.socket().as_os_str()]);
    let output = alone
        .arg("--pick")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

/// The picker's process, as soon as it is there.
fn process(server: &Server) -> Pid {
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    let pid = until_some("its process", || {
        tmux_sesh::proc::all().into_iter().find_map(|process| {
            let own = tmux_sesh::proc::program(process.pid).argv;
            (own.first() == Some(&enter) && own.contains(&socket)).then_some(process.pid)
        })
    });
    Pid::from_raw(pid)
}

#[test]
fn one_that_is_killed_at_any_moment_leaves_nothing_half_done() {
    let mut dice = Dice::new();
    let server = Server::start();
    let seshes: Vec<Record> = (0..8)
        .map(|at| quiet(&server, &format!("quiet{at}")))
        .collect();
    let enter = helpers().join("sesh-enter").display().to_string();
    let socket = server.socket().display().to_string();
    for _ in 0..count(200) {
        let screen = Screen::open((80, 24), &[&enter, "-S", &socket, "--picker", "builtin"]);
        screen.shows(OPEN);
        screen.types(&["C-e"]);
        screen.shows("8 seshes");
        screen.types(&["Tab"; 8]);
        screen.shows("8 marked");
        // Put away or taken out again, and a tag.
        screen.types(&["C-a", "C-t"]);
        screen.types_text("a b");
        let picker = process(&server);
        screen.types(&["Enter"]);
        let wait = dice.moment(40);
        std::thread::sleep(wait); // why: the moment is to be any.
        // It may have answered and gone with its terminal only.
        kill(picker, Signal::SIGKILL).expect("it is there");
        drop(screen);
        let changes = server.sesh("sesh-reap", ["--json"]).ok();
        assert_eq!(
            changes.text().trim_end(),
            "[]",
            "the books say what the panes say"
        );
        for sesh in &seshes {
            let tags = server.record(sesh.uuid());
            let tags = tags.strings("tags");
            assert!(matches!(tags[..], [] | ["a"] | ["a", "b"]), "{tags:?}");
        }
    }
    server.sesh("sesh-save", NONE).ok();
    let live: Vec<Record> = seshes
        .iter()
        .map(|sesh| server.record(sesh.uuid()))
        .collect();
    server.dies();
    for live in live {
        let left = server.record(live.uuid());
        for field in ["archived", "tags", "name"] {
            assert_eq!(left.get(field), live.get(field), "{field}");
        }
    }
}

#[test]
fn the_terminal_is_given_back_whatever_happens() {
    let server = Server::start();
    quiet(&server, "alpha");
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let pick = Pick::start(&server, "", "");
        pick.screen.shows(OPEN);
        kill(process(&server), signal).expect("it is signalled");
        assert_eq!(pick.ends(), (130, String::new()));
    }
    // Its server goes.
    let pick = Pick::start(&server, "", "");
    pick.screen.shows(OPEN);
    server.tmux(["kill-server"]);
    let (code, _) = pick.ends();
    assert_eq!(code, 69);
}

#[test]
fn the_persons_colours_are_used() {
    let server = Server::start();
    server.option("@sesh-style-busy", "fg=#123456");
    server.option("@sesh-glyph-busy", "B");
    server.load();
    quiet(&server, "alpha");
    let person = Screen::attach(&server, MAIN, (80, 24));
    person.opens();
    until("the glyph", || person.chosen().contains("▌B alpha"));
}

#[test]
fn tmuxs_own_chooser_is_there_too() {
    let (server, person) = scene((80, 24));
    server.option("@sesh-picker", "tree");
    person.types(&["C-b", "e"]);
    person.shows("(0)");
    assert!(!person.text().contains(OPEN));
    person.types(&["q"]);
}

#[test]
fn fzf_is_there_too() {
    if which::which("fzf").is_err() {
        say("not tested: fzf is not installed");
        return;
    }
    let server = Server::start();
    quiet(&server, "alpha");
    quiet(&server, "beta");
    server.option("@sesh-picker", "fzf");
    server.load();
    let person = Screen::attach(&server, MAIN, (120, 30));
    person.types(&["C-b", "e"]);
    person.shows("2/2");
    person.types_text("beta");
    person.shows("1/2");
    person.shows("this was beta");
    person.types(&["Enter"]);
    until("the person is there", || {
        place(&server, person.client()) == "beta"
    });
    // Whoever leaves chose nothing.
    let pick = Pick::start(&server, "--picker fzf", "");
    pick.screen.shows("2/2");
    pick.screen.types(&["Escape"]);
    assert_eq!(pick.ends(), (130, String::new()));
    let pick = Pick::start(&server, "--picker fzf --format kv", "");
    pick.screen.shows("2/2");
    pick.screen.types_text("alpha");
    pick.screen.shows("1/2");
    // Without a TMUX of its own, too.
    pick.screen.shows("this was alpha");
    pick.screen.types(&["Enter"]);
    let (code, printed) = pick.ends();
    assert!(code == 0 && printed.contains("\nname=alpha\n"), "{printed}");
}

#[test]
fn keys_make_and_adopt_here() {
    let server = Server::start();
    server.load();
    let person = Screen::attach(&server, MAIN, (80, 24));
    let answer = |question: &str, text: &str| {
        person.shows(question);
        person.types_text(text);
        person.types(&["Enter"]);
    };
    person.types(&["C-b", "a"]);
    answer("name of the new sesh", "fresh");
    let fresh = until_some("it is there", || {
        let found = server.sesh("sesh-list", ["--json", "fresh"]).said();
        (found.code() == Some(0)).then(|| found.only())
    });
    until("and looked at", || {
        server.format(&format!("{MAIN}:"), "#{pane_id}") == fresh.pane()
    });
    let here = server.window(MAIN);
    server.tmux(["select-window", "-t", &here]);
    person.types(&["C-b", "A"]);
    answer("name of the sesh", "here");
    until("the pane is a sesh", || {
        server.format(&here, "#{@sesh_name}") == "here"
    });
    // Why it is what it is.
    person.types(&["C-b", "M-e"]);
    person.shows("Explain");
    person.types(&["w"]);
    person.shows("Enter closes this");
    person.types(&["Enter"]);
    until("it is read", || {
        !person.text().contains("Enter closes this")
    });
}
