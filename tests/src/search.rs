//! Where a text stands in the clear: in every file of a network, byte for byte.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::network::Network;

/// What lay at the hub, in the folder of the network.
const KEPT: &str = "hub-as-it-was";

/// The files of a folder at one moment. That of a network has the broker's, every agency's databases and logs.
pub struct Files {
    read: Vec<(PathBuf, Vec<u8>)>,
}

impl Files {
    /// Reads them all.
    ///
    /// # Panics
    /// When one cannot be read.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let read = list(folder).into_iter().filter_map(|file| {
            let bytes = contents(&file)?;
            Some((file.strip_prefix(folder).expect("it is in there").to_owned(), bytes))
        });
        Self { read: read.collect() }
    }

    /// In which of them a text stands, from the folder on.
    #[must_use]
    pub fn holding(&self, text: &str) -> Vec<PathBuf> {
        let text = text.as_bytes();
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        self.read.iter().filter(|(_, bytes)| holds(bytes)).map(|(file, _)| file.clone()).collect()
    }
}

/// The broker clears what was read when nothing more comes. What lies at the hub now is kept, to be searched as well.
///
/// # Panics
/// When the folder cannot be written.
pub fn keep_what_lies_at_the_hub(network: &Network) {
    let kept = network.folder().join(KEPT);
    let store = list(&network.folder().join("hub/store"));
    fs::create_dir_all(&kept).expect("the folder is ours");
    let messages = store.iter().filter(|file| file.extension().is_some_and(|end| end == "blk"));
    for bytes in messages.filter_map(|file| contents(file)) {
        let number = fs::read_dir(&kept).expect("the folder is ours").count();
        fs::write(kept.join(number.to_string()), bytes).expect("the folder is ours");
    }
}

fn contents(file: &Path) -> Option<Vec<u8>> {
    present(file, fs::read(file))
}

/// None when the broker has just removed it.
fn present<T>(path: &Path, read: io::Result<T>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in present(folder, fs::read_dir(folder)).into_iter().flatten() {
        let path = entry.expect("the folder is ours").path();
        if path.is_dir() { files.extend(list(&path)) } else { files.push(path) }
    }
    files
}
