//! Writes the files that a new worktree needs and git does not have.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// Copies a file or a link with its mode, and makes the folders above it. What is there already stays.
///
/// # Errors
/// The file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let copy = || -> std::io::Result<()> {
        if fs::symlink_metadata(to).is_ok() {
            return Ok(());
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::symlink_metadata(from)?.is_symlink() {
            return std::os::unix::fs::symlink(fs::read_link(from)?, to);
        }
        fs::copy(from, to).map(drop)
    };
    copy().map_err(|error| {
        Error::failed(format!(
            "cannot copy {} to the worktree: {error}",
            from.display()
        ))
    })
}

/// Writes a program.
///
/// # Errors
/// The file cannot be written.
pub fn write_program(path: &Path, text: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o700)
            .open(path)?;
        file.write_all(text)
    };
    write().map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))
}

/// Replaces a file as a whole, and makes the folder above it.
///
/// # Errors
/// The file cannot be written. Then the old one stays.
pub fn replace(path: &Path, text: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(folder)?;
        file.write_all(text)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            crate::error::warn(format!("cannot remove {}: {error}", path.display()));
        }
        _ => {}
    }
}
