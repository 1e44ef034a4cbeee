//! The files of a client: the server has its client open, read and write them, because the client has the rights and the
//! folder of its user. Almost all are the standard output and the standard error. A hook of the user that runs after a
//! command of the list (`after-set-option` with `source-file`) has any other file opened.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::libc::O_NONBLOCK;

use super::imsg::{self, LONGEST_BODY, split_number};
use super::message;

/// The files that the server has opened, by the numbers that it uses for them.
#[derive(Debug, Default)]
pub(super) struct Files {
    open: HashMap<i32, Sink>,
    /// Whether the server has opened the standard input, output and error. It can use each once.
    used: [bool; 3],
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Where a written text goes.
#[derive(Debug)]
enum Sink {
    Stdout,
    Stderr,
    File(File),
}

impl Files {
    /// Opens a file for writing and returns the reply. Returns `None` if the message is not valid.
    pub(super) fn open_for_writing(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let (stream, body) = split_number(body)?;
        let (descriptor, body) = split_number(body)?;
        let (flags, path) = split_number(body)?;
        let target = match descriptor {
            _ if self.open.contains_key(&stream) => Err(Errno::EBADF),
            -1 => file_of_path(path, flags).map(Sink::File),
            1 => self.first_use(1).map(|()| Sink::Stdout),
            2 => self.first_use(2).map(|()| Sink::Stderr),
            _ => Err(Errno::EBADF),
        };
        let error = match target {
            Ok(target) => {
                self.open.insert(stream, target);
                0
            }
            Err(error) => error as i32,
        };
        reply(message::WRITE_READY, stream, error)
    }

    /// Writes a text to the file of a message. Returns `None` if no such file is open.
    pub(super) fn write(&mut self, body: &[u8]) -> Option<()> {
        let (stream, text) = split_number(body)?;
        match self.open.get_mut(&stream)? {
            Sink::Stdout => self.stdout.extend_from_slice(text),
            Sink::Stderr => self.stderr.extend_from_slice(text),
            // tmux's client does not report this failure either.
            Sink::File(file) => drop(file.write_all(text)),
        }
        Some(())
    }

    pub(super) fn close(&mut self, body: &[u8]) -> Option<()> {
        let (stream, _) = split_number(body)?;
        self.open.remove(&stream).map(drop)
    }

    /// Reads a file and returns the messages with its text. The standard input is empty. Returns `None` if the message
    /// is not valid.
    pub(super) fn read(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        let (stream, body) = split_number(body)?;
        let (descriptor, path) = split_number(body)?;
        let text = match descriptor {
            -1 => text_of_path(path),
            0 => self.first_use(0).map(|()| Vec::new()),
            _ => Err(Errno::EBADF),
        };
        let mut bytes = Vec::new();
        let (text, error) = match text {
            Ok(text) => (text, 0),
            Err(error) => (Vec::new(), error as i32),
        };
        for part in text.chunks(LONGEST_BODY - size_of_val(&stream)) {
            imsg::append(&mut bytes, message::READ, &[&stream.to_ne_bytes(), part])?;
        }
        bytes.extend(reply(message::READ_DONE, stream, error)?);
        Some(bytes)
    }

    fn first_use(&mut self, descriptor: usize) -> Result<(), Errno> {
        if std::mem::replace(&mut self.used[descriptor], true) {
            return Err(Errno::EBADF);
        }
        Ok(())
    }
}

fn reply(kind: u32, stream: i32, error: i32) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    imsg::append(
        &mut bytes,
        kind,
        &[&stream.to_ne_bytes(), &error.to_ne_bytes()],
    )?;
    Some(bytes)
}

/// Returns the path at the end of a message.
fn path(body: &[u8]) -> &Path {
    let body = body.strip_suffix(b"\0").unwrap_or(body);
    Path::new(std::ffi::OsStr::from_bytes(body))
}

// Both open a named pipe without waiting for its other end, as tmux's client does.
fn file_of_path(body: &[u8], flags: i32) -> Result<File, Errno> {
    const MODE: u32 = 0o644;
    OpenOptions::new()
        .write(true)
        .create(true)
        .custom_flags(flags | O_NONBLOCK)
        .mode(MODE)
        .open(path(body))
        .map_err(|error| errno(&error))
}

fn text_of_path(body: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK)
        .open(path(body))
        .and_then(|mut file| file.read_to_end(&mut text))
        .map_err(|error| errno(&error))?;
    Ok(text)
}

fn errno(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
