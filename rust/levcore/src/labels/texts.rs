//! Distinct texts and the code of each.

use crate::error::{Error, Result};
use crate::labels::index::{Index, hash_of_bytes};

/// Texts that are looked up together, so that one wait for memory serves all of them.
pub const AT_ONCE: usize = 16;

/// Bytes of a text that stand beside its code: a short one is found by one wait for memory.
const SHORT: usize = 24;

/// A text and its code, in half a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Place {
    length: u32,
    code: u32,
    /// A text that is short, or where a longer one begins among the bytes.
    text: [u8; SHORT],
}

impl Place {
    fn start(&self) -> usize {
        let mut start = [0; size_of::<usize>()];
        start.copy_from_slice(&self.text[..size_of::<usize>()]);
        usize::from_le_bytes(start)
    }
}

/// Distinct texts with a code each.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    index: Index,
    /// The texts that are not short, one behind the other.
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl Texts {
    /// Bytes of the text at a place.
    pub(crate) fn bytes_of(&self, place: u32) -> &[u8] {
        self.bytes_at(&self.places[place as usize])
    }

    #[inline]
    fn bytes_at<'a>(&'a self, place: &'a Place) -> &'a [u8] {
        let length = place.length as usize;
        if length <= SHORT { &place.text[..length] } else { &self.bytes[place.start()..][..length] }
    }

    /// Keeps a text with its code.
    fn keep(&mut self, text: &[u8], code: u32) -> Result<()> {
        let length = u32::try_from(text.len()).map_err(|_| Error::Memory { bytes: text.len() })?;
        let mut place = Place { length, code, text: [0; SHORT] };
        if text.len() <= SHORT {
            place.text[..text.len()].copy_from_slice(text);
        } else {
            place.text[..size_of::<usize>()].copy_from_slice(&self.bytes.len().to_le_bytes());
            self.bytes.extend_from_slice(text);
        }
        self.places.push(place);
        Ok(())
    }

    /// Code of a text; `next` where it is new. Also the place of one that is new.
    #[inline]
    pub(crate) fn code(&mut self, text: &[u8], next: u32) -> Result<(u32, Option<u32>)> {
        let hash = hash_of_bytes(text);
        if let Some(place) = self.index.find(hash, |place| self.bytes_of(place) == text) {
            return Ok((self.places[place as usize].code, None));
        }
        self.keep(text, next)?;
        Ok((next, Some(self.index.add(hash)?)))
    }

    /// Codes of texts as far as they are known and the first place of the index says so; None: ask [`Texts::code`].
    pub(crate) fn known(&self, texts: &[&[u8]]) -> [Option<u32>; AT_ONCE] {
        let (mut hashes, mut codes) = ([0; AT_ONCE], [None; AT_ONCE]);
        let mut places = [Place::default(); AT_ONCE];
        for (hash, text) in hashes.iter_mut().zip(texts) {
            *hash = hash_of_bytes(text);
        }
        let likely = hashes.map(|hash| self.index.likely(hash));
        for (place, likely) in places.iter_mut().zip(likely) {
            *place = likely.and_then(|place| self.places.get(place as usize).copied()).unwrap_or_default();
        }
        for (((text, place), code), likely) in texts.iter().zip(&places).zip(&mut codes).zip(likely) {
            *code = (likely.is_some() && self.bytes_at(place) == *text).then_some(place.code);
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_around_the_bound_of_short_ones_are_told_apart() -> Result<()> {
        let mut texts = Texts::default();
        let given: Vec<Vec<u8>> =
            (SHORT - 2..SHORT + 3).flat_map(|length| [vec![1; length], vec![2; length]]).collect();
        for (code, text) in (0..).zip(&given) {
            assert_eq!(texts.code(text, code)?, (code, Some(code)));
        }
        for (code, text) in (0..).zip(&given) {
            assert_eq!(texts.code(text, 99)?, (code, None));
            assert_eq!(texts.bytes_of(code), text);
        }
        Ok(())
    }

    #[test]
    fn texts_are_told_apart_by_their_bytes() -> Result<()> {
        let mut texts = Texts::default();
        let given: [&[u8]; 6] = [b"a", b"", b"ab", b"b", b"a\0", b""];
        let mut codes = Vec::new();
        for (next, text) in (10..).zip(given) {
            codes.push(texts.code(text, next)?);
        }
        assert_eq!(codes, [(10, Some(0)), (11, Some(1)), (12, Some(2)), (13, Some(3)), (14, Some(4)), (11, None)]);
        assert_eq!(texts.bytes_of(4), b"a\0");
        let known = texts.known(&[b"ab", b"none", b""]);
        assert_eq!(known[1], None);
        for (found, code) in [(known[0], 12), (known[2], 11)] {
            assert!(found.is_none_or(|found| found == code));
        }
        Ok(())
    }
}
