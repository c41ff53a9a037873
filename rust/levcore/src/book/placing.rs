//! Numbers of the accounts of a book, and where the legs of each start.

use crate::book::blocks::Rows;
use crate::book::keys::Keys;
use crate::book::layout::Layout;
use crate::book::scattered::NOWHERE;
use crate::error::{Error, Result};
use crate::memory;

/// Accounts with legs in an order.
struct Placed {
    /// Their codes.
    accounts: Vec<u32>,
    /// Where the legs of each start, counted by account.
    starts: Vec<u32>,
    legs: u32,
    /// Place of each code.
    places: Vec<u32>,
}

impl Placed {
    fn none_of(labels: usize) -> Result<Self> {
        let places = memory::filled(NOWHERE, labels)?;
        Ok(Self { accounts: memory::with_room(labels)?, starts: memory::with_room(labels + 1)?, legs: 0, places })
    }

    /// Adds an account, whose legs come next.
    fn add(&mut self, code: u32) {
        self.places[code as usize] = self.accounts.len() as u32;
        self.accounts.push(code);
        self.starts.push(self.legs);
    }
}

impl Layout {
    /// Numbers the accounts, those without legs behind the others; whether their legs are kept together.
    pub(super) fn place_accounts(&mut self, keys: &Keys<'_>, groups: &[Rows]) -> Result<bool> {
        let mut account_of_row = memory::filled(NOWHERE, self.rows)?;
        let by_first_leg = self.place_by_first_leg(keys, groups, &mut account_of_row)?;
        let together = by_first_leg.is_some();
        let placed = match by_first_leg {
            Some(placed) => placed,
            None => self.place_by_code(keys, groups, &mut account_of_row)?,
        };
        let Placed { mut accounts, mut starts, legs, places } = placed;
        let idle = places.iter().enumerate().filter(|&(code, &place)| place == NOWHERE && !self.pooled.holds(code));
        accounts.extend(idle.map(|(code, _)| code as u32));
        starts.resize(accounts.len() + 1, legs);
        (self.accounts, self.account_of_row, self.legs_of_account) = (accounts, account_of_row, starts);
        Ok(together)
    }

    /// Accounts by their first leg, so that those that are neighbours in the rows are neighbours here. None where legs lie apart, which is
    /// found at the first that does.
    fn place_by_first_leg(
        &self,
        keys: &Keys<'_>,
        groups: &[Rows],
        account_of_row: &mut [u32],
    ) -> Result<Option<Placed>> {
        let mut placed = Placed::none_of(keys.account.labels)?;
        for rows in groups {
            let first_of_policy = placed.accounts.len();
            let mut last = None;
            for row in self.rows_of(rows) {
                let code = keys.account.of_row[row];
                if last != Some(code) {
                    match placed.places[code as usize] {
                        NOWHERE => placed.add(code),
                        place if (place as usize) < first_of_policy => {
                            return Err(Error::Policies { account: code as usize, row });
                        }
                        _ => return Ok(None),
                    }
                    last = Some(code);
                }
                account_of_row[row] = placed.accounts.len() as u32 - 1;
                placed.legs += 1;
            }
        }
        Ok(Some(placed))
    }

    /// Accounts of each policy as the caller has them, so that what is read and written of them is: where their legs lie apart.
    fn place_by_code(&self, keys: &Keys<'_>, groups: &[Rows], account_of_row: &mut [u32]) -> Result<Placed> {
        let counted = count_legs(keys, groups.iter().map(|rows| self.rows_of(rows)))?;
        let mut placed = Placed::none_of(keys.account.labels)?;
        for policy in (0..).take(groups.len()) {
            for (code, own) in (0..).zip(&counted).filter(|(_, own)| own.policy == policy) {
                placed.add(code);
                placed.legs += own.legs;
            }
        }
        for row in groups.iter().flat_map(|rows| self.rows_of(rows)) {
            account_of_row[row] = placed.places[keys.account.of_row[row] as usize];
        }
        Ok(placed)
    }
}

/// Legs of an account, and the policy that all of them have.
#[derive(Clone, Copy)]
struct Counted {
    policy: u32,
    legs: u32,
}

/// Legs by account code, of rows policy by policy.
fn count_legs(keys: &Keys<'_>, groups: impl Iterator<Item = impl Iterator<Item = usize>>) -> Result<Vec<Counted>> {
    let mut counted = memory::filled(Counted { policy: NOWHERE, legs: 0 }, keys.account.labels)?;
    for (policy, rows) in (0..).zip(groups) {
        for row in rows {
            let code = keys.account.of_row[row] as usize;
            let own = &mut counted[code];
            if own.legs == 0 {
                own.policy = policy;
            } else if own.policy != policy {
                return Err(Error::Policies { account: code, row });
            }
            own.legs += 1;
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::keys::Codes;

    fn keys<'a>(rows: &'a [u32], cross: &'a [bool], account: &'a [u32], policy: Option<&'a [u32]>) -> Keys<'a> {
        let account = Codes { of_row: account, labels: 10 };
        let policy = policy.map(|of_row| Codes { of_row, labels: 2 });
        Keys { cross: Some(cross), account, policy, ..Keys::isolated(rows, 8) }
    }

    #[test]
    fn accounts_whose_legs_lie_apart_are_numbered_by_their_codes_in_each_policy() {
        let (rows, cross) = ([0, 1, 2, 3, 4, 5, 6, 7], [true, true, true, false, true, true, true, true]);
        let account = [7, 2, 7, 7, 5, 9, 1, 9];
        let policy = [0, 0, 0, 1, 0, 1, 1, 1];
        let layout = Layout::new(&keys(&rows, &cross, &account, Some(&policy))).unwrap();
        assert!(!layout.keeps_accounts_together());
        assert_eq!(layout.accounts, [2, 5, 7, 1, 9, 0, 3, 4, 6, 8]);
        assert_eq!(layout.account_of_row, [2, 0, 2, NOWHERE, 1, 4, 3, 4]);
        assert_eq!(layout.legs_of_account, [0, 1, 2, 4, 5, 7, 7, 7, 7, 7, 7]);
    }

    #[test]
    fn accounts_that_are_together_are_numbered_by_their_first_leg() {
        let (rows, cross) = ([0, 1, 2, 3, 4], [true, true, false, true, true]);
        let layout = Layout::new(&keys(&rows, &cross, &[7, 7, 3, 7, 2], None)).unwrap();
        assert!(layout.keeps_accounts_together());
        assert_eq!(layout.accounts, [7, 2, 0, 1, 3, 4, 5, 6, 8, 9]);
        assert_eq!(layout.account_of_row, [0, 0, NOWHERE, 0, 1]);
        assert_eq!(layout.legs_of_account[..4], [0, 3, 4, 4]);
    }

    #[test]
    fn the_first_row_under_another_policy_is_refused_wherever_legs_lie() {
        let (rows, cross) = ([0, 1, 2, 3, 4], [true; 5]);
        for (account, row) in [([3, 3, 4, 3, 3], 3), ([3, 4, 3, 4, 3], 3)] {
            let found = Layout::new(&keys(&rows, &cross, &account, Some(&[0, 0, 0, 1, 1])));
            assert_eq!(found.unwrap_err(), Error::Policies { account: account[row] as usize, row });
        }
    }
}
