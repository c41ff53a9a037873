//! Prices in the order of time, several of which may hold at one instant.

use crate::error::{Error, Result};
use crate::live::bounds::is_ordinary;

/// Ticks as borrowed columns.
#[derive(Debug, Clone, Copy)]
pub struct Ticks<'a> {
    /// Where the ticks of each instant start, and where the last ones end.
    pub starts: &'a [u64],
    /// Instrument of each tick, or asset by the codes that follow those of the instruments.
    pub instrument: &'a [u32],
    /// Its price: quote per base, of an asset in the currency of the accounts.
    pub price: &'a [f64],
}

impl Ticks<'_> {
    /// Number of instants.
    #[must_use]
    pub fn instants(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The ticks of an instant.
    pub fn at(&self, instant: usize) -> impl Iterator<Item = (u32, f64)> {
        let range = self.starts[instant] as usize..self.starts[instant + 1] as usize;
        self.instrument[range.clone()].iter().copied().zip(self.price[range].iter().copied())
    }

    /// Refuses ticks that are none.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of several lengths or starts that do not end with them, [`Error::Code`] for a code that is none,
    /// [`Error::Domain`] for starts that fall or a price that is not between 1e-100 and 1e100.
    pub fn check(&self, codes: usize) -> Result<()> {
        let expected = self.price.len();
        if self.instrument.len() != expected {
            return Err(Error::Length { argument: "instrument", expected, found: self.instrument.len() });
        }
        let found = self.starts.last().map_or(0, |&end| end as usize);
        if found != expected {
            return Err(Error::Length { argument: "starts", expected, found });
        }
        if let Some(pair) = self.starts.windows(2).find(|pair| pair[0] > pair[1]) {
            return Err(Error::Domain {
                argument: "starts",
                expected: "starts that do not fall",
                found: pair[1] as f64,
            });
        }
        let limit = codes;
        if let Some(row) = self.instrument.iter().position(|&code| code as usize >= limit) {
            let found = i64::from(self.instrument[row]);
            return Err(Error::Code { argument: "instrument", row, found, limit });
        }
        match self.price.iter().find(|&&price| !is_ordinary(price)) {
            Some(&found) => {
                Err(Error::Domain { argument: "price", expected: "a number between 1e-100 and 1e100", found })
            }
            None => Ok(()),
        }
    }
}
