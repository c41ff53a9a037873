//! Invariants of the public interface on random books: the same bits for every instruction set and number of threads, a layout that
//! holds every row once, results that do not depend on what else is asked for.

#![allow(clippy::unwrap_used, reason = "a test that cannot build its book has failed")]

use levcore::codes::{FIRST_FAILURE, FIRST_PARTIAL};
use levcore::{
    AccountMeasure, AccountOutputs, BalanceOutputs, Basis, Book, ByMeasure, Codes, Contract, Error, Execution,
    FeeBasis, InstructionSet, Keys, Layout, Measure, Outputs, Payoff, Policy, PolicyAtMarks, Rules, State, Status,
    Terms, Threshold, TierKey, TierTable, evaluate,
};
use proptest::prelude::*;

/// Columns of a random book.
#[derive(Debug, Clone)]
struct Columns {
    instrument: Vec<u32>,
    quantity: Vec<f64>,
    entry_price: Vec<f64>,
    isolated_margin: Vec<f64>,
    leverage: Vec<f64>,
    accrued_funding: Vec<f64>,
    risk_limit: Vec<f64>,
    cross: Vec<bool>,
    account: Vec<u32>,
    wallet_balance: Vec<f64>,
}

/// Everything that an evaluation writes.
#[derive(Debug, Clone)]
struct Results {
    columns: Vec<Vec<f64>>,
    codes: [Vec<u8>; 2],
    account_columns: Vec<Vec<f64>>,
    account_codes: [Vec<u8>; 2],
}

impl Results {
    /// Bit patterns, all NaN alike.
    fn bits(&self) -> Vec<u64> {
        let numbers = self.columns.iter().chain(&self.account_columns).flatten();
        let codes = self.codes.iter().chain(&self.account_codes).flatten();
        let bits = |number: &f64| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
        numbers.map(bits).chain(codes.map(|&code| u64::from(code))).collect()
    }

    fn column(&self, measure: Measure) -> &[f64] {
        &self.columns[measure as usize]
    }
}

const INSTRUMENTS: usize = 7;
const ACCOUNTS: u32 = 9;
const MARKS: [f64; INSTRUMENTS + 1] = [100.0, 0.25, 40_000.0, 8.0, 50.0, 30.0, 2.0, 1.0];

fn instruments() -> Vec<Terms> {
    let infinite = f64::INFINITY;
    let marginal =
        |cap| TierTable::new(TierKey::Value, &[0.0, 1024.0, 8192.0], &[0.01, 0.02, 0.05], &[0.0, 10.24, 256.0], cap);
    let minimum =
        TierTable::new(TierKey::Value, &[0.0, 500.0, 1024.0], &[0.0, 0.01, 0.02], &[-5.0, 0.0, 10.24], 1e7).unwrap();
    let flat = |key| TierTable::new(key, &[0.0, 50.0], &[0.01, 0.03], &[0.0, 0.0], 1e6);
    let growing = |slope| TierTable::growing(0.02, slope, 150.0).unwrap();
    let linear = |size| Contract::new(Payoff::Linear, size, 1.0).unwrap();
    let inverse = Contract::new(Payoff::Inverse, 10.0, 1.0).unwrap();
    let quanto = Contract::new(Payoff::Quanto, 1.0, 1e-3).unwrap();
    let sided = |terms: Terms, short: TierTable, initial| Terms { short: Some(short), initial, ..terms };
    vec![
        Terms::new(linear(1.0), marginal(1e6).unwrap()),
        Terms::new(inverse, marginal(infinite).unwrap()),
        Terms { initial: Some(minimum.clone()), ..Terms::new(quanto, flat(TierKey::Contracts).unwrap()) },
        Terms::new(linear(0.1), flat(TierKey::RiskLimit).unwrap()),
        sided(
            Terms::new(linear(1.0), marginal(1e6).unwrap()),
            minimum.clone(),
            Some(flat(TierKey::RiskLimit).unwrap()),
        ),
        sided(Terms::new(linear(1.0), growing(1e-3)), minimum, Some(growing(2e-3))),
        sided(Terms::new(inverse, growing(1e-4)), growing(1e-3), Some(growing(2e-3))),
    ]
}

fn bases() -> impl Strategy<Value = Basis> {
    prop_oneof![Just(Basis::Price), Just(Basis::Entry), Just(Basis::Mark), Just(Basis::Bankruptcy)]
}

prop_compose! {
    fn policies()(
        requirement_isolated in bases(),
        requirement_cross in bases(),
        fee_basis in prop_oneof![
            Just(FeeBasis::None), Just(FeeBasis::Price), Just(FeeBasis::Entry), Just(FeeBasis::Bankruptcy),
            Just(FeeBasis::Mark), Just(FeeBasis::EntryAndMargin)
        ],
        flags in any::<[bool; 6]>(),
        liquidation_level in prop_oneof![Just(1.0), Just(0.8), Just(1.25)],
    ) -> Policy {
        let rules = Rules {
            requirement_isolated,
            requirement_cross,
            initial_at_entry_isolated: flags[0],
            initial_at_entry_cross: !flags[0],
            initial_from_table: flags[5],
            fee_basis_isolated: fee_basis,
            fee_basis_cross: fee_basis,
            fee_rate: if fee_basis == FeeBasis::None { 0.0 } else { 0.001 },
            fee_in_initial: flags[1],
            reserve_at_bankruptcy: flags[2],
            fee_in_maintenance: flags[2],
            fee_in_bankruptcy: Some(flags[3]),
            warning: Threshold { level: Some(0.5), inclusive: flags[4] },
            liquidation_level,
            liquidation_inclusive: !flags[4],
            ..Rules::plain()
        };
        Policy::new(rules, &instruments()).unwrap()
    }
}

/// An ordinary number, now and then one that is none.
fn numbers(ordinary: std::ops::Range<f64>) -> impl Strategy<Value = f64> {
    prop_oneof![
        40 => ordinary,
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(0.0), Just(-1.0), Just(1e300), Just(5e-324)],
    ]
}

fn columns() -> impl Strategy<Value = Columns> {
    let rows = prop_oneof![0_usize..5, 60_usize..70, 300_usize..400];
    rows.prop_flat_map(|rows| {
        let column = move |ordinary| prop::collection::vec(numbers(ordinary), rows);
        let codes = prop::collection::vec(0..=INSTRUMENTS as u32, rows);
        let wallets = prop::collection::vec(numbers(-10.0..5000.0), ACCOUNTS as usize);
        let accounts = prop::collection::vec(0..ACCOUNTS, rows);
        let cross = prop::collection::vec(any::<bool>(), rows);
        let first = (codes, column(-200.0..200.0), column(0.1..200.0), column(0.1..900.0), column(1.0..50.0));
        let second = (column(-5.0..5.0), column(1.0..900.0), cross, accounts, wallets, any::<bool>());
        (first, second).prop_map(|(first, second)| {
            let (mut instrument, quantity, entry_price, isolated_margin, leverage) = first;
            let (accrued_funding, risk_limit, cross, account, wallet_balance, sorted) = second;
            if sorted {
                // Runs of one instrument have a way of their own through the kernel.
                instrument.sort_unstable();
            }
            Columns {
                instrument,
                quantity,
                entry_price,
                isolated_margin,
                leverage,
                accrued_funding,
                risk_limit,
                cross,
                account,
                wallet_balance,
            }
        })
    })
}

fn layout_of(columns: &Columns) -> Layout {
    let account = Codes { of_row: &columns.account, labels: ACCOUNTS as usize };
    let isolated = Keys::isolated(&columns.instrument, INSTRUMENTS + 1);
    Layout::new(&Keys { cross: Some(&columns.cross), account, ..isolated }).unwrap()
}

/// Evaluates the measures wanted into memory that was not empty before.
fn run(
    columns: &Columns,
    policy: &Policy,
    set: InstructionSet,
    threads: usize,
    wanted: &[bool; Measure::COUNT],
) -> Results {
    let rows = columns.quantity.len();
    let book = Book {
        instrument: &columns.instrument,
        quantity: &columns.quantity,
        entry_price: &columns.entry_price,
        isolated_margin: Some(&columns.isolated_margin),
        leverage: Some(&columns.leverage),
        accrued_funding: Some(&columns.accrued_funding),
        risk_limit: Some(&columns.risk_limit),
        wallet_balance: &columns.wallet_balance,
        account_status: None,
        balances: None,
    };
    let accounts = ACCOUNTS as usize;
    let mut results = Results {
        columns: vec![vec![77.0; rows]; Measure::COUNT],
        codes: [vec![77; rows], vec![77; rows]],
        account_columns: vec![vec![77.0; accounts]; AccountMeasure::COUNT],
        account_codes: [vec![77; accounts], vec![77; accounts]],
    };
    let mut places: Vec<Option<usize>> = (0..INSTRUMENTS).map(Some).collect();
    places.push(None);
    {
        let mut outputs =
            results.columns.iter_mut().zip(wanted).map(|(column, &wanted)| wanted.then_some(&mut column[..]));
        let measure_columns = ByMeasure::from_fn(|_| outputs.next().unwrap());
        let mut of_accounts = results.account_columns.iter_mut().map(|column| &mut column[..]);
        let account_columns = std::array::from_fn(|_| of_accounts.next().unwrap());
        let [state, status] = &mut results.codes;
        let [account_state, account_status] = &mut results.account_codes;
        let of_accounts = AccountOutputs::new(account_columns, account_state, account_status);
        let outputs = Outputs::new(measure_columns, state, status, of_accounts, BalanceOutputs::none());
        let layout = layout_of(columns);
        let policies =
            [PolicyAtMarks { policy, places: &places, marks: &MARKS, places_of_assets: &[], asset_prices: &[] }];
        let execution = Execution { set, threads, interrupted: &mut || false };
        evaluate(&book, &layout, &policies, &outputs, execution).unwrap();
    }
    results
}

const EVERYTHING: [bool; Measure::COUNT] = [true; Measure::COUNT];

fn sets() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::TABLE.iter().map(|word| word.value).filter(|set| set.is_available())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_instruction_set_and_number_of_threads_gives_the_same_bits(columns in columns(), policy in policies()) {
        let expected = run(&columns, &policy, InstructionSet::Baseline, 1, &EVERYTHING).bits();
        for set in sets() {
            for threads in [1, 2, 7] {
                prop_assert!(run(&columns, &policy, set, threads, &EVERYTHING).bits() == expected, "{set:?}, {threads}");
            }
        }
    }

    #[test]
    fn a_measure_does_not_depend_on_what_else_is_asked_for(
        columns in columns(), policy in policies(), wanted in any::<[bool; Measure::COUNT]>()
    ) {
        let everything = run(&columns, &policy, InstructionSet::Baseline, 1, &EVERYTHING);
        let mut some = run(&columns, &policy, InstructionSet::Baseline, 1, &wanted);
        for (measure, &wanted) in wanted.iter().enumerate() {
            if !wanted {
                prop_assert!(some.columns[measure].iter().all(|&untouched| untouched == 77.0));
                some.columns[measure].clone_from(&everything.columns[measure]);
            }
        }
        prop_assert!(some.bits() == everything.bits());
    }

    #[test]
    fn a_layout_holds_every_row_once(columns in columns()) {
        let mut order = layout_of(&columns).row_order().unwrap();
        order.sort_unstable();
        prop_assert!(order.iter().enumerate().all(|(row, &found)| row == found as usize));
        prop_assert_eq!(order.len(), columns.quantity.len());
    }

    #[test]
    fn a_failed_row_holds_no_number_and_no_verdict(columns in columns(), policy in policies()) {
        let results = run(&columns, &policy, InstructionSet::Baseline, 2, &EVERYTHING);
        for row in 0..columns.quantity.len() {
            let (state, status) = (results.codes[0][row], results.codes[1][row]);
            if status >= FIRST_FAILURE {
                prop_assert!(results.columns.iter().all(|column| column[row].is_nan()));
                prop_assert_eq!(state, State::Incomplete as u8);
                if columns.cross[row] {
                    let account = columns.account[row] as usize;
                    prop_assert!(results.account_columns.iter().all(|column| column[account].is_nan()));
                    prop_assert_eq!(results.account_codes[0][account], State::Incomplete as u8);
                }
            } else {
                // Without margin, or in an account that is not known, there is no verdict; what the position alone gives is there.
                prop_assert_eq!(state == State::Incomplete as u8, status >= FIRST_PARTIAL);
                prop_assert!(results.column(Measure::Notional)[row].is_finite());
                prop_assert!(results.column(Measure::UnrealizedPnl)[row].is_finite());
            }
        }
    }

    #[test]
    fn the_other_side_of_a_position_gains_what_it_loses(columns in columns(), policy in policies()) {
        let mut other = columns.clone();
        for quantity in &mut other.quantity {
            *quantity = -*quantity;
        }
        let one = run(&columns, &policy, InstructionSet::Baseline, 1, &EVERYTHING);
        let two = run(&other, &policy, InstructionSet::Baseline, 1, &EVERYTHING);
        for row in 0..columns.quantity.len() {
            let (gain, loss) = (one.column(Measure::UnrealizedPnl)[row], two.column(Measure::UnrealizedPnl)[row]);
            prop_assert!(gain == -loss || gain.is_nan() || loss.is_nan());
        }
    }
}

#[test]
fn a_call_ends_when_it_is_asked_to() {
    // A short call is over before anybody asks.
    const ROWS: usize = 2_000_000;
    let (instrument, ones) = (vec![0; ROWS], vec![1.0; ROWS]);
    let policy = Policy::new(Rules { fee_in_bankruptcy: None, ..Rules::plain() }, &instruments()).unwrap();
    let book = Book {
        instrument: &instrument,
        quantity: &ones,
        entry_price: &ones,
        isolated_margin: Some(&ones),
        leverage: None,
        accrued_funding: None,
        risk_limit: None,
        wallet_balance: &[],
        account_status: None,
        balances: None,
    };
    let layout = Layout::new(&Keys::isolated(&instrument, 1)).unwrap();
    let (mut state, mut status) = (vec![77; ROWS], vec![77; ROWS]);
    let outputs =
        Outputs::new(ByMeasure::none(), &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
    let policies = [PolicyAtMarks {
        policy: &policy,
        places: &[Some(0)],
        marks: &[1.0],
        places_of_assets: &[],
        asset_prices: &[],
    }];
    let execution = Execution { set: InstructionSet::Baseline, threads: 1, interrupted: &mut || true };
    let ended = evaluate(&book, &layout, &policies, &outputs, execution);
    assert_eq!(ended, Err(Error::Interrupted));
    assert_eq!((status[0], status[ROWS - 1]), (Status::NoLiquidationPrice as u8, 77));
}
