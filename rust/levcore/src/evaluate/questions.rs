//! The questions to a book at marks: its risk, how far prices may move, how much to close, what each leg costs.

use crate::accounts::distance::{Betas, DistanceOutputs};
use crate::book::columns::Book;
use crate::book::layout::{BYTES_OF_BLOCK, Layout};
use crate::error::{Error, Result};
use crate::evaluate::passes::evaluate_all;
use crate::evaluate::tasks::{Question, ask_all};
use crate::job::context::{Job, PolicyAtMarks};
use crate::job::outputs::{AccountOutputs, Outputs};
use crate::machine::execution::Execution;
use crate::machine::shared::SharedSlice;
use crate::memory;

/// Evaluates a book at marks.
///
/// `policies` are those that the rows' codes point to.
///
/// # Errors
///
/// [`Error::Length`] for columns of different length, [`Error::Interrupted`], [`Error::Threads`] or, for too many of them,
/// [`Error::Domain`]. Rows that cannot be evaluated are no error: see [`Status`](crate::Status).
pub fn evaluate(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    outputs: &Outputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    room_to_work(layout, policies, &execution)?;
    let job = Job::new(book, layout, policies, outputs)?;
    let balances = book.balances.map_or(0, |balances| balances.balance.len());
    outputs.check(book.rows(), book.wallet_balance.len(), balances)?;
    refuse_falling_rates(book, layout, policies)?;
    evaluate_all(&job, &mut execution)
}

/// Measures how far prices may move together until each account of a book is liquidated.
///
/// `layout` settles every account as one whole ([`Keys::pool_all`](crate::Keys)); `betas` are those of each policy.
///
/// # Errors
///
/// As [`evaluate`].
pub fn measure_distances(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    betas: &[Betas<'_>],
    outputs: &DistanceOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    let nothing = Outputs::none();
    room_to_work(layout, policies, &execution)?;
    let job = Job::new(book, layout, policies, &nothing)?;
    check_distances(policies, betas, outputs, book.wallet_balance.len())?;
    refuse_falling_rates(book, layout, policies)?;
    ask_all(&job, Question::Measure(betas, outputs), &mut execution)
}

/// Measures the same as [`measure_distances`] of each account without one of its legs after the other, by row.
///
/// Isolated rows are left as they are.
///
/// # Errors
///
/// As [`evaluate`].
pub fn measure_distances_without(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    betas: &[Betas<'_>],
    outputs: &DistanceOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    let nothing = Outputs::none();
    room_to_work(layout, policies, &execution)?;
    let job = Job::new(book, layout, policies, &nothing)?;
    check_distances(policies, betas, outputs, book.rows())?;
    refuse_falling_rates(book, layout, policies)?;
    ask_all(&job, Question::MeasureWithout(betas, outputs), &mut execution)
}

/// Judges each account without one of its legs after the other.
///
/// `layout` settles every account as one whole; `outputs` has one value a row: the measures of its account as [`evaluate`] gives them for a
/// book without the row, to the last bit. Isolated rows are left as they are.
///
/// # Errors
///
/// As [`evaluate`].
pub fn leave_one_out(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    outputs: &AccountOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    let nothing = Outputs::none();
    room_to_work(layout, policies, &execution)?;
    let job = Job::new(book, layout, policies, &nothing)?;
    outputs.check(book.rows())?;
    ask_all(&job, Question::Leave(outputs), &mut execution)
}

/// Bytes of an instrument or an asset: its constants in the call, and its places in the numberings of a thread.
const BYTES_OF_INSTRUMENT: usize = 512;

/// Refuses a call for whose buffers there is no room; their size follows from the caller's book.
fn room_to_work(layout: &Layout, policies: &[PolicyAtMarks<'_>], execution: &Execution<'_>) -> Result<()> {
    let names: usize = policies.iter().map(|given| given.places.len() + given.places_of_assets.len()).sum();
    let tasks = layout.count_of_tasks();
    let of_thread = layout.bytes_of_a_task().saturating_add(names * BYTES_OF_INSTRUMENT);
    let threads = execution.threads.min(tasks).max(1);
    memory::room_for(threads.saturating_mul(of_thread).saturating_add(tasks * BYTES_OF_BLOCK))
}

/// Refuses positions of pooled accounts whose margin is not convex: along a ray the surplus of such an account is not concave.
fn refuse_falling_rates(book: &Book<'_>, layout: &Layout, policies: &[PolicyAtMarks<'_>]) -> Result<()> {
    if policies.iter().all(|given| !given.policy.any_falls) {
        return Ok(());
    }
    let pooled = &layout.pooled;
    for block in &pooled.blocks {
        let legs = pooled.accounts[block.accounts.clone()].iter().flat_map(|account| account.legs.clone());
        let mut rows = legs.map(|leg| pooled.rows[leg] as usize);
        if let Some(row) = rows.find(|&row| policies[block.policy].falls(book.instrument[row], book.quantity[row])) {
            return Err(Error::FallingRate { row });
        }
    }
    Ok(())
}

/// Refuses columns that do not fit `places` accounts or rows, and betas that do not fit their policies.
fn check_distances(
    policies: &[PolicyAtMarks<'_>],
    betas: &[Betas<'_>],
    outputs: &DistanceOutputs<'_>,
    places: usize,
) -> Result<()> {
    if let Some(found) = outputs.len().into_iter().find(|&len| len != places) {
        return Err(Error::Length { argument: "out", expected: places, found });
    }
    if betas.len() != policies.len() {
        return Err(Error::Length { argument: "betas", expected: policies.len(), found: betas.len() });
    }
    for (given, betas) in policies.iter().zip(betas) {
        let lengths =
            [(betas.of_instruments.len(), given.places.len()), (betas.of_assets.len(), given.policy.assets.len())];
        if let Some((found, expected)) = lengths.into_iter().find(|(found, expected)| found != expected) {
            return Err(Error::Length { argument: "betas", expected, found });
        }
    }
    Ok(())
}

/// Finds how much of each leg alone to close so that its account's margin call ends.
///
/// `layout` settles every account as one whole; `quantities` has one value a row: contracts to close, zero without a margin call, NaN
/// where closing the whole leg is not enough, the account cannot be judged, or the row is isolated.
///
/// # Errors
///
/// As [`evaluate`].
pub fn quantities_to_close(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    quantities: &mut [f64],
    mut execution: Execution<'_>,
) -> Result<()> {
    let nothing = Outputs::none();
    room_to_work(layout, policies, &execution)?;
    let job = Job::new(book, layout, policies, &nothing)?;
    if quantities.len() != book.rows() {
        return Err(Error::Length { argument: "out", expected: book.rows(), found: quantities.len() });
    }
    quantities.fill(f64::NAN);
    ask_all(&job, Question::Close(&SharedSlice::new(quantities)), &mut execution)
}
