//! Legs that lie apart: by ranges of accounts they have places, at which they leave what they bring into their account.
//!
//! Legs of one range have consecutive places in the order of rows. So legs are written in row order as many streams as there are ranges, an
//! account's legs are summed while the sums of its range are in the cache, and each leg finds its verdict where it left its amounts.

use std::sync::Mutex;

use crate::book::blocks::{AccountRange, BLOCK_ROWS};
use crate::error::Result;
use crate::machine::vector::HalfLine;
use crate::memory;

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
pub(crate) struct ScatteredLegs {
    /// Place of each leg.
    pub places: Vec<u32>,
    /// Account of the leg at each place, counted from the first of its range.
    pub accounts: Vec<u16>,
    /// What legs leave at their places.
    pub memory: KeptMemory,
}

impl ScatteredLegs {
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
    fn new(legs: usize) -> Result<Self> {
        Ok(Self {
            cells: memory::filled(HalfLine::default(), legs)?,
            released: memory::filled(0.0, legs)?,
            status: memory::filled(0, legs)?,
        })
    }
}

/// The memory of a book's legs, which lives as long as the book: a call takes it and gives it back, one beside it makes its own.
#[derive(Debug, Default)]
pub(crate) struct KeptMemory(Mutex<Option<LegMemory>>);

impl KeptMemory {
    /// Memory for so many legs, whatever is in it.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn take(&self, legs: usize) -> Result<LegMemory> {
        // A lock that is held is not waited for: after a fork nobody might give it back.
        let kept = self.0.try_lock().ok().and_then(|mut kept| kept.take());
        kept.map_or_else(|| LegMemory::new(legs), Ok)
    }

    /// Keeps it for the next call.
    pub(crate) fn give_back(&self, memory: LegMemory) {
        if let Ok(mut kept) = self.0.try_lock() {
            *kept = Some(memory);
        }
    }
}

impl Clone for KeptMemory {
    /// A copy of a book has none yet.
    fn clone(&self) -> Self {
        Self::default()
    }
}
