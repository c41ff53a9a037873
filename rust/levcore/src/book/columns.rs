//! A book of positions as borrowed columns.

use crate::codes::status::AccountStatus;
use crate::error::{Error, Result};

/// What accounts hold and owe, as borrowed columns, one asset of one account a row. A second row of an asset in an account has the status
/// [`InvalidBalance`](crate::Status::InvalidBalance).
#[derive(Debug, Clone, Copy)]
pub struct Balances<'a> {
    /// Asset of each row as a code of the caller's.
    pub asset: &'a [u32],
    /// Units held.
    pub balance: &'a [f64],
    /// Units borrowed, not negative.
    pub liability: Option<&'a [f64]>,
    /// Units of interest accrued, not negative.
    pub interest: Option<&'a [f64]>,
}

/// Columns of a book, one value a position. Optional columns that are absent count as missing in every row, funding as none accrued.
///
/// Which rows belong to which cross account is settled by the [`Layout`](crate::book::layout::Layout).
#[derive(Debug, Clone, Copy)]
pub struct Book<'a> {
    /// Instrument of each row as a code of the caller's.
    pub instrument: &'a [u32],
    /// Signed number of contracts: positive long, negative short.
    pub quantity: &'a [f64],
    /// Average entry price, quote per base.
    pub entry_price: &'a [f64],
    /// Margin of isolated positions in settlement currency, without unrealized PnL; NaN: take it from the leverage.
    pub isolated_margin: Option<&'a [f64]>,
    /// Leverage chosen by the trader.
    pub leverage: Option<&'a [f64]>,
    /// Funding accrued and not yet settled, in settlement currency; positive: received.
    pub accrued_funding: Option<&'a [f64]>,
    /// Risk limit chosen by the trader, for tables keyed by it.
    pub risk_limit: Option<&'a [f64]>,
    /// Wallet balance by account code, in settlement currency, without unrealized PnL; NaN: missing.
    pub wallet_balance: &'a [f64],
    /// What is known to be wrong with accounts before they are summed, by account code: any but OK keeps one from being judged.
    pub account_status: Option<&'a [AccountStatus]>,
    /// Balances of accounts in several assets, if any has them.
    pub balances: Option<Balances<'a>>,
}

impl Balances<'_> {
    fn check(&self) -> Result<()> {
        let expected = self.balance.len();
        let columns = [("balances.liability", self.liability), ("balances.interest", self.interest)];
        for (argument, column) in columns {
            if let Some(found) = column.map(<[f64]>::len)
                && found != expected
            {
                return Err(Error::Length { argument, expected, found });
            }
        }
        match self.asset.len() {
            found if found != expected => Err(Error::Length { argument: "balances.asset", expected, found }),
            _ => Ok(()),
        }
    }
}

impl Book<'_> {
    /// Number of positions.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.quantity.len()
    }

    /// What is known of an account before its legs are summed: what the caller says, or whether there is a wallet.
    #[inline(always)]
    pub(crate) fn status_of_account(&self, account: usize) -> AccountStatus {
        match self.account_status.map(|known| known[account]) {
            None | Some(AccountStatus::Ok) => AccountStatus::of_wallet(self.wallet_balance[account]),
            Some(known) => known,
        }
    }

    /// Checks that the columns are as long as each other.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] naming the first column that differs from `quantity`, or from `wallet_balance`.
    pub fn check(&self) -> Result<()> {
        let expected = self.rows();
        let columns = [
            ("entry_price", Some(self.entry_price)),
            ("isolated_margin", self.isolated_margin),
            ("leverage", self.leverage),
            ("accrued_funding", self.accrued_funding),
            ("risk_limit", self.risk_limit),
        ];
        for (argument, column) in columns {
            if let Some(found) = column.map(<[f64]>::len)
                && found != expected
            {
                return Err(Error::Length { argument, expected, found });
            }
        }
        if let Some(balances) = &self.balances {
            balances.check()?;
        }
        if let Some(found) = self.account_status.map(<[AccountStatus]>::len)
            && found != self.wallet_balance.len()
        {
            return Err(Error::Length { argument: "account_status", expected: self.wallet_balance.len(), found });
        }
        match self.instrument.len() {
            found if found != expected => Err(Error::Length { argument: "instrument", expected, found }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book<'a>(wallet_balance: &'a [f64], account_status: Option<&'a [AccountStatus]>) -> Book<'a> {
        Book {
            instrument: &[],
            quantity: &[],
            entry_price: &[],
            isolated_margin: None,
            leverage: None,
            accrued_funding: None,
            risk_limit: None,
            wallet_balance,
            account_status,
            balances: None,
        }
    }

    #[test]
    fn what_is_known_of_an_account_comes_before_its_wallet() {
        let wallets = [1.0, f64::NAN, f64::INFINITY, 1.0];
        let known = [AccountStatus::Ok, AccountStatus::Ok, AccountStatus::Ok, AccountStatus::MixedSettlement];
        let found = [0, 1, 2, 3].map(|account| book(&wallets, Some(&known)).status_of_account(account));
        let of_wallets = [AccountStatus::Ok, AccountStatus::MissingWalletBalance, AccountStatus::InvalidWalletBalance];
        assert_eq!(found[..3], of_wallets);
        assert_eq!(found[3], AccountStatus::MixedSettlement);
        assert_eq!(book(&wallets, None).status_of_account(3), AccountStatus::Ok);
    }

    #[test]
    fn there_is_one_status_an_account() {
        let short = book(&[1.0, 2.0], Some(&[AccountStatus::Ok])).check();
        assert!(matches!(short, Err(Error::Length { argument: "account_status", expected: 2, found: 1 })));
    }
}
