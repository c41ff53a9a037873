//! What a thread remembers of the account that it adds up.

use crate::book::rows_by_account::NO_ACCOUNT;
use crate::machine::vector::Vector;
use crate::scenarios::held_legs::HeldLeg;
use crate::scenarios::inputs::NetAmounts;
use crate::scenarios::scan::{Chunk, add_leg};

/// Slot of a group in the last account that held it. Groups are told by their ranks.
#[derive(Debug, Clone, Copy)]
struct Slot {
    account: u32,
    slot: u32,
}

/// Memory of one thread.
pub(crate) struct Scratch {
    /// Chunks of scenarios.
    width: usize,
    account: u32,
    slot_of_group: Vec<Slot>,
    /// Ranks of the account's groups by slot, in the order of their first leg; more than it has.
    groups: Vec<u32>,
    count: usize,
    /// Whether slots are in the order of ranks; `order` holds them in that order if not.
    in_order: bool,
    order: Vec<u32>,
    /// Profits by slot and chunk; zeros but for the slots of the account.
    sums: Vec<Chunk>,
    /// Net position by set; `None`: no leg.
    net: Vec<Option<f64>>,
    /// Sets with a leg, in the order of their first one.
    sets: Vec<u32>,
    pub charges: Vec<f64>,
    pub minimum: Vec<f64>,
    /// Amounts of long and of short net positions by slot.
    pub sides: [Vec<f64>; 2],
    /// Profits by chunk of a pool.
    pub pooled: Vec<Chunk>,
    /// Profits by scenario of an account.
    pub total: Vec<f64>,
}

impl Scratch {
    pub(crate) fn new(groups: usize, sets: usize, width: usize) -> Self {
        Self {
            width,
            account: NO_ACCOUNT,
            slot_of_group: vec![Slot { account: NO_ACCOUNT, slot: 0 }; groups],
            groups: vec![0; groups],
            count: 0,
            in_order: true,
            order: Vec::new(),
            sums: Vec::new(),
            net: vec![None; sets],
            sets: Vec::new(),
            charges: Vec::new(),
            minimum: Vec::new(),
            sides: [Vec::new(), Vec::new()],
            pooled: Vec::new(),
            total: Vec::new(),
        }
    }

    /// Begins the next account, with room for so many groups.
    #[inline(always)]
    fn begin<V: Vector>(&mut self, account: usize, groups: usize) {
        for sum in &mut self.sums[..self.count * self.width] {
            V::all(0.0).store(&mut sum.0);
        }
        (self.account, self.count, self.in_order) = (account as u32, 0, true);
        let needed = groups.min(self.groups.len()) * self.width;
        if needed > self.sums.len() {
            self.grow(needed);
        }
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        self.sums.resize(needed, Chunk::ZERO);
    }

    /// Begins the next account with its legs, whose profits are added to those of their groups.
    #[inline(always)]
    pub(crate) fn add_up<V: Vector>(&mut self, account: usize, legs: &[HeldLeg], profits: &[Chunk]) {
        self.begin::<V>(account, legs.len());
        // So many chunks as there are most often stay in registers from leg to leg.
        match self.width {
            1 => self.add_few::<V, 1>(legs, profits),
            2 => self.add_few::<V, 2>(legs, profits),
            width => self.add_many::<V>(legs, profits, width),
        }
    }

    /// Sums of few chunks: those of a group are kept at hand while its legs follow each other, and no leg waits for what the one before has
    /// written. Whether a group is a new one is a toss: nothing branches on it.
    #[inline(always)]
    fn add_few<V: Vector, const WIDTH: usize>(&mut self, legs: &[HeldLeg], profits: &[Chunk]) {
        let (account, mut count, mut in_order, mut before) = (self.account, 0, true, 0);
        let Self { slot_of_group, groups, sums, .. } = self;
        let (sums, _) = sums.as_chunks_mut::<WIDTH>();
        let (profits, _) = profits.as_chunks::<WIDTH>();
        let mut rest = legs;
        while let Some(&HeldLeg { group, .. }) = rest.first() {
            let slot = slot_of(&mut slot_of_group[group as usize], account, &mut count);
            groups[slot] = group;
            in_order &= group >= before;
            before = group;
            let mut sum = [V::all(0.0); WIDTH];
            for chunk in 0..WIDTH {
                sum[chunk] = V::load(&sums[slot][chunk].0);
            }
            while let [leg, others @ ..] = rest
                && leg.group == group
            {
                let (quantity, profits) = (V::all(leg.quantity), &profits[leg.place as usize]);
                for chunk in 0..WIDTH {
                    sum[chunk] = sum[chunk] + quantity * V::load(&profits[chunk].0);
                }
                rest = others;
            }
            for chunk in 0..WIDTH {
                sum[chunk].store(&mut sums[slot][chunk].0);
            }
        }
        (self.count, self.in_order) = (count, in_order);
    }

    /// Sums of any number of chunks.
    #[inline(always)]
    fn add_many<V: Vector>(&mut self, legs: &[HeldLeg], profits: &[Chunk], width: usize) {
        let (account, mut count) = (self.account, 0);
        for leg in legs {
            let slot = slot_of(&mut self.slot_of_group[leg.group as usize], account, &mut count);
            self.groups[slot] = leg.group;
            let profits = &profits[leg.place as usize * width..][..width];
            add_leg::<V>(&mut self.sums[slot * width..][..width], profits, leg.quantity);
        }
        (self.count, self.in_order) = (count, false);
    }

    /// Makes sure that a group has a slot, its profits zero if it has no leg.
    pub(crate) fn touch(&mut self, group: u32) {
        let slot = slot_of(&mut self.slot_of_group[group as usize], self.account, &mut self.count);
        self.groups[slot] = group;
        self.in_order = false;
        if self.count * self.width > self.sums.len() {
            self.grow(self.count * self.width);
        }
    }

    /// Groups that the account has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Rank of the group of a slot.
    #[inline(always)]
    pub(crate) fn rank(&self, slot: usize) -> usize {
        self.groups[slot] as usize
    }

    /// Puts the groups of the account in the order of their ranks.
    #[inline(always)]
    pub(crate) fn put_in_order(&mut self) {
        if !self.in_order {
            let groups = &self.groups[..self.count];
            self.order.clear();
            self.order.extend(0..groups.len() as u32);
            self.order.sort_unstable_by_key(|&slot| groups[slot as usize]);
        }
    }

    /// Slot at a place in that order.
    #[inline(always)]
    pub(crate) fn slot_at(&self, place: usize) -> usize {
        if self.in_order { place } else { self.order[place] as usize }
    }

    /// Profits of a group by chunk.
    #[inline(always)]
    pub(crate) fn profits(&self, slot: usize) -> &[Chunk] {
        &self.sums[slot * self.width..][..self.width]
    }

    /// Amounts of the long and of the short net positions of each slot.
    pub(crate) fn sum_sides(&mut self, legs: &[HeldLeg], amounts: &NetAmounts<'_>, rank_of_group: &[u32]) {
        for side in &mut self.sides {
            side.clear();
            side.resize(self.count, 0.0);
        }
        for &HeldLeg { place, quantity, .. } in legs {
            let set = amounts.set[place as usize];
            let net = &mut self.net[set as usize];
            if net.is_none() {
                self.sets.push(set);
            }
            *net = Some(net.unwrap_or(0.0) + quantity * amounts.size[place as usize]);
        }
        for set in self.sets.drain(..) {
            let net = self.net[set as usize].take().unwrap_or(0.0);
            let rank = rank_of_group[amounts.group[set as usize] as usize];
            let slot = self.slot_of_group[rank as usize].slot as usize;
            if net > 0.0 {
                self.sides[0][slot] += net * amounts.long[set as usize];
            } else {
                self.sides[1][slot] += -net * amounts.short[set as usize];
            }
        }
    }
}

/// Slot of a group of an account, the next free one if it has none yet.
#[inline(always)]
fn slot_of(known: &mut Slot, account: u32, count: &mut usize) -> usize {
    let fresh = known.account != account;
    let slot = if fresh { *count as u32 } else { known.slot };
    *known = Slot { account, slot };
    *count += usize::from(fresh);
    slot as usize
}
