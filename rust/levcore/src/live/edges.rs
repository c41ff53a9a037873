//! The nearest bounds of every instrument over all levels: what a tick that reaches nobody is compared with.

use crate::book::columns::Book;
use crate::live::bounds::Bounds;
use crate::live::index::TriggerIndex;

/// Nearest bounds by instrument.
#[derive(Debug)]
pub(super) struct Edges {
    of: Vec<Bounds>,
    renewed: Vec<u32>,
}

impl Edges {
    /// Those of indexes over so many instruments.
    pub(super) fn of(indexes: &[TriggerIndex], instruments: usize) -> Self {
        Self { of: (0..instruments as u32).map(|code| nearest(indexes, code)).collect(), renewed: Vec::new() }
    }

    /// Whether a price reaches anybody.
    #[inline(always)]
    pub(super) fn is_reached(&self, instrument: u32, price: f64) -> bool {
        let Bounds { lower, upper } = self.of[instrument as usize];
        price <= lower || price >= upper
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
}

/// Nearest bounds of an instrument over all levels.
fn nearest(indexes: &[TriggerIndex], instrument: u32) -> Bounds {
    indexes.iter().fold(Bounds::NONE, |Bounds { lower, upper }, index| {
        let own = index.watches[instrument as usize].nearest();
        Bounds {
            lower: if own.lower > lower { own.lower } else { lower },
            upper: if own.upper < upper { own.upper } else { upper },
        }
    })
}
