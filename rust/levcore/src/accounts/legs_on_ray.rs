//! Many legs on one ray of prices: what they ask for together, eight of them at a time.

use crate::accounts::leg::{Leg, LegTerms};
use crate::formulas::ray::Line;
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector};
use crate::rules::curve::touching_lines;
use crate::rules::policy::Policy;

/// Columns of eight legs; lanes without one hold zeros.
#[derive(Debug, Default)]
pub(crate) struct EightLegs {
    value: [f64; LANES],
    charged: [f64; LANES],
    frozen: [f64; LANES],
    /// 1 where the value falls as the price rises.
    reciprocal: [f64; LANES],
    /// How far the leg moves as the ray does.
    beta: [f64; LANES],
    /// Price of what it settles in.
    price: [f64; LANES],
    place: [u32; LANES],
}

/// Legs in the order of rows; the memory is used again.
#[derive(Debug, Default)]
pub(crate) struct LegsOnRay {
    eights: Vec<EightLegs>,
    pub count: usize,
}

impl LegsOnRay {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a leg; one whose requirement is not made of the lines of a table is none, and says so.
    pub(crate) fn push(&mut self, leg: &Leg<'_>, price: f64, beta: f64) -> bool {
        let Some(place) = leg.curve.place_of_lines() else { return false };
        let (eight, lane) = (self.count / LANES, self.count % LANES);
        if eight == self.eights.len() {
            self.eights.push(EightLegs::default());
        }
        self.eights[eight].set(lane, leg.terms(), price, beta, place);
        self.count += 1;
        true
    }
}

/// Adds up the scaled requirements of legs, as lines that touch at a place.
pub(crate) struct SumRequirements<'a> {
    pub legs: &'a LegsOnRay,
    pub policy: &'a Policy,
    pub place: f64,
}

impl Work for SumRequirements<'_> {
    type Output = Line;

    #[inline(always)]
    fn run<V: Vector>(self) -> Line {
        let Self { legs, policy, place } = self;
        let mut line = Line::default();
        let mut left = legs.count;
        for eight in &legs.eights[..legs.count.div_ceil(LANES)] {
            let Line { start, slope } = eight.requirement_line::<V>(policy, V::all(place));
            let (starts, slopes) = (start.array(), slope.array());
            // Sums go by rows.
            for lane in 0..left.min(LANES) {
                line.add(Line::new(starts[lane], slopes[lane]));
            }
            left = left.saturating_sub(LANES);
        }
        line
    }
}

impl EightLegs {
    /// Puts a leg into a lane: the price of what it settles in, how far it moves as the ray does, where its lines stand.
    #[inline(always)]
    pub(crate) fn set(&mut self, lane: usize, terms: LegTerms<f64>, price: f64, beta: f64, place: usize) {
        let LegTerms { value, charged, frozen, reciprocal } = terms;
        (self.value[lane], self.charged[lane], self.frozen[lane]) = (value, charged, frozen);
        (self.reciprocal[lane], self.beta[lane], self.price[lane]) = (f64::from(reciprocal), beta, price);
        self.place[lane] = place as u32;
    }

    /// What each asks for; nothing where there is none.
    #[inline(always)]
    pub(crate) fn requirement_line<V: Vector>(&self, policy: &Policy, place: V) -> Line<V> {
        let (beta, price) = (V::load(&self.beta), V::load(&self.price));
        let terms = LegTerms {
            value: V::load(&self.value),
            charged: V::load(&self.charged),
            frozen: V::load(&self.frozen),
            reciprocal: V::load(&self.reciprocal).is_above(V::all(0.0)),
        };
        let mut touching = [V::all(0.0); 2];
        if policy.moves_in_cross() {
            touching = touching_lines(&policy.tables, &self.place, terms.charged_value(beta, place));
        }
        terms.line(price, policy, beta, touching)
    }
}
