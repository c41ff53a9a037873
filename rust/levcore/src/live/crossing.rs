//! From who has crossed a watched level to what is told of it.

use crate::book::columns::Book;
use crate::live::event::{Event, Figures, Watched};
use crate::live::index::{Change, Subject, TriggerIndex};
use crate::live::market::Market;

/// Who is to be evaluated at an instant; the memory is used again.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    /// Verdicts of the levels that have changed.
    pub changes: Vec<Change>,
    /// Isolated rows, and places of accounts.
    pub rows: Vec<u32>,
    pub accounts: Vec<u32>,
    figures: Vec<Figures>,
}

/// States as they were last told.
pub(super) struct Seen<'a> {
    pub rows: &'a mut [u8],
    pub accounts: &'a mut [u8],
    pub watched: Watched,
}

impl Crossing {
    /// Whether nobody has crossed anything.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.rows.is_empty() && self.accounts.is_empty()
    }

    /// Numbers of those who were evaluated last: rows, then accounts.
    pub(super) fn figures(&self) -> &[Figures] {
        &self.figures
    }

    /// Evaluates whomever an index has just looked at: for a level that lies between two floats of the price.
    pub(super) fn look_again(&mut self, index: &TriggerIndex) {
        let (rows, accounts) = index.looked_at();
        self.rows.extend_from_slice(rows);
        self.accounts.extend_from_slice(accounts);
    }

    /// Evaluates them under the policy itself, tells who is in another state, and forgets them.
    pub(super) fn tell(
        &mut self,
        instant: u64,
        book: &Book<'_>,
        index: &TriggerIndex,
        market: &mut Market<'_>,
        seen: &mut Seen<'_>,
        events: &mut Vec<Event>,
    ) {
        for change in self.changes.drain(..) {
            match change.subject {
                Subject::Row(row) => self.rows.push(row),
                Subject::Account(code) => self.accounts.extend(index.subjects.place_of(code)),
            }
        }
        for list in [&mut self.rows, &mut self.accounts] {
            list.sort_unstable();
            list.dedup();
        }
        index.figures(book, market, &self.rows, &self.accounts, &mut self.figures);
        let first = events.len();
        let mut figures = self.figures.iter();
        for (&row, &figures) in self.rows.iter().zip(&mut figures) {
            let of = Subject::Row(row);
            note(events, instant, of, &mut seen.rows[row as usize], seen.watched, figures);
        }
        for (&account, &figures) in self.accounts.iter().zip(&mut figures) {
            let of = Subject::Account(index.subjects.accounts[account as usize].code);
            note(events, instant, of, &mut seen.accounts[account as usize], seen.watched, figures);
        }
        events[first..].sort_unstable_by_key(|event| event.subject);
        self.rows.clear();
        self.accounts.clear();
    }
}

fn note(events: &mut Vec<Event>, instant: u64, subject: Subject, seen: &mut u8, watched: Watched, figures: Figures) {
    let state = watched.seen(figures.state);
    let before = std::mem::replace(seen, state);
    if before != state {
        events.push(Event { instant, subject, before, state, figures });
    }
}
