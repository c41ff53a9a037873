//! The state that belongs to a margin ratio.

use crate::codes::state::{Levels, State};
use crate::machine::number::Number;

/// Code of the state that belongs to a margin ratio, as a number; an infinite ratio means that no equity is left.
#[inline(always)]
#[must_use]
pub fn state_of<N: Number>(margin_ratio: N, levels: &Levels) -> N {
    let mut state = code_of(State::Healthy);
    for (level, reached) in [
        (levels.warning, State::Warning),
        (levels.margin_call, State::MarginCall),
        (levels.liquidation, State::Liquidation),
    ] {
        state = N::choose(margin_ratio.is_at_least(N::all(level)), code_of(reached), state);
    }
    N::choose(margin_ratio.equals(N::all(f64::INFINITY)), code_of(State::Bankrupt), state)
}

/// Code of a state as a number.
#[inline(always)]
fn code_of<N: Number>(state: State) -> N {
    N::all(f64::from(state as u8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::state::effective_level;

    #[test]
    fn a_strict_level_begins_at_the_next_float() {
        let levels = Levels { warning: f64::NAN, margin_call: 0.8, liquidation: effective_level(Some(1.0), false) };
        assert_eq!(state_of(0.8, &levels), f64::from(State::MarginCall as u8));
        assert_eq!(state_of(1.0, &levels), f64::from(State::MarginCall as u8));
        assert_eq!(state_of(1.0 + f64::EPSILON, &levels), f64::from(State::Liquidation as u8));
        assert_eq!(state_of(f64::INFINITY, &levels), f64::from(State::Bankrupt as u8));
        // A level that no source gives is never reached.
        assert_eq!(state_of(0.79, &levels), f64::from(State::Healthy as u8));
    }
}
