//! Changes the configuration files of other programs. A file is replaced as a whole or not at all, and is backed up
//! before the first change.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::env;
use crate::error::{Error, Exit, Result};

/// The maximum number of links that are followed, one after another.
const MAX_LINKS: usize = 40;

/// Returns the content of a file; `None` if there is none.
///
/// # Errors
/// When the file cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| {
            Error::unusable(format!("{} is not UTF-8: it is left alone", path.display()))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", path, &error)),
    }
}

/// Replaces the content `old` of a file by `text`. `None` means that there is no file. If the path is a link, the link
/// remains and its target is replaced. The mode of the file is preserved.
///
/// # Errors
/// When the file cannot be written, is write-protected, or no longer contains `old`.
pub fn replace(path: &Path, old: Option<&str>, text: Option<&str>) -> Result<()> {
    let target = resolve_links(path)?;
    let existing = match fs::metadata(&target) {
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
        check_unchanged(path, old)?;
        fs::remove_file(&target).map_err(|error| io_error("remove", &target, &error))?;
        return Ok(());
    };
    let new_folders: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    // Folders that were made for a file which cannot be written go again.
    let give_up = |what, path: &Path, error: &std::io::Error| {
        for folder in &new_folders {
            let _ = fs::remove_dir(folder);
        }
        io_error(what, path, error)
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(folder)
        .map_err(|error| give_up("make", folder, &error))?;
    let write = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".tmux-sesh-")
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Some(existing) = &existing {
            // If this process has the right to do so, it preserves the owner of the file.
            let _ = fchown(file.as_file(), Some(existing.uid()), Some(existing.gid()));
        }
        let mode = existing.as_ref().map_or(0o644, MetadataExt::mode);
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(|error| give_up("write in", folder, &error))?;
    check_unchanged(path, old)?;
    file.persist(&target)
        .map_err(|error| io_error("replace", &target, &error.error))?;
    Ok(())
}

/// Removes the empty folders above a file, up to and including `up_to`.
pub fn prune(path: &Path, up_to: &Path) {
    let folders = path.ancestors().skip(1);
    for folder in folders.take_while(|folder| folder.starts_with(up_to)) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Backs up the content of a file before its first change, and returns the path of the copy. `None` means that there
/// was no file.
///
/// # Errors
/// When the copy cannot be written.
pub fn keep(path: &Path, text: Option<&str>) -> Result<Option<PathBuf>> {
    let Some(kept) = backup_path(path) else {
        return Err(Error::failed(
            "no place for a copy of the file: $HOME is not set",
        ));
    };
    let Some(text) = text else {
        // This copy dates from an earlier time, when there was a file.
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
    write().map_err(|error| io_error("write", &kept, &error))?;
    Ok(Some(kept))
}

/// Returns the content that a file had before its first change.
#[must_use]
pub fn before(path: &Path) -> Option<String> {
    fs::read_to_string(backup_path(path)?).ok()
}

/// Returns the path of the copy of a file: its name is the path of the file with `%` for `/`.
fn backup_path(path: &Path) -> Option<PathBuf> {
    let name = path.to_string_lossy().replace('/', "%");
    Some(env::state_dir()?.join("before-hooks").join(name))
}

fn check_unchanged(path: &Path, old: Option<&str>) -> Result<()> {
    if read(path)?.as_deref() == old {
        return Ok(());
    }
    Err(Error::new(
        Exit::Changed,
        format!("{} has changed in the meantime: try again", path.display()),
    ))
}

/// Returns the target of a path after all links, even if the target does not exist.
fn resolve_links(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(Path::new("/")).join(link);
    }
    Err(Error::failed(format!(
        "{} is a link that leads back to itself",
        path.display()
    )))
}

fn io_error(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot {what} {}: {error}", path.display()))
}
