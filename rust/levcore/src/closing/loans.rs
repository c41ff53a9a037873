//! Loans closed against their collateral: how much debt is repaid, what is seized for it, and what is left without cover.

use crate::closing::quanta::fitting;
use crate::error::{Error, Result};
use crate::memory::with_room;

/// What counts as one in [`Loans::bonus`] and [`LoanRule::fee`].
const ONE: i128 = 10_000;

/// How much of a debt one liquidation repays.
#[derive(Debug, Clone, Copy)]
pub struct LoanRule {
    /// Share of the account's debt, in (0, 1].
    pub share: f64,
    /// Value below which a debt, or the collateral that pays for it, may be closed whole; quanta.
    pub small_below: i64,
    /// Value that must be left of either unless nothing is; quanta.
    pub least_left: i64,
    /// Health factor up to which everything may be closed.
    pub weak_at: f64,
    /// Part of the bonus that the venue keeps, in parts of 10,000.
    pub fee: i64,
}

/// Debts and the collateral that pays for them, one pair a row; values in quanta.
#[derive(Debug, Clone, Copy)]
pub struct Loans<'a> {
    /// Value of the debt in one asset; not negative.
    pub debt: &'a [i64],
    /// Value of the collateral in one asset; not negative.
    pub collateral: &'a [i64],
    /// Value of all debts of the account.
    pub total_debt: &'a [i64],
    /// Value of all collateral of the account.
    pub total_collateral: &'a [i64],
    /// Weighted collateral over debt; below 1 where a loan is closed.
    pub health_factor: &'a [f64],
    /// Collateral that is seized for a debt, in parts of 10,000: 10,500 with a bonus of 5 %.
    pub bonus: &'a [i64],
}

/// What one liquidation of each row does, in quanta.
#[derive(Debug, Default)]
pub struct ClosedLoans {
    /// Debt that is repaid.
    pub repaid: Vec<i64>,
    /// Collateral that is seized, the venue's fee included.
    pub seized: Vec<i64>,
    /// The venue's part of the bonus.
    pub fee: Vec<i64>,
    /// Debt of the account that no collateral is left for.
    pub uncovered: Vec<i64>,
}

/// Closes loans whose health factor is below 1; of others nothing.
///
/// # Formula
///
/// `closable = min(debt, floor(share * total debt))`, the whole debt where it or the collateral is below `small_below` or the health factor is
/// at most `weak_at`. Collateral `floor(closable * bonus)` is seized; where there is less, all of it is, for `ceil(collateral / bonus)`. What
/// would leave less than `least_left` of either, but something, is cut back to leave just that. The fee is `ceil` of its part of the bonus.
/// Where the account has no collateral left, the rest of its debt is uncovered.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths, [`Error::Domain`] for negative values, or a bonus below one.
pub fn close_loans(loans: &Loans<'_>, rule: &LoanRule) -> Result<ClosedLoans> {
    check(loans)?;
    let rows = loans.debt.len();
    let mut closed = ClosedLoans {
        repaid: with_room(rows)?,
        seized: with_room(rows)?,
        fee: with_room(rows)?,
        uncovered: with_room(rows)?,
    };
    for row in 0..rows {
        let (repaid, seized) = if loans.health_factor[row] < 1.0 { pair(loans, rule, row) } else { (0, 0) };
        let gained = seized - repaid;
        let fee = if gained > 0 { (gained * i128::from(rule.fee) + ONE - 1) / ONE } else { 0 };
        let bare = i128::from(loans.total_collateral[row]) - seized == 0;
        closed.repaid.push(fitting(repaid)?);
        closed.seized.push(fitting(seized)?);
        closed.fee.push(fitting(fee)?);
        closed.uncovered.push(fitting(if bare { i128::from(loans.total_debt[row]) - repaid } else { 0 })?);
    }
    Ok(closed)
}

/// Debt repaid and collateral seized of one row.
fn pair(loans: &Loans<'_>, rule: &LoanRule, row: usize) -> (i128, i128) {
    let (debt, collateral) = (i128::from(loans.debt[row]), i128::from(loans.collateral[row]));
    let (bonus, small, left) =
        (i128::from(loans.bonus[row]), i128::from(rule.small_below), i128::from(rule.least_left));
    let all = debt < small || collateral < small || loans.health_factor[row] <= rule.weak_at;
    let part = (rule.share * loans.total_debt[row] as f64).floor() as i128;
    let mut repaid = if all || part > debt { debt } else { part };
    if 0 < debt - repaid && debt - repaid < left {
        repaid = (debt - left).max(0);
    }
    let mut seized = repaid * bonus / ONE;
    if seized >= collateral {
        seized = collateral;
        repaid = ((collateral * ONE + bonus - 1) / bonus).min(repaid);
    } else if collateral - seized < left {
        seized = (collateral - left).max(0);
        repaid = seized * ONE / bonus;
    }
    (repaid, seized)
}

fn check(loans: &Loans<'_>) -> Result<()> {
    let expected = loans.debt.len();
    let columns = [
        ("debt", loans.debt),
        ("collateral", loans.collateral),
        ("total_debt", loans.total_debt),
        ("total_collateral", loans.total_collateral),
        ("bonus", loans.bonus),
    ];
    if loans.health_factor.len() != expected {
        return Err(Error::Length { argument: "health_factor", expected, found: loans.health_factor.len() });
    }
    for (argument, column) in columns {
        if column.len() != expected {
            return Err(Error::Length { argument, expected, found: column.len() });
        }
        let least = if argument == "bonus" { 10_000 } else { 0 };
        if let Some(&found) = column.iter().find(|&&number| number < least) {
            return Err(Error::Domain {
                argument,
                expected: "no negative value, and no bonus below one",
                found: found as f64,
            });
        }
    }
    Ok(())
}
