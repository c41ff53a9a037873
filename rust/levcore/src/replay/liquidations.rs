//! How far the liquidations of a replay have got: what of a row is closed, which step is the next.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::live::subjects::Subject;
use crate::replay::book::ReplayedBook;

/// What is to be closed of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Close {
    pub row: u32,
    /// Contracts, with the sign of the position.
    pub quantity: f64,
    /// NaN: the mark.
    pub trigger: f64,
    /// Whether the fund takes the position over with what is left of its margin.
    pub taken_over: bool,
}

/// How far liquidations have got.
#[derive(Debug)]
pub(crate) struct Liquidations {
    /// Seconds.
    pub now: f64,
    /// Steps of each subject at this instant.
    pub steps: BTreeMap<Subject, u32>,
    /// Contracts that the first step of each row closed at the instant of its last one.
    pub first: Vec<f64>,
    /// When each row, and each account, had its last step; before all times where it had none.
    of_row: Vec<f64>,
    of_account: Vec<f64>,
}

impl Liquidations {
    pub(crate) fn new(book: &ReplayedBook) -> Self {
        let rows = book.cross.len();
        Self {
            now: 0.0,
            steps: BTreeMap::new(),
            first: vec![0.0; rows],
            of_row: vec![f64::NEG_INFINITY; rows],
            of_account: vec![f64::NEG_INFINITY; book.wallet.len()],
        }
    }

    /// A new instant.
    pub(crate) fn begin(&mut self, now: f64) {
        self.now = now;
        self.steps.clear();
    }

    pub(crate) fn stepped(&self) -> (&[f64], &[f64]) {
        (&self.of_row, &self.of_account)
    }

    pub(crate) fn go_on_after(&mut self, of_row: &[f64], of_account: &[f64]) -> Result<()> {
        for (argument, own, given) in
            [("of_row", &mut self.of_row, of_row), ("of_account", &mut self.of_account, of_account)]
        {
            if own.len() != given.len() {
                return Err(Error::Length { argument, expected: own.len(), found: given.len() });
            }
            own.copy_from_slice(given);
        }
        Ok(())
    }

    /// When a subject had its last step.
    pub(crate) fn last(&mut self, subject: Subject) -> &mut f64 {
        match subject {
            Subject::Row(row) => &mut self.of_row[row as usize],
            Subject::Account(code) => &mut self.of_account[code as usize],
        }
    }
}
