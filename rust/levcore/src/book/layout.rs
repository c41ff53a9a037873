//! How a book is cut into blocks, settled once when the book is built.
//!
//! A block is a run of rows of one margin mode under one policy, small enough for the cache, that one thread evaluates. Where the caller
//! keeps the legs of an account together, a block of cross rows holds whole accounts and is evaluated in one go; where not, the passes over
//! all legs follow one another, and legs have places by account. An account's sums are always taken in the order of rows, whatever the
//! number of threads.

use std::ops::Range;

use crate::book::blocks::{AccountRange, BLOCK_ROWS, Block, Extent, Rows, even_part};
use crate::book::keys::Keys;
use crate::book::pooled_accounts::PooledAccounts;
use crate::book::scattered::{RANGE_ACCOUNTS, Scattered, legs_of_range};
use crate::error::Result;
use crate::memory;

/// The blocks of a book.
///
/// Legs, which are the cross rows, are numbered policy by policy and in the order of rows.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub(crate) rows: usize,
    pub(crate) policies: usize,
    /// Instruments and assets that the codes of rows and balances may name.
    pub(crate) instruments: usize,
    pub(crate) assets: usize,
    /// Rows of the blocks that list theirs.
    pub(crate) listed: Vec<u32>,
    /// Blocks of legs in their order, then those of isolated rows.
    pub(crate) blocks: Vec<Block>,
    /// Place of each row's account in [`Layout::accounts`]; empty without cross rows.
    pub(crate) account_of_row: Vec<u32>,
    /// Account codes of the caller, policy by policy, then those without legs: where accounts are kept together in the order of their first
    /// leg, else in their own.
    pub(crate) accounts: Vec<u32>,
    /// Where the legs of each account start, counted by account; one more than there are accounts.
    pub(crate) legs_of_account: Vec<u32>,
    /// Places of legs that lie apart.
    pub(crate) scattered: Scattered,
    /// All accounts, where legs lie apart; else those of a block are judged with it.
    pub(crate) account_ranges: Vec<AccountRange>,
    /// Accounts that are settled one by one; nothing above knows them.
    pub(crate) pooled: PooledAccounts,
}

/// Bytes of a leg between the passes over a block.
const BYTES_OF_LEG: usize = 128;
/// Bytes of a leg or a balance of an account that is settled as one whole: what is known of it, its curve, the lines of its group.
const BYTES_OF_POOLED_LEG: usize = 1_024;
/// Bytes of a block with the tasks of its passes.
pub(crate) const BYTES_OF_BLOCK: usize = 1_024;

impl Layout {
    /// Cuts a book into blocks.
    ///
    /// # Errors
    ///
    /// [`Length`](crate::Error::Length) for columns of different length, [`Code`](crate::Error::Code) for a code outside of its table,
    /// [`TooManyRows`](crate::Error::TooManyRows), [`Policies`](crate::Error::Policies) for a cross account under several policies,
    /// [`Memory`](crate::Error::Memory).
    pub fn new(keys: &Keys<'_>) -> Result<Self> {
        keys.check()?;
        // Blocks and ranges of accounts are pushed one by one.
        let parts = keys.account.labels + keys.instrument.of_row.len() + BLOCK_ROWS * keys.policies();
        memory::room_for(parts / BLOCK_ROWS * BYTES_OF_BLOCK)?;
        let mut layout = Self {
            rows: keys.instrument.of_row.len(),
            policies: keys.policies(),
            instruments: keys.instrument.labels,
            assets: keys.balances.map_or(0, |balances| balances.asset.labels),
            ..Self::default()
        };
        layout.pooled = PooledAccounts::new(keys)?;
        let mut groups = layout.group_rows(keys)?;
        let isolated = groups.split_off(layout.policies);
        if keys.cross.is_some() {
            let together = layout.place_accounts(keys, &groups)?;
            layout.push_legs(&groups, together)?;
        }
        for (policy, rows) in isolated.iter().enumerate() {
            layout.push_blocks(false, policy, rows, 0);
        }
        Ok(layout)
    }

    /// Whether the caller keeps the legs of every account together, in the order of rows.
    #[must_use]
    pub fn keeps_accounts_together(&self) -> bool {
        self.scattered.places.is_empty()
    }

    /// Whether any account is settled as one whole.
    #[must_use]
    pub fn has_pooled_accounts(&self) -> bool {
        !self.pooled.accounts.is_empty()
    }

    /// Blocks that threads work on one by one.
    pub(crate) fn count_of_tasks(&self) -> usize {
        self.blocks.len() + self.account_ranges.len() + self.pooled.blocks.len() + self.pooled.by_row.blocks.len()
    }

    /// Bytes that the buffers of a thread may grow to, by the largest block and the largest account; isolated rows need none.
    pub(crate) fn bytes_of_a_task(&self) -> usize {
        let legs = |accounts: Range<usize>| accounts.map(|account| self.pooled.accounts[account].parts());
        let together = self.blocks.iter().filter(|block| block.cross).map(|block| block.rows.len());
        let judged = self.account_ranges.iter().map(|range| range.accounts.len());
        let pooled = self.pooled.blocks.iter().map(|block| legs(block.accounts.clone()).sum());
        let largest = legs(0..self.pooled.accounts.len()).max().unwrap_or(0);
        together.chain(judged).chain(pooled).max().unwrap_or(0) * BYTES_OF_LEG + largest * BYTES_OF_POOLED_LEG
    }

    /// Row order of a book that keeps policies and accounts together and is otherwise as this one: cross rows by policy and account, then
    /// isolated rows by policy.
    ///
    /// # Errors
    ///
    /// [`Memory`](crate::Error::Memory).
    pub fn row_order(&self) -> Result<Vec<u32>> {
        let mut order = self.rows_of_legs()?;
        for block in self.blocks.iter().filter(|block| !block.cross) {
            order.extend(self.rows_of(&block.rows).map(|row| row as u32));
        }
        order.extend_from_slice(&self.pooled.rows);
        Ok(order)
    }

    /// Rows of the legs counted by account, those of one account in the order of rows; with room for all other rows.
    pub(crate) fn rows_of_legs(&self) -> Result<Vec<u32>> {
        let legs = self.blocks.iter().filter(|block| block.cross).flat_map(|block| self.rows_of(&block.rows));
        if self.keeps_accounts_together() {
            return memory::collected(self.rows, legs.map(|row| row as u32));
        }
        let mut free = memory::collected(self.legs_of_account.len(), self.legs_of_account.iter().copied())?;
        let mut rows = memory::with_room(self.rows)?;
        rows.resize(self.scattered.places.len(), 0);
        for row in legs {
            let next = &mut free[self.account_of_row[row] as usize];
            rows[*next as usize] = row as u32;
            *next += 1;
        }
        Ok(rows)
    }

    /// The first of these rows; zero if there are none.
    pub(crate) fn first_row(&self, rows: &Rows) -> usize {
        self.rows_of(rows).next().unwrap_or(0)
    }

    pub(super) fn rows_of(&self, rows: &Rows) -> impl Iterator<Item = usize> {
        let (range, listed) = match rows {
            Rows::Range(range) => (range.clone(), None),
            Rows::Listed(range) => (range.clone(), Some(&self.listed)),
        };
        range.map(move |place| listed.map_or(place, |listed| listed[place] as usize))
    }

    /// Cross rows of each policy, then isolated rows of each; those that do not follow one another are listed.
    fn group_rows(&mut self, keys: &Keys<'_>) -> Result<Vec<Rows>> {
        // What most books are needs no look at each row.
        match keys.cross {
            None if keys.policy.is_none() => return Ok(vec![Rows::Range(0..0), Rows::Range(0..self.rows)]),
            Some(cross) if keys.policy.is_none() && !self.has_pooled_accounts() && !cross.contains(&false) => {
                return Ok(vec![Rows::Range(0..self.rows), Rows::Range(0..0)]);
            }
            _ => {}
        }
        let group_of = |row: usize| {
            if !keys.is_cross(row) {
                return Some(keys.policy_of(row) + self.policies);
            }
            let pooled = self.pooled.holds(keys.account.of_row[row] as usize);
            (!pooled).then(|| keys.policy_of(row))
        };
        let mut extents = vec![Extent::default(); 2 * self.policies];
        for row in 0..self.rows {
            if let Some(group) = group_of(row) {
                extents[group].add(row);
            }
        }
        let mut listed = 0;
        let groups: Vec<Rows> = extents.iter().map(|extent| extent.place(&mut listed)).collect();
        if listed > 0 {
            let mut free: Vec<Option<usize>> = groups.iter().map(Rows::first_listed).collect();
            let mut rows = memory::filled(0, listed)?;
            for row in 0..self.rows {
                if let Some(next) = group_of(row).and_then(|group| free[group].as_mut()) {
                    rows[*next] = row as u32;
                    *next += 1;
                }
            }
            self.listed = rows;
        }
        Ok(groups)
    }

    /// Blocks of the legs of each policy.
    fn push_legs(&mut self, groups: &[Rows], together: bool) -> Result<()> {
        let legs: usize = groups.iter().map(Rows::len).sum();
        let full = if together { (BLOCK_ROWS, BLOCK_ROWS) } else { (legs_of_range(legs), RANGE_ACCOUNTS) };
        let mut first_leg = 0;
        let mut first_account = 0;
        for (policy, rows) in groups.iter().enumerate() {
            let end = first_leg + rows.len();
            let accounts = first_account..self.legs_of_account.partition_point(|&start| (start as usize) < end);
            first_account = accounts.end;
            if together {
                self.push_accounts(policy, rows, first_leg, accounts, full);
            } else {
                self.push_blocks(true, policy, rows, first_leg);
                self.account_ranges.extend(self.cut_accounts(policy, accounts, full));
            }
            first_leg = end;
        }
        // Without a requirement no rule of a policy matters, so any of them judges an account that has no legs.
        let idle = first_account..self.accounts.len();
        if together {
            self.push_accounts(0, &Rows::Range(0..0), first_leg, idle, full);
        } else {
            self.account_ranges.extend(self.cut_accounts(0, idle, full));
            self.scattered = match groups {
                // All rows are legs, in their order.
                [Rows::Range(only)] if only.len() == self.rows => self.scatter(&self.account_of_row)?,
                _ => {
                    let rows = groups.iter().flat_map(|rows| self.rows_of(rows));
                    self.scatter(&memory::collected(legs, rows.map(|row| self.account_of_row[row]))?)?
                }
            };
        }
        Ok(())
    }

    fn scatter(&self, legs: &[u32]) -> Result<Scattered> {
        Scattered::new(legs, &self.legs_of_account, &self.account_ranges)
    }

    /// Blocks of whole accounts, whose legs are these rows.
    fn push_accounts(
        &mut self,
        policy: usize,
        rows: &Rows,
        first_leg: usize,
        accounts: Range<usize>,
        full: (usize, usize),
    ) {
        for AccountRange { accounts, .. } in self.cut_accounts(policy, accounts, full) {
            let legs = self.legs_of_account[accounts.start] as usize..self.legs_of_account[accounts.end] as usize;
            let rows = rows.part(legs.start - first_leg..legs.end - first_leg);
            self.blocks.push(Block { cross: true, policy, rows, accounts, first_leg: legs.start });
        }
    }

    fn push_blocks(&mut self, cross: bool, policy: usize, rows: &Rows, first_leg: usize) {
        let full = even_part(rows.len());
        for first in (0..rows.len()).step_by(full) {
            let places = first..rows.len().min(first + full);
            let first_leg = first_leg + first;
            self.blocks.push(Block { cross, policy, rows: rows.part(places), accounts: 0..0, first_leg });
        }
    }

    /// Consecutive ranges of accounts that hold about so many legs each, or so many accounts.
    fn cut_accounts(
        &self,
        policy: usize,
        accounts: Range<usize>,
        (full_legs, full_accounts): (usize, usize),
    ) -> Vec<AccountRange> {
        let starts = &self.legs_of_account;
        let mut ranges = Vec::new();
        let mut first = accounts.start;
        for account in accounts.clone() {
            let full = (starts[account + 1] - starts[first]) as usize > full_legs || account - first >= full_accounts;
            if full && account > first {
                ranges.push(AccountRange { policy, accounts: first..account });
                first = account;
            }
        }
        if first < accounts.end {
            ranges.push(AccountRange { policy, accounts: first..accounts.end });
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::keys::Codes;
    use crate::error::Error;

    fn keys<'a>(instrument: &'a [u32], cross: &'a [bool], account: &'a [u32], accounts: usize) -> Keys<'a> {
        let account = Codes { of_row: account, labels: accounts };
        Keys { cross: Some(cross), account, ..Keys::isolated(instrument, instrument.len() + 4) }
    }

    /// An instrument of its own for each row, so that no account has one twice.
    fn distinct(rows: usize) -> Vec<u32> {
        (0..rows as u32).collect()
    }

    fn is_permutation(layout: &Layout) -> bool {
        let mut order = layout.row_order().unwrap();
        order.sort_unstable();
        order.iter().enumerate().all(|(row, &found)| row == found as usize) && order.len() == layout.rows
    }

    #[test]
    fn isolated_rows_stay_where_they_are() {
        let instrument: Vec<u32> = (0..40_000).map(|row| row % 7).collect();
        let layout = Layout::new(&Keys::isolated(&instrument, 7)).unwrap();
        assert!(layout.keeps_accounts_together() && is_permutation(&layout));
    }

    #[test]
    fn accounts_that_are_kept_together_need_no_list() {
        let account: Vec<u32> = (0..30_000).map(|row| (row / 7) ^ 1).collect();
        let accounts = *account.iter().max().unwrap() as usize + 1;
        let (instrument, cross) = (distinct(account.len()), vec![true; account.len()]);
        let layout = Layout::new(&keys(&instrument, &cross, &account, accounts)).unwrap();
        assert!(layout.keeps_accounts_together() && is_permutation(&layout));
        assert!(layout.blocks.len() > 1 && layout.listed.is_empty());
    }

    #[test]
    fn legs_that_lie_apart_are_listed_in_the_order_of_rows() {
        let rows = 50_000_u32;
        let instrument = distinct(rows as usize);
        let account: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(40_503) % 5_000).collect();
        let cross: Vec<bool> = (0..rows).map(|row| row % 3 != 0).collect();
        let layout = Layout::new(&keys(&instrument, &cross, &account, 5_000)).unwrap();
        assert!(is_permutation(&layout));
        let by_account = layout.rows_of_legs().unwrap();
        assert!(layout.accounts.is_sorted());
        for (place, &code) in layout.accounts.iter().enumerate() {
            let range = layout.legs_of_account[place] as usize..layout.legs_of_account[place + 1] as usize;
            let legs = &by_account[range];
            assert!(legs.is_sorted() && !legs.is_empty());
            assert!(legs.iter().all(|&row| account[row as usize] == code && cross[row as usize]));
        }
    }

    #[test]
    fn every_row_and_account_belongs_to_a_block_of_its_policy() {
        let rows = 60_000_u32;
        let instrument = distinct(rows as usize);
        let account: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(40_503) % 5_000).collect();
        let policy: Vec<u32> = account.iter().map(|account| account % 3).collect();
        let cross: Vec<bool> = (0..rows).map(|row| row % 3 != 0).collect();
        let of_policy = Codes { of_row: &policy, labels: 3 };
        // One account more than has legs.
        let mixed = Keys { policy: Some(of_policy), ..keys(&instrument, &cross, &account, 5_001) };
        let layout = Layout::new(&mixed).unwrap();
        assert!(is_permutation(&layout) && !layout.keeps_accounts_together());
        for block in &layout.blocks {
            let same = |row: usize| cross[row] == block.cross && policy[row] as usize == block.policy;
            assert!(layout.rows_of(&block.rows).all(same));
        }
        let judged: Vec<usize> = layout.account_ranges.iter().flat_map(|range| range.accounts.clone()).collect();
        assert_eq!(judged, (0..5_001).collect::<Vec<_>>());
        for range in &layout.account_ranges {
            let codes = &layout.accounts[range.accounts.clone()];
            assert!(codes.iter().all(|&code| code == 5_000 || code as usize % 3 == range.policy));
        }

        let order = layout.row_order().unwrap();
        let sorted = |column: &[u32]| order.iter().map(|&row| column[row as usize]).collect::<Vec<_>>();
        let (account, policy) = (sorted(&account), sorted(&policy));
        let cross: Vec<bool> = order.iter().map(|&row| cross[row as usize]).collect();
        let of_policy = Codes { of_row: &policy, labels: 3 };
        let layout =
            Layout::new(&Keys { policy: Some(of_policy), ..keys(&instrument, &cross, &account, 5_001) }).unwrap();
        assert!(layout.keeps_accounts_together() && layout.listed.is_empty());
        let whole: Vec<usize> = layout.blocks.iter().flat_map(|block| block.accounts.clone()).collect();
        assert_eq!(whole, (0..5_001).collect::<Vec<_>>());
        assert!(layout.row_order().unwrap().is_sorted());
    }

    #[test]
    fn an_account_under_two_policies_is_refused() {
        let of_policy = Some(Codes { of_row: &[1, 0, 0], labels: 2 });
        let mixed = Keys { policy: of_policy, ..keys(&[0, 1, 2], &[true, true, true], &[1, 0, 1], 2) };
        assert_eq!(Layout::new(&mixed).unwrap_err(), Error::Policies { account: 1, row: 0 });
        let isolated = Keys { policy: of_policy, ..keys(&[0, 0, 0], &[true, true, false], &[1, 0, 1], 2) };
        assert!(Layout::new(&isolated).is_ok());
        let pooled = Keys { policy: of_policy, ..keys(&[0, 0, 0], &[true, true, true], &[1, 0, 1], 2) };
        assert_eq!(Layout::new(&pooled).unwrap_err(), Error::Policies { account: 1, row: 2 });
    }

    #[test]
    fn the_row_order_makes_a_book_that_keeps_accounts_together() {
        let account: Vec<u32> = (0..9_000_u32).map(|row| row.wrapping_mul(40_503) % 800).collect();
        let (instrument, cross) = (distinct(account.len()), vec![true; account.len()]);
        let layout = Layout::new(&keys(&instrument, &cross, &account, 800)).unwrap();
        assert!(!layout.keeps_accounts_together());
        let sorted: Vec<u32> = layout.row_order().unwrap().iter().map(|&row| account[row as usize]).collect();
        assert!(Layout::new(&keys(&instrument, &cross, &sorted, 800)).unwrap().keeps_accounts_together());
    }

    #[test]
    fn codes_outside_of_their_table_are_refused() {
        let refused = Layout::new(&Keys::isolated(&[0, 3], 3));
        assert!(matches!(refused, Err(Error::Code { row: 1, .. })));
        let refused = Layout::new(&keys(&[0], &[true], &[1], 1));
        assert!(matches!(refused, Err(Error::Code { argument: "account", .. })));
        let policy = Some(Codes { of_row: &[2], labels: 2 });
        let refused = Layout::new(&Keys { policy, ..Keys::isolated(&[0], 1) });
        assert!(matches!(refused, Err(Error::Code { argument: "policy", .. })));
        let policy = Some(Codes { of_row: &[], labels: 2 });
        let refused = Layout::new(&Keys { policy, ..Keys::isolated(&[0], 1) });
        assert!(matches!(refused, Err(Error::Length { argument: "policy", .. })));
    }
}
