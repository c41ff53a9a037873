//! The formulas over tiles, in their order.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use crate::codes::measures::Measure;
use crate::formulas::contract;
use crate::formulas::exposure;
use crate::formulas::margin;
use crate::formulas::mark_to_market;
use crate::formulas::state::state_of;
use crate::machine::vector::Vector;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::{Fees, Policy};
use crate::tiles::marked::Terms;
use crate::tiles::shape::Shape;
use crate::tiles::tile::Tile;

/// Size, direction and value at the mark.
#[inline(always)]
pub(crate) fn place_on_coordinate<V: Vector>(tile: &mut Tile<V>, terms: &Terms<V>) {
    tile.size = exposure::size(tile.quantity, terms.contract_size);
    tile.direction = exposure::direction(tile.quantity, terms.long_direction);
    tile.value = exposure::value(tile.size, terms.coordinate);
}

/// Size, direction, values and profit.
#[inline(always)]
pub(crate) fn mark_positions<V: Vector>(tile: &mut Tile<V>, terms: &Terms<V>, shape: Shape) {
    place_on_coordinate(tile, terms);
    let entry = if shape.any_inverse {
        contract::coordinate(tile.entry_price, terms.multiplier, terms.long_direction.is_below(V::all(0.0)))
    } else {
        contract::coordinate(tile.entry_price, terms.multiplier, V::none())
    };
    tile.entry_value = exposure::value(tile.size, entry);
    tile.results[Measure::Notional] = tile.value;
    tile.results[Measure::UnrealizedPnl] =
        mark_to_market::unrealized_pnl(tile.direction, tile.size, terms.coordinate, entry);
}

/// Return on equity.
#[inline(always)]
pub(crate) fn rate_return<V: Vector>(tile: &mut Tile<V>, shape: Shape) {
    let value = if shape.return_at_mark { tile.value } else { tile.entry_value };
    tile.results[Measure::ReturnOnEquity] =
        mark_to_market::return_on_equity(tile.results[Measure::UnrealizedPnl], tile.leverage, value);
}

/// Cash of isolated positions and the closing fee that is fixed in advance.
#[inline(always)]
pub(crate) fn fund_isolated<V: Vector>(tile: &mut Tile<V>, policy: &Policy, shape: Shape) {
    let fees = &policy.isolated_fees;
    let rate = V::all(fees.rate);
    if shape.has_fixed_fee() {
        fix_fee_by_leverage(tile, fees, shape);
    }
    let reserved = shape.fee_in_initial && shape.reserve_at_bankruptcy;
    let fee_held = shape.fee_in_initial && (shape.has_fixed_fee() || reserved);
    let missing = tile.isolated_margin.is_nan();
    if V::bits(missing) != 0 {
        let mut opening = margin::initial_margin(tile.entry_value, tile.leverage);
        if reserved {
            opening = opening + margin::reserved_fee(tile.entry_value, tile.direction, tile.leverage, rate);
        } else if fee_held {
            opening = opening + tile.fixed_fee;
        }
        tile.isolated_margin = V::choose(missing, opening, tile.isolated_margin);
    }
    tile.cash = tile.isolated_margin + tile.funding;
    if shape.fee_basis == FeeBasis::EntryAndMargin {
        tile.fixed_fee = margin::fee_on_entry_and_margin(tile.entry_value, tile.isolated_margin, rate, fee_held);
    }
    if shape.fee_basis == FeeBasis::Bankruptcy || shape.basis == Basis::Bankruptcy {
        let factor = fees.bankruptcy.along(tile.direction);
        tile.bankruptcy_value = margin::bankruptcy_value_of_cash(tile.entry_value, tile.direction, tile.cash, factor);
    }
    if shape.fee_basis == FeeBasis::Bankruptcy {
        tile.fixed_fee = rate * tile.bankruptcy_value;
    }
}

/// The fixed closing fee of a position that holds just its initial margin.
#[inline(always)]
pub(crate) fn fix_fee_by_leverage<V: Vector>(tile: &mut Tile<V>, fees: &Fees, shape: Shape) {
    let (entry_value, leverage) = (tile.entry_value, tile.leverage);
    let charged = match shape.fee_basis {
        FeeBasis::Mark => tile.value,
        FeeBasis::Contract => tile.quantity.abs(),
        FeeBasis::EntryAndMargin => entry_value + margin::initial_margin(entry_value, leverage),
        FeeBasis::Bankruptcy => margin::bankruptcy_value_of_leverage(entry_value, tile.direction, leverage),
        FeeBasis::None | FeeBasis::Price | FeeBasis::Entry => entry_value,
    };
    tile.fixed_fee = V::all(fees.rate) * charged;
}

/// Value at which a position that holds just its initial margin has nothing left.
#[inline(always)]
pub(crate) fn go_bankrupt_by_leverage<V: Vector>(tile: &mut Tile<V>) {
    tile.bankruptcy_value = margin::bankruptcy_value_of_leverage(tile.entry_value, tile.direction, tile.leverage);
}

/// What isolated positions must be worth to have nothing left, and to be liquidated but for what their requirement takes.
#[inline(always)]
pub(crate) fn need_of_isolated<V: Vector>(tile: &mut Tile<V>, policy: &Policy, shape: Shape) {
    tile.needed = tile.direction * tile.entry_value - tile.cash;
    tile.results[Measure::BankruptcyPrice] = tile.needed;
    if shape.has_fixed_fee() {
        tile.needed = tile.needed + tile.fixed_fee * V::all(policy.trigger);
    }
}

/// Equity, ratio and state of isolated positions.
#[inline(always)]
pub(crate) fn judge_isolated<V: Vector>(tile: &mut Tile<V>, policy: &Policy, shape: Shape) {
    let equity = tile.cash + tile.results[Measure::UnrealizedPnl];
    let ratio = margin::margin_ratio(tile.requirement, equity);
    tile.results[Measure::Equity] = equity;
    tile.results[Measure::MarginRatio] = ratio;
    tile.state = state_of(ratio, &policy.levels);
    if !shape.moves() {
        tile.needed = tile.needed + tile.maintenance * V::all(policy.trigger);
    }
}

/// What a leg gives back to its account's surplus when the leg is taken out and solved for: the part of the requirement that moves with
/// its price.
#[inline(always)]
pub(crate) fn release<V: Vector>(tile: &Tile<V>, policy: &Policy, shape: Shape) -> V {
    let trigger = V::all(policy.trigger);
    let mut released = tile.requirement * trigger;
    if shape.has_fixed_fee() {
        released = released - tile.fixed_fee * trigger;
    }
    if !shape.moves() {
        released = released - tile.maintenance * trigger;
    }
    released
}

/// What legs of cross accounts need, from the surplus and the equity of their account with the leg itself taken out.
#[inline(always)]
pub(crate) fn need_of_legs<V: Vector>(tile: &mut Tile<V>, terms: &Terms<V>, surplus: V, released: V) {
    place_on_coordinate(tile, terms);
    let signed = tile.direction * tile.value;
    tile.needed = signed - (surplus + released);
    tile.results[Measure::BankruptcyPrice] = signed - tile.results[Measure::Equity];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::state::State;
    use crate::codes::status::Status;
    use crate::formulas::contract::{Contract, Payoff};
    use crate::machine::baseline::Baseline;
    use crate::machine::number::Number;
    use crate::machine::vector::LANES;
    use crate::rules::parameters::Rules;
    use crate::rules::policy;
    use crate::rules::tiers::TierTable;
    use crate::tiles::found::{Asked, SharedTables};
    use crate::tiles::marked::{MarkedInstrument, MarkedInstruments};
    use crate::tiles::prices::find_prices;
    use crate::tiles::requirement::{require_margin, take_values};
    use crate::tiles::shape::Columns;
    use crate::tiles::slots::Slots;
    use crate::tiles::tile::{Place, TileRows};

    /// Isolated rows with a rate of 1/64, all alike: the tile after every formula has gone over it.
    fn evaluated(payoff: Payoff, quantity: f64, entry: f64, mark: f64, margin: f64, leverage: f64) -> Slots {
        let contract = Contract::new(payoff, 1.0, 1.0).unwrap();
        let tiers = TierTable::single_rate(1.0 / 64.0).unwrap();
        let policy = Policy::new(Rules::plain(), &[policy::Terms::new(contract, tiers)]).unwrap();
        let marked = MarkedInstrument::new(Some(&policy.instruments[0]), mark, &policy.stand_in);
        let instruments = MarkedInstruments::new(vec![marked], &policy);
        let columns = Columns { isolated_margin: true, leverage: true, accrued_funding: false, risk_limit: false };
        let shape = Shape { columns, bounds: true, ..instruments.shape(&policy, false) };
        let terms = instruments.shared_terms::<Baseline>(0, shape);
        let mut tile = Tile::new();
        tile.quantity = Baseline::all(quantity);
        tile.entry_price = Baseline::all(entry);
        tile.isolated_margin = Baseline::all(margin);
        tile.leverage = Baseline::all(leverage);
        mark_positions(&mut tile, &terms, shape);
        fund_isolated(&mut tile, &policy, shape);
        take_values(&mut tile, shape);
        need_of_isolated(&mut tile, &policy, shape);
        let asked = Asked { initial: false, maintenance: true, trigger: true };
        let entries = [0; LANES];
        let place = Place::Consecutive(0, LANES);
        let rows = TileRows { place, inside: 0, instrument: entries, entries };
        let found = SharedTables::of(&instruments, 0, shape).look_up(asked, None, &tile, &instruments, &rows, shape);
        rate_return(&mut tile, shape);
        require_margin(&mut tile, &policy, &instruments, &entries, &found, shape);
        judge_isolated(&mut tile, &policy, shape);
        find_prices(&mut tile, &terms, &policy, &instruments, &entries, &found, shape);
        Slots::of(&tile)
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found}, by hand {expected}");
    }

    #[test]
    fn a_long_position_by_hand() {
        // 2 long from 96 at the mark 128, with a margin of 24 and a leverage of 8.
        let tile = evaluated(Payoff::Linear, 2.0, 96.0, 128.0, 24.0, 8.0);
        let measure = |measure: Measure| tile.results[measure][0];
        assert_eq!(measure(Measure::Notional), 256.0);
        assert_eq!(measure(Measure::UnrealizedPnl), 64.0);
        // 64 over 192 / 8; 256 / 8; 256 / 64; 24 + 64.
        assert_close(measure(Measure::ReturnOnEquity), 64.0 / 24.0);
        assert_eq!(measure(Measure::InitialMargin), 32.0);
        assert_eq!(measure(Measure::MaintenanceMargin), 4.0);
        assert_eq!(measure(Measure::Equity), 88.0);
        assert_close(measure(Measure::MarginRatio), 4.0 / 88.0);
        assert_close(measure(Measure::EffectiveLeverage), 256.0 / 88.0);
        // 24 + (V - 192) = V / 64: V = 168 * 64/63 = 512/3, the price half of it; nothing is left at V = 168.
        assert_close(measure(Measure::LiquidationPrice), 256.0 / 3.0);
        assert_eq!(measure(Measure::BankruptcyPrice), 84.0);
        // (128 - 256/3) / 128.
        assert_close(measure(Measure::DistanceToLiquidation), 1.0 / 3.0);
        assert_close(measure(Measure::LiquidationPriceLower), 256.0 / 3.0);
        assert!(measure(Measure::LiquidationPriceUpper).is_nan());
        assert_eq!((tile.state[0], tile.status[0]), (f64::from(State::Healthy as u8), f64::from(Status::Ok as u8)));
    }

    #[test]
    fn a_short_inverse_position_by_hand() {
        // 256 dollars short from 64 at the mark 32: 4 coins became 8, and a short loses no coin as the price falls.
        let tile = evaluated(Payoff::Inverse, -256.0, 64.0, 32.0, 1.0, f64::NAN);
        let measure = |measure: Measure| tile.results[measure][0];
        assert_eq!((measure(Measure::Notional), measure(Measure::UnrealizedPnl)), (8.0, 4.0));
        assert_eq!((measure(Measure::MaintenanceMargin), measure(Measure::Equity)), (0.125, 5.0));
        assert!(measure(Measure::InitialMargin).is_nan() && measure(Measure::ReturnOnEquity).is_nan());
        // 1 + (V - 4) = V / 64: V = 3 * 64/63 = 64/21 coins, the price 256 / V = 84; nothing is left at V = 3.
        assert_close(measure(Measure::LiquidationPrice), 84.0);
        assert_close(measure(Measure::BankruptcyPrice), 256.0 / 3.0);
        // A short is liquidated as the price rises: (84 - 32) / 32.
        assert_close(measure(Measure::DistanceToLiquidation), 1.625);
        assert_close(measure(Measure::LiquidationPriceUpper), 84.0);
        assert!(measure(Measure::LiquidationPriceLower).is_nan());
    }

    #[test]
    fn a_position_past_its_liquidation_price_by_hand() {
        // 1 long from 128 at 64 with 65: the equity is 1 and the requirement 64 / 64.
        let tile = evaluated(Payoff::Linear, 1.0, 128.0, 64.0, 65.0, f64::NAN);
        assert_eq!(tile.results[Measure::MarginRatio][0], 1.0);
        let found = (tile.state[0], tile.status[0]);
        assert_eq!(found, (f64::from(State::Liquidation as u8), f64::from(Status::AlreadyLiquidatable as u8)));
        let tile = evaluated(Payoff::Linear, 1.0, 128.0, 64.0, 64.0, f64::NAN);
        assert_eq!(tile.results[Measure::MarginRatio][0], f64::INFINITY);
        assert_eq!(tile.state[0], f64::from(State::Bankrupt as u8));
    }
}
