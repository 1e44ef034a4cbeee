//! A program that writes down what it was started with, byte for byte.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{Server, until};

/// What the program was started with. Its command line is `probe NAME ARGUMENT…`.
pub(crate) struct Probe {
    pub(crate) folder: PathBuf,
    /// What came after NAME.
    pub(crate) argv: Vec<OsString>,
    pub(crate) env: BTreeMap<OsString, OsString>,
}

impl Server {
    /// Puts the program `probe` on PATH.
    pub(crate) fn install_probe(&self) {
        // The kernel's own words: a shell's `$@` and `env` would lose odd bytes and names.
        self.script(
            "probe",
            &format!(
                "out='{}'/probed-$1\n\
                 readlink -n /proc/$$/cwd >\"$out.cwd\"\n\
                 cat /proc/$$/cmdline >\"$out.argv\"\n\
                 cat /proc/$$/environ >\"$out.env\"\n\
                 : >\"$out\"",
                self.folder().display()
            ),
        );
    }

    /// Waits for what `probe NAME` wrote down.
    #[track_caller]
    pub(crate) fn probed(&self, name: &str) -> Probe {
        let out = self.path(&format!("probed-{name}"));
        until("the probe has run", || out.exists());
        let read = |part: &str| {
            std::fs::read(out.with_extension(part)).expect("a file that the probe has written")
        };
        let words = |bytes: &[u8]| -> Vec<OsString> {
            let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
            bytes
                .split(|&byte| byte == 0)
                .map(|word| OsString::from_vec(word.to_vec()))
                .collect()
        };
        Probe {
            folder: PathBuf::from(OsString::from_vec(read("cwd"))),
            // The shell, the script and NAME come first.
            argv: words(&read("argv")).split_off(3),
            env: words(&read("env"))
                .into_iter()
                .map(|pair| {
                    let bytes = pair.as_bytes();
                    let at = bytes
                        .iter()
                        .position(|&byte| byte == b'=')
                        .expect("a variable has a value");
                    (
                        OsStr::from_bytes(&bytes[..at]).to_os_string(),
                        OsStr::from_bytes(&bytes[at + 1..]).to_os_string(),
                    )
                })
                .collect(),
        }
    }

    /// Whether `probe NAME` has run.
    pub(crate) fn has_probed(&self, name: &str) -> bool {
        self.path(&format!("probed-{name}")).exists()
    }
}

impl Probe {
    pub(crate) fn var(&self, name: &str) -> Option<&OsStr> {
        self.env.get(OsStr::new(name)).map(OsString::as_os_str)
    }
}
