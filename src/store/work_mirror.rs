//! Shows in tmux what the ledgers of repositories have: on the panes of holders, and in the sums of the status line.
//!
//! The ledger decides, and this is a picture of it. Each picture carries the number of events of its ledger, and the
//! server takes none that is older than the one it has. So of several processes that write it the newest one wins, in
//! whatever order they arrive.

use std::path::{Path, PathBuf};

use super::condition::{both, equal};
use super::schema::{self, Key};
use super::{hint, value};
use crate::error::Result;
use crate::id::{PaneId, SeshId};
use crate::tmux::{Batch, Command, Frame, Server, command};

/// What a server shows of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkMirror {
    /// The panes that show claims, of any repository.
    pub panes: Vec<MirroredPane>,
    /// All repositories of which the server shows something.
    repositories: Vec<String>,
    /// How many claims of this repository have a holder that is gone.
    pub lost: usize,
}

/// What a pane shows of the claims of its sesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirroredPane {
    pub pane: PaneId,
    pub sesh: SeshId,
    /// Empty for a pane that shows nothing any more.
    pub text: String,
}

/// What a server is to show of a repository.
#[derive(Clone, Debug)]
pub struct MirroredWork<'a> {
    /// The 8 digits of the repository.
    pub repository: &'a str,
    pub common_dir: &'a Path,
    /// The number of events of the ledger.
    pub length: u64,
    pub claims: usize,
    pub lost: usize,
    pub landing: usize,
    pub panes: Vec<MirroredPane>,
}

/// Returns the commands that ask what a server shows of a repository. [`WorkMirror::read_row`] reads their rows.
#[must_use]
pub fn question(frame: &Frame, repository: &str) -> [Command; 2] {
    let work = format!("#{{{}}}", schema::work(repository));
    let repositories = format!("#{{{}}}", schema::REPOSITORIES);
    let claim = format!("#{{{}}}", schema::CLAIM);
    [
        command::print(None, &frame.format(["claims", "are", &work, &repositories])),
        command::list_panes(
            &frame.format(["claim", "#{pane_id}", &Key::Id.format(), &claim]),
            Some(&format!("#{{!=:{claim},}}")),
        ),
    ]
}

/// The repositories of which a server shows claims.
#[derive(Clone, Debug, Default)]
pub struct MirroredRepositories {
    pub socket: String,
    pub server_pid: i32,
    /// The 8 digits of each, and its common git directory.
    pub repositories: Vec<(String, PathBuf)>,
}

/// Returns the repositories of which a server shows claims.
///
/// # Errors
/// As [`Server::run`].
pub fn repositories(server: &Server) -> Result<MirroredRepositories> {
    let all = format!("#{{{}}}", schema::REPOSITORIES);
    let frame = Frame::new();
    let question = frame.format(["#{pid}", "#{socket_path}", &all]);
    let answer = server.run(&Batch::from(command::print(None, &question)))?;
    let (rows, _) = frame.read(&answer);
    let Some([pid, socket, all]) = rows.first().map(Vec::as_slice) else {
        return Ok(MirroredRepositories::default());
    };
    let mut known = MirroredRepositories {
        socket: (*socket).into(),
        server_pid: pid.parse().unwrap_or(0),
        repositories: Vec::new(),
    };
    let hashes: Vec<&str> = all.split_whitespace().collect();
    if hashes.is_empty() {
        return Ok(known);
    }
    let values = hashes
        .iter()
        .map(|hash| format!("#{{{}}}", schema::work(hash)));
    let frame = Frame::new();
    let answer = server.run(&Batch::from(command::print(None, &frame.format(values))))?;
    let (rows, _) = frame.read(&answer);
    for (hash, value) in hashes.iter().zip(rows.first().into_iter().flatten()) {
        if let Some(path) = value.splitn(4, ' ').nth(3) {
            let path = PathBuf::from(value::decode(path));
            known.repositories.push(((*hash).into(), path));
        }
    }
    Ok(known)
}

impl WorkMirror {
    /// Reads a row of the answer to [`question`]. Returns whether it is one.
    pub fn read_row(&mut self, row: &[&str]) -> bool {
        match row {
            ["claims", "are", work, repositories] => {
                let lost = work.split(' ').nth(1).and_then(|text| text.parse().ok());
                self.lost = lost.unwrap_or(0);
                let all = repositories.split_whitespace();
                self.repositories = all.map(Into::into).collect();
            }
            ["claim", pane, sesh, text] => {
                if let (Ok(pane), Ok(sesh)) = (pane.parse(), sesh.parse()) {
                    let known = self.panes.iter().any(|known| known.pane == pane);
                    let text = value::decode(text);
                    // A window that is in several sessions has a row for each of them.
                    self.panes
                        .extend((!known).then_some(MirroredPane { pane, sesh, text }));
                }
            }
            _ => return false,
        }
        true
    }

    /// Asks a server what it shows of a repository.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn read(server: &Server, repository: &str) -> Result<Self> {
        let frame = Frame::new();
        let mut batch = Batch::new();
        batch.extend(question(&frame, repository));
        let answer = server.run(&batch)?;
        let mut mirror = Self::default();
        for row in frame.read(&answer).0 {
            mirror.read_row(&row);
        }
        Ok(mirror)
    }

    /// Has the server show the work of a repository, unless it shows a newer state of it. An equal value is not written.
    ///
    /// # Errors
    /// As [`Server::run`].
    pub fn write(&self, server: &Server, work: &MirroredWork<'_>) -> Result<()> {
        server.for_upkeep().run(&self.batch(work)).map(drop)
    }

    fn batch(&self, work: &MirroredWork<'_>) -> Batch {
        let option = schema::work(work.repository);
        let new = format!(
            "{} {} {} {}",
            work.claims,
            work.lost,
            work.landing,
            value::encode(&work.common_dir.to_string_lossy())
        );
        let length = schema::work_length(work.repository);
        let mut show = Batch::from(command::set_hidden(&length, &work.length.to_string()));
        show.extend([unless_equal(
            &format!("#{{{option}}}"),
            &new,
            command::set_server(&option, &new),
        )]);
        if !self.repositories.iter().any(|it| it == work.repository) {
            let known = format!("#{{{}}}", schema::REPOSITORIES);
            let own = work.repository;
            let with = format!("#{{?#{{m:* {own} *,{known}}},{known},{known} {own} }}");
            show.extend([command::set_hidden_expanded(schema::REPOSITORIES, &with)]);
        }
        show.extend(work.panes.iter().map(show_on_pane));
        let sums = [schema::CLAIMS, schema::LOST_CLAIMS, schema::LANDING];
        for (at, sum) in sums.into_iter().enumerate() {
            let total = self.total(work.repository, at);
            let set = command::set_server_computed(sum, &total);
            show.extend([unless_equal(&format!("#{{{sum}}}"), &total, set)]);
        }
        let shown = format!("#{{?{length},#{{{length}}},0}}");
        let is_newer = format!("#{{e|<=:{shown},{}}}", work.length);
        Batch::from(command::if_format(None, &is_newer, &show, &Batch::new()))
    }

    /// Returns the format of the sum of a field of all repositories: 0 is the claims.
    fn total(&self, own: &str, field: usize) -> String {
        let others = self.repositories.iter().map(String::as_str);
        let all = others.filter(|other| *other != own).chain([own]);
        all.fold("0".into(), |sum, repository| {
            let before = "[^ ]* ".repeat(field);
            let option = schema::work(repository);
            // First what is before the field goes, then what is behind it.
            let value = match field {
                0 => format!("#{{s/ .*//:{option}}}"),
                _ => format!("#{{s/ .*//:#{{s/^{before}//:{option}}}}}"),
            };
            format!("#{{e|+:{sum},#{{?{option},{value},0}}}}")
        })
    }
}

/// Returns the command that runs another one unless a format has a value.
fn unless_equal(format: &str, value: &str, then: Command) -> Command {
    command::if_format(
        None,
        &format!("#{{!=:{format},{value}}}"),
        &Batch::from(then),
        &Batch::new(),
    )
}

/// Returns the command that has a pane show the claims of its sesh, if it still is a pane of that sesh.
fn show_on_pane(shown: &MirroredPane) -> Command {
    let target = shown.pane.to_string();
    let text = value::encode(&shown.text);
    let set = if text.is_empty() {
        command::unset_pane(&target, schema::CLAIM)
    } else {
        command::set_pane(&target, schema::CLAIM, &text)
    };
    let differs = format!("#{{!=:#{{{}}},{text}}}", schema::CLAIM);
    command::if_format(
        Some(&target),
        &both(&equal(Key::Id, &shown.sesh.to_string()), &differs),
        &Batch::from(set).and(hint::of_pane(&target)),
        &Batch::new(),
    )
}
