//! A file server on loopback that serves a release, and can fail in the ways that real ones do.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tmux_sesh::cli::TOOLS;

use super::{Server, limit};

/// The version of the archives.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Clone)]
pub(crate) struct Site {
    folder: PathBuf,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    /// Whether a file ends in its middle.
    pub(crate) halves: Arc<AtomicBool>,
    /// Whether an archive waits in its middle.
    pub(crate) holds: Arc<AtomicBool>,
}

impl Site {
    /// A site that serves the files of a folder in the server's folder. Lives as long as the test.
    pub(crate) fn start(server: &Server) -> Self {
        let folder = server.path("site");
        std::fs::create_dir_all(&folder).expect("a folder");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let site = Self {
            folder,
            port: listener.local_addr().expect("an address").port(),
            asked: Arc::default(),
            halves: Arc::default(),
            holds: Arc::default(),
        };
        let own = site.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let site = own.clone();
                std::thread::spawn(move || site.answer(client));
            }
        });
        site
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The files that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Where a file of the site is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Publishes an archive in which the program is this, with its links and its checksum.
    #[track_caller]
    pub(crate) fn publish(&self, server: &Server, program: &[u8]) {
        let helpers = server.path("to-publish");
        std::fs::create_dir_all(&helpers).expect("a folder");
        server.program_file(&helpers.join("tmux-sesh"), program);
        for tool in TOOLS {
            let link = helpers.join(tool.name);
            if !link.is_symlink() {
                std::os::unix::fs::symlink("tmux-sesh", link).expect("a link");
            }
        }
        self.pack(server, &helpers);
    }

    /// Packs the files of a folder as the archive, and publishes it.
    #[track_caller]
    pub(crate) fn pack(&self, server: &Server, folder: &Path) {
        server
            .call("/bin/sh".as_ref())
            .folder(folder)
            .args(["-c", "tar -czf \"$1\" -- *", "sh"])
            .args([self.file(&archive())])
            .ok();
        self.sum(server);
    }

    /// Writes SHA256SUMS anew.
    #[track_caller]
    pub(crate) fn sum(&self, server: &Server) {
        server
            .call("/bin/sh".as_ref())
            .folder(&self.folder)
            .args(["-c", "sha256sum tmux-sesh-* >SHA256SUMS"])
            .ok();
    }

    fn answer(&self, mut client: TcpStream) {
        let mut line = String::new();
        let mut reader = BufReader::new(client.try_clone().expect("a second handle"));
        if reader.read_line(&mut line).is_err() {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
            header.clear();
        }
        let name = line.split(' ').nth(1).unwrap_or("/")[1..].to_string();
        self.asked.lock().expect("no panic").push(name.clone());
        let Ok(bytes) = std::fs::read(self.folder.join(&name)) else {
            let _ = client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            return;
        };
        let length = bytes.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = client.write_all(head.as_bytes());
        let (first, second) = bytes.split_at(length / 2);
        let _ = client.write_all(first);
        let is_archive = name == archive();
        if is_archive && self.holds.load(Ordering::SeqCst) {
            // Longer than a test waits, so that no client goes on by itself.
            let deadline = Instant::now() + 3 * limit();
            while self.holds.load(Ordering::SeqCst) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5)); // why: what the test says has no event here.
            }
        }
        if !self.halves.load(Ordering::SeqCst) || !is_archive {
            let _ = client.write_all(second);
        }
    }
}

/// The name of the archive for this machine.
pub(crate) fn archive() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    format!(
        "tmux-sesh-{VERSION}-{system}-{}.tar.gz",
        std::env::consts::ARCH
    )
}

/// A program that says the name by which it is called, and a version.
pub(crate) fn program(version: &str) -> Vec<u8> {
    format!("#!/bin/sh\necho \"${{0##*/}} {version}\"\n").into_bytes()
}
