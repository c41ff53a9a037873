//! Sums over the legs of accounts, always in the order of rows, and the verdicts on them.

use std::ops::Range;

use crate::accounts::verdict::{Amounts, Standing, Sums, Verdict, judge_wallet};
use crate::job::context::Job;
use crate::machine::vector::HalfLine;
use crate::rules::policy::Policy;

/// Sums the legs of a range of accounts in the order of their rows, and judges the accounts.
///
/// `amounts` holds the legs of these accounts, in the order of the rows.
pub(crate) fn judge_accounts(
    job: &Job<'_>,
    policy: &Policy,
    accounts: Range<usize>,
    amounts: &[Amounts],
    standings: &mut [Standing],
) {
    let starts = &job.layout.legs_of_account;
    let first_leg = starts[accounts.start];
    for (account, standing) in accounts.zip(standings) {
        let mut sums = Sums::default();
        for leg in &amounts[(starts[account] - first_leg) as usize..(starts[account + 1] - first_leg) as usize] {
            sums.add(leg);
        }
        *standing = judge_account(job, policy, account, &sums).standing();
    }
}

/// The same of accounts whose legs lie apart, and tells each leg: `cells` holds what they bring, then the standing of their account.
pub(crate) fn judge_scattered(
    job: &Job<'_>,
    policy: &Policy,
    accounts: Range<usize>,
    cells: &mut [HalfLine],
    sums: &mut [HalfLine],
) {
    let starts = &job.layout.legs_of_account;
    let places = starts[accounts.start] as usize..starts[accounts.end] as usize;
    let account_of_place = &job.layout.scattered.accounts[places];
    sums.fill(HalfLine::default());
    for (cell, &account) in cells.iter().zip(account_of_place) {
        let HalfLine(sums) = &mut sums[usize::from(account)];
        for (sum, amount) in sums.iter_mut().zip(cell.0) {
            *sum += amount;
        }
    }
    for (account, sums) in accounts.zip(sums.iter_mut()) {
        *sums = judge_account(job, policy, account, &Sums::of(sums.0)).standing();
    }
    for (cell, &account) in cells.iter_mut().zip(account_of_place) {
        *cell = sums[usize::from(account)];
    }
}

/// Judges the account at this place of the layout, and stores its measures.
#[inline(always)]
fn judge_account(job: &Job<'_>, policy: &Policy, account: usize, sums: &Sums) -> Verdict {
    let code = job.layout.accounts[account] as usize;
    let verdict = judge_wallet(job.book.wallet_balance[code], job.book.status_of_account(code), sums, policy);
    job.outputs.accounts.store(code, verdict.measures, verdict.state, verdict.status as u8);
    verdict
}
