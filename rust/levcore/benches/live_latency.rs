//! Ticks of a live book one at a time, paced, beside the same loop without them: what the machine itself adds.
//!
//! `cargo bench --bench live_latency -- [ACCOUNTS] [TICKS] [TICKS A SECOND] [LEVERAGE]`
//!
//! The time of a tick counts from when it was due, not from when the loop came to it: a tick that waits behind a slow one is slow, too.
//! Where others use the machine, the spin alone shows no less than they take. So there is a second account: the same ticks several times as
//! fast as they go, of each tick the least time that it took, and the times of a queue that they come into at the pace.

#![allow(clippy::print_stdout, reason = "a bench has a terminal")]

use std::time::{Duration, Instant};

use levcore::live::{Event, Levels, LiveBook, LiveKeys, Ticks, Watched};
use levcore::{Book, Contract, Error, InstructionSet, Payoff, Policy, PolicyAtMarks, Rules, Terms, TierKey, TierTable};

const INSTRUMENTS: usize = 100;
const LEGS: usize = 5;
const STEP: f64 = 5e-4;
/// How many times the same ticks pass as fast as they go.
const ROUNDS: usize = 7;

/// Uniform numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.below(1 << 20) as f64 / f64::from(1 << 20))
    }
}

/// Columns of accounts with some legs each, at a price of 100, whose value is twice to so many times what they have.
#[derive(Default)]
struct Columns {
    instrument: Vec<u32>,
    quantity: Vec<f64>,
    entry_price: Vec<f64>,
    account: Vec<u32>,
    wallet: Vec<f64>,
}

impl Columns {
    fn of(accounts: usize, leverage: usize, random: &mut Random) -> Self {
        let mut columns = Self::default();
        for account in 0..accounts as u32 {
            let (first, mut gross) = (random.below(INSTRUMENTS as u64) as u32, 0.0);
            for leg in 0..LEGS as u32 {
                let size = random.between(1.0, 20.0) * random.between(1.0, 20.0);
                columns.instrument.push((first + 17 * leg) % INSTRUMENTS as u32);
                columns.quantity.push(if random.below(2) == 0 { size } else { -size });
                columns.entry_price.push(100.0);
                columns.account.push(account);
                gross += 100.0 * size;
            }
            columns.wallet.push(gross / random.between(2.0, leverage as f64));
        }
        columns
    }

    fn book(&self) -> Book<'_> {
        Book {
            instrument: &self.instrument,
            quantity: &self.quantity,
            entry_price: &self.entry_price,
            isolated_margin: None,
            leverage: None,
            accrued_funding: None,
            risk_limit: None,
            wallet_balance: &self.wallet,
            account_status: None,
            balances: None,
        }
    }
}

/// Does something at the times at which it is due; nanoseconds from then until each is done.
fn paced(times: usize, apart: Duration, mut work: impl FnMut(usize) -> Result<(), Error>) -> Result<Vec<u64>, Error> {
    let (start, mut taken) = (Instant::now(), Vec::with_capacity(times));
    for number in 0..times {
        let due = start + apart * number as u32;
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        work(number)?;
        taken.push(due.elapsed().as_nanos() as u64);
    }
    Ok(taken)
}

/// Does something as fast as it goes; nanoseconds that each takes.
fn at_once(times: usize, mut work: impl FnMut(usize) -> Result<(), Error>) -> Result<Vec<u64>, Error> {
    let mut taken = Vec::with_capacity(times);
    for number in 0..times {
        let start = Instant::now();
        work(number)?;
        taken.push(start.elapsed().as_nanos() as u64);
    }
    Ok(taken)
}

/// Nanoseconds from when each was due until it is done, if each waits for the one before.
fn queued(taken: &[u64], apart: Duration) -> Vec<u64> {
    let (mut free, mut due) = (0, 0);
    let mut wait = |taken: &u64| {
        free = due.max(free) + taken;
        let waited = free - due;
        due += apart.as_nanos() as u64;
        waited
    };
    taken.iter().map(&mut wait).collect()
}

fn report(what: &str, mut taken: Vec<u64>) {
    taken.sort_unstable();
    let at = |of_ten_thousand: usize| taken[(taken.len() - 1) * of_ten_thousand / 10_000] as f64 / 1_000.0;
    let [half, tail, far, farther, most] = [5_000, 9_900, 9_990, 9_999, 10_000].map(at);
    println!("{what:<12} p50 {half:.2}  p99 {tail:.2}  p99.9 {far:.2}  p99.99 {farther:.2}  most {most:.2} us");
}

fn main() -> Result<(), Error> {
    let mut given = std::env::args().skip(1).map(|word| word.parse::<usize>().unwrap_or(0));
    let [accounts, ticks, rate, leverage] =
        [200_000, 1_000_000, 1_000_000, 10].map(|usual| given.next().unwrap_or(usual));
    let mut random = Random(1);
    let tiers =
        TierTable::new(TierKey::Value, &[0.0, 50_000.0, 600_000.0], &[0.004, 0.005, 0.0065], &[0.0, 50.0, 950.0], 3e8)?;
    let linear = Contract::new(Payoff::Linear, 1.0, 1.0)?;
    let terms: Vec<Terms> = (0..INSTRUMENTS).map(|_| Terms::new(linear, tiers.clone())).collect();
    let policy = Policy::new(Rules::plain(), &terms)?;
    let places: Vec<Option<usize>> = (0..INSTRUMENTS).map(Some).collect();
    let mut marks = vec![100.0; INSTRUMENTS];
    let first = marks.clone();
    let levels =
        [PolicyAtMarks { policy: &policy, places: &places, marks: &first, places_of_assets: &[], asset_prices: &[] }];
    let columns = Columns::of(accounts, leverage, &mut random);
    let rows = columns.quantity.len();
    let keys = LiveKeys {
        cross: vec![true; rows],
        account: columns.account.clone(),
        instruments: INSTRUMENTS,
        ..LiveKeys::default()
    };
    let set = InstructionSet::from_environment()?;
    let armed = || LiveBook::new(&columns.book(), keys.clone(), &levels, Watched::of(&[]), set);
    let walk: Vec<Tick> = (0..ticks)
        .map(|_| {
            let code = random.below(INSTRUMENTS as u64) as usize;
            marks[code] *= if random.below(2) == 0 { 1.0 + STEP } else { 1.0 / (1.0 + STEP) };
            ([code as u32], [marks[code]])
        })
        .collect();
    let apart = Duration::from_nanos(1_000_000_000 / rate.max(1) as u64);
    report("spin alone", paced(ticks, apart, |_| Ok(()))?);
    let (mut live, mut told) = (armed()?, Vec::new());
    report("paced", {
        let mut tick = ticking(&mut live, &levels, set, &walk, &mut told);
        paced(ticks, apart, &mut tick)?
    });
    println!(
        "{rows} positions, {ticks} ticks, {rate} a second, {} with events, {} evaluations",
        told.len(),
        live.examined()
    );
    let mut least = vec![u64::MAX; ticks];
    for _ in 0..ROUNDS {
        let mut live = armed()?;
        told.clear();
        let taken = at_once(ticks, ticking(&mut live, &levels, set, &walk, &mut told))?;
        least.iter_mut().zip(taken).for_each(|(least, taken)| *least = taken.min(*least));
    }
    println!("as fast as they go: {:.0} ticks a second", 1e9 * ticks as f64 / least.iter().sum::<u64>() as f64);
    report("queued", queued(&least, apart));
    report("alone", least.clone());
    if !told.is_empty() {
        report("with events", told.iter().map(|&number| least[number]).collect());
    }
    Ok(())
}

type Tick = ([u32; 1], [f64; 1]);

/// Passes the tick with a number; `told` gets the numbers of those that are events to anybody.
fn ticking<'a>(
    live: &'a mut LiveBook,
    levels: Levels<'a, 'a>,
    set: InstructionSet,
    walk: &'a [Tick],
    told: &'a mut Vec<usize>,
) -> impl FnMut(usize) -> Result<(), Error> + 'a {
    let (mut session, mut events) = (live.session(levels, set), Vec::<Event>::with_capacity(1 << 16));
    move |number| {
        let (instrument, price) = &walk[number];
        events.clear();
        session.ticks(&Ticks { starts: &[0, 1], instrument, price }, &mut events)?;
        if !events.is_empty() {
            told.push(number);
        }
        Ok(())
    }
}
