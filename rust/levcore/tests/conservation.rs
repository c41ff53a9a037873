//! No quantum is lost: random batches of everything that can be closed at one instant, settled, with whoever is deleveraged for it.
//!
//! 25,000 of them, a million under `LEVCORE_TESTS=thorough`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot settle its batch has failed")]

use levcore::closing::{
    Batch, Closings, Deleveraged, Fund, Payer, Pools, Ranking, Settlement, Sharing, Standing, Wanted, Winners,
    deleverage, settle,
};

const PER_UNIT: f64 = 100.0;
const POOLS: usize = 4;

/// Small numbers, so that ties, empty purses and funds that run dry are common. SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut state = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (state ^ (state >> 31)) % limit
    }

    fn number(&mut self, most: u64) -> f64 {
        (self.below(most * 8) + 1) as f64 / 8.0
    }

    fn amount(&mut self, most: u64) -> i64 {
        self.below(most).cast_signed()
    }

    fn place(&mut self, limit: usize) -> u32 {
        self.below(limit as u64) as u32
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 0
    }

    fn column<T>(&mut self, rows: usize, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..rows).map(|_| value(self)).collect()
    }

    fn shuffled(&mut self, rows: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0_u32..).take(rows).collect();
        for place in (1..rows).rev() {
            order.swap(place, self.place(place + 1) as usize);
        }
        order
    }
}

/// A batch, and what pays.
struct Case {
    closings: [Vec<f64>; 5],
    lots: Vec<i64>,
    pool: Vec<u32>,
    purse: Vec<u32>,
    served: Vec<u32>,
    margin: Vec<i64>,
    ends: Vec<bool>,
    to_fund: Vec<bool>,
    owner: Vec<u32>,
    other_money: Vec<i64>,
    fund: Fund,
    winners_pay: bool,
    gains: i64,
    payers: Vec<Payer>,
    winner_lots: Vec<i64>,
    winner_pool: Vec<u32>,
    winner_numbers: [Vec<f64>; 7],
    winner_key: Vec<i64>,
}

fn case(random: &mut Random) -> Case {
    let rows = 1 + random.below(7) as usize;
    let purses = 1 + random.below(rows as u64) as usize;
    let mut purse: Vec<u32> = random.column(rows, |each| each.place(purses));
    for (place, first) in purse.iter_mut().take(purses).enumerate() {
        *first = place as u32;
    }
    let owners = 1 + random.below(3) as usize;
    let winners = random.below(8) as usize;
    let payers = [Payer::Fund, Payer::Deleveraging, Payer::Socialised];
    let order = random.shuffled(3);
    let asked = random.below(4) as usize;
    Case {
        closings: [
            random.column(rows, |each| each.number(4) * if each.flag() { 1.0 } else { -1.0 }),
            random.column(rows, |each| each.number(9)),
            random.column(rows, |each| each.number(9)),
            random.column(rows, |each| each.number(9)),
            random.column(rows, |each| each.number(4) / 100.0),
        ],
        lots: random.column(rows, |each| each.amount(40)),
        pool: random.column(rows, |each| each.place(POOLS)),
        purse,
        served: random.shuffled(rows),
        margin: random.column(purses, |each| each.amount(2_000) - 200),
        ends: random.column(purses, |each| each.below(5) > 0),
        to_fund: random.column(purses, Random::flag),
        owner: random.column(purses, |each| each.place(owners)),
        other_money: random.column(owners, |each| each.amount(300)),
        fund: Fund { balance: random.amount(3_000), floor: random.amount(400), largest_value: random.amount(9_000) },
        winners_pay: random.flag(),
        gains: random.amount(1_000),
        payers: order[..asked].iter().map(|&place| payers[place as usize]).collect(),
        winner_lots: random.column(winners, |each| each.amount(40)),
        winner_pool: random.column(winners, |each| each.place(POOLS)),
        winner_numbers: std::array::from_fn(|_| random.column(winners, |each| each.number(50))),
        winner_key: random.column(winners, |each| each.amount(5)),
    }
}

fn settled(case: &Case) -> (Settlement, Deleveraged) {
    let [gain, entry, trigger, fill, fee_rate] = &case.closings;
    let batch = Batch {
        closings: Closings { gain, entry, trigger, fill, fee_rate },
        lots: &case.lots,
        pool: &case.pool,
        purse: &case.purse,
        served: &case.served,
        margin: &case.margin,
        ends: &case.ends,
        to_fund: &case.to_fund,
        owner: &case.owner,
        other_money: &case.other_money,
    };
    let mut lots = vec![0; POOLS];
    for (&pool, &each) in case.winner_pool.iter().zip(&case.winner_lots) {
        lots[pool as usize] += each;
    }
    let pools = Pools { fund: case.fund, lots: &lots, winners_pay: case.winners_pay, gains: case.gains };
    let settlement = settle(&batch, &pools, &case.payers, PER_UNIT).unwrap();
    let mut wanted = [vec![0; POOLS], vec![0; POOLS]];
    for (row, &pool) in case.pool.iter().enumerate() {
        wanted[0][pool as usize] += settlement.payments.lots[row];
        wanted[1][pool as usize] += settlement.payments.paid[Payer::Deleveraging as usize][row];
    }
    let [profit, entry_value, value, wallet, equity, maintenance_margin, leverage] = &case.winner_numbers;
    let key = &case.winner_key;
    let standing = Standing { profit, entry_value, value, wallet, equity, maintenance_margin, leverage, key };
    let winners = Winners { standing, lots: &case.winner_lots, pool: &case.winner_pool };
    let wanted = Wanted { lots: &wanted[0], amount: &wanted[1] };
    let found = deleverage(Ranking::ProfitTimesLeverage, Sharing::Queue, &winners, &wanted, PER_UNIT, 0).unwrap();
    assert_eq!(found.lots.iter().sum::<i64>(), wanted.lots.iter().sum::<i64>(), "lots deleveraged are lots liquidated");
    let rest = wanted.amount.iter().sum::<i64>() - found.amount.iter().sum::<i64>();
    assert!(
        rest >= 0 && rest.unsigned_abs() <= found.lots.len() as u64,
        "rounding leaves less than a quantum a winner"
    );
    (settlement, found)
}

fn conserves(case: &Case, settlement: &Settlement) {
    let rows = case.purse.len();
    let loss =
        |row: usize| settlement.loss.to_trigger[row] + settlement.loss.past_trigger[row] + settlement.loss.fees[row];
    for purse in 0..case.margin.len() {
        let of_purse: Vec<usize> = (0..rows).filter(|&row| case.purse[row] as usize == purse).collect();
        let lost: i64 = of_purse.iter().map(|&row| loss(row)).sum();
        assert_eq!(case.margin[purse], lost + settlement.left[purse], "a purse is what it lost and what is left");
        let paid = |row: usize| settlement.payments.paid.iter().map(|payer| payer[row]).sum::<i64>();
        let covered: i64 = of_purse.iter().map(|&row| paid(row) + settlement.payments.unpaid[row]).sum();
        let missing = if case.ends[purse] { (-settlement.left[purse]).max(0) } else { 0 };
        assert_eq!(
            missing,
            covered + settlement.other_money[purse],
            "what is missing is what somebody pays, or nobody"
        );
    }
    let mut used = vec![0; case.other_money.len()];
    for (&owner, &paid) in case.owner.iter().zip(&settlement.other_money) {
        used[owner as usize] += paid;
    }
    assert!(used.iter().zip(&case.other_money).all(|(used, there)| used <= there), "nobody pays what he has not");
    let by_fund: i64 = settlement.payments.paid[Payer::Fund as usize].iter().sum();
    let kept = (0..case.margin.len()).filter(|&purse| case.ends[purse] && case.to_fund[purse]);
    let kept: i64 = kept.map(|purse| settlement.left[purse].max(0)).sum();
    assert_eq!(
        *settlement.fund.last().unwrap(),
        case.fund.balance + kept - by_fund,
        "the fund's series ends where it must"
    );
    assert!(by_fund == 0 || settlement.fund.iter().all(|&balance| balance >= case.fund.floor), "the floor holds");
    let all = settlement.payments.paid.iter().flatten().chain(&settlement.payments.unpaid);
    assert!(all.chain(&settlement.other_money).all(|&amount| amount >= 0), "nobody pays a negative amount");
}

#[test]
fn no_quantum_is_lost_in_random_batches() {
    let thorough = std::env::var("LEVCORE_TESTS").is_ok_and(|kind| kind == "thorough");
    let mut random = Random(2_026);
    let (mut paid, mut deleveraged, mut unpaid) = (0_u64, 0_u64, 0_u64);
    for _ in 0..if thorough { 1_000_000 } else { 25_000 } {
        let case = case(&mut random);
        let (settlement, winners) = settled(&case);
        conserves(&case, &settlement);
        paid += u64::from(settlement.payments.paid.iter().all(|payer| payer.iter().any(|&amount| amount > 0)));
        deleveraged += u64::from(!winners.winner.is_empty());
        unpaid += u64::from(settlement.payments.unpaid.iter().any(|&amount| amount > 0));
    }
    assert!(paid.min(deleveraged).min(unpaid) > 100, "every payer is asked often: {paid} {deleveraged} {unpaid}");
}
