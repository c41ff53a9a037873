//! Legs that lie apart: by ranges of accounts they have places, at which they leave what they bring into their account.
//!
//! Legs of one range have consecutive places in the order of rows. So legs are written in row order as many streams as there are ranges, an
//! account's legs are summed while the sums of its range are in the cache, and each leg finds its verdict where it left its amounts.

use std::sync::Mutex;

use crate::book::blocks::{AccountRange, BLOCK_ROWS};
use crate::error::Result;
use crate::machine::vector::HalfLine;
use crate::memory;

/// Place of rows without an account.
pub(crate) const NOWHERE: u32 = u32::MAX;
/// Accounts of a range at most: their sums are half of a second-level cache.
pub(crate) const RANGE_ACCOUNTS: usize = 16_384;
/// Ranges of a large book, unless accounts are many: about as many streams as a first-level cache takes in.
const RANGES: usize = 64;

/// Legs of a range of accounts, unless one account has more, of so many legs in all.
pub(crate) fn legs_of_range(legs: usize) -> usize {
    BLOCK_ROWS.max(legs / RANGES)
}

/// The places of legs that lie apart; nothing where accounts are kept together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scattered {
    /// Place of each leg.
    pub places: Vec<u32>,
    /// Account of the leg at each place, counted from the first of its range.
    pub accounts: Vec<u16>,
    /// What legs leave at their places.
    pub memory: KeptMemory<LegMemory>,
}

impl Scattered {
    /// Places of legs given with their accounts, whose legs start at `starts` when they are counted by account.
    pub(crate) fn new(legs: &[u32], starts: &[u32], ranges: &[AccountRange]) -> Result<Self> {
        let mut range_of_account = memory::filled(0_u32, starts.len() - 1)?;
        for (number, range) in (0..).zip(ranges) {
            range_of_account[range.accounts.clone()].fill(number);
        }
        let starts_of_ranges = ranges.iter().map(|range| (starts[range.accounts.start], range.accounts.start as u32));
        let mut free = memory::collected(ranges.len(), starts_of_ranges)?;
        let mut places = memory::with_room(legs.len())?;
        let mut accounts = memory::filled(0, legs.len())?;
        for &account in legs {
            let (place, first_account) = &mut free[range_of_account[account as usize] as usize];
            places.push(*place);
            accounts[*place as usize] = (account - *first_account) as u16;
            *place += 1;
        }
        Ok(Self { places, accounts, memory: KeptMemory::default() })
    }
}

/// What is kept of legs between the passes over a book.
#[derive(Debug, Default)]
pub(crate) struct LegMemory {
    /// By place: what a leg brings into its account, then what its account tells it.
    pub cells: Vec<HalfLine>,
    /// By leg: what it gives back to its account's surplus when it is solved for.
    pub released: Vec<f64>,
    /// By leg.
    pub status: Vec<u8>,
}

impl LegMemory {
    pub(crate) fn new(legs: usize) -> Result<Self> {
        Ok(Self {
            cells: memory::filled(HalfLine::default(), legs)?,
            released: memory::filled(0.0, legs)?,
            status: memory::filled(0, legs)?,
        })
    }
}

/// Memory of a book's legs, which lives as long as the book: a call takes it and gives it back, one beside it makes its own.
#[derive(Debug)]
pub(crate) struct KeptMemory<M>(Mutex<Option<M>>);

impl<M> KeptMemory<M> {
    /// The memory, whatever is in it.
    ///
    /// # Errors
    ///
    /// That of `make`, which makes it where there is none.
    pub(crate) fn take(&self, make: impl FnOnce() -> Result<M>) -> Result<M> {
        // A lock that is held is not waited for: after a fork nobody might give it back.
        let kept = self.0.try_lock().ok().and_then(|mut kept| kept.take());
        kept.map_or_else(make, Ok)
    }

    /// Keeps it for the next call.
    pub(crate) fn give_back(&self, memory: M) {
        if let Ok(mut kept) = self.0.try_lock() {
            *kept = Some(memory);
        }
    }
}

impl<M> Default for KeptMemory<M> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<M> Clone for KeptMemory<M> {
    /// A copy of a book has none yet.
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges of so many accounts each.
    fn ranges(accounts: usize, of_each: usize) -> Vec<AccountRange> {
        let first = (0..accounts).step_by(of_each);
        first.map(|first| AccountRange { policy: 0, accounts: first..accounts.min(first + of_each) }).collect()
    }

    /// Where the legs of accounts start, counted by account.
    fn starts_of(legs: &[u32], accounts: u32) -> Vec<u32> {
        (0..=accounts).map(|account| legs.iter().filter(|&&other| other < account).count() as u32).collect()
    }

    #[test]
    fn legs_of_a_range_have_its_places_in_the_order_of_rows() {
        // Accounts 0, 3 and 6 have no legs, account 4 has half of all.
        let legs: Vec<u32> = (0..400_u32).map(|leg| [1, 4, 2, 4, 7, 4, 5, 4][(leg * 5 % 8) as usize]).collect();
        let starts = starts_of(&legs, 8);
        for of_each in [1, 2, 3, 8] {
            let ranges = ranges(8, of_each);
            let Scattered { places, accounts, .. } = Scattered::new(&legs, &starts, &ranges).unwrap();
            let mut seen = vec![false; legs.len()];
            let mut last = vec![0; ranges.len()];
            for (leg, &account) in legs.iter().enumerate() {
                let (range, place) = (account as usize / of_each, places[leg]);
                let AccountRange { accounts: of_range, .. } = &ranges[range];
                assert!((starts[of_range.start]..starts[of_range.end]).contains(&place));
                assert_eq!(of_range.start + usize::from(accounts[place as usize]), account as usize);
                assert!(!std::mem::replace(&mut seen[place as usize], true), "two legs at one place");
                assert!(place + 1 > last[range], "legs of a range are in the order of rows");
                last[range] = place + 1;
            }
        }
    }

    #[test]
    fn a_call_beside_another_has_memory_of_its_own() {
        let (kept, make) = (KeptMemory::default(), || LegMemory::new(3));
        let (mut one, other) = (kept.take(make).unwrap(), kept.take(make).unwrap());
        one.status.fill(7);
        assert_eq!(other.status, [0; 3]);
        kept.give_back(other);
        kept.give_back(one);
        assert_eq!(kept.clone().take(make).unwrap().status, [0; 3], "a copy has its own");
        assert_eq!(kept.take(make).unwrap().status, [7; 3]);
        assert!(kept.take(|| LegMemory::new(usize::MAX)).is_err());
    }
}
