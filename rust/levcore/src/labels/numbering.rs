//! Codes of labels, texts and whole numbers side by side.

use crate::error::Result;
use crate::labels::index::{Index, UNKNOWN, code_of, hash_of_integer};
use crate::labels::texts::{AT_ONCE, Text, Texts};

/// A column as codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Code of each row: equal labels have equal codes, which count up by first rows, behind those of the labels that were known before.
    pub codes: Vec<u32>,
    /// First row of each code that the column brought.
    pub first_rows: Vec<usize>,
}

/// Labels by the codes that they were given, in the order in which they came.
#[derive(Debug, Default)]
pub struct Numbering {
    texts: Texts,
    integers: Index,
    /// Each whole number and its code.
    values: Vec<(i64, u32)>,
    count: usize,
}

impl Numbering {
    /// How many labels there are: the next code.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Code of a text, a new one where it is new.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) where there is no room for it.
    #[inline]
    pub fn text(&mut self, text: &[u8]) -> Result<u32> {
        let text = Text::of(text);
        self.code_of(&text, text.hash())
    }

    #[inline]
    fn code_of(&mut self, text: &Text<'_>, hash: u64) -> Result<u32> {
        let next = code_of(self.count);
        let code = self.texts.code(text, hash, next)?;
        self.count += usize::from(code == next);
        Ok(code)
    }

    /// Codes of texts as [`Numbering::text`] gives them one by one, of not more than [`AT_ONCE`]; their waits for memory are one.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn texts(&mut self, texts: &[Text<'_>]) -> Result<[u32; AT_ONCE]> {
        let (mut codes, hashes) = self.texts.known(texts);
        for ((code, text), hash) in codes.iter_mut().zip(texts).zip(hashes) {
            if *code == UNKNOWN {
                *code = self.code_of(text, hash)?;
            }
        }
        Ok(codes)
    }

    /// The same of texts that are known; of others, and of a few that are, [`UNKNOWN`].
    #[inline]
    pub(crate) fn known_texts(&self, texts: &[Text<'_>]) -> [u32; AT_ONCE] {
        self.texts.known(texts).0
    }

    /// Code of a whole number, a new one where it is new; no text is equal to it.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) where there is no room for it.
    #[inline]
    pub fn integer(&mut self, value: i64) -> Result<u32> {
        let hash = hash_of_integer(value.cast_unsigned());
        if let Some(place) = self.integers.find(hash, |place| self.values[place as usize].0 == value) {
            return Ok(self.values[place as usize].1);
        }
        let code = code_of(self.count);
        let values = &self.values;
        self.integers.add(hash, |place| hash_of_integer(values[place as usize].0.cast_unsigned()))?;
        self.values.push((value, code));
        self.count += 1;
        Ok(code)
    }

    /// Codes of whole numbers that are known, of not more than [`AT_ONCE`]; of others, and of a few that are, [`UNKNOWN`].
    #[inline]
    pub(crate) fn known_integers(&self, values: &[i64]) -> [u32; AT_ONCE] {
        let (mut hashes, mut codes) = ([0; AT_ONCE], [UNKNOWN; AT_ONCE]);
        // As with texts: one loop after the other, each of which waits for memory once.
        for (hash, value) in hashes.iter_mut().zip(values) {
            *hash = hash_of_integer(value.cast_unsigned());
            self.integers.ask_for(*hash);
        }
        for (place, &hash) in codes.iter_mut().zip(&hashes[..values.len().min(AT_ONCE)]) {
            *place = self.integers.likely(hash).unwrap_or(UNKNOWN);
        }
        for (code, &value) in codes.iter_mut().zip(values) {
            let known = self.values.get(*code as usize).filter(|known| known.0 == value);
            *code = known.map_or(UNKNOWN, |known| known.1);
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_integers_share_the_codes() -> Result<()> {
        let mut numbering = Numbering::default();
        assert!(numbering.is_empty());
        let codes = [
            numbering.text(b"7")?,
            numbering.integer(7)?,
            numbering.integer(-1)?,
            numbering.text(b"")?,
            numbering.integer(7)?,
            numbering.text(b"7")?,
        ];
        assert_eq!(codes, [0, 1, 2, 3, 1, 0]);
        assert_eq!(numbering.len(), 4);
        assert_eq!(numbering.known_integers(&[-1, 8, 7])[..3], [2, UNKNOWN, 1]);
        Ok(())
    }
}
