//! Isolated rows of one instrument: funded by the kernel at the lowest step, then followed along the steps.

use crate::codes::status::FIRST_PARTIAL;
use crate::formulas::contract;
use crate::job::context::{Job, PolicyPart};
use crate::job::isolated::IsolatedRows;
use crate::machine::execution::Execution;
use crate::machine::instruction_set::{InstructionSet, Work};
use crate::machine::shared::SharedSlice;
use crate::machine::vector::Vector;
use crate::rules::curve::Curve;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::table::{Lookup, Table};
use crate::rules::tables::ROWS;
use crate::stress::bins::{Amount, Bins, Line, Number};
use crate::stress::evaluated::{Evaluated, IsolatedPass};
use crate::stress::position::{Maintenance, Position};
use crate::stress::scenarios::Steps;
use crate::tiles::pass::{Stage, go_over_rows};

/// What becomes of each row over all scenarios.
pub(crate) struct OfRows<'a> {
    pub scenario: SharedSlice<'a, i64>,
    pub equity: SharedSlice<'a, f64>,
    pub liquidations: SharedSlice<'a, i64>,
    pub done: SharedSlice<'a, bool>,
}

/// Some rows of one instrument under one policy.
pub(crate) struct RowsOfInstrument<'a> {
    pub part: &'a PolicyPart<'a>,
    pub steps: &'a Steps,
    pub rows: &'a [u32],
}

/// Isolated rows, to be evaluated.
pub(crate) struct RowWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub stage: &'w mut Stage,
    pub rows: &'w [u32],
}

impl Work for RowWork<'_, '_, '_> {
    type Output = Evaluated;

    #[inline(always)]
    fn run<V: Vector>(self) -> Evaluated {
        let Self { job, part, stage, rows } = self;
        let mut found = Evaluated::default();
        let mut pass = IsolatedPass { rows: IsolatedRows::any(job, part), found: &mut found };
        go_over_rows::<V>(&mut pass, &part.instruments, job.keyed(), stage, rows);
        found
    }
}

/// Follows tasks, whose bins are returned in their order.
pub(crate) fn follow_all(
    job: &Job<'_>,
    tasks: Vec<RowsOfInstrument<'_>>,
    outputs: &OfRows<'_>,
    execution: &mut Execution<'_>,
) -> crate::error::Result<Vec<Bins>> {
    let set = execution.set;
    let batch = tasks.len();
    execution.run(tasks, batch, || Box::new(Stage::new()), |stage, task| follow(job, &task, stage, outputs, set))
}

fn follow(
    job: &Job<'_>,
    task: &RowsOfInstrument<'_>,
    stage: &mut Stage,
    outputs: &OfRows<'_>,
    set: InstructionSet,
) -> Bins {
    let (part, steps) = (task.part, task.steps);
    let mut bins = Bins::new(steps.len());
    for rows in task.rows.chunks(ROWS) {
        let found = set.run(RowWork { job, part, stage, rows });
        let (mut scenario, mut equity, mut liquidations) = ([-1; ROWS], [f64::NAN; ROWS], [0; ROWS]);
        let mut done = [false; ROWS];
        for slot in 0..rows.len() {
            let Some(position) = position_in(part, &found, slot).filter(|position| position.fits(steps)) else {
                continue;
            };
            let end = position.judged(steps);
            liquidations[slot] = sum_up(&position, steps, end, &mut bins);
            (scenario[slot], equity[slot]) = position.worst(steps, end);
            done[slot] = true;
        }
        outputs.scenario.write_scattered(rows, &scenario);
        outputs.equity.write_scattered(rows, &equity);
        outputs.liquidations.write_scattered(rows, &liquidations);
        outputs.done.write_scattered(rows, &done);
    }
    bins
}

/// The position in a slot of an evaluated tile; `None` where it is not an ordinary one, or its rules move with every mark.
pub(crate) fn position_in<'p>(part: &'p PolicyPart<'_>, tile: &Evaluated, slot: usize) -> Option<Position<'p>> {
    let policy = part.policy;
    let (fees, basis) = (&policy.isolated_fees, policy.rules.requirement_isolated);
    if tile.status[slot] >= FIRST_PARTIAL || !(tile.size[slot] > 0.0) || fees.basis == FeeBasis::Mark {
        return None;
    }
    let instrument = part.instruments.list[tile.instrument[slot] as usize].instrument;
    let (quantity, size) = (tile.quantity[slot], tile.size[slot]);
    let table = instrument.table(quantity);
    let lookup = Lookup { quantity, risk_limit: tile.risk_limit[slot], size };
    let caps = [Some(table), instrument.initial.as_ref()];
    let caps = caps.into_iter().flatten().map(Table::cap_of_value);
    let contract = &instrument.contract;
    Some(Position {
        policy,
        size,
        direction: tile.direction[slot],
        entry: contract::coordinate(tile.entry_price[slot], contract.multiplier, contract.is_inverse()),
        cash: tile.cash[slot],
        entry_value: tile.entry_value[slot],
        fee_rate: if fees.basis == FeeBasis::Price { fees.rate } else { 0.0 },
        fixed_fee: if fees.fixed { tile.fixed_fee[slot] } else { 0.0 },
        maintenance: match basis {
            Basis::Price | Basis::Mark => Maintenance::Moving(Curve::new(table, &policy.tables, &lookup)),
            Basis::Entry | Basis::Bankruptcy => Maintenance::Frozen(tile.maintenance[slot]),
        },
        cap: caps.fold(f64::INFINITY, |lowest, cap| if cap < lowest { cap } else { lowest }),
    })
}

/// Adds the lines of a position up to the step `end`; in how many scenarios it is liquidated.
fn sum_up(position: &Position<'_>, steps: &Steps, end: usize, bins: &mut Bins) -> i64 {
    let slope = position.direction * position.size;
    let earned = Line { slope, at_zero: [position.cash, -(slope * position.entry)] };
    let owed = Line { slope: -slope, at_zero: earned.at_zero.map(|part| -part) };
    bins.add(Amount::Equity, 0..end, &earned);
    let short = position.short(steps, end);
    if !short.is_empty() {
        bins.count(Number::Short, short.clone());
        bins.add(Amount::Shortfall, short, &owed);
    }
    if end < steps.len() {
        bins.count(Number::NotJudged, end..steps.len());
    }
    require(position, steps, end, bins);
    let (mut times, value) = (0, Line { slope: position.size, at_zero: [0.0; 2] });
    position.each_liquidated(steps, end, |range| {
        times += i64::from(steps.below[range.end]) - i64::from(steps.below[range.start]);
        bins.count(Number::Liquidated, range.clone());
        bins.add(Amount::LiquidatedNotional, range, &value);
    });
    times
}

/// Adds the maintenance margin, tier by tier.
fn require(position: &Position<'_>, steps: &Steps, end: usize, bins: &mut Bins) {
    let told = position.policy.rules.fee_in_maintenance;
    let (rate_of_fee, fee) = if told { (position.fee_rate, position.fixed_fee) } else { (0.0, 0.0) };
    let mut from = 0;
    while from < end {
        let tier = position.tier(steps.coordinate[from]);
        let same = |coordinate: f64| position.tier(coordinate) == tier;
        let until = if same(steps.coordinate[end - 1]) { end } else { steps.until(from, end, same) };
        let line = Line { slope: (tier.0 + rate_of_fee) * position.size, at_zero: [-tier.1, fee] };
        bins.add(Amount::MaintenanceMargin, from..until, &line);
        from = until;
    }
}
