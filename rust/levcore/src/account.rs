//! Cross accounts: sums over their legs and the verdict on the whole.

use crate::margin;
use crate::policy::Policy;
use crate::state::{State, state_of};
use crate::status::AccountStatus;

/// What a leg brings into its account: profit with accrued funding, requirement, initial margin, maintenance margin.
pub(crate) type Amounts = [f64; 4];

/// Sums over the legs of an account, in the order of rows; NaN says that a leg failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    amounts: Amounts,
}

impl Sums {
    /// Adds one leg.
    #[inline(always)]
    pub(crate) fn add(&mut self, leg: &Amounts) {
        for (sum, amount) in self.amounts.iter_mut().zip(leg) {
            *sum += amount;
        }
    }
}

/// Measures of an account, in settlement currency unless said otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    /// Wallet balance plus profit of the legs.
    pub equity: f64,
    pub initial_margin: f64,
    pub maintenance_margin: f64,
    /// Equity less initial margin; negative: no new risk.
    pub free_margin: f64,
    /// Requirement over equity, a fraction.
    pub margin_ratio: f64,
    /// Amount that ends a margin call; zero when there is none.
    pub margin_call_amount: f64,
    /// Equity less the requirement that triggers liquidation.
    pub surplus: f64,
    pub state: u8,
    pub status: u8,
}

/// The part of a verdict that the legs need, in half a cache line: legs that lie apart read it in no order.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(32))]
pub(crate) struct Standing {
    pub equity: f64,
    pub margin_ratio: f64,
    pub surplus: f64,
    pub state: u64,
}

impl Verdict {
    /// What the legs need of it.
    pub(crate) fn standing(&self) -> Standing {
        let Self { equity, margin_ratio, surplus, state, .. } = *self;
        Standing { equity, margin_ratio, surplus, state: u64::from(state) }
    }
}

/// Judges an account from its wallet and the sums over its legs. NaN in a sum says that a leg failed.
#[inline(always)]
pub(crate) fn judge(wallet_balance: f64, sums: &Sums, policy: &Policy) -> Verdict {
    let [profit, requirement, initial_margin, maintenance_margin] = sums.amounts;
    let equity = wallet_balance + profit;
    let surplus = equity - requirement * policy.trigger;
    let status = account_status(wallet_balance, surplus);
    if status != AccountStatus::Ok {
        let none = f64::NAN;
        return Verdict {
            equity: none,
            initial_margin: none,
            maintenance_margin: none,
            free_margin: none,
            margin_ratio: none,
            margin_call_amount: none,
            surplus: none,
            state: State::Incomplete as u8,
            status: status as u8,
        };
    }
    let margin_ratio = margin::margin_ratio(requirement, equity);
    Verdict {
        equity,
        initial_margin,
        maintenance_margin,
        free_margin: equity - initial_margin,
        margin_ratio,
        margin_call_amount: margin::margin_call_amount(requirement, policy.call_level, equity),
        surplus,
        state: state_of(margin_ratio, &policy.levels) as u8,
        status: AccountStatus::Ok as u8,
    }
}

#[inline(always)]
fn account_status(wallet_balance: f64, surplus: f64) -> AccountStatus {
    if wallet_balance.is_nan() {
        AccountStatus::MissingWalletBalance
    } else if wallet_balance.is_infinite() {
        AccountStatus::InvalidWalletBalance
    } else if surplus.is_finite() {
        AccountStatus::Ok
    } else {
        AccountStatus::Incomplete
    }
}
