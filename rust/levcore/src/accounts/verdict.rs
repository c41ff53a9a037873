//! Cross accounts: sums over their legs and the verdict on the whole.

use crate::codes::measures::AccountMeasure;
use crate::codes::state::State;
use crate::codes::status::AccountStatus;
use crate::formulas::margin;
use crate::formulas::state::{as_code, state_of};
use crate::machine::vector::HalfLine;
use crate::rules::policy::Policy;

/// What a leg brings into its account: profit with accrued funding, requirement, initial margin, maintenance margin.
pub(crate) type Amounts = [f64; 4];

/// Sums over the legs of an account, in the order of rows; NaN says that a leg failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    amounts: Amounts,
}

impl Sums {
    /// These sums.
    pub(crate) fn of(amounts: Amounts) -> Self {
        Self { amounts }
    }

    /// Adds one leg.
    #[inline(always)]
    pub(crate) fn add(&mut self, leg: &Amounts) {
        for (sum, amount) in self.amounts.iter_mut().zip(leg) {
            *sum += amount;
        }
    }
}

/// Sums over everything that an account holds, in its currency.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Value of its assets, with profit.
    pub counted: f64,
    /// The part of it that is positive.
    pub collateral_value: f64,
    /// The part that is negative, with its sign turned, and the debt.
    pub liabilities: f64,
    /// What is owed where liabilities count as a requirement; the requirement holds it then.
    pub debt: f64,
    pub requirement: f64,
    pub initial_margin: f64,
    pub maintenance_margin: f64,
}

impl Totals {
    /// Adds what a leg must hold, of what it settles in at this price.
    #[inline(always)]
    pub(crate) fn require(&mut self, price: f64, requirement: f64, maintenance_margin: f64) {
        self.requirement += price * requirement;
        self.maintenance_margin += price * maintenance_margin;
    }

    /// Adds the initial margin of a leg.
    #[inline(always)]
    pub(crate) fn open(&mut self, price: f64, initial_margin: f64) {
        self.initial_margin += price * initial_margin;
    }
}

/// Measures of an account, in its currency unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    /// In the order of [`AccountMeasure`].
    pub measures: [f64; AccountMeasure::COUNT],
    pub equity: f64,
    /// Requirement over equity, a fraction.
    pub margin_ratio: f64,
    /// Equity less the requirement that triggers liquidation.
    pub surplus: f64,
    pub state: u8,
    pub status: AccountStatus,
}

/// The part of a verdict that the legs need: equity, margin ratio, surplus, code of the state.
pub(crate) type Standing = HalfLine;

impl Verdict {
    /// What the legs need of it.
    pub(crate) fn standing(&self) -> Standing {
        let Self { equity, margin_ratio, surplus, state, .. } = *self;
        HalfLine([equity, margin_ratio, surplus, f64::from(state)])
    }
}

/// Judges an account from its wallet and the sums over its legs; `status` says what is known to be wrong with it. NaN in a sum says that a
/// leg failed.
#[inline(always)]
pub(crate) fn judge_wallet(wallet_balance: f64, status: AccountStatus, sums: &Sums, policy: &Policy) -> Verdict {
    let [profit, requirement, initial_margin, maintenance_margin] = sums.amounts;
    let counted = wallet_balance + profit;
    let totals = Totals {
        counted,
        collateral_value: margin::larger(counted, 0.0),
        liabilities: margin::larger(-counted, 0.0),
        debt: 0.0,
        requirement,
        initial_margin,
        maintenance_margin,
    };
    judge(&totals, status, policy)
}

/// Judges an account from its sums; `status` says what is known to be wrong with it.
#[inline(always)]
pub(crate) fn judge(totals: &Totals, status: AccountStatus, policy: &Policy) -> Verdict {
    let Totals { counted, collateral_value, liabilities, debt, requirement, initial_margin, maintenance_margin } =
        *totals;
    let surplus = counted - requirement * policy.trigger;
    let equity = counted - debt;
    let finite = surplus.is_finite() && equity.is_finite();
    let known = if status == AccountStatus::Ok && !finite { AccountStatus::Incomplete } else { status };
    if known != AccountStatus::Ok {
        let none = f64::NAN;
        return Verdict {
            measures: [none; AccountMeasure::COUNT],
            equity: none,
            margin_ratio: none,
            surplus: none,
            state: State::Incomplete as u8,
            status: known,
        };
    }
    let margin_ratio = margin::margin_ratio(requirement, counted);
    Verdict {
        measures: [
            equity,
            initial_margin,
            maintenance_margin,
            counted - initial_margin,
            margin_ratio,
            margin::margin_call_amount(requirement, policy.call_level, counted),
            collateral_value,
            liabilities,
            surplus,
        ],
        equity,
        margin_ratio,
        surplus,
        state: as_code(state_of(margin_ratio, &policy.levels)),
        status: AccountStatus::Ok,
    }
}
