//! After the trigger: columns borrowed from NumPy, whole amounts back.

use levcore::closing::{self, Claims, Closings, LadderSide, Payer, Pools, Rung, Standing};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::door;
use crate::errors::{to_python, word};

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Amounts<'py> = PyReadonlyArray1<'py, i64>;
type Wholes<'py> = Bound<'py, PyArray1<i64>>;
/// Scores, and places in the order in which winners are deleveraged.
type Ranked<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<u32>>);

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

/// What each payer, by the names in `order`, gives to each claim; what is unpaid; lots to deleverage.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of two tables, by name in Python")]
pub(crate) fn share_out<'py>(
    py: Python<'py>,
    shortfall: Amounts<'py>,
    lots: Amounts<'py>,
    pool: PyReadonlyArray1<'py, u32>,
    fund: i64,
    lots_of_winners: Amounts<'py>,
    gains: i64,
    order: Vec<String>,
) -> PyResult<(Vec<Wholes<'py>>, Wholes<'py>, Wholes<'py>)> {
    let order: Vec<Payer> = order.iter().map(|name| word("payer", name)).collect::<PyResult<_>>()?;
    let claims = Claims { shortfall: shortfall.as_slice()?, lots: lots.as_slice()?, pool: pool.as_slice()? };
    let pools = Pools { fund, lots: lots_of_winners.as_slice()?, gains };
    let payments = door::through(py, || closing::share_out(&claims, &pools, &order))?;
    let column = |values| PyArray1::from_vec(py, values);
    Ok((payments.paid.into_iter().map(column).collect(), column(payments.unpaid), column(payments.lots)))
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

/// Scores, and the places of positions in the order in which they are deleveraged.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of a table, by name in Python")]
pub(crate) fn rank_for_deleveraging<'py>(
    py: Python<'py>,
    ranking: &str,
    profit: Floats<'py>,
    entry_value: Floats<'py>,
    value: Floats<'py>,
    wallet: Floats<'py>,
    equity: Floats<'py>,
    maintenance_margin: Floats<'py>,
    leverage: Floats<'py>,
    key: Amounts<'py>,
    lots: Amounts<'py>,
    seed: u64,
) -> PyResult<Ranked<'py>> {
    let ranking = word("ranking", ranking)?;
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
    let lots = lots.as_slice()?;
    let (scores, order) = door::through(py, || {
        let scores = closing::scores(ranking, &standing, seed)?;
        let order = closing::ranked(&scores, standing.key, lots, standing.entry_value);
        Ok((scores, order))
    })?;
    Ok((PyArray1::from_vec(py, scores), PyArray1::from_vec(py, order)))
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

/// Payers, allocations and rankings as (name, meaning).
#[pyfunction]
pub(crate) fn closing_words() -> [Vec<(&'static str, &'static str)>; 3] {
    [
        closing::Payer::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Allocation::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Ranking::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
    ]
}
