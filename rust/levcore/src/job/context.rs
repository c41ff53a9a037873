//! What every block of an evaluation shares: the book, its policies at marks, where results go.

use std::borrow::Cow;

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::codes::measures::Measure;
use crate::codes::status::Status;
use crate::error::{Error, Result};
use crate::job::outputs::Outputs;
use crate::rules::collateral::Asset;
use crate::rules::policy::Policy;
use crate::tiles::marked::{MarkedInstrument, MarkedInstruments};
use crate::tiles::pass::Keyed;
use crate::tiles::shape::{Columns, Shape};

/// A policy of a book, with what it makes of the book's instruments.
#[derive(Debug, Clone, Copy)]
pub struct PolicyAtMarks<'a> {
    /// Rules and tables.
    pub policy: &'a Policy,
    /// Place in the policy of each instrument of the book; `None`: the policy does not know it.
    pub places: &'a [Option<usize>],
    /// Mark price of each instrument of the book under the policy; NaN: missing.
    pub marks: &'a [f64],
    /// Place in the policy of each asset of the book's balances; `None`: the policy does not know it.
    pub places_of_assets: &'a [Option<usize>],
    /// Price of each asset of the policy in the accounts' currency; NaN: missing.
    pub asset_prices: &'a [f64],
}

/// What the rows of one policy share.
pub(crate) struct PolicyPart<'a> {
    pub policy: &'a Policy,
    pub instruments: MarkedInstruments<'a>,
    pub places_of_assets: &'a [Option<usize>],
    /// Those of the caller, until one moves.
    pub asset_prices: Cow<'a, [f64]>,
    /// The one asset of accounts that have a wallet.
    pub wallet: Asset,
    /// What isolated rows, and legs of cross accounts, have in common but for their columns.
    shapes: [Shape; 2],
}

/// What every block of an evaluation shares.
pub(crate) struct Job<'a> {
    pub book: &'a Book<'a>,
    pub layout: &'a Layout,
    /// By the code of the policy.
    pub parts: Vec<PolicyPart<'a>>,
    pub outputs: &'a Outputs<'a>,
    /// Whether the outputs are so large that whole tiles of them are written past the cache; each column then starts on a cache line.
    pub stream: bool,
    /// Whether liquidation prices are wanted by side.
    pub bounds_prices: bool,
}

impl<'a> Job<'a> {
    /// The columns that say which constants a row needs.
    pub(crate) fn keyed(&self) -> Keyed<'a> {
        Keyed { instrument: self.book.instrument, quantity: self.book.quantity }
    }

    /// What is asked of some rows of a book, which are given with their part: no block of a layout is run.
    pub(crate) fn of_rows(book: &'a Book<'a>, layout: &'a Layout, outputs: &'a Outputs<'a>) -> Self {
        Self { book, layout, parts: Vec::new(), outputs, stream: false, bounds_prices: true }
    }

    /// What is asked of a book at marks, with the columns that it writes.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for inputs that do not fit each other.
    pub(crate) fn new(
        book: &'a Book<'a>,
        layout: &'a Layout,
        policies: &[PolicyAtMarks<'a>],
        outputs: &'a Outputs<'a>,
    ) -> Result<Self> {
        check_inputs(book, layout, policies)?;
        let parts = policies.iter().map(PolicyPart::new).collect();
        let columns = &outputs.columns;
        let bounds_prices = [Measure::LiquidationPriceLower, Measure::LiquidationPriceUpper]
            .into_iter()
            .any(|measure| columns.get(measure as usize).is_some());
        Ok(Self { book, layout, parts, outputs, stream: outputs.pass_the_cache(book.rows()), bounds_prices })
    }
}

impl PolicyAtMarks<'_> {
    /// Whether the rate a unit of an open position falls, by the code of its instrument: its margin is then not convex.
    pub(crate) fn falls(&self, instrument: u32, quantity: f64) -> bool {
        let place = self.places[instrument as usize];
        quantity != 0.0 && place.is_some_and(|place| self.policy.instruments[place].table(quantity).falls())
    }
}

impl<'a> PolicyPart<'a> {
    pub(crate) fn new(given: &PolicyAtMarks<'a>) -> Self {
        let policy = given.policy;
        let instruments = given.places.iter().zip(given.marks).map(|(place, &mark)| {
            let instrument = place.and_then(|place| policy.instruments.get(place));
            MarkedInstrument::new(instrument, mark, &policy.stand_in)
        });
        let instruments = MarkedInstruments::new(instruments.collect(), policy);
        Self {
            policy,
            shapes: [false, true].map(|cross| instruments.shape(policy, cross)),
            instruments,
            places_of_assets: given.places_of_assets,
            asset_prices: Cow::Borrowed(given.asset_prices),
            wallet: Asset::wallet(),
        }
    }

    /// What isolated rows, or legs of cross accounts, of a job have in common.
    pub(crate) fn shape(&self, job: &Job<'_>, cross: bool) -> Shape {
        let of_book = Columns::of(job.book);
        let columns = Columns { isolated_margin: of_book.isolated_margin && !cross, ..of_book };
        Shape { columns, bounds: job.bounds_prices, ..self.shapes[usize::from(cross)] }
    }

    /// Whether there is a price of the asset at this place of the policy.
    pub(crate) fn price_status(&self, place: usize) -> Status {
        let price = self.asset_prices[place];
        if price.is_nan() {
            Status::MissingAssetPrice
        } else if price > 0.0 && price < f64::INFINITY {
            Status::Ok
        } else {
            Status::InvalidAssetPrice
        }
    }
}

fn check_inputs(book: &Book<'_>, layout: &Layout, policies: &[PolicyAtMarks<'_>]) -> Result<()> {
    book.check()?;
    if layout.accounts.len() > book.wallet_balance.len() {
        let (expected, found) = (layout.accounts.len(), book.wallet_balance.len());
        return Err(Error::Length { argument: "wallet_balance", expected, found });
    }
    if layout.rows != book.rows() {
        return Err(Error::Length { argument: "layout", expected: book.rows(), found: layout.rows });
    }
    if policies.len() != layout.policies {
        return Err(Error::Length { argument: "policy", expected: layout.policies, found: policies.len() });
    }
    check_places(layout, policies)?;
    if let Some(odd) = policies.iter().find(|given| given.marks.len() != given.places.len()) {
        return Err(Error::Length { argument: "marks", expected: odd.places.len(), found: odd.marks.len() });
    }
    let short = |given: &&PolicyAtMarks<'_>| given.asset_prices.len() != given.policy.assets.len();
    if let Some(odd) = book.balances.and_then(|_| policies.iter().find(short)) {
        let (expected, found) = (odd.policy.assets.len(), odd.asset_prices.len());
        return Err(Error::Length { argument: "asset_prices", expected, found });
    }
    let balances = book.balances.map_or(0, |balances| balances.balance.len());
    if layout.pooled.balances.len() != balances {
        let (expected, found) = (layout.pooled.balances.len(), balances);
        return Err(Error::Length { argument: "balances", expected, found });
    }
    Ok(())
}

/// Refuses tables of places that do not fit the codes of the layout, and places that a policy does not have.
fn check_places(layout: &Layout, policies: &[PolicyAtMarks<'_>]) -> Result<()> {
    for given in policies {
        let PolicyAtMarks { places, places_of_assets, policy, .. } = given;
        let tables = [
            ("places", *places, layout.instruments, policy.instruments.len()),
            ("places_of_assets", *places_of_assets, layout.assets, policy.assets.len()),
        ];
        for (argument, table, expected, limit) in tables {
            if table.len() < expected {
                return Err(Error::Length { argument, expected, found: table.len() });
            }
            let beyond = |place: &Option<usize>| place.is_some_and(|place| place >= limit);
            if let Some(row) = table.iter().position(beyond) {
                let found = table[row].map_or(-1, |place| i64::try_from(place).unwrap_or(i64::MAX));
                return Err(Error::Code { argument, row, found, limit });
            }
        }
    }
    Ok(())
}
