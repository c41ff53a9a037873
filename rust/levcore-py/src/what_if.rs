//! Changes of a book that have not happened yet.

use levcore::codes::{OrderRule, ReleaseRule};
use levcore::what_if::{
    ChangeOutputs, ChangeableBook, Changes, Codes as ChangeCodes, OrderOutputs, Orders, Side, margin_of_orders,
};
use levcore::{BalanceKeys, ByMeasure, Codes, Execution, Keys, Measure, PolicyAtMarks};
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
    isolated_only: PyReadonlyArray1<'py, bool>,
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
    let mut measured = rows.columns("out", wanted.count_ones() as usize, count)?;
    let is_wanted = |measure: Measure| wanted & (1 << measure as usize) != 0;
    let columns = ByMeasure::from_fn(|measure| if is_wanted(measure) { measured.next() } else { None });
    let row_codes = row_codes.array("out", count)?;
    Ok(Side::new(columns, row_codes, accounts.array("out", count)?, account_codes.array("out", count)?))
}

/// Evaluates every changed position and its account into caller-owned outputs.
///
/// `wanted` is a bit mask of the measures of positions, `sides` holds the outputs after the change, before it and of the account that a
/// transfer leaves, the last two if wanted; `effect` has one row a column of `Effect`, `status` one row. `orders` are open orders, with the
/// rows margin and loss of those of the changed account.
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
    orders: Option<(OrderColumns<'_>, Py<PyArray2<f64>>)>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let given = changes.changes()?;
    let mut order_sums = orders.as_ref().map(|(_, sums)| Table::of(py, "out", sums)).transpose()?;
    let rules = orders.as_ref().map_or_else(|| Ok(Vec::new()), |(orders, _)| orders.rules())?;
    let orders = orders.as_ref().map(|(orders, _)| orders.orders(&rules)).transpose()?;
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
        order_sums.as_mut().map(|sums| sums.array("out", count)).transpose()?,
    );
    let named = Named {
        base_of: changes.base_of.as_slice()?,
        settlement: changes.settlement.as_slice()?,
        isolated_only: changes.isolated_only.as_slice()?,
        assets: changes.asset_count,
        has_leverage: changes.has_leverage,
        pool_all: changes.pool_all,
    };
    ask_of_changes(py, &question, book, members, &named, |book, policies, execution| {
        levcore::what_if::what_if(book, policies, &given, orders.as_ref(), &outputs, execution)
    })
}

/// What the names of a call stand for, beyond the book's own.
struct Named<'a> {
    base_of: &'a [u32],
    settlement: &'a [u32],
    isolated_only: &'a [bool],
    assets: usize,
    has_leverage: bool,
    pool_all: bool,
}

/// Asks the core about a book that changes, without the interpreter.
fn ask_of_changes(
    py: Python<'_>,
    question: &Question<'_>,
    book: &Book,
    members: &Members,
    named: &Named<'_>,
    answer: impl FnOnce(&ChangeableBook<'_>, &[PolicyAtMarks<'_>], Execution<'_>) -> levcore::Result<()> + Send,
) -> PyResult<()> {
    let (account, cross) = borrow(py, members.account.as_ref(), members.cross.as_ref());
    let (policy, _) = borrow(py, members.policy.as_ref(), None);
    let (balance_policy, _) = borrow(py, book.balances.as_ref().and_then(|own| own.policy.as_ref()), None);
    let cross = cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let account = slice(account.as_ref())?.unwrap_or(&[]);
    let (policy, balance_policy) = (slice(policy.as_ref())?, slice(balance_policy.as_ref())?);
    let (members, hedge) = (&members.inner, members.hedge);
    let Named { base_of, settlement, isolated_only, assets, has_leverage, pool_all } = *named;
    question.ask(|columns, _, policies, execution| {
        let columns = *columns;
        let book = ChangeableBook {
            columns,
            cross,
            account,
            policy,
            balance_policy,
            members,
            base_of,
            settlement,
            isolated_only,
            assets,
            has_leverage,
            hedge,
            pool_all,
        };
        answer(&book, policies, execution)
    })
}

fn slice<'a>(column: Option<&'a Integers<'_>>) -> PyResult<Option<&'a [u32]>> {
    Ok(column.map(PyReadonlyArray1::as_slice).transpose()?)
}

/// Open orders as `levcore.changes.order_columns.OrderColumns` holds them.
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
    loss_counts: Vec<bool>,
    base_of: Integers<'py>,
    settlement: Integers<'py>,
    isolated_only: PyReadonlyArray1<'py, bool>,
}

impl OrderColumns<'_> {
    fn rules(&self) -> PyResult<Vec<OrderRule>> {
        self.rules.iter().map(|rule| word("order_margin", rule)).collect()
    }

    fn orders<'a>(&'a self, rules: &'a [OrderRule]) -> PyResult<Orders<'a>> {
        Ok(Orders {
            account: self.account.as_slice()?,
            instrument: self.instrument.as_slice()?,
            policy: self.policy.as_slice()?,
            quantity: self.quantity.as_slice()?,
            price: self.price.as_slice()?,
            leverage: self.leverage.as_slice()?,
            reduce_only: self.reduce_only.as_slice()?,
            rule: rules,
            loss_counts: &self.loss_counts,
        })
    }
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
    let rules = orders.rules()?;
    let given = orders.orders(&rules)?;
    let (_, accounts, _) = question.sizes()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut status = Table::of(py, "out", &status)?;
    let [margin, loss] = results.array("out", accounts)?;
    let [status] = status.array("out", given.quantity.len())?;
    let named = Named {
        base_of: orders.base_of.as_slice()?,
        settlement: orders.settlement.as_slice()?,
        isolated_only: orders.isolated_only.as_slice()?,
        assets: 0,
        has_leverage: true,
        pool_all: false,
    };
    ask_of_changes(py, &question, book, members, &named, |book, policies, _| {
        margin_of_orders(book, policies, &given, &mut OrderOutputs { status, margin, loss })
    })
}
