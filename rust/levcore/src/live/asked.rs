//! What an evaluation refuses of a book, asked before a change: a refused one leaves the live book as it was.
//!
//! A margin a unit whose rate falls has no price in an account that is settled as one whole. A change brings the two together by a quantity on
//! the other side, by a leg or a balance that makes one whole of an account, and by another table.

use std::collections::{BTreeMap, HashSet};

use crate::error::{Error, Result};
use crate::job::context::PolicyAtMarks;
use crate::live::balances::BalancesOf;
use crate::live::book::{Levels, LiveBook};
use crate::live::change::{Amendment, check_codes};
use crate::live::growth::Opened;
use crate::live::subjects::ISOLATED;

impl LiveBook {
    /// First place among `rows` whose amendment an evaluation would refuse; of a row that stands twice the last one holds.
    ///
    /// # Errors
    ///
    /// As [`LiveBook::amend`].
    pub fn refused_amendment(
        &self,
        levels: Levels<'_, '_>,
        rows: &[u32],
        amendment: &Amendment<'_>,
    ) -> Result<Option<usize>> {
        check_codes("rows", rows, self.layout.rows)?;
        amendment.check(rows.len())?;
        let (Some(policy), Some(quantity)) = (that_falls(levels), amendment.quantity) else { return Ok(None) };
        let mut settled = HashSet::new();
        let refused = (0..rows.len()).rev().filter(|&place| {
            let row = rows[place];
            settled.insert(row) && self.is_of_whole(row) && self.falls(policy, row, quantity[place])
        });
        Ok(refused.last())
    }

    /// First place among the positions to open that an evaluation would refuse: one whose rate falls, or that makes one whole of an account
    /// in which one falls.
    ///
    /// # Errors
    ///
    /// As [`LiveBook::open`].
    pub fn refused_opening(&self, levels: Levels<'_, '_>, opened: &Opened<'_>) -> Result<Option<usize>> {
        self.check_opened(opened)?;
        let Some(policy) = that_falls(levels) else { return Ok(None) };
        let mut given: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for place in (0..opened.instrument.len()).filter(|&place| opened.cross[place]) {
            given.entry(opened.account[place]).or_default().push(place);
        }
        let quantity = opened.numbers.quantity.unwrap_or_default();
        let refused = given.iter().filter(|(code, places)| self.becomes_whole(**code, places, opened)).filter_map(
            |(&code, places)| {
                let falls = |&&place: &&usize| policy.falls(opened.instrument[place], quantity[place]);
                let others = self.legs_of(code).iter().any(|&leg| self.falls_now(policy, leg));
                if others { places.first() } else { places.iter().find(falls) }
            },
        );
        Ok(refused.min().copied())
    }

    /// First row that an evaluation would refuse under other rules of an instrument.
    #[must_use]
    pub fn refused_rules(&self, levels: Levels<'_, '_>, instrument: u32) -> Option<usize> {
        let policy = that_falls(levels)?;
        let rows = self.standings.rows_of(instrument).iter();
        rows.filter(|&&row| self.is_of_whole(row) && self.falls_now(policy, row)).min().map(|&row| row as usize)
    }

    /// Refuses balances that make one whole of an account in which a rate falls.
    pub(super) fn refuse_whole(&self, levels: Levels<'_, '_>, balances: &BalancesOf<'_>) -> Result<()> {
        let Some(policy) = that_falls(levels) else { return Ok(()) };
        let mut legs = balances.account.iter().flat_map(|&code| self.legs_of(code));
        match legs.find(|&&leg| self.falls_now(policy, leg)) {
            Some(&row) => Err(Error::FallingRate { row: row as usize }),
            None => Ok(()),
        }
    }

    /// Whether an account is settled as one whole when these positions are opened.
    fn becomes_whole(&self, code: u32, places: &[usize], opened: &Opened<'_>) -> bool {
        let subjects = &self.indexes[0].subjects;
        let place = subjects.place_of(code);
        let is_whole = place.is_some_and(|place| subjects.accounts[place as usize].pooled.is_some());
        let mut held: HashSet<u32> =
            self.legs_of(code).iter().map(|&leg| self.resident.instrument[leg as usize]).collect();
        self.pool_all
            || is_whole
            || opened.balances.account.contains(&code)
            || places.iter().any(|&place| !held.insert(opened.instrument[place]))
    }

    fn legs_of(&self, code: u32) -> &[u32] {
        let subjects = &self.indexes[0].subjects;
        subjects.place_of(code).map_or(&[], |place| subjects.legs_of(place))
    }

    fn is_of_whole(&self, row: u32) -> bool {
        let subjects = &self.indexes[0].subjects;
        let account = subjects.account_of_row[row as usize];
        account != ISOLATED && subjects.accounts[account as usize].pooled.is_some()
    }

    fn falls_now(&self, policy: &PolicyAtMarks<'_>, row: u32) -> bool {
        self.falls(policy, row, self.resident.quantity[row as usize])
    }

    fn falls(&self, policy: &PolicyAtMarks<'_>, row: u32, quantity: f64) -> bool {
        policy.falls(self.resident.instrument[row as usize], quantity)
    }
}

/// The policy itself, if a rate falls in any of its tables.
fn that_falls<'a, 'p>(levels: Levels<'a, 'p>) -> Option<&'a PolicyAtMarks<'p>> {
    levels.first().filter(|given| given.policy.any_falls)
}
