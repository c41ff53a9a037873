//! Ticks of a live book, one after the other: what a call would set up anew for each of them stays.

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::error::Result;
use crate::live::book::{Levels, LiveBook};
use crate::live::crossing::{Crossing, Seen};
use crate::live::edges::Edges;
use crate::live::event::Event;
use crate::live::index::TriggerIndex;
use crate::live::market::Market;
use crate::live::standings::Standings;
use crate::live::ticks::Ticks;
use crate::machine::instruction_set::InstructionSet;

/// Ticks of a live book, which is changed by nothing else as long as this lasts.
pub struct Session<'a> {
    book: Book<'a>,
    layout: &'a Layout,
    levels: Levels<'a, 'a>,
    set: InstructionSet,
    indexes: &'a mut [TriggerIndex],
    edges: &'a mut Edges,
    standings: &'a mut Standings,
    seen: Seen<'a>,
    /// Made when a price first reaches anybody.
    markets: Vec<Market<'a>>,
    latest: Vec<f64>,
    /// Codes of what has moved since the markets were last brought up to date.
    moved: Vec<u32>,
    has_moved: Vec<bool>,
    crossing: Crossing,
    instants: u64,
}

impl LiveBook {
    /// Begins to pass ticks, at the marks of the levels.
    #[must_use]
    pub fn session<'a>(&'a mut self, levels: Levels<'a, 'a>, set: InstructionSet) -> Session<'a> {
        let Self { resident, layout, indexes, edges, seen_rows, seen_accounts, watched, standings, .. } = self;
        let latest = levels.first().map(|level| [level.marks, level.asset_prices].concat()).unwrap_or_default();
        Session {
            book: resident.book(),
            layout,
            levels,
            set,
            indexes,
            edges,
            standings,
            seen: Seen { rows: seen_rows, accounts: seen_accounts, watched: *watched },
            markets: Vec::new(),
            has_moved: vec![false; latest.len()],
            moved: Vec::new(),
            latest,
            crossing: Crossing::default(),
            instants: 0,
        }
    }
}

impl Session<'_> {
    /// Instants in turn: events are added to `events`, those of one instant in the order of [`Subject`](crate::live::Subject); instants
    /// are counted from the beginning of the session.
    ///
    /// # Errors
    ///
    /// As [`Ticks::check`], and as [`Market::new`] for levels of another book.
    pub fn ticks(&mut self, ticks: &Ticks<'_>, events: &mut Vec<Event>) -> Result<()> {
        ticks.check(self.latest.len())?;
        let mut now = Vec::new();
        for instant in 0..ticks.instants() {
            let mut reached = false;
            for (code, price) in ticks.at(instant) {
                reached |= self.remark(code, price);
            }
            if reached {
                now.clear();
                now.extend(ticks.at(instant));
                self.look(&now, events)?;
            }
            self.instants += 1;
        }
        Ok(())
    }

    /// Prices that hold now, of instruments and then of assets; NaN where there is none.
    #[must_use]
    pub fn marks(&self) -> &[f64] {
        &self.latest
    }

    /// Takes a price; whether it reaches anybody.
    #[inline(always)]
    fn remark(&mut self, code: u32, price: f64) -> bool {
        let place = code as usize;
        self.latest[place] = price;
        if !std::mem::replace(&mut self.has_moved[place], true) {
            self.moved.push(code);
            self.standings.has_moved(code);
        }
        self.edges.is_reached(code, price)
    }

    /// Looks at whom the prices of an instant reach.
    fn look(&mut self, now: &[(u32, f64)], events: &mut Vec<Event>) -> Result<()> {
        self.bring_up_to_date()?;
        let Self { book, indexes, edges, markets, crossing, seen, .. } = self;
        let bankruptcy = seen.watched.place_of_bankruptcy(indexes.len());
        let mut looked = false;
        for (place, (index, market)) in indexes.iter_mut().zip(&mut *markets).enumerate() {
            if index.tick(book, market, now, &mut crossing.changes) {
                looked |= place == 0;
                edges.note(index, book);
                if bankruptcy == Some(place) {
                    crossing.look_again(index);
                }
            }
        }
        edges.renew(indexes, now.iter().map(|&(code, _)| code));
        if !crossing.is_empty() {
            crossing.tell((self.instants, looked), book, &indexes[0], &mut markets[0], seen, events);
        }
        Ok(())
    }

    fn bring_up_to_date(&mut self) -> Result<()> {
        let Self { levels, layout, set, markets, moved, has_moved, latest, .. } = self;
        if markets.is_empty() {
            for level in *levels {
                markets.push(Market::new(level, layout, *set)?);
            }
            // What was brought up to date before there were markets is not in them.
            moved.clear();
            moved.extend((0..latest.len() as u32).filter(|&code| !latest[code as usize].is_nan()));
        }
        for code in moved.drain(..) {
            has_moved[code as usize] = false;
            markets.iter_mut().for_each(|market| market.remark(code, latest[code as usize]));
        }
        Ok(())
    }
}
