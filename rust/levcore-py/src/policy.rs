//! A compiled policy: numbers and words in, an immutable object out.

use levcore::{Asset, Contract, Rules, Terms, Threshold, TierKey, TierTable};
use pyo3::prelude::*;

use crate::errors::{to_python, word};

/// Rules as `levcore.compiled.CompiledRules` holds them.
#[derive(FromPyObject)]
pub(crate) struct CompiledRules {
    requirement_isolated: String,
    requirement_cross: String,
    initial_at_entry_isolated: bool,
    initial_at_entry_cross: bool,
    return_at_mark: bool,
    initial_from_table: bool,
    fee_basis_isolated: String,
    fee_basis_cross: String,
    fee_rate: f64,
    fee_in_initial: bool,
    reserve_at_bankruptcy: bool,
    fee_in_maintenance: bool,
    fee_in_bankruptcy: Option<bool>,
    warning_level: Option<f64>,
    warning_inclusive: bool,
    margin_call_level: Option<f64>,
    margin_call_inclusive: bool,
    liquidation_level: f64,
    liquidation_inclusive: bool,
    hedge_rule: String,
    hedge_rule_initial: String,
    covered_share: f64,
    liabilities_as_requirement: bool,
    margins_at_liability_weight: bool,
}

/// One tier table as `levcore.compiled.CompiledTable` holds it.
#[derive(FromPyObject)]
struct CompiledTable {
    key: String,
    floors: Vec<f64>,
    rates: Vec<f64>,
    deductions: Vec<f64>,
    cap: f64,
    max_leverage: Vec<f64>,
    slope: f64,
}

/// One instrument as `levcore.compiled.CompiledInstrument` holds it.
#[derive(FromPyObject)]
pub(crate) struct CompiledInstrument {
    payoff: String,
    contract_size: f64,
    multiplier: f64,
    long: CompiledTable,
    short: Option<CompiledTable>,
    initial: Option<CompiledTable>,
    settlement: Option<usize>,
    mover: u32,
}

/// One asset as `levcore.compiled.CompiledAsset` holds it.
#[derive(FromPyObject)]
pub(crate) struct CompiledAsset {
    floors: Vec<f64>,
    weights: Vec<f64>,
    by_amount: bool,
    liability_weight: f64,
    maintenance: Option<CompiledTable>,
    initial: Option<CompiledTable>,
    mover: u32,
}

/// A policy compiled for a list of instruments; immutable and shared by threads.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Policy {
    pub(crate) inner: levcore::Policy,
}

#[pymethods]
impl Policy {
    #[new]
    fn new(rules: CompiledRules, instruments: Vec<CompiledInstrument>, assets: Vec<CompiledAsset>) -> PyResult<Self> {
        let instruments = instruments.iter().map(instrument).collect::<PyResult<Vec<_>>>()?;
        let assets = assets.iter().map(asset).collect::<PyResult<Vec<_>>>()?;
        let policy = levcore::Policy::new(resolve(&rules)?, &instruments);
        let inner = policy.and_then(|policy| policy.with_assets(assets)).map_err(to_python)?;
        Ok(Self { inner })
    }
}

fn resolve(rules: &CompiledRules) -> PyResult<Rules> {
    Ok(Rules {
        requirement_isolated: word("requirement_basis_isolated", &rules.requirement_isolated)?,
        requirement_cross: word("requirement_basis_cross", &rules.requirement_cross)?,
        initial_at_entry_isolated: rules.initial_at_entry_isolated,
        initial_at_entry_cross: rules.initial_at_entry_cross,
        return_at_mark: rules.return_at_mark,
        initial_from_table: rules.initial_from_table,
        fee_basis_isolated: word("closing_fee_basis", &rules.fee_basis_isolated)?,
        fee_basis_cross: word("closing_fee_basis_cross", &rules.fee_basis_cross)?,
        fee_rate: rules.fee_rate,
        fee_in_initial: rules.fee_in_initial,
        reserve_at_bankruptcy: rules.reserve_at_bankruptcy,
        fee_in_maintenance: rules.fee_in_maintenance,
        fee_in_bankruptcy: rules.fee_in_bankruptcy,
        warning: Threshold { level: rules.warning_level, inclusive: rules.warning_inclusive },
        margin_call: Threshold { level: rules.margin_call_level, inclusive: rules.margin_call_inclusive },
        liquidation_level: rules.liquidation_level,
        liquidation_inclusive: rules.liquidation_inclusive,
        hedge_rule: word("hedge_requirement", &rules.hedge_rule)?,
        hedge_rule_initial: word("hedge_requirement_initial", &rules.hedge_rule_initial)?,
        covered_share: rules.covered_share,
        liabilities_as_requirement: rules.liabilities_as_requirement,
        margins_at_liability_weight: rules.margins_at_liability_weight,
    })
}

fn instrument(given: &CompiledInstrument) -> PyResult<Terms> {
    let payoff = word("payoff", &given.payoff)?;
    Ok(Terms {
        contract: Contract::new(payoff, given.contract_size, given.multiplier).map_err(to_python)?,
        long: table(&given.long)?,
        short: given.short.as_ref().map(table).transpose()?,
        initial: given.initial.as_ref().map(table).transpose()?,
        settlement: given.settlement,
        mover: given.mover,
    })
}

fn asset(given: &CompiledAsset) -> PyResult<(Asset, u32)> {
    let maintenance = given.maintenance.as_ref().map(table).transpose()?;
    let initial = given.initial.as_ref().map(table).transpose()?;
    let asset =
        Asset::new(&given.floors, &given.weights, given.by_amount, given.liability_weight, maintenance, initial);
    Ok((asset.map_err(to_python)?, given.mover))
}

fn table(given: &CompiledTable) -> PyResult<TierTable> {
    let key = word("key", &given.key)?;
    let table = if let (TierKey::Size, &[rate]) = (key, &given.rates[..]) {
        TierTable::growing(rate, given.slope, given.cap)
    } else {
        TierTable::new(key, &given.floors, &given.rates, &given.deductions, given.cap)
    };
    let limited = |table: TierTable| table.with_max_leverage(&given.max_leverage);
    if given.max_leverage.is_empty() { table } else { table.and_then(limited) }.map_err(to_python)
}
