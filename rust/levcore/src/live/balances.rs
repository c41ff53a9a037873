//! What accounts of a live book hold and owe in several assets, changed in place.

use crate::error::{Error, Result};
use crate::live::book::{Levels, LiveBook};
use crate::live::change::check_codes;
use crate::live::event::Event;
use crate::machine::instruction_set::InstructionSet;

/// Columns of balances, each as long as the list of accounts and assets that it is for; `None`: as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct BalanceAmendment<'a> {
    /// Units held.
    pub balance: Option<&'a [f64]>,
    /// Units borrowed.
    pub liability: Option<&'a [f64]>,
    /// Units of interest accrued.
    pub interest: Option<&'a [f64]>,
}

/// Balances by account and asset: of a pair that stands twice the last one holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct BalancesOf<'a> {
    /// Codes of the accounts.
    pub account: &'a [u32],
    /// Codes of the assets.
    pub asset: &'a [u32],
    /// What they are from now on; of an asset that the account has not held, what is left out is zero.
    pub amounts: BalanceAmendment<'a>,
}

impl LiveBook {
    /// Sets balances of accounts: those whose state it changes are told, as at the instant 0.
    ///
    /// An account without any balance is settled as one whole from then on, and its wallet counts no more.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for an account or asset that is none, [`Error::Length`] for columns of another length, [`Error::FallingRate`] as of
    /// [`evaluate`](crate::evaluate()); nothing has changed then.
    pub fn set_balances(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        balances: &BalancesOf<'_>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        self.check_balances(balances, self.resident.wallet_balance.len())?;
        self.refuse_whole(levels, balances)?;
        let accounts = self.put_balances(balances);
        self.add_accounts();
        self.renew(levels, set, &[], &accounts, events)
    }

    /// What an account holds of an asset: balance, liability, interest.
    #[must_use]
    pub fn balance_of(&self, account: u32, asset: u32) -> Option<[f64; 3]> {
        let index = self.indexes.first()?;
        let pooled = index.subjects.accounts[index.subjects.place_of(account)? as usize].pooled?;
        let (row, held) = (self.row_of_balance(pooled, asset)?, &self.resident.balances);
        Some([held.balance[row], held.liability[row], held.interest[row]])
    }

    pub(super) fn check_balances(&self, balances: &BalancesOf<'_>, accounts: usize) -> Result<()> {
        let BalancesOf { account, asset, amounts } = balances;
        check_codes("balances.account", account, accounts)?;
        check_codes("balances.asset", asset, self.assets)?;
        let expected = account.len();
        let columns = [
            ("balances.asset", Some(asset.len())),
            ("balances.balance", amounts.balance.map(<[f64]>::len)),
            ("balances.liability", amounts.liability.map(<[f64]>::len)),
            ("balances.interest", amounts.interest.map(<[f64]>::len)),
        ];
        match columns.into_iter().find(|(_, found)| found.is_some_and(|found| found != expected)) {
            Some((argument, found)) => Err(Error::Length { argument, expected, found: found.unwrap_or(0) }),
            None => Ok(()),
        }
    }

    /// Puts balances into the columns; places of their accounts.
    pub(super) fn put_balances(&mut self, balances: &BalancesOf<'_>) -> Vec<u32> {
        let BalancesOf { account, asset, amounts } = balances;
        let mut places = Vec::with_capacity(account.len());
        for (number, (&code, &asset)) in account.iter().zip(*asset).enumerate() {
            let place = self.place_for(code);
            let pooled = self.pooled(place);
            let row = self.row_of_balance(pooled, asset).unwrap_or_else(|| self.add_balance(pooled, asset));
            let held = &mut self.resident.balances;
            for (column, given) in [
                (&mut held.balance, amounts.balance),
                (&mut held.liability, amounts.liability),
                (&mut held.interest, amounts.interest),
            ] {
                given.into_iter().for_each(|given| column[row] = given[number]);
            }
            places.push(place);
        }
        places
    }

    fn row_of_balance(&self, pooled: usize, asset: u32) -> Option<usize> {
        let (layout, held) = (&self.layout.pooled, &self.resident.balances.asset);
        let mut rows = layout.balances[layout.accounts[pooled].balances.clone()].iter().map(|&row| row as usize);
        rows.find(|&row| held[row] == asset)
    }

    /// Adds a row of balances that holds nothing yet.
    fn add_balance(&mut self, pooled: usize, asset: u32) -> usize {
        let held = &mut self.resident.balances;
        let row = held.asset.len();
        held.asset.push(asset);
        for column in [&mut held.balance, &mut held.liability, &mut held.interest] {
            column.push(0.0);
        }
        self.balance_account.push(self.layout.pooled.accounts[pooled].code as u32);
        self.layout.pooled.add_balance(pooled, row as u32);
        row
    }
}
