//! How close a position or an account is to liquidation, by the thresholds of a policy.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// Risk state, as stored in the `state` columns; larger is worse.
    #[derive(PartialOrd, Ord)]
    pub enum State: u8 {
        Healthy = 0, "HEALTHY", "below every threshold of the policy";
        Warning = 1, "WARNING", "at or above the policy's warning level";
        MarginCall = 2, "MARGIN_CALL", "at or above the policy's margin-call level";
        Liquidation = 3, "LIQUIDATION", "at or above the liquidation level";
        Bankrupt = 4, "BANKRUPT", "no equity is left against a requirement";
        Incomplete = 5, "INCOMPLETE", "not known: the row or a leg of its account failed";
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_line_of_the_vocabulary_gives_code_word_and_meaning() {
        let word = State::TABLE[2];
        assert_eq!((word.value, word.value as u8, word.name, word.unit), (State::MarginCall, 2, "MARGIN_CALL", ""));
        assert_eq!(word.meaning, "at or above the policy's margin-call level");
        assert_eq!((State::COUNT, State::Bankrupt.name()), (6, "BANKRUPT"));
        assert!(State::Warning < State::Liquidation);
    }

    #[test]
    fn a_word_finds_its_value_and_an_unknown_one_hears_the_others() {
        assert_eq!("LIQUIDATION".parse(), Ok(State::Liquidation));
        let expected = "HEALTHY, WARNING, MARGIN_CALL, LIQUIDATION, BANKRUPT, INCOMPLETE".to_owned();
        assert_eq!("margin call".parse::<State>(), Err(Error::Word { expected, found: "margin call".to_owned() }));
    }
}
