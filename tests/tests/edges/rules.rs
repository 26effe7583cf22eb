//! What a field of a request may hold, and everything that it may not.

use serde_json::{Value, json};

/// Goes along in every text that is refused, to see that no refusal repeats it.
pub(crate) const MARK: &str = "ZqXw";

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// A UUID.
    Id,
    /// A UUID or nothing.
    OptionalId,
    /// The id of a case or its number.
    IdOrNumber,
    /// A code such as that of an office; required or not.
    Code(Needed),
    /// The code of a place.
    Place(Needed),
    /// A day, today when left out, never one to come.
    PastDay,
    /// A day or nothing.
    AnyDay,
    /// A day that must be there and never is one to come.
    BirthDay,
    /// A day that must be there.
    RequiredDay,
    /// A third of a year, such as 2026-1; required or not.
    Period(Needed),
    /// A value of an enum, with the numbers of those that callers may not choose.
    Word(&'static [i32]),
    /// A value of an enum or none.
    OptionalWord,
    /// A list of values of an enum, at most so many.
    Words(Option<usize>),
    /// Text, at most so many characters.
    Text(usize),
    /// Text that must be there.
    RequiredText(usize),
    /// Two or three letters.
    ShortCode,
    /// A number between these two.
    Number(i64, i64),
    /// A message that must be there.
    Message,
    /// A list of at most so many of these.
    AtMost(usize, Entry),
    /// Which page.
    Page,
    /// SHA-256 in hexadecimal.
    Digest,
    /// An instant to come, within ten years.
    DueInstant,
    /// Must be left out.
    NotForRequests,
    /// The signed directory as JSON.
    SignedDirectory,
    /// A list of arrivals.
    Csv,
    /// A paper or photograph: at most 5 MiB, and of a form that is taken.
    File,
    /// Anything will do.
    Free,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    Yes,
    No,
}

/// What a list that is too long is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    Language,
    Country,
    Document,
    Office,
    Place,
    Places,
    Beds,
    Window,
    Guest,
    Offer,
    Id,
    Need,
    /// A message without anything in it.
    Empty,
    Point,
}

/// One way to be wrong: which field is changed, to what, and which field the refusal must name.
pub(crate) struct Fault {
    pub(crate) field: String,
    pub(crate) value: Option<Value>,
    pub(crate) named: String,
}

impl Rule {
    /// All the ways in which a field can be wrong.
    pub(crate) fn faults(self, field: &str) -> Vec<Fault> {
        let named = |value: Option<Value>| Fault { field: field.to_owned(), value, named: field.to_owned() };
        let within = |part: &str, value: Value| {
            let part = format!("{field}.{part}");
            Fault { field: part.clone(), value: Some(value), named: part }
        };
        match self {
            Self::Page => vec![
                within("size", json!(-1)),
                within("size", json!(201)),
                within("size", json!(i32::MAX)),
                within("token", json!(MARK)),
                within("token", json!("-1")),
                within("token", json!("99999999999999999999")),
            ],
            Self::Words(most) => {
                let first = format!("{field}[0]");
                let wrong = [json!([0]), json!([999]), json!([-1])];
                let wrong = wrong.into_iter().map(|value| Fault { named: first.clone(), ..named(Some(value)) });
                let many = most.map(|most| named(Some(json!(vec![1; most + 1]))));
                wrong.chain(many).collect()
            }
            other => other.values().into_iter().map(named).collect(),
        }
    }

    fn values(self) -> Vec<Option<Value>> {
        let some = |values: Vec<Value>| values.into_iter().map(Some).collect::<Vec<_>>();
        let text =
            |longest: usize| vec![json!(format!("{MARK}{}", "x".repeat(longest))), json!(format!("{MARK}\u{7}"))];
        let required = |values: Vec<Value>| std::iter::once(None).chain(values.into_iter().map(Some)).collect();
        let malformed_id = || {
            let nil = "00000000-0000-0000-0000-000000000000";
            vec![json!(MARK), json!(nil), json!("6ecd8c99"), json!(MARK.repeat(20_000))]
        };
        let malformed_day = || vec![json!("2026-02-30"), json!(MARK), json!("2026-1-1"), json!("01/02/2026")];
        let to_come = || vec![json!("2999-01-01")];
        let malformed_code = || vec![json!("Not A Code"), json!("ស្ពាន"), json!(MARK.repeat(2_000)), json!("a/../b")];
        let malformed_place = || vec![json!("1"), json!(MARK), json!("0802050101"), json!("០៨")];
        match self {
            Self::Id => required([malformed_id(), vec![json!("6ecd8c9947a64a3bbd3f0f5f0b1c2d3e")]].concat()),
            Self::OptionalId => some(malformed_id()),
            Self::IdOrNumber => required(malformed_id()),
            Self::Code(Needed::Yes) => required(malformed_code()),
            Self::Code(Needed::No) => some(malformed_code()),
            Self::Place(Needed::Yes) => required(malformed_place()),
            Self::Place(Needed::No) => some(malformed_place()),
            Self::PastDay => some([malformed_day(), to_come()].concat()),
            Self::AnyDay => some(malformed_day()),
            Self::RequiredDay => required(malformed_day()),
            Self::Period(needed) => {
                let malformed = vec![json!("2026-4"), json!("2026"), json!(MARK), json!("2026-01-01")];
                if needed == Needed::Yes { required(malformed) } else { some(malformed) }
            }
            Self::BirthDay => some([malformed_day(), to_come(), vec![json!("")]].concat()),
            Self::Word(forbidden) => {
                required([vec![json!(999), json!(-1)], forbidden.iter().map(|number| json!(number)).collect()].concat())
            }
            Self::OptionalWord => some(vec![json!(999), json!(-1)]),
            Self::Text(longest) => some(text(longest)),
            Self::RequiredText(longest) => required([text(longest), vec![json!("   "), json!("\n")]].concat()),
            Self::ShortCode => some(vec![json!("1"), json!("k"), json!(MARK), json!("ខ")]),
            Self::Number(least, most) => some(vec![json!(least - 1), json!(most + 1)]),
            Self::Message => vec![None],
            Self::AtMost(most, entry) => vec![Some(Value::Array(vec![entry.value(); most + 1]))],
            Self::Digest => required(vec![json!(MARK), json!("ab".repeat(31)), json!("zz".repeat(32))]),
            Self::DueInstant => {
                some(vec![json!("1999-01-01T00:00:00Z"), json!("9999-12-31T23:59:59Z"), json!("2020-01-01T00:00:00Z")])
            }
            Self::NotForRequests => some(vec![json!("2026-01-01")]),
            Self::SignedDirectory => required(vec![json!(MARK), json!("{}"), json!("{\"directory\":1}")]),
            // In base64: nothing at all, no text, a header that is none, and one that names no column we know.
            Self::Csv => required(vec![json!("//79/A=="), json!("AAAA"), json!("WnFYdyx4Cg==")]),
            // In base64: nothing at all, a GIF, a program, and a PNG that is too large.
            Self::File => {
                let large = format!("iVBORw0KGgoA{}", "AAAA".repeat(1_747_627));
                required(vec![json!("R0lGODlh"), json!("TVqQAAMA"), json!(large)])
            }
            Self::Free | Self::Page | Self::Words(_) => vec![],
        }
    }
}

impl Entry {
    fn value(self) -> Value {
        match self {
            Self::Language => json!("km"),
            Self::Empty => json!({}),
            Self::Country => json!("TH"),
            Self::Document => json!({ "kind": "passport", "number": "N1" }),
            Self::Office => json!("dsvy-kandal"),
            Self::Place => json!("08"),
            Self::Offer => json!({ "urgency": 1 }),
            Self::Id => json!("6ecd8c99-47a6-4a3b-bd3f-0f5f0b1c2d3e"),
            Self::Guest => json!({ "kind": 2, "count": 1 }),
            Self::Window => json!({ "from": "2026-01-01", "to": "2026-01-31" }),
            Self::Need => json!({ "need": 1, "urgency": 1 }),
            Self::Point => json!({ "check": 1, "result": 1 }),
            Self::Places => json!({ "sex": 1, "capacity_persons": 1 }),
            Self::Beds => json!({ "group": 1, "places": 1 }),
        }
    }
}
