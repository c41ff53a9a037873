//! Changes of a book that have not happened yet.

use levcore::codes::{OrderRule, ReleaseRule};
use levcore::what_if::{
    ChangeOutputs, ChangeableBook, Changes, Codes as ChangeCodes, OrderOutputs, Orders, Side, margin_of_orders,
};
use levcore::{BalanceKeys, ByMeasure, Codes, Keys, Measure};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::Table;
use crate::calls::{Floats, Question};
use crate::door;
use crate::errors::word;

type Integers<'py> = PyReadonlyArray1<'py, u32>;

/// Which rows and balances each account of a book has; found once a book.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Members {
    inner: levcore::Members,
    cross: Option<Py<PyArray1<bool>>>,
    account: Option<Py<PyArray1<u32>>>,
    policy: Option<Py<PyArray1<u32>>>,
    hedge: bool,
}

#[pymethods]
impl Members {
    /// Groups the rows and balances of `book`, whose instrument codes lie below `instrument_count`.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        book: &Book,
        instrument_count: usize,
        account_count: usize,
        cross: Option<Py<PyArray1<bool>>>,
        account: Option<Py<PyArray1<u32>>>,
        policy: Option<Py<PyArray1<u32>>>,
        hedge: bool,
    ) -> PyResult<Self> {
        let instrument = book.instrument.bind(py).readonly();
        let (of_rows, is_cross) = borrow(py, account.as_ref(), cross.as_ref());
        let balances = book
            .balances
            .as_ref()
            .map(|own| (own.account.bind(py).readonly(), own.asset.bind(py).readonly(), own.asset_count));
        let balance_keys = match &balances {
            None => None,
            Some((account, asset, count)) => Some(BalanceKeys {
                account: Codes { of_row: account.as_slice()?, labels: account_count },
                asset: Codes { of_row: asset.as_slice()?, labels: *count },
                policy: None,
            }),
        };
        let keys = Keys {
            instrument: Codes { of_row: instrument.as_slice()?, labels: instrument_count },
            cross: is_cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            account: Codes {
                of_row: of_rows.as_ref().map_or(Ok(&[][..]), PyReadonlyArray1::as_slice)?,
                labels: account_count,
            },
            balances: balance_keys,
            ..Keys::isolated(&[], 0)
        };
        let inner = door::through(py, || levcore::Members::new(&keys))?;
        Ok(Self { inner, cross, account, policy, hedge })
    }
}

type Borrowed<'py> = (Option<Integers<'py>>, Option<PyReadonlyArray1<'py, bool>>);

fn borrow<'py>(
    py: Python<'py>,
    codes: Option<&Py<PyArray1<u32>>>,
    flags: Option<&Py<PyArray1<bool>>>,
) -> Borrowed<'py> {
    (codes.map(|column| column.bind(py).readonly()), flags.map(|column| column.bind(py).readonly()))
}

/// Changes as `levcore.changes.columns.ChangeColumns` holds them.
#[derive(FromPyObject)]
pub(crate) struct ChangeColumns<'py> {
    kind: PyReadonlyArray1<'py, u8>,
    row: Integers<'py>,
    account: Integers<'py>,
    instrument: Integers<'py>,
    policy: Integers<'py>,
    asset: Integers<'py>,
    replacement: Integers<'py>,
    cross: PyReadonlyArray1<'py, bool>,
    quantity: Floats<'py>,
    price: Floats<'py>,
    fee_rate: Floats<'py>,
    leverage: Floats<'py>,
    amount: Floats<'py>,
    risk_limit: Floats<'py>,
    order: Option<Integers<'py>>,
    starts: Option<Integers<'py>>,
    release: String,
    base_of: Integers<'py>,
    settlement: Integers<'py>,
    asset_count: usize,
    has_leverage: bool,
    pool_all: bool,
}

impl ChangeColumns<'_> {
    fn changes(&self) -> PyResult<Changes<'_>> {
        let codes = ChangeCodes {
            row: self.row.as_slice()?,
            account: self.account.as_slice()?,
            instrument: self.instrument.as_slice()?,
            policy: self.policy.as_slice()?,
            asset: self.asset.as_slice()?,
            replacement: self.replacement.as_slice()?,
        };
        let release: ReleaseRule = word("reducing", &self.release)?;
        Ok(Changes {
            kind: self.kind.as_slice()?,
            codes,
            cross: self.cross.as_slice()?,
            quantity: self.quantity.as_slice()?,
            price: self.price.as_slice()?,
            fee_rate: self.fee_rate.as_slice()?,
            leverage: self.leverage.as_slice()?,
            amount: self.amount.as_slice()?,
            risk_limit: self.risk_limit.as_slice()?,
            order: self.order.as_ref().map_or(Ok(&[][..]), PyReadonlyArray1::as_slice)?,
            starts: self.starts.as_ref().map_or(Ok(&[][..]), PyReadonlyArray1::as_slice)?,
            release,
        })
    }
}

/// Outputs about one time: measures and codes of positions, measures and codes of accounts.
type SideArrays = (Py<PyArray2<f64>>, Py<PyArray2<u8>>, Py<PyArray2<f64>>, Py<PyArray2<u8>>);
/// The same, borrowed for writing.
type SideTables<'py> = (Table<'py, f64>, Table<'py, u8>, Table<'py, f64>, Table<'py, u8>);

fn borrow_side<'py>(py: Python<'py>, arrays: &SideArrays) -> PyResult<SideTables<'py>> {
    let (rows, row_codes, accounts, account_codes) = arrays;
    Ok((
        Table::of(py, "out", rows)?,
        Table::of(py, "out", row_codes)?,
        Table::of(py, "out", accounts)?,
        Table::of(py, "out", account_codes)?,
    ))
}

fn side<'a>(tables: &'a mut SideTables<'_>, wanted: u32, count: usize) -> PyResult<Side<'a>> {
    let (rows, row_codes, accounts, account_codes) = tables;
    let mut measured = rows.columns("out", wanted.count_ones() as usize, count)?.into_iter();
    let is_wanted = |measure: Measure| wanted & (1 << measure as usize) != 0;
    let columns = ByMeasure::from_fn(|measure| if is_wanted(measure) { measured.next() } else { None });
    let row_codes = row_codes.array("out", count)?;
    Ok(Side::new(columns, row_codes, accounts.array("out", count)?, account_codes.array("out", count)?))
}

/// Evaluates every changed position and its account into caller-owned outputs.
///
/// `wanted` is a bit mask of the measures of positions, `sides` holds the outputs after the change, before it and of the account that a
/// transfer leaves, the last two if wanted; `effect` has one row a column of `Effect`, `status` one row.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn what_if(
    py: Python<'_>,
    book: &Book,
    members: &Members,
    policies: &BookPolicies,
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    changes: ChangeColumns<'_>,
    wanted: u32,
    sides: (SideArrays, Option<SideArrays>, Option<SideArrays>),
    effect: Py<PyArray2<f64>>,
    status: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let given = changes.changes()?;
    let count = given.len();
    let (after, before, source) = sides;
    let mut after = borrow_side(py, &after)?;
    let mut before = before.as_ref().map(|arrays| borrow_side(py, arrays)).transpose()?;
    let mut source = source.as_ref().map(|arrays| borrow_side(py, arrays)).transpose()?;
    let mut effect = Table::of(py, "out", &effect)?;
    let mut status = Table::of(py, "out", &status)?;
    let [status] = status.array("out", count)?;
    let outputs = ChangeOutputs::new(
        status,
        effect.array("out", count)?,
        side(&mut after, wanted, count)?,
        before.as_mut().map(|tables| side(tables, wanted, count)).transpose()?,
        source.as_mut().map(|tables| side(tables, wanted, count)).transpose()?,
    );
    let given_book = BorrowedMembers::of(py, book, members);
    let parts = given_book.parts()?;
    let (base_of, settlement) = (changes.base_of.as_slice()?, changes.settlement.as_slice()?);
    question.ask(|columns, _, policies, execution| {
        let book = ChangeableBook {
            columns: *columns,
            base_of,
            settlement,
            assets: changes.asset_count,
            has_leverage: changes.has_leverage,
            pool_all: changes.pool_all,
            ..parts
        };
        levcore::what_if::what_if(&book, policies, &given, &outputs, execution)
    })
}

fn slice<'a>(column: Option<&'a Integers<'_>>) -> PyResult<Option<&'a [u32]>> {
    Ok(column.map(PyReadonlyArray1::as_slice).transpose()?)
}

/// Codes of a book that its layout does not keep, borrowed for a call.
struct BorrowedMembers<'py> {
    members: &'py Members,
    account: Option<Integers<'py>>,
    cross: Option<PyReadonlyArray1<'py, bool>>,
    policy: Option<Integers<'py>>,
    balance_policy: Option<Integers<'py>>,
}

impl<'py> BorrowedMembers<'py> {
    fn of(py: Python<'py>, book: &Book, members: &'py Members) -> Self {
        let (account, cross) = borrow(py, members.account.as_ref(), members.cross.as_ref());
        let (policy, _) = borrow(py, members.policy.as_ref(), None);
        let of_balances = book.balances.as_ref().and_then(|own| own.policy.as_ref());
        let (balance_policy, _) = borrow(py, of_balances, None);
        Self { members, account, cross, policy, balance_policy }
    }

    /// A book without columns that has these codes.
    fn parts(&self) -> PyResult<ChangeableBook<'_>> {
        Ok(ChangeableBook {
            columns: levcore::Book {
                instrument: &[],
                quantity: &[],
                entry_price: &[],
                isolated_margin: None,
                leverage: None,
                accrued_funding: None,
                risk_limit: None,
                wallet_balance: &[],
                account_status: None,
                balances: None,
            },
            cross: self.cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            account: slice(self.account.as_ref())?.unwrap_or(&[]),
            policy: slice(self.policy.as_ref())?,
            balance_policy: slice(self.balance_policy.as_ref())?,
            members: &self.members.inner,
            base_of: &[],
            settlement: &[],
            assets: 0,
            has_leverage: true,
            hedge: self.members.hedge,
            pool_all: false,
        })
    }
}

/// Open orders as `levcore.changes.orders.OrderColumns` holds them.
#[derive(FromPyObject)]
pub(crate) struct OrderColumns<'py> {
    account: Integers<'py>,
    instrument: Integers<'py>,
    policy: Integers<'py>,
    quantity: Floats<'py>,
    price: Floats<'py>,
    leverage: Floats<'py>,
    reduce_only: PyReadonlyArray1<'py, bool>,
    rules: Vec<String>,
    base_of: Integers<'py>,
    settlement: Integers<'py>,
}

/// Sums what the open orders of each account ask for: `results` has the rows margin and loss by account, `status` one row by order.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn order_margins(
    py: Python<'_>,
    book: &Book,
    members: &Members,
    policies: &BookPolicies,
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    orders: OrderColumns<'_>,
    results: Py<PyArray2<f64>>,
    status: Py<PyArray2<u8>>,
    instruction_set: &str,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, 1)?;
    let rules = orders.rules.iter().map(|rule| word("order_margin", rule)).collect::<PyResult<Vec<OrderRule>>>()?;
    let given = Orders {
        account: orders.account.as_slice()?,
        instrument: orders.instrument.as_slice()?,
        policy: orders.policy.as_slice()?,
        quantity: orders.quantity.as_slice()?,
        price: orders.price.as_slice()?,
        leverage: orders.leverage.as_slice()?,
        reduce_only: orders.reduce_only.as_slice()?,
        rule: &rules,
    };
    let (_, accounts, _) = question.sizes()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut status = Table::of(py, "out", &status)?;
    let [margin, loss] = results.array("out", accounts)?;
    let [status] = status.array("out", given.quantity.len())?;
    let given_book = BorrowedMembers::of(py, book, members);
    let parts = given_book.parts()?;
    let (base_of, settlement) = (orders.base_of.as_slice()?, orders.settlement.as_slice()?);
    question.ask(|columns, _, policies, _| {
        let book = ChangeableBook { columns: *columns, base_of, settlement, ..parts };
        margin_of_orders(&book, policies, &given, &mut OrderOutputs { status, margin, loss })
    })
}
