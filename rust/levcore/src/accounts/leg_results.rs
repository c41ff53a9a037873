//! What a leg is told of an account whose parts move together, of one leg or of eight side by side.

use crate::codes::measures::Measure;
use crate::codes::state::State;
use crate::codes::status::Status;
use crate::formulas::exposure;
use crate::formulas::liquidation;
use crate::formulas::ray::Zeros;
use crate::job::rows::BY_ACCOUNT;
use crate::machine::number::Number;
use crate::tiles::classify::{code_of, join_findings};

/// A leg as its results are found from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToldLeg<N: Number> {
    pub mark: N,
    pub reciprocal_mark: N,
    /// Upper bound of the last tier of its table.
    pub cap: N,
    /// Value at the mark, in what it settles in.
    pub value: N,
    /// Share of its size that the requirement is taken on.
    pub charged: N,
    /// Whether its value in the settlement coin falls as the coin's price rises.
    pub reciprocal: N::Mask,
    /// Whether places on the ray are coordinates: the account is kept in the coin of inverse contracts. `None`: of no leg.
    pub in_coin: Option<N::Mask>,
    /// Code of what was found of it alone.
    pub finding: N,
}

/// Its account as far as it concerns the leg.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToldAccount<N> {
    pub equity: N,
    pub margin_ratio: N,
    /// Code of the state.
    pub state: N,
    /// Price of what the leg settles in.
    pub price: N,
    /// Where what moves the leg brings the account to liquidation, and where to nothing.
    pub surplus_zeros: Zeros<N>,
    pub equity_zeros: Zeros<N>,
}

/// Results of a leg.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LegResults<N> {
    /// In the order of [`BY_ACCOUNT`].
    pub measures: [N; BY_ACCOUNT.len()],
    /// Code of the status.
    pub status: N,
}

impl<N: Number> LegResults<N> {
    /// Of a leg that moves, in an account that could be judged; `moves` says that its requirement moves with its price.
    #[inline(always)]
    pub(crate) fn of(leg: &ToldLeg<N>, account: &ToldAccount<N>, moves: bool) -> Self {
        let (mark, infinity) = (leg.mark, N::all(f64::INFINITY));
        let ToldAccount { equity, margin_ratio, surplus_zeros, .. } = *account;
        let Zeros { lower, upper } = prices(surplus_zeros, mark, leg.in_coin);
        let Zeros { lower: low, upper: high } = prices(account.equity_zeros, mark, leg.in_coin);
        let above = liquidation::is_nearer_above(mark, lower, upper);
        let price = N::choose(above, upper, lower);
        let has_price = !price.is_nan();
        let nothing_above = (has_price & above) | (!has_price & liquidation::is_nearer_above(mark, low, high));
        let past = is_past(account.state);
        let room = (mark - price).abs() * leg.reciprocal_mark;
        let room = N::choose(has_price, room, infinity);
        let distance = N::choose(past, -room, room);
        let bankruptcy = N::choose(nothing_above, high, low);
        let effective_leverage = exposure::effective_leverage(account.price * leg.value, equity);
        let mut status = N::choose(bankruptcy.is_nan(), code_of(Status::NoBankruptcyPrice), code_of(Status::Ok));
        status = N::choose(has_price, status, code_of(Status::NoLiquidationPrice));
        if moves {
            let outer = match leg.in_coin {
                Some(in_coin) => (above & !in_coin) | (!above & in_coin),
                None => above,
            };
            let place = N::choose(outer, surplus_zeros.upper, surplus_zeros.lower);
            let there = N::choose(leg.reciprocal, leg.value / place, leg.value * place);
            let beyond = (leg.charged * there).is_above(leg.cap);
            status = N::choose(beyond, code_of(Status::LiquidationPriceBeyondLastTier), status);
        }
        status = N::choose(past, code_of(Status::AlreadyLiquidatable), status);
        let status = join_findings(status, leg.finding);
        let measures = [equity, margin_ratio, effective_leverage, price, bankruptcy, distance, lower, upper];
        Self { measures, status }
    }
}

/// Results of a leg without exposure that depend on its account.
pub(crate) fn results_of_flat(equity: f64, margin_ratio: f64) -> [f64; BY_ACCOUNT.len()] {
    let none = f64::NAN;
    BY_ACCOUNT.map(|measure| match measure {
        Measure::Equity => equity,
        Measure::MarginRatio => margin_ratio,
        Measure::EffectiveLeverage => 0.0,
        Measure::DistanceToLiquidation => f64::INFINITY,
        _ => none,
    })
}

/// Code of the status of a balance at these prices of liquidation, in an account of this state.
pub(crate) fn status_of_balance(state: f64, prices: Zeros<f64>) -> u8 {
    let status = if is_past(state) {
        Status::AlreadyLiquidatable
    } else if prices.lower.is_nan() && prices.upper.is_nan() {
        Status::NoLiquidationPrice
    } else {
        Status::Ok
    };
    status as u8
}

/// Whether an account of this state can be liquidated now.
#[inline(always)]
fn is_past<N: Number>(state: N) -> N::Mask {
    state.is_at_least(N::all(f64::from(State::Liquidation as u8)))
}

/// Prices at places on the ray; where the place is a coordinate of inverse contracts, the sides change.
#[inline(always)]
pub(crate) fn prices<N: Number>(zeros: Zeros<N>, mark: N, in_coin: Option<N::Mask>) -> Zeros<N> {
    let (mut lower, mut upper) = (mark * zeros.lower, mark * zeros.upper);
    if let Some(in_coin) = in_coin {
        lower = N::choose(in_coin, mark / zeros.upper, lower);
        upper = N::choose(in_coin, mark / zeros.lower, upper);
    }
    Zeros { lower: liquidation::price_or_none(lower), upper: liquidation::price_or_none(upper) }
}
