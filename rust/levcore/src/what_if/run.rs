//! The changes of a call: cut into tasks, applied one after the other, evaluated together.

use std::ops::Range;

use crate::codes::change::ChangeStatus;
use crate::error::{Error, Result};
use crate::job::context::PolicyAtMarks;
use crate::machine::execution::Execution;
use crate::machine::instruction_set::InstructionSet;
use crate::what_if::apply::{Moved, Touched, apply, locate};
use crate::what_if::changeable_book::ChangeableBook;
use crate::what_if::changes::{Changes, UNKNOWN};
use crate::what_if::ledger::Ledger;
use crate::what_if::orders::{Orders, OrdersByAccount};
use crate::what_if::outputs::ChangeOutputs;
use crate::what_if::read_ahead::{AHEAD, read_ahead};
use crate::what_if::scratch::{Scratch, When};

/// Changes of one task.
const TASK_CHANGES: usize = 1_024;
/// Tasks of a thread between two looks at the interrupt.
const TASKS_BETWEEN_INTERRUPTS: usize = 64;

/// Evaluates every changed position and its account, each change alone or after those before it in its sequence.
///
/// Instruments, assets and policies that codes point to are those of `policies`; the changed accounts are evaluated by
/// [`evaluate`](crate::evaluate()), so the numbers are those of the whole book with the change in it, to the last bit. Open orders stay as
/// they are: what they ask for beside the changed positions is [`margin_of_orders`](crate::what_if::margin_of_orders).
///
/// # Errors
///
/// [`Error::Length`] and [`Error::Code`] for columns that do not fit each other, [`Error::Interrupted`], [`Error::Threads`]. A change that
/// cannot be applied is no error: see [`ChangeStatus`].
pub fn what_if(
    book: &ChangeableBook<'_>,
    policies: &[PolicyAtMarks<'_>],
    changes: &Changes<'_>,
    orders: Option<&Orders<'_>>,
    outputs: &ChangeOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    book.check_against(policies)?;
    changes.check()?;
    if orders.is_some() != outputs.orders.is_some() {
        let (expected, found) = (usize::from(orders.is_some()) * changes.len(), 0);
        return Err(Error::Length { argument: "out.orders", expected, found });
    }
    let orders = orders.map(|orders| OrdersByAccount::new(book, policies, orders)).transpose()?;
    check_codes(book, policies, changes)?;
    outputs.check(changes.len())?;
    let set = execution.set;
    let work = |memory: &mut (Scratch, Ledger<'_>), sequences: Range<usize>| {
        let (scratch, ledger) = memory;
        run_sequences(scratch, ledger, set, &Given { changes, orders: orders.as_ref() }, sequences, outputs)
    };
    let remember = || (Scratch::default(), Ledger::new(book, policies));
    let done = execution.run(tasks(changes), TASKS_BETWEEN_INTERRUPTS, remember, work)?;
    done.into_iter().collect()
}

/// What is applied, and the open orders beside it.
struct Given<'a> {
    changes: &'a Changes<'a>,
    orders: Option<&'a OrdersByAccount<'a>>,
}

/// Ranges of sequences with about [`TASK_CHANGES`] changes each.
fn tasks(changes: &Changes<'_>) -> Vec<Range<usize>> {
    let count = changes.sequences();
    if changes.order.is_empty() {
        return (0..count).step_by(TASK_CHANGES).map(|first| first..count.min(first + TASK_CHANGES)).collect();
    }
    let mut tasks = Vec::new();
    let mut first = 0;
    for sequence in 0..count {
        if (changes.starts[sequence + 1] - changes.starts[first]) as usize >= TASK_CHANGES {
            tasks.push(first..sequence + 1);
            first = sequence + 1;
        }
    }
    if first < count {
        tasks.push(first..count);
    }
    tasks
}

fn run_sequences(
    scratch: &mut Scratch,
    ledger: &mut Ledger<'_>,
    set: InstructionSet,
    given: &Given<'_>,
    sequences: Range<usize>,
    outputs: &ChangeOutputs<'_>,
) -> Result<()> {
    let ChangeOutputs { after, before, source, .. } = outputs;
    let (changes, mut groups) = (given.changes, Vec::new());
    let (before, source) = (before.as_ref(), source.as_ref());
    let alone = changes.order.is_empty();
    let start_of = |sequence: usize| if alone { sequence } else { changes.starts[sequence] as usize };
    let row_at = |place: usize| changes.order.get(place).map_or(place, |&row| row as usize);
    let end = start_of(sequences.end);
    for sequence in sequences {
        ledger.reset();
        for place in start_of(sequence)..start_of(sequence + 1) {
            if place % AHEAD == 0 {
                read_ahead(ledger.book, changes, (place..end.min(place + AHEAD)).map(row_at));
            }
            let account = run_change(scratch, ledger, changes, row_at(place), outputs);
            if let (Some(orders), Some(columns)) = (given.orders, &outputs.orders) {
                let charged = account.map(|account| orders.charge(ledger, account, &mut groups, |_, _| ()));
                for (column, sum) in columns.iter().zip(charged.unwrap_or([f64::NAN; 2])) {
                    column.write_consecutive(row_at(place), &[sum]);
                }
            }
            if scratch.is_full() {
                scratch.flush(ledger, set, after, before, source)?;
            }
        }
    }
    scratch.flush(ledger, set, after, before, source)
}

/// Applies one change and notes what is to be evaluated of it; returns its account.
fn run_change(
    scratch: &mut Scratch,
    ledger: &mut Ledger<'_>,
    changes: &Changes<'_>,
    row: usize,
    outputs: &ChangeOutputs<'_>,
) -> Option<u32> {
    let (change, number) = (changes.at(row), row as u32);
    let located = match changes.unknown(row) {
        Some(refusal) => Err(refusal),
        None => locate(ledger, &change),
    };
    let touched = located.unwrap_or_default();
    if outputs.before.is_some() {
        scratch.push(ledger, number, When::Before, touched.row, touched.account);
    }
    let applied = located.and_then(|touched| apply(ledger, &change, &touched));
    if applied.is_err() && touched.opens {
        ledger.forget_last();
    }
    let told = if applied.is_ok() { touched } else { Touched::default() };
    scratch.push(ledger, number, When::After, told.row, told.account);
    if outputs.source.is_some() {
        scratch.push(ledger, number, When::Source, None, told.source);
    }
    store_effect(ledger, row, &told, applied, outputs);
    told.account
}

fn store_effect(
    ledger: &Ledger<'_>,
    row: usize,
    told: &Touched,
    applied: std::result::Result<Moved, ChangeStatus>,
    outputs: &ChangeOutputs<'_>,
) {
    let none = f64::NAN;
    let position = told.row.and_then(|row| ledger.position(row));
    let of = position.map_or([none; 7], |own| {
        let codes = [f64::from(own.instrument), f64::from(own.policy), f64::from(u8::from(own.account.is_some()))];
        let [instrument, policy, cross] = codes;
        [instrument, policy, cross, own.quantity, own.entry_price, own.isolated_margin, own.leverage]
    });
    let wallet = told.account.map_or(none, |account| ledger.wallet(account));
    let status = applied.err().unwrap_or(ChangeStatus::Applied);
    let moved = applied.unwrap_or(Moved { realized: none, fee: none, cash_flow: none });
    let rest = [wallet, moved.realized, moved.fee, moved.cash_flow];
    for (column, effect) in outputs.effect.iter().zip(of.into_iter().chain(rest)) {
        column.write_consecutive(row, &[effect]);
    }
    outputs.status.write_consecutive(row, &[status as u8]);
}

/// Refuses changes whose codes point outside of their table.
fn check_codes(book: &ChangeableBook<'_>, policies: &[PolicyAtMarks<'_>], changes: &Changes<'_>) -> Result<()> {
    let instruments = book.base_of.len();
    let codes = &changes.codes;
    let columns = [
        ("changes.account", codes.account, book.members.accounts),
        ("changes.instrument", codes.instrument, instruments),
        ("changes.replacement", codes.replacement, instruments),
        ("changes.policy", codes.policy, policies.len()),
        ("changes.asset", codes.asset, book.assets),
    ];
    for (argument, column, limit) in columns {
        let outside = |&code: &u32| code < UNKNOWN && code as usize >= limit;
        if let Some(row) = column.iter().position(outside) {
            return Err(Error::Code { argument, row, found: i64::from(column[row]), limit });
        }
    }
    Ok(())
}
