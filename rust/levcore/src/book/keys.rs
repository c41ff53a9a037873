//! What decides in which order a book is evaluated: codes of instruments, policies and accounts.

use crate::error::{Error, Result};

/// A column of codes, one a row, and the number of labels that they point to.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// Code of each row.
    pub of_row: &'a [u32],
    /// Number of labels: one past the last legal code.
    pub labels: usize,
}

/// What accounts hold and owe, one asset of one account a row.
#[derive(Debug, Clone, Copy)]
pub struct BalanceKeys<'a> {
    /// Account of each balance.
    pub account: Codes<'a>,
    /// Asset of each balance.
    pub asset: Codes<'a>,
    /// Policy of each balance, for accounts without legs; `None`: the first one.
    pub policy: Option<&'a [u32]>,
}

/// What decides in which order the rows of a book are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Instrument of each row.
    pub instrument: Codes<'a>,
    /// Policy of each row; `None`: one policy holds for all of them.
    pub policy: Option<Codes<'a>>,
    /// Which rows are legs of a cross account; `None`: all rows are isolated.
    pub cross: Option<&'a [bool]>,
    /// Account of each leg; only the labels matter without [`Keys::cross`].
    pub account: Codes<'a>,
    /// What accounts hold in several assets, if any does.
    pub balances: Option<BalanceKeys<'a>>,
    /// Whether an account may hold a long and a short leg of one instrument.
    pub hedge: bool,
    /// Whether every account is settled by itself, as one whole, even where its legs do not move together.
    pub pool_all: bool,
}

impl<'a> Keys<'a> {
    /// Keys of isolated positions under one policy.
    #[must_use]
    pub fn isolated(instrument: &'a [u32], instruments: usize) -> Self {
        let account = Codes { of_row: &[], labels: 0 };
        Self {
            instrument: Codes { of_row: instrument, labels: instruments },
            policy: None,
            cross: None,
            account,
            balances: None,
            hedge: false,
            pool_all: false,
        }
    }

    /// Cross rows with their accounts.
    pub(crate) fn legs(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let accounts = if self.cross.is_some() { self.account.of_row } else { &[] };
        let rows = accounts.iter().enumerate().filter(|&(row, _)| self.is_cross(row));
        rows.map(|(row, &account)| (row as u32, account))
    }

    pub(crate) fn policies(&self) -> usize {
        self.policy.map_or(1, |policy| policy.labels)
    }

    pub(crate) fn policy_of(&self, row: usize) -> usize {
        self.policy.map_or(0, |policy| policy.of_row[row] as usize)
    }

    pub(crate) fn is_cross(&self, row: usize) -> bool {
        self.cross.is_some_and(|cross| cross[row])
    }

    /// Refuses columns that do not fit each other.
    pub(crate) fn check(&self) -> Result<()> {
        let rows = self.instrument.of_row.len();
        if rows >= u32::MAX as usize {
            return Err(Error::TooManyRows { found: rows });
        }
        check_codes("instrument", &self.instrument, rows, |_| true)?;
        if let Some(policy) = &self.policy {
            check_codes("policy", policy, rows, |_| true)?;
        }
        match self.cross {
            None => Ok(()),
            Some(cross) if cross.len() != rows => {
                Err(Error::Length { argument: "margin_mode", expected: rows, found: cross.len() })
            }
            Some(cross) => check_codes("account", &self.account, rows, |row| cross[row]),
        }
    }
}

/// Refuses a column of another length, and codes outside of their table in the rows that matter.
pub(crate) fn check_codes(
    argument: &'static str,
    codes: &Codes<'_>,
    rows: usize,
    relevant: impl Fn(usize) -> bool,
) -> Result<()> {
    let Codes { of_row, labels } = *codes;
    if of_row.len() != rows {
        return Err(Error::Length { argument, expected: rows, found: of_row.len() });
    }
    match of_row.iter().enumerate().position(|(row, &code)| code as usize >= labels && relevant(row)) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(of_row[row]), limit: labels }),
        None => Ok(()),
    }
}
