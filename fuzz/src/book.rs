//! Whole books under random rules: evaluation, distances, quantities to close, each leg left out.

use levcore::book::BalanceKeys;
use levcore::codes::FIRST_FAILURE;
use levcore::{
    AccountMeasure, AccountOutputs, Asset, BalanceMeasure, BalanceOutputs, Balances, Basis, Betas, Book, ByMeasure,
    Codes, Contract, DistanceOutputs, Execution, FeeBasis, HedgeRule, InstructionSet, Keys, Layout, Measure, Outputs,
    Payoff, Policy, PolicyAtMarks, Result, Rules, Status, Terms, Threshold, TierKey, TierTable,
    evaluate as evaluate_book, leave_one_out, measure_distances, measure_distances_without, quantities_to_close,
};

use super::bytes::Bytes;

const MOST_ROWS: usize = 80;
const MOST_INSTRUMENTS: usize = 4;
const MOST_ACCOUNTS: usize = 6;
const MOST_BALANCES: usize = 10;
const MOST_ASSETS: usize = 3;

/// Columns of a book, their keys, and what the policy makes of their codes.
struct Columns {
    instrument: Vec<u32>,
    quantity: Vec<f64>,
    entry_price: Vec<f64>,
    optional: [Option<Vec<f64>>; 4],
    cross: Option<Vec<bool>>,
    account: Vec<u32>,
    accounts: usize,
    wallet_balance: Vec<f64>,
    hedge: bool,
    balances: Option<OfAssets>,
    instruments: usize,
    places: Vec<Option<usize>>,
    marks: Vec<f64>,
    places_of_assets: Vec<Option<usize>>,
    asset_prices: Vec<f64>,
}

struct OfAssets {
    account: Vec<u32>,
    asset: Vec<u32>,
    assets: usize,
    balance: Vec<f64>,
    liability: Option<Vec<f64>>,
    interest: Option<Vec<f64>>,
}

fn tiers(bytes: &mut Bytes<'_>) -> Result<TierTable> {
    match bytes.below(4) {
        0 => TierTable::single_rate(bytes.number() * 1e-3),
        1 => TierTable::growing(bytes.number() * 1e-4, bytes.number() * 1e-4, bytes.number() * 1e3),
        2 => {
            let mut tables = [Vec::new(), Vec::new(), Vec::new()];
            for _ in 0..bytes.below(5) {
                tables.iter_mut().for_each(|column| column.push(bytes.number()));
            }
            let key = TierKey::TABLE[bytes.below(TierKey::TABLE.len())].value;
            TierTable::new(key, &tables[0], &tables[1], &tables[2], bytes.number())
        }
        _ => {
            let (mut floors, mut rates, mut deductions) =
                (vec![0.0], vec![f64::from(bytes.byte()) / 4096.0], vec![0.0]);
            for tier in 0..bytes.below(4) {
                let floor = floors[tier] + f64::from(bytes.byte()) * 64.0 + 1.0;
                let rate = rates[tier] + f64::from(bytes.byte()) / 4096.0;
                deductions.push(deductions[tier] + floor * (rate - rates[tier]));
                floors.push(floor);
                rates.push(rate);
            }
            let key = if bytes.flag() { TierKey::Value } else { TierKey::UnitValue };
            TierTable::new(key, &floors, &rates, &deductions, f64::INFINITY)
        }
    }
}

fn terms(bytes: &mut Bytes<'_>) -> Result<Terms> {
    let payoff = [Payoff::Linear, Payoff::Inverse, Payoff::Quanto][bytes.below(3)];
    let contract = Contract::new(payoff, bytes.number().abs(), bytes.number().abs())?;
    let mut terms = Terms::new(contract, tiers(bytes)?);
    if bytes.flag() {
        terms.short = tiers(bytes).ok();
    }
    if bytes.flag() {
        terms.initial = tiers(bytes).ok();
    }
    if bytes.flag() {
        terms.settlement = Some(bytes.below(MOST_ASSETS));
    }
    terms.mover = bytes.below(3) as u32;
    Ok(terms)
}

fn threshold(bytes: &mut Bytes<'_>) -> Threshold {
    Threshold { level: bytes.flag().then(|| bytes.number()), inclusive: bytes.flag() }
}

fn rules(bytes: &mut Bytes<'_>) -> Rules {
    let basis = |bytes: &mut Bytes<'_>| Basis::TABLE[bytes.below(Basis::TABLE.len())].value;
    let fee = |bytes: &mut Bytes<'_>| FeeBasis::TABLE[bytes.below(FeeBasis::TABLE.len())].value;
    let hedge = |bytes: &mut Bytes<'_>| HedgeRule::TABLE[bytes.below(HedgeRule::TABLE.len())].value;
    Rules {
        requirement_isolated: basis(bytes),
        requirement_cross: basis(bytes),
        initial_at_entry_isolated: bytes.flag(),
        initial_at_entry_cross: bytes.flag(),
        return_at_mark: bytes.flag(),
        initial_from_table: bytes.flag(),
        fee_basis_isolated: fee(bytes),
        fee_basis_cross: fee(bytes),
        fee_rate: bytes.number() * 1e-3,
        fee_in_initial: bytes.flag(),
        reserve_at_bankruptcy: bytes.flag(),
        fee_in_maintenance: bytes.flag(),
        fee_in_bankruptcy: bytes.flag().then(|| bytes.flag()),
        warning: threshold(bytes),
        margin_call: threshold(bytes),
        liquidation_level: if bytes.flag() { 1.0 } else { bytes.number() },
        liquidation_inclusive: bytes.flag(),
        hedge_rule: hedge(bytes),
        hedge_rule_initial: hedge(bytes),
        covered_share: if bytes.flag() { 0.5 } else { bytes.number() },
        liabilities_as_requirement: bytes.flag(),
        margins_at_liability_weight: bytes.flag(),
    }
}

fn policy(bytes: &mut Bytes<'_>, with_assets: bool) -> Result<Policy> {
    let rules = rules(bytes);
    let instruments: Vec<Terms> = (0..bytes.below(MOST_INSTRUMENTS + 1)).filter_map(|_| terms(bytes).ok()).collect();
    let policy = Policy::new(rules, &instruments)?;
    if !with_assets {
        return Ok(policy);
    }
    let mut assets = Vec::new();
    for _ in 0..bytes.below(MOST_ASSETS + 1) {
        let weights = if bytes.flag() { vec![1.0] } else { vec![1.0, 0.9, f64::from(bytes.byte()) / 255.0] };
        let floors = (0..weights.len()).map(|place| place as f64 * 100.0).collect::<Vec<_>>();
        let (maintenance, initial) = (tiers(bytes).ok(), tiers(bytes).ok());
        assets.push((
            Asset::new(&floors, &weights, bytes.flag(), 1.0 + f64::from(bytes.byte()) / 64.0, maintenance, initial)?,
            bytes.below(3) as u32,
        ));
    }
    policy.with_assets(assets)
}

/// A place of a policy, now and then none, now and then one that there is not.
fn places(bytes: &mut Bytes<'_>, count: usize, known: usize) -> Vec<Option<usize>> {
    let place = |bytes: &mut Bytes<'_>| match bytes.byte() {
        0..=15 => None,
        255 => Some(known),
        byte => (known > 0).then(|| usize::from(byte) % known.max(1)),
    };
    (0..count).map(|_| place(bytes)).collect()
}

fn columns(bytes: &mut Bytes<'_>, policy: &Policy, with_balances: bool) -> Columns {
    let (rows, accounts) = (bytes.below(MOST_ROWS), bytes.below(MOST_ACCOUNTS) + 1);
    let instruments = bytes.below(MOST_INSTRUMENTS) + 1;
    let balances = with_balances.then(|| {
        let (count, assets) = (bytes.below(MOST_BALANCES), bytes.below(MOST_ASSETS) + 1);
        OfAssets {
            account: bytes.codes(count, accounts),
            asset: bytes.codes(count, assets),
            assets,
            balance: bytes.numbers(count),
            liability: bytes.flag().then(|| bytes.numbers(count)),
            interest: bytes.flag().then(|| bytes.numbers(count)),
        }
    });
    let assets = balances.as_ref().map_or(0, |balances| balances.assets);
    let assets_of_policy = if bytes.byte() == 255 { MOST_ASSETS + 1 } else { policy.asset_count() };
    Columns {
        instruments,
        places: places(bytes, instruments, policy.instrument_count()),
        marks: bytes.numbers(instruments),
        places_of_assets: places(bytes, assets, assets_of_policy),
        asset_prices: bytes.numbers(assets_of_policy),
        hedge: bytes.flag(),
        wallet_balance: bytes.numbers(accounts),
        balances,
        accounts,
        instrument: bytes.codes(rows, instruments),
        account: bytes.codes(rows, accounts),
        cross: bytes.flag().then(|| bytes.flags(rows)),
        optional: std::array::from_fn(|_| bytes.flag().then(|| bytes.numbers(rows))),
        quantity: bytes.numbers(rows),
        entry_price: bytes.numbers(rows),
    }
}

impl Columns {
    fn keys(&self, pool_all: bool) -> Keys<'_> {
        let balances = self.balances.as_ref().map(|balances| BalanceKeys {
            account: Codes { of_row: &balances.account, labels: self.accounts },
            asset: Codes { of_row: &balances.asset, labels: balances.assets },
            policy: None,
        });
        Keys {
            cross: self.cross.as_deref(),
            account: Codes { of_row: &self.account, labels: self.accounts },
            balances,
            hedge: self.hedge,
            pool_all,
            ..Keys::isolated(&self.instrument, self.instruments)
        }
    }

    fn book(&self) -> Book<'_> {
        let [isolated_margin, leverage, accrued_funding, risk_limit] = self.optional.each_ref().map(Option::as_deref);
        Book {
            instrument: &self.instrument,
            quantity: &self.quantity,
            entry_price: &self.entry_price,
            isolated_margin,
            leverage,
            accrued_funding,
            risk_limit,
            wallet_balance: &self.wallet_balance,
            account_status: None,
            balances: self.balances.as_ref().map(|balances| Balances {
                asset: &balances.asset,
                balance: &balances.balance,
                liability: balances.liability.as_deref(),
                interest: balances.interest.as_deref(),
            }),
        }
    }

    fn at_marks<'a>(&'a self, policy: &'a Policy) -> [PolicyAtMarks<'a>; 1] {
        [PolicyAtMarks {
            policy,
            places: &self.places,
            marks: &self.marks,
            places_of_assets: &self.places_of_assets,
            asset_prices: &self.asset_prices,
        }]
    }
}

/// What an evaluation wrote: numbers and codes of rows, accounts and balances.
struct Written {
    numbers: [Vec<Vec<f64>>; 3],
    codes: [Vec<u8>; 5],
}

fn evaluated(columns: &Columns, layout: &Layout, policy: &Policy, execution: Execution<'_>) -> Result<Written> {
    let (rows, accounts) = (columns.quantity.len(), columns.accounts);
    let balances = columns.balances.as_ref().map_or(0, |balances| balances.balance.len());
    let mut written = Written {
        numbers: [
            vec![vec![77.0; rows]; Measure::COUNT],
            vec![vec![77.0; accounts]; AccountMeasure::COUNT],
            vec![vec![77.0; balances]; BalanceMeasure::COUNT],
        ],
        codes: [vec![77; rows], vec![77; rows], vec![77; accounts], vec![77; accounts], vec![77; balances]],
    };
    let [of_rows, of_accounts, of_balances] = &mut written.numbers;
    let [state, status, account_state, account_status, balance_status] = &mut written.codes;
    let mut of_rows = of_rows.iter_mut().map(Vec::as_mut_slice);
    let of_accounts: Vec<&mut [f64]> = of_accounts.iter_mut().map(Vec::as_mut_slice).collect();
    let of_balances: Vec<&mut [f64]> = of_balances.iter_mut().map(Vec::as_mut_slice).collect();
    let (Ok(of_accounts), Ok(of_balances)) = (of_accounts.try_into(), of_balances.try_into()) else { unreachable!() };
    let outputs = Outputs::new(
        ByMeasure::from_fn(|_| of_rows.next()),
        state,
        status,
        AccountOutputs::new(of_accounts, account_state, account_status),
        BalanceOutputs::new(of_balances, balance_status),
    );
    evaluate_book(&columns.book(), layout, &columns.at_marks(policy), &outputs, execution)?;
    Ok(written)
}

impl Written {
    /// Bit patterns, all NaN alike.
    fn bits(&self) -> Vec<u64> {
        let bits = |number: &f64| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
        let numbers = self.numbers.iter().flatten().flatten().map(bits);
        numbers.chain(self.codes.iter().flatten().map(|&code| u64::from(code))).collect()
    }
}

fn evaluate_on_all(columns: &Columns, policy: &Policy) {
    let Ok(layout) = Layout::new(&columns.keys(false)) else { return };
    let Ok(mut order) = layout.row_order() else { return };
    order.sort_unstable();
    assert!(order.iter().enumerate().all(|(row, &found)| row == found as usize));
    let on = |set, threads| evaluated(columns, &layout, policy, Execution { set, threads, interrupted: &mut || false });
    let one = on(InstructionSet::Baseline, 1);
    let best = InstructionSet::TABLE.iter().rev().map(|word| word.value).find(|set| set.is_available());
    let other = on(best.unwrap_or(InstructionSet::Baseline), 2);
    match (&one, &other) {
        (Ok(one), Ok(other)) => assert!(one.bits() == other.bits()),
        _ => assert_eq!(one.is_err(), other.is_err()),
    }
    let Ok(written) = one else { return };
    for (row, &status) in written.codes[1].iter().enumerate() {
        assert!(Status::TABLE.iter().any(|word| word.value as u8 == status));
        if status >= FIRST_FAILURE {
            assert!(written.numbers[0].iter().all(|column| column[row].is_nan()));
        }
    }
}

fn ask_all(columns: &Columns, policy: &Policy, bytes: &mut Bytes<'_>) {
    let Ok(layout) = Layout::new(&columns.keys(true)) else { return };
    let (book, policies) = (columns.book(), columns.at_marks(policy));
    let (rows, accounts) = (columns.quantity.len(), columns.accounts);
    // The door lets finite betas in only.
    let finite = |beta: f64| if beta.is_finite() { beta } else { 1.0 };
    let of_instruments: Vec<f64> = bytes.numbers(columns.instruments).into_iter().map(finite).collect();
    let of_assets: Vec<f64> = bytes.numbers(columns.asset_prices.len()).into_iter().map(finite).collect();
    let betas = [Betas { of_instruments: &of_instruments, of_assets: &of_assets }];
    for (places, without) in [(accounts, false), (rows, true)] {
        let (mut lower, mut upper, mut status) = (vec![77.0; places], vec![77.0; places], vec![77; places]);
        let outputs = DistanceOutputs::new(&mut lower, &mut upper, &mut status);
        let execution = Execution { set: InstructionSet::Baseline, threads: 1, interrupted: &mut || false };
        let measure = if without { measure_distances_without } else { measure_distances };
        let asked = measure(&book, &layout, &policies, &betas, &outputs, execution);
        if asked.is_ok() && !without {
            assert!(lower.iter().zip(&upper).all(|(lower, upper)| !(lower > upper)));
        }
    }
    let mut quantities = vec![77.0; rows];
    let execution = Execution { set: InstructionSet::Baseline, threads: 1, interrupted: &mut || false };
    if quantities_to_close(&book, &layout, &policies, &mut quantities, execution).is_ok() {
        let fits = |(&close, &held): (&f64, &f64)| close.is_nan() || (close >= 0.0 && close <= held.abs());
        assert!(quantities.iter().zip(&columns.quantity).all(fits));
    }
    let mut of_rows = vec![vec![77.0; rows]; AccountMeasure::COUNT];
    let (mut state, mut status) = (vec![77; rows], vec![77; rows]);
    let of_rows: Vec<&mut [f64]> = of_rows.iter_mut().map(Vec::as_mut_slice).collect();
    let Ok(of_rows) = of_rows.try_into() else { unreachable!() };
    let outputs = AccountOutputs::new(of_rows, &mut state, &mut status);
    let execution = Execution { set: InstructionSet::Baseline, threads: 1, interrupted: &mut || false };
    // Whether it refuses or answers: what it writes is compared with whole evaluations in the Python tests.
    let _ = leave_one_out(&book, &layout, &policies, &outputs, execution);
}

/// A book under random rules: no panic, the same bits on every instruction set and number of threads, no number in a failed row.
pub fn evaluate(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let with_balances = bytes.flag();
    while !bytes.is_empty() {
        if let Ok(policy) = policy(&mut bytes, with_balances) {
            let columns = columns(&mut bytes, &policy, with_balances);
            evaluate_on_all(&columns, &policy);
            ask_all(&columns, &policy, &mut bytes);
        }
    }
}
