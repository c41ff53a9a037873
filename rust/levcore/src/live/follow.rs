//! Accounts that are looked at and need no evaluation.

use crate::live::index::TriggerIndex;
use crate::live::lines::Moved;
use crate::live::market::Market;
use crate::live::verdicts::AccountVerdicts;

impl TriggerIndex {
    /// Follows the accounts that were reached along their lines; those remain that have to be evaluated.
    pub(super) fn follow(&mut self, market: &mut Market<'_>) {
        let mut accounts = std::mem::take(&mut self.reached.accounts);
        self.lines.ask_for(&accounts, &self.armed);
        let (instruments, reached) = (market.marked(), accounts.len());
        accounts.retain(|&account| {
            let followed = self.lines.follow(account, &self.subjects, instruments, &self.armed);
            if followed {
                for &Moved { row, instrument, bounds } in &self.lines.moved {
                    let mark = instruments[instrument as usize].mark;
                    if self.watches[instrument as usize].arm(row, bounds, mark, &mut self.armed) {
                        self.renewed.push(instrument);
                    }
                }
            }
            !followed
        });
        self.followed += (reached - accounts.len()) as u64;
        self.reached.accounts = accounts;
    }

    /// Takes the lines that accounts have been evaluated to have.
    pub(super) fn take_lines(&mut self, accounts: &[u32], found: &AccountVerdicts) {
        let mut of_legs = found.lines_of_legs.iter();
        for (&account, &line) in accounts.iter().zip(&found.lines) {
            let rows = self.subjects.legs_of(account);
            self.lines.accounts[account as usize] = line.with_legs(rows);
            for (&row, &line) in rows.iter().zip(&mut of_legs) {
                self.lines.legs[row as usize] = line;
            }
        }
    }
}
