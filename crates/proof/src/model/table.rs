//! Numbers for things, and a table of numbers: what keeps millions of states in little memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

/// A quick hash for small keys that nobody chooses in bad faith.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// What was computed before.
pub(super) type Memo<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Gives equal things the same number.
#[derive(Debug)]
pub(super) struct Interner<T> {
    numbers: HashMap<Arc<T>, u32>,
    things: Vec<Arc<T>>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), things: Vec::new() }
    }
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn number(&mut self, thing: T) -> u32 {
        if let Some(&number) = self.numbers.get(&thing) {
            return number;
        }
        let number = u32::try_from(self.things.len()).expect("fewer than four thousand million");
        let thing = Arc::new(thing);
        self.things.push(Arc::clone(&thing));
        self.numbers.insert(thing, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> &Arc<T> {
        &self.things[index(number)]
    }

    pub(super) fn len(&self) -> usize {
        self.things.len()
    }
}

/// Things in the order in which they were met, each once.
#[derive(Debug)]
pub(super) struct Met<T> {
    things: Vec<T>,
    slots: Vec<u32>,
}

const FREE: u32 = u32::MAX;

impl<T: Hash + Eq + Copy> Met<T> {
    pub(super) fn new() -> Self {
        Self { things: Vec::new(), slots: vec![FREE; 1 << 12] }
    }

    /// The number of a thing, and whether it was met for the first time.
    pub(super) fn meet(&mut self, thing: T) -> (u32, bool) {
        if self.things.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot_of(&thing);
        if self.slots[slot] != FREE {
            return (self.slots[slot], false);
        }
        let number = u32::try_from(self.things.len()).expect("fewer than four thousand million");
        self.slots[slot] = number;
        self.things.push(thing);
        (number, true)
    }

    pub(super) fn get(&self, number: u32) -> T {
        self.things[index(number)]
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.things.len()).expect("fewer than four thousand million")
    }

    fn slot_of(&self, thing: &T) -> usize {
        let mask = self.slots.len() - 1;
        let mut hash = Quick::default();
        thing.hash(&mut hash);
        let mut slot = usize::try_from(hash.finish()).expect("64 bits") & mask;
        while self.slots[slot] != FREE && self.things[index(self.slots[slot])] != *thing {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; self.slots.len() * 2];
        for number in 0..self.len() {
            let slot = self.slot_of(&self.things[index(number)]);
            self.slots[slot] = number;
        }
    }
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).expect("64 bits")
}
