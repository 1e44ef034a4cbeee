//! The private file that carries a command and its environment into a new pane.
//!
//! tmux shows the arguments of its own commands to every client (`show-messages`) and keeps them, so
//! nothing of an argv or an environment may travel in one. The file is 0600 below a 0700 folder, and is
//! deleted by its reader before the command starts.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::geteuid;

use crate::env;
use crate::error::{Error, Result};

/// What a new pane must be told. Everything is bytes: an argument or a variable need not be UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    pub cwd: PathBuf,
    /// The tmux program of the caller: PATH may find another in the pane.
    pub tmux: PathBuf,
    /// Empty for a login shell.
    pub argv: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
    /// The command is an agent: what it does is for its own sources to say.
    pub agent: bool,
    /// Wait for a key before the command starts.
    pub wait: bool,
}

/// The first word of the file.
const FORM: &str = "tmux-sesh launch 1";
/// A file whose pane never came: its server died between the two.
const STALE: Duration = Duration::from_secs(600);

impl Launch {
    /// Writes the file and gives its path.
    ///
    /// # Errors
    /// When it cannot be written, or its folder belongs to somebody else.
    pub fn write(&self) -> Result<PathBuf> {
        let folder = folder()?;
        sweep(&folder);
        let mut file = tempfile::Builder::new()
            .prefix("launch-")
            .rand_bytes(12)
            .tempfile_in(&folder)
            .map_err(|error| cannot("write in", &folder, &error))?;
        file.write_all(&self.to_bytes())
            .map_err(|error| cannot("write", file.path(), &error))?;
        let (_, path) = file
            .keep()
            .map_err(|error| cannot("keep", &folder, &error.error))?;
        Ok(path)
    }

    /// Reads the file and deletes it first of all. `None` when it is gone: it was read before.
    ///
    /// # Errors
    /// When it cannot be read, is not the caller's own, or is no launch file.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        let mut file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", path, &error)),
        };
        let _ = fs::remove_file(path);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes)
            .map_err(|error| cannot("read", path, &error))?;
        Self::from_bytes(&bytes)
            .map(Some)
            .ok_or_else(|| Error::failed(format!("{} is no launch file", path.display())))
    }

    /// Removes a file whose pane was not made.
    pub fn discard(path: &Path) {
        // Gone already is as good.
        let _ = fs::remove_file(path);
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |word: &[u8]| {
            bytes.extend_from_slice(word);
            bytes.push(0);
        };
        put(FORM.as_bytes());
        put(if self.wait { b"wait" } else { b"start" });
        put(if self.agent { b"agent" } else { b"command" });
        put(self.cwd.as_os_str().as_bytes());
        put(self.tmux.as_os_str().as_bytes());
        put(self.argv.len().to_string().as_bytes());
        for word in &self.argv {
            put(word.as_bytes());
        }
        for (name, value) in &self.environment {
            let mut pair = name.as_bytes().to_vec();
            pair.push(b'=');
            pair.extend_from_slice(value.as_bytes());
            put(&pair);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut words = bytes.strip_suffix(&[0])?.split(|&byte| byte == 0);
        if words.next()? != FORM.as_bytes() {
            return None;
        }
        let wait = words.next()? == b"wait";
        let agent = words.next()? == b"agent";
        let path = |word: &[u8]| PathBuf::from(OsStr::from_bytes(word));
        let cwd = path(words.next()?);
        let tmux = path(words.next()?);
        let count: usize = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        let mut argv = Vec::new();
        for _ in 0..count {
            argv.push(OsString::from_vec(words.next()?.to_vec()));
        }
        let environment = words
            .map(|pair| {
                let at = pair.iter().position(|&byte| byte == b'=')?;
                Some((
                    OsString::from_vec(pair[..at].to_vec()),
                    OsString::from_vec(pair[at + 1..].to_vec()),
                ))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            cwd,
            tmux,
            argv,
            environment,
            agent,
            wait,
        })
    }
}

/// Whether the folder is the user's alone, and what is in it too. Gives its path; it may not be there yet.
///
/// # Errors
/// The sentence that says what is not so.
pub fn inspect() -> Result<PathBuf> {
    let folder = path();
    if fs::symlink_metadata(&folder).is_err() {
        return Ok(folder);
    }
    check(&folder)?;
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if entry
            .metadata()
            .is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
        {
            return Err(
                Error::failed(format!("others may open {}", entry.path().display()))
                    .with_way_out("remove it"),
            );
        }
    }
    Ok(folder)
}

fn path() -> PathBuf {
    env::runtime_dir().map_or_else(
        || env::temp_dir().join(format!("tmux-sesh-{}", geteuid())),
        |runtime| runtime.join("tmux-sesh"),
    )
}

/// The user's own folder for such files, made if it is not there.
fn folder() -> Result<PathBuf> {
    let folder = path();
    if let Err(error) = fs::DirBuilder::new().mode(0o700).create(&folder)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(cannot("make", &folder, &error));
    }
    check(&folder)?;
    Ok(folder)
}

/// In a shared folder somebody else may have been first, or have laid a link.
fn check(folder: &Path) -> Result<()> {
    let found = fs::symlink_metadata(folder).map_err(|error| cannot("look at", folder, &error))?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() || found.mode() & 0o077 != 0 {
        return Err(Error::failed(format!(
            "{} is not a folder of your own with mode 0700",
            folder.display()
        ))
        .with_way_out("remove it"));
    }
    Ok(())
}

/// Removes files whose pane never came.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|at| at.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn os(bytes: Vec<u8>) -> OsString {
        OsString::from_vec(bytes)
    }

    prop_compose! {
        fn bytes()(bytes in prop::collection::vec(1..=255_u8, 0..20)) -> OsString { os(bytes) }
    }

    proptest! {
        #[test]
        fn a_launch_comes_back(
            cwd in bytes(),
            argv in prop::collection::vec(bytes(), 0..5),
            values in prop::collection::vec(("[A-Z_]{1,5}", bytes()), 0..5),
            (agent, wait) in any::<(bool, bool)>(),
        ) {
            let launch = Launch {
                cwd: cwd.into(),
                tmux: "/usr/bin/tmux".into(),
                argv,
                environment: values.into_iter().map(|(name, value)| (name.into(), value)).collect(),
                agent,
                wait,
            };
            prop_assert_eq!(Launch::from_bytes(&launch.to_bytes()), Some(launch));
        }
    }

    #[test]
    fn half_a_file_is_none() {
        let bytes = Launch {
            argv: vec!["a".into()],
            ..Launch::default()
        }
        .to_bytes();
        for end in 0..bytes.len() - 1 {
            assert!(
                Launch::from_bytes(&bytes[..end]).is_none_or(|launch| launch.argv.is_empty()),
                "{end}"
            );
        }
    }
}
