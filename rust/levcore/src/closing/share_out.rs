//! Who pays what a closed account cannot: payers in the order of the policy, claims in the caller's.

use crate::closing::quanta::fitting;
use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};

vocabulary! {
    /// Who pays a shortfall before the trader is asked.
    pub enum Payer: u8 {
        Fund = 0, "fund", "the insurance fund, as far as its balance goes";
        Deleveraging = 1, "deleveraging", "winners whose positions are closed, at the bankruptcy price or, giving nothing, at the mark";
        Socialised = 2, "socialised", "all winners, each a share of the loss";
    }
}

/// What closed legs are short of, one value a claim.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// Missing quanta; not negative.
    pub shortfall: &'a [i64],
    /// Lots that were closed; not negative.
    pub lots: &'a [i64],
    /// Value that was closed, which a fund may limit; not negative.
    pub value: &'a [i64],
    /// Whose positions can be deleveraged for it: a place in [`Pools::lots`].
    pub pool: &'a [u32],
}

/// An insurance fund, in quanta.
#[derive(Debug, Clone, Copy)]
pub struct Fund {
    /// What it has; not negative.
    pub balance: i64,
    /// Balance below which it does not go; not negative.
    pub floor: i64,
    /// Largest value of one claim that it takes part in; [`i64::MAX`] without a limit.
    pub largest_value: i64,
}

/// What the payers have.
#[derive(Debug, Clone, Copy)]
pub struct Pools<'a> {
    /// The insurance fund.
    pub fund: Fund,
    /// Lots of winners by pool.
    pub lots: &'a [i64],
    /// Whether winners who are deleveraged give what is missing: at the bankruptcy price, not at the mark.
    pub winners_pay: bool,
    /// Gains of winners that a loss may be spread over.
    pub gains: i64,
}

/// Quanta that each payer gives to each claim; with `unpaid` they add up to the shortfall.
#[derive(Debug, Default)]
pub struct Payments {
    /// By [`Payer`], in the order of its codes.
    pub paid: [Vec<i64>; Payer::COUNT],
    /// What nobody has paid.
    pub unpaid: Vec<i64>,
    /// Lots to be deleveraged for each claim.
    pub lots: Vec<i64>,
}

/// Shares claims out among the payers.
///
/// # Formula
///
/// Each payer pays the claims in their order, each in full while it can, then what it has left. The fund has its balance less its floor,
/// and passes claims of more than its largest value. Where winners have `w` lots left for a claim of `n` lots, deleveraging pays
/// `floor(missing * min(w, n) / n)`, the part of the position that finds a counterparty; at the mark it closes as many lots and pays nothing.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Code`] for a pool that is none, [`Error::Domain`] for negative amounts.
pub fn share_out(claims: &Claims<'_>, pools: &Pools<'_>, order: &[Payer]) -> Result<Payments> {
    let count = claims.shortfall.len();
    check(claims, pools)?;
    let mut unpaid = claims.shortfall.to_vec();
    let mut paid: [Vec<i64>; Payer::COUNT] = std::array::from_fn(|_| vec![0; count]);
    let mut fund = (pools.fund.balance - pools.fund.floor).max(0);
    let (mut gains, mut left) = (pools.gains, pools.lots.to_vec());
    let mut lots = vec![0; count];
    for &payer in order {
        for claim in 0..count {
            let missing = unpaid[claim];
            if missing == 0 {
                continue;
            }
            let payment = match payer {
                Payer::Fund if claims.value[claim] > pools.fund.largest_value => 0,
                Payer::Fund => take(&mut fund, missing),
                Payer::Socialised => take(&mut gains, missing),
                Payer::Deleveraging => {
                    let taken = take(&mut left[claims.pool[claim] as usize], claims.lots[claim]);
                    lots[claim] += taken;
                    let given = if pools.winners_pay { i128::from(missing) } else { 0 };
                    fitting(given * i128::from(taken) / i128::from(claims.lots[claim].max(1)))?
                }
            };
            paid[payer as usize][claim] += payment;
            unpaid[claim] -= payment;
        }
    }
    Ok(Payments { paid, unpaid, lots })
}

fn take(from: &mut i64, wanted: i64) -> i64 {
    let taken = wanted.min(*from);
    *from -= taken;
    taken
}

fn check(claims: &Claims<'_>, pools: &Pools<'_>) -> Result<()> {
    let expected = claims.shortfall.len();
    for (argument, found) in [("lots", claims.lots.len()), ("value", claims.value.len()), ("pool", claims.pool.len())] {
        if found != expected {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let limit = pools.lots.len();
    if let Some(row) = claims.pool.iter().position(|&pool| pool as usize >= limit) {
        return Err(Error::Code { argument: "pool", row, found: i64::from(claims.pool[row]), limit });
    }
    let amounts = [
        ("shortfall", claims.shortfall),
        ("lots", claims.lots),
        ("lots of winners", pools.lots),
        ("value", claims.value),
        ("fund", &[pools.fund.balance, pools.fund.floor, pools.fund.largest_value]),
        ("gains", &[pools.gains]),
    ];
    for (argument, column) in amounts {
        if let Some(&found) = column.iter().find(|&&amount| amount < 0) {
            return Err(Error::Domain { argument, expected: "no negative amount", found: found as f64 });
        }
    }
    Ok(())
}
