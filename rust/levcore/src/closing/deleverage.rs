//! Which winners close the lots that nobody else takes, and what each gives.

use crate::closing::allocate::{Allocation, allocate};
use crate::closing::quanta::to_quanta;
use crate::closing::rank::{Ranking, Standing, ranked, scores};
use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};

vocabulary! {
    /// How lots to be deleveraged fall on the winners of a pool.
    pub enum Sharing: u8 {
        Queue = 0, "queue", "by score, each in full until it is enough";
        Contracts = 1, "contracts", "by the lots of each, rounded down to whole ones";
        Profit = 2, "profit", "by the profit of each, rounded down to whole lots, at most what it has";
        Wealth = 3, "wealth", "by the equity of each, rounded down to whole lots, at most what it has";
        MinMax = 4, "min_max", "so that the largest share of a profit is as small as can be";
    }
}

/// Positions in profit; a value a row.
#[derive(Debug, Clone, Copy)]
pub struct Winners<'a> {
    /// What the ranking asks of each.
    pub standing: Standing<'a>,
    /// Lots of each; not negative.
    pub lots: &'a [i64],
    /// Pool of each: a place in [`Wanted::lots`].
    pub pool: &'a [u32],
}

/// What falls on the winners, a value a pool.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Lots to be closed; not negative.
    pub lots: &'a [i64],
    /// Quanta that those who close them give together; not negative.
    pub amount: &'a [i64],
}

/// Who is deleveraged: pool by pool, the first first.
#[derive(Debug, Default)]
pub struct Deleveraged {
    /// Rows of the winners.
    pub winner: Vec<u32>,
    /// Lots of each that are closed; positive.
    pub lots: Vec<i64>,
    /// Quanta that each gives; rounded down, so together at most the amount of the pool.
    pub amount: Vec<i64>,
    /// Score of each.
    pub score: Vec<f64>,
}

/// Closes lots of winners.
///
/// # Formula
///
/// Lots fall on the winners of a pool by [`Sharing`], in the total order of [`ranked`]; each gives
/// `floor(amount of the pool * its lots / lots of all who are deleveraged)`.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Code`] for a pool that is none, [`Error::Domain`] for negative numbers or a
/// profit or equity that is no number of quanta.
pub fn deleverage(
    ranking: Ranking,
    sharing: Sharing,
    winners: &Winners<'_>,
    wanted: &Wanted<'_>,
    per_unit: f64,
    seed: u64,
) -> Result<Deleveraged> {
    let rows = winners.lots.len();
    for (argument, found, expected) in [
        ("key", winners.standing.key.len(), rows),
        ("pool", winners.pool.len(), rows),
        ("amount", wanted.amount.len(), wanted.lots.len()),
    ] {
        if found != expected {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let limit = wanted.lots.len();
    if let Some(row) = winners.pool.iter().position(|&pool| pool as usize >= limit) {
        return Err(Error::Code { argument: "pool", row, found: i64::from(winners.pool[row]), limit });
    }
    let scores = scores(ranking, &winners.standing, seed)?;
    let mut order = ranked(&scores, winners.standing.key, winners.lots, winners.standing.entry_value);
    order.sort_by_key(|&row| winners.pool[row as usize]);
    let mut found = Deleveraged::default();
    for queue in order.chunk_by(|&one, &other| winners.pool[one as usize] == winners.pool[other as usize]) {
        let pool = winners.pool[queue[0] as usize] as usize;
        let lots: Vec<i64> = queue.iter().map(|&row| winners.lots[row as usize]).collect();
        let taken = shares(sharing, winners, queue, wanted.lots[pool], &lots, per_unit)?;
        let amount = wanted.amount[pool];
        let given = allocate(amount, &vec![amount; taken.len()], &taken, Allocation::ProRata, false)?;
        for place in (0..queue.len()).filter(|&place| taken[place] > 0) {
            found.winner.push(queue[place]);
            found.lots.push(taken[place]);
            found.amount.push(given[place]);
            found.score.push(scores[queue[place] as usize]);
        }
    }
    Ok(found)
}

/// Lots of each winner of a queue that are closed.
fn shares(
    sharing: Sharing,
    of: &Winners<'_>,
    queue: &[u32],
    wanted: i64,
    lots: &[i64],
    per_unit: f64,
) -> Result<Vec<i64>> {
    let in_quanta = |column: &[f64]| {
        let positive = queue.iter().map(|&row| column[row as usize].max(0.0));
        positive.map(|amount| to_quanta(amount, per_unit)).collect::<Result<Vec<_>>>()
    };
    match sharing {
        Sharing::Queue => allocate(wanted, lots, lots, Allocation::Queue, false),
        Sharing::Contracts => allocate(wanted, lots, lots, Allocation::ProRata, false),
        Sharing::Profit => allocate(wanted, lots, &in_quanta(of.standing.profit)?, Allocation::ProRata, false),
        Sharing::Wealth => allocate(wanted, lots, &in_quanta(of.standing.equity)?, Allocation::ProRata, false),
        Sharing::MinMax => allocate(wanted, lots, &in_quanta(of.standing.profit)?, Allocation::MinMax, false),
    }
}
