//! A replay, its columns out of and into NumPy.

use levcore::InstructionSet;
use levcore::closing::{Payer, StepRule};
use levcore::live::Market;
use levcore::replay::{
    self, Event, EventKind, Opening, ReplayRules, ReplayedBook, Sample, Step, StepRules, TierLadder,
};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::BorrowedBook;
use crate::door;
use crate::errors::{to_python, word};

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Amounts<'py> = PyReadonlyArray1<'py, i64>;
type Codes<'py> = PyReadonlyArray1<'py, u32>;
type Starts<'py> = PyReadonlyArray1<'py, u64>;
type Wholes<'py> = Bound<'py, PyArray1<i64>>;
type Numbers<'py> = Bound<'py, PyArray1<f64>>;
type Places<'py> = Bound<'py, PyArray1<u64>>;

/// Rules as `levcore.replay` states them.
#[derive(FromPyObject)]
struct Rules {
    fee_rate: f64,
    slippage: f64,
    to_fund: bool,
    payers: Vec<String>,
    ranking: String,
    winners_pay: bool,
    fund_floor: i64,
    largest_value: i64,
    per_unit: f64,
    lots_per_unit: f64,
    seed: u64,
    steps: Liquidation,
}

/// A rule of steps: what is closed, its share, the value up to which all is, the least value.
type Rule = (String, f64, f64, f64);

/// How a liquidation goes on, as `levcore.replay` states it.
#[derive(FromPyObject)]
struct Liquidation {
    cross: Rule,
    isolated: Rule,
    nets: bool,
    next: String,
    whole_level: Option<f64>,
    take_over_level: Option<f64>,
    exit_level: Option<f64>,
    cooldown: f64,
    tiers: usize,
    /// By instrument, of longs and of shorts: what tiers are keyed by, and their floors.
    ladders: Vec<[(String, Vec<f64>); 2]>,
}

impl Liquidation {
    fn rules(self) -> PyResult<StepRules> {
        let rule = |(step, share, whole_up_to, least): Rule| -> PyResult<StepRule> {
            Ok(StepRule { step: word("step", &step)?, share, whole_up_to, least })
        };
        let ladder = |(key, floors): (String, Vec<f64>)| -> PyResult<TierLadder> {
            Ok(TierLadder { key: word("tiers", &key)?, floors })
        };
        let ladders = self.ladders.into_iter().map(|[long, short]| Ok([ladder(long)?, ladder(short)?]));
        Ok(StepRules {
            cross: rule(self.cross)?,
            isolated: rule(self.isolated)?,
            nets: self.nets,
            next: word("close_out_next", &self.next)?,
            whole_level: self.whole_level,
            take_over_level: self.take_over_level,
            exit_level: self.exit_level,
            cooldown: self.cooldown,
            tiers: self.tiers,
            ladders: ladders.collect::<PyResult<_>>()?,
        })
    }
}

/// Steps as `levcore.replay` lays them out: where those of each step start, and their columns.
#[derive(FromPyObject)]
struct Steps<'py> {
    seconds: Floats<'py>,
    price_starts: Starts<'py>,
    price_instrument: Codes<'py>,
    price: Floats<'py>,
    funding_starts: Starts<'py>,
    funding_instrument: Codes<'py>,
    funding_rate: Floats<'py>,
    delisted_starts: Starts<'py>,
    delisted: Codes<'py>,
    sample: PyReadonlyArray1<'py, bool>,
}

/// A replay as it stands.
#[pyclass(module = "levcore._levcore")]
pub(crate) struct Replay {
    layout: Py<Book>,
    policies: Py<BookPolicies>,
    set: InstructionSet,
    marks: Vec<f64>,
    inner: replay::Replay,
}

#[pymethods]
impl Replay {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        book: Py<Book>,
        policies: Py<BookPolicies>,
        marks: Floats<'_>,
        cross: PyReadonlyArray1<'_, bool>,
        account: Codes<'_>,
        key: Amounts<'_>,
        margin: Amounts<'_>,
        wallet: Amounts<'_>,
        fund: i64,
        rules: Rules,
        instruction_set: &str,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        let marks = marks.as_slice()?.to_vec();
        let payers = rules.payers.iter().map(|name| word("payer", name)).collect::<PyResult<Vec<Payer>>>()?;
        let rules = ReplayRules {
            fee_rate: rules.fee_rate,
            slippage: rules.slippage,
            to_fund: rules.to_fund,
            payers,
            ranking: word("ranking", &rules.ranking)?,
            winners_pay: rules.winners_pay,
            fund_floor: rules.fund_floor,
            largest_value: rules.largest_value,
            per_unit: rules.per_unit,
            lots_per_unit: rules.lots_per_unit,
            seed: rules.seed,
            steps: rules.steps.rules()?,
        };
        let opening = Opening {
            cross: cross.as_slice()?,
            account: account.as_slice()?,
            key: key.as_slice()?,
            margin: margin.as_slice()?,
            wallet: wallet.as_slice()?,
        };
        let borrowed = BorrowedBook::of(py, book.get())?;
        let (columns, layout) = (borrowed.columns()?, &book.get().layout);
        let parts = policies.get().at(&marks, &[])?;
        let inner = door::through(py, || {
            let mut market = Market::new(&parts[0], layout, set)?;
            let book = ReplayedBook::new(&columns, marks.len(), &opening, rules.per_unit)?;
            replay::Replay::new(book, rules, fund, &mut market)
        })?;
        drop((parts, borrowed));
        Ok(Self { layout: book, policies, set, marks, inner })
    }

    /// Takes the steps from `first` to before `last`.
    fn run(&mut self, py: Python<'_>, steps: Steps<'_>, first: usize, last: usize) -> PyResult<()> {
        let Self { layout, policies, set, marks, inner } = self;
        let layout = &layout.get().layout;
        let parts = policies.get().at(marks, &[])?;
        let prices = pairs(&steps.price_instrument, &steps.price)?;
        let funding = pairs(&steps.funding_instrument, &steps.funding_rate)?;
        let (of_prices, of_funding) = (steps.price_starts.as_slice()?, steps.funding_starts.as_slice()?);
        let (of_delisted, delisted) = (steps.delisted_starts.as_slice()?, steps.delisted.as_slice()?);
        let (sample, seconds) = (steps.sample.as_slice()?, steps.seconds.as_slice()?);
        let moved = door::through(py, || {
            let mut market = Market::new(&parts[0], layout, *set)?;
            for place in first..last {
                let of = |starts: &[u64]| starts[place] as usize..starts[place + 1] as usize;
                let step = Step {
                    time: seconds[place],
                    prices: &prices[of(of_prices)],
                    funding: &funding[of(of_funding)],
                    delisted: &delisted[of(of_delisted)],
                    sample: sample[place],
                };
                inner.step(&mut market, &step)?;
            }
            Ok((0..market.instruments() as u32).map(|code| market.mark(code)).collect::<Vec<f64>>())
        })?;
        drop(parts);
        *marks = moved;
        Ok(())
    }

    /// Goes on where an earlier replay was stopped.
    fn go_on_from(&mut self, steps: u64, funding: i64, liquidated: i64, unpaid: i64) {
        self.inner.go_on_from(steps, funding, liquidated, unpaid);
    }

    /// When each row and each account had its last step of a liquidation, in seconds.
    fn stepped<'py>(&self, py: Python<'py>) -> [Numbers<'py>; 2] {
        let (of_row, of_account) = self.inner.stepped();
        [PyArray1::from_slice(py, of_row), PyArray1::from_slice(py, of_account)]
    }

    /// Goes on with those times.
    fn go_on_after(&mut self, of_row: Floats<'_>, of_account: Floats<'_>) -> PyResult<()> {
        self.inner.go_on_after(of_row.as_slice()?, of_account.as_slice()?).map_err(to_python)
    }

    /// Steps taken.
    #[getter]
    fn steps(&self) -> u64 {
        self.inner.steps()
    }

    /// Balance of the fund, what funding has brought the venue, value liquidated, what nobody has paid.
    fn totals(&self) -> (i64, i64, i64, i64) {
        let (liquidated, unpaid) = self.inner.so_far();
        (self.inner.fund(), self.inner.funding, liquidated, unpaid)
    }

    /// Quantities, margins by row, wallets by account, marks.
    fn state<'py>(&self, py: Python<'py>) -> (Numbers<'py>, Wholes<'py>, Wholes<'py>, Numbers<'py>) {
        let (quantity, margin, wallet) = self.inner.book().state();
        (
            PyArray1::from_slice(py, quantity),
            PyArray1::from_slice(py, margin),
            PyArray1::from_slice(py, wallet),
            PyArray1::from_slice(py, &self.marks),
        )
    }

    /// Events: kinds, steps, rows; quantities, triggers, fills; parts of losses, what returns, who pays, the fund afterwards.
    #[allow(clippy::type_complexity, reason = "columns of one table")]
    fn events<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyArray1<u8>>, [Places<'py>; 2], [Numbers<'py>; 3], [Wholes<'py>; 10]) {
        let events = &self.inner.events;
        let number = |of: fn(&Event) -> f64| PyArray1::from_iter(py, events.iter().map(of));
        let whole = |of: fn(&Event) -> i64| PyArray1::from_iter(py, events.iter().map(of));
        let place = |of: fn(&Event) -> u64| PyArray1::from_iter(py, events.iter().map(of));
        (
            PyArray1::from_iter(py, events.iter().map(|event| event.kind as u8)),
            [place(|event| event.step), place(|event| u64::from(event.row))],
            [number(|event| event.quantity), number(|event| event.trigger), number(|event| event.fill)],
            [
                whole(|event| event.to_trigger),
                whole(|event| event.past_trigger),
                whole(|event| event.fees),
                whole(|event| event.left),
                whole(|event| event.kept_by_fund),
                whole(|event| event.fund),
                whole(|event| event.deleveraging),
                whole(|event| event.socialised),
                whole(|event| event.unpaid),
                whole(|event| event.fund_after),
            ],
        )
    }

    /// Samples: steps and open positions; equity and open interest; value liquidated, fund, unpaid, margins.
    #[allow(clippy::type_complexity, reason = "columns of one table")]
    fn samples<'py>(&self, py: Python<'py>) -> ([Places<'py>; 2], [Numbers<'py>; 2], [Wholes<'py>; 4]) {
        let samples = &self.inner.samples;
        let number = |of: fn(&Sample) -> f64| PyArray1::from_iter(py, samples.iter().map(of));
        let whole = |of: fn(&Sample) -> i64| PyArray1::from_iter(py, samples.iter().map(of));
        let place = |of: fn(&Sample) -> u64| PyArray1::from_iter(py, samples.iter().map(of));
        (
            [place(|sample| sample.step), place(|sample| sample.open)],
            [number(|sample| sample.equity), number(|sample| sample.open_interest)],
            [
                whole(|sample| sample.liquidated),
                whole(|sample| sample.fund),
                whole(|sample| sample.unpaid),
                whole(|sample| sample.margins),
            ],
        )
    }
}

/// Instruments with their prices or rates.
fn pairs(instrument: &Codes<'_>, number: &Floats<'_>) -> PyResult<Vec<(u32, f64)>> {
    Ok(instrument.as_slice()?.iter().copied().zip(number.as_slice()?.iter().copied()).collect())
}

/// Kinds of events as (name, meaning).
#[pyfunction]
pub(crate) fn replay_words() -> Vec<(&'static str, &'static str)> {
    EventKind::TABLE.iter().map(|word| (word.name, word.meaning)).collect()
}
