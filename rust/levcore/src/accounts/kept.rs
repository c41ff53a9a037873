//! What the passes over the legs of cross accounts leave each other, by leg or at the places of legs that lie apart.

use std::ops::Range;

use crate::accounts::verdict::Standing;
use crate::job::context::Job;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::{HalfLine, LANES, Vector, half_lines_at, prefetch};
use crate::tiles::tile::{Place, TileRows};

/// What the first pass finds of the legs of a tile.
pub(crate) struct ValuedTile<V> {
    /// What they bring into their accounts.
    pub amounts: [V; 4],
    /// What they give back to the surplus when they are solved for.
    pub released: V,
    /// Codes of their status.
    pub status: V,
    /// Values with the sign of their direction.
    pub signed: V,
    /// Entries of their constants.
    pub entries: [u32; LANES],
}

/// Where the first pass leaves what it finds of legs.
pub(crate) trait KeepLegs {
    /// Keeps of these legs what the passes after it need.
    fn keep<V: Vector>(&mut self, legs: Range<usize>, tile: &ValuedTile<V>);
}

/// Keeps what belongs to the rows of a tile. All of a whole one in one move, instead of a call.
#[inline(always)]
pub(crate) fn keep<T: Copy>(into: &mut [T], tile: &[T; LANES]) {
    if let Some(whole) = into.first_chunk_mut() {
        *whole = *tile;
    } else {
        let len = into.len();
        into.copy_from_slice(&tile[..len]);
    }
}

/// The same of legs that lie apart: each leaves what it brings into its account at its place.
pub(crate) struct ScatteredLegs<'a> {
    /// Places of the block's legs, and of those after them.
    pub places: &'a [u32],
    pub cells: SharedSlice<'a, HalfLine>,
    pub released: &'a mut [f64],
    pub status: &'a mut [u8],
}

impl KeepLegs for ScatteredLegs<'_> {
    #[inline(always)]
    fn keep<V: Vector>(&mut self, legs: Range<usize>, tile: &ValuedTile<V>) {
        for &place in tile_ahead(self.places, legs.start) {
            self.cells.prefetch(place as usize);
        }
        for (&place, amounts) in self.places[legs.clone()].iter().zip(V::rows_of_fours(tile.amounts)) {
            self.cells.write_consecutive(place as usize, &[HalfLine(amounts)]);
        }
        keep(&mut self.released[legs.clone()], &tile.released.array());
        keep(&mut self.status[legs], &tile.status.codes());
    }
}

/// How many legs before they are needed their cells are asked for, and four times that their places.
const AHEAD: usize = 128;

/// Places of a tile of legs whose cells are needed soon; none at the end of a book.
#[inline(always)]
pub(crate) fn tile_ahead(places: &[u32], leg: usize) -> &[u32] {
    prefetch(places.as_ptr(), leg + 4 * AHEAD);
    places.get(leg + AHEAD..leg + AHEAD + LANES).unwrap_or_default()
}

/// What the second pass needs, by leg, and what each is told of its account.
pub(crate) struct JudgedLegs<'a> {
    pub released: &'a [f64],
    pub status: &'a [u8],
    pub standings: Standings<'a>,
}

/// Where legs find the standing of their account.
#[derive(Clone, Copy)]
pub(crate) enum Standings<'a> {
    /// By account, from this one on.
    ByAccount(&'a [Standing], usize),
    /// At the places of the block's legs; those of the legs after them follow.
    Scattered(&'a [Standing], &'a [u32]),
}

impl<'a> Standings<'a> {
    /// Asks for those that are needed soon.
    #[inline(always)]
    pub(crate) fn prefetch(self, leg: usize) {
        if let Self::Scattered(standings, places) = self {
            for &place in tile_ahead(places, leg) {
                prefetch(standings.as_ptr(), place as usize);
            }
        }
    }

    /// Those of the legs of a tile.
    #[inline(always)]
    pub(crate) fn of_tile(self, job: &Job<'_>, rows: &TileRows<'_>) -> [&'a [f64; 4]; LANES] {
        match self {
            Self::ByAccount(standings, first) => {
                let mut accounts = rows.place.load_codes(&job.layout.account_of_row);
                for account in &mut accounts {
                    *account -= first as u32;
                }
                half_lines_at(standings, &accounts)
            }
            Self::Scattered(standings, places) => {
                let places = Place::Consecutive(rows.inside, rows.place.len()).load_codes(places);
                half_lines_at(standings, &places)
            }
        }
    }
}
