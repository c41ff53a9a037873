//! Prices of instruments in many scenarios, and the coordinates of one instrument in their order.

use crate::error::{Error, Result};
use crate::formulas::contract::Contract;

/// Amounts beyond this, or below its reciprocal, may leave the range of float64 from scenario to scenario.
const EXTREME: f64 = 1e100;

/// Whether no sum or product of a few such amounts leaves the range of float64.
pub(crate) fn is_ordinary(amount: f64) -> bool {
    amount < EXTREME && amount > 1.0 / EXTREME
}

/// Prices of every instrument of a book in every scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenarios<'a> {
    /// Scenario after scenario; in each the instruments, once for all policies or policy after policy.
    pub prices: &'a [f64],
    /// Number of scenarios.
    pub count: usize,
}

impl Scenarios<'_> {
    /// Refuses prices that do not fit the policies.
    pub(crate) fn check(&self, policies: usize, instruments: usize) -> Result<()> {
        let shared = self.count * instruments;
        if self.prices.len() == shared || self.prices.len() == shared * policies {
            return Ok(());
        }
        Err(Error::Length { argument: "scenarios", expected: shared, found: self.prices.len() })
    }

    /// Prices of an instrument under a policy.
    pub(crate) fn prices_of(&self, policy: usize, instrument: usize, instruments: usize) -> impl Iterator<Item = f64> {
        let width = self.prices.len() / self.count.max(1);
        let first = if width == instruments { instrument } else { policy * instruments + instrument };
        self.prices.iter().skip(first).step_by(width.max(1)).copied()
    }

    /// Coordinates of an instrument in their order; `None` where any price is not an ordinary one.
    pub(crate) fn steps(
        &self,
        policy: usize,
        instrument: usize,
        instruments: usize,
        contract: &Contract,
    ) -> Option<Steps> {
        Steps::new(self.prices_of(policy, instrument, instruments), contract)
    }
}

/// The coordinates of an instrument in all scenarios, rising; a step is one of them.
pub(crate) struct Steps {
    pub coordinate: Vec<f64>,
    /// The first scenario at each step.
    pub first: Vec<u32>,
    /// How many scenarios lie below each step; the number of all at the end.
    pub below: Vec<u32>,
    /// Step of each scenario.
    pub of_scenario: Vec<u32>,
    /// A price at the lowest coordinate.
    pub lowest_price: f64,
}

impl Steps {
    fn new(prices: impl Iterator<Item = f64>, contract: &Contract) -> Option<Self> {
        let mut order: Vec<(f64, u32, f64)> = Vec::new();
        for (scenario, price) in (0..).zip(prices) {
            let coordinate = contract.coordinate(price);
            if !is_ordinary(price) || !is_ordinary(coordinate) {
                return None;
            }
            order.push((coordinate, scenario, price));
        }
        order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let lowest_price = order.first()?.2;
        let mut steps = Self {
            coordinate: Vec::new(),
            first: Vec::new(),
            below: Vec::new(),
            of_scenario: vec![0; order.len()],
            lowest_price,
        };
        for (below, &(coordinate, scenario, _)) in (0..).zip(&order) {
            if steps.coordinate.last() != Some(&coordinate) {
                steps.coordinate.push(coordinate);
                steps.first.push(scenario);
                steps.below.push(below);
            }
            steps.of_scenario[scenario as usize] = steps.coordinate.len() as u32 - 1;
        }
        steps.below.push(order.len() as u32);
        Some(steps)
    }

    /// Number of steps.
    pub(crate) fn len(&self) -> usize {
        self.coordinate.len()
    }

    /// The first step from `from` up to `until` that a rule, which holds up to some step, does not hold for.
    #[inline(always)]
    pub(crate) fn until(&self, from: usize, until: usize, holds: impl Fn(f64) -> bool) -> usize {
        from + self.coordinate[from..until].partition_point(|&coordinate| holds(coordinate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formulas::contract::Payoff;

    #[test]
    fn equal_prices_are_one_step_whose_first_scenario_is_told() {
        let prices = [3.0, 7.0, 2.0, 7.0, 3.0, 7.0, 1.0, 7.0];
        let scenarios = Scenarios { prices: &prices, count: 4 };
        let linear = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let steps = scenarios.steps(0, 0, 2, &linear).unwrap();
        assert_eq!(steps.coordinate, [1.0, 2.0, 3.0]);
        assert_eq!((steps.first, steps.below), (vec![3, 1, 0], vec![0, 1, 2, 4]));
        assert_eq!((steps.of_scenario, steps.lowest_price), (vec![2, 1, 2, 0], 1.0));
        let inverse = Contract::new(Payoff::Inverse, 1.0, 1.0).unwrap();
        assert_eq!(scenarios.steps(0, 0, 2, &inverse).unwrap().lowest_price, 3.0);
        assert!(scenarios.check(1, 2).is_ok() && scenarios.check(2, 1).is_ok() && scenarios.check(1, 3).is_err());
    }

    #[test]
    fn a_price_that_is_none_has_no_steps() {
        let scenarios = Scenarios { prices: &[3.0, f64::NAN], count: 2 };
        let linear = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        assert!(scenarios.steps(0, 0, 1, &linear).is_none());
    }
}
