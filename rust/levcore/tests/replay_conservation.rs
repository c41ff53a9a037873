//! Random small replays lose no quantum: what positions, fund, traders, market, venue and debtors gain together is nothing.
//!
//! 10,000 of them, a million under `LEVCORE_TESTS=thorough`. Books of up to twelve positions, isolated and cross, in two instruments; walks
//! with jumps; funding, ends, every order of payers, funds that run dry.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its book has failed")]

use levcore::closing::{NextStep, Payer, Ranking, Step as Closes, StepRule};
use levcore::live::Market;
use levcore::replay::{
    Event, EventKind, LadderKey, Opening, Replay, ReplayRules, ReplayedBook, Step, StepRules, TierLadder,
};
use levcore::{
    Book, Codes, Contract, HedgeRule, InstructionSet, Keys, Layout, Payoff, Policy, PolicyAtMarks, Rules, Terms,
    TierKey, TierTable,
};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }
}

const PER_UNIT: f64 = 1e4;
const START: [f64; 2] = [100.0, 8.0];

fn policy() -> Policy {
    let rules = Rules { hedge_rule: HedgeRule::LargerLeg, hedge_rule_initial: HedgeRule::LargerLeg, ..Rules::plain() };
    let linear = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
    let tiers = TierTable::new(TierKey::Value, &[0.0, 300.0], &[0.01, 0.03], &[0.0, 6.0], f64::INFINITY).unwrap();
    let terms = [Terms::new(linear, TierTable::single_rate(0.004).unwrap()), Terms::new(linear, tiers)];
    Policy::new(rules, &terms).unwrap()
}

/// Columns of a book with its money.
#[derive(Default)]
struct Drawn {
    instrument: Vec<u32>,
    quantity: Vec<f64>,
    entry: Vec<f64>,
    leverage: Vec<f64>,
    cross: Vec<bool>,
    account: Vec<u32>,
    key: Vec<i64>,
    margin: Vec<i64>,
    wallet: Vec<i64>,
}

impl Drawn {
    /// Rows in the order in which claims are served; an account has at most one leg a side of an instrument.
    fn new(random: &mut Random) -> Self {
        let mut drawn = Self { wallet: vec![0; 3], ..Self::default() };
        let mut taken = Vec::new();
        for row in 0..2 + random.below(11) {
            let (code, account) = (random.below(2) as u32, random.below(3) as u32);
            let long = random.chance(0.5);
            let cross = random.chance(0.5) && !taken.contains(&(code, account, long));
            taken.push((code, account, long));
            let size = (1.0 + random.unit() * 40.0).round() / if code == 0 { 10.0 } else { 1.0 };
            let entry = START[code as usize] * (0.97 + 0.06 * random.unit());
            let leverage = 2.0 + random.below(30) as f64;
            let margin = (size * entry / leverage * PER_UNIT).round() as i64;
            drawn.instrument.push(code);
            drawn.quantity.push(if long { size } else { -size });
            drawn.entry.push(entry);
            drawn.leverage.push(leverage);
            drawn.cross.push(cross);
            drawn.account.push(account);
            drawn.key.push(row.cast_signed());
            drawn.margin.push(if cross { 0 } else { margin });
            drawn.wallet[account as usize] += if cross { margin } else { 0 };
        }
        drawn
    }

    fn book(&self) -> Book<'_> {
        Book {
            instrument: &self.instrument,
            quantity: &self.quantity,
            entry_price: &self.entry,
            isolated_margin: None,
            leverage: Some(&self.leverage),
            accrued_funding: None,
            risk_limit: None,
            wallet_balance: &[],
            account_status: None,
            balances: None,
        }
    }

    fn layout(&self) -> Layout {
        let keys = Keys {
            instrument: Codes { of_row: &self.instrument, labels: 2 },
            policy: None,
            cross: Some(&self.cross),
            account: Codes { of_row: &self.account, labels: 3 },
            balances: None,
            hedge: true,
            pool_all: false,
        };
        Layout::new(&keys).unwrap()
    }

    /// Money of everything that takes part: margins of isolated rows and all wallets.
    fn money(&self) -> i64 {
        self.margin.iter().chain(&self.wallet).sum()
    }
}

fn rules(random: &mut Random) -> ReplayRules {
    let orders: [&[Payer]; 6] = [
        &[],
        &[Payer::Fund],
        &[Payer::Fund, Payer::Deleveraging],
        &[Payer::Deleveraging],
        &[Payer::Socialised, Payer::Fund],
        &[Payer::Fund, Payer::Deleveraging, Payer::Socialised],
    ];
    ReplayRules {
        fee_rate: if random.chance(0.5) { 0.001 } else { 0.0 },
        slippage: if random.chance(0.3) { 0.01 } else { 0.0 },
        to_fund: random.chance(0.5),
        payers: orders[random.below(6) as usize].to_vec(),
        ranking: if random.chance(0.5) { Ranking::ProfitTimesMarginRatio } else { Ranking::Random },
        winners_pay: random.chance(0.7),
        fund_floor: 0,
        largest_value: i64::MAX,
        per_unit: PER_UNIT,
        lots_per_unit: 10.0,
        seed: random.next(),
        steps: steps(random),
    }
}

/// Everything at once, or any steps.
fn steps(random: &mut Random) -> StepRules {
    if random.chance(0.4) {
        return StepRules::whole();
    }
    let rule = |random: &mut Random| StepRule {
        step: [Closes::Whole, Closes::Share, Closes::Tiers, Closes::LargestLoss][random.below(4) as usize],
        share: 0.1 + 0.5 * random.unit(),
        whole_up_to: if random.chance(0.3) { 50.0 } else { 0.0 },
        least: if random.chance(0.3) { 20.0 } else { 0.0 },
    };
    let level = |random: &mut Random, level: f64| random.chance(0.3).then_some(level);
    let tiers = |floors: &[f64]| TierLadder { key: LadderKey::Quote, floors: floors.to_vec() };
    StepRules {
        cross: rule(random),
        isolated: rule(random),
        nets: random.chance(0.5),
        next: [NextStep::Whole, NextStep::Same, NextStep::Again][random.below(3) as usize],
        whole_level: level(random, 2.0),
        take_over_level: level(random, 1.5),
        exit_level: level(random, 0.9),
        cooldown: if random.chance(0.5) { 3.0 } else { 0.0 },
        tiers: random.below(2) as usize,
        ladders: vec![[tiers(&[0.0]), tiers(&[0.0])], [tiers(&[0.0, 300.0]), tiers(&[0.0, 300.0])]],
    }
}

/// What each side of a replay has gained, from its events alone, but for what positions and fund have at the end.
fn gains(replay: &Replay) -> i64 {
    let of = |event: &Event| {
        let closed = matches!(event.kind, EventKind::Liquidation | EventKind::Netting | EventKind::Delisting);
        let returned = event.left - event.kept_by_fund;
        let rounding = -(event.deleveraging + event.socialised);
        debug_assert!(closed || event.deleveraging <= 0);
        event.to_trigger + event.past_trigger + event.fees + returned + rounding - event.unpaid
    };
    replay.events.iter().map(of).sum::<i64>() + replay.funding
}

/// One random replay; how many events of each kind it had.
fn conserves(random: &mut Random, policy: &Policy) -> [usize; 5] {
    let (drawn, rules) = (Drawn::new(random), rules(random));
    let fund = [0, 30_000, 1_000_000_000][random.below(3) as usize];
    let layout = drawn.layout();
    let places = [Some(0), Some(1)];
    let given = PolicyAtMarks { policy, places: &places, marks: &START, places_of_assets: &[], asset_prices: &[] };
    let mut market = Market::new(&given, &layout, InstructionSet::Baseline).unwrap();
    let opening = Opening {
        cross: &drawn.cross,
        account: &drawn.account,
        key: &drawn.key,
        margin: &drawn.margin,
        wallet: &drawn.wallet,
    };
    let book = ReplayedBook::new(&drawn.book(), 2, &opening, PER_UNIT).unwrap();
    let mut replay = Replay::new(book, rules, fund, &mut market).unwrap();
    let mut marks = START;
    for step in 0..12 {
        let mut prices = Vec::new();
        for (code, mark) in (0..).zip(&mut marks) {
            let far = if random.chance(0.2) { 0.5 } else { 0.04 };
            *mark *= 1.0 + far * (random.unit() - 0.5);
            prices.push((code, *mark));
        }
        let funding = [(random.below(2) as u32, 0.02 * (random.unit() - 0.5))];
        let funding = if random.chance(0.2) { &funding[..] } else { &[] };
        let delisted = if step == 9 && random.chance(0.2) { &[1][..] } else { &[] };
        let time = f64::from(step);
        replay.step(&mut market, &Step { time, prices: &prices, funding, delisted, sample: true }).unwrap();
    }
    let (_, margin, wallet) = replay.book().state();
    let money: i64 = margin.iter().chain(wallet).sum();
    assert_eq!(money - drawn.money() + replay.fund() - fund + gains(&replay), 0);
    assert_eq!(replay.samples.last().unwrap().margins, money);
    let mut kinds = [0; 5];
    replay.events.iter().for_each(|event| kinds[event.kind as usize] += 1);
    kinds
}

#[test]
fn no_quantum_is_lost() {
    let thorough = std::env::var("LEVCORE_TESTS").is_ok_and(|kind| kind == "thorough");
    let (mut random, policy) = (Random(2026), policy());
    let mut kinds = [0; 5];
    for _ in 0..if thorough { 1_000_000 } else { 10_000 } {
        for (sum, of_one) in kinds.iter_mut().zip(conserves(&mut random, &policy)) {
            *sum += of_one;
        }
    }
    assert!(kinds.iter().all(|&count| count > 300), "{kinds:?}");
}
