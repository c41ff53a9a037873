//! A book as changes need it: columns, and who belongs to which account.

use crate::book::columns::Book;
use crate::book::members::Members;
use crate::error::{Error, Result};
use crate::job::context::PolicyAtMarks;
use crate::what_if::position::Position;

/// A book as changes need it.
#[derive(Debug, Clone, Copy)]
pub struct ChangeableBook<'a> {
    /// Its columns.
    pub columns: Book<'a>,
    /// Which rows are legs of a cross account; `None`: all rows are isolated.
    pub cross: Option<&'a [bool]>,
    /// Account of each leg.
    pub account: &'a [u32],
    /// Policy of each row; `None`: one for all of them.
    pub policy: Option<&'a [u32]>,
    /// Policy of each balance; `None`: the first one.
    pub balance_policy: Option<&'a [u32]>,
    /// Which rows and balances each account has.
    pub members: &'a Members,
    /// By the code of an instrument, that of the one whose tier table it replaces; itself unless it is a replacement.
    pub base_of: &'a [u32],
    /// Settlement currency of each instrument under each policy, as any code; 0: not known.
    pub settlement: &'a [u32],
    /// Whether each instrument under each policy may be held on isolated margin alone.
    pub isolated_only: &'a [bool],
    /// Number of assets that codes point to.
    pub assets: usize,
    /// Whether the changed books have a column of leverages.
    pub has_leverage: bool,
    /// As in [`Keys`](crate::Keys).
    pub hedge: bool,
    /// As in [`Keys`](crate::Keys).
    pub pool_all: bool,
}

impl ChangeableBook<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.columns.rows()
    }

    /// The position at a row.
    pub(crate) fn position(&self, row: u32) -> Option<Position> {
        let row = row as usize;
        let book = &self.columns;
        let quantity = *book.quantity.get(row)?;
        let of = |column: Option<&[f64]>, none: f64| column.map_or(none, |column| column[row]);
        let is_cross = self.cross.is_some_and(|cross| cross[row]);
        Some(Position {
            instrument: book.instrument[row],
            policy: self.policy.map_or(0, |policy| policy[row]),
            account: is_cross.then(|| self.account[row]),
            quantity,
            entry_price: book.entry_price[row],
            isolated_margin: of(book.isolated_margin, f64::NAN),
            leverage: of(book.leverage, f64::NAN),
            funding: of(book.accrued_funding, 0.0),
            risk_limit: of(book.risk_limit, f64::NAN),
        })
    }

    /// Balance of an account in an asset, if it has a row of it.
    pub(crate) fn balance_of(&self, account: u32, asset: u32) -> Option<f64> {
        let balances = self.columns.balances?;
        let rows = self.members.balances.of(account as usize);
        rows.iter().find(|&&row| balances.asset[row as usize] == asset).map(|&row| balances.balance[row as usize])
    }

    /// Refuses columns and codes that do not fit each other and the policies.
    pub(crate) fn check_against(&self, policies: &[PolicyAtMarks<'_>]) -> Result<()> {
        self.columns.check()?;
        let (rows, instruments) = (self.rows(), self.base_of.len());
        let balances = self.columns.balances.map_or(0, |own| own.balance.len());
        let lengths = [
            ("members", self.members.rows, rows),
            ("margin_mode", self.cross.map_or(rows, <[bool]>::len), rows),
            ("account", if self.cross.is_some() { self.account.len() } else { rows }, rows),
            ("policy", self.policy.map_or(rows, <[u32]>::len), rows),
            ("wallet_balance", self.columns.wallet_balance.len(), self.members.accounts),
            ("balances.policy", self.balance_policy.map_or(balances, <[u32]>::len), balances),
            ("settlement", self.settlement.len(), instruments * policies.len()),
            ("isolated_only", self.isolated_only.len(), instruments * policies.len()),
        ];
        if let Some((argument, found, expected)) = lengths.into_iter().find(|(_, found, expected)| found != expected) {
            return Err(Error::Length { argument, expected, found });
        }
        let codes = [
            ("instrument", self.columns.instrument, instruments),
            ("instrument", self.base_of, instruments),
            ("policy", self.policy.unwrap_or(&[]), policies.len()),
        ];
        for (argument, column, limit) in codes {
            if let Some(row) = column.iter().position(|&code| code as usize >= limit) {
                return Err(Error::Code { argument, row, found: i64::from(column[row]), limit });
            }
        }
        let odd = |given: &&PolicyAtMarks<'_>| given.places.len() != instruments || given.marks.len() != instruments;
        match policies.iter().find(odd) {
            Some(given) => Err(Error::Length { argument: "marks", expected: instruments, found: given.marks.len() }),
            None if policies.is_empty() => Err(Error::Length { argument: "policy", expected: 1, found: 0 }),
            None => Ok(()),
        }
    }
}
