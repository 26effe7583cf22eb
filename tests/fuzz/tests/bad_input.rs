//! Some thousand bad inputs for each reader.

use spean_fuzz::targets::ALL;

/// Raises the number of inputs, for a longer run.
const TIMES: &str = "SPEAN_FUZZ_TIMES";

fn try_on(name: &str) {
    let target = ALL.iter().find(|target| target.name == name).expect("there is such a reader");
    let times = std::env::var(TIMES).ok().and_then(|times| times.parse::<u64>().ok()).unwrap_or(1);
    let tried = target.run(1..target.ordinarily * times + 1, None);
    println!("{name}: {} inputs in {:?}, at most {} bytes at a time", tried.inputs, tried.took, tried.most_bytes);
    if let Some((seed, why)) = tried.failed {
        panic!("{name}: the input of seed {seed}: {why}");
    }
}

macro_rules! every_reader {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                try_on(stringify!($name));
            }
        )*

        #[test]
        fn every_reader_has_its_test() {
            let tested = [$(stringify!($name)),*];
            assert!(ALL.iter().all(|target| tested.contains(&target.name)));
            assert_eq!(tested.len(), ALL.len());
        }
    };
}

every_reader! {
    envelopes sealed_letters tokens claims directories networks
    custody_letters certificates link_words
    stored_events folded_events
    lists_as_csv lists_as_workbooks gazetteers
    codes policies settings notes_of_backups
}
