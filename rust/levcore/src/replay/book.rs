//! The book of a replay: positions, and the money of each purse in quanta.

use crate::book::columns::Book;
use crate::error::{Error, Result};
use crate::live::resident::ResidentBook;

/// What a replay opens with, beside the book; in the order of its rows.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Whether each row is a leg of a cross account.
    pub cross: &'a [bool],
    /// Account code of each leg; of other rows without meaning.
    pub account: &'a [u32],
    /// Number of each row's account in an order in which rows stand nowhere; ties of rankings go to the smaller.
    pub key: &'a [i64],
    /// Margin of each isolated row, quanta.
    pub margin: &'a [i64],
    /// Wallet of each account, quanta.
    pub wallet: &'a [i64],
}

/// A book whose margins and wallets are whole quanta.
#[derive(Debug)]
pub struct ReplayedBook {
    pub(crate) resident: ResidentBook,
    pub(crate) cross: Vec<bool>,
    pub(crate) account: Vec<u32>,
    pub(crate) key: Vec<i64>,
    pub(crate) margin: Vec<i64>,
    pub(crate) wallet: Vec<i64>,
    pub(crate) legs_of_account: Vec<Vec<u32>>,
    pub(crate) rows_of_instrument: Vec<Vec<u32>>,
    per_unit: f64,
}

impl ReplayedBook {
    /// Positions of `book` with the money of `opening`; margins of the book itself and accrued funding are not read.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of several lengths, [`Error::Code`] for an account that is none.
    pub fn new(book: &Book<'_>, instruments: usize, opening: &Opening<'_>, per_unit: f64) -> Result<Self> {
        let expected = book.rows();
        let lengths = [
            ("cross", opening.cross.len()),
            ("account", opening.account.len()),
            ("key", opening.key.len()),
            ("margin", opening.margin.len()),
        ];
        if let Some(&(argument, found)) = lengths.iter().find(|&&(_, found)| found != expected) {
            return Err(Error::Length { argument, expected, found });
        }
        let mut replayed = Self {
            resident: ResidentBook::of(book),
            cross: opening.cross.to_vec(),
            account: opening.account.to_vec(),
            key: opening.key.to_vec(),
            margin: opening.margin.to_vec(),
            wallet: opening.wallet.to_vec(),
            legs_of_account: vec![Vec::new(); opening.wallet.len()],
            rows_of_instrument: vec![Vec::new(); instruments],
            per_unit,
        };
        for row in 0..expected {
            replayed.rows_of_instrument[book.instrument[row] as usize].push(row as u32);
            if opening.cross[row] {
                let (code, limit) = (opening.account[row], opening.wallet.len());
                let legs = replayed.legs_of_account.get_mut(code as usize);
                legs.ok_or(Error::Code { argument: "account", row, found: i64::from(code), limit })?.push(row as u32);
            }
        }
        replayed.resident.accrued_funding = None;
        replayed.resident.isolated_margin = Some(vec![f64::NAN; expected]);
        replayed.resident.wallet_balance = vec![0.0; opening.wallet.len()];
        for row in 0..expected {
            if !opening.cross[row] {
                replayed.set_margin(row, opening.margin[row]);
            }
        }
        (0..opening.wallet.len()).for_each(|account| replayed.set_wallet(account, opening.wallet[account]));
        Ok(replayed)
    }

    /// Quantities by row, margins by row and wallets by account, as they stand.
    #[must_use]
    pub fn state(&self) -> (&[f64], &[i64], &[i64]) {
        (&self.resident.quantity, &self.margin, &self.wallet)
    }

    /// Money that a row's losses fall on first.
    pub(crate) fn purse(&self, row: u32) -> i64 {
        let row = row as usize;
        if self.cross[row] { self.wallet[self.account[row] as usize] } else { self.margin[row] }
    }

    /// Puts money into the purse of a row, or takes it.
    pub(crate) fn pay(&mut self, row: u32, amount: i64) {
        let money = self.purse(row) + amount;
        self.set_purse(row, money);
    }

    pub(crate) fn set_purse(&mut self, row: u32, money: i64) {
        let row = row as usize;
        if self.cross[row] {
            self.set_wallet(self.account[row] as usize, money);
        } else {
            self.set_margin(row, money);
        }
    }

    fn set_margin(&mut self, row: usize, money: i64) {
        self.margin[row] = money;
        if let Some(margins) = &mut self.resident.isolated_margin {
            margins[row] = money as f64 / self.per_unit;
        }
    }

    fn set_wallet(&mut self, account: usize, money: i64) {
        self.wallet[account] = money;
        self.resident.wallet_balance[account] = money as f64 / self.per_unit;
    }

    /// Margins and wallets together.
    pub(crate) fn money(&self) -> i128 {
        let isolated = self.margin.iter().zip(&self.cross).filter(|&(_, &cross)| !cross);
        isolated.map(|(&money, _)| i128::from(money)).sum::<i128>()
            + self.wallet.iter().map(|&money| i128::from(money)).sum::<i128>()
    }

    pub(crate) fn quantity(&self, row: u32) -> f64 {
        self.resident.quantity[row as usize]
    }

    pub(crate) fn instrument(&self, row: u32) -> u32 {
        self.resident.instrument[row as usize]
    }
}
