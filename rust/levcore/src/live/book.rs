//! The live book: prices pass, and whoever enters or leaves a state is told at once, with the numbers of a full evaluation.
//!
//! Every level of the policy that is watched has a trigger index of its own, over the policy with that level in the place of its liquidation
//! level: its verdicts are then whether that level is reached. Who crosses one is evaluated under the policy itself.

use crate::book::columns::Book;
use crate::book::keys::{BalanceKeys, Codes, Keys};
use crate::book::layout::Layout;
use crate::codes::state::State;
use crate::error::{Error, Result};
use crate::job::context::PolicyAtMarks;
use crate::live::edges::Edges;
use crate::live::event::{Event, Figures, Watched};
use crate::live::index::TriggerIndex;
use crate::live::market::Market;
use crate::live::resident::ResidentBook;
use crate::live::sides::SideTotals;
use crate::live::standings::Standings;
use crate::live::ticks::Ticks;
use crate::machine::instruction_set::InstructionSet;
use crate::memory::filled;

/// What decides how the rows of a live book, and its balances, belong together; one a row.
#[derive(Debug, Clone, Default)]
pub struct LiveKeys {
    /// Whether a row is a leg of a cross account.
    pub cross: Vec<bool>,
    /// Account of each row; without meaning for isolated ones.
    pub account: Vec<u32>,
    /// Account of each row of balances.
    pub balance_account: Vec<u32>,
    /// Number of instruments.
    pub instruments: usize,
    /// Number of assets that balances may be in.
    pub assets: usize,
    /// Whether an account may hold a long and a short leg of one instrument.
    pub hedge: bool,
    /// Whether every account is settled as one whole.
    pub pool_all: bool,
}

impl LiveKeys {
    /// Order of evaluation of a book with these keys.
    pub(crate) fn layout(&self, book: &ResidentBook) -> Result<Layout> {
        let labels = book.wallet_balance.len();
        let balances = BalanceKeys {
            account: Codes { of_row: &self.balance_account, labels },
            asset: Codes { of_row: &book.balances.asset, labels: self.assets },
            policy: None,
        };
        Layout::new(&Keys {
            cross: (labels > 0).then_some(&self.cross),
            account: Codes { of_row: &self.account, labels },
            balances: (!self.balance_account.is_empty()).then_some(balances),
            hedge: self.hedge,
            pool_all: self.pool_all,
            ..Keys::isolated(&book.instrument, self.instruments)
        })
    }
}

/// A book whose prices move and whose positions change.
#[derive(Debug)]
pub struct LiveBook {
    pub(super) resident: ResidentBook,
    /// Account of each row of balances.
    pub(super) balance_account: Vec<u32>,
    pub(super) instruments: usize,
    pub(super) assets: usize,
    /// Whether every account is settled as one whole.
    pub(super) pool_all: bool,
    pub(super) layout: Layout,
    pub(super) watched: Watched,
    /// One a watched level; the liquidation level of the policy itself first.
    pub(super) indexes: Vec<TriggerIndex>,
    /// State of each isolated row and of each account, as the watched levels tell it.
    pub(super) seen_rows: Vec<u8>,
    pub(super) seen_accounts: Vec<u8>,
    pub(super) standings: Standings,
    pub(super) edges: Edges,
}

/// The policies of a call, each with one of the watched levels as its liquidation level, at the marks before it.
pub type Levels<'a, 'p> = &'a [PolicyAtMarks<'p>];

impl LiveBook {
    /// Arms every subject of a book at every level.
    ///
    /// # Errors
    ///
    /// As [`TriggerIndex::new`] and [`Market::new`]; [`Error::Length`] for no level.
    pub fn new(
        book: &Book<'_>,
        keys: LiveKeys,
        levels: Levels<'_, '_>,
        watched: Watched,
        set: InstructionSet,
    ) -> Result<Self> {
        book.check()?;
        let resident = ResidentBook::of(book);
        let layout = keys.layout(&resident)?;
        let (indexes, standings, edges) = (Vec::new(), Standings::default(), Edges::default());
        let (seen_rows, seen_accounts) = (Vec::new(), Vec::new());
        let LiveKeys { balance_account, instruments, assets, pool_all, .. } = keys;
        let mut live = Self {
            resident,
            balance_account,
            instruments,
            assets,
            pool_all,
            layout,
            watched,
            indexes,
            seen_rows,
            seen_accounts,
            standings,
            edges,
        };
        live.arm_everybody(levels, set)?;
        Ok(live)
    }

    /// Instants in turn: events are added to `events`, those of one instant in the order of [`Subject`](crate::live::subjects::Subject). Returns the marks after them.
    ///
    /// # Errors
    ///
    /// As [`Session::ticks`](crate::live::Session::ticks).
    pub fn ticks(
        &mut self,
        levels: Levels<'_, '_>,
        set: InstructionSet,
        ticks: &Ticks<'_>,
        events: &mut Vec<Event>,
    ) -> Result<Vec<f64>> {
        let mut session = self.session(levels, set);
        session.ticks(ticks, events)?;
        Ok(session.marks().to_vec())
    }

    /// Its columns as they stand.
    #[must_use]
    pub fn book(&self) -> Book<'_> {
        self.resident.book()
    }

    /// Account of each row of balances.
    #[must_use]
    pub fn balance_accounts(&self) -> &[u32] {
        &self.balance_account
    }

    /// Totals by instrument, long and short, as they were last refreshed.
    #[must_use]
    pub fn totals_by_side(&self) -> &[[SideTotals; 2]] {
        &self.standings.sides.of
    }

    /// How many evaluations of positions and of accounts the levels have taken, beside those of full passes: what ticks and changes cost.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.indexes.iter().map(TriggerIndex::examined).sum()
    }

    /// How many times a look at an account has needed no evaluation, since its surplus was known along its line.
    #[must_use]
    pub fn followed(&self) -> u64 {
        self.indexes.iter().map(TriggerIndex::followed).sum()
    }

    /// Figures of every row as they were last refreshed; unknown for legs of accounts.
    #[must_use]
    pub fn figures_of_rows(&self) -> &[Figures] {
        &self.standings.rows
    }

    /// Figures of the accounts with positions or balances, by their codes.
    pub fn figures_of_accounts(&self) -> impl Iterator<Item = (u32, Figures)> + '_ {
        let accounts = self.indexes.first().map_or(&[][..], |index| &index.subjects.accounts);
        accounts.iter().map(|account| account.code).zip(self.standings.accounts.iter().copied())
    }

    /// Arms everybody, from the columns as they stand.
    fn arm_everybody(&mut self, levels: Levels<'_, '_>, set: InstructionSet) -> Result<()> {
        if levels.is_empty() {
            return Err(Error::Length { argument: "levels", expected: 1, found: 0 });
        }
        let Self { resident, layout, indexes, .. } = self;
        let book = resident.book();
        let mut markets = markets(levels, layout, set)?;
        indexes.clear();
        for market in &mut markets {
            indexes.push(TriggerIndex::new(&book, market)?);
        }
        self.edges = Edges::of(indexes);
        let index = &indexes[0];
        let rows: Vec<u32> = (0..layout.rows as u32).filter(|&row| index.subjects.is_isolated(row)).collect();
        let accounts: Vec<u32> = (0..index.subjects.accounts.len() as u32).collect();
        let mut figures = Vec::new();
        index.figures(&book, &mut markets[0], &rows, &accounts, &mut figures);
        self.standings = Standings::of(&rows, &book, &figures, self.instruments, markets[0].codes())?;
        self.seen_rows = filled(State::Incomplete as u8, layout.rows)?;
        for (&row, figures) in rows.iter().zip(&figures) {
            self.seen_rows[row as usize] = self.watched.seen(figures.state);
        }
        self.seen_accounts = figures[rows.len()..].iter().map(|figures| self.watched.seen(figures.state)).collect();
        Ok(())
    }
}

/// Markets of the levels.
pub(super) fn markets<'p>(levels: Levels<'_, 'p>, layout: &'p Layout, set: InstructionSet) -> Result<Vec<Market<'p>>> {
    levels.iter().map(|level| Market::new(level, layout, set)).collect()
}
