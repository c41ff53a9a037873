//! Codes by the hash of what they stand for.

use crate::error::Result;
use crate::machine::vector::prefetch;
use crate::memory::filled;

/// No code: that of a label which is not known.
pub(crate) const UNKNOWN: u32 = u32::MAX;

/// A place of the index that is free.
const FREE: u32 = 0;
const FIRST_PLACES: usize = 64;
/// Places grow by this factor, as most columns have few labels and some have one a row.
const GROWTH: usize = 4;

/// Odd numbers without a pattern, as good as any others.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
const MIX_OF_LENGTH: u64 = 0xD6E8_FEB8_6659_FD93;

/// Both halves of the product, so that every bit of a factor reaches every bit.
#[allow(clippy::cast_possible_truncation, reason = "the two halves of the product")]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// Hash of a whole number.
#[inline]
pub(crate) fn hash_of_integer(value: u64) -> u64 {
    fold(value ^ MIX_OF_LENGTH, MIX)
}

/// Hash of bytes. It is the same in every process: whoever chooses labels so that they collide slows down his own call.
#[inline]
pub(crate) fn hash_of_bytes(bytes: &[u8]) -> u64 {
    let mut hash = MIX_OF_LENGTH ^ (bytes.len() as u64).wrapping_mul(MIX);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), MIX);
    }
    let mut last = 0;
    for &byte in rest {
        last = last << 8 | u64::from(byte);
    }
    fold(hash ^ last, MIX)
}

/// Hash of a text of this length, by its words.
#[inline]
pub(crate) fn hash_of_words(length: u32, words: [u64; 3]) -> u64 {
    let [first, second, third] = words;
    fold(fold(first ^ MIX_OF_LENGTH, second ^ MIX) ^ third, MIX ^ u64::from(length).wrapping_mul(MIX_OF_LENGTH))
}

/// Codes by hash; what a code stands for, its owner knows.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By the lower bits of a hash, four bytes a place so that those of many labels stay in the cache: behind the upper bits of the hash the
    /// code and one, which are below half of the places; zero where the place is free.
    places: Vec<u32>,
    /// The bits of a place that hold the code.
    code_bits: u32,
    codes: usize,
}

impl Index {
    /// The first code from here on whose hash is likely to be this one, with the place behind it.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower and the upper half of a hash")]
    fn next(&self, hash: u64, mut place: usize) -> Option<(u32, usize)> {
        let last = self.places.len().wrapping_sub(1);
        loop {
            let found = *self.places.get(place & last)?;
            if found == FREE {
                return None;
            }
            place += 1;
            if (found ^ (hash >> 32) as u32) & !self.code_bits == 0 {
                return Some(((found & self.code_bits) - 1, place));
            }
        }
    }

    /// The code of a hash for which `is_same` holds.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a hash")]
    pub(crate) fn find(&self, hash: u64, mut is_same: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut place = hash as usize;
        loop {
            let (code, behind) = self.next(hash, place)?;
            if is_same(code) {
                return Some(code);
            }
            place = behind;
        }
    }

    /// Asks for the place of a hash, which is looked at later.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a hash")]
    pub(crate) fn ask_for(&self, hash: u64) {
        prefetch(self.places.as_ptr(), hash as usize & self.places.len().wrapping_sub(1));
    }

    /// The code that is likely to be that of a hash, of which another one may have as many bits.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of a hash")]
    pub(crate) fn likely(&self, hash: u64) -> Option<u32> {
        self.next(hash, hash as usize).map(|(code, _)| code)
    }

    /// Adds what `find` did not find; its code is the number of those before it, whose hashes `hash_of` gives where places have to grow.
    pub(crate) fn add(&mut self, hash: u64, hash_of: impl Fn(u32) -> u64) -> Result<u32> {
        if (self.codes + 1) * 2 >= self.places.len() {
            let places = (self.places.len() * GROWTH).max(FIRST_PLACES);
            self.places = filled(FREE, places)?;
            self.code_bits = code_of(places / 2 - 1);
            for code in 0..code_of(self.codes) {
                self.put(hash_of(code), code);
            }
        }
        let code = code_of(self.codes);
        self.put(hash, code);
        self.codes += 1;
        Ok(code)
    }

    #[allow(clippy::cast_possible_truncation, reason = "the lower and the upper half of a hash")]
    fn put(&mut self, hash: u64, code: u32) {
        let last = self.places.len() - 1;
        let mut place = hash as usize & last;
        while self.places[place] != FREE {
            place = (place + 1) & last;
        }
        self.places[place] = (hash >> 32) as u32 & !self.code_bits | (code + 1);
    }
}

/// A place among labels as a code.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a column has fewer than 2**32 - 1 rows, which is checked, and so fewer labels"
)]
pub(crate) fn code_of(place: usize) -> u32 {
    place as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_after_growing() -> Result<()> {
        let mut index = Index::default();
        assert_eq!(index.find(7, |_| true), None);
        for value in 0..1000_u64 {
            let code = index.add(hash_of_integer(value), |code| hash_of_integer(u64::from(code)))?;
            assert_eq!(u64::from(code), value);
        }
        for value in 0..1000_u32 {
            assert_eq!(index.find(hash_of_integer(u64::from(value)), |code| code == value), Some(value));
        }
        assert_eq!(index.find(hash_of_integer(1000), |code| code == 1000), None);
        Ok(())
    }

    #[test]
    fn equal_hashes_of_unequal_labels_are_told_apart() -> Result<()> {
        let mut index = Index::default();
        for code in 0..100 {
            assert_eq!(index.find(42, |found| found == code), None);
            assert_eq!(index.add(42, |_| 42)?, code);
        }
        assert_eq!(index.find(42, |found| found == 77), Some(77));
        Ok(())
    }

    #[test]
    fn bytes_at_every_place_reach_the_hash() {
        let mut seen = std::collections::HashSet::new();
        for length in 0..40 {
            assert!(seen.insert(hash_of_bytes(&vec![0; length])));
            for place in 0..length {
                let mut bytes = vec![0; length];
                bytes[place] = 1;
                assert!(seen.insert(hash_of_bytes(&bytes)), "{length} {place}");
            }
        }
    }
}
