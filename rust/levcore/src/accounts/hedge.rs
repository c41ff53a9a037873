//! Legs that cover each other: what a long and a short leg of one instrument in one account are charged.
//!
//! # Formula
//!
//! With the sizes `n >= m` of the two legs and the share `c` of covered quantity, the larger leg is charged on
//! `(n - m) + c m`, the smaller one on nothing. A requirement frozen at entry is taken at the average entry of both.

use crate::accounts::leg::Leg;
use crate::rules::parameters::{Basis, HedgeRule};
use crate::rules::policy::Policy;

/// Charges pairs of legs on what they leave uncovered, where the policy does so; the legs of an instrument share a group.
pub(crate) fn cover(legs: &mut [Leg<'_>], policy: &Policy, groups: usize) {
    if policy.rules.hedge_rule != HedgeRule::Covered {
        return;
    }
    // Last leg of each group; a pair is charged when its second leg comes.
    let mut first_of_group = vec![usize::MAX; groups];
    for second in 0..legs.len() {
        let group = legs[second].group;
        if legs[second].value == 0.0 {
            continue;
        }
        let first = std::mem::replace(&mut first_of_group[group], second);
        if first != usize::MAX {
            let (before, after) = legs.split_at_mut(second);
            cover_pair(&mut before[first], &mut after[0], policy);
        }
    }
}

fn cover_pair<'a>(first: &mut Leg<'a>, second: &mut Leg<'a>, policy: &Policy) {
    let average_entry = (first.entry_value + second.entry_value) / (first.size + second.size);
    let (larger, smaller) = if first.size >= second.size { (first, second) } else { (second, first) };
    let charged = (larger.size - smaller.size) + policy.rules.covered_share * smaller.size;
    charge(larger, charged / larger.size, charged * average_entry, policy);
    charge(smaller, 0.0, 0.0, policy);
}

/// Charges a leg on a share of its value, or on this value at entry.
fn charge(leg: &mut Leg<'_>, share: f64, at_entry: f64, policy: &Policy) {
    let rules = &policy.rules;
    let (own, charged) = match rules.requirement_cross {
        Basis::Entry => (leg.entry_value, at_entry),
        Basis::Price | Basis::Mark | Basis::Bankruptcy => (leg.value, share * leg.value),
    };
    let change = leg.curve.at(charged) - leg.curve.at(own);
    leg.requirement += change;
    leg.maintenance_margin += change;
    if rules.requirement_cross == Basis::Price {
        leg.released += change * policy.trigger;
    }
    (leg.covered, leg.charged) = (true, share);
    if rules.hedge_rule_initial != HedgeRule::Covered {
        return;
    }
    let (own, charged) =
        if rules.initial_at_entry_cross { (leg.entry_value, at_entry) } else { (leg.value, share * leg.value) };
    leg.initial_margin += leg.initial.at(charged) - leg.initial.at(own);
}
