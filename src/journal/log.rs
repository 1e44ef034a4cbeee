//! What outlives a tmux server: one file for each, to which a line is added for every change that must last.
//!
//! The file is named by the server's socket and says in its first line whose it is. Every other line is a [`Line`]: one
//! JSON object, a change of one identity. Lines of one identity add up: a value that comes later takes the place of the
//! earlier one, and an empty value removes it ([`Line::absorb`]). So two writers who change different values do not
//! undo one another, whichever writes first. After [`FORGOTTEN`](super::line::FORGOTTEN) nothing of an identity counts
//! any more, also not what comes
//! later. A line of a newer schema is not understood, and is kept to the letter.
//!
//! Whoever writes holds a lock on a file beside it, which is never renamed, and only for the writing. A line is written
//! in one piece: what fails halfway is taken back, and a last line that somebody was killed in is ended first and then
//! counts as none. Whoever reads takes no lock: the file only grows, or is replaced as a whole.
//!
//! When it has grown enough it is written anew with what its lines add up to, and renamed into its place.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access};

use super::file::{ends_a_line, file_name, write_all};
use super::line::{Head, Line, SCHEMA, Sum};
use crate::env;
use crate::error::{Error, Result};
use crate::id::SeshId;

/// How much may be added before the file is written anew, beside twice what it held then.
const SLACK: u64 = 256 * 1024;
/// How long a writer waits for another: one takes a few milliseconds, but one may be stopped.
const PATIENCE: Duration = Duration::from_secs(5);

/// The file of one tmux server.
#[derive(Clone, Debug)]
pub struct Log {
    socket: String,
    path: PathBuf,
}

impl Log {
    /// The file of the server at `socket`, which need not be there.
    ///
    /// # Errors
    /// Nobody says where such files belong.
    pub fn of(socket: &Path) -> Result<Self> {
        let folder = env::state_dir().ok_or_else(|| {
            Error::failed("there is neither $XDG_STATE_HOME nor $HOME to keep a journal in")
        })?;
        Ok(Self::below(&folder.join("journal"), socket))
    }

    fn below(folder: &Path, socket: &Path) -> Self {
        let socket = socket.to_string_lossy().into_owned();
        Self {
            path: folder.join(file_name(&socket)),
            socket,
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file holds; nothing where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is another server's.
    pub fn read(&self) -> Result<Vec<u8>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if is_not_there(&error) => return Ok(Vec::new()),
            Err(error) => return Err(self.cannot("read", &error)),
        };
        self.check(&text)?;
        Ok(text)
    }

    /// Whether there is a line of an identity. What cannot be read has none.
    #[must_use]
    pub fn names(&self, uuid: SeshId) -> bool {
        let field = format!("\"uuid\":\"{uuid}\"");
        let text = fs::read(&self.path).unwrap_or_default();
        memchr::memmem::find(&text, field.as_bytes()).is_some()
    }

    /// Adds lines, all or none. With `lasting` they are on the disk when this returns.
    ///
    /// # Errors
    /// They cannot be written; then nothing of them is there.
    pub fn append(&self, lines: &[Line<'_>], lasting: bool) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let lock = self.lock()?;
        self.add(lock, lines, lasting)
    }

    /// Adds the line that `change` makes of what is known of an identity. Nobody else writes in between.
    ///
    /// # Errors
    /// As [`Ledger::read`] and [`Ledger::append`], and what `change` says.
    pub fn update(
        &self,
        uuid: SeshId,
        change: impl for<'a> FnOnce(Option<Line<'a>>) -> Result<Option<Line<'a>>>,
    ) -> Result<()> {
        let lock = self.lock()?;
        let text = self.read()?;
        let known = Sum::of(&text).lines.into_iter();
        match change(known.into_iter().find(|line| line.uuid == uuid))? {
            Some(line) => self.add(lock, &[line], true),
            None => Ok(()),
        }
    }

    /// Writes the file anew with what its lines add up to.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn compact(&self) -> Result<()> {
        let _lock = self.lock()?;
        if self.read()?.is_empty() || self.is_newer()? {
            return Ok(());
        }
        self.rewrite()
            .map_err(|error| self.cannot("write anew", &error))
    }

    /// Whether a line can be added: nothing is.
    ///
    /// # Errors
    /// The sentence that says why not.
    pub fn probe(&self) -> Result<()> {
        if !self.path.exists() {
            return self.may_begin();
        }
        let _lock = self.lock()?;
        let (file, _) = self.open().map_err(|error| self.cannot("write", &error))?;
        let length = file
            .metadata()
            .map_err(|error| self.cannot("look at", &error))?
            .len();
        // As much as a line needs. Blank lines are none, and are taken back.
        let written = write_all(&file, &[b'\n'; 4096]);
        file.set_len(length)
            .and(written)
            .map_err(|error| self.cannot("write", &error))
    }

    /// Whether the file could be made.
    fn may_begin(&self) -> Result<()> {
        let above = self.path.ancestors().skip(1).find(|path| path.exists());
        let above = above.unwrap_or(Path::new("/"));
        let usable = if above.is_dir() {
            access(above, AccessFlags::W_OK | AccessFlags::X_OK).map_err(std::io::Error::from)
        } else {
            Err(ErrorKind::NotADirectory.into())
        };
        usable.map_err(|error| self.cannot("make", &error))
    }

    fn add(&self, lock: File, lines: &[Line<'_>], lasting: bool) -> Result<()> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line)
                .map_err(|error| self.cannot("write", &error.into()))?;
            text.push(b'\n');
        }
        let (file, length) = self.open().map_err(|error| self.cannot("write", &error))?;
        let kept = self.kept(&file)?;
        let new = length == 0;
        if new {
            let mut all = self.head(0);
            all.append(&mut text);
            text = all;
        }
        let mut write = || -> std::io::Result<()> {
            if !new && !ends_a_line(&file, length)? {
                text.insert(0, b'\n');
            }
            write_all(&file, &text).inspect_err(|_| {
                let _ = file.set_len(length);
            })
        };
        write().map_err(|error| self.cannot("write", &error))?;
        let grown = file.metadata().map_or(0, |metadata| metadata.len());
        if kept.is_some_and(|kept| grown > SLACK + 2 * kept) {
            // What was added is there all the same.
            let _ = self.rewrite();
        }
        drop(lock);
        if lasting {
            file.sync_data()
                .map_err(|error| self.cannot("write", &error))?;
            if new {
                self.sync_folder()
                    .map_err(|error| self.cannot("write", &error))?;
            }
        }
        Ok(())
    }

    /// Opens the file for more, and says how long it is.
    fn open(&self) -> std::io::Result<(File, u64)> {
        let file = File::options()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o600)
            .open(&self.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }

    fn lock(&self) -> Result<File> {
        const OFTEN: Duration = Duration::from_millis(2);
        let path = self.path.with_extension("lock");
        let open = || {
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
        };
        let lock = match open() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_folder().and_then(|()| open())
            }
            outcome => outcome,
        };
        let lock = lock.map_err(|error| self.cannot("write", &error))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => {}
                Err(fs::TryLockError::WouldBlock) => {
                    return Err(Error::failed(format!(
                        "cannot write {}: another process holds {} and does not go on",
                        self.path.display(),
                        path.display()
                    )));
                }
                Err(fs::TryLockError::Error(error)) => return Err(self.cannot("lock", &error)),
            }
            std::thread::sleep(OFTEN); // why: waiting for a lock has no limit, and whoever holds it may be stopped.
        }
    }

    fn make_folder(&self) -> std::io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.folder())
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        File::open(self.folder())?.sync_all()
    }

    fn head(&self, kept: u64) -> Vec<u8> {
        let head = Head {
            schema: SCHEMA,
            journal: self.socket.as_str().into(),
            kept,
        };
        let mut text = serde_json::to_vec(&head).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// How much the file held when it was last written anew. `None` where that is a newer program's affair.
    fn kept(&self, file: &File) -> Result<Option<u64>> {
        let mut first = [0; 8192];
        let read = file
            .read_at(&mut first, 0)
            .map_err(|error| self.cannot("read", &error))?;
        self.check(&first[..read])?;
        let head = first_line(&first[..read]);
        Ok(match serde_json::from_slice::<Head<'_>>(head) {
            Ok(head) if head.schema > SCHEMA => None,
            Ok(head) => Some(head.kept),
            Err(_) => Some(0),
        })
    }

    /// Whether the file is a newer program's affair.
    fn is_newer(&self) -> Result<bool> {
        let (file, _) = self.open().map_err(|error| self.cannot("read", &error))?;
        Ok(self.kept(&file)?.is_none())
    }

    /// Refuses the file of another server: two paths may have one name.
    fn check(&self, text: &[u8]) -> Result<()> {
        match serde_json::from_slice::<Head<'_>>(first_line(text)) {
            Ok(head) if head.journal != self.socket.as_str() => Err(Error::unusable(format!(
                "{} is the journal of {}, not of {}: move it away",
                self.path.display(),
                head.journal,
                self.socket
            ))),
            _ => Ok(()),
        }
    }

    /// With the lock.
    fn rewrite(&self) -> std::io::Result<()> {
        let mut old = Vec::new();
        match File::open(&self.path) {
            Ok(mut file) => file.read_to_end(&mut old)?,
            Err(error) if is_not_there(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let sum = Sum::of(&old);
        let mut text = Vec::new();
        for line in &sum.lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        for line in &sum.kept {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let mut all = self.head(u64::try_from(text.len()).unwrap_or(u64::MAX));
        all.append(&mut text);
        // One name: what a killed writer has left is written over.
        let new = self.path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let file = File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            write_all(&file, &all)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            self.sync_folder()
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
    }

    fn cannot(&self, what: &str, error: &std::io::Error) -> Error {
        Error::failed(format!("cannot {what} {}: {error}", self.path.display()))
    }
}

/// Whether nobody but the user may open the journals. Gives their folder, which may not be there yet.
///
/// # Errors
/// The sentence that says what is not so.
pub fn inspect() -> Result<Option<PathBuf>> {
    let Some(folder) = env::state_dir().map(|folder| folder.join("journal")) else {
        return Ok(None);
    };
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let paths = std::iter::once(folder.clone()).chain(entries.map(|entry| entry.path()));
    for path in paths {
        if fs::metadata(&path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
            let path = path.display();
            return Err(Error::failed(format!("others may open {path}"))
                .with_way_out(format!("chmod go= {path}")));
        }
    }
    Ok(Some(folder))
}

fn is_not_there(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::{assert_eq, assert_ne};
    use proptest::prelude::*;

    use super::*;
    use crate::journal::line::FORGOTTEN;
    use crate::journal::line::tests::{ONE, TWO, id, line, lines};

    fn log(folder: &Path) -> Log {
        Log::below(
            &folder.join("state/journal"),
            Path::new("/tmp/tmux-1/default"),
        )
    }

    fn value(log: &Log, uuid: &str, name: &str) -> Option<String> {
        let text = log.read().expect("a text");
        let sum = Sum::of(&text);
        let line = sum.lines.iter().find(|line| line.uuid == id(uuid))?;
        Some(line.values.get(name).to_string())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn written_anew_it_adds_up_to_the_same(lines in prop::collection::vec(lines(), 0..8)) {
            let folder = tempfile::tempdir().expect("a folder");
            let log = log(folder.path());
            for line in &lines {
                log.append(std::slice::from_ref(line), false).expect("a line");
            }
            let before = log.read().expect("a text");
            log.compact().expect("a file");
            log.compact().expect("a file");
            let after = log.read().expect("a text");
            prop_assert_eq!(Sum::of(&before).lines, Sum::of(&after).lines);
        }

        #[test]
        fn torn_anywhere_the_whole_lines_count_and_more_can_be_added(lines in prop::collection::vec(lines(), 1..5), at: prop::sample::Index) {
            let folder = tempfile::tempdir().expect("a folder");
            let log = log(folder.path());
            log.append(&lines, false).expect("lines");
            let text = log.read().expect("a text");
            let torn = &text[..at.index(text.len())];
            fs::write(log.path(), torn).expect("a file");
            let whole = torn.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            // A line of which only its end is missing is whole.
            let ended = [torn, b"\n"].concat();
            let mut expected = Sum::of(&ended).lines;
            let counted = Sum::of(torn).lines;
            prop_assert!(counted == expected || counted == Sum::of(&text[..whole]).lines);
            let another = line("cccc8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f", "created", &[("name", "x")]);
            log.append(std::slice::from_ref(&another), true).expect("a line");
            expected.push(another);
            let now = log.read().expect("a text");
            prop_assert_eq!(Sum::of(&now).lines, expected);
        }
    }

    #[test]
    fn what_is_forgotten_stays_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        log.append(
            &[line(ONE, "created", &[("name", "x"), ("tags", " a ")])],
            true,
        )
        .expect("a line");
        log.append(
            &[line(ONE, "changed", &[("name", "y"), ("tags", "")])],
            true,
        )
        .expect("a line");
        assert_eq!(value(&log, ONE, "name").as_deref(), Some("y"));
        assert_eq!(value(&log, ONE, "tags").as_deref(), Some(""));
        log.append(&[line(ONE, FORGOTTEN, &[])], true)
            .expect("a line");
        log.append(&[line(ONE, "ended", &[("name", "z")])], true)
            .expect("a line");
        log.compact().expect("a file");
        let text = log.read().expect("a text");
        let sum = Sum::of(&text);
        assert!(
            sum.lines[0].is_forgotten() && sum.lines[0].values.0.is_empty(),
            "{sum:?}"
        );
    }

    #[test]
    fn newer_lines_are_kept_to_the_letter() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        log.append(&[line(ONE, "created", &[])], true)
            .expect("a line");
        let newer = format!("{{ \"what\":[1], \"schema\":2,\"uuid\":\"{TWO}\" }}");
        let tomb =
            format!("{{\"schema\":9,\"uuid\":\"{ONE}\",\"event\":\"forgotten\",\"values\":[]}}");
        let text = log.read().expect("a text");
        let all = [
            &text[..],
            newer.as_bytes(),
            b"\nnonsense\n",
            tomb.as_bytes(),
            b"\n",
        ]
        .concat();
        fs::write(log.path(), all).expect("a file");
        let text = log.read().expect("a text");
        assert_eq!((Sum::of(&text).newer, Sum::of(&text).torn), (2, 1));
        log.compact().expect("a file");
        let text = String::from_utf8(log.read().expect("a text")).expect("UTF-8");
        assert!(
            text.lines().any(|line| line == newer) && text.lines().any(|line| line == tomb),
            "{text}"
        );
        assert!(
            !text.contains("nonsense") && Sum::of(text.as_bytes()).lines[0].is_forgotten(),
            "{text}"
        );
    }

    #[test]
    fn many_writers_and_new_files_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let log = &log;
                scope.spawn(move || {
                    for at in 0..50_u8 {
                        let mut bytes = [0; 16];
                        bytes[..2].copy_from_slice(&[writer, at]);
                        let line = Line::new(SeshId::from_bytes(bytes), "created", 1);
                        log.append(&[line], at % 16 == 0).expect("a line");
                        if at % 5 == writer {
                            log.compact().expect("a file");
                        }
                    }
                });
            }
        });
        let text = log.read().expect("a text");
        let sum = Sum::of(&text);
        assert_eq!((sum.lines.len(), sum.torn), (200, 0));
    }

    #[test]
    fn it_is_written_anew_when_it_has_grown() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        let padding: &'static str = "x".repeat(1_000).leak();
        for _ in 0..600 {
            log.append(&[line(ONE, "state", &[("state", padding)])], false)
                .expect("a line");
        }
        let length = fs::metadata(log.path()).expect("a file").len();
        assert!(length < SLACK + 4_000, "{length}");
        assert_eq!(value(&log, ONE, "state").as_deref(), Some(padding));
    }

    #[test]
    fn nobody_else_may_read_it_and_no_other_server_s_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let ours = log(folder.path());
        ours.append(&[line(ONE, "created", &[])], true)
            .expect("a line");
        for path in [
            ours.path(),
            &ours.path().with_extension("lock"),
            ours.folder(),
        ] {
            assert_eq!(
                fs::metadata(path).expect("a file").mode() & 0o077,
                0,
                "{path:?}"
            );
        }
        let theirs = Log {
            socket: "/other".into(),
            ..ours.clone()
        };
        assert!(theirs.read().is_err());
        let before = ours.read().expect("a text");
        assert!(theirs.append(&[line(ONE, "ended", &[])], true).is_err());
        assert_eq!(ours.read().expect("a text"), before);
        assert!(file_name(&"/ü".repeat(300)).len() <= 255);
        assert_ne!(file_name("/a/b"), file_name("/a_b"));
    }

    #[test]
    fn a_blank_that_was_tried_is_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = log(folder.path());
        log.append(&[line(ONE, "created", &[])], true)
            .expect("a line");
        let before = log.read().expect("a text");
        log.probe().expect("it can be written");
        assert_eq!(log.read().expect("a text"), before);
    }
}
