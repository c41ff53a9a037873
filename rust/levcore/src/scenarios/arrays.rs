//! Scenario arrays that have a closed form: linear, inverse and quanto contracts on a grid of price moves, futures in the order of SPAN.
//! Arrays of options come from the caller's own model.

use crate::formulas::contract::Contract;
use crate::formulas::mark_to_market::unrealized_pnl;

/// Number of scenarios of a SPAN array.
pub const SPAN_SCENARIOS: usize = 16;

/// Price moves of the first fourteen SPAN scenarios in thirds of the price scan range; each comes twice, volatility up and down.
const SPAN_THIRDS: [f64; 7] = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0];

/// Profit of one long contract as its price moves by a fraction of the mark, of which the fraction `cover` counts:
/// `((d * size) * (x(mark * (1 + move)) - x(mark))) * cover`. NaN unless the mark is positive and finite.
#[must_use]
pub fn price_profit(contract: &Contract, mark: f64, price_move: f64, cover: f64) -> f64 {
    if !(mark > 0.0 && mark < f64::INFINITY) {
        return f64::NAN;
    }
    let moved = contract.coordinate(mark * (1.0 + price_move));
    unrealized_pnl(contract.long_direction(), contract.contract_size, moved, contract.coordinate(mark)) * cover
}

/// Profit of one long future in the sixteen SPAN scenarios: `range * thirds / 3`, twice each, then `+-(range * multiple) * cover`.
#[must_use]
pub fn span_profits(price_scan_range: f64, extreme_multiple: f64, extreme_cover: f64) -> [f64; SPAN_SCENARIOS] {
    let extreme = (price_scan_range * extreme_multiple) * extreme_cover;
    std::array::from_fn(|scenario| match SPAN_THIRDS.get(scenario / 2) {
        Some(thirds) => price_scan_range * thirds / 3.0,
        None if scenario % 2 == 0 => extreme,
        None => -extreme,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formulas::contract::Payoff;

    #[test]
    fn a_future_moves_through_thirds_of_its_range() {
        let profits = span_profits(3_000.0, 2.0, 0.35);
        assert_eq!(profits[..6], [0.0, 0.0, 1_000.0, 1_000.0, -1_000.0, -1_000.0]);
        assert_eq!(profits[10..], [3_000.0, 3_000.0, -3_000.0, -3_000.0, 2_100.0, -2_100.0]);
    }

    #[test]
    fn an_inverse_contract_gains_less_than_it_loses() {
        let contract = Contract::new(Payoff::Inverse, 100.0, 1.0).unwrap();
        let (gain, loss) = (price_profit(&contract, 50.0, 0.25, 1.0), price_profit(&contract, 50.0, -0.2, 1.0));
        assert!((gain - 0.4).abs() < 1e-15 && (loss + 0.5).abs() < 1e-15);
        assert!(
            price_profit(&contract, f64::NAN, 0.1, 1.0).is_nan() && price_profit(&contract, -1.0, 0.1, 1.0).is_nan()
        );
    }
}
