//! C7: words that were planted, looked for in every file in every writing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE as BASE64_URL};
use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::certificate::hex;

/// How far one compressed piece is unpacked, in bytes.
const MOST_UNPACKED: u64 = 16 * 1024 * 1024;

/// The words in all their writings.
pub(crate) struct Canaries {
    finder: AhoCorasick,
    /// Which word in which writing a pattern is.
    names: Vec<(usize, &'static str)>,
}

impl Canaries {
    /// Prepares the search. Words of less than five bytes would be found by chance.
    pub(crate) fn new(words: &[String]) -> anyhow::Result<Self> {
        let (mut patterns, mut names) = (Vec::new(), Vec::new());
        for (number, word) in words.iter().enumerate().filter(|(_, word)| word.len() >= 5) {
            for (writing, pattern) in writings(word) {
                patterns.push(pattern);
                names.push((number, writing));
            }
        }
        Ok(Self { finder: AhoCorasick::new(patterns)?, names })
    }

    fn search(&self, bytes: &[u8], found: &mut BTreeSet<(usize, &'static str)>) {
        found.extend(self.finder.find_overlapping_iter(bytes).map(|place| self.names[place.pattern().as_usize()]));
    }

    /// Searches bytes, and what is packed in them: the number of the word, and its writing.
    pub(crate) fn search_all(&self, bytes: &[u8]) -> BTreeSet<(usize, &'static str)> {
        let mut found = BTreeSet::new();
        self.search(bytes, &mut found);
        for unpacked in unpacked(bytes) {
            self.search(&unpacked, &mut found);
        }
        found
    }
}

/// A word as it may stand in a file.
fn writings(word: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = word.as_bytes();
    let wide = |order: fn(u16) -> [u8; 2]| word.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let mut writings = vec![
        ("UTF-8", bytes.to_vec()),
        ("UTF-16LE", wide(u16::to_le_bytes)),
        ("UTF-16BE", wide(u16::to_be_bytes)),
        ("hex", hex(bytes).into_bytes()),
        ("hex", hex(bytes).to_uppercase().into_bytes()),
    ];
    if !word.is_ascii() {
        writings.push(("JSON escapes", escaped(word).into_bytes()));
    }
    for before in 0..3 {
        for (name, engine) in [("base64", BASE64), ("base64url", BASE64_URL)] {
            let padded = [&vec![0; before], bytes].concat();
            let text = engine.encode(&padded);
            // The characters that hold nothing but the word.
            let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            writings.push((name, text.as_bytes()[from..to].to_vec()));
        }
    }
    writings.sort();
    writings.dedup_by(|one, other| one.1 == other.1);
    writings
}

/// As JSON may write it, without any character beyond ASCII.
fn escaped(word: &str) -> String {
    let one = |character: char| {
        if character.is_ascii() {
            return character.to_string();
        }
        character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat()
    };
    word.chars().map(one).collect()
}

/// Whatever in these bytes can be unpacked.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut keep = |reader: &mut dyn std::io::Read| {
        let mut piece = Vec::new();
        // A piece that is broken off is looked at as far as it goes.
        let _ = reader.take(MOST_UNPACKED).read_to_end(&mut piece);
        if piece.len() > 8 {
            pieces.push(piece);
        }
    };
    keep(&mut DeflateDecoder::new(bytes));
    for (at, pair) in bytes.windows(3).enumerate() {
        match pair {
            [0x1f, 0x8b, 8] => keep(&mut GzDecoder::new(&bytes[at..])),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, _] => keep(&mut ZlibDecoder::new(&bytes[at..])),
            _ => {}
        }
    }
    pieces
}

/// Searches all files below a folder, but those whose path has one of these parts. Gives what was found in words, without
/// the words themselves, and how many files were read.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn find(folder: &Path, words: &[String], but: &[&str]) -> anyhow::Result<(Vec<String>, usize)> {
    let canaries = Canaries::new(words)?;
    let (mut findings, mut files, mut folders) = (Vec::new(), 0, vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        let Some(entries) = present(fs::read_dir(&next))? else { continue };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if but.contains(&name.as_str()) {
                continue;
            }
            let Some(kind) = present(fs::symlink_metadata(&path))?.map(|found| found.file_type()) else { continue };
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let Some(bytes) = present(fs::read(&path))? else { continue };
                files += 1;
                let shown = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                for (number, writing) in canaries.search_all(&bytes) {
                    findings.push(format!("planted word {number} stands in {shown} ({writing})"));
                }
            }
        }
    }
    Ok((findings, files))
}

/// None when it is gone: a broker that still runs clears what was read.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}
