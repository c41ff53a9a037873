//! The tasks of an evaluation: blocks on threads, tiles inside of blocks, results in the caller's order. Their order is that of `passes`.

use std::cell::RefCell;

use crate::accounts::close::Closer;
use crate::accounts::cross::{PositionedLegs, PricePass, ValuePass, ValuedLegs};
use crate::accounts::distance::{Betas, DistanceOutputs, Measurer};
use crate::accounts::judging::{judge_accounts, judge_scattered};
use crate::accounts::kept::{JudgedLegs, ScatteredLegs, Standings};
use crate::accounts::leave::Leaver;
use crate::accounts::pooled_work::PooledWork;
use crate::accounts::settle::{ByPlace, CellLegs, Settler, TellPass, settle_alone};
use crate::accounts::verdict::{Amounts, Standing};
use crate::book::blocks::{AccountRange, Block};
use crate::book::pooled_accounts::{PooledAccount, PooledBlock};
use crate::book::pooled_rows::{CELL, RowBlock};
use crate::error::Result;
use crate::job::context::{Job, PolicyPart};
use crate::job::isolated::IsolatedRows;
use crate::job::outputs::AccountOutputs;
use crate::machine::execution::Execution;
use crate::machine::instruction_set::{InstructionSet, Work};
use crate::machine::shared::{self, SharedSlice};
use crate::machine::vector::{HalfLine, Vector};
use crate::tiles::pass::{HasForms, Keyed, Pass, Stage, go_over};
use crate::tiles::shape::{LinearTiles, PlainTiles};
use crate::tiles::tile::Runs;

/// Tasks of a thread between two looks at the interrupt.
const TASKS_BETWEEN_INTERRUPTS: usize = 128;

/// What a thread does at a time.
pub(crate) enum Task<'a> {
    /// A block whose accounts, if any, have all their legs in it.
    Whole(&'a Block),
    /// The first pass over a block of legs.
    Value(&'a Block, ScatteredLegs<'a>),
    /// These accounts, with the cells of their legs.
    Judge(&'a AccountRange, &'a mut [HalfLine]),
    /// The second pass over a block of legs.
    Price(&'a Block, JudgedLegs<'a>),
    /// Accounts as wholes, and what is asked of them.
    Pooled(&'a PooledBlock, Question<'a>),
    /// The first pass over legs of such accounts that lie apart.
    ValueApart(&'a RowBlock, CellLegs<'a>),
    /// Such accounts, with the cells of their legs; it leaves the numbers of those that are to be settled alone.
    JudgeApart(&'a PooledBlock, &'a mut [[f64; CELL]], &'a mut Vec<usize>),
    /// The last pass over their legs.
    TellApart(&'a RowBlock, ByPlace<'a>, &'a [u8]),
    /// Those of these accounts that are settled alone, with the cells of all their legs.
    SettleAlone(&'a PooledBlock, &'a [[f64; CELL]], &'a [usize]),
}

/// What is asked of accounts as wholes.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    /// Their risk.
    Settle,
    /// Their distance to liquidation, with the betas of each policy.
    Measure(&'a [Betas<'a>], &'a DistanceOutputs<'a>),
    /// The same of the accounts without each of their legs, by row.
    MeasureWithout(&'a [Betas<'a>], &'a DistanceOutputs<'a>),
    /// Their risk without each of their legs, by row.
    Leave(&'a AccountOutputs<'a>),
    /// How much of each leg alone to close.
    Close(&'a SharedSlice<'a, f64>),
}

impl Task<'_> {
    /// Code of the policy of its rows or accounts.
    #[inline(always)]
    fn policy(&self) -> usize {
        match self {
            Self::Whole(block) | Self::Value(block, _) | Self::Price(block, _) => block.policy,
            Self::Judge(range, ..) => range.policy,
            Self::Pooled(block, _) | Self::JudgeApart(block, ..) | Self::SettleAlone(block, ..) => block.policy,
            Self::ValueApart(block, _) | Self::TellApart(block, ..) => block.policy,
        }
    }
}

/// Memory of one thread.
struct Scratch {
    stage: Box<Stage>,
    legs: Legs,
}

/// What is kept of legs and accounts between the passes.
#[derive(Default)]
struct Legs {
    amounts: Vec<Amounts>,
    released: Vec<f64>,
    status: Vec<u8>,
    standings: Vec<Standing>,
    signed: Vec<f64>,
    entries: Vec<u32>,
}

impl Legs {
    /// Memory of a block.
    fn resize(&mut self, legs: usize, accounts: usize) {
        self.amounts.resize(legs, Amounts::default());
        self.released.resize(legs, 0.0);
        self.status.resize(legs, 0);
        self.standings.resize(accounts, Standing::default());
    }

    /// Memory of so many legs of accounts as wholes.
    fn positioned(&mut self, legs: usize) -> PositionedLegs<'_> {
        self.resize(legs, 0);
        self.signed.resize(legs, 0.0);
        self.entries.resize(legs, 0);
        let Self { amounts, released, status, signed, entries, .. } = self;
        PositionedLegs { valued: ValuedLegs { amounts, released, status }, signed, entries }
    }

    /// The same with what the first pass left in these cells.
    fn of_cells(&mut self, cells: &[[f64; CELL]]) -> PositionedLegs<'_> {
        let mut legs = self.positioned(cells.len());
        legs.read_cells(cells);
        legs
    }
}

impl Scratch {
    fn new() -> Self {
        Self { stage: Box::new(Stage::new()), legs: Legs::default() }
    }
}

/// Asks something of all accounts, each settled as one whole.
pub(crate) fn ask_all(job: &Job<'_>, question: Question<'_>, execution: &mut Execution<'_>) -> Result<()> {
    let blocks = &job.layout.pooled.blocks;
    run(job, execution, blocks.iter().map(|block| Task::Pooled(block, question)).collect())
}

/// Runs tasks on the threads of a call.
pub(crate) fn run(job: &Job<'_>, execution: &mut Execution<'_>, tasks: Vec<Task<'_>>) -> Result<()> {
    let set = execution.set;
    let work = |(): &mut (), task: Task<'_>| with_scratch(|scratch| run_task(job, set, task, scratch));
    execution.run(tasks, TASKS_BETWEEN_INTERRUPTS, || (), work)?;
    Ok(())
}

/// Lends the memory of the calling thread; it is kept from call to call.
fn with_scratch(work: impl FnOnce(&mut Scratch)) {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
    }
    SCRATCH.with_borrow_mut(work);
}

/// A pass over some runs of rows, compiled for every instruction set.
struct Going<'a, P> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    stage: &'a mut Stage,
    pass: &'a mut P,
    runs: Runs<'a>,
}

impl<P: Pass> Work for Going<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let keyed = Keyed { instrument: self.job.book.instrument, quantity: self.job.book.quantity };
        for run in self.runs {
            go_over::<V>(self.pass, &self.part.instruments, keyed, self.stage, &run);
        }
        shared::fence();
    }
}

fn run_task(job: &Job<'_>, set: InstructionSet, task: Task<'_>, scratch: &mut Scratch) {
    let part = &job.parts[task.policy()];
    match task {
        Task::Whole(block) if block.cross => whole_accounts(job, set, part, block, scratch),
        Task::Whole(block) => {
            go_over_block::<false>(job, set, part, &mut scratch.stage, block, &mut IsolatedRows::any(job, part));
        }
        Task::Value(block, mut legs) => {
            go_over_block::<true>(job, set, part, &mut scratch.stage, block, &mut ValuePass::any(job, part, &mut legs));
        }
        Task::Judge(range, cells) => {
            let sums = &mut scratch.legs.standings;
            sums.resize(range.accounts.len(), HalfLine::default());
            judge_scattered(job, part.policy, range.accounts.clone(), cells, sums);
        }
        Task::Price(block, legs) => {
            go_over_block::<true>(job, set, part, &mut scratch.stage, block, &mut PricePass::any(job, part, &legs));
        }
        Task::Pooled(block, question) => {
            let Scratch { stage, legs } = scratch;
            let pooled = &job.layout.pooled;
            let (accounts, rows) = (&pooled.accounts[block.accounts.clone()], pooled.rows_of(block));
            let legs = value_accounts(job, set, part, rows, stage, legs);
            let valued = &legs.valued;
            match question {
                Question::Settle => {
                    let mut settler = Settler::new(job, part, set, accounts);
                    if settler.line_up(&legs) {
                        let runs = Runs::of_rows(rows, job.book.instrument);
                        let mut pass = TellPass::new(job, part, settler.tellings(), valued.status);
                        set.run(Going { job, part, stage, pass: &mut pass, runs });
                    }
                    settle_alone(job, part, set, accounts, &settler.finish(), valued);
                }
                Question::Measure(betas, outputs) => {
                    each_account(Measurer::new(job, part, betas[block.policy], outputs, false, set), accounts, valued);
                }
                Question::MeasureWithout(betas, outputs) => {
                    each_account(Measurer::new(job, part, betas[block.policy], outputs, true, set), accounts, valued);
                }
                Question::Leave(outputs) => each_account(Leaver::new(job, part, outputs), accounts, valued),
                Question::Close(quantities) => each_account(Closer::new(job, part, quantities), accounts, valued),
            }
        }
        Task::ValueApart(block, mut legs) => {
            let runs = Runs::of_rows(&job.layout.pooled.by_row.rows[block.legs.clone()], job.book.instrument);
            let mut pass = ValuePass::any(job, part, &mut legs);
            set.run(Going { job, part, stage: &mut scratch.stage, pass: &mut pass, runs });
        }
        Task::JudgeApart(block, cells, alone) => {
            let legs = scratch.legs.of_cells(cells);
            let mut settler = Settler::new(job, part, set, &job.layout.pooled.accounts[block.accounts.clone()]);
            settler.line_up(&legs);
            settler.write_tellings(cells);
            *alone = settler.finish();
        }
        Task::TellApart(block, tellings, status) => {
            let runs = Runs::of_rows(&job.layout.pooled.by_row.rows[block.legs.clone()], job.book.instrument);
            let mut pass = TellPass::new(job, part, tellings, status);
            set.run(Going { job, part, stage: &mut scratch.stage, pass: &mut pass, runs });
        }
        Task::SettleAlone(block, cells, numbers) => {
            let accounts = &job.layout.pooled.accounts[block.accounts.clone()];
            let legs = scratch.legs.of_cells(cells);
            settle_alone(job, part, set, accounts, numbers, &legs.valued);
        }
    }
}

/// All passes over a block whose accounts have all their legs in it, while it is in the cache.
fn whole_accounts(job: &Job<'_>, set: InstructionSet, part: &PolicyPart<'_>, block: &Block, scratch: &mut Scratch) {
    let Scratch { stage, legs } = scratch;
    legs.resize(block.rows.len(), block.accounts.len());
    let Legs { amounts, released, status, standings, .. } = legs;
    let mut legs = ValuedLegs { amounts, released, status };
    go_over_block::<true>(job, set, part, stage, block, &mut ValuePass::any(job, part, &mut legs));
    judge_accounts(job, part.policy, block.accounts.clone(), legs.amounts, standings);
    let standings = Standings::ByAccount(standings, block.accounts.start);
    let legs = JudgedLegs { released: legs.released, status: legs.status, standings };
    go_over_block::<true>(job, set, part, stage, block, &mut PricePass::any(job, part, &legs));
}

/// First pass over the legs of pooled accounts, which stand in these rows.
fn value_accounts<'s>(
    job: &Job<'_>,
    set: InstructionSet,
    part: &PolicyPart<'_>,
    rows: &[u32],
    stage: &mut Stage,
    legs: &'s mut Legs,
) -> PositionedLegs<'s> {
    let mut legs = legs.positioned(rows.len());
    let runs = Runs::of_rows(rows, job.book.instrument);
    set.run(Going { job, part, stage, pass: &mut ValuePass::any(job, part, &mut legs), runs });
    legs
}

/// Out of line: these formulas go account by account, which no vectors speed up.
#[inline(never)]
fn each_account(mut work: impl PooledWork, accounts: &[PooledAccount], valued: &ValuedLegs<'_>) {
    for account in accounts {
        work.account(account, valued, account.legs.start - accounts[0].legs.start);
    }
    work.finish();
}

/// Takes a pass over the rows of a block: over whole tiles in the form that knows most of them, over what is left as over rows of any kind.
fn go_over_block<const CROSS: bool>(
    job: &Job<'_>,
    set: InstructionSet,
    part: &PolicyPart<'_>,
    stage: &mut Stage,
    block: &Block,
    pass: &mut impl HasForms,
) {
    let runs = Runs::of(job.layout, job.book.instrument, !part.instruments.any_sided, block);
    let (plain, linear) = (PlainTiles::<CROSS>::of(pass.shape()), LinearTiles::<CROSS>::of(pass.shape()));
    if plain.is_none() && linear.is_none() {
        return set.run(Going { job, part, stage, pass, runs });
    }
    let [before, tiles, after] = runs.cut_at_tiles();
    for runs in [before, after].into_iter().filter(|runs| !runs.is_empty()) {
        set.run(Going { job, part, stage, pass, runs });
    }
    if let Some(known) = plain {
        set.run(Going { job, part, stage, pass: &mut pass.form(known), runs: tiles });
    } else if let Some(known) = linear {
        set.run(Going { job, part, stage, pass: &mut pass.form(known), runs: tiles });
    }
}
