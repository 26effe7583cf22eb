//! One file as the programs see it, and as the disk may hold it.

use std::collections::BTreeMap;

use crate::seed::Seed;

/// What a disk writes whole or not at all, in bytes.
pub(crate) const SECTOR: usize = 512;

type Sector = [u8; SECTOR];

/// A file. Moments are numbers of journal entries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inode {
    /// As the programs see it.
    seen: Vec<u8>,
    /// As it was at the last sync that promised.
    synced: Vec<u8>,
    /// For each sector what it has been since then, and when.
    since: BTreeMap<usize, Vec<(u64, Box<Sector>)>>,
    /// How long it has been since then, and when.
    lengths: Vec<(u64, usize)>,
}

/// How much of what was not synced arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Each sector for itself, so many times in a hundred.
    Percent(u64),
}

impl Inode {
    /// A file that lies on the disk.
    pub(crate) fn on_disk(bytes: Vec<u8>) -> Self {
        Self { synced: bytes.clone(), seen: bytes, ..Self::default() }
    }

    /// As the programs see it.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen
    }

    pub(crate) fn write(&mut self, now: u64, offset: u64, bytes: &[u8]) {
        let offset = usize::try_from(offset).expect("files of tests fit into memory");
        let end = offset + bytes.len();
        if end > self.seen.len() {
            self.resize(now, end);
        }
        self.seen[offset..end].copy_from_slice(bytes);
        self.note_sectors(now, offset, end);
    }

    pub(crate) fn resize(&mut self, now: u64, length: usize) {
        let before = self.seen.len();
        self.seen.resize(length, 0);
        self.lengths.push((now, length));
        // What is behind the end is zero, should the file grow again.
        self.note_sectors(now, before.min(length), before.max(length));
    }

    fn note_sectors(&mut self, now: u64, from: usize, to: usize) {
        for number in from / SECTOR..to.div_ceil(SECTOR) {
            let sector = sector(&self.seen, number);
            self.since.entry(number).or_default().push((now, Box::new(sector)));
        }
    }

    /// A sync that began at this moment promised.
    pub(crate) fn promise(&mut self, begun: u64) {
        if let Some(last) = self.lengths.iter().rposition(|(when, _)| *when <= begun) {
            let (_, length) = self.lengths[last];
            self.lengths.drain(..=last);
            self.synced.resize(length, 0);
        }
        let synced = &mut self.synced;
        self.since.retain(|number, versions| {
            if let Some(last) = versions.iter().rposition(|(when, _)| *when <= begun) {
                put(synced, *number, &versions[last].1);
                versions.drain(..=last);
            }
            !versions.is_empty()
        });
    }

    /// A sync that began at this moment failed: what was written before arrived or not, and is not tried again.
    pub(crate) fn disappoint(&mut self, begun: u64, luck: Luck, seed: &mut Seed) {
        if let Some(last) = self.lengths.iter().rposition(|(when, _)| *when <= begun) {
            let tried: Vec<_> = self.lengths.drain(..=last).collect();
            if let Some(length) = choose(tried.iter().map(|(_, length)| length), luck, seed) {
                self.synced.resize(*length, 0);
            }
        }
        let synced = &mut self.synced;
        self.since.retain(|number, versions| {
            if let Some(last) = versions.iter().rposition(|(when, _)| *when <= begun) {
                let tried: Vec<_> = versions.drain(..=last).collect();
                if let Some(sector) = choose(tried.iter().map(|(_, sector)| sector), luck, seed) {
                    put(synced, *number, sector);
                }
            }
            !versions.is_empty()
        });
    }

    /// What the disk may hold when the power fails.
    pub(crate) fn draw(&self, luck: Luck, seed: &mut Seed) -> Vec<u8> {
        let mut drawn = self.synced.clone();
        if let Some(length) = choose(self.lengths.iter().map(|(_, length)| length), luck, seed) {
            drawn.resize(*length, 0);
        }
        for (number, versions) in &self.since {
            if let Some(sector) = choose(versions.iter().map(|(_, sector)| sector), luck, seed) {
                put(&mut drawn, *number, sector);
            }
        }
        drawn
    }
}

/// One of the versions since the sync, or none of them.
fn choose<T>(versions: impl ExactSizeIterator<Item = T>, luck: Luck, seed: &mut Seed) -> Option<T> {
    let count = versions.len();
    let mut versions = versions;
    match luck {
        Luck::Everything => versions.last(),
        Luck::Percent(percent) if count > 0 && seed.percent(percent) => {
            // The last one as often as any earlier one.
            let which = if seed.percent(50) { count - 1 } else { seed.below(count) };
            versions.nth(which)
        }
        Luck::Nothing | Luck::Percent(_) => None,
    }
}

fn sector(bytes: &[u8], number: usize) -> Sector {
    let mut sector = [0; SECTOR];
    if let Some(rest) = bytes.get(number * SECTOR..) {
        let length = rest.len().min(SECTOR);
        sector[..length].copy_from_slice(&rest[..length]);
    }
    sector
}

/// Puts a sector in its place, as far as the file is long.
fn put(bytes: &mut [u8], number: usize, sector: &Sector) {
    if let Some(rest) = bytes.get_mut(number * SECTOR..) {
        let length = rest.len().min(SECTOR);
        rest[..length].copy_from_slice(&sector[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_is_there_whatever_the_luck() {
        let mut file = Inode::default();
        file.write(1, 0, &[1; 1024]);
        file.promise(1);
        file.write(2, 512, &[2; 1024]);
        for number in 0..200 {
            let drawn = file.draw(Luck::Percent(50), &mut Seed::new(number));
            assert_eq!(drawn[..512], [1; 512]);
            assert!(drawn[512..1024] == [1; 512] || drawn[512..1024] == [2; 512], "a sector is one or the other");
            assert!(drawn.len() == 1024 || drawn.len() == 1536);
        }
        assert_eq!(file.draw(Luck::Nothing, &mut Seed::new(0)).len(), 1024);
        assert_eq!(file.draw(Luck::Everything, &mut Seed::new(0)), file.seen());
    }

    #[test]
    fn every_combination_of_unsynced_sectors_is_drawn() {
        let mut file = Inode::on_disk(vec![0; 1536]);
        file.write(1, 0, &[1; 1536]);
        let drawn: std::collections::BTreeSet<_> = (0..200)
            .map(|number| {
                let drawn = file.draw(Luck::Percent(50), &mut Seed::new(number));
                [drawn[0], drawn[512], drawn[1024]]
            })
            .collect();
        assert_eq!(drawn.len(), 8);
    }

    #[test]
    fn what_was_written_while_a_sync_ran_is_not_promised() {
        let mut file = Inode::default();
        file.write(1, 0, &[1; 512]);
        file.write(3, 0, &[3; 512]);
        file.promise(2);
        assert_eq!(file.draw(Luck::Nothing, &mut Seed::new(0)), [1; 512]);
        assert_eq!(file.draw(Luck::Everything, &mut Seed::new(0)), [3; 512]);
    }

    #[test]
    fn a_sync_after_one_that_failed_does_not_promise_what_was_dropped() {
        let mut file = Inode::on_disk(vec![0; 1024]);
        file.write(1, 0, &[1; 512]);
        file.disappoint(1, Luck::Nothing, &mut Seed::new(0));
        file.write(2, 512, &[2; 512]);
        file.promise(2);
        let drawn = file.draw(Luck::Nothing, &mut Seed::new(0));
        assert_eq!((drawn[0], drawn[512]), (0, 2));
        assert_eq!(file.seen()[0], 1, "the programs see it all the same");
    }
}
