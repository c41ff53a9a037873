//! Dense numbers for the keys of one account, in the order of first appearance.

/// Numbers keys; clearing costs nothing: what a key was numbered under shows whether it still counts.
#[derive(Debug)]
pub(crate) struct Numbering {
    known: Vec<Known>,
    keys: Vec<usize>,
    round: u32,
}

/// Number of a key, and when it got it.
#[derive(Debug, Clone, Copy)]
struct Known {
    round: u32,
    number: u32,
}

/// No key has been numbered in it.
const NEVER: Known = Known { round: 0, number: 0 };

impl Default for Numbering {
    fn default() -> Self {
        Self { known: Vec::new(), keys: Vec::new(), round: 1 }
    }
}

impl Numbering {
    /// Number of a key, its own or the next free one.
    #[inline]
    pub(crate) fn number(&mut self, key: usize) -> usize {
        if key >= self.known.len() {
            self.known.resize(key + 1, NEVER);
        }
        if self.known[key].round != self.round {
            self.known[key] = Known { round: self.round, number: self.keys.len() as u32 };
            self.keys.push(key);
        }
        self.known[key].number as usize
    }

    /// Number of a key that has one.
    #[inline]
    pub(crate) fn known(&self, key: usize) -> usize {
        self.known[key].number as usize
    }

    /// Key of a number.
    pub(crate) fn key(&self, number: usize) -> usize {
        self.keys[number]
    }

    /// Whether a key has a number.
    #[inline]
    pub(crate) fn knows(&self, key: usize) -> bool {
        self.known.get(key).is_some_and(|known| known.round == self.round)
    }

    /// How many keys have one.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Forgets all numbers.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        if self.round == u32::MAX {
            self.known.fill(NEVER);
            self.round = 0;
        }
        self.round += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_numbered_by_first_appearance_and_forgotten() {
        let mut numbering = Numbering::default();
        assert_eq!([7, 3, 7, 9].map(|key| numbering.number(key)), [0, 1, 0, 2]);
        numbering.clear();
        assert!(!numbering.knows(7) && numbering.len() == 0);
        assert_eq!(numbering.number(9), 0);
    }
}
