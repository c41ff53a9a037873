//! The live book: prices pass, positions change, events come out.

use levcore::live::{self, Amendment, Event, Figures, LiveKeys, Opened, SideTotals, Subject, Ticks, Watched};
use levcore::{InstructionSet, PolicyAtMarks, State};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::BorrowedBook;
use crate::door;
use crate::errors::to_python;

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Codes<'py> = PyReadonlyArray1<'py, u32>;
type Column<'py> = Bound<'py, PyArray1<f64>>;
/// Quantity, entry price, isolated margin, leverage, accrued funding, risk limit.
type Numbers<'py> = [Option<Floats<'py>>; 6];
/// Codes of states beside equity, maintenance margin, margin ratio.
type FigureColumns<'py> = (Bound<'py, PyArray1<u8>>, [Column<'py>; 3]);
/// Instant, whether it is an account, row or code of the account, state before, state now with the figures.
type Events<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u8>>,
    FigureColumns<'py>,
);

/// A book whose prices move and whose positions change.
#[pyclass(module = "levcore._levcore")]
pub(crate) struct LiveBook {
    levels: Vec<Py<BookPolicies>>,
    set: InstructionSet,
    marks: Vec<f64>,
    live: live::LiveBook,
}

#[pymethods]
impl LiveBook {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        book: Py<Book>,
        instruments: usize,
        cross: PyReadonlyArray1<'_, bool>,
        account: Codes<'_>,
        whole: (bool, bool),
        levels: Vec<Py<BookPolicies>>,
        watched: Vec<u8>,
        marks: Floats<'_>,
        instruction_set: &str,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        let marks = marks.as_slice()?.to_vec();
        let (hedge, pool_all) = whole;
        let (cross, account) = (cross.as_slice()?.to_vec(), account.as_slice()?.to_vec());
        let keys = LiveKeys { cross, account, instruments, hedge, pool_all };
        let words = State::TABLE.iter().map(|word| word.value);
        let watched = Watched::of(&words.filter(|state| watched.contains(&(*state as u8))).collect::<Vec<_>>());
        let borrowed = BorrowedBook::of(py, book.get())?;
        let columns = borrowed.columns()?;
        let parts = at(&levels, &marks)?;
        let live = door::through(py, || live::LiveBook::new(&columns, keys, &parts, watched, set))?;
        drop(parts);
        Ok(Self { levels, set, marks, live })
    }

    /// Events of ticks, instant by instant.
    fn ticks<'py>(
        &mut self,
        py: Python<'py>,
        starts: PyReadonlyArray1<'py, u64>,
        instrument: Codes<'py>,
        price: Floats<'py>,
    ) -> PyResult<Events<'py>> {
        let ticks = Ticks { starts: starts.as_slice()?, instrument: instrument.as_slice()?, price: price.as_slice()? };
        let Self { levels, set, marks, live } = self;
        let parts = at(levels, marks)?;
        let mut events = Vec::new();
        let moved = door::through(py, || live.ticks(&parts, *set, &ticks, &mut events))?;
        drop(parts);
        *marks = moved;
        Ok(columns(py, &events))
    }

    /// Events of positions that are amended.
    fn amend<'py>(&mut self, py: Python<'py>, rows: Codes<'py>, numbers: Numbers<'py>) -> PyResult<Events<'py>> {
        let (rows, amendment) = (rows.as_slice()?, amendment(&numbers)?);
        let Self { levels, set, marks, live } = self;
        let (parts, mut events) = (at(levels, marks)?, Vec::new());
        door::through(py, || live.amend(&parts, *set, rows, &amendment, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Events of wallets that are set.
    fn set_wallets<'py>(
        &mut self,
        py: Python<'py>,
        accounts: Codes<'py>,
        balances: Floats<'py>,
    ) -> PyResult<Events<'py>> {
        let (accounts, balances) = (accounts.as_slice()?, balances.as_slice()?);
        let Self { levels, set, marks, live } = self;
        let (parts, mut events) = (at(levels, marks)?, Vec::new());
        door::through(py, || live.set_wallets(&parts, *set, accounts, balances, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Events of positions that are opened.
    fn open<'py>(
        &mut self,
        py: Python<'py>,
        instrument: Codes<'py>,
        cross: PyReadonlyArray1<'py, bool>,
        account: Codes<'py>,
        numbers: Numbers<'py>,
        new_wallets: Floats<'py>,
    ) -> PyResult<Events<'py>> {
        let opened = Opened {
            instrument: instrument.as_slice()?,
            cross: cross.as_slice()?,
            account: account.as_slice()?,
            numbers: amendment(&numbers)?,
            new_wallets: new_wallets.as_slice()?,
        };
        let Self { levels, set, marks, live } = self;
        let (parts, mut events) = (at(levels, marks)?, Vec::new());
        door::through(py, || live.open(&parts, *set, &opened, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Equity, maintenance margin, and how many isolated positions and accounts are in each state.
    fn totals(&mut self, py: Python<'_>) -> PyResult<(f64, f64, [Vec<u64>; 2])> {
        let Self { levels, set, marks, live } = self;
        let parts = at(levels, marks)?;
        let totals = door::through(py, || live.refresh(&parts, *set).cloned())?;
        let [rows, accounts] = totals.counts;
        Ok((totals.equity(), totals.maintenance_margin(), [rows.to_vec(), accounts.to_vec()]))
    }

    /// Of each instrument, long and short: positions, quantity, equity and maintenance margin of the isolated ones.
    fn totals_by_side<'py>(&mut self, py: Python<'py>) -> PyResult<(Bound<'py, PyArray1<u64>>, [Column<'py>; 3])> {
        let Self { levels, set, marks, live } = self;
        let parts = at(levels, marks)?;
        door::through(py, || live.refresh(&parts, *set).map(|_| ()))?;
        let sides = live.totals_by_side().as_flattened();
        let column = |of: fn(&SideTotals) -> f64| PyArray1::from_iter(py, sides.iter().map(of));
        let positions = PyArray1::from_iter(py, sides.iter().map(|side| side.positions));
        let sums = [SideTotals::quantity, SideTotals::equity, SideTotals::maintenance_margin].map(column);
        Ok((positions, sums))
    }

    /// Events of an instrument whose rules are others: the policies of all levels hold them.
    fn replace_rules<'py>(
        &mut self,
        py: Python<'py>,
        policies: Vec<Py<BookPolicies>>,
        instrument: u32,
    ) -> PyResult<Events<'py>> {
        let Self { levels, set, marks, live } = self;
        let mut events = Vec::new();
        let parts = at(&policies, marks)?;
        door::through(py, || live.replace_rules(&parts, *set, instrument, &mut events))?;
        drop(parts);
        *levels = policies;
        Ok(columns(py, &events))
    }

    /// Wallets of accounts.
    fn wallets<'py>(&self, py: Python<'py>, accounts: Codes<'py>) -> PyResult<Column<'py>> {
        let (held, accounts) = (self.live.book().wallet_balance, accounts.as_slice()?);
        let amount = |&code: &u32| held.get(code as usize).copied().unwrap_or(f64::NAN);
        Ok(PyArray1::from_iter(py, accounts.iter().map(amount)))
    }

    /// Figures of every row, and accounts by code with theirs, as they are now.
    fn figures<'py>(
        &mut self,
        py: Python<'py>,
    ) -> PyResult<(FigureColumns<'py>, Bound<'py, PyArray1<u32>>, FigureColumns<'py>)> {
        let Self { levels, set, marks, live } = self;
        let parts = at(levels, marks)?;
        door::through(py, || live.refresh(&parts, *set).map(|_| ()))?;
        let rows = figures(py, live.figures_of_rows().iter().copied());
        let (codes, of_accounts): (Vec<u32>, Vec<Figures>) = live.figures_of_accounts().unzip();
        Ok((rows, PyArray1::from_vec(py, codes), figures(py, of_accounts.into_iter())))
    }

    /// How many evaluations the levels have taken.
    fn examined(&self) -> u64 {
        self.live.examined()
    }

    /// How many looks have needed none.
    fn followed(&self) -> u64 {
        self.live.followed()
    }

    /// Columns of the positions as they stand, then the wallets.
    #[allow(clippy::type_complexity, reason = "a column each")]
    fn columns<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<u32>>, [Option<Column<'py>>; 6], Column<'py>) {
        let book = self.live.book();
        let numbers = [
            Some(book.quantity),
            Some(book.entry_price),
            book.isolated_margin,
            book.leverage,
            book.accrued_funding,
            book.risk_limit,
        ];
        (
            PyArray1::from_slice(py, book.instrument),
            numbers.map(|column| column.map(|column| PyArray1::from_slice(py, column))),
            PyArray1::from_slice(py, book.wallet_balance),
        )
    }

    /// Prices that hold now.
    fn marks<'py>(&self, py: Python<'py>) -> Column<'py> {
        PyArray1::from_slice(py, &self.marks)
    }
}

/// The policies of the levels at marks.
fn at<'a>(levels: &'a [Py<BookPolicies>], marks: &'a [f64]) -> PyResult<Vec<PolicyAtMarks<'a>>> {
    let mut parts = Vec::with_capacity(levels.len());
    for level in levels {
        parts.extend(level.get().at(marks, &[])?);
    }
    Ok(parts)
}

fn amendment<'a>(numbers: &'a Numbers<'_>) -> PyResult<Amendment<'a>> {
    let mut slices = [None; 6];
    for (slice, column) in slices.iter_mut().zip(numbers) {
        *slice = column.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    }
    let [quantity, entry_price, isolated_margin, leverage, accrued_funding, risk_limit] = slices;
    Ok(Amendment { quantity, entry_price, isolated_margin, leverage, accrued_funding, risk_limit })
}

fn figures<'py>(py: Python<'py>, figures: impl Iterator<Item = Figures> + Clone) -> FigureColumns<'py> {
    let column = |of: fn(&Figures) -> f64| {
        let values: Vec<f64> = figures.clone().map(|figures| of(&figures)).collect();
        PyArray1::from_vec(py, values)
    };
    let states: Vec<u8> = figures.clone().map(|figures| figures.state).collect();
    let columns = [
        column(|figures| figures.equity),
        column(|figures| figures.maintenance_margin),
        column(|figures| figures.margin_ratio),
    ];
    (PyArray1::from_vec(py, states), columns)
}

fn columns<'py>(py: Python<'py>, events: &[Event]) -> Events<'py> {
    let of = |event: &Event| match event.subject {
        Subject::Row(row) => (false, row),
        Subject::Account(code) => (true, code),
    };
    (
        PyArray1::from_iter(py, events.iter().map(|event| event.instant)),
        PyArray1::from_iter(py, events.iter().map(|event| of(event).0)),
        PyArray1::from_iter(py, events.iter().map(|event| of(event).1)),
        PyArray1::from_iter(py, events.iter().map(|event| event.before)),
        figures(py, events.iter().map(|event| Figures { state: event.state, ..event.figures })),
    )
}
