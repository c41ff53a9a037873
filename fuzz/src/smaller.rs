//! The entry points of few arguments: fills, labels, sums.

use levcore::{
    Contract, Execution, Fills, InstructionSet, Numbering, Payoff, Text, exact_sums, number_code_points,
    number_integers, number_texts, positions_from_fills,
};

use super::bytes::Bytes;

const INSTRUMENTS: usize = 3;
const MOST: usize = 64;

/// Positions from fills: the same on every number of threads, whatever the columns.
pub fn fills(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let contracts: Vec<Option<Contract>> = (0..INSTRUMENTS)
        .map(|_| {
            let payoff = [Payoff::Linear, Payoff::Inverse, Payoff::Quanto][bytes.below(3)];
            Contract::new(payoff, bytes.number(), bytes.number()).ok()
        })
        .collect();
    let (count, positions) = (bytes.below(MOST), bytes.below(8));
    let marks = bytes.numbers(INSTRUMENTS);
    let instrument = bytes.codes(positions, INSTRUMENTS);
    let order = bytes.codes(count, count);
    let starts = if bytes.flag() {
        bytes.codes(positions, count)
    } else {
        (0..positions).map(|place| (place * count / positions) as u32).collect()
    };
    let (quantity, price, fee) = (bytes.numbers(count), bytes.numbers(count), bytes.numbers(count));
    let (quantity, price, fee) = (&quantity[..], &price[..], &fee[..]);
    let (order, starts, instrument) = (&order[..], &starts[..], &instrument[..]);
    let columns = Fills { quantity, price, fee, order, starts, instrument, contracts: &contracts, marks: &marks };
    let made = |threads| {
        let execution = Execution { set: InstructionSet::Baseline, threads, interrupted: &mut || false };
        positions_from_fills(&columns, execution)
    };
    let (one, two) = (made(1), made(2));
    assert_eq!(one.is_err(), two.is_err());
    let (Ok(one), Ok(two)) = (one, two) else { return };
    assert_eq!(one.len(), positions);
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one.status, two.status);
        assert_eq!(one.measures.map(f64::to_bits), two.measures.map(f64::to_bits));
    }
}

/// Labels as codes: equal ones have equal codes, others have others, first rows count up.
pub fn labels(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let width = bytes.below(9);
    let threads = 1 + bytes.below(3);
    let text = String::from_utf8_lossy(bytes.rest());
    let words: Vec<&str> = text.split([' ', '\n']).collect();
    if let Ok(numbered) =
        number_texts(words.len(), threads, &mut Numbering::default(), |row| Text::of(words[row].as_bytes()))
    {
        check(&words, &numbered.codes, &numbered.first_rows);
    }
    let points: Vec<u32> = text.chars().map(u32::from).collect();
    if let Ok(numbered) = number_code_points(&points, width, threads, &mut Numbering::default()) {
        let cells: Vec<&[u32]> = points.chunks_exact(width.max(1)).collect();
        check(&cells, &numbered.codes, &numbered.first_rows);
    }
    let integers: Vec<i64> =
        text.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |sum, &byte| sum * 256 + i64::from(byte))).collect();
    if let Ok(numbered) = number_integers(&integers, threads, &mut Numbering::default()) {
        check(&integers, &numbered.codes, &numbered.first_rows);
    }
}

fn check<T: PartialEq>(labels: &[T], codes: &[u32], first_rows: &[usize]) {
    assert_eq!(labels.len(), codes.len());
    assert!(first_rows.is_sorted());
    for (row, (label, &code)) in labels.iter().zip(codes).enumerate() {
        let first = first_rows[code as usize];
        assert!(first <= row && labels[first] == *label);
    }
    for (place, &row) in first_rows.iter().enumerate() {
        assert!(first_rows[..place].iter().all(|&before| labels[before] != labels[row]));
    }
}

/// Exact sums: no order of the numbers changes one bit.
pub fn sums(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let (count, groups) = (bytes.below(200), bytes.below(6));
    let values = bytes.numbers(count);
    let of_row: Vec<i64> = (0..count)
        .map(|_| if bytes.byte() == 255 { i64::MIN } else { i64::try_from(bytes.below(groups + 1)).unwrap() - 1 })
        .collect();
    let forward = exact_sums(&values, Some(&of_row), groups);
    let backward: (Vec<f64>, Vec<i64>) = values.iter().copied().zip(of_row.iter().copied()).rev().unzip();
    let backward = exact_sums(&backward.0, Some(&backward.1), groups);
    assert_eq!(forward.is_err(), backward.is_err());
    let (Ok(forward), Ok(backward)) = (forward, backward) else { return };
    for (one, two) in forward.iter().zip(&backward) {
        assert!(one.to_bits() == two.to_bits() || (one.is_nan() && two.is_nan()));
    }
}
