//! The passes of an evaluation: which tasks go first, and what they leave for those after them.

use crate::accounts::kept::{JudgedLegs, ScatteredLegs, Standings};
use crate::accounts::line_up::LineUp;
use crate::accounts::settle::{ByPlace, CellLegs};
use crate::book::blocks::Block;
use crate::book::layout::Layout;
use crate::book::pooled_accounts::PooledBlock;
use crate::book::pooled_rows::PooledMemory;
use crate::book::scattered::LegMemory;
use crate::error::Result;
use crate::evaluate::tasks::{Question, Task, run};
use crate::job::context::Job;
use crate::job::outputs::are_large;
use crate::machine::execution::Execution;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::HalfLine;

/// Evaluates all rows and accounts.
pub(crate) fn evaluate_all(job: &Job<'_>, execution: &mut Execution<'_>) -> Result<()> {
    let layout = job.layout;
    let apart = |policy: usize| lie_apart(job, policy);
    let (scattered, near): (Vec<_>, Vec<_>) = layout.pooled.blocks.iter().partition(|block| apart(block.policy));
    if !scattered.is_empty() {
        evaluate_apart(job, execution, &scattered)?;
    }
    let pooled = near.into_iter().map(|block| Task::Pooled(block, Question::Settle));
    if layout.keeps_accounts_together() {
        let whole = layout.blocks.iter().map(Task::Whole).collect();
        return run(job, execution, in_order_of_rows(layout, whole).into_iter().chain(pooled).collect());
    }
    let (legs, isolated): (Vec<&Block>, Vec<&Block>) = layout.blocks.iter().partition(|block| block.cross);
    let others = isolated.into_iter().map(Task::Whole).chain(pooled).collect();
    let mut memory = layout.scattered.memory.take(|| LegMemory::new(layout.scattered.places.len()))?;
    let done = evaluate_scattered(job, execution, others, &legs, &mut memory);
    layout.scattered.memory.give_back(memory);
    done
}

/// Evaluates legs that lie apart, and does other tasks with their first pass. Each pass over the whole book ends before the next one starts.
fn evaluate_scattered<'a>(
    job: &Job<'a>,
    execution: &mut Execution<'_>,
    others: Vec<Task<'a>>,
    blocks: &[&'a Block],
    legs: &mut LegMemory,
) -> Result<()> {
    let first = value_tasks(job.layout, blocks, legs).into_iter().chain(others).collect();
    run(job, execution, in_order_of_rows(job.layout, first))?;
    run(job, execution, judge_tasks(job.layout, &mut legs.cells))?;
    let LegMemory { cells, released, status } = legs;
    let tasks = blocks.iter().map(|block| {
        let range = block.first_leg..block.first_leg + block.rows.len();
        let standings = Standings::Scattered(cells, &job.layout.scattered.places[block.first_leg..]);
        Task::Price(block, JudgedLegs { released: &released[range.clone()], status: &status[range], standings })
    });
    run(job, execution, tasks.collect())
}

/// Tasks by their first row: where modes or policies alternate, those that write to the same lines follow one another. Pooled accounts last.
fn in_order_of_rows<'a>(layout: &Layout, mut tasks: Vec<Task<'a>>) -> Vec<Task<'a>> {
    tasks.sort_by_key(|task| match task {
        Task::Whole(block) | Task::Value(block, _) => layout.first_row(&block.rows),
        _ => usize::MAX,
    });
    tasks
}

/// First passes over these blocks, each with its own part of the legs.
fn value_tasks<'a>(layout: &'a Layout, blocks: &[&'a Block], legs: &'a mut LegMemory) -> Vec<Task<'a>> {
    let cells = SharedSlice::new(&mut legs.cells);
    let (mut released, mut status) = (&mut legs.released[..], &mut legs.status[..]);
    let mut tasks = Vec::with_capacity(blocks.len());
    for block in blocks {
        let count = block.rows.len();
        let places = &layout.scattered.places[block.first_leg..];
        let own_released = released.split_off_mut(..count).unwrap_or_default();
        let own_status = status.split_off_mut(..count).unwrap_or_default();
        let own = ScatteredLegs { places, cells, released: own_released, status: own_status };
        tasks.push(Task::Value(block, own));
    }
    tasks
}

/// Verdicts on all accounts, each range with the cells of its legs.
fn judge_tasks<'a>(layout: &'a Layout, mut cells: &'a mut [HalfLine]) -> Vec<Task<'a>> {
    let starts = &layout.legs_of_account;
    let mut tasks = Vec::with_capacity(layout.account_ranges.len());
    for range in &layout.account_ranges {
        let legs = (starts[range.accounts.end] - starts[range.accounts.start]) as usize;
        tasks.push(Task::Judge(range, cells.split_off_mut(..legs).unwrap_or_default()));
    }
    tasks
}

/// Whether accounts as wholes of a policy have legs that lie apart, and some of them can be ordinary.
fn lie_apart(job: &Job<'_>, policy: usize) -> bool {
    !job.layout.pooled.by_row.rows.is_empty() && LineUp::has_ordinary(job.parts[policy].policy)
}

/// Evaluates accounts as wholes whose legs lie apart: legs are read and written in the order of rows, and leave each other cells at their places.
fn evaluate_apart(job: &Job<'_>, execution: &mut Execution<'_>, accounts: &[&PooledBlock]) -> Result<()> {
    let kept = &job.layout.pooled.by_row.memory;
    let mut memory = kept.take(|| PooledMemory::new(job.layout.pooled.rows.len()))?;
    let done = evaluate_cells(job, execution, accounts, &mut memory);
    kept.give_back(memory);
    done
}

fn evaluate_cells(
    job: &Job<'_>,
    execution: &mut Execution<'_>,
    accounts: &[&PooledBlock],
    memory: &mut PooledMemory,
) -> Result<()> {
    let pooled = &job.layout.pooled;
    let (cells, status) = memory.parts();
    let rows = || pooled.by_row.blocks.iter().filter(|block| lie_apart(job, block.policy));
    let stream = are_large(cells.as_flattened().len());
    let (numbers, mut own) = (SharedSlice::new(cells.as_flattened_mut()), SplitAt { slice: status, first: 0 });
    let value = rows().map(|block| {
        let places = &pooled.by_row.places[block.legs.start..];
        Task::ValueApart(block, CellLegs { places, cells: numbers, status: own.take(&block.legs), stream })
    });
    let value = value.collect();
    run(job, execution, value)?;
    let mut alone = vec![Vec::new(); accounts.len()];
    let mut own = SplitAt { slice: cells, first: 0 };
    let judge = accounts.iter().zip(&mut alone);
    let judge = judge.map(|(block, alone)| Task::JudgeApart(block, own.take(&pooled.legs_of(block)), alone)).collect();
    run(job, execution, judge)?;
    let (cells, status) = memory.parts();
    let tell = rows().map(|block| {
        let places = &pooled.by_row.places[block.legs.start..];
        Task::TellApart(block, ByPlace { cells, places }, &status[block.legs.clone()])
    });
    let tell = tell.collect();
    run(job, execution, tell)?;
    let alone = accounts.iter().zip(&alone).filter(|(_, numbers)| !numbers.is_empty());
    let alone = alone.map(|(block, numbers)| Task::SettleAlone(block, &cells[pooled.legs_of(block)], numbers));
    run(job, execution, alone.collect())
}

/// A slice that is given away part by part, each after those before it.
struct SplitAt<'a, T> {
    slice: &'a mut [T],
    /// How many elements there were before what is left.
    first: usize,
}

impl<'a, T> SplitAt<'a, T> {
    fn take(&mut self, range: &std::ops::Range<usize>) -> &'a mut [T] {
        let others = self.slice.split_off_mut(..range.start - self.first);
        debug_assert!(others.is_some());
        self.first = range.end;
        self.slice.split_off_mut(..range.len()).unwrap_or_default()
    }
}
