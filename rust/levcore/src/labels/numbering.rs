//! Codes of labels, texts and whole numbers side by side.

use crate::error::Result;
use crate::labels::index::{Index, code_of, hash_of_integer};
use crate::labels::texts::{AT_ONCE, Sought, Texts};
use crate::memory::with_room;

/// A column as codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Code of each row: equal labels have equal codes, which count up by first rows.
    pub codes: Vec<u32>,
    /// First row of each code.
    pub first_rows: Vec<usize>,
}

/// What a label is, and its place among those of its kind.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text(u32),
    Integer(i64),
}

/// Labels by the codes that they were given, in the order in which they came.
#[derive(Debug, Default)]
pub struct Numbering {
    texts: Texts,
    integers: Index,
    /// Each whole number and its code.
    values: Vec<(i64, u32)>,
    kinds: Vec<Kind>,
}

impl Numbering {
    /// How many labels there are: the next code.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Code of a text, a new one where it is new.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) where there is no room for it.
    #[inline]
    pub fn text(&mut self, text: &[u8]) -> Result<u32> {
        let sought = Sought::of(text);
        self.sought(&sought, sought.hash())
    }

    #[inline]
    fn sought(&mut self, sought: &Sought<'_>, hash: u64) -> Result<u32> {
        let (code, new) = self.texts.code(sought, hash, code_of(self.kinds.len()))?;
        self.kinds.extend(new.map(Kind::Text));
        Ok(code)
    }

    /// Codes of texts as [`Numbering::text`] gives them one by one, of not more than [`AT_ONCE`]; their waits for memory are one.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn texts(&mut self, texts: &[&[u8]]) -> Result<[u32; AT_ONCE]> {
        let mut sought = [Sought::default(); AT_ONCE];
        for (sought, text) in sought.iter_mut().zip(texts) {
            *sought = Sought::of(text);
        }
        self.codes_of(&sought[..texts.len()])
    }

    /// The same of texts that are known by what tells them apart.
    pub(crate) fn codes_of(&mut self, texts: &[Sought<'_>]) -> Result<[u32; AT_ONCE]> {
        let (known, hashes) = self.texts.known(texts);
        let mut codes = [0; AT_ONCE];
        for (((code, text), known), hash) in codes.iter_mut().zip(texts).zip(known).zip(hashes) {
            *code = match known {
                Some(known) => known,
                None => self.sought(text, hash)?,
            };
        }
        Ok(codes)
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
        let code = code_of(self.kinds.len());
        self.values.push((value, code));
        self.kinds.push(Kind::Integer(value));
        self.integers.add(hash)?;
        Ok(code)
    }

    /// Code of a whole number if it is known and the first place of the index says so.
    #[inline]
    pub(crate) fn known_integer(&self, value: i64) -> Option<u32> {
        let place = self.integers.likely(hash_of_integer(value.cast_unsigned()))? as usize;
        let &(known, code) = self.values.get(place)?;
        (known == value).then_some(code)
    }

    /// The codes here of all labels of another numbering, by their codes there.
    pub(crate) fn translation_of(&mut self, other: &Self) -> Result<Vec<u32>> {
        let mut translation = with_room(other.len())?;
        for kinds in other.kinds.chunks(AT_ONCE) {
            let mut texts = [Sought::default(); AT_ONCE];
            let mut count = 0;
            for kind in kinds {
                if let Kind::Text(place) = kind {
                    texts[count] = other.texts.sought(*place);
                    count += 1;
                }
            }
            if count == kinds.len() {
                translation.extend_from_slice(&self.codes_of(&texts[..count])?[..count]);
                continue;
            }
            for kind in kinds {
                translation.push(match kind {
                    Kind::Text(place) => {
                        let sought = other.texts.sought(*place);
                        self.sought(&sought, sought.hash())?
                    }
                    Kind::Integer(value) => self.integer(*value)?,
                });
            }
        }
        Ok(translation)
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
        Ok(())
    }

    #[test]
    fn labels_of_another_numbering_keep_their_meaning() -> Result<()> {
        let (mut one, mut other) = (Numbering::default(), Numbering::default());
        one.text(b"a")?;
        other.integer(5)?;
        other.text(b"a")?;
        assert_eq!(one.translation_of(&other)?, [1, 0]);
        Ok(())
    }
}
