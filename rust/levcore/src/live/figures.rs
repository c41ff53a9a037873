//! Numbers of some subjects of a book, by the formulas of a full evaluation.

use crate::accounts::verdict::Verdict;
use crate::book::columns::Book;
use crate::codes::measures::AccountMeasure;
use crate::live::event::Figures;
use crate::live::index::TriggerIndex;
use crate::live::market::Market;
use crate::live::verdicts::{AccountVerdicts, RowVerdict};

impl From<&RowVerdict> for Figures {
    fn from(verdict: &RowVerdict) -> Self {
        let RowVerdict { state, equity, maintenance_margin, margin_ratio, .. } = *verdict;
        Self { state, equity, maintenance_margin, margin_ratio }
    }
}

impl From<&Verdict> for Figures {
    fn from(verdict: &Verdict) -> Self {
        let of = |measure| verdict.measures[measure as usize];
        Self {
            state: verdict.state,
            equity: of(AccountMeasure::Equity),
            maintenance_margin: of(AccountMeasure::MaintenanceMargin),
            margin_ratio: of(AccountMeasure::MarginRatio),
        }
    }
}

impl TriggerIndex {
    /// Numbers of these isolated rows, then of the accounts at these places; nothing is armed.
    pub(super) fn figures(
        &self,
        book: &Book<'_>,
        market: &mut Market<'_>,
        rows: &[u32],
        accounts: &[u32],
        found: &mut Vec<Figures>,
    ) {
        found.clear();
        let (mut verdicts, mut legs, mut of_accounts) = (Vec::new(), Vec::new(), AccountVerdicts::only_verdicts());
        if !rows.is_empty() {
            market.examine_rows(book, rows, &mut verdicts);
            found.extend(verdicts.iter().map(Figures::from));
        }
        for accounts in self.batches(accounts) {
            self.examine(book, market, accounts, &mut legs, &mut of_accounts);
            found.extend(of_accounts.verdicts.iter().map(Figures::from));
        }
    }
}
