//! One asset of an account: what counts of it, what its liability asks for, and both along a ray.

use crate::accounts::verdict::Totals;
use crate::codes::measures::BalanceMeasure;
use crate::formulas::margin;
use crate::formulas::ray::{Line, Zeros, along, on_ray};
use crate::machine::number::Number;
use crate::rules::collateral::{Asset, liability_line};
use crate::rules::policy::Policy;

/// One asset of an account: what is held and owed in units of the asset, and the profit that legs settle in it.
#[derive(Debug, Clone)]
pub(crate) struct Holding<'a> {
    pub asset: &'a Asset,
    pub price: f64,
    /// Price at which margins of positions turn into the account's currency.
    pub margin_price: f64,
    pub held: f64,
    pub owed: f64,
    pub profit: f64,
    pub equity: f64,
    pub market_value: f64,
    pub counted: f64,
    pub maintenance: f64,
    pub initial: f64,
    /// Scaled requirement of the legs that settle in it and do not move with it, in the account's currency; of no meaning where legs
    /// are charged in groups.
    pub settled: f64,
}

impl<'a> Holding<'a> {
    pub(crate) fn new(asset: &'a Asset, price: f64, policy: &Policy, held: f64, owed: f64) -> Self {
        let unknown = f64::NAN;
        Self {
            asset,
            price,
            margin_price: if policy.rules.margins_at_liability_weight { price * asset.liability_weight } else { price },
            held,
            owed,
            profit: 0.0,
            equity: unknown,
            market_value: unknown,
            counted: unknown,
            maintenance: 0.0,
            initial: 0.0,
            settled: 0.0,
        }
    }
}

/// An asset at its prices: what its holdings share, whatever their account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PricedAsset<'a> {
    pub asset: &'a Asset,
    pub price: f64,
    pub margin_price: f64,
}

/// What a holding gives along a ray is computed from these, of one holding or of those of several accounts side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldingTerms<'a, N> {
    pub priced: PricedAsset<'a>,
    pub equity: N,
    pub owed: N,
}

impl<'a> Holding<'a> {
    pub(crate) fn priced(&self) -> PricedAsset<'a> {
        let Self { asset, price, margin_price, .. } = *self;
        PricedAsset { asset, price, margin_price }
    }

    /// Takes in what a leg that settles in it requires.
    #[inline(always)]
    pub(crate) fn settle(&mut self, requirement: f64, policy: &Policy) {
        let scaled = requirement * policy.trigger;
        self.settled += self.margin_price * scaled;
    }

    /// Results of the balance that it is, at these prices of liquidation.
    pub(crate) fn results(&self, prices: Zeros<f64>) -> [f64; BalanceMeasure::COUNT] {
        let Self { equity, market_value, counted, maintenance, initial, .. } = *self;
        [equity, market_value, counted, maintenance, initial, prices.lower, prices.upper]
    }

    pub(crate) fn terms(&self) -> HoldingTerms<'a, f64> {
        HoldingTerms { priced: self.priced(), equity: self.equity, owed: self.owed }
    }
}

/// Counts the equity of a holding and what its liability asks for, and adds both to the totals.
pub(crate) fn count(holding: &mut Holding<'_>, policy: &Policy, totals: &mut Totals) {
    let (asset, as_requirement) = (holding.asset, policy.rules.liabilities_as_requirement);
    let own = if as_requirement { holding.held } else { holding.held - holding.owed };
    holding.equity = own + holding.profit;
    holding.market_value = holding.equity * holding.price;
    let line = asset.counted_line(holding.equity, holding.market_value);
    let offset = line.offset_value + holding.price * line.offset_amount;
    holding.counted = line.weight * holding.market_value + offset;
    totals.counted += holding.counted;
    if holding.counted > 0.0 {
        totals.collateral_value += holding.counted;
    } else {
        totals.liabilities -= holding.counted;
    }
    if as_requirement {
        let debt = holding.owed * holding.price * asset.liability_weight;
        totals.debt += debt;
        totals.liabilities += debt;
        totals.requirement += debt;
        totals.initial_margin += debt;
    }
    let liability = margin::larger(holding.owed, -holding.equity) * holding.price;
    if let Some(table) = &asset.maintenance {
        let [rate, deduction] = liability_line(table, liability);
        holding.maintenance = margin::maintenance_line(liability, rate, deduction);
        totals.requirement += holding.maintenance;
        totals.maintenance_margin += holding.maintenance;
    }
    if let Some(table) = &asset.initial {
        let [rate, deduction] = liability_line(table, liability);
        holding.initial = margin::maintenance_line(liability, rate, deduction);
        totals.initial_margin += holding.initial;
    }
}

/// Line that touches, at a place, the counted equity of a holding less its scaled liability margin.
///
/// Legs that settle in it gain `gain` as the place goes from 1 to 2; its own price moves by `beta`. Without `required` no margin is taken
/// off, and only what is owed where that counts as a requirement.
///
/// # Formula
///
/// With the price `p`, the weight `w` and the offsets `o` of the tier that counts the equity, and `b` the equity without the gain:
///
/// ```text
/// price stands still:   equity = b + gain s      counted = w p (b + gain s) + o_value + p o_amount
/// price moves to p a:   equity = b + gain / a    counted = w p (b a + gain) + o_value + p o_amount a
/// ```
///
/// The second one is a line in `a`, since legs of the coin itself gain `gain / a` of it; `a` is a line in the place `s`. The liability is
/// the larger of what is owed and what the equity lacks, at the price; its margin is `rate * liability - deduction`, times the trigger.
pub(crate) fn holding_line(
    holding: &HoldingTerms<'_, f64>,
    policy: &Policy,
    gain: f64,
    beta: f64,
    required: bool,
    place: f64,
) -> Line {
    if beta == 0.0 {
        still_line(holding, policy, gain, required, place)
    } else {
        moving_line(holding, policy, gain, beta, required, place)
    }
}

/// The same of holdings whose price stands still.
#[inline(always)]
pub(crate) fn still_line<N: Number>(
    holding: &HoldingTerms<'_, N>,
    policy: &Policy,
    gain: N,
    required: bool,
    place: N,
) -> Line<N> {
    let (asset, price, zero) = (holding.priced.asset, N::all(holding.priced.price), N::all(0.0));
    let base = holding.equity - gain;
    let equity = base + N::choose(gain.equals(zero), zero, gain * place);
    let counted = asset.counted_line(equity, price * equity);
    let factor = price * counted.weight;
    let offset = counted.offset_value + price * counted.offset_amount;
    let line = Line::new(factor * base + offset, factor * gain);
    let owed = Line::new(holding.owed * price, zero);
    let missing = Line::new(-(price * base), -(price * gain));
    less_liability(holding, policy, line, [owed, missing], equity, required, place)
}

/// The same of holdings whose price moves.
#[inline(always)]
pub(crate) fn moving_line<N: Number>(
    holding: &HoldingTerms<'_, N>,
    policy: &Policy,
    gain: N,
    beta: N,
    required: bool,
    place: N,
) -> Line<N> {
    let (asset, price, zero) = (holding.priced.asset, N::all(holding.priced.price), N::all(0.0));
    let base = holding.equity - gain;
    let along = along(beta, place);
    let equity = base + N::choose(gain.equals(zero), zero, gain / along);
    let market = price * (N::choose(base.equals(zero), zero, base * along) + gain);
    let counted = asset.counted_line(equity, market);
    let factor = price * counted.weight;
    let own = Line::new(factor * gain + counted.offset_value, factor * base + price * counted.offset_amount);
    let owed = on_ray(Line::new(zero, holding.owed * price), beta);
    let missing = on_ray(Line::new(-(price * gain), -(price * base)), beta);
    less_liability(holding, policy, on_ray(own, beta), [owed, missing], equity, required, place)
}

/// Takes off a line what the liability asks for, given by what is owed and what the equity lacks.
#[inline(always)]
fn less_liability<N: Number>(
    holding: &HoldingTerms<'_, N>,
    policy: &Policy,
    mut line: Line<N>,
    [owed, missing]: [Line<N>; 2],
    equity: N,
    required: bool,
    place: N,
) -> Line<N> {
    let (asset, trigger) = (holding.priced.asset, N::all(policy.trigger));
    if policy.rules.liabilities_as_requirement {
        let weight = N::all(asset.liability_weight);
        let weight = if required { weight * trigger } else { weight };
        line = line.less(Line::new(owed.start * weight, owed.slope * weight));
    }
    if required && let Some(table) = &asset.maintenance {
        let liability = Line::choose(holding.owed.is_above(-equity), owed, missing);
        let [rate, deduction] = liability_line(table, liability.at_any(place));
        let scaled = rate * trigger;
        line = line.less(Line::new(scaled * liability.start - deduction * trigger, scaled * liability.slope));
    }
    line
}
