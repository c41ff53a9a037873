//! Accounts side by side, each on a ray of its own: where eight of them are liquidated.
//!
//! They are those of which most books consist: one wallet, contracts in its currency, each instrument once, margins by the lines of a table,
//! and prices that all move the same way. The formulas are those of any account, in the same order.

use crate::accounts::holding::{Holding, HoldingTerms, still_line};
use crate::accounts::leg::LegTerms;
use crate::accounts::legs_on_ray::EightLegs;
use crate::formulas::ray::{Form, Line, OnRay, Zeros, zeros_of};
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector};
use crate::rules::policy::Policy;

/// Eight accounts by their columns; those that are not there hold nothing.
#[derive(Debug, Default)]
pub(crate) struct RayTile {
    pub count: usize,
    /// Where the distances of each go.
    pub places: [usize; LANES],
    /// Beta of the largest magnitude of each.
    pub scales: [f64; LANES],
    equity: [f64; LANES],
    surplus: [f64; LANES],
    /// What the moving legs gain as the place goes from 1 to 2.
    gain: [f64; LANES],
    /// The first leg of each account, the second one ...
    legs: Vec<EightLegs>,
    most_legs: usize,
    /// Legs of the account that comes next.
    next: usize,
}

impl RayTile {
    /// Adds a leg to the account that comes next, in the order of rows: its direction, its terms, how far it moves as the ray does, and where
    /// its lines stand.
    pub(crate) fn push_leg(&mut self, direction: f64, terms: LegTerms<f64>, price: f64, beta: f64, place: u32) {
        let (lane, number) = (self.count, self.next);
        if number == self.legs.len() {
            self.legs.push(EightLegs::default());
        }
        self.legs[number].set(lane, terms, price, beta, place);
        self.gain[lane] += direction * terms.value * beta;
        self.next += 1;
    }

    /// Completes the account whose legs were pushed.
    pub(crate) fn push(&mut self, place: usize, scale: f64, equity: f64, surplus: f64) {
        let lane = self.count;
        (self.places[lane], self.scales[lane]) = (place, scale);
        (self.equity[lane], self.surplus[lane]) = (equity, surplus);
        self.most_legs = self.most_legs.max(self.next);
        self.next = 0;
        self.count += 1;
    }

    /// Forgets all accounts.
    pub(crate) fn clear(&mut self) {
        self.legs[..self.most_legs].fill_with(EightLegs::default);
        let legs = std::mem::take(&mut self.legs);
        *self = Self { legs, ..Self::default() };
    }
}

/// Finds where the accounts of a tile are liquidated.
pub(crate) struct SolveRays<'a> {
    pub tile: &'a RayTile,
    /// A wallet of theirs.
    pub wallet: &'a Holding<'a>,
    pub policy: &'a Policy,
}

impl Work for SolveRays<'_> {
    type Output = Zeros<[f64; LANES]>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let surplus = V::load(&self.tile.surplus);
        let mut parts = Accounts { equity: V::load(&self.tile.equity), gain: V::load(&self.tile.gain), all: self };
        let zeros = zeros_of(&mut parts, surplus, Line::zero(), f64::INFINITY, Form::Lines);
        Zeros { lower: zeros.lower.array(), upper: zeros.upper.array() }
    }
}

/// The accounts of a tile along their rays.
struct Accounts<'a, V> {
    all: SolveRays<'a>,
    equity: V,
    gain: V,
}

impl<V: Vector> OnRay<V> for Accounts<'_, V> {
    #[inline(always)]
    fn line_at(&mut self, place: V) -> Line<V> {
        let SolveRays { tile, wallet, policy } = self.all;
        let (mut line, mut required) = (Line::zero(), Line::zero());
        let holding = HoldingTerms { priced: wallet.priced(), equity: self.equity, owed: V::all(wallet.owed) };
        line.add(still_line(&holding, policy, self.gain, true, place));
        for eight in &tile.legs[..tile.most_legs] {
            required.add(eight.requirement_line(policy, place));
        }
        line.less(required)
    }
}
