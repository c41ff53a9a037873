//! Between which prices the verdict on a position cannot change.

use crate::codes::state::State;
use crate::codes::status::Status;

/// By how much of the amounts that go into a surplus it is moved towards its zero before its zero is a bound.
///
/// The closed form and the evaluation at a price round differently, and the lines of a tier table may miss each other by 1e-9 of the
/// requirement where one takes over. Inside of this margin every tick is evaluated; outside of it none can change a verdict.
pub(crate) const GUARD: f64 = 1e-7;

/// Amounts beyond this, or below its reciprocal, may leave the range of float64 as prices move: their rows are looked at at every tick.
pub(crate) const EXTREME: f64 = 1e100;

/// Whether no price that a tick may have takes an amount out of the range of float64.
pub(crate) fn is_ordinary(amount: f64) -> bool {
    amount < EXTREME && amount > 1.0 / EXTREME
}

/// The verdict that bounds are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Not liquidatable.
    Safe,
    /// At or past liquidation.
    Liquidatable,
    /// Not known: a row failed.
    Unknown,
}

impl Judgement {
    /// Of a code of [`State`].
    #[must_use]
    pub fn of(state: u8) -> Self {
        if state >= State::Incomplete as u8 {
            Self::Unknown
        } else if state >= State::Liquidation as u8 {
            Self::Liquidatable
        } else {
            Self::Safe
        }
    }

    /// Sign of the guard: what is safe is looked at before it is reached, what is liquidatable before it is left.
    pub(crate) fn sign(self) -> f64 {
        if self == Self::Liquidatable { -1.0 } else { 1.0 }
    }
}

/// Whether another price may end this failure of a row.
pub(crate) fn is_of_price(status: u8) -> bool {
    let of_marks = [Status::MissingMarkPrice, Status::InvalidMarkPrice, Status::TierOverflow, Status::NumericOverflow];
    let of_assets = [Status::MissingAssetPrice, Status::InvalidAssetPrice];
    of_marks.iter().chain(&of_assets).any(|&each| each as u8 == status)
}

/// Strictly between them the verdict stays as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub lower: f64,
    pub upper: f64,
}

/// What bounds follow from: zeros of a guarded surplus and the end of the tiers, as prices; NaN where there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zeros {
    pub lower: f64,
    pub upper: f64,
    /// By which factor the value may grow until the last tier ends.
    pub room_in_tiers: f64,
}

impl Bounds {
    /// No price matters.
    pub(crate) const NONE: Self = Self { lower: f64::NEG_INFINITY, upper: f64::INFINITY };

    /// Every price is looked at, from the one at hand on; NaN: there is none yet.
    pub(crate) fn at(mark: f64) -> Self {
        if mark.is_nan() {
            Self { lower: f64::INFINITY, upper: f64::NEG_INFINITY }
        } else {
            Self { lower: mark, upper: mark }
        }
    }

    /// Around a mark, by zeros: a long position is safe above its lower zero, a short one below its upper one.
    pub(crate) fn around(mark: f64, judgement: Judgement, zeros: &Zeros, inverse: bool) -> Self {
        let mut bounds = match judgement {
            Judgement::Unknown => return Self::at(mark),
            Judgement::Safe => Self { lower: below(zeros.lower), upper: above(zeros.upper) },
            Judgement::Liquidatable if zeros.lower.is_nan() == zeros.upper.is_nan() => return Self::at(mark),
            // Past its zero: what ends it is the way back.
            Judgement::Liquidatable => Self { lower: below(zeros.upper), upper: above(zeros.lower) },
        };
        bounds.keep_within_tiers(mark, zeros.room_in_tiers, inverse);
        bounds
    }

    /// Ends them where the value, which may grow by the factor `room`, is that of the last tier's end.
    pub(crate) fn keep_within_tiers(&mut self, mark: f64, room: f64, inverse: bool) {
        if inverse {
            self.lower = larger(self.lower, below(mark / (room * (1.0 - GUARD))));
        } else {
            self.upper = smaller(self.upper, above(mark * (room * (1.0 - GUARD))));
        }
        if !(self.lower < mark && mark < self.upper) {
            *self = Self::at(mark);
        }
    }

    /// Around a mark, by how far the coordinate may go either way.
    pub(crate) fn within(mark: f64, coordinate: f64, reach: f64, inverse: bool) -> Self {
        // Relative to the coordinate, which is proportional to the price or to its reciprocal.
        let share = reach / coordinate;
        let (down, up) = if inverse {
            (mark / (1.0 + share), mark / (1.0 - share))
        } else {
            (mark * (1.0 - share), mark * (1.0 + share))
        };
        let upper = if inverse && share >= 1.0 { f64::INFINITY } else { up };
        let bounds = Self { lower: down, upper };
        if bounds.lower < mark && mark < bounds.upper { bounds } else { Self::at(mark) }
    }
}

fn below(price: f64) -> f64 {
    if price.is_nan() { f64::NEG_INFINITY } else { price }
}

fn above(price: f64) -> f64 {
    if price.is_nan() { f64::INFINITY } else { price }
}

fn larger(left: f64, right: f64) -> f64 {
    if left > right { left } else { right }
}

fn smaller(left: f64, right: f64) -> f64 {
    if left < right { left } else { right }
}
