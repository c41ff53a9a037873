//! After the trigger: columns borrowed from NumPy, whole amounts back.

use levcore::closing::{
    self, Batch, Closings, Fund, Impact, LadderSide, LoanRule, Loans, Payer, Pools, Rung, Stack, Standing, StepRule,
    Steps, Wanted, Wave, Winners,
};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::door;
use crate::errors::{to_python, too_many, word};

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

/// Contracts that a step closes of each row.
#[pyfunction]
pub(crate) fn step_quantities<'py>(
    py: Python<'py>,
    step: &str,
    numbers: (f64, f64, f64),
    quantity: Floats<'py>,
    value: Floats<'py>,
    keep: Floats<'py>,
    all: PyReadonlyArray1<'py, bool>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (share, whole_up_to, least) = numbers;
    let rule = StepRule { step: word("step", step)?, share, whole_up_to, least };
    let (quantity, value, keep) = (quantity.as_slice()?, value.as_slice()?, keep.as_slice()?);
    let steps = Steps { quantity, value, keep, all: all.as_slice()? };
    let closed = door::through(py, || closing::step_quantities(&rule, &steps))?;
    Ok(PyArray1::from_vec(py, closed))
}

/// Contracts with which a position stands some tiers lower.
#[pyfunction]
pub(crate) fn contracts_to_keep(floors: Vec<f64>, key: f64, quantity: f64, tiers: usize) -> f64 {
    closing::contracts_to_keep(&floors, key, quantity, tiers)
}

/// Debt repaid, collateral seized, fee and uncovered debt of each loan; `rule` is share, small, least left, weak health factor, fee.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of a table, by name in Python")]
pub(crate) fn close_loans<'py>(
    py: Python<'py>,
    debt: Amounts<'py>,
    collateral: Amounts<'py>,
    total_debt: Amounts<'py>,
    total_collateral: Amounts<'py>,
    health_factor: Floats<'py>,
    bonus: Amounts<'py>,
    rule: (f64, i64, i64, f64, i64),
) -> PyResult<[Wholes<'py>; 4]> {
    let (share, small_below, least_left, weak_at, fee) = rule;
    let rule = LoanRule { share, small_below, least_left, weak_at, fee };
    let loans = Loans {
        debt: debt.as_slice()?,
        collateral: collateral.as_slice()?,
        total_debt: total_debt.as_slice()?,
        total_collateral: total_collateral.as_slice()?,
        health_factor: health_factor.as_slice()?,
        bonus: bonus.as_slice()?,
    };
    let closed = door::through(py, || closing::close_loans(&loans, &rule))?;
    Ok([closed.repaid, closed.seized, closed.fee, closed.uncovered].map(|values| PyArray1::from_vec(py, values)))
}

/// An impact by its kind; columns of one value each but for levels.
fn impact_of<'a>(kind: &str, first: &'a [f64], second: &'a [f64]) -> PyResult<Impact<'a>> {
    let number = |column: &[f64]| column.first().copied().unwrap_or(f64::NAN);
    let (coefficient, depth) = (number(first), number(second));
    let impact = match kind {
        "linear" => Impact::Linear { coefficient, depth },
        "square_root" => Impact::SquareRoot { coefficient, depth },
        _ => Impact::Levels { distance: first, size: second },
    };
    impact.check().map_err(to_python)?;
    Ok(impact)
}

/// Fractions by which fills are worse than the price, one a quantity that is traded at once.
#[pyfunction]
pub(crate) fn average_impact<'py>(
    py: Python<'py>,
    kind: &str,
    first: Floats<'py>,
    second: Floats<'py>,
    quantity: Floats<'py>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let impact = impact_of(kind, first.as_slice()?, second.as_slice()?)?;
    let average = |&quantity: &f64| Ok(if quantity > 0.0 { impact.cost(quantity)? / quantity } else { 0.0 });
    let averages = quantity.as_slice()?.iter().map(average).collect::<levcore::Result<Vec<_>>>().map_err(to_python)?;
    Ok(PyArray1::from_vec(py, averages))
}

/// Waves as columns (positions, lots, fills, prices after), and the wave of each position, -1 where none reaches it.
type Waves<'py> = (Wholes<'py>, Wholes<'py>, [Bound<'py, PyArray1<f64>>; 2], Wholes<'py>);

/// A cascade of one side of an instrument.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "columns of two tables, by name in Python")]
pub(crate) fn cascade<'py>(
    py: Python<'py>,
    quantity: Floats<'py>,
    trigger: Floats<'py>,
    falls: bool,
    start: f64,
    kind: &str,
    first: Floats<'py>,
    second: Floats<'py>,
    lots_per_unit: f64,
) -> PyResult<Waves<'py>> {
    let stack = Stack { quantity: quantity.as_slice()?, trigger: trigger.as_slice()?, falls };
    let impact = impact_of(kind, first.as_slice()?, second.as_slice()?)?;
    let found = door::through(py, || closing::cascade(&stack, start, &impact, lots_per_unit))?;
    let column = |of: fn(&Wave) -> f64| PyArray1::from_iter(py, found.waves.iter().map(of));
    let prices = [column(|wave| wave.fill), column(|wave| wave.price)];
    let place = |&wave: &u32| if wave == u32::MAX { -1 } else { i64::from(wave) };
    Ok((
        PyArray1::from_iter(py, found.waves.iter().map(|wave| wave.positions.cast_signed())),
        PyArray1::from_iter(py, found.waves.iter().map(|wave| wave.lots)),
        prices,
        PyArray1::from_iter(py, found.wave.iter().map(place)),
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
    let amounts = amount.as_slice()?.iter().enumerate();
    let too_many = |row, amount| move |_| too_many("amount", "quantum", amount, Some(row));
    let quanta = amounts.map(|(row, &amount)| closing::to_quanta(amount, per_unit).map_err(too_many(row, amount)));
    Ok(PyArray1::from_vec(py, quanta.collect::<PyResult<_>>()?))
}

/// Payers, allocations, rankings, ways to share lots and steps as (name, meaning).
#[pyfunction]
pub(crate) fn closing_words() -> [Vec<(&'static str, &'static str)>; 5] {
    [
        closing::Payer::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Allocation::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Ranking::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Sharing::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
        closing::Step::TABLE.iter().map(|word| (word.name, word.meaning)).collect(),
    ]
}
