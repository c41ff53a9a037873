//! The fuzz targets on random bytes and on their seeds, so that every run of the tests looks a little; docs/trust.md has the long runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target fails by a panic")]
#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "a check that NaN must fail reads `!(number < limit)`")]

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public for the fuzzer's programs")]
mod targets;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn books(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        targets::evaluate(&bytes);
    }

    #[test]
    fn fills_labels_and_sums(bytes in prop::collection::vec(any::<u8>(), 0..1000)) {
        targets::fills(&bytes);
        targets::labels(&bytes);
        targets::sums(&bytes);
    }
}

type Target = fn(&[u8]);

#[test]
fn seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let targets: [(&str, Target); 4] = [
        ("evaluate", targets::evaluate),
        ("fills", targets::fills),
        ("labels", targets::labels),
        ("sums", targets::sums),
    ];
    for (name, target) in targets {
        let seeds = fs::read_dir(folder.join(name)).unwrap();
        let run = seeds.map(|seed| target(&fs::read(seed.unwrap().path()).unwrap())).count();
        assert!(run > 0, "{name} has no seeds");
    }
}
