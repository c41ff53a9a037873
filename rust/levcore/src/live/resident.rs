//! A book that stays and changes: its columns, owned.

use crate::book::columns::{Balances, Book};
use crate::codes::status::AccountStatus;

/// Columns as [`Book`] borrows them.
#[derive(Debug, Clone, Default)]
pub struct ResidentBook {
    /// Instrument of each row as a code of the caller's.
    pub instrument: Vec<u32>,
    /// Signed number of contracts.
    pub quantity: Vec<f64>,
    /// Average entry price, quote per base.
    pub entry_price: Vec<f64>,
    /// Margin of isolated positions; NaN: take it from the leverage.
    pub isolated_margin: Option<Vec<f64>>,
    /// Leverage chosen by the trader.
    pub leverage: Option<Vec<f64>>,
    /// Funding accrued and not yet settled; positive: received.
    pub accrued_funding: Option<Vec<f64>>,
    /// Risk limit chosen by the trader.
    pub risk_limit: Option<Vec<f64>>,
    /// Wallet balance by account code.
    pub wallet_balance: Vec<f64>,
    /// What is known to be wrong with each account before anything is summed.
    pub account_status: Option<Vec<AccountStatus>>,
    /// What accounts hold and owe in several assets.
    pub balances: ResidentBalances,
}

/// Columns as [`Balances`] borrows them.
#[derive(Debug, Clone, Default)]
pub struct ResidentBalances {
    /// Asset of each row as a code of the caller's.
    pub asset: Vec<u32>,
    /// Units held.
    pub balance: Vec<f64>,
    /// Units borrowed.
    pub liability: Vec<f64>,
    /// Units of interest accrued.
    pub interest: Vec<f64>,
}

impl ResidentBalances {
    fn of(balances: &Balances<'_>) -> Self {
        let optional =
            |column: Option<&[f64]>| column.map_or_else(|| vec![0.0; balances.balance.len()], <[f64]>::to_vec);
        Self {
            asset: balances.asset.to_vec(),
            balance: balances.balance.to_vec(),
            liability: optional(balances.liability),
            interest: optional(balances.interest),
        }
    }
}

impl ResidentBook {
    /// A copy of the columns of a book.
    #[must_use]
    pub fn of(book: &Book<'_>) -> Self {
        let copied = |column: Option<&[f64]>| column.map(<[f64]>::to_vec);
        Self {
            instrument: book.instrument.to_vec(),
            quantity: book.quantity.to_vec(),
            entry_price: book.entry_price.to_vec(),
            isolated_margin: copied(book.isolated_margin),
            leverage: copied(book.leverage),
            accrued_funding: copied(book.accrued_funding),
            risk_limit: copied(book.risk_limit),
            wallet_balance: book.wallet_balance.to_vec(),
            account_status: book.account_status.map(<[AccountStatus]>::to_vec),
            balances: book.balances.as_ref().map(ResidentBalances::of).unwrap_or_default(),
        }
    }

    /// The book as it stands.
    #[must_use]
    pub fn book(&self) -> Book<'_> {
        let ResidentBalances { asset, balance, liability, interest } = &self.balances;
        let balances = Balances { asset, balance, liability: Some(liability), interest: Some(interest) };
        Book {
            instrument: &self.instrument,
            quantity: &self.quantity,
            entry_price: &self.entry_price,
            isolated_margin: self.isolated_margin.as_deref(),
            leverage: self.leverage.as_deref(),
            accrued_funding: self.accrued_funding.as_deref(),
            risk_limit: self.risk_limit.as_deref(),
            wallet_balance: &self.wallet_balance,
            account_status: self.account_status.as_deref(),
            balances: (!asset.is_empty()).then_some(balances),
        }
    }
}
