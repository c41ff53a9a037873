//! Distinct texts, one behind the other.

use crate::error::Result;
use crate::labels::index::{Index, hash_of_bytes};

/// Distinct texts by their place in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    index: Index,
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Texts {
    /// Bytes of a text.
    #[inline]
    pub(crate) fn bytes_of(&self, place: u32) -> &[u8] {
        let place = place as usize;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[place]]
    }

    /// Place of a text, and whether it is new.
    #[inline]
    pub(crate) fn place(&mut self, text: &[u8]) -> Result<(u32, bool)> {
        let hash = hash_of_bytes(text);
        if let Some(place) = self.index.find(hash, |place| self.bytes_of(place) == text) {
            return Ok((place, false));
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
        Ok((self.index.add(hash)?, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_by_their_bytes() -> Result<()> {
        let mut texts = Texts::default();
        let given: [&[u8]; 6] = [b"a", b"", b"ab", b"b", b"a\0", b""];
        let places: Vec<_> = given.iter().map(|text| texts.place(text)).collect::<Result<_>>()?;
        assert_eq!(places, [(0, true), (1, true), (2, true), (3, true), (4, true), (1, false)]);
        assert_eq!(texts.bytes_of(4), b"a\0");
        Ok(())
    }
}
