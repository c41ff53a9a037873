//! After the trigger: columns borrowed from NumPy, whole amounts back.

use levcore::closing::{self, Batch, Closings, Fund, LadderSide, Payer, Pools, Rung, Standing, Wanted, Winners};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::door;
use crate::errors::{to_python, word};

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Amounts<'py> = PyReadonlyArray1<'py, i64>;
type Wholes<'py> = Bound<'py, PyArray1<i64>>;
type Places<'py> = PyReadonlyArray1<'py, u32>;
/// Rows of winners, their lots, what they give, their scores.
type Winning<'py> = (Bound<'py, PyArray1<u32>>, Wholes<'py>, Wholes<'py>, Bound<'py, PyArray1<f64>>);

/// Losses to the trigger, past it, and fees, in quanta.
#[pyfunction]
pub(crate) fn loss_parts<'py>(
    py: Python<'py>,
    gain: Floats<'py>,
    entry: Floats<'py>,
    trigger: Floats<'py>,
    fill: Floats<'py>,
    fee_rate: Floats<'py>,
    per_unit: f64,
) -> PyResult<(Wholes<'py>, Wholes<'py>, Wholes<'py>)> {
    let closings = Closings {
        gain: gain.as_slice()?,
        entry: entry.as_slice()?,
        trigger: trigger.as_slice()?,
        fill: fill.as_slice()?,
        fee_rate: fee_rate.as_slice()?,
    };
    let parts = door::through(py, || closing::loss_parts(&closings, per_unit))?;
    let column = |values| PyArray1::from_vec(py, values);
    Ok((column(parts.to_trigger), column(parts.past_trigger), column(parts.fees)))
}

/// A batch settled: parts of losses by row; left and other money by purse; payments by payer and row, unpaid, lots to deleverage by row; the
/// fund's balance by claim.
type Settled<'py> = ([Wholes<'py>; 3], [Wholes<'py>; 2], Vec<Wholes<'py>>, [Wholes<'py>; 3]);

/// Settles what is closed at one instant; rows of positions, of purses and of traders by name in Python.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of three tables, by name in Python")]
pub(crate) fn settle<'py>(
    py: Python<'py>,
    gain: Floats<'py>,
    entry: Floats<'py>,
    trigger: Floats<'py>,
    fill: Floats<'py>,
    fee_rate: Floats<'py>,
    lots: Amounts<'py>,
    pool: Places<'py>,
    purse: Places<'py>,
    served: Places<'py>,
    margin: Amounts<'py>,
    ends: PyReadonlyArray1<'py, bool>,
    to_fund: PyReadonlyArray1<'py, bool>,
    owner: Places<'py>,
    other_money: Amounts<'py>,
    fund: (i64, i64, i64),
    lots_of_winners: Amounts<'py>,
    winners_pay: bool,
    gains: i64,
    payers: Vec<String>,
    per_unit: f64,
) -> PyResult<Settled<'py>> {
    let payers: Vec<Payer> = payers.iter().map(|name| word("payer", name)).collect::<PyResult<_>>()?;
    let batch = Batch {
        closings: Closings {
            gain: gain.as_slice()?,
            entry: entry.as_slice()?,
            trigger: trigger.as_slice()?,
            fill: fill.as_slice()?,
            fee_rate: fee_rate.as_slice()?,
        },
        lots: lots.as_slice()?,
        pool: pool.as_slice()?,
        purse: purse.as_slice()?,
        served: served.as_slice()?,
        margin: margin.as_slice()?,
        ends: ends.as_slice()?,
        to_fund: to_fund.as_slice()?,
        owner: owner.as_slice()?,
        other_money: other_money.as_slice()?,
    };
    let (balance, floor, largest_value) = fund;
    let fund = Fund { balance, floor, largest_value };
    let pools = Pools { fund, lots: lots_of_winners.as_slice()?, winners_pay, gains };
    let settled = door::through(py, || closing::settle(&batch, &pools, &payers, per_unit))?;
    let column = |values| PyArray1::from_vec(py, values);
    Ok((
        [settled.loss.to_trigger, settled.loss.past_trigger, settled.loss.fees].map(column),
        [settled.left, settled.other_money].map(column),
        settled.payments.paid.into_iter().map(column).collect(),
        [settled.payments.unpaid, settled.payments.lots, settled.fund].map(column),
    ))
}

/// Shares of an amount among those who can bear it.
#[pyfunction]
pub(crate) fn allocate<'py>(
    py: Python<'py>,
    amount: i64,
    capacity: Amounts<'py>,
    weight: Amounts<'py>,
    rule: &str,
    deal_rest: bool,
) -> PyResult<Wholes<'py>> {
    let (rule, capacity, weight) = (word("allocation", rule)?, capacity.as_slice()?, weight.as_slice()?);
    let shares = door::through(py, || closing::allocate(amount, capacity, weight, rule, deal_rest))?;
    Ok(PyArray1::from_vec(py, shares))
}

/// Who is deleveraged: rows of winners, lots, what they give, and their scores.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of two tables, by name in Python")]
pub(crate) fn deleverage<'py>(
    py: Python<'py>,
    ranking: &str,
    sharing: &str,
    profit: Floats<'py>,
    entry_value: Floats<'py>,
    value: Floats<'py>,
    wallet: Floats<'py>,
    equity: Floats<'py>,
    maintenance_margin: Floats<'py>,
    leverage: Floats<'py>,
    key: Amounts<'py>,
    lots: Amounts<'py>,
    pool: Places<'py>,
    wanted_lots: Amounts<'py>,
    wanted_amount: Amounts<'py>,
    per_unit: f64,
    seed: u64,
) -> PyResult<Winning<'py>> {
    let (ranking, sharing) = (word("ranking", ranking)?, word("sharing", sharing)?);
    let standing = Standing {
        profit: profit.as_slice()?,
        entry_value: entry_value.as_slice()?,
        value: value.as_slice()?,
        wallet: wallet.as_slice()?,
        equity: equity.as_slice()?,
        maintenance_margin: maintenance_margin.as_slice()?,
        leverage: leverage.as_slice()?,
        key: key.as_slice()?,
    };
    let winners = Winners { standing, lots: lots.as_slice()?, pool: pool.as_slice()? };
    let wanted = Wanted { lots: wanted_lots.as_slice()?, amount: wanted_amount.as_slice()? };
    let found = door::through(py, || closing::deleverage(ranking, sharing, &winners, &wanted, per_unit, seed))?;
    let column = |values| PyArray1::from_vec(py, values);
    Ok((
        PyArray1::from_vec(py, found.winner),
        column(found.lots),
        column(found.amount),
        PyArray1::from_vec(py, found.score),
    ))
}

/// Rungs as columns: positions, notional, loss, shortfall.
type Rungs<'py> = (Bound<'py, PyArray1<u64>>, [Bound<'py, PyArray1<f64>>; 3]);

/// One side of the ladder of a market.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Ladder(closing::Ladder);

#[pymethods]
impl Ladder {
    #[new]
    fn new(
        py: Python<'_>,
        size: Floats<'_>,
        entry: Floats<'_>,
        trigger: Floats<'_>,
        bankruptcy: Floats<'_>,
        falls: bool,
        per_unit: f64,
    ) -> PyResult<Self> {
        let side = LadderSide {
            size: size.as_slice()?,
            entry: entry.as_slice()?,
            trigger: trigger.as_slice()?,
            bankruptcy: bankruptcy.as_slice()?,
            falls,
        };
        door::through(py, || closing::Ladder::new(&side, per_unit)).map(Self)
    }

    /// What is liquidated by each coordinate.
    fn at<'py>(&self, py: Python<'py>, coordinates: Floats<'py>) -> PyResult<Rungs<'py>> {
        let coordinates = coordinates.as_slice()?;
        let rungs: Vec<Rung> = door::through(py, || Ok(coordinates.iter().map(|&x| self.0.at(x)).collect()))?;
        let column = |of: fn(&Rung) -> f64| PyArray1::from_iter(py, rungs.iter().map(of));
        let columns = [column(|rung| rung.notional), column(|rung| rung.loss), column(|rung| rung.shortfall)];
        Ok((PyArray1::from_iter(py, rungs.iter().map(|rung| rung.positions)), columns))
    }
}

/// An amount in quanta.
#[pyfunction]
pub(crate) fn to_quanta<'py>(py: Python<'py>, amount: Floats<'py>, per_unit: f64) -> PyResult<Wholes<'py>> {
    let quanta = amount.as_slice()?.iter().map(|&amount| closing::to_quanta(amount, per_unit));
    let quanta = quanta.collect::<levcore::Result<_>>().map_err(to_python)?;
    Ok(PyArray1::from_vec(py, quanta))
}

/// Payers, allocations, rankings and ways to share lots as (name, meaning).
#[pyfunction]
pub(crate) fn closing_words() -> [Vec<(&'static str, &'static str)>; 4] {
    [
        closing::Payer::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Allocation::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Ranking::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Sharing::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
    ]
}
