//! The live book: prices pass, positions change, events come out.

use levcore::live::{
    self, Amendment, BalanceAmendment, BalancesOf, Event, Figures, LiveKeys, LiveTotals, Opened, SideTotals, Subject,
    Ticks, Watched,
};
use levcore::{Error, InstructionSet, PolicyAtMarks, State};
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
/// Accounts and assets; balances, liabilities and interest, as they stand or as they are to be.
type BalanceColumns<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>, [Column<'py>; 3]);
type GivenBalances<'py> = (Codes<'py>, Codes<'py>, [Option<Floats<'py>>; 3]);
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

/// A book under one policy whose prices move and whose positions change.
#[pyclass(module = "levcore._levcore")]
pub(crate) struct LiveBook {
    levels: Vec<Py<BookPolicies>>,
    set: InstructionSet,
    prices: Prices,
    live: live::LiveBook,
}

/// Prices of the instruments, then of the assets of the policy.
struct Prices {
    of: Vec<f64>,
    instruments: usize,
}

#[pymethods]
impl LiveBook {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        book: Py<Book>,
        cross: PyReadonlyArray1<'_, bool>,
        account: Codes<'_>,
        balance_account: Codes<'_>,
        assets: usize,
        whole: (bool, bool),
        levels: Vec<Py<BookPolicies>>,
        watched: Vec<u8>,
        marks: Floats<'_>,
        asset_prices: Floats<'_>,
        instruction_set: &str,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        let (marks, asset_prices) = (marks.as_slice()?, asset_prices.as_slice()?);
        let (instruments, prices) = (marks.len(), [marks, asset_prices].concat());
        let prices = Prices { of: prices, instruments };
        let (hedge, pool_all) = whole;
        let (cross, account) = (cross.as_slice()?.to_vec(), account.as_slice()?.to_vec());
        let balance_account = balance_account.as_slice()?.to_vec();
        let keys = LiveKeys { cross, account, balance_account, instruments, assets, hedge, pool_all };
        let words = State::TABLE.iter().map(|word| word.value);
        let watched = Watched::of(&words.filter(|state| watched.contains(&(*state as u8))).collect::<Vec<_>>());
        let borrowed = BorrowedBook::of(py, book.get())?;
        let columns = borrowed.columns()?;
        let parts = prices.at(&levels)?;
        let live = door::through(py, || live::LiveBook::new(&columns, keys, &parts, watched, set))?;
        drop(parts);
        Ok(Self { levels, set, prices, live })
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
        let Self { levels, set, prices, live } = self;
        let parts = prices.at(levels)?;
        let mut events = Vec::new();
        let moved = door::through(py, || live.ticks(&parts, *set, &ticks, &mut events))?;
        drop(parts);
        prices.of = moved;
        Ok(columns(py, &events))
    }

    /// Events of positions that are amended.
    fn amend<'py>(&mut self, py: Python<'py>, rows: Codes<'py>, numbers: Numbers<'py>) -> PyResult<Events<'py>> {
        let (rows, amendment) = (rows.as_slice()?, amendment(&numbers)?);
        let Self { levels, set, prices, live } = self;
        let (parts, mut events) = (prices.at(levels)?, Vec::new());
        door::through(py, || live.amend(&parts, *set, rows, &amendment, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Refuses what an evaluation would refuse of the book once these rows are amended, by their rows in the caller's book.
    fn ask_amend(
        &self,
        rows: Codes<'_>,
        numbers: Numbers<'_>,
        rows_of_caller: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let parts = self.prices.at(&self.levels)?;
        let refused = self.live.refused_amendment(&parts, rows.as_slice()?, &amendment(&numbers)?);
        refuse(refused.map_err(to_python)?, rows_of_caller.as_slice()?)
    }

    /// Refuses what an evaluation would refuse of the book once these positions are opened, by their places in the caller's call.
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn ask_open(
        &self,
        instrument: Codes<'_>,
        cross: PyReadonlyArray1<'_, bool>,
        account: Codes<'_>,
        numbers: Numbers<'_>,
        new_wallets: Floats<'_>,
        balances: GivenBalances<'_>,
        places_of_caller: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let opened = opened(&instrument, &cross, &account, &numbers, &new_wallets, &balances)?;
        let parts = self.prices.at(&self.levels)?;
        let refused = self.live.refused_opening(&parts, &opened);
        refuse(refused.map_err(to_python)?, places_of_caller.as_slice()?)
    }

    /// Events of wallets that are set.
    fn set_wallets<'py>(
        &mut self,
        py: Python<'py>,
        accounts: Codes<'py>,
        balances: Floats<'py>,
    ) -> PyResult<Events<'py>> {
        let (accounts, balances) = (accounts.as_slice()?, balances.as_slice()?);
        let Self { levels, set, prices, live } = self;
        let (parts, mut events) = (prices.at(levels)?, Vec::new());
        door::through(py, || live.set_wallets(&parts, *set, accounts, balances, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Events of balances that are set.
    fn set_balances<'py>(&mut self, py: Python<'py>, balances: GivenBalances<'py>) -> PyResult<Events<'py>> {
        let balances = balances_of(&balances)?;
        let Self { levels, set, prices, live } = self;
        let (parts, mut events) = (prices.at(levels)?, Vec::new());
        door::through(py, || live.set_balances(&parts, *set, &balances, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Events of positions that are opened.
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn open<'py>(
        &mut self,
        py: Python<'py>,
        instrument: Codes<'py>,
        cross: PyReadonlyArray1<'py, bool>,
        account: Codes<'py>,
        numbers: Numbers<'py>,
        new_wallets: Floats<'py>,
        balances: GivenBalances<'py>,
    ) -> PyResult<Events<'py>> {
        let opened = opened(&instrument, &cross, &account, &numbers, &new_wallets, &balances)?;
        let Self { levels, set, prices, live } = self;
        let (parts, mut events) = (prices.at(levels)?, Vec::new());
        door::through(py, || live.open(&parts, *set, &opened, &mut events))?;
        Ok(columns(py, &events))
    }

    /// Equity, maintenance margin, and how many isolated positions and accounts are in each state, of several books together.
    #[staticmethod]
    fn totals(py: Python<'_>, books: Vec<Py<Self>>) -> PyResult<(f64, f64, [Vec<u64>; 2])> {
        let mut totals = LiveTotals::default();
        for book in books {
            let Self { levels, set, prices, live } = &mut *book.try_borrow_mut(py)?;
            let parts = prices.at(levels)?;
            totals.merge(&door::through(py, || live.refresh(&parts, *set).cloned())?);
        }
        let [rows, accounts] = totals.counts;
        Ok((totals.equity(), totals.maintenance_margin(), [rows.to_vec(), accounts.to_vec()]))
    }

    /// Of each instrument, long and short: positions, quantity, equity and maintenance margin of the isolated ones, likewise.
    #[staticmethod]
    fn totals_by_side(py: Python<'_>, books: Vec<Py<Self>>) -> PyResult<(Bound<'_, PyArray1<u64>>, [Column<'_>; 3])> {
        let mut sides: Vec<SideTotals> = Vec::new();
        for book in books {
            let Self { levels, set, prices, live } = &mut *book.try_borrow_mut(py)?;
            let parts = prices.at(levels)?;
            door::through(py, || live.refresh(&parts, *set).map(|_| ()))?;
            let own = live.totals_by_side().as_flattened();
            sides.resize(own.len(), SideTotals::default());
            sides.iter_mut().zip(own).for_each(|(side, own)| side.merge(own));
        }
        let column = |of: fn(&SideTotals) -> f64| PyArray1::from_iter(py, sides.iter().map(of));
        let positions = PyArray1::from_iter(py, sides.iter().map(|side| side.positions));
        let sums = [SideTotals::quantity, SideTotals::equity, SideTotals::maintenance_margin].map(column);
        Ok((positions, sums))
    }

    /// Events of an instrument whose rules are others: the policies of all levels hold them. What an evaluation would refuse is refused by
    /// its row in the caller's book.
    fn replace_rules<'py>(
        &mut self,
        py: Python<'py>,
        policies: Vec<Py<BookPolicies>>,
        instrument: u32,
        rows_of_caller: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Events<'py>> {
        let Self { levels, set, prices, live } = self;
        let mut events = Vec::new();
        let parts = prices.at(&policies)?;
        refuse(live.refused_rules(&parts, instrument), rows_of_caller.as_slice()?)?;
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

    /// Balance, liability and interest of accounts in assets; zero where an account has no balance in it.
    fn balances<'py>(&self, py: Python<'py>, accounts: Codes<'py>, assets: Codes<'py>) -> PyResult<[Column<'py>; 3]> {
        let pairs = accounts.as_slice()?.iter().zip(assets.as_slice()?);
        let held: Vec<[f64; 3]> =
            pairs.map(|(&account, &asset)| self.live.balance_of(account, asset).unwrap_or_default()).collect();
        Ok([0, 1, 2].map(|place| PyArray1::from_iter(py, held.iter().map(|amounts| amounts[place]))))
    }

    /// Figures of every row, and accounts by code with theirs, as they are now.
    fn figures<'py>(
        &mut self,
        py: Python<'py>,
    ) -> PyResult<(FigureColumns<'py>, Bound<'py, PyArray1<u32>>, FigureColumns<'py>)> {
        let Self { levels, set, prices, live } = self;
        let parts = prices.at(levels)?;
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

    /// Balances as they stand, in the order in which they came.
    fn balance_columns<'py>(&self, py: Python<'py>) -> BalanceColumns<'py> {
        let held = self.live.book().balances;
        let column = |of: Option<&[f64]>| PyArray1::from_slice(py, of.unwrap_or_default());
        let amounts =
            [held.map(|held| held.balance), held.and_then(|held| held.liability), held.and_then(|held| held.interest)];
        (
            PyArray1::from_slice(py, self.live.balance_accounts()),
            PyArray1::from_slice(py, held.map_or(&[], |held| held.asset)),
            amounts.map(column),
        )
    }

    /// Prices that hold now: of instruments, and of the assets of the policy.
    fn prices<'py>(&self, py: Python<'py>) -> [Column<'py>; 2] {
        let (marks, of_assets) = self.prices.of.split_at(self.prices.instruments);
        [marks, of_assets].map(|prices| PyArray1::from_slice(py, prices))
    }
}

impl Prices {
    /// The policies of the levels at these prices.
    fn at<'a>(&'a self, levels: &'a [Py<BookPolicies>]) -> PyResult<Vec<PolicyAtMarks<'a>>> {
        let (marks, of_assets) = self.of.split_at(self.instruments);
        let mut parts = Vec::with_capacity(levels.len());
        for level in levels {
            parts.extend(level.get().at(marks, &[of_assets])?);
        }
        Ok(parts)
    }
}

/// Refuses a place, by what it is to the caller.
fn refuse(place: Option<usize>, of_caller: &[i64]) -> PyResult<()> {
    match place {
        Some(place) => Err(to_python(Error::FallingRate { row: of_caller[place].unsigned_abs() as usize })),
        None => Ok(()),
    }
}

fn opened<'a>(
    instrument: &'a Codes<'_>,
    cross: &'a PyReadonlyArray1<'_, bool>,
    account: &'a Codes<'_>,
    numbers: &'a Numbers<'_>,
    new_wallets: &'a Floats<'_>,
    balances: &'a GivenBalances<'_>,
) -> PyResult<Opened<'a>> {
    Ok(Opened {
        instrument: instrument.as_slice()?,
        cross: cross.as_slice()?,
        account: account.as_slice()?,
        numbers: amendment(numbers)?,
        new_wallets: new_wallets.as_slice()?,
        balances: balances_of(balances)?,
    })
}

fn balances_of<'a>((account, asset, amounts): &'a GivenBalances<'_>) -> PyResult<BalancesOf<'a>> {
    let mut slices = [None; 3];
    for (slice, column) in slices.iter_mut().zip(amounts) {
        *slice = column.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    }
    let [balance, liability, interest] = slices;
    let amounts = BalanceAmendment { balance, liability, interest };
    Ok(BalancesOf { account: account.as_slice()?, asset: asset.as_slice()?, amounts })
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
