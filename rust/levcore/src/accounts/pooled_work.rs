//! A question asked of whole accounts: their risk, their distance to liquidation, what ends their margin call.

use crate::accounts::cross::ValuedLegs;
use crate::book::pooled_accounts::PooledAccount;

/// Answers a question for accounts one after the other; the memory is used again.
pub(crate) trait PooledWork {
    /// Answers it for an account whose legs lie in `valued` from `first` on.
    fn account(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize);

    /// Answers what still waits for its turn.
    fn finish(&mut self) {}
}
