//! Accounts whose parts move together, and so are settled one by one: which they are, and their legs and balances.

use std::ops::Range;

use crate::book::blocks::BLOCK_ROWS;
use crate::book::grouped::{Grouped, by_account};
use crate::book::keys::{Keys, check_codes};
use crate::book::pooled_rows::PooledRows;
use crate::error::{Error, Result};
use crate::memory;

/// Bits of a word of them.
const BITS: usize = u64::BITS as usize;

/// One pooled account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PooledAccount {
    pub code: usize,
    /// Its legs in [`PooledAccounts::rows`].
    pub legs: Range<usize>,
    /// Its balances in [`PooledAccounts::balances`].
    pub balances: Range<usize>,
}

impl PooledAccount {
    /// Legs and balances.
    pub(crate) fn parts(&self) -> usize {
        self.legs.len() + self.balances.len()
    }
}

/// Pooled accounts of one policy that one thread settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PooledBlock {
    pub policy: usize,
    /// Accounts in [`PooledAccounts::accounts`].
    pub accounts: Range<usize>,
}

/// The pooled accounts of a book, policy by policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct PooledAccounts {
    /// Whether an account may hold a long and a short leg of one instrument.
    pub hedge: bool,
    pub accounts: Vec<PooledAccount>,
    /// Rows by account, ascending in each.
    pub rows: Vec<u32>,
    /// Balances by account, ascending in each.
    pub balances: Vec<u32>,
    pub blocks: Vec<PooledBlock>,
    /// The legs in the order of rows, where they lie apart.
    pub by_row: PooledRows,
    /// Whether an account is pooled, by its code.
    is_pooled: Vec<bool>,
}

impl PooledAccounts {
    /// Finds the accounts with balances and those with several legs of one instrument; all of them if `keys.pool_all` says so.
    pub(crate) fn new(keys: &Keys<'_>) -> Result<Self> {
        let mut pooled = Self { hedge: keys.hedge, ..Self::default() };
        if keys.cross.is_none() && keys.balances.is_none() {
            return Ok(pooled);
        }
        let accounts = keys.account.labels;
        let balances = match &keys.balances {
            None => Grouped::empty(accounts)?,
            Some(balances) => {
                check_codes("balances.account", &balances.account, balances.account.of_row.len(), |_| true)?;
                check_codes("balances.asset", &balances.asset, balances.account.of_row.len(), |_| true)?;
                let rows = balances.account.of_row.iter().enumerate().map(|(row, &account)| (row as u32, account));
                by_account(rows, accounts)?
            }
        };
        pooled.is_pooled = memory::filled(keys.pool_all, accounts)?;
        pooled.mark_repeated(keys)?;
        if !balances.rows.is_empty() {
            for account in 0..accounts {
                pooled.is_pooled[account] |= !balances.of(account).is_empty();
            }
        }
        if pooled.is_pooled.contains(&true) {
            pooled.push_accounts(keys, &by_account(keys.legs(), accounts)?, &balances)?;
        }
        Ok(pooled)
    }

    /// Whether the account with this code is pooled.
    pub(crate) fn holds(&self, account: usize) -> bool {
        self.is_pooled.get(account).copied().unwrap_or(false)
    }

    /// Rows of the legs of a block, account by account.
    pub(crate) fn rows_of(&self, block: &PooledBlock) -> &[u32] {
        &self.rows[self.legs_of(block)]
    }

    /// Legs of a block, in [`PooledAccounts::rows`].
    pub(crate) fn legs_of(&self, block: &PooledBlock) -> Range<usize> {
        match &self.accounts[block.accounts.clone()] {
            [first, .., last] => first.legs.start..last.legs.end,
            [only] => only.legs.clone(),
            [] => 0..0,
        }
    }

    /// Marks accounts in which an instrument stands twice.
    fn mark_repeated(&mut self, keys: &Keys<'_>) -> Result<()> {
        let (accounts, instruments) = (keys.account.labels, keys.instrument.labels);
        let rows = keys.instrument.of_row.len();
        let words = accounts.saturating_mul(instruments).div_ceil(BITS);
        if words <= rows {
            // A bit for each instrument of each account: one look at memory a leg, and none of them waits for another.
            let mut seen = memory::filled(0_u64, words)?;
            for (row, account) in keys.legs() {
                let place = account as usize * instruments + keys.instrument.of_row[row as usize] as usize;
                let (word, bit) = (&mut seen[place / BITS], 1 << (place % BITS));
                if *word & bit != 0 {
                    self.is_pooled[account as usize] = true;
                }
                *word |= bit;
            }
            return Ok(());
        }
        let legs = by_account(keys.legs(), accounts)?;
        let mut last_account = memory::filled(usize::MAX, instruments)?;
        for account in 0..accounts {
            for &row in legs.of(account) {
                let seen = &mut last_account[keys.instrument.of_row[row as usize] as usize];
                self.is_pooled[account] |= *seen == account;
                *seen = account;
            }
        }
        Ok(())
    }

    fn push_accounts(&mut self, keys: &Keys<'_>, legs: &Grouped, balances: &Grouped) -> Result<()> {
        let pooled = self.is_pooled.iter().filter(|&&is_pooled| is_pooled).count();
        self.accounts = memory::with_room(pooled)?;
        self.rows = memory::with_room(legs.rows.len())?;
        self.balances = memory::with_room(balances.rows.len())?;
        let mut of_policy = vec![Vec::new(); keys.policies()];
        for account in (0..keys.account.labels).filter(|&account| self.is_pooled[account]) {
            let policy = policy_of(keys, legs.of(account), balances.of(account))?;
            if let Some(&row) = legs.of(account).iter().find(|&&row| keys.policy_of(row as usize) != policy) {
                return Err(Error::Policies { account, row: row as usize });
            }
            let codes: &mut Vec<usize> = &mut of_policy[policy];
            if codes.is_empty() {
                *codes = memory::with_room(pooled)?;
            }
            codes.push(account);
        }
        let mut policies = Vec::with_capacity(of_policy.len());
        for (policy, codes) in of_policy.into_iter().enumerate() {
            let first_leg = self.rows.len();
            let mut first = self.accounts.len();
            let mut rows = 0;
            for code in codes {
                let own = legs.of(code).len() + balances.of(code).len();
                if rows + own > BLOCK_ROWS && self.accounts.len() > first {
                    self.blocks.push(PooledBlock { policy, accounts: first..self.accounts.len() });
                    (first, rows) = (self.accounts.len(), 0);
                }
                rows += own;
                let legs = push(&mut self.rows, legs.of(code));
                let balances = push(&mut self.balances, balances.of(code));
                self.accounts.push(PooledAccount { code, legs, balances });
            }
            if self.accounts.len() > first {
                self.blocks.push(PooledBlock { policy, accounts: first..self.accounts.len() });
            }
            policies.push(first_leg..self.rows.len());
        }
        self.by_row = PooledRows::new(&self.rows, &policies, keys.instrument.of_row.len())?;
        Ok(())
    }
}

/// Policy of an account by its legs, or its balances where it has none.
fn policy_of(keys: &Keys<'_>, legs: &[u32], balances: &[u32]) -> Result<usize> {
    let of_balances = keys.balances.as_ref().and_then(|balances| balances.policy);
    let policy = match (legs.first(), balances.first(), of_balances) {
        (Some(&row), ..) => keys.policy_of(row as usize),
        (None, Some(&row), Some(policy)) => policy[row as usize] as usize,
        _ => 0,
    };
    if policy < keys.policies() {
        return Ok(policy);
    }
    let row = balances.first().map_or(0, |&row| row as usize);
    Err(Error::Code {
        argument: "balances.policy",
        row,
        found: i64::try_from(policy).unwrap_or(i64::MAX),
        limit: keys.policies(),
    })
}

/// Appends rows and says where they stand.
fn push(all: &mut Vec<u32>, rows: &[u32]) -> Range<usize> {
    let first = all.len();
    all.extend_from_slice(rows);
    first..all.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::keys::{BalanceKeys, Codes};

    fn keys<'a>(instrument: &'a [u32], account: &'a [u32], cross: &'a [bool]) -> Keys<'a> {
        Keys { cross: Some(cross), account: Codes { of_row: account, labels: 3 }, ..Keys::isolated(instrument, 2) }
    }

    #[test]
    fn an_account_with_an_instrument_twice_is_pooled() {
        let pooled = PooledAccounts::new(&keys(&[0, 0, 1, 0], &[0, 1, 0, 1], &[true; 4])).unwrap();
        assert!(!pooled.holds(0) && pooled.holds(1) && !pooled.holds(2));
        assert_eq!(pooled.rows, [1, 3]);
    }

    #[test]
    fn few_and_many_instruments_are_told_apart_alike() {
        // Accounts 0 to 4 hold instruments in turn, account 3 the first of its own again.
        let account: Vec<u32> = (0..40).map(|row| row % 5).collect();
        let instrument: Vec<u32> = (0..40).map(|row| if row == 38 { 3 } else { row }).collect();
        for instruments in [41, 1_000] {
            let account = Codes { of_row: &account, labels: 5 };
            let keys = Keys { cross: Some(&[true; 40]), account, ..Keys::isolated(&instrument, instruments) };
            let pooled = PooledAccounts::new(&keys).unwrap();
            assert_eq!(
                (0..5).map(|account| pooled.holds(account)).collect::<Vec<_>>(),
                [false, false, false, true, false]
            );
            assert_eq!(pooled.rows, [3, 8, 13, 18, 23, 28, 33, 38]);
        }
    }

    #[test]
    fn an_account_with_balances_is_pooled_even_without_legs() {
        let balances = BalanceKeys {
            account: Codes { of_row: &[2, 2], labels: 3 },
            asset: Codes { of_row: &[0, 1], labels: 2 },
            policy: None,
        };
        let mut keys = keys(&[], &[], &[]);
        keys.balances = Some(balances);
        let pooled = PooledAccounts::new(&keys).unwrap();
        assert!(pooled.holds(2) && !pooled.holds(0));
        assert_eq!((pooled.accounts.len(), pooled.balances.len()), (1, 2));
    }
}
