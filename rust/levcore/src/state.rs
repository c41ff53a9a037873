//! How close a position or an account is to liquidation, by the thresholds of a policy.

/// Risk state, as stored in the `state` columns; larger is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Below every threshold.
    Healthy = 0,
    /// At or above the policy's warning level.
    Warning = 1,
    /// At or above the policy's margin-call level.
    MarginCall = 2,
    /// At or above the liquidation level.
    Liquidation = 3,
    /// No equity is left against a requirement.
    Bankrupt = 4,
    /// Not known: the row or a leg of its account failed.
    Incomplete = 5,
}

impl State {
    /// Every state with its name, in ascending order.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Healthy, "HEALTHY"),
        (Self::Warning, "WARNING"),
        (Self::MarginCall, "MARGIN_CALL"),
        (Self::Liquidation, "LIQUIDATION"),
        (Self::Bankrupt, "BANKRUPT"),
        (Self::Incomplete, "INCOMPLETE"),
    ];
}

/// A threshold on the margin ratio: `None` where no source gives one.
///
/// A strict threshold (`>`) is the inclusive one (`>=`) at the next larger float, so the kernel compares in one way only.
/// NaN compares false with everything and so stands for "no such level".
#[must_use]
pub fn effective_level(level: Option<f64>, inclusive: bool) -> f64 {
    match level {
        None => f64::NAN,
        Some(level) if inclusive => level,
        Some(level) => level.next_up(),
    }
}

/// Thresholds ready for comparison with `>=`.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    /// From here on [`State::Warning`].
    pub warning: f64,
    /// From here on [`State::MarginCall`].
    pub margin_call: f64,
    /// From here on [`State::Liquidation`].
    pub liquidation: f64,
}

/// The state that belongs to a margin ratio; an infinite ratio means that no equity is left.
#[inline(always)]
#[must_use]
pub fn state_of(margin_ratio: f64, levels: &Levels) -> u64 {
    let mut state = State::Healthy as u64;
    if margin_ratio >= levels.warning {
        state = State::Warning as u64;
    }
    if margin_ratio >= levels.margin_call {
        state = State::MarginCall as u64;
    }
    if margin_ratio >= levels.liquidation {
        state = State::Liquidation as u64;
    }
    if margin_ratio == f64::INFINITY {
        state = State::Bankrupt as u64;
    }
    state
}
