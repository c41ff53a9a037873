//! A book of positions: columns borrowed from NumPy, laid out once, evaluated many times.

use levcore::distance::{Betas, DistanceOutputs};
use levcore::evaluate::{AccountOutputs, BalanceOutputs, Outputs, PolicyAtMarks};
use levcore::instruction_set::InstructionSet;
use levcore::layout::{Codes, Keys, Layout};
use levcore::measures;
use levcore::pooled::BalanceKeys;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::door;
use crate::errors::{ShapeError, alias, not_contiguous, to_python};
use crate::policy::Policy;

type Column = Py<PyArray1<f64>>;

/// Balances of accounts as `levcore.balances.BalanceColumns` holds them.
#[derive(FromPyObject)]
pub(crate) struct BalanceColumns {
    account: Py<PyArray1<u32>>,
    asset: Py<PyArray1<u32>>,
    asset_count: usize,
    policy: Option<Py<PyArray1<u32>>>,
    balance: Column,
    liability: Option<Column>,
    interest: Option<Column>,
}

/// Columns of a book and its order of evaluation.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Book {
    instrument: Py<PyArray1<u32>>,
    quantity: Column,
    entry_price: Column,
    isolated_margin: Option<Column>,
    leverage: Option<Column>,
    accrued_funding: Option<Column>,
    risk_limit: Option<Column>,
    wallet_balance: Column,
    balances: Option<BalanceColumns>,
    layout: Layout,
}

#[pymethods]
impl Book {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        instrument: Py<PyArray1<u32>>,
        instrument_count: usize,
        policy: Option<PyReadonlyArray1<'_, u32>>,
        policy_count: usize,
        quantity: Column,
        entry_price: Column,
        isolated_margin: Option<Column>,
        leverage: Option<Column>,
        accrued_funding: Option<Column>,
        risk_limit: Option<Column>,
        cross: Option<PyReadonlyArray1<'_, bool>>,
        account: Option<PyReadonlyArray1<'_, u32>>,
        wallet_balance: Column,
        balances: Option<BalanceColumns>,
        hedge: bool,
        pool_all: bool,
    ) -> PyResult<Self> {
        let borrowed = instrument.bind(py).readonly();
        let policy = policy.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let account = account.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let accounts = wallet_balance.bind(py).len();
        let of_balances = balances.as_ref().map(|balances| {
            let policy = balances.policy.as_ref().map(|policy| policy.bind(py).readonly());
            (balances.account.bind(py).readonly(), balances.asset.bind(py).readonly(), policy, balances.asset_count)
        });
        let balance_keys = match &of_balances {
            None => None,
            Some((account, asset, policy, asset_count)) => Some(BalanceKeys {
                account: Codes { of_row: account.as_slice()?, labels: accounts },
                asset: Codes { of_row: asset.as_slice()?, labels: *asset_count },
                policy: policy.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            }),
        };
        let keys = Keys {
            instrument: Codes { of_row: borrowed.as_slice()?, labels: instrument_count },
            policy: policy.map(|of_row| Codes { of_row, labels: policy_count }),
            cross: cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            account: Codes { of_row: account.unwrap_or(&[]), labels: accounts },
            balances: balance_keys,
            hedge,
            pool_all,
        };
        let layout = door::through(py, || Layout::new(&keys))?;
        drop(of_balances);
        drop(borrowed);
        Ok(Self {
            instrument,
            quantity,
            entry_price,
            isolated_margin,
            leverage,
            accrued_funding,
            risk_limit,
            wallet_balance,
            balances,
            layout,
        })
    }

    /// Whether the legs of every account are neighbours.
    #[getter]
    fn keeps_accounts_together(&self) -> bool {
        self.layout.keeps_accounts_together()
    }

    /// Whether any account is settled as one whole.
    #[getter]
    fn has_pooled_accounts(&self) -> bool {
        self.layout.has_pooled_accounts()
    }

    /// The row order in which a book like this one is evaluated fastest, as uint32.
    fn row_order<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_vec(py, self.layout.row_order())
    }
}

/// A borrowed column; the borrow ends with the call.
type Borrowed<'py> = Option<PyReadonlyArray1<'py, f64>>;

fn borrow<'py>(py: Python<'py>, argument: &'static str, column: Option<&Column>) -> PyResult<Borrowed<'py>> {
    let borrowed = column.map(|column| column.bind(py).try_readonly());
    borrowed.transpose().map_err(|error| alias(argument, &error.to_string()))
}

fn slice<'a>(argument: &'static str, column: &'a Borrowed<'_>) -> PyResult<Option<&'a [f64]>> {
    column.as_ref().map(|column| column.as_slice().map_err(|_| not_contiguous(argument))).transpose()
}

/// The columns of a book, borrowed for a call.
struct BorrowedBook<'py> {
    instrument: PyReadonlyArray1<'py, u32>,
    quantity: Borrowed<'py>,
    entry_price: Borrowed<'py>,
    isolated_margin: Borrowed<'py>,
    leverage: Borrowed<'py>,
    accrued_funding: Borrowed<'py>,
    risk_limit: Borrowed<'py>,
    wallet_balance: Borrowed<'py>,
    balances: Option<BorrowedBalances<'py>>,
}

/// The columns of balances, borrowed for a call.
struct BorrowedBalances<'py> {
    asset: PyReadonlyArray1<'py, u32>,
    balance: Borrowed<'py>,
    liability: Borrowed<'py>,
    interest: Borrowed<'py>,
}

impl<'py> BorrowedBalances<'py> {
    fn of(py: Python<'py>, balances: &BalanceColumns) -> PyResult<Self> {
        Ok(Self {
            asset: balances.asset.bind(py).readonly(),
            balance: borrow(py, "balances.balance", Some(&balances.balance))?,
            liability: borrow(py, "balances.liability", balances.liability.as_ref())?,
            interest: borrow(py, "balances.interest", balances.interest.as_ref())?,
        })
    }

    fn columns(&self) -> PyResult<levcore::book::Balances<'_>> {
        Ok(levcore::book::Balances {
            asset: self.asset.as_slice()?,
            balance: slice("balances.balance", &self.balance)?.unwrap_or(&[]),
            liability: slice("balances.liability", &self.liability)?,
            interest: slice("balances.interest", &self.interest)?,
        })
    }
}

impl<'py> BorrowedBook<'py> {
    fn of(py: Python<'py>, book: &Book) -> PyResult<Self> {
        Ok(Self {
            instrument: book.instrument.bind(py).readonly(),
            quantity: borrow(py, "quantity", Some(&book.quantity))?,
            entry_price: borrow(py, "entry_price", Some(&book.entry_price))?,
            isolated_margin: borrow(py, "isolated_margin", book.isolated_margin.as_ref())?,
            leverage: borrow(py, "leverage", book.leverage.as_ref())?,
            accrued_funding: borrow(py, "accrued_funding", book.accrued_funding.as_ref())?,
            risk_limit: borrow(py, "risk_limit", book.risk_limit.as_ref())?,
            wallet_balance: borrow(py, "wallet_balance", Some(&book.wallet_balance))?,
            balances: book.balances.as_ref().map(|balances| BorrowedBalances::of(py, balances)).transpose()?,
        })
    }

    fn columns(&self) -> PyResult<levcore::book::Book<'_>> {
        Ok(levcore::book::Book {
            instrument: self.instrument.as_slice()?,
            quantity: slice("quantity", &self.quantity)?.unwrap_or(&[]),
            entry_price: slice("entry_price", &self.entry_price)?.unwrap_or(&[]),
            isolated_margin: slice("isolated_margin", &self.isolated_margin)?,
            leverage: slice("leverage", &self.leverage)?,
            accrued_funding: slice("accrued_funding", &self.accrued_funding)?,
            risk_limit: slice("risk_limit", &self.risk_limit)?,
            wallet_balance: slice("wallet_balance", &self.wallet_balance)?.unwrap_or(&[]),
            balances: self.balances.as_ref().map(BorrowedBalances::columns).transpose()?,
        })
    }
}

/// A two-dimensional output, borrowed for writing.
struct Table<'py, T: numpy::Element>(PyReadwriteArray2<'py, T>);

impl<'py, T: numpy::Element> Table<'py, T> {
    fn of(py: Python<'py>, argument: &'static str, array: &Py<PyArray2<T>>) -> PyResult<Self> {
        array.bind(py).try_readwrite().map(Self).map_err(|error| alias(argument, &error.to_string()))
    }

    /// Its rows, each a column of results, cut to `rows` values.
    fn columns(&mut self, argument: &'static str, count: usize, rows: usize) -> PyResult<Vec<&mut [T]>> {
        let shape = [self.0.shape()[0], self.0.shape()[1]];
        if shape[0] != count || shape[1] < rows {
            let expected = format!("({count}, at least {rows})");
            let rule = "must have one row a measure";
            return Err(ShapeError::new_err((argument, rule, expected, format!("{shape:?}"))));
        }
        let values = self.0.as_slice_mut().map_err(|_| not_contiguous(argument))?;
        if shape[1] == 0 {
            return Ok((0..count).map(|_| <&mut [T]>::default()).collect());
        }
        Ok(values.chunks_exact_mut(shape[1]).map(|row| &mut row[..rows]).collect())
    }

    /// The same as an array.
    fn array<const COUNT: usize>(&mut self, argument: &'static str, rows: usize) -> PyResult<[&mut [T]; COUNT]> {
        self.columns(argument, COUNT, rows)?.try_into().map_err(|_| not_contiguous(argument))
    }
}

/// A policy of a book, with the places of the book's instruments and assets in it.
struct BookPolicy {
    policy: Py<Policy>,
    places: Vec<Option<usize>>,
    places_of_assets: Vec<Option<usize>>,
}

/// The policies of a book, by the code of the policy.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct BookPolicies {
    parts: Vec<BookPolicy>,
}

#[pymethods]
impl BookPolicies {
    /// Takes policies with the places of the book's instruments and assets; negative: the policy does not know it.
    #[new]
    fn new(parts: Vec<(Py<Policy>, Vec<i64>, Vec<i64>)>) -> Self {
        let known = |places: Vec<i64>| places.into_iter().map(|place| usize::try_from(place).ok()).collect();
        let parts = parts.into_iter().map(|(policy, places, places_of_assets)| BookPolicy {
            policy,
            places: known(places),
            places_of_assets: known(places_of_assets),
        });
        Self { parts: parts.collect() }
    }
}

impl BookPolicies {
    /// The policies at marks: one an instrument under every policy, or those of each policy one after the other.
    fn at<'a>(&'a self, marks: &'a [f64], asset_prices: &[&'a [f64]]) -> PyResult<Vec<PolicyAtMarks<'a>>> {
        let instruments = self.parts.first().map_or(0, |part| part.places.len());
        let shared = marks.len() == instruments;
        if !shared && marks.len() != instruments * self.parts.len() {
            let (expected, found) = (instruments.to_string(), marks.len().to_string());
            return Err(ShapeError::new_err(("marks", "must have one price an instrument", expected, found)));
        }
        let of_policy = |code: usize| if shared { marks } else { &marks[code * instruments..][..instruments] };
        let parts = self.parts.iter().enumerate();
        let at_marks = parts.map(|(code, part)| PolicyAtMarks {
            policy: &part.policy.get().inner,
            places: &part.places,
            marks: of_policy(code),
            places_of_assets: &part.places_of_assets,
            asset_prices: asset_prices.get(code).copied().unwrap_or_default(),
        });
        Ok(at_marks.collect())
    }
}

type Results = (Py<PyArray2<f64>>, Py<PyArray2<u8>>);

/// Evaluates a book at marks into caller-owned outputs.
///
/// `marks` are as `BookPolicies` takes them, `wanted` is a bit mask of measures in the order of the table, `results` has one row a wanted
/// measure, `codes` the rows state and status; `accounts` holds the same of the accounts, if there are any, `balances` that of the balances
/// with a single row of codes. `asset_prices` holds the prices of each policy's assets, for books with balances.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn evaluate(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    wanted: u32,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    accounts: Option<Results>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    balances: Option<Results>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let (rows, account_count) = (columns.rows(), columns.wallet_balance.len());
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let balance_count = columns.balances.map_or(0, |balances| balances.balance.len());

    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let mut measured = results.columns("out", wanted.count_ones() as usize, rows)?.into_iter();
    let measured: [Option<&mut [f64]>; measures::COUNT] =
        std::array::from_fn(|measure| if wanted & (1 << measure) == 0 { None } else { measured.next() });
    let [state, status] = codes.array("out", rows)?;
    let borrow_both = |argument: &'static str, given: Option<Results>| {
        given
            .map(|(results, codes)| {
                PyResult::Ok((Table::of(py, argument, &results)?, Table::of(py, argument, &codes)?))
            })
            .transpose()
    };
    let mut tables = borrow_both("out.accounts", accounts)?;
    let mut balance_tables = borrow_both("out.balances", balances)?;
    let accounts = match &mut tables {
        None => AccountOutputs::none(),
        Some((results, codes)) => {
            let [state, status] = codes.array("out.accounts", account_count)?;
            AccountOutputs::new(results.array("out.accounts", account_count)?, state, status)
        }
    };
    let balances = match &mut balance_tables {
        None => BalanceOutputs::none(),
        Some((results, codes)) => {
            let [status] = codes.array("out.balances", balance_count)?;
            BalanceOutputs::new(results.array("out.balances", balance_count)?, status)
        }
    };
    let outputs = Outputs::new(measured, state, status, accounts, balances);
    door::through_with_signals(py, |interrupted| {
        levcore::evaluate::evaluate(&columns, &book.layout, &policies, &outputs, set, threads, interrupted)
    })
}

/// Measures how far prices may move together until each account is liquidated: rows lower and upper of `results`, codes of status.
///
/// `book` settles every account as one whole; `betas` holds those of the book's instruments and of the assets for each policy.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn measure_distances(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    betas: Vec<(PyReadonlyArray1<'_, f64>, PyReadonlyArray1<'_, f64>)>,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let accounts = columns.wallet_balance.len();
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let betas = betas
        .iter()
        .map(|(instruments, assets)| {
            PyResult::Ok(Betas { of_instruments: instruments.as_slice()?, of_assets: assets.as_slice()? })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let [lower, upper] = results.array("out", accounts)?;
    let [status] = codes.array("out", accounts)?;
    let outputs = DistanceOutputs::new(lower, upper, status);
    door::through_with_signals(py, |interrupted| {
        let layout = &book.layout;
        levcore::evaluate::measure_distances(&columns, layout, &policies, &betas, &outputs, set, threads, interrupted)
    })
}

/// Finds how much of each leg alone to close so that its account's margin call ends: contracts, one value a row.
///
/// `book` settles every account as one whole.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn quantities_to_close(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    results: Py<PyArray2<f64>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let mut results = Table::of(py, "out", &results)?;
    let [quantities] = results.array("out", columns.rows())?;
    door::through_with_signals(py, |interrupted| {
        let layout = &book.layout;
        levcore::evaluate::quantities_to_close(&columns, layout, &policies, quantities, set, threads, interrupted)
    })
}
