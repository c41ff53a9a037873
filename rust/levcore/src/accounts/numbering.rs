//! Dense numbers for the keys of one account, in the order of first appearance.

/// Numbers keys; clearing costs what was numbered, not what could be.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    number_of_key: Vec<usize>,
    keys: Vec<usize>,
}

/// Number of a key that has none.
const NONE: usize = usize::MAX;

impl Numbering {
    /// Number of a key, its own or the next free one.
    pub(crate) fn number(&mut self, key: usize) -> usize {
        if key >= self.number_of_key.len() {
            self.number_of_key.resize(key + 1, NONE);
        }
        if self.number_of_key[key] == NONE {
            self.number_of_key[key] = self.keys.len();
            self.keys.push(key);
        }
        self.number_of_key[key]
    }

    /// Number of a key that has one.
    pub(crate) fn known(&self, key: usize) -> usize {
        self.number_of_key[key]
    }

    /// Key of a number.
    pub(crate) fn key(&self, number: usize) -> usize {
        self.keys[number]
    }

    /// Whether a key has a number.
    pub(crate) fn knows(&self, key: usize) -> bool {
        self.number_of_key.get(key).is_some_and(|&number| number != NONE)
    }

    /// How many keys have one.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn clear(&mut self) {
        for key in self.keys.drain(..) {
            self.number_of_key[key] = NONE;
        }
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
