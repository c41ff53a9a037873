//! What is told of a live book: who enters or leaves a state, with the numbers of a full evaluation.

use crate::codes::state::State;
use crate::live::subjects::Subject;

/// Numbers of a subject as a full evaluation gives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Code of its state.
    pub state: u8,
    /// Its equity.
    pub equity: f64,
    /// Its maintenance margin.
    pub maintenance_margin: f64,
    /// Requirement over equity, a fraction.
    pub margin_ratio: f64,
}

impl Figures {
    /// Of nobody.
    pub(crate) const UNKNOWN: Self =
        Self { state: State::Incomplete as u8, equity: f64::NAN, maintenance_margin: f64::NAN, margin_ratio: f64::NAN };
}

/// A subject that has entered another state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Place of the instant among those of the call.
    pub instant: u64,
    /// Who.
    pub subject: Subject,
    /// Code of the state before, as the levels that are watched tell states apart.
    pub before: u8,
    /// Code of the state now, likewise.
    pub state: u8,
    /// Numbers of a full evaluation at this instant.
    pub figures: Figures,
}

/// Which levels of a policy are watched; liquidation always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched([bool; State::COUNT]);

impl Watched {
    /// Liquidation, and these.
    #[must_use]
    pub fn of(levels: &[State]) -> Self {
        let mut watched = [false; State::COUNT];
        for state in levels.iter().chain(&[State::Healthy, State::Liquidation, State::Incomplete]) {
            watched[*state as usize] = true;
        }
        Self(watched)
    }

    /// Place of the bankruptcy level among so many, if it is watched: it is the last one then.
    pub(crate) fn place_of_bankruptcy(self, levels: usize) -> Option<usize> {
        self.0[State::Bankrupt as usize].then_some(levels.saturating_sub(1))
    }

    /// A state as the watched levels tell it: the worst of them that it has reached.
    #[must_use]
    pub(crate) fn seen(self, state: u8) -> u8 {
        (0..=state).rev().find(|&lower| self.0[lower as usize]).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_the_worst_watched_one_that_it_has_reached() {
        let seen = |levels: &[State]| (0..State::COUNT as u8).map(|state| Watched::of(levels).seen(state)).collect();
        let liquidation: Vec<u8> = seen(&[]);
        assert_eq!(liquidation, [0, 0, 0, 3, 3, 5]);
        let all: Vec<u8> = seen(&[State::Warning, State::MarginCall, State::Bankrupt]);
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        let some: Vec<u8> = seen(&[State::Warning, State::Bankrupt]);
        assert_eq!(some, [0, 1, 1, 3, 4, 5]);
    }
}
