//! From who has crossed a watched level to what is told of it.

use crate::book::columns::Book;
use crate::live::event::{Event, Figures, Watched};
use crate::live::index::{Change, TriggerIndex};
use crate::live::market::Market;
use crate::live::subjects::Subject;

/// Who is to be told of at an instant; the memory is used again.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    /// Verdicts of the levels that have changed.
    pub changes: Vec<Change>,
    /// Isolated rows, and places of accounts.
    rows: Vec<u32>,
    accounts: Vec<u32>,
    /// Theirs; none where it is not known yet.
    figures: Vec<Option<Figures>>,
    found: Vec<Figures>,
}

/// States as they were last told.
#[derive(Debug)]
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

    /// Tells also of whomever an index has just looked at: for a level that lies between two floats of the price.
    pub(super) fn look_again(&mut self, index: &TriggerIndex) {
        let (rows, accounts) = index.looked_at();
        self.rows.extend_from_slice(rows);
        self.accounts.extend_from_slice(accounts);
    }

    /// Tells who is in another state, by their numbers under the policy itself, and forgets them. `looked`: whether its index, the first
    /// one, has looked at anybody at this instant, whose numbers are known then.
    pub(super) fn tell(
        &mut self,
        (instant, looked): (u64, bool),
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
        self.find_figures(looked, book, index, market);
        let first = events.len();
        let mut figures = self.figures.iter().flatten();
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

    /// Numbers of the rows, then of the accounts: those that the index knows, and an evaluation of the others.
    fn find_figures(&mut self, looked: bool, book: &Book<'_>, index: &TriggerIndex, market: &mut Market<'_>) {
        let Self { rows, accounts, found, figures, .. } = self;
        figures.clear();
        let [unknown_rows, unknown_accounts] = if looked {
            let ((known_rows, known_accounts), (of_rows, of_accounts)) = (index.looked_at(), index.figures_found());
            [known(rows, known_rows, of_rows, figures), known(accounts, known_accounts, of_accounts, figures)]
        } else {
            figures.resize(rows.len() + accounts.len(), None);
            [rows.clone(), accounts.clone()]
        };
        if unknown_rows.len() + unknown_accounts.len() > 0 {
            index.figures(book, market, &unknown_rows, &unknown_accounts, found);
            for (place, found) in figures.iter_mut().filter(|figures| figures.is_none()).zip(found) {
                *place = Some(*found);
            }
        }
    }
}

/// Adds the numbers of those who are wanted, where they are known; returns the others. Both lists ascend.
fn known(wanted: &[u32], known: &[u32], of_known: &[Figures], figures: &mut Vec<Option<Figures>>) -> Vec<u32> {
    let mut unknown = Vec::new();
    for &subject in wanted {
        let at = known.binary_search(&subject).ok();
        figures.push(at.map(|at| of_known[at]));
        if at.is_none() {
            unknown.push(subject);
        }
    }
    unknown
}

fn note(events: &mut Vec<Event>, instant: u64, subject: Subject, seen: &mut u8, watched: Watched, figures: Figures) {
    let state = watched.seen(figures.state);
    let before = std::mem::replace(seen, state);
    if before != state {
        events.push(Event { instant, subject, before, state, figures });
    }
}
