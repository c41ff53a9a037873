//! The nearest bounds of every instrument over all levels: what a tick that reaches nobody is compared with.

use crate::book::columns::Book;
use crate::live::index::TriggerIndex;
use crate::live::market::Market;

/// Nearest bounds and prices by instrument. Markets hear of prices when somebody is to be evaluated, and not before.
#[derive(Debug)]
pub(super) struct Edges {
    /// Up to which, and from which on, a price reaches somebody.
    of: Vec<[f64; 2]>,
    /// Prices that hold now.
    pub prices: Vec<f64>,
    /// Whether the markets have not heard of a price, and of which instruments.
    is_behind: Vec<bool>,
    behind: Vec<u32>,
    /// Whether an instrument has had a tick.
    has_moved: Vec<bool>,
    renewed: Vec<u32>,
}

impl Edges {
    /// Those of indexes at the marks of a market.
    pub(super) fn of(indexes: &[TriggerIndex], market: &Market<'_>) -> Self {
        let count = market.instruments();
        let codes = 0..count as u32;
        Self {
            of: codes.clone().map(|code| nearest(indexes, code)).collect(),
            prices: codes.map(|code| market.mark(code)).collect(),
            is_behind: vec![false; count],
            behind: Vec::new(),
            has_moved: vec![false; count],
            renewed: Vec::new(),
        }
    }

    /// Lets a price pass: whether it reaches anybody.
    #[inline(always)]
    pub(super) fn pass(&mut self, instrument: u32, price: f64) -> bool {
        let place = instrument as usize;
        self.prices[place] = price;
        if !self.is_behind[place] {
            self.is_behind[place] = true;
            self.has_moved[place] = true;
            self.behind.push(instrument);
        }
        let [lower, upper] = self.of[place];
        price <= lower || price >= upper
    }

    /// Tells the markets of all prices.
    pub(super) fn catch_up(&mut self, markets: &mut [Market<'_>]) {
        for instrument in self.behind.drain(..) {
            self.is_behind[instrument as usize] = false;
            let price = self.prices[instrument as usize];
            markets.iter_mut().for_each(|market| market.remark(instrument, price));
        }
    }

    /// Notes the instruments of those whom an index has just looked at, and so armed anew.
    pub(super) fn note(&mut self, index: &TriggerIndex, book: &Book<'_>) {
        let (rows, accounts) = index.looked_at();
        let legs = accounts.iter().flat_map(|&account| index.subjects.legs_of(account));
        self.renewed.extend(rows.iter().chain(legs).map(|&row| book.instrument[row as usize]));
    }

    /// Finds the nearest bounds anew of these instruments and of those that were noted.
    pub(super) fn renew(&mut self, indexes: &[TriggerIndex], ticked: &[(u32, f64)]) {
        self.renewed.extend(ticked.iter().map(|&(instrument, _)| instrument));
        self.renewed.sort_unstable();
        self.renewed.dedup();
        for instrument in self.renewed.drain(..) {
            self.of[instrument as usize] = nearest(indexes, instrument);
        }
    }

    /// Instruments that have had ticks.
    pub(super) fn moved(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.has_moved.len() as u32).filter(|&code| self.has_moved[code as usize])
    }
}

/// Nearest bounds of an instrument over all levels.
fn nearest(indexes: &[TriggerIndex], instrument: u32) -> [f64; 2] {
    indexes.iter().fold([f64::NEG_INFINITY, f64::INFINITY], |[lower, upper], index| {
        let [own_lower, own_upper] = index.watches[instrument as usize].edges();
        [if own_lower > lower { own_lower } else { lower }, if own_upper < upper { own_upper } else { upper }]
    })
}
