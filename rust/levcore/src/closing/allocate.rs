//! A whole amount shared out among those who can bear it.

use crate::closing::quanta::fitting;
use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};
use crate::memory::with_room;

vocabulary! {
    /// How an amount is shared out.
    pub enum Allocation: u8 {
        Queue = 0, "queue", "each in the order given bears all it can until nothing is left";
        ProRata = 1, "pro_rata", "each bears by its weight, at most what it can; what is then left is borne by nobody";
        MinMax = 2, "min_max", "the largest share of a weight is as small as can be: by weight, and what one cannot bear the others do";
    }
}

/// Shares of an amount, in the order of `capacity`; at most the capacity each, at most the amount together.
///
/// # Formula
///
/// `floor(amount * weight / sum of weights)` where it is by weight. With `deal_rest` the units lost to rounding are dealt one each in the
/// order given to those who can bear one more; without it they are borne by nobody.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Domain`] for negative numbers, or weights whose sum passes 2^63.
pub fn allocate(amount: i64, capacity: &[i64], weight: &[i64], rule: Allocation, deal_rest: bool) -> Result<Vec<i64>> {
    if weight.len() != capacity.len() {
        return Err(Error::Length { argument: "weight", expected: capacity.len(), found: weight.len() });
    }
    for (argument, column) in [("amount", &[amount][..]), ("capacity", capacity), ("weight", weight)] {
        if let Some(&found) = column.iter().find(|&&number| number < 0) {
            return Err(Error::Domain { argument, expected: "no negative number", found: found as f64 });
        }
    }
    if rule == Allocation::Queue {
        return queue(amount, capacity);
    }
    let (settled, base, total) = match rule {
        Allocation::MinMax => saturated(amount, capacity, weight)?,
        _ => (vec![None; capacity.len()], i128::from(amount), sum(weight)?),
    };
    let mut shares = with_room(capacity.len())?;
    let mut dealt = 0;
    for (place, share) in settled.into_iter().enumerate() {
        let by_weight = base * i128::from(weight[place]) / i128::from(total.max(1));
        let whole = share.map_or(by_weight, i128::from);
        dealt += whole;
        shares.push(fitting(whole.min(i128::from(capacity[place])))?);
    }
    if deal_rest && total > 0 {
        deal(fitting(i128::from(amount) - dealt)?, capacity, weight, &mut shares);
    }
    Ok(shares)
}

fn queue(amount: i64, capacity: &[i64]) -> Result<Vec<i64>> {
    let mut left = amount;
    let mut shares = with_room(capacity.len())?;
    for &most in capacity {
        let share = most.min(left);
        left -= share;
        shares.push(share);
    }
    Ok(shares)
}

/// Shares of those who cannot bear theirs by weight, None for the others; what is left for these, and the sum of their weights.
fn saturated(amount: i64, capacity: &[i64], weight: &[i64]) -> Result<(Vec<Option<i64>>, i128, i64)> {
    let mut shares = vec![None; capacity.len()];
    let mut order: Vec<usize> = (0..capacity.len()).filter(|&place| weight[place] > 0).collect();
    let product = |one: usize, other: usize| i128::from(capacity[one]) * i128::from(weight[other]);
    order.sort_by(|&one, &other| product(one, other).cmp(&product(other, one)).then(one.cmp(&other)));
    let (mut left, mut total) = (amount, sum(weight)?);
    for place in order {
        if i128::from(capacity[place]) * i128::from(total) > i128::from(left) * i128::from(weight[place]) {
            break;
        }
        shares[place] = Some(capacity[place]);
        left -= capacity[place];
        total -= weight[place];
    }
    Ok((shares, i128::from(left), total))
}

/// Deals units one each, in order, to those with a weight and room.
fn deal(mut units: i64, capacity: &[i64], weight: &[i64], shares: &mut [i64]) {
    for place in 0..shares.len() {
        if units <= 0 {
            return;
        }
        if weight[place] > 0 && shares[place] < capacity[place] {
            shares[place] += 1;
            units -= 1;
        }
    }
}

fn sum(weight: &[i64]) -> Result<i64> {
    let total: i128 = weight.iter().copied().map(i128::from).sum();
    i64::try_from(total).map_err(|_| Error::Domain {
        argument: "weight",
        expected: "weights whose sum is below 2^63",
        found: total as f64,
    })
}
