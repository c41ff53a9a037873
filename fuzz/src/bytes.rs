//! Numbers, codes and columns out of bytes.

/// Bytes that run out: then everything is zero.
pub(crate) struct Bytes<'a> {
    left: &'a [u8],
}

/// Numbers that rules are sensitive to.
const ODD: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN_POSITIVE,
    5e-324,
    1e300,
    -1e300,
    1e-300,
    0.5,
    1e15,
    4_503_599_627_370_497.0,
];

impl<'a> Bytes<'a> {
    pub(crate) fn new(left: &'a [u8]) -> Self {
        Self { left }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&first, left)) = self.left.split_first() else { return 0 };
        self.left = left;
        first
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below `limit`, which is not above 256.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, left) = self.left.split_at(count.min(self.left.len()));
        self.left = left;
        taken
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(self.left.len())
    }

    /// Eight bytes as they are.
    pub(crate) fn bits(&mut self) -> u64 {
        let mut word = [0; 8];
        let taken = self.take(8);
        word[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(word)
    }

    /// Mostly an ordinary number, now and then an odd one or any bits.
    pub(crate) fn number(&mut self) -> f64 {
        let kind = self.byte();
        match kind >> 5 {
            0 => ODD[usize::from(kind) % ODD.len()],
            1 => f64::from_bits(self.bits()),
            2..=4 => f64::from(self.byte()) + 1.0,
            5 => -f64::from(self.byte()) - 1.0,
            6 => f64::from(self.byte()) * 0.01,
            _ => (f64::from(self.byte()) + f64::from(self.byte()) / 256.0) * 100.0,
        }
    }

    pub(crate) fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    /// Codes of `labels`, now and then one beyond.
    pub(crate) fn codes(&mut self, count: usize, labels: usize) -> Vec<u32> {
        (0..count).map(|_| if self.byte() == 255 { u32::MAX } else { self.below(labels.max(1)) as u32 }).collect()
    }

    pub(crate) fn flags(&mut self, count: usize) -> Vec<bool> {
        (0..count).map(|_| self.flag()).collect()
    }
}
