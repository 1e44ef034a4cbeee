//! The architecture: which folder may use which, and which one alone may touch the outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::rust_files;

use pretty_assertions::assert_eq;

/// The folders by layer, the highest first: an arrow goes down, never up, and never sideways but where it is said.
const LAYERS: [(&[&str], Sideways); 11] = [
    (&["bin"], Sideways::No),
    (&["cli"], Sideways::No),
    (&["picker", "doctor"], Sideways::No),
    // Work has worktrees and claims, and what holds them are seshes.
    (&["work"], Sideways::No),
    (&["sesh"], Sideways::No),
    // What sends or gathers also waits.
    (&["watch", "runner"], Sideways::No),
    // A wait reconciles what no writer reports.
    (&["inventory"], Sideways::No),
    // What lives in a pane is asked of all panes alike: a sesh is a pane with a name.
    (&["pane"], Sideways::No),
    (&["agent", "store"], Sideways::No),
    (
        &["tmux", "proc", "journal", "transcript", "git"],
        Sideways::No,
    ),
    // Words, errors and the environment are of one piece.
    (&["id", "state", "env", "error", "clock"], Sideways::Yes),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sideways {
    Yes,
    No,
}

/// Words that only one folder may use, and the files elsewhere that may, each with the reason.
struct Own {
    words: &'static [&'static str],
    folder: &'static str,
    except: &'static [(&'static str, &'static str)],
}

const OWN: [Own; 9] = [
    Own {
        words: &["Command::new(\"git\")", "GIT_DIR", "GIT_EDITOR\","],
        folder: "git",
        except: &[("env.rs", "it knows which variables do not travel")],
    },
    Own {
        words: &["ratatui::", "crossterm::", "nucleo_matcher::"],
        folder: "picker",
        except: &[],
    },
    Own {
        words: &["clap::"],
        folder: "cli",
        except: &[],
    },
    Own {
        words: &["regex::"],
        folder: "agent",
        except: &[
            (
                "watch/wait_event.rs",
                "a wait for a printed line takes a pattern",
            ),
            ("watch/printed.rs", "the same"),
        ],
    },
    Own {
        words: &[
            "command::set_pane",
            "command::set_server",
            "command::set_hidden",
            "command::append_pane",
            "command::append_server",
            "command::unset_pane",
            "command::unset_server",
            "command::unset_hidden",
            "schema::book(",
            "schema::tail(",
        ],
        folder: "store",
        except: &[
            (
                "tmux/channel.rs",
                "the counter of a channel is set with its signal",
            ),
            ("tmux/mod.rs", "its tests set options of their own"),
            ("tmux/branch.rs", "the same"),
        ],
    },
    Own {
        words: &["tmux_interface"],
        folder: "tmux",
        except: &[],
    },
    Own {
        words: &[
            "fs::write",
            "File::create",
            "File::options",
            "DirBuilder",
            "create_dir",
            "remove_file",
            "remove_dir",
            "fs::rename",
            "fs::copy",
            "hard_link",
            "fs::symlink(",
            "set_permissions",
            "set_len",
            "tempfile",
        ],
        folder: "journal",
        except: &[
            ("tmux/direct/mod.rs", "its tests have sockets"),
            ("transcript/lines.rs", "its tests have files"),
            ("work/ledger.rs", "the same"),
        ],
    },
    Own {
        words: &["OpenOptions"],
        folder: "journal",
        except: &[
            (
                "proc/job.rs",
                "OpenOptions opens /dev/tty, which is no file",
            ),
            ("picker/terminal.rs", "the same"),
            (
                "tmux/direct/files.rs",
                "tmux has its client open what a hook of the user reads or writes",
            ),
        ],
    },
    Own {
        words: &[
            "env::var(",
            "env::var_os(",
            "env::vars(",
            "env::vars_os(",
            "env::set_var(",
            "env::remove_var(",
        ],
        folder: "env",
        except: &[],
    },
];

/// One source file: its path below `src`, and its text without comments.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = text
            .lines()
            .map(|line| match line.find("//") {
                // Not the slashes of an address in a text.
                Some(at) if !line[..at].ends_with(':') => &line[..at],
                _ => line,
            })
            .collect::<Vec<&str>>()
            .join("\n");
        Self {
            path: path.into(),
            code,
        }
    }

    /// The folder of `src` that the file is in, or the file's own name where it is in none.
    fn folder(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or("");
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The folders that it uses: `crate::folder`, `use crate::{folder, …}`, `tmux_sesh::folder` in the binaries, and
    /// `super::super::folder`.
    fn uses(&self) -> BTreeSet<String> {
        let mut folders = BTreeSet::new();
        for root in ["crate::", "tmux_sesh::", "super::super::"] {
            for (at, _) in self.code.match_indices(root) {
                let rest = &self.code[at + root.len()..];
                match rest.strip_prefix('{') {
                    Some(group) => folders.extend(first_words(group)),
                    None => folders.extend(word(rest)),
                }
            }
        }
        folders
    }
}

/// The word that a text starts with.
fn word(text: &str) -> Option<String> {
    let word: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

/// The first words of the members of `a::b, c::{d, e}, f}…`, up to the brace that ends the group.
fn first_words(group: &str) -> Vec<String> {
    let members = group_members(group);
    members.iter().filter_map(|member| word(member)).collect()
}

/// The members of a group, up to the brace that ends it.
fn group_members(group: &str) -> Vec<String> {
    let mut members = vec![String::new()];
    let mut depth = 0;
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                members.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        members.last_mut().expect("at least one").push(c);
    }
    let trimmed = members.iter().map(|member| member.trim().to_string());
    trimmed.filter(|member| !member.is_empty()).collect()
}

fn layer(folder: &str) -> Option<usize> {
    LAYERS
        .iter()
        .position(|(folders, _)| folders.contains(&folder))
}

/// Everything that is wrong with a file.
fn objections(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    let folder = source.folder();
    let own_layer = layer(folder);
    for used in source.uses() {
        if used == "out" && !["cli", "picker", "out", "lib"].contains(&folder) {
            wrong.push(format!(
                "{} prints: only cli and the picker may",
                source.path
            ));
        }
        if let (Some(own), Some(other)) = (own_layer, layer(&used)) {
            let sideways = own == other && folder != used && LAYERS[own].1 == Sideways::No;
            if other < own || sideways {
                wrong.push(format!("{} uses {used}", source.path));
            }
        }
    }
    if own_layer.is_none() && !["lib", "out"].contains(&folder) {
        wrong.push(format!("{} is in no layer", source.path));
    }
    for own in &OWN {
        let excepted = own.except.iter().any(|(path, _)| *path == source.path);
        if folder == own.folder || excepted {
            continue;
        }
        for word in own.words {
            if source.code.contains(word) {
                wrong.push(format!(
                    "{} uses {word}: only {} may",
                    source.path, own.folder
                ));
            }
        }
    }
    wrong
}

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[test]
fn every_arrow_goes_down() {
    let files = rust_files(&root("src"));
    assert!(files.len() > 30, "this reads the wrong folder: {files:?}");
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|(name, path)| {
            let text = std::fs::read_to_string(path).expect("a source");
            objections(&Source::new(name, &text))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_listed_exists() {
    let src = root("src");
    let folders = LAYERS.iter().flat_map(|(folders, _)| *folders);
    for name in folders.chain(OWN.iter().map(|own| &own.folder)) {
        let file = src.join(format!("{name}.rs"));
        assert!(src.join(name).is_dir() || file.is_file(), "src/{name}");
    }
    for (path, _) in OWN.iter().flat_map(|own| own.except) {
        assert!(src.join(path).is_file(), "src/{path}");
    }
}

/// A file's place in the crate: `["store", "query"]` of `store/query.rs`, `["store"]` of `store/mod.rs`.
type Module = Vec<String>;

/// The files of the crate, by their modules. A folder's own file and those below it are of one piece: what they use of
/// each other is no arrow.
struct Crate(BTreeMap<Module, Source>);

impl Crate {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let module = |path: &str| -> Module {
            let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
            path.split('/').map(Into::into).collect()
        };
        let files = files.into_iter().map(|(path, text)| {
            // Tests may look at anything of their folder.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            (module(path), Source::new(path, code))
        });
        Self(files.collect())
    }

    /// The modules that one uses: each path that begins with `crate::` or `super::`, as far as it names a file. A name that
    /// a folder's file hands on is of the file that has it.
    fn uses(&self, module: &Module) -> BTreeSet<Module> {
        let code = &self.0[module].code;
        let mut used = BTreeSet::new();
        for root in ["crate::", "super::"] {
            for (at, _) in code.match_indices(root) {
                let before = code[..at].chars().next_back();
                if before.is_some_and(|c| c == ':' || c.is_alphanumeric()) {
                    continue;
                }
                for path in members(&code[at..]) {
                    used.extend(self.resolve(module, &path));
                }
            }
        }
        used
    }

    fn resolve(&self, from: &Module, path: &[String]) -> Option<Module> {
        let above = path.iter().take_while(|word| *word == "super").count();
        let mut module: Module = match above {
            0 => Vec::new(),
            above => from[..from.len().checked_sub(above)?].to_vec(),
        };
        let mut rest = &path[above.max(1)..];
        while let Some((next, others)) = rest.split_first() {
            let below = [&module[..], std::slice::from_ref(next)].concat();
            if !self.0.contains_key(&below) {
                break;
            }
            (module, rest) = (below, others);
        }
        let handed_on = |name: &String| {
            let code = &self.0.get(&module)?.code;
            let line = code.lines().find(|line| {
                line.starts_with("pub use ")
                    && line
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == name)
            })?;
            let own = line
                .strip_prefix("pub use ")?
                .split("::")
                .next()?
                .to_string();
            let below = [&module[..], &[own]].concat();
            self.0.contains_key(&below).then_some(below)
        };
        Some(rest.first().and_then(handed_on).unwrap_or(module))
    }

    /// A chain of files of which each uses the next and the last the first.
    fn cycle(&self) -> Option<Vec<Module>> {
        let arrows: BTreeMap<&Module, BTreeSet<Module>> = self
            .0
            .keys()
            .map(|from| {
                let apart = |to: &Module| !to.starts_with(from) && !from.starts_with(to);
                (from, self.uses(from).into_iter().filter(apart).collect())
            })
            .collect();
        // A file that uses only what is known to be in no cycle is in none.
        let mut free: BTreeSet<&Module> = BTreeSet::new();
        loop {
            let more: Vec<&Module> = arrows
                .iter()
                .filter(|(from, to)| {
                    !free.contains(*from)
                        && to
                            .iter()
                            .all(|it| free.contains(it) || !arrows.contains_key(it))
                })
                .map(|(from, _)| *from)
                .collect();
            if more.is_empty() {
                break;
            }
            free.extend(more);
        }
        let mut at = arrows
            .keys()
            .find(|module| !free.contains(*module))?
            .to_owned();
        let mut chain: Vec<Module> = Vec::new();
        while !chain.contains(at) {
            chain.push(at.clone());
            at = arrows[at]
                .iter()
                .find_map(|to| {
                    arrows
                        .get_key_value(to)
                        .filter(|(to, _)| !free.contains(*to))
                })?
                .0;
        }
        Some(chain.split_off(chain.iter().position(|module| module == at)?))
    }
}

/// The paths that a text begins with: `a::b`, and of `a::{b, c::d}` each.
fn members(text: &str) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let Some(name) = word(rest) else {
            return vec![path];
        };
        rest = &rest[name.len()..];
        path.push(name);
        match rest.strip_prefix("::") {
            Some(more) => rest = more,
            None => return vec![path],
        }
        if let Some(group) = rest.strip_prefix('{') {
            return group_members(group)
                .iter()
                .flat_map(|member| members(member))
                .map(|member| [&path[..], &member].concat())
                .collect();
        }
    }
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let texts: Vec<(String, String)> = rust_files(&root("src"))
        .into_iter()
        .filter(|(name, _)| !name.starts_with("bin/") && name != "lib.rs")
        .map(|(name, path)| (name, std::fs::read_to_string(path).expect("a source")))
        .collect();
    let all = Crate::new(
        texts
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    assert_eq!(all.cycle(), None);
}

#[test]
fn a_circle_is_seen() {
    let files = |third: &'static str| {
        Crate::new([
            (
                "store/mod.rs",
                "pub use query::{Select, Snapshot};\npub fn now() {}",
            ),
            ("store/query.rs", "use super::{now, record::Record};"),
            (
                "store/record.rs",
                "use crate::store::{\n    note::{Event, Note},\n    now,\n};",
            ),
            ("store/note.rs", third),
        ])
    };
    assert_eq!(files("use crate::id::PaneId;").cycle(), None);
    for third in [
        "use super::record::Record;",
        "use super::Select;",
        "fn f() { crate::store::query::ask() }",
    ] {
        assert!(files(third).cycle().is_some(), "{third}");
    }
    let in_tests = "#[cfg(test)]\nmod tests { use super::record::Record; }";
    assert_eq!(files(in_tests).cycle(), None);
}

#[test]
fn an_arrow_that_turns_back_is_seen() {
    let bad = [
        ("store/query.rs", "use crate::inventory::find;"),
        ("tmux/mod.rs", "use crate::{env, store::{Key, Record}};"),
        ("pane/capture.rs", "use crate::watch::cursor;"),
        ("pane/keys.rs", "fn f() { crate::inventory::find::one() }"),
        ("agent/mod.rs", "use super::super::store::Key;"),
        (
            "store/write.rs",
            "use crate::{\n    agent::Kind,\n    id::Name,\n};",
        ),
        ("id.rs", "use crate::tmux::Server;"),
        ("sesh/new.rs", "crate::out::text(\"x\");"),
        ("sesh/new.rs", "use clap::Parser;"),
        ("sesh/end.rs", "use crate::doctor::Report;"),
        ("inventory/find.rs", "use crate::watch::cursor;"),
        ("cli/sesh_list.rs", "use ratatui::Frame;"),
        ("store/query.rs", "use regex::Regex;"),
        ("sesh/new.rs", "use tmux_interface::Tmux;"),
        ("sesh/new.rs", "std::fs::write(path, text)"),
        ("store/write.rs", "OpenOptions::new().append(true)"),
        // The exception is for one word.
        ("proc/job.rs", "std::fs::write(path, text)"),
        ("picker/terminal.rs", "File::create(path)"),
        ("cli/mod.rs", "std::env::var_os(\"HOME\")"),
        (
            "sesh/end.rs",
            "let end = command::set_pane(pane, \"@sesh_state\", \"exited\");",
        ),
        ("inventory/book.rs", "let record = schema::book(id);"),
        ("attic/mod.rs", "fn f() {}"),
    ];
    for (path, text) in bad {
        let wrong = objections(&Source::new(path, text));
        assert_eq!(wrong.len(), 1, "{path}: {text}: {wrong:?}");
    }
    let good = [
        ("bin/sesh-new.rs", "tmux_sesh::cli::main(\"sesh-new\")"),
        (
            "cli/mod.rs",
            "use crate::{env, out, inventory::find, store::{Key}};",
        ),
        ("sesh/end.rs", "use crate::pane::capture;"),
        (
            "sesh/end.rs",
            "use crate::sesh::reap;\nuse crate::runner::PROGRAM;\nuse crate::store::Key;",
        ),
        ("env.rs", "use crate::id::PaneId; std::env::var(\"X\")"),
        ("runner/mod.rs", "// crate::cli is above\nuse crate::env;"),
        ("journal/launch.rs", "std::fs::write(path, text)"),
        ("proc/job.rs", "OpenOptions::new().read(true)"),
        ("cli/mod.rs", "std::env::args_os(); let x = env!(\"X\");"),
    ];
    for (path, text) in good {
        let wrong = objections(&Source::new(path, text));
        assert!(wrong.is_empty(), "{path}: {text}: {wrong:?}");
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let tests = root("tests/it");
    for (folder, list) in [
        (tests.clone(), "main.rs"),
        (tests.join("support"), "mod.rs"),
    ] {
        let known = std::fs::read_to_string(folder.join(list)).expect("the list of modules");
        for entry in std::fs::read_dir(&folder).expect("the tests") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned();
            assert!(
                path.ends_with(list) || known.lines().any(|line| line == format!("mod {name};")),
                "{} is in no test",
                path.display()
            );
        }
    }
}

#[test]
fn whoever_sleeps_says_why() {
    let mut sleeps = 0;
    for folder in ["src", "tests"] {
        for (name, path) in rust_files(&root(folder)) {
            let text = std::fs::read_to_string(&path).expect("a source");
            for (at, line) in text.lines().enumerate() {
                if line.contains(concat!("thread::", "sleep(")) {
                    sleeps += 1;
                    assert!(
                        line.contains("// why: "),
                        "{folder}/{name}:{}: {line}",
                        at + 1
                    );
                }
            }
        }
    }
    assert!(sleeps > 0, "this looks for the wrong word");
}
