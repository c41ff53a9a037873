//! Two isolated positions and a cross account of two legs, evaluated from Rust alone.
//!
//! `cargo run --release --example score`

#![allow(clippy::print_stdout, reason = "an example has a terminal")]

use levcore::{
    AccountMeasure, AccountOutputs, BalanceOutputs, Book, ByMeasure, Codes, Contract, Execution, InstructionSet, Keys,
    Layout, Measure, Outputs, Payoff, Policy, PolicyAtMarks, Result, Rules, State, Status, Terms, TierKey, TierTable,
    evaluate,
};

const BITCOIN: u32 = 0;
const ETHER: u32 = 1;

fn main() -> Result<()> {
    // What a venue states: marginal tiers of the value, and one rate.
    let tiers =
        TierTable::new(TierKey::Value, &[0.0, 50_000.0, 600_000.0], &[0.004, 0.005, 0.0065], &[0.0, 50.0, 950.0], 3e6)?;
    let linear = Contract::new(Payoff::Linear, 1.0, 1.0)?;
    let policy =
        Policy::new(Rules::plain(), &[Terms::new(linear, tiers), Terms::new(linear, TierTable::single_rate(0.01)?)])?;

    // What is held: columns of equal length, borrowed. Missing numbers are NaN, never 0.
    let instrument = [BITCOIN, ETHER, BITCOIN, ETHER];
    let cross = [false, false, true, true];
    let account = [0; 4];
    let book = Book {
        instrument: &instrument,
        quantity: &[0.5, -4.0, 0.2, -3.0],
        entry_price: &[60_000.0, 3_000.0, 60_000.0, 3_000.0],
        isolated_margin: Some(&[3_000.0, 1_200.0, f64::NAN, f64::NAN]),
        leverage: None,
        accrued_funding: None,
        risk_limit: None,
        wallet_balance: &[1_500.0],
        account_status: None,
        balances: None,
    };
    let keys =
        Keys { cross: Some(&cross), account: Codes { of_row: &account, labels: 1 }, ..Keys::isolated(&instrument, 2) };
    let layout = Layout::new(&keys)?; // settled once; evaluating again at other marks costs the arithmetic alone

    // Where results go: the columns that are wanted, in the order of the rows.
    let (mut price, mut ratio) = ([0.0; 4], [0.0; 4]);
    let (mut state, mut status) = ([0; 4], [0; 4]);
    let mut columns = ByMeasure::none();
    columns[Measure::LiquidationPrice] = Some(&mut price[..]);
    columns[Measure::MarginRatio] = Some(&mut ratio[..]);
    let mut of_account = [[0.0]; AccountMeasure::COUNT];
    let (mut account_state, mut account_status) = ([0], [0]);
    let accounts = AccountOutputs::new(
        of_account.each_mut().map(|column| &mut column[..]),
        &mut account_state,
        &mut account_status,
    );
    let outputs = Outputs::new(columns, &mut state, &mut status, accounts, BalanceOutputs::none());

    let (places, marks) = (&[Some(0), Some(1)], &[61_000.0, 3_050.0]);
    let policies = [PolicyAtMarks { policy: &policy, places, marks, places_of_assets: &[], asset_prices: &[] }];
    let execution = Execution { set: InstructionSet::from_environment()?, threads: 1, interrupted: &mut || false };
    evaluate(&book, &layout, &policies, &outputs, execution)?;

    for row in 0..4 {
        let state = State::of_code(state[row]).map_or("", State::name);
        let status = Status::of_code(status[row]).map_or("", Status::name);
        println!("row {row}: liquidated at {:.2}, margin ratio {:.4}, {state}, {status}", price[row], ratio[row]);
    }
    println!("account: equity {:.2}", of_account[AccountMeasure::Equity as usize][0]);
    Ok(())
}
