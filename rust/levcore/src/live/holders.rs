//! Which accounts the price of an asset moves.

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::job::context::PolicyPart;
use crate::live::subjects::Subjects;

/// Accounts by the assets that they hold balances in or that their legs settle in. Each such pair is a *holder*, armed as a row is; it stays
/// one when the balance is spent.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// Place of the account, and place in the policy of the asset, of each holder.
    account: Vec<u32>,
    asset: Vec<u32>,
    /// Holders of the accounts that are settled as one whole, by their place there.
    of_pooled: Vec<Vec<u32>>,
    /// Accounts by the place of the asset.
    of_asset: Vec<Vec<u32>>,
}

impl Holders {
    /// Those of a book.
    pub(super) fn of_book(book: &Book<'_>, subjects: &Subjects, layout: &Layout, part: &PolicyPart<'_>) -> Self {
        let mut holders = Self::default();
        for account in 0..subjects.accounts.len() as u32 {
            holders.find(account, book, subjects, layout, part);
        }
        holders
    }

    /// Finds the assets that an account holds by now; those that are known already stay.
    pub(super) fn find(
        &mut self,
        account: u32,
        book: &Book<'_>,
        subjects: &Subjects,
        layout: &Layout,
        part: &PolicyPart<'_>,
    ) {
        let Some(pooled) = subjects.accounts[account as usize].pooled else { return };
        let balances = &layout.pooled.balances[layout.pooled.accounts[pooled].balances.clone()];
        if let (Some(columns), false) = (&book.balances, balances.is_empty()) {
            let held = balances.iter().filter_map(|&row| part.places_of_assets[columns.asset[row as usize] as usize]);
            let legs = subjects.legs_of(account).iter();
            let instruments = &part.instruments.list;
            let settled =
                legs.filter_map(|&row| instruments[book.instrument[row as usize] as usize].instrument.settlement);
            held.chain(settled).for_each(|asset| self.add(account, pooled, asset as u32));
        }
    }

    fn add(&mut self, account: u32, pooled: usize, asset: u32) {
        if self.of_pooled.len() <= pooled {
            self.of_pooled.resize_with(pooled + 1, Vec::new);
        }
        let own = &mut self.of_pooled[pooled];
        if own.iter().any(|&holder| self.asset[holder as usize] == asset) {
            return;
        }
        own.push(self.asset.len() as u32);
        self.account.push(account);
        self.asset.push(asset);
        if self.of_asset.len() <= asset as usize {
            self.of_asset.resize_with(asset as usize + 1, Vec::new);
        }
        self.of_asset[asset as usize].push(account);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.asset.len()
    }

    /// Those of an account that is settled as one whole.
    pub(crate) fn of_pooled(&self, pooled: Option<usize>) -> &[u32] {
        pooled.and_then(|place| self.of_pooled.get(place)).map_or(&[], Vec::as_slice)
    }

    /// Place in the policy of the asset of a holder.
    pub(crate) fn asset(&self, holder: u32) -> u32 {
        self.asset[holder as usize]
    }

    /// Place of the account of a holder.
    pub(super) fn account(&self, holder: u32) -> u32 {
        self.account[holder as usize]
    }

    /// Places of the accounts that hold an asset.
    pub(super) fn accounts_of(&self, asset: usize) -> &[u32] {
        self.of_asset.get(asset).map_or(&[], Vec::as_slice)
    }
}
