//! Zeros of a concave surplus along a ray of prices, by Newton's method from outside.
//!
//! The surplus of an account along a ray is a sum of minima of lines (and, for rates that grow with the size, of concave parabolas), so it
//! is concave and has at most two zeros. A step goes to the zero of the line that decides at the current place; from a place where the
//! surplus is negative the steps never pass the zero, and on lines they end on it.

use crate::machine::number::Number;

/// Value at 0 and slope of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Line<N = f64> {
    pub start: N,
    pub slope: N,
}

impl<N: Number> Line<N> {
    #[inline(always)]
    pub(crate) fn new(start: N, slope: N) -> Self {
        Self { start, slope }
    }

    /// The line that is zero everywhere.
    #[inline(always)]
    pub(crate) fn zero() -> Self {
        Self::new(N::all(0.0), N::all(0.0))
    }

    /// One of two lines, by what a comparison said.
    #[inline(always)]
    pub(crate) fn choose(condition: N::Mask, then: Self, otherwise: Self) -> Self {
        Self::new(N::choose(condition, then.start, otherwise.start), N::choose(condition, then.slope, otherwise.slope))
    }

    /// Height at a place; the rise up to the place 0 is 0, also of an infinite slope.
    #[inline(always)]
    fn at(&self, place: N) -> N {
        let zero = N::all(0.0);
        self.start + N::choose(place.equals(zero), zero, self.slope * place)
    }

    /// Height at a place that may be infinite; a flat line stays what it is there.
    #[inline(always)]
    pub(crate) fn at_any(&self, place: N) -> N {
        let zero = N::all(0.0);
        self.start + N::choose(self.slope.equals(zero), zero, self.slope * place)
    }

    /// The line raised by an amount.
    #[inline(always)]
    pub(crate) fn above(self, amount: N) -> Self {
        Self::new(amount + self.start, self.slope)
    }

    /// The line stretched by a factor.
    #[inline(always)]
    pub(crate) fn times(self, factor: N) -> Self {
        Self::new(factor * self.start, factor * self.slope)
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, other: Self) {
        self.start = self.start + other.start;
        self.slope = self.slope + other.slope;
    }

    /// The line less another one.
    #[inline(always)]
    pub(crate) fn less(self, other: Self) -> Self {
        Self::new(self.start - other.start, self.slope - other.slope)
    }

    /// Where it is zero.
    #[inline(always)]
    fn zero_place(&self) -> N {
        -self.start / self.slope
    }
}

/// Something that is made of lines along a ray.
pub(crate) trait OnRay<N> {
    /// The line that touches it at a place.
    fn line_at(&mut self, place: N) -> Line<N>;
}

impl<N, F: FnMut(N) -> Line<N>> OnRay<N> for F {
    #[inline(always)]
    fn line_at(&mut self, place: N) -> Line<N> {
        self(place)
    }
}

/// Something on a ray, raised by an amount.
struct Raised<'p, N, P> {
    parts: &'p mut P,
    amount: N,
}

impl<N: Number, P: OnRay<N>> OnRay<N> for Raised<'_, N, P> {
    #[inline(always)]
    fn line_at(&mut self, place: N) -> Line<N> {
        self.parts.line_at(place).above(self.amount)
    }
}

/// Where something that moves by `beta` is as the ray is at `place`, 1 being now.
#[inline(always)]
pub(crate) fn along<N: Number>(beta: N, place: N) -> N {
    let one = N::all(1.0);
    N::choose(beta.equals(one), place, (one - beta) + beta * place)
}

/// Line in the place of the ray, from one in the place of what moves by `beta` on it.
#[inline(always)]
pub(crate) fn on_ray<N: Number>(line: Line<N>, beta: N) -> Line<N> {
    let one = N::all(1.0);
    Line::choose(beta.equals(one), line, Line::new(line.start + line.slope * (one - beta), line.slope * beta))
}

/// Places where something is zero, NaN where it is nowhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Zeros<N = f64> {
    pub lower: N,
    pub upper: N,
}

const STEPS: usize = 200;
const DOUBLINGS: usize = 1_100;

/// Both zeros, up to a place, of what is `amount` now after these fees, and of which `parts` gives all that moves.
///
/// `smooth` says that it is not made of lines alone, so that it may have none at the place 0; `straight` that it is one line.
#[inline(always)]
pub(crate) fn zeros_of<N: Number>(
    parts: &mut impl OnRay<N>,
    amount: N,
    fees: Line<N>,
    highest: f64,
    form: Form,
) -> Zeros<N> {
    let now = parts.line_at(N::all(1.0));
    let rest = amount - (now.start + now.slope) - (fees.start + fees.slope);
    match form {
        Form::Straight => zeros_of_line(now.above(rest)),
        Form::Lines => zeros(&mut Raised { parts, amount: rest }, now.above(rest), highest, false),
        Form::Smooth => zeros(&mut Raised { parts, amount: rest }, now.above(rest), highest, true),
    }
}

/// What something along a ray is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One line.
    Straight,
    /// The smallest of several lines.
    Lines,
    /// Not of lines alone, so that it may have none at the place 0.
    Smooth,
}

/// Both zeros up to a place; `now` is the line at the place 1.
#[inline(always)]
fn zeros<N: Number>(surplus: &mut impl OnRay<N>, now: Line<N>, highest: f64, smooth: bool) -> Zeros<N> {
    let start = starts(surplus, now, highest, smooth);
    let rises = !start.lower.is_nan();
    if N::any(rises & !start.upper.is_nan()) {
        let lower = walk(surplus, start.lower, !N::none(), highest);
        return Zeros { lower, upper: walk(surplus, start.upper, N::none(), highest) };
    }
    // Nothing has two zeros to be found, so all walk at once, each to its own.
    let place = walk(surplus, N::choose(rises, start.lower, start.upper), rises, highest);
    Zeros { lower: N::choose(rises, place, N::nan()), upper: N::choose(rises, N::nan(), place) }
}

/// Both zeros of a line, as [`zeros`] finds them.
#[inline(always)]
fn zeros_of_line<N: Number>(line: Line<N>) -> Zeros<N> {
    let (zero, place) = (N::all(0.0), line.zero_place());
    let exists = place.is_above(zero) & place.is_below(N::all(f64::INFINITY));
    Zeros {
        lower: N::choose(exists & line.slope.is_above(zero), place, N::nan()),
        upper: N::choose(exists & line.slope.is_below(zero), place, N::nan()),
    }
}

/// Zero of the line that touches at the place 1 and is positive there, if it lies on the side where the line's slope has this sign: no
/// zero on that side is farther in.
#[inline(always)]
fn beyond_the_tangent<N: Number>(now: Line<N>, sign: f64) -> N {
    let zero = N::all(0.0);
    let lies = now.at(N::all(1.0)).is_above(zero) & (N::all(sign) * now.slope).is_above(zero);
    N::choose(lies, now.zero_place(), N::nan())
}

/// Places in (0, highest) to walk inwards from, to where the surplus rises through zero and to where it falls; NaN if it is nowhere zero there.
#[inline(always)]
fn starts<N: Number>(surplus: &mut impl OnRay<N>, now: Line<N>, highest: f64, smooth: bool) -> Zeros<N> {
    let (mut lower, mut upper) = (beyond_the_tangent(now, 1.0), beyond_the_tangent(now, -1.0));
    let (below, above) = (!lower.is_above(N::all(0.0)), !upper.is_below(N::all(highest)));
    if smooth || highest < f64::INFINITY || N::any(below & above) {
        lower = lower_start(surplus, lower, smooth);
        return Zeros { lower, upper: upper_start(surplus, upper, highest, smooth) };
    }
    // Each has one to be found at most, at an end of the ray: one look at both ends finds all of them.
    if N::any(below | above) {
        let end = surplus.line_at(N::choose(below, N::all(0.0), N::all(f64::INFINITY)));
        lower = N::choose(below, start_at_zero(end), lower);
        upper = N::choose(above, start_at_infinity(end), upper);
    }
    Zeros { lower, upper }
}

/// The place 0 where the line there is negative.
#[inline(always)]
fn start_at_zero<N: Number>(line: Line<N>) -> N {
    let zero = N::all(0.0);
    N::choose(line.start.is_below(zero), zero, N::nan())
}

/// Where the last line falls through zero.
#[inline(always)]
fn start_at_infinity<N: Number>(line: Line<N>) -> N {
    let (zero, place) = (N::all(0.0), line.zero_place());
    N::choose(line.slope.is_below(zero) & place.is_above(zero), place, N::nan())
}

/// Start of the walk to where the surplus rises through zero, from what the tangent says.
#[inline(always)]
fn lower_start<N: Number>(surplus: &mut impl OnRay<N>, tangent: N, smooth: bool) -> N {
    let zero = N::all(0.0);
    let unknown = !tangent.is_above(zero);
    if !N::any(unknown) {
        return tangent;
    }
    let first = if smooth { outside(surplus, 0.5) } else { start_at_zero(surplus.line_at(zero)) };
    N::choose(unknown, first, tangent)
}

/// Start of the walk to where it falls through zero.
#[inline(always)]
fn upper_start<N: Number>(surplus: &mut impl OnRay<N>, tangent: N, highest: f64, smooth: bool) -> N {
    let (zero, last) = (N::all(0.0), N::all(highest));
    let unknown = !tangent.is_below(last);
    if !N::any(unknown) {
        return tangent;
    }
    let outermost = if highest < f64::INFINITY {
        N::choose(surplus.line_at(last).at(last).is_below(zero), last, N::nan())
    } else if smooth {
        outside(surplus, 2.0)
    } else {
        start_at_infinity(surplus.line_at(last))
    };
    N::choose(unknown, outermost, tangent)
}

/// Place in (0, highest) where the surplus falls through zero; NaN if there is none.
#[inline(always)]
pub(crate) fn upper_zero<N: Number>(surplus: &mut impl OnRay<N>, now: Line<N>, highest: f64, smooth: bool) -> N {
    let start = upper_start(surplus, beyond_the_tangent(now, -1.0), highest, smooth);
    walk(surplus, start, N::none(), highest)
}

/// Walks inwards, upwards to where the surplus rises through zero or downwards to where it falls; NaN where it is not zero in (0, highest).
#[inline(always)]
fn walk<N: Number>(surplus: &mut impl OnRay<N>, mut place: N, rises: N::Mask, highest: f64) -> N {
    let (zero, none) = (N::all(0.0), N::nan());
    let sign = N::choose(rises, N::all(1.0), N::all(-1.0));
    let mut walks = !place.is_nan();
    for _ in 0..STEPS {
        if !N::any(walks) {
            break;
        }
        let line = surplus.line_at(place);
        let (leads, following) = ((sign * line.slope).is_above(zero), line.zero_place());
        let arrived = leads & !(sign * following).is_above(sign * place);
        let inside = (rises & following.is_below(N::all(highest))) | (!rises & following.is_above(zero));
        let goes = walks & leads & !arrived & inside;
        place = N::choose(walks & !arrived, N::choose(goes, following, none), place);
        walks = goes;
    }
    place
}

/// First place of 1, factor, factor squared ... beyond all zeros; NaN if there is none.
///
/// There the surplus is negative and falls outwards: where it falls inwards, zeros may lie farther out.
fn outside<N: Number>(surplus: &mut impl OnRay<N>, factor: f64) -> N {
    let (zero, mut place) = (N::all(0.0), 1.0);
    let (mut found, mut walks) = (N::nan(), !N::none());
    for _ in 0..DOUBLINGS {
        let line = surplus.line_at(N::all(place));
        let falls = (line.slope * N::all(factor - 1.0)).is_below(zero);
        let beyond = walks & line.at(N::all(place)).is_below(zero) & falls;
        found = N::choose(beyond, N::all(place), found);
        walks = walks & !beyond;
        place *= factor;
        let inside = place > 0.0 && place < f64::INFINITY;
        if !(inside && N::any(walks)) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::baseline::Baseline;
    use crate::machine::vector::{LANES, Vector};

    /// The smaller of two lines.
    fn roof(place: f64) -> Line {
        let (rising, falling) = (Line::new(-1.0, 2.0), Line::new(6.0, -1.0));
        if rising.at(place) < falling.at(place) { rising } else { falling }
    }

    #[test]
    fn both_zeros_of_a_roof_are_found() {
        let mut roof_at = |place: f64| if place.is_infinite() { Line::new(6.0, -1.0) } else { roof(place) };
        let zeros = zeros(&mut roof_at, roof(1.0), f64::INFINITY, false);
        assert_eq!(zeros, Zeros { lower: 0.5, upper: 6.0 });
    }

    #[test]
    fn zeros_of_one_and_of_eight_side_by_side_are_the_same() {
        // Roofs (min of two lines), some positive now and some not, some with two zeros on one side, some with none.
        let roofs: [[Line; 2]; 9] = [
            [Line::new(-1.0, 2.0), Line::new(6.0, -1.0)],
            [Line::new(1.0, 0.5), Line::new(3.0, 0.25)],
            [Line::new(-3.0, 2.0), Line::new(9.0, 0.125)],
            [Line::new(4.0, -3.5), Line::new(9.0, -0.125)],
            [Line::new(-6.0, 2.0), Line::new(20.0, -3.0)],
            [Line::new(2.0, -8.0), Line::new(-0.25, 4.0)],
            [Line::new(-1.0, -1.0), Line::new(-2.0, 0.0)],
            [Line::new(5.0, -0.5), Line::new(5.0, -2.0)],
            [Line::new(-0.5, 0.0), Line::new(7.0, -1.0)],
        ];
        let lower = |[one, other]: [Line; 2], place: f64| {
            if other.at_any(place) < one.at_any(place) { other } else { one }
        };
        for first in 0..roofs.len() {
            for mixed in [0, 1] {
                let own: [[Line; 2]; LANES] = std::array::from_fn(|lane| roofs[(first + mixed * lane) % roofs.len()]);
                let mut together = |place: Baseline| {
                    let lines: [Line; LANES] = std::array::from_fn(|lane| lower(own[lane], place.array()[lane]));
                    Line::new(
                        Baseline::load(&lines.map(|line| line.start)),
                        Baseline::load(&lines.map(|line| line.slope)),
                    )
                };
                let now = together(Baseline::all(1.0));
                let found = zeros(&mut together, now, f64::INFINITY, false);
                for lane in 0..LANES {
                    let alone =
                        zeros(&mut |place| lower(own[lane], place), lower(own[lane], 1.0), f64::INFINITY, false);
                    let bits = |lower: f64, upper: f64| [lower.to_bits(), upper.to_bits()];
                    let found = bits(found.lower.array()[lane], found.upper.array()[lane]);
                    assert_eq!(found, bits(alone.lower, alone.upper), "{first} {lane}");
                }
            }
        }
    }

    #[test]
    fn what_never_is_negative_has_no_zero() {
        let zeros = zeros(&mut |_| Line::new(1.0, 0.5), Line::new(1.0, 0.5), f64::INFINITY, false);
        assert!(zeros.lower.is_nan() && zeros.upper.is_nan());
    }

    #[test]
    fn a_parabola_is_met_from_outside() {
        // 4 - (s - 2)^2, zero at 0 (not positive) and 4; touched by its tangents.
        let mut tangent = |place: f64| Line::new(place * place, 4.0 - 2.0 * place);
        let upper = upper_zero(&mut tangent, Line::new(1.0, 2.0), f64::INFINITY, true);
        assert!((upper - 4.0).abs() < 1e-12);
    }

    #[test]
    fn zeros_on_one_side_of_a_negative_surplus_are_both_found() {
        // 1/64 - (s - 1/2)^2 is negative at 1, beyond its zeros 3/8 and 5/8.
        let mut tangent = |place: f64| Line::new(place * place - 15.0 / 64.0, 1.0 - 2.0 * place);
        let zeros = zeros(&mut tangent, Line::new(1.0, 2.0), f64::INFINITY, true);
        assert!((zeros.lower - 0.375).abs() < 1e-12 && (zeros.upper - 0.625).abs() < 1e-12);
    }

    #[test]
    fn a_line_has_the_zeros_that_any_function_would() {
        for line in [Line::new(-1.0, 2.0), Line::new(3.0, -1.5), Line::new(1.0, 1.0), Line::new(-1.0, -1.0)] {
            let (short, long) = (zeros_of_line(line), zeros(&mut |_| line, line, f64::INFINITY, false));
            assert_eq!(short.lower.to_bits(), long.lower.to_bits());
            assert_eq!(short.upper.to_bits(), long.upper.to_bits());
        }
    }

    #[test]
    fn a_zero_beyond_the_highest_place_is_none() {
        let mut falling = |_| Line::new(3.0, -1.0);
        assert!(upper_zero(&mut falling, Line::new(3.0, -1.0), 2.0, false).is_nan());
        assert_eq!(upper_zero(&mut falling, Line::new(3.0, -1.0), 4.0, false), 3.0);
        let mut rising = |_| Line::new(-3.0, 1.0);
        assert!(zeros(&mut rising, Line::new(-3.0, 1.0), 2.0, false).lower.is_nan());
        assert_eq!(zeros(&mut rising, Line::new(-3.0, 1.0), 4.0, false).lower, 3.0);
    }
}
