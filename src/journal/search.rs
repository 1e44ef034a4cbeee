//! Finds the lines of a journal that matter without parsing the others. A search is only a filter: it may return more
//! than was asked for, and the caller parses what it returns.
//!
//! Nothing of the file is kept in memory but the lines that are found and one block.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Result};
use std::os::unix::fs::FileExt;

use memchr::{memchr, memchr_iter, memmem, memrchr};
use serde::Deserialize;

use super::line::{Line, SCHEMA};
use crate::id::SeshId;

/// The size of a block, which stays in the processor's cache. In tests even a short line may lie in two.
const BLOCK: usize = if cfg!(test) { 100 } else { 256 * 1024 };

/// Which identities of a journal are read, with all of their lines.
#[derive(Clone, Debug, Default)]
pub struct Search {
    ids: HashSet<SeshId>,
    /// Texts as they stand in a line.
    texts: Vec<Vec<u8>>,
    /// The name of a value that the identity may not have at last.
    without: Option<String>,
}

impl Search {
    /// Adds an identity.
    #[must_use]
    pub fn id(mut self, id: SeshId) -> Self {
        self.ids.insert(id);
        self
    }

    /// Adds the identities that have this value, whatever its name, or had it once.
    #[must_use]
    pub fn value(self, value: &str) -> Self {
        let text = format!("{}\"", opened(value));
        self.text(text)
    }

    /// Adds the identities that have a value that starts with this text or had one once, and the identities that start
    /// with it themselves. Identities are in lower case.
    #[must_use]
    pub fn start(self, start: &str) -> Self {
        self.text(opened(start))
    }

    /// Adds the identities that have a value which contains this text, or had one once.
    #[must_use]
    pub fn part(self, part: &str) -> Self {
        let text = opened(part).split_off(1);
        self.text(text)
    }

    /// Adds the identities that do not have a value of this name at last, and are not forgotten.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.without = Some(name.into());
        self
    }

    fn text(mut self, text: String) -> Self {
        self.texts.push(text.into_bytes());
        self
    }

    /// Returns all lines of the wanted identities, and no line twice. The file must not be a pipe.
    pub(super) fn lines(&self, file: &File) -> Result<Vec<u8>> {
        let length = file.metadata()?.len();
        let mut ids = self.ids.clone();
        if !self.texts.is_empty() {
            let texts = Texts::new(&self.texts);
            blocks(file, length, |block| texts.look(block, &mut ids))?;
        }
        if let Some(name) = &self.without {
            let mut values = LastValues::new(name);
            blocks(file, length, |block| {
                each_line(block, |line| values.look(line));
            })?;
            ids.extend(values.without());
        }
        let mut found = Vec::new();
        if !ids.is_empty() {
            blocks(file, length, |block| {
                each_line(block, |line| {
                    if id_of(line).is_some_and(|id| ids.contains(&id)) {
                        found.extend_from_slice(line);
                        found.push(b'\n');
                    }
                });
            })?;
        }
        Ok(found)
    }
}

impl FromIterator<SeshId> for Search {
    fn from_iter<I: IntoIterator<Item = SeshId>>(ids: I) -> Self {
        Self {
            ids: ids.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// Returns the start of a JSON text, with its quotation mark.
fn opened(text: &str) -> String {
    let mut json = serde_json::Value::from(text).to_string();
    json.pop();
    json
}

/// Returns whether a file has a line of an identity. What changes is mostly what changed last, so the file is read from
/// its end on, and only as far as needed.
pub(super) fn has_line_of(file: &File, id: SeshId) -> Result<bool> {
    let text = format!("\"uuid\":\"{id}\"");
    let finder = memmem::Finder::new(&text);
    let mut block = vec![0; BLOCK].into_boxed_slice();
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let size = usize::try_from(end - start).unwrap_or(BLOCK);
        file.read_exact_at(&mut block[..size], start)?;
        if finder.find(&block[..size]).is_some() {
            return Ok(true);
        }
        // The text may lie across the start of the block.
        end = if start == 0 {
            0
        } else {
            start + text.len() as u64 - 1
        };
    }
    Ok(false)
}

/// Passes whole lines of a file to `look`, as many at a time as fit into a block. The last line may lack its end.
fn blocks(mut file: &File, length: u64, mut look: impl FnMut(&[u8])) -> Result<()> {
    std::io::Seek::rewind(&mut file)?;
    let mut left = length;
    let mut block = vec![0; BLOCK];
    let mut filled = 0;
    loop {
        if filled == block.len() {
            block.resize(2 * filled, 0);
        }
        let room =
            usize::try_from(left).map_or(block.len(), |left| (filled + left).min(block.len()));
        let read = match file.read(&mut block[filled..room]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            outcome => outcome?,
        };
        left -= read as u64;
        let before = filled;
        filled += read;
        if read == 0 {
            look(&block[..filled]);
            return Ok(());
        }
        if let Some(at) = memrchr(b'\n', &block[before..filled]) {
            let whole = before + at + 1;
            look(&block[..whole]);
            block.copy_within(whole..filled, 0);
            filled -= whole;
        }
    }
}

/// Passes each line of a text to `look`, without its end. Blank lines are skipped.
pub(super) fn each_line<'a>(block: &'a [u8], mut look: impl FnMut(&'a [u8])) {
    let mut start = 0;
    for end in memchr_iter(b'\n', block).chain([block.len()]) {
        if start < end {
            look(&block[start..end]);
        }
        start = end + 1;
    }
}

/// Finds the identities whose lines contain one of several texts.
struct Texts<'t> {
    finders: Vec<memmem::Finder<'t>>,
}

impl<'t> Texts<'t> {
    fn new(texts: &'t [Vec<u8>]) -> Self {
        Self {
            finders: texts.iter().map(memmem::Finder::new).collect(),
        }
    }

    fn look(&self, block: &[u8], ids: &mut HashSet<SeshId>) {
        for finder in &self.finders {
            let mut from = 0;
            while let Some(at) = finder.find(&block[from..]) {
                from = add_line(block, from + at, ids);
            }
        }
        // A JSON text can be written in several ways. A line in which a character is written in one of the longer ways
        // may contain any text.
        let mut from = 0;
        while let Some(at) = memchr(b'\\', &block[from..]) {
            let at = from + at;
            from = match block.get(at + 1) {
                Some(b'u' | b'/') => add_line(block, at, ids),
                // The next character is escaped. It may be a backslash too.
                _ => (at + 2).min(block.len()),
            };
        }
    }
}

/// Adds the identity of the line at a position. Returns where the next line starts.
fn add_line(block: &[u8], at: usize, ids: &mut HashSet<SeshId>) -> usize {
    let start = memrchr(b'\n', &block[..at]).map_or(0, |before| before + 1);
    let end = memchr(b'\n', &block[at..]).map_or(block.len(), |after| at + after);
    ids.extend(id_of(&block[start..end]));
    (end + 1).min(block.len())
}

/// Whether each identity has a value of one name at last.
struct LastValues<'n> {
    name: &'n str,
    /// `"name":"`, which is in a plain line only where it has such a value: in a text it would be escaped.
    key: memmem::Finder<'static>,
    has: HashMap<SeshId, bool>,
}

impl<'n> LastValues<'n> {
    fn new(name: &'n str) -> Self {
        let key = format!("{}\":\"", opened(name));
        Self {
            name,
            key: memmem::Finder::new(&key).into_owned(),
            has: HashMap::new(),
        }
    }

    fn look(&mut self, line: &[u8]) {
        let (id, value) = match plain_id(line).filter(|_| is_plain(line)) {
            Some(id) => {
                let at = self.key.find(line).map(|at| at + self.key.needle().len());
                (id, at.map(|at| line.get(at) != Some(&b'"')))
            }
            None => match serde_json::from_slice::<Line<'_>>(line) {
                Ok(line) if line.schema <= SCHEMA => {
                    let mut values = line.values.0.iter();
                    let value = values.rfind(|(name, _)| name == self.name);
                    (line.uuid, value.map(|(_, value)| !value.is_empty()))
                }
                _ => return,
            },
        };
        match value {
            Some(has) => {
                self.has.insert(id, has);
            }
            None => {
                self.has.entry(id).or_insert(false);
            }
        }
    }

    fn without(self) -> impl Iterator<Item = SeshId> {
        let without = self.has.into_iter().filter(|(_, has)| !has);
        without.map(|(id, _)| id)
    }
}

/// Returns whether a line that starts as every writer starts it is whole, and has no escaped character. A line whose
/// writer was killed ends too early, and one that a crash of the machine has damaged contains zeros.
fn is_plain(line: &[u8]) -> bool {
    let mut depth = 0;
    let mut in_text = false;
    for part in line.split(|byte| *byte == b'"') {
        if !in_text {
            for byte in part {
                match byte {
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
            }
        }
        in_text = !in_text;
    }
    // The part after the last quotation mark has toggled it once more.
    let is_special = |byte: u8| byte < b' ' || byte == b'\\';
    // Without an early end this takes many bytes at once.
    let special = line.iter().fold(false, |any, byte| any | is_special(*byte));
    in_text && depth == 0 && !special && std::str::from_utf8(line).is_ok()
}

/// How every writer of this schema starts a line.
const START: &[u8] = b"{\"schema\":1,\"uuid\":\"";

/// Returns the identity of a line that starts as every writer starts it.
pub(super) fn plain_id(line: &[u8]) -> Option<SeshId> {
    let (id, rest) = line.strip_prefix(START)?.split_at_checked(36)?;
    if rest.first() != Some(&b'"') {
        return None;
    }
    std::str::from_utf8(id).ok()?.parse().ok()
}

/// Returns the identity of a line. Most lines are not parsed for it.
fn id_of(line: &[u8]) -> Option<SeshId> {
    #[derive(Deserialize)]
    struct AnyLine {
        uuid: SeshId,
    }
    plain_id(line).or_else(|| {
        let line = serde_json::from_slice::<AnyLine>(line).ok()?;
        Some(line.uuid)
    })
}

#[cfg(test)]
mod tests;
