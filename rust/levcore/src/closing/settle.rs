//! Everything that is closed at one instant, settled at once: what is lost, what each purse is left with, who pays what is missing.

use crate::closing::allocate::{Allocation, allocate};
use crate::closing::loss_parts::{Closings, LossParts, loss_parts};
use crate::closing::quanta::{fitting, to_quanta};
use crate::closing::share_out::{Claims, Payer, Payments, Pools, share_out};
use crate::error::{Error, Result};
use crate::memory::with_room;

/// Positions that are closed, one value a row, and the purses that their losses fall on first: the margin of an isolated position, the
/// wallet of a cross account with all its rows.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Sizes, prices and fees.
    pub closings: Closings<'a>,
    /// Lots that are closed; not negative.
    pub lots: &'a [i64],
    /// Whose positions can be deleveraged for the row: a place in [`Pools::lots`].
    pub pool: &'a [u32],
    /// Purse of the row: a place in `margin`.
    pub purse: &'a [u32],
    /// Rows in the order in which claims are served, each once.
    pub served: &'a [u32],
    /// By purse: its money in quanta, funding included.
    pub margin: &'a [i64],
    /// By purse: whether it ends here, with every position of it closed. One that goes on keeps what is left, be it negative: the positions
    /// that stay are its cover.
    pub ends: &'a [bool],
    /// By purse: whether the fund gets what is left of one that ends, as at a take-over; else it returns to the trader.
    pub to_fund: &'a [bool],
    /// By purse: the trader that it belongs to, a place in `other_money`.
    pub owner: &'a [u32],
    /// By trader: other money that pays before anyone else is asked; not negative.
    pub other_money: &'a [i64],
}

/// What became of a batch, in quanta.
///
/// Of each purse `margin = losses + left`; where one ends with `left` negative, the payments of its rows and `other_money` are `-left` together.
#[derive(Debug, Default)]
pub struct Settlement {
    /// By row: the loss in three parts.
    pub loss: LossParts,
    /// By purse: what is left; negative where it is missing.
    pub left: Vec<i64>,
    /// By purse: what the trader's other money pays.
    pub other_money: Vec<i64>,
    /// By row: who pays what is missing after that, and lots to deleverage.
    pub payments: Payments,
    /// Balance of the fund after each claim, in the order in which they are served.
    pub fund: Vec<i64>,
}

/// Settles a batch.
///
/// # Formula
///
/// `left = margin - sum of losses` of each purse. What is missing falls on the trader's other money, purses in the order of their first row
/// in `served`; the rest on the rows of the purse by the value that was closed, where units lost to rounding go to the largest, then to the
/// lower trigger, then to the row that is served first. What the fund gets of purses enters it before any claim, for all of it happens at one
/// instant. Claims are then shared out among `payers` ([`share_out`]).
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Code`] for a place that is none, [`Error::Domain`] for an amount that is no
/// number of quanta, for a purse without a row, or for `served` unless it holds each row once.
pub fn settle(batch: &Batch<'_>, pools: &Pools<'_>, payers: &[Payer], per_unit: f64) -> Result<Settlement> {
    check(batch)?;
    let rows = batch.purse.len();
    let loss = loss_parts(&batch.closings, per_unit)?;
    let left = left_of(batch, &loss)?;
    let missing: Vec<i64> =
        left.iter().zip(batch.ends).map(|(&left, &ends)| if ends { (-left).max(0) } else { 0 }).collect();
    let other_money = from_other_money(batch, &missing);
    let missing: Vec<i64> = missing.iter().zip(&other_money).map(|(&missing, &paid)| missing - paid).collect();
    let (shortfall, value) = by_row(batch, &missing, per_unit)?;
    let pick = |column: &[i64]| batch.served.iter().map(|&row| column[row as usize]).collect::<Vec<_>>();
    let (shortfall, lots, value) = (pick(&shortfall), pick(batch.lots), pick(&value));
    let pool: Vec<u32> = batch.served.iter().map(|&row| batch.pool[row as usize]).collect();
    let mut pools = *pools;
    let remainders = (0..left.len()).filter(|&purse| batch.ends[purse] && batch.to_fund[purse]);
    let remainders: i128 = remainders.map(|purse| i128::from(left[purse].max(0))).sum();
    pools.fund.balance = fitting(i128::from(pools.fund.balance) + remainders)?;
    let claims = Claims { shortfall: &shortfall, lots: &lots, value: &value, pool: &pool };
    let served = share_out(&claims, &pools, payers)?;
    let mut balance = pools.fund.balance;
    let mut fund = with_room(rows)?;
    for paid in &served.paid[Payer::Fund as usize] {
        balance -= paid;
        fund.push(balance);
    }
    let back = |column: &[i64]| {
        let mut by_row = vec![0; rows];
        for (&row, &amount) in batch.served.iter().zip(column) {
            by_row[row as usize] = amount;
        }
        by_row
    };
    let payments = Payments {
        paid: std::array::from_fn(|payer| back(&served.paid[payer])),
        unpaid: back(&served.unpaid),
        lots: back(&served.lots),
    };
    Ok(Settlement { loss, left, other_money, payments, fund })
}

fn left_of(batch: &Batch<'_>, loss: &LossParts) -> Result<Vec<i64>> {
    let mut left: Vec<i128> = batch.margin.iter().copied().map(i128::from).collect();
    for (row, &purse) in batch.purse.iter().enumerate() {
        for part in [&loss.to_trigger, &loss.past_trigger, &loss.fees] {
            left[purse as usize] -= i128::from(part[row]);
        }
    }
    left.into_iter().map(fitting).collect()
}

fn from_other_money(batch: &Batch<'_>, missing: &[i64]) -> Vec<i64> {
    let (mut purses, mut paid) = (batch.other_money.to_vec(), vec![0; missing.len()]);
    if purses.iter().all(|&money| money == 0) {
        return paid;
    }
    let mut asked = vec![false; missing.len()];
    for &row in batch.served {
        let purse = batch.purse[row as usize] as usize;
        if !std::mem::replace(&mut asked[purse], true) {
            let money = &mut purses[batch.owner[purse] as usize];
            paid[purse] = missing[purse].min(*money);
            *money -= paid[purse];
        }
    }
    paid
}

/// What is missing for each row, and the value that was closed of it.
fn by_row(batch: &Batch<'_>, missing: &[i64], per_unit: f64) -> Result<(Vec<i64>, Vec<i64>)> {
    let rows = batch.purse.len();
    let mut value = with_room(rows)?;
    for (gain, fill) in batch.closings.gain.iter().zip(batch.closings.fill) {
        value.push(to_quanta(gain.abs() * fill, per_unit)?);
    }
    let trigger = batch.closings.trigger;
    let mut legs = vec![0_u32; missing.len()];
    for &purse in batch.purse {
        legs[purse as usize] += 1;
    }
    let mut shortfall = vec![0; rows];
    let mut order: Vec<(u32, usize)> = Vec::new();
    for &row in batch.served {
        let (row, purse) = (row as usize, batch.purse[row as usize]);
        if legs[purse as usize] == 1 {
            shortfall[row] = missing[purse as usize];
        } else if missing[purse as usize] > 0 {
            order.push((purse, row));
        }
    }
    order.sort_by(|&(one_purse, one), &(other_purse, other)| {
        let by_value = value[other].cmp(&value[one]);
        one_purse.cmp(&other_purse).then(by_value).then(trigger[one].total_cmp(&trigger[other]))
    });
    for legs in order.chunk_by(|one, other| one.0 == other.0) {
        let amount = missing[legs[0].0 as usize];
        let weight: Vec<i64> = legs.iter().map(|&(_, row)| value[row].max(1)).collect();
        let shares = allocate(amount, &vec![amount; legs.len()], &weight, Allocation::ProRata, true)?;
        for (&(_, row), share) in legs.iter().zip(shares) {
            shortfall[row] = share;
        }
    }
    Ok((shortfall, value))
}

fn check(batch: &Batch<'_>) -> Result<()> {
    let (rows, purses) = (batch.closings.gain.len(), batch.margin.len());
    let lengths = [
        ("lots", batch.lots.len(), rows),
        ("pool", batch.pool.len(), rows),
        ("purse", batch.purse.len(), rows),
        ("served", batch.served.len(), rows),
        ("ends", batch.ends.len(), purses),
        ("to_fund", batch.to_fund.len(), purses),
        ("owner", batch.owner.len(), purses),
    ];
    for (argument, found, expected) in lengths {
        if found != expected {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let places = [
        ("purse", batch.purse, purses),
        ("served", batch.served, rows),
        ("owner", batch.owner, batch.other_money.len()),
    ];
    for (argument, column, limit) in places {
        if let Some(row) = column.iter().position(|&place| place as usize >= limit) {
            return Err(Error::Code { argument, row, found: i64::from(column[row]), limit });
        }
    }
    let mut seen = vec![false; rows];
    for &row in batch.served {
        if std::mem::replace(&mut seen[row as usize], true) {
            return Err(Error::Domain { argument: "served", expected: "each row once", found: f64::from(row) });
        }
    }
    let mut used = vec![false; purses];
    for &purse in batch.purse {
        used[purse as usize] = true;
    }
    if let Some(purse) = used.iter().position(|&used| !used) {
        return Err(Error::Domain {
            argument: "purse",
            expected: "a row that is closed for each purse",
            found: purse as f64,
        });
    }
    match batch.other_money.iter().find(|&&money| money < 0) {
        Some(&found) => {
            Err(Error::Domain { argument: "other_money", expected: "no negative amount", found: found as f64 })
        }
        None => Ok(()),
    }
}
