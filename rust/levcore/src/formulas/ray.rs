//! Zeros of a concave surplus along a ray of prices, by Newton's method from outside.
//!
//! The surplus of an account along a ray is a sum of minima of lines (and, for rates that grow with the size, of concave parabolas), so it
//! is concave and has at most two zeros. A step goes to the zero of the line that decides at the current place; from a place where the
//! surplus is negative the steps never pass the zero, and on lines they end on it.

/// Value at 0 and slope of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Line {
    pub start: f64,
    pub slope: f64,
}

impl Line {
    pub(crate) fn new(start: f64, slope: f64) -> Self {
        Self { start, slope }
    }

    /// Height at a place; the rise up to the place 0 is 0, also of an infinite slope.
    fn at(&self, place: f64) -> f64 {
        self.start + if place == 0.0 { 0.0 } else { self.slope * place }
    }

    /// Height at a place that may be infinite; a flat line stays what it is there.
    pub(crate) fn at_any(&self, place: f64) -> f64 {
        self.start + if self.slope == 0.0 { 0.0 } else { self.slope * place }
    }

    /// The line raised by an amount.
    pub(crate) fn above(self, amount: f64) -> Self {
        Self::new(amount + self.start, self.slope)
    }

    /// The line stretched by a factor.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self::new(factor * self.start, factor * self.slope)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.start += other.start;
        self.slope += other.slope;
    }
}

/// Where something that moves by `beta` is as the ray is at `place`, 1 being now.
pub(crate) fn along(beta: f64, place: f64) -> f64 {
    if beta == 1.0 { place } else { (1.0 - beta) + beta * place }
}

/// Line in the place of the ray, from one in the place of what moves by `beta` on it.
pub(crate) fn on_ray(line: Line, beta: f64) -> Line {
    if beta == 1.0 { line } else { Line::new(line.start + line.slope * (1.0 - beta), line.slope * beta) }
}

/// Places where something is zero, NaN where it is nowhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Zeros {
    pub lower: f64,
    pub upper: f64,
}

const STEPS: usize = 200;
const DOUBLINGS: usize = 1_100;

/// Both zeros of what `line_at` touches up to a place.
///
/// `now` is its line at the place 1; `smooth` says that it is not made of lines alone, so that it may have none at the place 0.
pub(crate) fn zeros(line_at: &mut impl FnMut(f64) -> Line, now: Line, highest: f64, smooth: bool) -> Zeros {
    Zeros { lower: lower_zero(line_at, now, highest, smooth), upper: upper_zero(line_at, now, highest, smooth) }
}

/// Both zeros of a line, as [`zeros`] finds them.
pub(crate) fn zeros_of_line(line: Line) -> Zeros {
    let zero = -line.start / line.slope;
    let exists = zero > 0.0 && zero < f64::INFINITY;
    Zeros {
        lower: if exists && line.slope > 0.0 { zero } else { f64::NAN },
        upper: if exists && line.slope < 0.0 { zero } else { f64::NAN },
    }
}

/// Zero of the line that touches at the place 1 and is positive there, if it lies on the side where the line's slope has this sign: no
/// zero on that side is farther in.
fn beyond_the_tangent(now: Line, sign: f64) -> f64 {
    if now.at(1.0) > 0.0 && sign * now.slope > 0.0 { -now.start / now.slope } else { f64::NAN }
}

/// Place in (0, highest) where the surplus rises through zero; NaN if there is none.
fn lower_zero(line_at: &mut impl FnMut(f64) -> Line, now: Line, highest: f64, smooth: bool) -> f64 {
    let mut place = beyond_the_tangent(now, 1.0);
    if !(place > 0.0) {
        place = if smooth { outside(line_at, 0.5) } else { 0.0 };
        if place == 0.0 && !(line_at(0.0).start < 0.0) {
            return f64::NAN;
        }
    }
    for _ in 0..STEPS {
        if place.is_nan() {
            return f64::NAN;
        }
        let line = line_at(place);
        if !(line.slope > 0.0) {
            return f64::NAN;
        }
        let following = -line.start / line.slope;
        if !(following > place) {
            return place;
        }
        if !(following < highest) {
            return f64::NAN;
        }
        place = following;
    }
    place
}

/// Place in (0, highest) where the surplus falls through zero; NaN if there is none.
pub(crate) fn upper_zero(line_at: &mut impl FnMut(f64) -> Line, now: Line, highest: f64, smooth: bool) -> f64 {
    let mut place = beyond_the_tangent(now, -1.0);
    if !(place < highest) {
        place = if highest < f64::INFINITY {
            if line_at(highest).at(highest) < 0.0 { highest } else { f64::NAN }
        } else if smooth {
            outside(line_at, 2.0)
        } else {
            let last = line_at(f64::INFINITY);
            if last.slope < 0.0 { -last.start / last.slope } else { f64::NAN }
        };
    }
    for _ in 0..STEPS {
        if !(place > 0.0) {
            return f64::NAN;
        }
        let line = line_at(place);
        if !(line.slope < 0.0) {
            return f64::NAN;
        }
        let following = -line.start / line.slope;
        if !(following < place) {
            return place;
        }
        place = following;
    }
    place
}

/// First place of 1, factor, factor squared ... beyond all zeros; NaN if there is none.
///
/// There the surplus is negative and falls outwards: where it falls inwards, zeros may lie farther out.
fn outside(line_at: &mut impl FnMut(f64) -> Line, factor: f64) -> f64 {
    let mut place = 1.0;
    for _ in 0..DOUBLINGS {
        let line = line_at(place);
        if line.at(place) < 0.0 && line.slope * (factor - 1.0) < 0.0 {
            return place;
        }
        place *= factor;
        if !(place > 0.0 && place < f64::INFINITY) {
            break;
        }
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(lower_zero(&mut rising, Line::new(-3.0, 1.0), 2.0, false).is_nan());
        assert_eq!(lower_zero(&mut rising, Line::new(-3.0, 1.0), 4.0, false), 3.0);
    }
}
