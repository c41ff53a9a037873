//! Distinct texts and the code of each.

use crate::error::{Error, Result};
use crate::labels::index::{Index, hash_of_bytes, hash_of_words};

/// Texts that are looked up together, so that one wait for memory serves all of them.
pub const AT_ONCE: usize = 16;

/// Bytes of a text that stand beside its code: a short one is found by one wait for memory.
const SHORT: usize = 24;

/// What a text is told apart by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    length: u32,
    /// All bytes of a short text, those in the middle twice; of a longer one its hash, which others may have too.
    words: [u64; 3],
}

impl Key {
    #[inline]
    fn of(text: &[u8]) -> Self {
        // A length that does not fit is refused before the text is kept.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let words = if text.len() > SHORT { [hash_of_bytes(text), 0, 0] } else { words_of(text) };
        Self { length, words }
    }

    #[inline]
    fn is_short(&self) -> bool {
        self.length as usize <= SHORT
    }
}

/// A short text as numbers; texts of one length have the same only where they are equal.
#[inline]
fn words_of(text: &[u8]) -> [u64; 3] {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        return match text[8..].first_chunk() {
            Some(second) => [first, u64::from_le_bytes(*second), last],
            None => [first, 0, last],
        };
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return [u64::from(u32::from_le_bytes(*first)), 0, u64::from(u32::from_le_bytes(*last))];
    }
    let byte = |place: usize| text.get(place).map_or(0, |&byte| u64::from(byte));
    [byte(0) | byte(1) << 8 | byte(2) << 16, 0, 0]
}

/// A text that is looked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sought<'a> {
    key: Key,
    text: &'a [u8],
}

impl<'a> Sought<'a> {
    #[inline]
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self { key: Key::of(text), text }
    }

    /// Whether both are one text.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.key == other.key && (self.key.is_short() || self.text == other.text)
    }

    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        hash_of_words(self.key.length, self.key.words)
    }
}

/// A text and its code, in half a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Place {
    length: u32,
    code: u32,
    words: [u64; 3],
}

impl Place {
    #[inline]
    fn key(&self) -> Key {
        Key { length: self.length, words: self.words }
    }
}

/// Distinct texts with a code each.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    index: Index,
    places: Vec<Place>,
    /// The texts that are not short, one behind the other, and where that of each place starts.
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Texts {
    /// The text at a place; of a short one its bytes are nothing that is needed to find it.
    pub(crate) fn sought(&self, place: u32) -> Sought<'_> {
        let key = self.places[place as usize].key();
        Sought { key, text: if key.is_short() { &[] } else { self.bytes_at(place) } }
    }

    /// Bytes of a text that is not short.
    fn bytes_at(&self, place: u32) -> &[u8] {
        &self.bytes[self.starts[place as usize]..][..self.places[place as usize].length as usize]
    }

    #[inline]
    fn is_at(&self, place: u32, known: Key, sought: &Sought<'_>) -> bool {
        known == sought.key && (known.is_short() || self.bytes_at(place) == sought.text)
    }

    /// Keeps a text with its code.
    fn keep(&mut self, sought: &Sought<'_>, code: u32) -> Result<()> {
        if sought.key.length == u32::MAX {
            return Err(Error::Memory { bytes: sought.text.len() });
        }
        if !sought.key.is_short() {
            // Columns of short texts have no starts at all.
            self.starts.resize(self.places.len(), 0);
            self.starts.push(self.bytes.len());
            self.bytes.extend_from_slice(sought.text);
        }
        self.places.push(Place { length: sought.key.length, code, words: sought.key.words });
        Ok(())
    }

    /// Code of a text with its hash; `next` where it is new. Also the place of one that is new.
    #[inline]
    pub(crate) fn code(&mut self, sought: &Sought<'_>, hash: u64, next: u32) -> Result<(u32, Option<u32>)> {
        let is_same = |place: u32| self.is_at(place, self.places[place as usize].key(), sought);
        if let Some(place) = self.index.find(hash, is_same) {
            return Ok((self.places[place as usize].code, None));
        }
        self.keep(sought, next)?;
        Ok((next, Some(self.index.add(hash)?)))
    }

    /// Codes of texts as far as they are known and the first place of the index says so, with their hashes; None: ask [`Texts::code`].
    pub(crate) fn known(&self, texts: &[Sought<'_>]) -> ([Option<u32>; AT_ONCE], [u64; AT_ONCE]) {
        let (mut hashes, mut codes) = ([0; AT_ONCE], [None; AT_ONCE]);
        let (mut likely, mut places) = ([None; AT_ONCE], [Place::default(); AT_ONCE]);
        for (hash, text) in hashes.iter_mut().zip(texts) {
            *hash = text.hash();
        }
        // One loop after the other, each of which waits for memory once.
        for (likely, &hash) in likely.iter_mut().zip(&hashes[..texts.len().min(AT_ONCE)]) {
            *likely = self.index.likely(hash);
        }
        for (place, likely) in places.iter_mut().zip(likely) {
            *place = likely.and_then(|place| self.places.get(place as usize).copied()).unwrap_or_default();
        }
        for (((text, place), code), likely) in texts.iter().zip(&places).zip(&mut codes).zip(likely) {
            *code = likely.and_then(|at| self.is_at(at, place.key(), text).then_some(place.code));
        }
        (codes, hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(texts: &mut Texts, text: &[u8], next: u32) -> Result<(u32, Option<u32>)> {
        let sought = Sought::of(text);
        texts.code(&sought, sought.hash(), next)
    }

    #[test]
    fn texts_around_the_bound_of_short_ones_are_told_apart() -> Result<()> {
        let mut texts = Texts::default();
        let given: Vec<Vec<u8>> =
            (SHORT - 2..SHORT + 3).flat_map(|length| [vec![1; length], vec![2; length]]).collect();
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, place)?, (place, Some(place)));
        }
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, 99)?, (place, None));
        }
        Ok(())
    }

    /// Every length, and every byte of it: what the words of a key leave out would make two texts one.
    #[test]
    fn one_byte_anywhere_makes_another_text() -> Result<()> {
        let mut texts = Texts::default();
        let mut given = Vec::new();
        for length in 0..2 * SHORT {
            given.push(vec![b'a'; length]);
            for place in 0..length {
                let mut text = vec![b'a'; length];
                text[place] = b'b';
                given.push(text);
            }
        }
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, place)?, (place, Some(place)), "{text:?}");
        }
        let mut other = Texts::default();
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, u32::MAX)?, (place, None), "{text:?}");
            let sought = texts.sought(place);
            assert_eq!(other.code(&sought, sought.hash(), place)?, (place, Some(place)), "{text:?}");
            assert!(Sought::of(text).is(&Sought::of(&text.clone())));
            assert!(!Sought::of(text).is(&Sought::of(&given[(place as usize + 1) % given.len()])));
        }
        Ok(())
    }

    #[test]
    fn texts_are_told_apart_by_their_bytes() -> Result<()> {
        let mut texts = Texts::default();
        let given: [&[u8]; 6] = [b"a", b"", b"ab", b"b", b"a\0", b""];
        let mut codes = Vec::new();
        for (next, text) in (10..).zip(given) {
            codes.push(code(&mut texts, text, next)?);
        }
        assert_eq!(codes, [(10, Some(0)), (11, Some(1)), (12, Some(2)), (13, Some(3)), (14, Some(4)), (11, None)]);
        let sought: [&[u8]; 3] = [b"ab", b"none", b""];
        let (known, _) = texts.known(&sought.map(Sought::of));
        assert_eq!(known[1], None);
        for (found, code) in [(known[0], 12), (known[2], 11)] {
            assert!(found.is_none_or(|found| found == code));
        }
        Ok(())
    }
}
