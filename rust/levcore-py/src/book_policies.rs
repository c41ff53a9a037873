//! The policies of a book with the places of its instruments and assets in them, found once.

use levcore::PolicyAtMarks;
use pyo3::prelude::*;

use crate::errors::ShapeError;
use crate::policy::Policy;

/// A policy of a book, with the places of the book's instruments and assets in it.
struct BookPolicy {
    policy: Py<Policy>,
    places: Vec<Option<usize>>,
    places_of_assets: Vec<Option<usize>>,
}

/// The policies of a book, by the code of the policy.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct BookPolicies {
    parts: Vec<BookPolicy>,
}

#[pymethods]
impl BookPolicies {
    /// Takes policies with the places of the book's instruments and assets; negative: the policy does not know it.
    #[new]
    fn new(parts: Vec<(Py<Policy>, Vec<i64>, Vec<i64>)>) -> Self {
        let known = |places: Vec<i64>| places.into_iter().map(|place| usize::try_from(place).ok()).collect();
        let parts = parts.into_iter().map(|(policy, places, places_of_assets)| BookPolicy {
            policy,
            places: known(places),
            places_of_assets: known(places_of_assets),
        });
        Self { parts: parts.collect() }
    }
}

impl BookPolicies {
    /// The policies at marks: one an instrument under every policy, or those of each policy one after the other.
    pub(crate) fn at<'a>(&'a self, marks: &'a [f64], asset_prices: &[&'a [f64]]) -> PyResult<Vec<PolicyAtMarks<'a>>> {
        let instruments = self.parts.first().map_or(0, |part| part.places.len());
        let shared = marks.len() == instruments;
        if !shared && marks.len() != instruments * self.parts.len() {
            let (expected, found) = (instruments.to_string(), marks.len().to_string());
            return Err(ShapeError::new_err(("marks", "must have one price an instrument", expected, found)));
        }
        let of_policy = |code: usize| if shared { marks } else { &marks[code * instruments..][..instruments] };
        let parts = self.parts.iter().enumerate();
        let at_marks = parts.map(|(code, part)| PolicyAtMarks {
            policy: &part.policy.get().inner,
            places: &part.places,
            marks: of_policy(code),
            places_of_assets: &part.places_of_assets,
            asset_prices: asset_prices.get(code).copied().unwrap_or_default(),
        });
        Ok(at_marks.collect())
    }
}
