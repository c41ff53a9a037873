//! Ordinary accounts whose parts move together, judged one after the other, their movers solved side by side with those of the others.
//!
//! An account is ordinary if its legs are charged one by one by lines that their values select and settle in one holding, at most two of them
//! on one mover, and if at most one holding moves with each. Nothing of it failed and no leg is flat. All others are settled alone.

use std::ops::Range;

use crate::accounts::cross::PositionedLegs;
use crate::accounts::holding::Holding;
use crate::accounts::leg::{LegTerms, frozen};
use crate::accounts::movers::{LEGS, MovedAccount, MoverTile, MoverZeros, MovingLeg};
use crate::accounts::reader::{AccountReader, STILL};
use crate::accounts::verdict::{Standing, Totals, Verdict, judge};
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::measures::BalanceMeasure;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::formulas::ray::Zeros;
use crate::job::context::{Job, PolicyPart};
use crate::machine::instruction_set::InstructionSet;
use crate::machine::vector::{HalfLine, LANES};
use crate::rules::parameters::HedgeRule;
use crate::rules::policy::Policy;

/// What one mover of the account that is read moves.
#[derive(Debug, Clone, Copy, Default)]
struct Members {
    legs: [usize; LEGS],
    count: usize,
    holding: Option<usize>,
}

/// A balance whose prices are not found yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitingBalance {
    pub row: usize,
    /// Its results, without prices.
    pub results: [f64; BalanceMeasure::COUNT],
    pub price: f64,
    /// Code of its account's state.
    pub state: u8,
    pub mover: usize,
}

/// The ordinary accounts of a block; the memory is used again.
pub(crate) struct LineUp<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    set: InstructionSet,
    reader: AccountReader<'a>,
    members: Vec<Members>,
    /// Movers of so many legs, and nothing else.
    tiles: [MoverTile<'a>; LEGS],
    /// Movers with a holding that moves itself, by the place of its asset.
    tiles_of_assets: Vec<MoverTile<'a>>,
    /// By mover of the block.
    pub zeros: Vec<MoverZeros>,
    /// By account of the block: its standing, with the price of what its legs settle in for the surplus.
    pub standings: Vec<Standing>,
    /// By leg of the block: its account and its mover.
    pub accounts: Vec<u32>,
    pub movers: Vec<u32>,
    pub balances: Vec<WaitingBalance>,
}

impl<'a> LineUp<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, set: InstructionSet) -> Self {
        let tiles_of_assets = part.policy.assets.iter().map(|_| MoverTile::default()).collect();
        Self {
            job,
            part,
            set,
            reader: AccountReader::new(job, part),
            members: Vec::new(),
            tiles: Default::default(),
            tiles_of_assets,
            zeros: Vec::new(),
            standings: Vec::new(),
            accounts: Vec::new(),
            movers: Vec::new(),
            balances: Vec::new(),
        }
    }

    /// Whether any account can be ordinary under a policy.
    pub(crate) fn has_ordinary(policy: &Policy) -> bool {
        let rules = &policy.rules;
        !rules.hedge_rule.is_by_groups() && !rules.hedge_rule_initial.is_by_groups()
    }

    /// Forgets all accounts, and makes room for so many, with so many legs.
    pub(crate) fn clear(&mut self, accounts: usize, legs: usize) {
        self.zeros.clear();
        // The first one is that of legs that no ordinary account has.
        self.zeros.push(MoverZeros::default());
        self.balances.clear();
        self.standings.clear();
        self.standings.resize(accounts, Standing::default());
        for of_leg in [&mut self.accounts, &mut self.movers] {
            of_leg.clear();
            of_leg.resize(legs, 0);
        }
    }

    /// Judges an account, the one of this number in the block, and puts its movers beside those of the others; `range` holds its legs. Says
    /// whether it did: only ordinary accounts are taken.
    pub(crate) fn take(
        &mut self,
        number: usize,
        account: &PooledAccount,
        legs: &PositionedLegs<'_>,
        range: Range<usize>,
    ) -> bool {
        let taken = self.try_to_take(number, account, legs, range.clone());
        if !taken {
            // Movers that are numbered so far are nowhere solved.
            self.movers[range].fill(0);
        }
        taken
    }

    fn try_to_take(
        &mut self,
        number: usize,
        account: &PooledAccount,
        legs: &PositionedLegs<'_>,
        range: Range<usize>,
    ) -> bool {
        let ordinary = legs.valued.status[range.clone()]
            .iter()
            .all(|&status| status < FIRST_FAILURE && status != Status::Flat as u8);
        if !ordinary {
            return false;
        }
        self.reader.begin(account);
        if self.reader.status(account) != AccountStatus::Ok {
            return false;
        }
        let first_mover = self.zeros.len();
        let Some(settlement) = self.number_movers(first_mover, legs, range.clone()) else { return false };
        let totals = self.total(settlement, legs, range.clone());
        let verdict = judge(&totals, AccountStatus::Ok, self.part.policy);
        if verdict.status != AccountStatus::Ok {
            return false;
        }
        self.job.outputs.accounts.store(account.code, verdict.measures, verdict.state, verdict.status as u8);
        let price = settlement.map_or(f64::NAN, |holding| self.reader.pool.holdings[holding].price);
        let Verdict { equity, margin_ratio, state, .. } = verdict;
        self.standings[number] = HalfLine([equity, margin_ratio, price, f64::from(state)]);
        self.accounts[range].fill(number as u32);
        self.zeros.resize(first_mover + self.members.len(), MoverZeros::default());
        self.wait_for_prices(first_mover, state);
        self.push_movers(first_mover, &verdict, settlement, legs);
        true
    }

    /// Numbers what moves, and finds the one holding that the legs settle in, if there are legs; nothing if the account is not ordinary.
    fn number_movers(
        &mut self,
        first_mover: usize,
        legs: &PositionedLegs<'_>,
        range: Range<usize>,
    ) -> Option<Option<usize>> {
        let instruments = &self.part.instruments;
        let has_balances = self.reader.has_balances;
        // The wallet, where there are no balances.
        let mut settlement = if has_balances || range.is_empty() { None } else { Some(0) };
        let mut settled_in = None;
        self.members.clear();
        for leg in range {
            let code = instruments.code_of_entry(legs.entries[leg]);
            let mut moved_by = code;
            if has_balances {
                let instrument = instruments.list[code].instrument;
                if settlement.is_none() {
                    settled_in = instrument.settlement;
                    settlement = Some(self.reader.settle_in(settled_in).ok()?);
                }
                if instrument.settlement != settled_in || instrument.contract.is_inverse() {
                    return None;
                }
                moved_by = instrument.mover as usize;
            }
            instruments.lines_of_entry(legs.entries[leg])?;
            let mover = self.reader.movers.number(moved_by);
            self.movers[leg] = (first_mover + mover) as u32;
            let members = self.members_of(mover);
            if members.count == LEGS {
                return None;
            }
            members.legs[members.count] = leg;
            members.count += 1;
            if members.count == LEGS && !self.may_be_pair(self.members[mover].legs, legs) {
                return None;
            }
        }
        for holding in 0..self.reader.mover_of_holding.len() {
            let mover = self.reader.mover_of_holding[holding];
            if mover != STILL {
                let mover = self.reader.movers.number(mover);
                if self.members_of(mover).holding.replace(holding).is_some() {
                    return None;
                }
            }
        }
        Some(settlement)
    }

    fn members_of(&mut self, mover: usize) -> &mut Members {
        if mover == self.members.len() {
            self.members.push(Members::default());
        }
        &mut self.members[mover]
    }

    /// Whether two legs of one mover can be charged one by one: they are in two instruments, or on both sides of one.
    fn may_be_pair(&self, [one, other]: [usize; LEGS], legs: &PositionedLegs<'_>) -> bool {
        let code = |leg: usize| self.part.instruments.code_of_entry(legs.entries[leg]);
        let is_long = |leg: usize| legs.signed[leg] > 0.0;
        let is_hedge = self.job.layout.pooled.hedge && is_long(one) != is_long(other);
        code(one) != code(other) || (is_hedge && self.part.policy.rules.hedge_rule != HedgeRule::Covered)
    }

    /// Sums of the account: holdings in their order, then legs in the order of rows.
    fn total(&mut self, settlement: Option<usize>, legs: &PositionedLegs<'_>, range: Range<usize>) -> Totals {
        let (policy, pool) = (self.part.policy, &mut self.reader.pool);
        let amounts = &legs.valued.amounts[range];
        if let Some(holding) = settlement {
            let profit = &mut pool.holdings[holding].profit;
            amounts.iter().for_each(|[own, ..]| *profit += own);
        }
        let mut totals = pool.count_holdings(policy);
        if let Some(holding) = settlement {
            let holding = &mut pool.holdings[holding];
            for &[_, requirement, initial_margin, maintenance_margin] in amounts {
                totals.require(holding.margin_price, requirement, maintenance_margin);
                totals.open(holding.margin_price, initial_margin);
                holding.settle(requirement, policy);
            }
        }
        totals
    }

    /// Keeps the balances until the zeros of their movers are found.
    fn wait_for_prices(&mut self, first_mover: usize, state: u8) {
        let reader = &self.reader;
        for balance in &reader.balances {
            let holding = &reader.pool.holdings[balance.holding];
            let mover = first_mover + reader.movers.known(reader.mover_of_holding[balance.holding]);
            let results = holding.results(Zeros { lower: f64::NAN, upper: f64::NAN });
            self.balances.push(WaitingBalance { row: balance.row, results, price: holding.price, state, mover });
        }
    }

    fn push_movers(
        &mut self,
        first_mover: usize,
        verdict: &Verdict,
        settlement: Option<usize>,
        legs: &PositionedLegs<'_>,
    ) {
        let (policy, reader) = (self.part.policy, &self.reader);
        let holdings: &[Holding<'a>] = &reader.pool.holdings;
        let Verdict { surplus, equity, .. } = *verdict;
        for (mover, members) in self.members.iter().enumerate() {
            let own = members.legs[..members.count].iter();
            let mut moving = [MovingLeg::NONE; LEGS];
            for (moving, &leg) in moving.iter_mut().zip(own) {
                *moving = self.part.moving_leg(legs, leg);
            }
            let settlement = settlement.filter(|_| members.count > 0).map(|holding| &holdings[holding]);
            let account = MovedAccount { surplus, equity, settlement };
            let moved = members.holding.map(|holding| &holdings[holding]);
            let tile = match members.holding.and_then(|holding| reader.place_of_holding(holding)) {
                Some(place) => &mut self.tiles_of_assets[place],
                None => &mut self.tiles[members.count - 1],
            };
            if !tile.takes(&account) {
                tile.solve(policy, self.set, &mut self.zeros);
            }
            tile.push(first_mover + mover, &account, &moving[..members.count], moved);
            if tile.count == LANES {
                tile.solve(policy, self.set, &mut self.zeros);
            }
        }
    }

    /// Finds the zeros of the movers that no tile was full of.
    pub(crate) fn solve_rest(&mut self) {
        for tile in self.tiles.iter_mut().chain(&mut self.tiles_of_assets) {
            tile.solve(self.part.policy, self.set, &mut self.zeros);
        }
    }
}

impl PolicyPart<'_> {
    /// A leg of an ordinary account as its mover takes it.
    #[inline(always)]
    fn moving_leg(&self, legs: &PositionedLegs<'_>, leg: usize) -> MovingLeg {
        let [_, requirement, ..] = legs.valued.amounts[leg];
        let signed = legs.signed[leg];
        let terms = LegTerms {
            value: signed.abs(),
            charged: 1.0,
            frozen: frozen(requirement * self.policy.trigger, legs.valued.released[leg]),
            reciprocal: false,
        };
        let place = self.instruments.lines_of_entry(legs.entries[leg]).unwrap_or_default();
        MovingLeg { gain: signed, terms, place }
    }
}
