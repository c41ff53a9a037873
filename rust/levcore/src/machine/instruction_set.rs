//! Choice of the processor's instruction set at run time. All of them give the same bits.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};
#[cfg(target_arch = "x86_64")]
use crate::machine::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use crate::machine::avx512::Avx512;
use crate::machine::baseline::Baseline;
use crate::machine::environment::setting;
use crate::machine::vector::Vector;

/// Something that is compiled for every instruction set.
pub(crate) trait Work {
    /// What it results in.
    type Output;

    /// Does it. Inline all of it, and have no closures in it: a function of its own is compiled without the instruction set of its caller.
    fn run<V: Vector>(self) -> Self::Output;
}

vocabulary! {
    /// An instruction set that the kernels are compiled for; the best one last.
    pub enum InstructionSet: u8 {
        Baseline = 0, "baseline", "what every processor of the target has (SSE2 on x86-64)";
        Avx2 = 1, "avx2", "256-bit vectors";
        Avx512 = 2, "avx512", "512-bit vectors";
    }
}

impl InstructionSet {
    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("popcnt")
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Names that this processor can run.
    #[must_use]
    pub fn available() -> Vec<&'static str> {
        Self::TABLE.iter().filter(|word| word.value.is_available()).map(|word| word.name).collect()
    }

    /// The set with this name.
    ///
    /// # Errors
    ///
    /// [`Error::InstructionSet`] if there is none of that name or the processor lacks it.
    pub fn named(name: &str) -> Result<Self> {
        name.parse()
            .ok()
            .filter(|set: &Self| set.is_available())
            .ok_or_else(|| Error::InstructionSet { available: Self::available().join(", "), found: name.to_owned() })
    }

    /// The one that `LEVCORE_INSTRUCTION_SET` forces, else the best that the processor has.
    ///
    /// # Errors
    ///
    /// [`Error::Environment`] if it forces one that does not exist or that the processor lacks.
    pub fn from_environment() -> Result<Self> {
        let available = Self::available();
        let expected = format!("one of {}", available.join(", "));
        match setting("LEVCORE_INSTRUCTION_SET", &expected, |name| Self::named(name).ok())? {
            Some(set) => Ok(set),
            None => Self::named(available.last().copied().unwrap_or("baseline")),
        }
    }

    /// Does a piece of work with this instruction set, or the best one below it that the processor has.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "calls functions compiled for features that the processor was seen to have")]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        #[target_feature(enable = "avx2,popcnt")]
        fn with_avx2<W: Work>(work: W) -> W::Output {
            align_frame();
            work.run::<Avx2>()
        }
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,popcnt")]
        fn with_avx512<W: Work>(work: W) -> W::Output {
            align_frame();
            work.run::<Avx512>()
        }
        if self == Self::Avx512 && self.is_available() {
            // SAFETY: the processor has the features that the function is compiled for, checked on the line above.
            unsafe { with_avx512(work) }
        } else if self != Self::Baseline && Self::Avx2.is_available() {
            // SAFETY: as above.
            unsafe { with_avx2(work) }
        } else {
            work.run::<Baseline>()
        }
    }

    /// Does a piece of work with what every processor of the target has.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        work.run::<Baseline>()
    }
}

/// Has the stack frame of the function that this is inlined into begin on a cache line.
///
/// The compiler aligns a frame only for what it knows of before it hands out registers, not for the vectors that find no register. Without
/// this they stand where the stack happens to be, most of them across two lines; what is read back from there waits until all earlier
/// results have gone to memory. That made a kernel take once or twice its time, from one thread or process to the next.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn align_frame() {
    #[repr(align(64))]
    struct CacheLine;
    let on_the_frame = CacheLine;
    std::hint::black_box(&on_the_frame);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::several::OneByOne;
    use crate::machine::vector::{LANES, SINGLES};

    /// What every operation gives of two vectors, as bits.
    fn operated<V: Vector>(left: [f64; LANES], right: [f64; LANES]) -> Vec<u64> {
        let (a, b) = (V::load(&left), V::load(&right));
        let chosen =
            [a.is_above(b), a.is_at_least(b), a.equals(b), a.is_nan(), a.is_below(b), a.is_positive(), !a.is_above(b)];
        let numbers = [a + b, a - b, a * b, a / b, -a, a.abs(), a.sqrt(), V::all(left[3])];
        let masks = [chosen[0] & chosen[4], chosen[1] | chosen[3]];
        let mut bits: Vec<u64> = chosen.iter().chain(&masks).map(|&mask| u64::from(V::bits(mask))).collect();
        let chosen = chosen.map(|mask| V::choose(mask, a, b));
        let fours = V::rows_of_fours([a, b, -a, b]);
        let rows = std::array::from_fn(|lane| &fours[LANES - 1 - lane]);
        let pairs: [[f64; 2]; LANES] = std::array::from_fn(|lane| [left[lane], right[LANES - 1 - lane]]);
        let pairs = V::columns_of_pairs(std::array::from_fn(|lane| &pairs[lane]));
        let all = numbers.into_iter().chain(chosen).chain(V::columns_of_fours(rows)).chain(pairs);
        bits.extend(
            all.flat_map(V::array)
                .chain(fours.into_iter().flatten())
                .map(|number| if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() }),
        );
        bits
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let odd = [f64::NAN, f64::NEG_INFINITY, -0.0, 0.0, 1.0, -1.5, 5e-324, f64::INFINITY];
        for shift in 0..LANES {
            let right: [f64; LANES] = std::array::from_fn(|lane| odd[(lane + shift) % LANES]);
            let expected = operated::<OneByOne>(odd, right);
            assert_eq!(expected[0] & 1, 0);
            assert_eq!(operated::<Baseline>(odd, right), expected);
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx2.is_available() {
                assert_eq!(operated::<Avx2>(odd, right), expected);
            }
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx512.is_available() {
                assert_eq!(operated::<Avx512>(odd, right), expected);
            }
        }
    }

    #[test]
    fn every_instruction_set_stores_the_same_codes() {
        let codes = [0, 1, 6, 17, 52, 128, 254, 255];
        let numbers = codes.map(f64::from);
        assert_eq!(OneByOne::load(&numbers).codes(), codes);
        assert_eq!(Baseline::load(&numbers).codes(), codes);
        #[cfg(target_arch = "x86_64")]
        if InstructionSet::Avx2.is_available() {
            assert_eq!(Avx2::load(&numbers).codes(), codes);
        }
        #[cfg(target_arch = "x86_64")]
        if InstructionSet::Avx512.is_available() {
            assert_eq!(Avx512::load(&numbers).codes(), codes);
        }
    }

    /// Places, numbers of single precision as bits, and what a screen says of each of them.
    fn screened<V: Vector>(numbers: [f64; LANES]) -> Vec<u32> {
        let (mut places, mut singles) = ([0; LANES], [0.0; LANES]);
        V::load(&[0.0, 1.0, 7.0, 1280.0, 65_535.0, 1e6, 3.0, 1e9]).store_places(&mut places);
        V::load(&numbers).store_singles(&mut singles);
        let mut thresholds = [f32::NAN; SINGLES];
        thresholds[..11].copy_from_slice(&[-1.0, 0.0, 1e-45, 1.0, 2.0, 2.5, 4.0, 16.0, 1e10, f32::MAX, f32::INFINITY]);
        let screens = singles.map(|single| u32::from(V::screen(&thresholds, single)));
        places.into_iter().chain(singles.map(f32::to_bits)).chain(screens).collect()
    }

    #[test]
    fn every_instruction_set_screens_alike() {
        let even: f64 = 1.0 + f64::from(f32::EPSILON) / 2.0;
        for numbers in [
            [f64::NEG_INFINITY, -0.0, 0.0, 1e-46, 1.0, even, even.next_up(), 2.5],
            [f64::INFINITY, f64::MAX, f64::from(f32::MAX), 1e10, 16.0, 15.999_999_999, 5e-324, 3.0],
        ] {
            let expected = screened::<OneByOne>(numbers);
            assert_eq!(expected[..4], [0, 1, 7, 1280]);
            assert_eq!(screened::<Baseline>(numbers), expected);
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx2.is_available() {
                assert_eq!(screened::<Avx2>(numbers), expected);
            }
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx512.is_available() {
                assert_eq!(screened::<Avx512>(numbers), expected);
            }
        }
    }

    /// What a search finds for these numbers in three tables, as what columns hold there.
    fn searched<V: Vector>(numbers: [f64; LANES], others: [f64; LANES], gains: [f64; LANES]) -> Option<[Vec<f64>; 2]> {
        let thresholds = |first: f32, count: usize| {
            let mut of_key = [f32::NAN; SINGLES];
            (0..count).for_each(|place| of_key[place] = first + 16.0 * place as f32);
            of_key
        };
        let (value, gaining, losing) = (thresholds(16.0, 15), thresholds(8.0, 11), thresholds(24.0, 1));
        let column: [f64; SINGLES] = std::array::from_fn(|place| 1000.0 + place as f64);
        let gains = V::load(&gains).is_above(V::all(0.0));
        let found = V::search([&value, &gaining, &losing], V::load(&numbers), gains, V::load(&others))?;
        Some(found.map(|places| V::pick(&column, places).array().to_vec()))
    }

    #[test]
    fn every_instruction_set_searches_alike() {
        let gains = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let far = [f64::NAN, f64::NEG_INFINITY, -0.0, 1e300, f64::INFINITY, 5e-324, 17.0, 255.5];
        let inside: [f64; LANES] = std::array::from_fn(|lane| 33.0 * lane as f64 + 1.0);
        let on_threshold = [1.0, 2.0, 3.0, 24.0 + 1e-12, 5.0, 6.0, 7.0, 9.0];
        for (numbers, others) in [(far, inside), (inside, far), (far, far), (inside, inside), (inside, on_threshold)] {
            let expected = searched::<OneByOne>(numbers, others, gains);
            // Of what rounds to a threshold a search says nothing: 24 and 24.000000000001 are the same number once they are rounded.
            assert_eq!(expected.is_none(), others == on_threshold);
            assert_eq!(searched::<Baseline>(numbers, others, gains), expected);
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx2.is_available() {
                assert_eq!(searched::<Avx2>(numbers, others, gains), expected);
            }
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx512.is_available() {
                assert_eq!(searched::<Avx512>(numbers, others, gains), expected);
            }
        }
    }

    #[test]
    fn every_instruction_set_counts_alike() {
        let thresholds = [1.0, 2.0, 4.0, 8.0, 16.0, f64::INFINITY, f64::INFINITY, f64::INFINITY];
        for number in [f64::NAN, f64::NEG_INFINITY, 0.0, 1.0, 1.5, 8.0, 9.0, 1e300, f64::INFINITY] {
            let expected = thresholds.iter().filter(|&&threshold| number > threshold).count();
            assert_eq!(OneByOne::count_below(&thresholds, number), expected);
            assert_eq!(Baseline::count_below(&thresholds, number), expected);
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx2.is_available() {
                assert_eq!(Avx2::count_below(&thresholds, number), expected);
            }
            #[cfg(target_arch = "x86_64")]
            if InstructionSet::Avx512.is_available() {
                assert_eq!(Avx512::count_below(&thresholds, number), expected);
            }
        }
    }
}
