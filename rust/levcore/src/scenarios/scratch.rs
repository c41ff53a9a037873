//! What a thread remembers of the account that it adds up.

use crate::error::Result;
use crate::memory;
use crate::scenarios::inputs::NetAmounts;
use crate::scenarios::scan::{HeldLeg, add_legs};

/// Slot of groups that the account does not hold.
const NOWHERE: u32 = u32::MAX;

/// Memory of one thread; empty between accounts.
pub(crate) struct Scratch {
    pub slot_of_group: Vec<u32>,
    /// Groups of the account by slot, in the order of their first leg.
    pub groups: Vec<u32>,
    /// The same by pool, then by group.
    pub order: Vec<u32>,
    /// Profit by slot and scenario.
    pub profits: Vec<f64>,
    /// Legs with an exposure in the order of rows, once they are sorted by slot.
    pub held: Vec<HeldLeg>,
    pub net_option_value: f64,
    /// Net position by set; `None`: no leg.
    pub net: Vec<Option<f64>>,
    /// Sets with a leg, in the order of their first one.
    pub sets: Vec<u32>,
    pub charges: Vec<f64>,
    pub minimum: Vec<f64>,
    /// Amounts of long and of short net positions by slot.
    pub sides: [Vec<f64>; 2],
    /// Profit by scenario of a pool.
    pub pooled: Vec<f64>,
}

impl Scratch {
    pub(crate) fn new(groups: usize, sets: usize) -> Self {
        Self {
            slot_of_group: vec![NOWHERE; groups],
            groups: Vec::new(),
            order: Vec::new(),
            profits: Vec::new(),
            held: Vec::new(),
            net_option_value: 0.0,
            net: vec![None; sets],
            sets: Vec::new(),
            charges: Vec::new(),
            minimum: Vec::new(),
            sides: [Vec::new(), Vec::new()],
            pooled: Vec::new(),
        }
    }

    /// Profits by scenario of a group that the account holds.
    #[inline(always)]
    pub(crate) fn profits_of(&self, group: u32, width: usize) -> &[f64] {
        &self.profits[self.slot_of_group[group as usize] as usize * width..][..width]
    }

    /// Slot of a group, a new one if it has none yet.
    #[inline(always)]
    pub(crate) fn slot(&mut self, group: u32) -> u32 {
        let slot = &mut self.slot_of_group[group as usize];
        if *slot == NOWHERE {
            *slot = self.groups.len() as u32;
            self.groups.push(group);
        }
        *slot
    }

    /// Profits of all slots. The legs are put in the order of their slots, those of one slot stay in the order of rows.
    #[inline(always)]
    pub(crate) fn add_up(&mut self, width: usize, profits: &[f64]) -> Result<()> {
        if !self.held.is_sorted_by_key(|leg| leg.slot) {
            self.held.sort_by_key(|leg| leg.slot);
        }
        memory::resize(&mut self.profits, self.groups.len().saturating_mul(width), 0.0)?;
        let mut rest = &self.held[..];
        while let Some(first) = rest.first() {
            let slot = first.slot;
            let mut count = 1;
            while count < rest.len() && rest[count].slot == slot {
                count += 1;
            }
            let (legs, others) = rest.split_at(count);
            add_legs(&mut self.profits[slot as usize * width..][..width], legs, profits);
            rest = others;
        }
        Ok(())
    }

    /// Amounts of the long and of the short net positions of each slot.
    pub(crate) fn sum_sides(&mut self, amounts: &NetAmounts<'_>) {
        for side in &mut self.sides {
            side.clear();
            side.resize(self.groups.len(), 0.0);
        }
        for &HeldLeg { place, quantity, .. } in &self.held {
            let set = amounts.set[place as usize];
            let net = &mut self.net[set as usize];
            if net.is_none() {
                self.sets.push(set);
            }
            *net = Some(net.unwrap_or(0.0) + quantity * amounts.size[place as usize]);
        }
        for set in self.sets.drain(..) {
            let net = self.net[set as usize].take().unwrap_or(0.0);
            let slot = self.slot_of_group[amounts.group[set as usize] as usize] as usize;
            if net > 0.0 {
                self.sides[0][slot] += net * amounts.long[set as usize];
            } else {
                self.sides[1][slot] += -net * amounts.short[set as usize];
            }
        }
    }

    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        for group in self.groups.drain(..) {
            self.slot_of_group[group as usize] = NOWHERE;
        }
        self.profits.clear();
        self.held.clear();
        self.net_option_value = 0.0;
        self.charges.clear();
        self.minimum.clear();
    }
}
