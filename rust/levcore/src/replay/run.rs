//! The loop of a replay.

use crate::closing::quanta::to_quanta;
use crate::error::Result;
use crate::formulas::exposure;
use crate::live::index::{Change, TriggerIndex};
use crate::live::market::Market;
use crate::replay::book::ReplayedBook;
use crate::replay::exposure::{Exposure, gain_of};
use crate::replay::liquidations::{Close, Liquidations};
use crate::replay::record::{Event, EventKind, Sample};
use crate::replay::rules::ReplayRules;

/// What happens at one instant, in this order.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// When, in seconds.
    pub time: f64,
    /// Prices that hold from now on, by instrument.
    pub prices: &'a [(u32, f64)],
    /// Funding that is due: of each instrument the rate that longs pay to shorts on the value at the mark.
    pub funding: &'a [(u32, f64)],
    /// Instruments that end: their positions are settled at the mark.
    pub delisted: &'a [u32],
    /// Whether to sample the book afterwards.
    pub sample: bool,
}

/// A replay as it stands.
#[derive(Debug)]
pub struct Replay {
    pub(crate) book: ReplayedBook,
    pub(crate) rules: ReplayRules,
    pub(crate) index: TriggerIndex,
    pub(crate) fund: i64,
    pub(crate) exposures: Vec<Exposure>,
    pub(crate) steps: u64,
    pub(crate) open: u64,
    pub(crate) liquidated: i64,
    pub(crate) unpaid: i64,
    /// Margins and wallets.
    pub(crate) money: i128,
    /// What funding has brought the venue: paid less received.
    pub funding: i64,
    /// What happened.
    pub events: Vec<Event>,
    /// The book from time to time.
    pub samples: Vec<Sample>,
    changes: Vec<Change>,
    pub(crate) liquidations: Liquidations,
}

impl Replay {
    /// Opens a replay at the marks of a market.
    ///
    /// # Errors
    ///
    /// As [`TriggerIndex::new`].
    pub fn new(book: ReplayedBook, rules: ReplayRules, fund: i64, market: &mut Market<'_>) -> Result<Self> {
        let index = TriggerIndex::new(&book.resident.book(), market)?;
        let mut exposures = vec![Exposure::default(); market.instruments()];
        let mut open = 0;
        for row in 0..book.resident.quantity.len() as u32 {
            let (quantity, code) = (book.quantity(row), book.instrument(row));
            if quantity != 0.0 && !quantity.is_nan() {
                open += 1;
                let entry = market.coordinate(code, book.resident.entry_price[row as usize]);
                exposures[code as usize].change(gain_of(market.contract(code), quantity), entry, 1.0);
            }
        }
        // Who is liquidatable from the beginning is closed at the first step.
        let changes = index.found_liquidatable(&book.resident.book(), market);
        let money = book.money();
        let liquidations = Liquidations::new(&book);
        let replay = Self {
            book,
            rules,
            index,
            fund,
            exposures,
            steps: 0,
            open,
            liquidated: 0,
            unpaid: 0,
            money,
            funding: 0,
            events: Vec::new(),
            samples: Vec::new(),
            changes,
            liquidations,
        };
        Ok(replay)
    }

    /// Goes on where an earlier replay was stopped: after so many steps, with what funding had brought, what had been liquidated, and what
    /// nobody had paid by then.
    pub fn go_on_from(&mut self, steps: u64, funding: i64, liquidated: i64, unpaid: i64) {
        (self.steps, self.funding, self.liquidated, self.unpaid) = (steps, funding, liquidated, unpaid);
    }

    /// When each row and each account was last closed in part, in seconds.
    #[must_use]
    pub fn stepped(&self) -> (&[f64], &[f64]) {
        self.liquidations.stepped()
    }

    /// Goes on with the times of [`Replay::stepped`].
    ///
    /// # Errors
    ///
    /// [`Error::Length`](crate::Error::Length) for columns of another length.
    pub fn go_on_after(&mut self, of_row: &[f64], of_account: &[f64]) -> Result<()> {
        self.liquidations.go_on_after(of_row, of_account)
    }

    /// Balance of the fund, quanta.
    #[must_use]
    pub fn fund(&self) -> i64 {
        self.fund
    }

    /// Steps that have been taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The book as it stands.
    #[must_use]
    pub fn book(&self) -> &ReplayedBook {
        &self.book
    }

    /// What has been liquidated, and what nobody has paid, quanta.
    #[must_use]
    pub fn so_far(&self) -> (i64, i64) {
        (self.liquidated, self.unpaid)
    }

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`](crate::Error::Domain) for an amount that is no number of quanta,
    /// [`Error::NotJudged`](crate::Error::NotJudged) for a position that cannot be judged at these prices.
    pub fn step(&mut self, market: &mut Market<'_>, step: &Step<'_>) -> Result<()> {
        let mut changes = std::mem::take(&mut self.changes);
        self.liquidations.begin(step.time);
        self.index.tick(&self.book.resident.book(), market, step.prices, &mut changes);
        self.liquidate(market, &mut changes)?;
        if !step.funding.is_empty() {
            self.pay_funding(market, step.funding, &mut changes)?;
            self.liquidate(market, &mut changes)?;
        }
        for &code in step.delisted {
            let rows: Vec<u32> = self.book.rows_of_instrument[code as usize].clone();
            let rows: Vec<Close> =
                rows.into_iter().filter(|&row| self.is_open(row)).map(|row| self.whole(row)).collect();
            self.close(market, EventKind::Delisting, &rows, &mut changes)?;
            self.liquidate(market, &mut changes)?;
        }
        if step.sample {
            let sample = self.sample(market);
            self.samples.push(sample);
        }
        self.steps += 1;
        self.changes = changes;
        Ok(())
    }

    pub(crate) fn is_open(&self, row: u32) -> bool {
        let quantity = self.book.quantity(row);
        quantity != 0.0 && !quantity.is_nan()
    }

    fn pay_funding(&mut self, market: &mut Market<'_>, rates: &[(u32, f64)], changes: &mut Vec<Change>) -> Result<()> {
        let mut paid = Vec::new();
        for &(code, rate) in rates {
            let (contract, coordinate) = (*market.contract(code), market.coordinate(code, market.mark(code)));
            if rate == 0.0 || coordinate.is_nan() {
                continue;
            }
            for place in 0..self.book.rows_of_instrument[code as usize].len() {
                let row = self.book.rows_of_instrument[code as usize][place];
                if !self.is_open(row) {
                    continue;
                }
                let quantity = self.book.quantity(row);
                let value = exposure::value(exposure::size(quantity, contract.contract_size), coordinate);
                let side = if quantity > 0.0 { 1.0 } else { -1.0 };
                let amount = to_quanta(side * (value * rate), self.rules.per_unit)?;
                self.book.pay(row, -amount);
                self.money -= i128::from(amount);
                self.funding += amount;
                paid.push(row);
            }
        }
        self.index.renew(&self.book.resident.book(), market, &paid, changes);
        Ok(())
    }

    fn sample(&self, market: &Market<'_>) -> Sample {
        let (mut profit, mut value) = (0.0, 0.0);
        for (code, exposure) in (0..).zip(&self.exposures) {
            let coordinate = market.coordinate(code, market.mark(code));
            if !coordinate.is_nan() {
                profit += exposure.profit(coordinate);
                value += exposure.value(coordinate);
            }
        }
        Sample {
            step: self.steps,
            open: self.open,
            equity: self.money as f64 / self.rules.per_unit + profit,
            open_interest: value,
            liquidated: self.liquidated,
            fund: self.fund,
            unpaid: self.unpaid,
            margins: i64::try_from(self.money).unwrap_or(i64::MAX),
        }
    }
}
