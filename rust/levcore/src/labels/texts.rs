//! Distinct texts and the code of each.

use crate::error::{Error, Result};
use crate::labels::index::{Index, UNKNOWN, hash_of_bytes, hash_of_words};

/// Texts that are looked up together, so that one wait for memory serves all of them.
pub const AT_ONCE: usize = 16;

/// Bytes of a text that stand beside its code: a short one is found by one wait for memory.
pub(crate) const SHORT: usize = 24;
const WORD: usize = 8;

/// A text by what it is told apart by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text<'a> {
    length: u32,
    /// All bytes of a short text, zeros behind the last; of a longer one its hash, which others may have too.
    words: [u64; 3],
    /// A text that is not short.
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// A text by its bytes.
    #[inline]
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        // A length that does not fit is refused before the text is kept.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if text.len() > SHORT {
            return Self { length, words: [hash_of_bytes(text), 0, 0], bytes: text };
        }
        Self { length, words: words_of(text), bytes: &[] }
    }

    /// A text of not more than sixteen bytes, given as a number whose lowest byte is the first; what stands behind the last is of no meaning.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "the two halves of a number")]
    pub fn of_number(length: u32, bytes: u128) -> Self {
        let [first, second] = [bytes as u64, (bytes >> 64) as u64];
        let words = [first & lowest(length), second & lowest(length.saturating_sub(8)), 0];
        Self { length, words, bytes: &[] }
    }

    /// A short text, which ends where nothing but zeros is left.
    #[inline]
    pub(crate) fn until_zeros(bytes: [u8; SHORT]) -> Self {
        let words = bytes.as_chunks::<WORD>().0;
        let words = [0, 1, 2].map(|place| u64::from_le_bytes(words[place]));
        let zeros = match words {
            [_, _, last] if last != 0 => last.leading_zeros(),
            [_, last, 0] if last != 0 => 64 + last.leading_zeros(),
            [last, ..] => 128 + last.leading_zeros(),
        };
        Self { length: 24 - zeros / 8, words, bytes: &[] }
    }

    #[inline]
    fn is_short(&self) -> bool {
        self.length as usize <= SHORT
    }

    /// Whether both are one text.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        differ(self.length, &self.words, other) == 0 && (self.is_short() || self.bytes == other.bytes)
    }

    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        hash_of_words(self.length, self.words)
    }
}

/// The bits of so many bytes.
#[inline]
fn lowest(bytes: u32) -> u64 {
    1_u64.checked_shl(8 * bytes).unwrap_or(0).wrapping_sub(1)
}

/// Zero where a text has this length and these words. Word by word, and without a branch between them: in which they differ nobody can
/// foresee, and two words that were written one by one are slow to read as one.
#[inline]
fn differ(length: u32, words: &[u64; 3], text: &Text<'_>) -> u64 {
    let [first, second, third] = words;
    let [own_first, own_second, own_third] = text.words;
    (first ^ own_first) | (second ^ own_second) | (third ^ own_third) | u64::from(length ^ text.length)
}

/// A short text as numbers.
#[inline]
fn words_of(text: &[u8]) -> [u64; 3] {
    let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else { return [word_of(text), 0, 0] };
    let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    // The last eight bytes, without those that the words before hold.
    match text[WORD..].first_chunk() {
        None if text.len() == WORD => [first, 0, 0],
        None => [first, last >> (8 * (2 * WORD - text.len())), 0],
        Some(second) if text.len() == 2 * WORD => [first, u64::from_le_bytes(*second), 0],
        Some(second) => [first, u64::from_le_bytes(*second), last >> (8 * (SHORT - text.len()))],
    }
}

/// Fewer than eight bytes.
#[inline]
fn word_of(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // Where both have a byte, they have the same.
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (text.len() - 4));
        return u64::from(u32::from_le_bytes(*first)) | last;
    }
    let byte = |place: usize| text.get(place).map_or(0, |&byte| u64::from(byte));
    byte(0) | byte(1) << 8 | byte(2) << 16
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
    fn hash(&self) -> u64 {
        hash_of_words(self.length, self.words)
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
    #[inline]
    fn is_at(&self, place: usize, text: &Text<'_>) -> bool {
        let known = &self.places[place];
        differ(known.length, &known.words, text) == 0
            && (text.is_short() || self.bytes[self.starts[place]..][..text.bytes.len()] == *text.bytes)
    }

    /// Keeps a text with its code.
    fn keep(&mut self, text: &Text<'_>, code: u32) -> Result<()> {
        if text.length == u32::MAX {
            return Err(Error::Memory { bytes: text.bytes.len() });
        }
        if !text.is_short() {
            // Columns of short texts have no starts at all.
            self.starts.resize(self.places.len(), 0);
            self.starts.push(self.bytes.len());
            self.bytes.extend_from_slice(text.bytes);
        }
        self.places.push(Place { length: text.length, code, words: text.words });
        Ok(())
    }

    /// Code of a text with its hash; `next` where it is new.
    #[inline]
    pub(crate) fn code(&mut self, text: &Text<'_>, hash: u64, next: u32) -> Result<u32> {
        if let Some(place) = self.index.find(hash, |place| self.is_at(place as usize, text)) {
            return Ok(self.places[place as usize].code);
        }
        self.keep(text, next)?;
        let places = &self.places;
        self.index.add(hash, |place| places[place as usize].hash())?;
        Ok(next)
    }

    /// Codes of texts as far as they are known, with their hashes. [`UNKNOWN`]: ask [`Texts::code`], which is not likely to know more.
    #[inline]
    pub(crate) fn known(&self, texts: &[Text<'_>]) -> ([u32; AT_ONCE], [u64; AT_ONCE]) {
        let (mut hashes, mut codes) = ([0; AT_ONCE], [UNKNOWN; AT_ONCE]);
        // One loop after the other, each of which waits for memory once. What the index says is asked for beforehand: nobody can foresee at
        // which place it says it, and whoever guessed wrong begins anew.
        for (hash, text) in hashes.iter_mut().zip(texts) {
            *hash = text.hash();
            self.index.ask_for(*hash);
        }
        for (place, &hash) in codes.iter_mut().zip(&hashes[..texts.len().min(AT_ONCE)]) {
            *place = self.index.likely(hash).unwrap_or(UNKNOWN);
        }
        for (code, text) in codes.iter_mut().zip(texts) {
            let place = *code as usize;
            *code =
                if place < self.places.len() && self.is_at(place, text) { self.places[place].code } else { UNKNOWN };
        }
        (codes, hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(texts: &mut Texts, text: &[u8], next: u32) -> Result<u32> {
        let text = Text::of(text);
        texts.code(&text, text.hash(), next)
    }

    #[test]
    fn texts_around_the_bound_of_short_ones_are_told_apart() -> Result<()> {
        let mut texts = Texts::default();
        let given: Vec<Vec<u8>> =
            (SHORT - 2..SHORT + 3).flat_map(|length| [vec![1; length], vec![2; length]]).collect();
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, place)?, place);
        }
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, 99)?, place);
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
            assert_eq!(code(&mut texts, text, place)?, place, "{text:?}");
        }
        for (place, text) in (0..).zip(&given) {
            assert_eq!(code(&mut texts, text, u32::MAX)?, place, "{text:?}");
            assert!(Text::of(text).is(&Text::of(&text.clone())));
            assert!(!Text::of(text).is(&Text::of(&given[(place as usize + 1) % given.len()])));
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
        assert_eq!(codes, [10, 11, 12, 13, 14, 11]);
        let sought: [&[u8]; 3] = [b"ab", b"none", b""];
        let (known, _) = texts.known(&sought.map(Text::of));
        assert_eq!(known[..3], [12, UNKNOWN, 11]);
        Ok(())
    }

    /// However a text is given, it is the same one.
    #[test]
    fn short_texts_as_numbers_and_with_zeros_behind_them() {
        for length in 0..=SHORT {
            let text: Vec<u8> = (1..=length).map(|byte| byte as u8 * 9).collect();
            let mut padded = [0; SHORT];
            padded[..length].copy_from_slice(&text);
            assert!(Text::until_zeros(padded).is(&Text::of(&text)), "{length}");
            if length <= 16 {
                padded[length..].fill(7);
                let number = u128::from_le_bytes(*padded.first_chunk().unwrap());
                assert!(Text::of_number(length as u32, number).is(&Text::of(&text)), "{length}");
            }
        }
    }
}
