//! The nearest bounds of every instrument and asset over all levels: what a tick that reaches nobody is compared with.

use crate::book::columns::Book;
use crate::live::bounds::Bounds;
use crate::live::index::TriggerIndex;

/// Nearest bounds by code: of instruments, then of assets.
#[derive(Debug, Default)]
pub(super) struct Edges {
    of: Vec<Bounds>,
    renewed: Vec<u32>,
    is_renewed: Vec<bool>,
}

impl Edges {
    /// Those of indexes over the same codes.
    pub(super) fn of(indexes: &[TriggerIndex]) -> Self {
        let codes = indexes.first().map_or(0, |index| index.watches.len());
        let of = (0..codes as u32).map(|code| nearest(indexes, code)).collect();
        Self { of, renewed: Vec::new(), is_renewed: vec![false; codes] }
    }

    /// Whether a price reaches anybody.
    #[inline(always)]
    pub(super) fn is_reached(&self, instrument: u32, price: f64) -> bool {
        let Bounds { lower, upper } = self.of[instrument as usize];
        price <= lower || price >= upper
    }

    /// Notes the instruments and assets of those whom an index has just looked at, and so armed anew.
    pub(super) fn note(&mut self, index: &TriggerIndex, book: &Book<'_>) {
        let (rows, accounts) = index.looked_at();
        let legs = accounts.iter().flat_map(|&account| index.subjects.legs_of(account));
        rows.iter().chain(legs).for_each(|&row| self.note_one(book.instrument[row as usize]));
        let holders = accounts.iter().flat_map(|&account| index.holders_of(account));
        holders.for_each(|&holder| self.note_one(index.code_of(holder)));
    }

    fn note_one(&mut self, instrument: u32) {
        if !std::mem::replace(&mut self.is_renewed[instrument as usize], true) {
            self.renewed.push(instrument);
        }
    }

    /// Finds the nearest bounds anew of these instruments and of those that were noted.
    pub(super) fn renew(&mut self, indexes: &[TriggerIndex], ticked: impl Iterator<Item = u32>) {
        ticked.for_each(|instrument| self.note_one(instrument));
        for instrument in self.renewed.drain(..) {
            self.is_renewed[instrument as usize] = false;
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
