//! What happens by itself: the counts after every event, what a person has seen, sesh-reap one at a time.

use pretty_assertions::{assert_eq, assert_ne};

use crate::support::{Control, Dice, MAIN, NONE, Screen, Server, count, until};

/// A loaded server with three quiet panes that are busy seshes, in a window each; counted.
fn with_three() -> (Server, Vec<String>) {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.load();
    let panes: Vec<String> = (0..3)
        .map(|at| {
            let pane = server.window(MAIN);
            server.make_sesh(&pane, &format!("s{at}"), "busy");
            pane
        })
        .collect();
    server.recount();
    server.counts("0 3 0 0 0 0");
    (server, panes)
}

#[test]
fn every_way_to_go_is_counted() {
    let (server, panes) = with_three();
    let split = |pane: &str| -> String {
        let other = server.tmux([
            "split-window",
            "-d",
            "-t",
            pane,
            "-P",
            "-F",
            "#{pane_id}",
            "cat",
            "-",
        ]);
        server.make_sesh(other.trim_end(), "split", "idle");
        server.recount();
        other.trim_end().into()
    };
    let other = split(&panes[0]);
    server.counts("0 3 1 0 0 0");
    server.tmux(["kill-pane", "-t", &other]);
    server.counts("0 3 0 0 0 0");
    // A process that exits, beside another and alone in its window.
    let other = split(&panes[0]);
    server.counts("0 3 1 0 0 0");
    server.tmux(["send-keys", "-t", &other, "C-d"]);
    server.counts("0 3 0 0 0 0");
    server.tmux(["send-keys", "-t", &panes[0], "C-d"]);
    server.counts("0 2 0 0 0 0");
    server.tmux(["kill-window", "-t", &panes[1]]);
    server.counts("0 1 0 0 0 0");
    server.tmux(["new-session", "-d", "-s", "other", "cat", "-"]);
    let pane = server.window("other");
    server.make_sesh(&pane, "far", "waiting");
    server.recount();
    server.counts("1 1 0 0 0 0");
    server.tmux(["kill-session", "-t", "=other"]);
    server.counts("0 1 0 0 0 0");
    // Kept dead it is still a sesh.
    server.tmux(["set-option", "-p", "-t", &panes[2], "remain-on-exit", "on"]);
    server.tmux(["select-pane", "-d", "-t", &panes[2]]);
    server.tmux(["respawn-pane", "-k", "-t", &panes[2], "true"]);
    server.counts("0 1 0 0 0 0");
    server.tmux(["kill-pane", "-t", &panes[2]]);
    server.counts("0 0 0 0 0 0");
}

#[test]
fn a_sesh_in_several_sessions_counts_once() {
    let (server, panes) = with_three();
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "aaa"]);
    server.tmux(["new-session", "-d", "-t", MAIN, "-s", "with, commas, [.*]"]);
    server.tmux(["new-session", "-d", "-s", "apart", "cat"]);
    server.recount();
    server.counts("0 3 0 0 0 0");
    server.tmux(["link-window", "-d", "-s", &panes[1], "-t", "apart:7"]);
    server.recount();
    server.counts("0 3 0 0 0 0");
    server.tmux(["kill-session", "-t", "=aaa"]);
    server.counts("0 3 0 0 0 0");
    // A group whose first name holds commas.
    server.tmux(["kill-session", "-t", &format!("={MAIN}")]);
    server.counts("0 3 0 0 0 0");
    server.tmux(["move-pane", "-d", "-s", &panes[0], "-t", &panes[1]]);
    server.tmux(["break-pane", "-d", "-s", &panes[0], "-t", "apart:"]);
    server.recount();
    server.counts("0 3 0 0 0 0");
    server.tmux(["unlink-window", "-k", "-t", "apart:7"]);
    server.counts("0 3 0 0 0 0");
}

#[test]
fn states_are_counted_by_their_name_alone() {
    let (server, panes) = with_three();
    let set = |pane: &str, option: &str, value: &str| {
        server.tmux(["set-option", "-p", "-t", pane, option, value]);
        server.recount();
    };
    set(&panes[0], "@sesh_state", "starting");
    server.counts("0 2 0 1 0 0");
    for odd in ["#(touch x)", "E", "U", "", "}", ",", "#{pid}", "☠"] {
        set(&panes[0], "@sesh_state", odd);
        server.counts("0 2 0 1 0 0");
    }
    assert!(!server.path("x").exists());
    set(&panes[0], "@sesh_exit", "0 - 77");
    server.counts("0 2 0 0 1 0");
    set(&panes[0], "@sesh_gen", "2");
    server.counts("0 2 0 0 1 1");
    set(&panes[0], "@sesh_archived", "1");
    server.counts("0 2 0 0 0 0");
}

/// What the sums should be, from what the panes say: an other way to count than the plugin's, and the panes that
/// wait and those that are unread.
fn by_hand(server: &Server) -> (String, Vec<String>, Vec<String>) {
    let names = [
        "id", "archived", "exit", "state", "why", "agent", "seen", "gen",
    ];
    let fields: Vec<String> = names
        .iter()
        .map(|name| format!("#{{@sesh_{name}}}"))
        .collect();
    let format = format!("#{{pane_id}}/{}", fields.join("/"));
    let all = server.tmux(["list-panes", "-a", "-F", &format]);
    let panes: std::collections::BTreeSet<&str> = all.lines().collect();
    let (mut waits, mut unread) = (Vec::new(), Vec::new());
    let mut sums = [0; 6];
    for line in panes {
        let fields: Vec<&str> = line.split('/').collect();
        let [pane, id, archived, exit, state, why, agent, seen, version] = fields[..] else {
            panic!("{line}");
        };
        if id.is_empty() || !archived.is_empty() {
            continue;
        }
        let number = |text: &str| text.parse::<u32>().unwrap_or(0);
        let news = number(seen) < number(version);
        match (exit, state, why) {
            ("", "waiting", "dialog") => {}
            ("", "waiting", _) => {
                sums[0] += 1;
                waits.push(pane.to_string());
            }
            ("", "busy", _) => sums[1] += 1,
            ("", "idle", _) => sums[2] += 1,
            ("", ..) => sums[3] += 1,
            _ => sums[4] += 1,
        }
        if news && (!exit.is_empty() || (state == "idle" && !agent.is_empty())) {
            sums[5] += 1;
            unread.push(pane.to_string());
        }
    }
    let sums: Vec<String> = sums.iter().map(ToString::to_string).collect();
    (sums.join(" "), waits, unread)
}

#[test]
fn counting_one_by_one_is_counting_all() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.load();
    let mut dice = Dice::new();
    server.tmux(["new-session", "-d", "-s", "apart", "cat"]);
    let mut panes: Vec<String> = (0..6).map(|_| server.window(MAIN)).collect();
    let mut born = 0;
    for step in 0..count(4000) {
        let at = dice.roll(panes.len());
        let pane = panes[at].clone();
        let set = |option: &str, value: &str| {
            let option = format!("@sesh_{option}");
            if value.is_empty() {
                server.tmux(["set-option", "-pu", "-t", &pane, &option]);
            } else {
                server.tmux(["set-option", "-p", "-t", &pane, &option, value]);
            }
        };
        let one = |values: &[&'static str], dice: &mut Dice| values[dice.roll(values.len())];
        let mut closed = false;
        let what = dice.roll(14);
        match what {
            0..=3 => set(
                "state",
                one(&["busy", "idle", "waiting", "starting", "E"], &mut dice),
            ),
            4 => set("why", one(&["", "dialog", "permission"], &mut dice)),
            5 => set("agent", one(&["", "claude"], &mut dice)),
            6 => set("gen", one(&["1", "2", "3"], &mut dice)),
            7 => set("seen", one(&["1", "2", "3"], &mut dice)),
            8 => set("exit", one(&["", "0 - 1"], &mut dice)),
            9 => set("archived", one(&["", "1"], &mut dice)),
            10 => set("id", one(&["", "x", "y"], &mut dice)),
            11 => {
                born += 1;
                let new = server.window(one(&[MAIN, "apart"], &mut dice));
                server.make_sesh(&new, &format!("born{born}"), "busy");
                server.tmux(["set-hook", "-gu", "-t", &new, "@sesh_none"]);
                panes.push(new);
            }
            12 => {
                // Some of these fail, such as breaking out what is alone.
                let other = &panes[dice.roll(panes.len())];
                match dice.roll(4) {
                    0 => server.try_tmux(["join-pane", "-d", "-s", &pane, "-t", other]),
                    1 => server.try_tmux(["break-pane", "-d", "-s", &pane, "-t", "apart:"]),
                    2 => server.try_tmux(["swap-pane", "-d", "-s", &pane, "-t", other]),
                    // A window that is in one session twice counts twice in a scan.
                    _ if server.format(&pane, "#{m:*apart*,#{window_linked_sessions_list}}")
                        == "0" =>
                    {
                        server.try_tmux(["link-window", "-d", "-s", &pane, "-t", "apart:"])
                    }
                    _ => server.try_tmux(["has-session"]),
                };
            }
            _ if panes.len() > 3 => {
                panes.swap_remove(at);
                server.tmux(["kill-pane", "-t", &pane]);
                closed = true;
            }
            _ => {}
        }
        if closed {
            server.counts(&by_hand(&server).0);
            until("the closing was looked at", || {
                server.tmux(["display-message", "-p", "#{SESH_armed}"]) == "\n"
            });
        } else {
            server.tmux(["set-hook", "-gu", "-t", &pane, "@sesh_none"]);
        }
        let (sums, waits, unread) = by_hand(&server);
        assert_eq!(server.sums(), sums, "step {step}, {what} of {pane}");
        let next = server.tmux(["display-message", "-p", "#{@seshsum_next}"]);
        let best = if waits.is_empty() { &unread } else { &waits };
        let next = next.trim_end();
        assert!(
            best.iter().any(|pane| pane == next) || (best.is_empty() && next.is_empty()),
            "step {step}: {next} of {best:?}"
        );
        let known = || {
            let known = server.tmux([
                "display-message",
                "-p",
                "#{SESH_count} #{SESH_live} #{SESH_needs}",
            ]);
            let mut known: Vec<String> = known.split_whitespace().map(Into::into).collect();
            known[2..].sort();
            known
        };
        if step % 5 == 4 {
            let before = known();
            server.tmux(["set-hook", "-gR", "after-display-panes"]);
            assert_eq!(known(), before, "step {step}, {what} of {pane}");
            assert_eq!(server.sums(), sums, "step {step}");
        }
    }
}

#[test]
fn what_changes_nothing_draws_nothing() {
    let (server, panes) = with_three();
    server.option("status-right", "#{sesh_status}");
    server.option("status-interval", "0");
    server.load();
    let person = Screen::attach(&server, MAIN, (100, 20));
    person.shows("●3");
    let written = || sent(&server, person.client());
    // What the client asks its terminal when it comes is answered a moment later.
    let mut last = String::new();
    until("the client has settled", || {
        server.plugin_has_settled();
        let now = written();
        std::mem::replace(&mut last, now.clone()) == now
    });
    for at in 0..10 {
        let name = format!("SESH_heartbeat_{at}");
        server.tmux(["set-environment", "-gh", &name, "1"]);
        server.recount();
        server.tmux(["set-hook", "-gR", "after-display-panes"]);
        server.tmux(["set-hook", "-gR", "after-list-keys"]);
    }
    server.plugin_has_settled();
    assert_eq!(written(), last);
    server.tmux(["set-option", "-p", "-t", &panes[0], "@sesh_state", "idle"]);
    server.recount();
    person.shows("●2 ○1");
    assert_ne!(written(), last);
}

#[test]
fn a_change_and_its_counts_are_drawn_once() {
    let (server, panes) = with_three();
    let person = Screen::attach(&server, MAIN, (100, 20));
    let turn = std::cell::Cell::new(0);
    let next = || {
        turn.set(turn.get() + 1);
        turn.get()
    };
    let once = person.cost(&server, &|| {
        server.tmux(["set-option", "-g", "@anything", &next().to_string()]);
    });
    assert!(once > 0);
    let by_hand = person.cost(&server, &|| {
        let state = ["idle", "busy"][next() % 2];
        let set = ["set-option", "-p", "-t", &panes[0], "@sesh_state", state];
        let count = [";", "set-hook", "-gu", "-t", &panes[0], "@sesh_none"];
        server.tmux(set.iter().chain(&count));
        server.plugin_has_settled();
    });
    assert_eq!(by_hand, once);
    let fresh: Vec<String> = (0..5).map(|_| server.window(MAIN)).collect();
    server.plugin_has_settled();
    let mut fresh = fresh.iter();
    let fresh = std::cell::RefCell::new(&mut fresh);
    let by_helper = person.cost(&server, &|| {
        let pane = fresh.borrow_mut().next().expect("five times");
        server.sesh("sesh-adopt", [pane.as_str()]).ok();
        server.plugin_has_settled();
    });
    server.counts("0 7 1 0 0 0");
    assert_eq!(by_helper, once);
}

/// The bytes that a client was sent.
fn sent(server: &Server, client: &str) -> String {
    server
        .tmux(["list-clients", "-F", "#{client_name} #{client_written}"])
        .lines()
        .find(|line| line.starts_with(client))
        .map(Into::into)
        .unwrap_or_default()
}

#[test]
fn no_format_starts_a_process() {
    let (server, _) = with_three();
    server.option("status-right", "#{sesh_status}");
    server.load();
    for scope in ["-s", "-g", "-gw"] {
        let all = server.tmux(["show-options", scope]);
        let ours = all.lines().filter(|line| line.contains("sesh"));
        for line in ours {
            assert!(!line.contains("#("), "{line}");
        }
    }
}

#[test]
fn what_is_looked_at_is_seen() {
    let (server, panes) = with_three();
    let seen = |pane: &str| server.format(pane, "#{@sesh_seen}");
    let news = |pane: &str| {
        server.tmux(["set-option", "-p", "-t", pane, "@sesh_gen", "7"]);
        server.recount();
    };
    let person = Screen::attach(&server, MAIN, (80, 20));
    for pane in &panes {
        news(pane);
        assert_eq!(seen(pane), "1");
    }
    // By a key, by a command, by another session, by another pane.
    person.types(&["C-b", "n"]);
    until("the next window is seen", || seen(&panes[0]) == "7");
    assert_eq!(seen(&panes[1]), "1");
    server.tmux(["select-window", "-t", &panes[1]]);
    until("the window is seen", || seen(&panes[1]) == "7");
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let far = server.window("other");
    server.make_sesh(&far, "far", "idle");
    news(&far);
    // Nobody looks at that session.
    server.tmux(["select-window", "-t", &far]);
    server.plugin_has_settled();
    assert_eq!(seen(&far), "1");
    server.tmux(["switch-client", "-c", person.client(), "-t", "=other"]);
    until("the session is seen", || seen(&far) == "7");
    server.tmux(["set-option", "-p", "-t", &panes[2], "@sesh_gen", "9"]);
    server.tmux(["join-pane", "-d", "-s", &panes[2], "-t", &far]);
    server.tmux(["select-pane", "-t", &panes[2]]);
    until("the pane is seen", || seen(&panes[2]) == "9");
    // What changes under a person's eyes is seen as it changes.
    news(&panes[2]);
    until("the change is seen", || seen(&panes[2]) == "7");
}

#[test]
fn who_comes_has_seen() {
    let (server, panes) = with_three();
    server.tmux(["set-option", "-p", "-t", &panes[0], "@sesh_gen", "2"]);
    server.tmux(["select-window", "-t", &panes[0]]);
    server.plugin_has_settled();
    assert_eq!(server.format(&panes[0], "#{@sesh_seen}"), "1");
    let _comes = Screen::attach(&server, MAIN, (80, 20));
    until("it is seen", || {
        server.format(&panes[0], "#{@sesh_seen}") == "2"
    });
}

#[test]
fn what_changes_before_eyes_is_seen_in_whichever_session() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.load();
    let (before_eyes, behind) = (server.user_pane(), server.window(MAIN));
    let _looks = Screen::attach(&server, MAIN, (80, 20));
    // Another person came later, so tmux takes theirs for the current session.
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    let _other = Screen::attach(&server, "other", (80, 20));
    for pane in [&before_eyes, &behind] {
        server.sesh("sesh-adopt", [pane.as_str()]).ok();
        server.tmux(["set-option", "-p", "-t", pane, "@sesh_gen", "2"]);
        server.sesh("sesh-set", [pane, "--note", "x"]).ok();
    }
    server.plugin_has_settled();
    assert_eq!(server.format(&before_eyes, "#{@sesh_seen}"), "2");
    assert_eq!(server.format(&behind, "#{@sesh_seen}"), "1");
}

#[test]
fn a_persons_hooks_stay_and_ours_come_back() {
    let server = Server::start();
    server.option("@sesh-tick", "0.2");
    server.tmux(["set-hook", "-g", "session-closed", "set-option -g @mine 1"]);
    server.load();
    let hooks = || server.tmux(["show-hooks", "-g"]) + &server.tmux(["show-hooks", "-gw"]);
    let ours = server.plugin_hooks();
    assert_eq!(ours.len(), 24, "{ours:?}");
    assert!(
        hooks().contains("session-closed[0] set-option -g @mine 1"),
        "{}",
        hooks()
    );
    // A plain one takes the whole array.
    server.tmux(["set-hook", "-g", "session-closed", "set-option -g @mine 2"]);
    until("ours is back", || {
        hooks().contains("session-closed[0] set-option -g @mine 2") && server.plugin_hooks() == ours
    });
    server.tmux(["new-session", "-d", "-s", "other", "cat"]);
    server.tmux(["kill-session", "-t", "=other"]);
    until("theirs has run", || {
        server.tmux(["display-message", "-p", "#{@mine}"]) == "2\n"
    });
    // Without a tick a client brings it back.
    server.option("@sesh-tick", "off");
    server.load();
    server.tmux(["set-hook", "-gu", "pane-exited"]);
    let _comes = Control::attach(&server, MAIN);
    until("ours is back", || server.plugin_hooks() == ours);
    server.uninstall(&[]);
    assert_eq!(server.plugin_hooks(), [""; 0]);
    assert!(hooks().contains("session-closed[0]"), "{}", hooks());
}

#[test]
fn procedures_that_are_gone_do_no_harm() {
    let server = Server::start();
    server.option("@sesh-tick", "0.1");
    server.load();
    server.make_sesh(&server.user_pane(), "mine", "busy");
    let happens = || {
        for _ in 0..2 {
            let pane = server.window(MAIN);
            server.sesh("sesh-adopt", [pane.as_str()]).ok();
            server.tmux(["select-window", "-t", &pane]);
            server.tmux(["kill-pane", "-t", &pane]);
        }
        drop(Control::attach(&server, MAIN));
        server.plugin_has_settled();
    };
    let procedures: Vec<String> = server
        .plugin_hooks()
        .into_iter()
        .filter(|hook| {
            ["set", "display", "list", "lock", "unbind"]
                .iter()
                .any(|word| hook.starts_with(&format!("after-{word}-")))
        })
        .collect();
    assert_eq!(procedures.len(), 10, "{procedures:?}");
    for hook in &procedures {
        server.tmux(["set-hook", "-g", hook, "set-option -q no-such-option x"]);
        happens();
        server.tmux(["set-hook", "-gu", hook]);
        happens();
    }
    // Loaded again, it has them all.
    server.load();
    server.recount();
    server.counts("0 1 0 0 0 0");
}

#[test]
fn one_reap_at_a_time() {
    let server = Server::start();
    let helpers = server.helpers_with_stand_in();
    server.option("@sesh-bin", &helpers.display().to_string());
    server.option("@sesh-tick", "off");
    server.load();
    std::fs::write(server.path("hold-reap"), "").expect("a file");
    let seshes = |panes: usize| -> Vec<String> {
        let panes: Vec<String> = (0..panes).map(|_| server.window(MAIN)).collect();
        for pane in &panes {
            server.make_sesh(pane, &format!("s{}", &pane[1..]), "busy");
        }
        server.recount();
        panes
    };
    let close = |panes: &[String]| {
        for pane in panes {
            server.tmux(["kill-pane", "-t", pane]);
        }
    };
    // What is no sesh is not looked for, with and without one.
    close(&[server.window(MAIN)]);
    let other = seshes(1);
    close(&[server.window(MAIN), server.window(MAIN)]);
    let variables = || server.tmux(["show-environment", "-gh"]);
    server.plugin_has_settled();
    until("what they left was looked at", || {
        !variables().contains("SESH_armed=")
    });
    assert_eq!(server.reaps(), 0);
    close(&other);
    until("a reap was started", || server.reaps() == 1);
    close(&seshes(6));
    until("another is wanted", || {
        variables().contains("SESH_reap_again=1")
    });
    assert_eq!(server.reaps(), 1);
    std::fs::remove_file(server.path("hold-reap")).expect("the file");
    until("it has ended", || !variables().contains("SESH_reap="));
    // One that died without a word is not waited for.
    server.tmux([
        "set-environment",
        "-ghF",
        "SESH_reap",
        "#{e|-:#{T:#{l:%s}},31}",
    ]);
    close(&seshes(1));
    until("another was started", || server.reaps() == 2);
    until("it has ended", || !variables().contains("SESH_reap="));
}

#[test]
fn the_tick_starts_it_on_a_difference_alone() {
    let server = Server::start();
    let helpers = server.helpers_with_stand_in();
    server.option("@sesh-bin", &helpers.display().to_string());
    server.option("@sesh-tick", "0.2");
    server.load();
    let pane = server.window(MAIN);
    let looks = || {
        for _ in 0..4 {
            server.tmux(["set-environment", "-ghu", "SESH_now"]);
            until("the tick looks", || {
                server
                    .tmux(["show-environment", "-gh"])
                    .contains("SESH_now=")
            });
        }
        server.reaps()
    };
    // What printed a moment ago is looked at until that is over.
    let quiet = || {
        let mut before = looks();
        until("nothing is looked for any more", || {
            std::mem::replace(&mut before, looks()) == before
        });
        before
    };
    let first = quiet();
    // What a pane prints that is no sesh is nobody's business.
    server.tmux(["send-keys", "-t", &pane, "output", "Enter"]);
    server.shows(&pane, "output\noutput");
    assert_eq!(looks(), first);
    server.make_sesh(&pane, "one", "busy");
    until("a new sesh is a difference", || server.reaps() > first);
    let known = quiet();
    assert_eq!(looks(), known);
    server.tmux(["send-keys", "-t", &pane, "output", "Enter"]);
    until("output is a difference", || server.reaps() > known);
    let before = quiet();
    // A program that comes to the front of any pane may be an agent.
    let shell = server.types("echo here");
    server.shows(&shell, "here\n");
    let known = quiet();
    assert!(known > before, "a new pane is a difference");
    server.say(&shell, "cat");
    until("a program in front is a difference", || {
        server.reaps() > known
    });
    let known = quiet();
    let now: u64 = server
        .format(MAIN, "#{T:#{l:%s}}")
        .parse()
        .expect("the server's clock");
    let soon = (now + 1).to_string();
    server.tmux(["set-option", "-p", "-t", &pane, "@sesh_expires", &soon]);
    until("a time that is over is a difference", || {
        server.reaps() > known
    });
    let before = quiet();
    server.uninstall(&[]);
    let left = server.tmux(["show-environment", "-gh"]);
    assert!(!left.contains("SESH_"), "{left}");
    server.tmux(["send-keys", "-t", &pane, "more", "Enter"]);
    server.shows(&pane, "more");
    server.plugin_has_settled();
    assert_eq!(server.reaps(), before);
}

/// What was told of, a line each, in the order in which it was.
fn told(server: &Server) -> Vec<String> {
    let text = std::fs::read_to_string(server.path("told")).unwrap_or_default();
    text.lines().map(Into::into).collect()
}

#[test]
fn a_person_is_told_once_of_what_nobody_looks_at() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    let tell = "echo \"$SESH_NAME $SESH_STATE $SESH_WHY\" >>\"$HOME/../told\"";
    server.option("@sesh-notify", tell);
    server.load();
    let pane = server.hosts("claude");
    until("it is found", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_some()
    });
    server.sesh("sesh-adopt", [&pane, "--name", "one"]).ok();
    let says = |event: &str, state: &str| {
        let text = format!(
            "says {{\"hook_event_name\":\"{event}\",\"session_id\":\"x\",\"prompt\":\"p\",\"tool_name\":\"Bash\"}}"
        );
        server.say(&pane, &text);
        server.shows_state(&pane, state);
        server.plugin_has_settled();
    };
    // It has done nothing yet.
    says("SessionStart", "idle");
    assert_eq!(told(&server), [""; 0]);
    says("UserPromptSubmit", "busy");
    says("PermissionRequest", "waiting permission");
    until("it is told", || told(&server).len() == 1);
    // The same again, by whomever, is no news.
    says("PermissionRequest", "waiting permission");
    server.sesh("sesh-reap", NONE).ok();
    says("PostToolUse", "busy");
    says("Stop", "idle");
    until("it is told", || told(&server).len() == 2);
    assert_eq!(told(&server), ["one waiting permission", "one idle "]);
    server.counts("0 0 1 0 0 1");

    // Before a person's eyes it is no news, and seen.
    let screen = Screen::attach(&server, MAIN, (80, 20));
    server.tmux(["switch-client", "-c", screen.client(), "-t", &pane]);
    server.counts("0 0 1 0 0 0");
    says("UserPromptSubmit", "busy");
    says("Stop", "idle");
    server.counts("0 0 1 0 0 0");
    assert_eq!(told(&server).len(), 2);

    server.tmux(["select-window", "-t", &server.user_pane()]);
    says("UserPromptSubmit", "busy");
    server.sesh("sesh-set", ["one", "--archive"]).ok();
    says("Stop", "idle");
    server.plugin_has_settled();
    assert_eq!(told(&server).len(), 2, "an archived one tells nobody");
}

#[test]
fn a_bell_and_a_message() {
    let server = Server::start();
    server.option("@sesh-tick", "off");
    server.option("@sesh-notify", "message");
    server.load();
    let pane = server.hosts("claude");
    until("it is found", || {
        server.sesh("sesh-reap", NONE).ok();
        server.sesh_of(&pane).is_some()
    });
    server.sesh("sesh-adopt", [&pane, "--name", "one"]).ok();
    let screen = Screen::attach(&server, MAIN, (80, 20));
    let asks = "says {\"hook_event_name\":\"PermissionRequest\",\"session_id\":\"x\",\"tool_name\":\"Bash\"}";
    let works =
        "says {\"hook_event_name\":\"UserPromptSubmit\",\"session_id\":\"x\",\"prompt\":\"p\"}";
    server.say(&pane, asks);
    screen.shows("one waits (permission)");
    server.option("@sesh-notify", "bell");
    server.say(&pane, works);
    server.shows_state(&pane, "busy");
    assert_eq!(server.format(&pane, "#{window_bell_flag}"), "0");
    server.say(&pane, asks);
    until("its window is marked", || {
        server.format(&pane, "#{window_bell_flag}") == "1"
    });
}

/// A server that has lost its last session goes on with the next one: its timer went with the client that it hung on.
#[test]
fn the_tick_and_the_sums_outlive_the_last_session() {
    for tick in ["0.2", "off"] {
        let server = Server::start();
        server.option("@sesh-tick", tick);
        server.load();
        let terminal = Screen::attach(&server, MAIN, (80, 20));
        // Loaded again, the tick hangs on the client.
        server.load();
        server.make_sesh(&server.user_pane(), "one", "busy");
        server.recount();
        server.counts("0 1 0 0 0 0");
        server.tmux(["kill-session", "-t", "=main"]);
        until("the client has gone", || {
            // Without a session some versions refuse to list them.
            server.try_tmux(["list-clients"]).text().is_empty()
        });
        drop(terminal);
        let pane = server.session((80, 20), &["-s", "next", "cat", "-"]);
        server.counts("0 0 0 0 0 0");
        if tick != "off" {
            until("the tick looks at the new session", || {
                let seen = server.tmux(["show-environment", "-gh"]);
                seen.lines()
                    .any(|line| line.starts_with("SESH_now=") && line.contains(&pane))
            });
        }
    }
}
