//! The formulas over tiles: plain loops of constant length, compiled once for every instruction set.
//!
//! The order of operations is part of the specification: `python/levcore/reference` performs the same ones, and the results agree to the
//! last bit. No fused multiply-add, no reordering.

use crate::codes::measures::Measure;
use crate::codes::state::state_of;
use crate::formulas::contract;
use crate::formulas::exposure;
use crate::formulas::margin;
use crate::formulas::mark_to_market;
use crate::machine::compare::ROWS;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::{Fees, Policy};
use crate::tiles::marked::MarkedInstruments;
use crate::tiles::tile::Tile;

/// Size, direction and value at the mark.
#[inline(always)]
pub(crate) fn place_on_coordinate(tile: &mut Tile) {
    for slot in 0..ROWS {
        let size = exposure::size(tile.quantity[slot], tile.contract_size[slot]);
        tile.size[slot] = size;
        tile.direction[slot] = exposure::direction(tile.quantity[slot], tile.long_direction[slot]);
        tile.value[slot] = exposure::value(size, tile.coordinate[slot]);
    }
}

/// Size, direction, values and profit.
#[inline(always)]
pub(crate) fn mark_positions(tile: &mut Tile, instruments: &MarkedInstruments<'_>) {
    place_on_coordinate(tile);
    if instruments.any_inverse {
        for slot in 0..ROWS {
            let inverse = tile.long_direction[slot] < 0.0;
            let entry = contract::coordinate(tile.entry_price[slot], tile.multiplier[slot], inverse);
            mark_entry(tile, slot, entry);
        }
    } else {
        for slot in 0..ROWS {
            mark_entry(tile, slot, contract::coordinate(tile.entry_price[slot], tile.multiplier[slot], false));
        }
    }
    tile.results[Measure::Notional] = tile.value;
}

#[inline(always)]
fn mark_entry(tile: &mut Tile, slot: usize, entry: f64) {
    let (size, direction) = (tile.size[slot], tile.direction[slot]);
    let profit = mark_to_market::unrealized_pnl(direction, size, tile.coordinate[slot], entry);
    tile.entry_value[slot] = exposure::value(size, entry);
    tile.results[Measure::UnrealizedPnl][slot] = profit;
}

/// Return on equity.
#[inline(always)]
pub(crate) fn rate_return(tile: &mut Tile, at_mark: bool) {
    for slot in 0..ROWS {
        let value = if at_mark { tile.value[slot] } else { tile.entry_value[slot] };
        tile.results[Measure::ReturnOnEquity][slot] =
            mark_to_market::return_on_equity(tile.results[Measure::UnrealizedPnl][slot], tile.leverage[slot], value);
    }
}

/// Cash of isolated positions and the closing fee that is fixed in advance.
#[inline(always)]
pub(crate) fn fund_isolated(tile: &mut Tile, policy: &Policy) {
    let (rules, fees) = (&policy.rules, &policy.isolated_fees);
    if fees.fixed {
        fix_fee_by_leverage(tile, fees);
    }
    let reserved = rules.fee_in_initial && rules.reserve_at_bankruptcy;
    let fee_held = rules.fee_in_initial && (fees.fixed || reserved);
    let mut missing = false;
    for slot in 0..ROWS {
        missing |= tile.isolated_margin[slot].is_nan();
    }
    if missing {
        for slot in 0..ROWS {
            let opening = margin::initial_margin(tile.entry_value[slot], tile.leverage[slot]);
            let (value, direction, leverage) = (tile.entry_value[slot], tile.direction[slot], tile.leverage[slot]);
            let reserve = margin::reserved_fee(value, direction, leverage, fees.rate);
            let fee = if reserved { reserve } else { tile.fixed_fee[slot] };
            let opening = if fee_held { opening + fee } else { opening };
            let given = tile.isolated_margin[slot];
            tile.isolated_margin[slot] = if given.is_nan() { opening } else { given };
        }
    }
    for slot in 0..ROWS {
        tile.cash[slot] = tile.isolated_margin[slot] + tile.funding[slot];
    }
    if fees.basis == FeeBasis::EntryAndMargin {
        for slot in 0..ROWS {
            let (value, held) = (tile.entry_value[slot], tile.isolated_margin[slot]);
            tile.fixed_fee[slot] = margin::fee_on_entry_and_margin(value, held, fees.rate, fee_held);
        }
    }
    if fees.basis == FeeBasis::Bankruptcy || rules.requirement_isolated == Basis::Bankruptcy {
        for slot in 0..ROWS {
            let factor = fees.bankruptcy.along(tile.direction[slot]);
            tile.bankruptcy_value[slot] =
                margin::bankruptcy_value_of_cash(tile.entry_value[slot], tile.direction[slot], tile.cash[slot], factor);
        }
    }
    if fees.basis == FeeBasis::Bankruptcy {
        for slot in 0..ROWS {
            tile.fixed_fee[slot] = fees.rate * tile.bankruptcy_value[slot];
        }
    }
}

/// The fixed closing fee of a position that holds just its initial margin.
#[inline(always)]
pub(crate) fn fix_fee_by_leverage(tile: &mut Tile, fees: &Fees) {
    for slot in 0..ROWS {
        let (entry_value, leverage) = (tile.entry_value[slot], tile.leverage[slot]);
        let charged = match fees.basis {
            FeeBasis::Mark => tile.value[slot],
            FeeBasis::Contract => tile.quantity[slot].abs(),
            FeeBasis::EntryAndMargin => entry_value + margin::initial_margin(entry_value, leverage),
            FeeBasis::Bankruptcy => margin::bankruptcy_value_of_leverage(entry_value, tile.direction[slot], leverage),
            FeeBasis::None | FeeBasis::Price | FeeBasis::Entry => entry_value,
        };
        tile.fixed_fee[slot] = fees.rate * charged;
    }
}

/// Value at which a position that holds just its initial margin has nothing left.
#[inline(always)]
pub(crate) fn go_bankrupt_by_leverage(tile: &mut Tile) {
    for slot in 0..ROWS {
        tile.bankruptcy_value[slot] =
            margin::bankruptcy_value_of_leverage(tile.entry_value[slot], tile.direction[slot], tile.leverage[slot]);
    }
}

/// Equity, ratio and state of isolated positions, and what the closed form needs.
#[inline(always)]
pub(crate) fn judge_isolated(tile: &mut Tile, policy: &Policy, basis: Basis) {
    for slot in 0..ROWS {
        let equity = tile.cash[slot] + tile.results[Measure::UnrealizedPnl][slot];
        let ratio = margin::margin_ratio(tile.requirement[slot], equity);
        tile.results[Measure::Equity][slot] = equity;
        tile.results[Measure::MarginRatio][slot] = ratio;
        tile.state[slot] = state_of(ratio, &policy.levels);
        tile.needed[slot] = tile.direction[slot] * tile.entry_value[slot] - tile.cash[slot];
        tile.results[Measure::BankruptcyPrice][slot] = tile.needed[slot];
    }
    if policy.isolated_fees.fixed {
        for slot in 0..ROWS {
            tile.needed[slot] += tile.fixed_fee[slot] * policy.trigger;
        }
    }
    if basis != Basis::Price {
        for slot in 0..ROWS {
            tile.needed[slot] += tile.maintenance[slot] * policy.trigger;
        }
    }
}

/// What a leg gives back to its account's surplus when the leg is taken out and solved for: the part of the requirement that moves with
/// its price.
#[inline(always)]
pub(crate) fn release(tile: &Tile, policy: &Policy, basis: Basis) -> [f64; ROWS] {
    let mut released = [0.0; ROWS];
    for slot in 0..ROWS {
        released[slot] = tile.requirement[slot] * policy.trigger;
    }
    if policy.cross_fees.fixed {
        for slot in 0..ROWS {
            released[slot] -= tile.fixed_fee[slot] * policy.trigger;
        }
    }
    if basis != Basis::Price {
        for slot in 0..ROWS {
            released[slot] -= tile.maintenance[slot] * policy.trigger;
        }
    }
    released
}

/// What legs of cross accounts need, from the surplus and the equity of their account with the leg itself taken out.
#[inline(always)]
pub(crate) fn need_of_legs(tile: &mut Tile, surplus: &[f64; ROWS], released: &[f64; ROWS]) {
    place_on_coordinate(tile);
    for slot in 0..ROWS {
        let signed = tile.direction[slot] * tile.value[slot];
        tile.needed[slot] = signed - (surplus[slot] + released[slot]);
        tile.results[Measure::BankruptcyPrice][slot] = signed - tile.results[Measure::Equity][slot];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::state::State;
    use crate::codes::status::Status;
    use crate::formulas::contract::{Contract, Payoff};
    use crate::machine::compare::Baseline;
    use crate::rules::parameters::Rules;
    use crate::rules::policy::Terms;
    use crate::rules::tiers::TierTable;
    use crate::tiles::marked::{MarkedInstrument, spread_instruments};
    use crate::tiles::prices::{bound_prices, find_prices};
    use crate::tiles::requirement::require_margin;

    /// Isolated rows with a rate of 1/64, all alike: the tile after every formula has gone over it.
    fn evaluated(payoff: Payoff, quantity: f64, entry: f64, mark: f64, margin: f64, leverage: f64) -> Box<Tile> {
        let terms = Terms::new(Contract::new(payoff, 1.0, 1.0).unwrap(), TierTable::single_rate(1.0 / 64.0).unwrap());
        let policy = Policy::new(Rules::plain(), &[terms]).unwrap();
        let marked = MarkedInstrument::new(Some(&policy.instruments[0]), mark, &policy.stand_in);
        let instruments = MarkedInstruments::new(vec![marked], &policy);
        let mut tile = Box::new(Tile::new());
        tile.quantity = [quantity; ROWS];
        tile.entry_price = [entry; ROWS];
        tile.isolated_margin = [margin; ROWS];
        tile.leverage = [leverage; ROWS];
        spread_instruments(&mut tile, &instruments);
        mark_positions(&mut tile, &instruments);
        rate_return(&mut tile, false);
        fund_isolated(&mut tile, &policy);
        require_margin::<Baseline>(&mut tile, &policy, &instruments, Basis::Price, false, false);
        judge_isolated(&mut tile, &policy, Basis::Price);
        find_prices::<Baseline>(&mut tile, &policy, &instruments, Basis::Price, false);
        bound_prices(&mut tile);
        tile
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
        assert_eq!((tile.state[0], tile.status[0]), (State::Healthy as u64, Status::Ok as u64));
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
        assert_eq!(found, (State::Liquidation as u64, Status::AlreadyLiquidatable as u64));
        let tile = evaluated(Payoff::Linear, 1.0, 128.0, 64.0, 64.0, f64::NAN);
        assert_eq!(tile.results[Measure::MarginRatio][0], f64::INFINITY);
        assert_eq!(tile.state[0], State::Bankrupt as u64);
    }
}
