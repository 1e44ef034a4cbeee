//! The configuration files of other programs: replaced whole or not at all, and kept before the first change.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::env;
use crate::error::{Error, Exit, Result};

/// A link to a link to … is followed so often.
const LINKS: usize = 40;

/// What a file holds; `None` when there is none.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| {
            Error::unusable(format!("{} is not UTF-8: it is left alone", path.display()))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

/// Puts `text` into a file in place of `old`, with `None` for no file. Where the path is a link it stays one, and what it
/// leads to is replaced; the mode stays.
///
/// # Errors
/// It cannot be written, is write-protected, or holds something else than `old` by now.
pub fn replace(path: &Path, old: Option<&str>, text: Option<&str>) -> Result<()> {
    let target = followed(path)?;
    let there = match fs::metadata(&target) {
        Ok(metadata) if metadata.permissions().readonly() => {
            return Err(Error::failed(format!(
                "{} is write-protected: it is left alone",
                target.display()
            )));
        }
        found => found.ok(),
    };
    let folder = target.parent().unwrap_or(Path::new("/"));
    let Some(text) = text else {
        unchanged(path, old)?;
        fs::remove_file(&target).map_err(|error| cannot("remove", &target, &error))?;
        return Ok(());
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(|error| cannot("make", folder, &error))?;
    let write = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".tmux-sesh-")
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Some(there) = &there {
            // Another's file stays his, where that may be said.
            let _ = fchown(file.as_file(), Some(there.uid()), Some(there.gid()));
        }
        let mode = there.as_ref().map_or(0o644, MetadataExt::mode);
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|error| cannot("write in", folder, &error))?;
    unchanged(path, old)?;
    file.persist(&target)
        .map_err(|error| cannot("replace", &target, &error.error))?;
    Ok(())
}

/// Removes the folders above a file, up to one of them and with it, as far as nothing is in them.
pub fn prune(path: &Path, up_to: &Path) {
    let folders = path.ancestors().skip(1);
    for folder in folders.take_while(|folder| folder.starts_with(up_to)) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Keeps what a file held before its first change, and gives where. With `None` there was no file.
///
/// # Errors
/// It cannot be written.
pub fn keep(path: &Path, text: Option<&str>) -> Result<Option<PathBuf>> {
    let Some(kept) = kept(path) else {
        return Err(Error::failed("there is no $HOME to keep a copy in"));
    };
    let Some(text) = text else {
        // Of an earlier time, when there was a file.
        let _ = fs::remove_file(&kept);
        return Ok(None);
    };
    let folder = kept.parent().unwrap_or(Path::new("/"));
    let write = || -> std::io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(&kept)?;
        Ok(())
    };
    write().map_err(|error| cannot("write", &kept, &error))?;
    Ok(Some(kept))
}

/// What a file held before its first change.
#[must_use]
pub fn before(path: &Path) -> Option<String> {
    fs::read_to_string(kept(path)?).ok()
}

/// Where a copy of a file is: named by its path, with `%` for `/`.
fn kept(path: &Path) -> Option<PathBuf> {
    let name = path.to_string_lossy().replace('/', "%");
    Some(env::state_dir()?.join("before-hooks").join(name))
}

fn unchanged(path: &Path, old: Option<&str>) -> Result<()> {
    if read(path)?.as_deref() == old {
        return Ok(());
    }
    Err(Error::new(
        Exit::Changed,
        format!("{} was changed meanwhile: try again", path.display()),
    ))
}

/// What a path leads to, though nothing may be there yet.
fn followed(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(Path::new("/")).join(link);
    }
    Err(Error::failed(format!(
        "{} is a link without an end",
        path.display()
    )))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}
