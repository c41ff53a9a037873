//! Which leg costs what: each account judged without one of its legs after the other.
//!
//! # Formula
//!
//! A leg that is left out takes its profit, funding and requirement with it, and what it covered is charged in full. Sums go over the other
//! legs in the order of rows, from 0.0, as those of the account without that row: the results are its, to the last bit.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::pooled_work::PooledWork;
use crate::accounts::reader::AccountReader;
use crate::accounts::verdict::{Amounts, Sums, Verdict, judge_wallet};
use crate::book::pooled_accounts::PooledAccount;
use crate::job::context::{Job, PolicyPart};
use crate::job::outputs::AccountOutputs;
use crate::rules::parameters::HedgeRule;

/// Judges accounts without each of their legs, one account after the other; the memory is used again.
pub(crate) struct Leaver<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    /// By row: the account of that row, without it.
    outputs: &'a AccountOutputs<'a>,
    reader: AccountReader<'a>,
}

impl<'a> Leaver<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, outputs: &'a AccountOutputs<'a>) -> Self {
        Self { job, part, outputs, reader: AccountReader::new(job, part) }
    }

    fn store(&self, row: u32, verdict: &Verdict) {
        self.outputs.store(row as usize, verdict.measures, verdict.state, verdict.status as u8);
    }

    /// Whether the legs of an account bear upon each other by their sums alone.
    fn only_sums(&mut self, account: &PooledAccount, rows: &[u32]) -> bool {
        account.balances.is_empty()
            && self.part.policy.rules.hedge_rule != HedgeRule::LargerSide
            && self.reader.holds_each_once(rows)
    }

    /// The account of each row without it, by the sums of the others.
    fn leave_each(&self, account: &PooledAccount, rows: &[u32], amounts: &[Amounts]) {
        let wallet = self.job.book.wallet_balance[account.code];
        let status = self.job.book.status_of_account(account.code);
        let mut before = Sums::default();
        for (leg, &row) in rows.iter().enumerate() {
            let mut sums = before;
            amounts[leg + 1..].iter().for_each(|other| sums.add(other));
            self.store(row, &judge_wallet(wallet, status, &sums, self.part.policy));
            before.add(&amounts[leg]);
        }
    }
}

impl PooledWork for Leaver<'_> {
    /// Stores for each leg the verdict on the account without it.
    fn account(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize) {
        let rows = &self.job.layout.pooled.rows[account.legs.clone()];
        self.reader.leave_out(None);
        if self.only_sums(account, rows) {
            self.leave_each(account, rows, &valued.amounts[first..first + rows.len()]);
            return;
        }
        for (leg, &row) in rows.iter().enumerate() {
            self.reader.leave_out(Some(leg));
            let (_, verdict) = self.reader.judge(account, valued, first);
            self.store(row, &verdict);
        }
    }
}
