//! What can be asked of a node, as the descriptors of the interface say it: methods, and the fields of their requests.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use spean_contracts::DESCRIPTORS;

use crate::language::kebab;

/// All that is described. Reading it takes longer than a request, so it is read once.
fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(DESCRIPTORS).expect("the compiler of proto/ wrote it"))
}

/// Every method, by its name.
pub(crate) fn methods() -> &'static BTreeMap<String, MethodDescriptor> {
    static METHODS: OnceLock<BTreeMap<String, MethodDescriptor>> = OnceLock::new();
    METHODS.get_or_init(|| {
        let methods = pool().services().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| (method.name().to_owned(), method)).collect()
    })
}

/// The method of this name.
pub(crate) fn method(name: &str) -> Option<&'static MethodDescriptor> {
    methods().get(name)
}

/// Where a method is called: `/package.Service/Method`.
pub(crate) fn path_of(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// Whether a method only asks, so that nothing is done twice when it is called twice.
pub(crate) fn is_question(method: &MethodDescriptor) -> bool {
    const QUESTIONS: [&str; 6] = ["Get", "List", "Search", "Count", "Who", "FindServices"];
    QUESTIONS.iter().any(|beginning| method.name().starts_with(beginning))
}

/// A field of a request that can be given on its own: the way to it through the messages, and what it is called on the
/// command line.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The fields from the request down.
    pub(crate) way: Vec<FieldDescriptor>,
    /// Its name for people: `home-place`.
    pub(crate) flag: String,
}

/// What a field holds, as far as reading it from a command line is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Yes or no.
    Truth,
    /// A whole number.
    Number,
    /// A word of a list.
    Word,
    /// A day.
    Day,
    /// An instant.
    Instant,
    /// The content of a file.
    Content,
    /// A message of its own, written as `field=value,field=value`.
    Parts,
    /// Anything else: a text, a code, an id.
    Text,
}

impl Leaf {
    /// The field itself.
    pub(crate) fn field(&self) -> &FieldDescriptor {
        self.way.last().expect("a way has at least one field")
    }

    /// The way to it as the interface writes it: `person.home_place`.
    pub(crate) fn path(&self) -> String {
        self.way.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>().join(".")
    }

    /// What it holds.
    pub(crate) fn holds(&self) -> Holds {
        holds(self.field())
    }

    /// Whether it may hold what is said about a person in words: such things are never read from the command line itself,
    /// which others on the machine can see and the shell keeps.
    pub(crate) fn is_personal(&self) -> bool {
        const WORDS: [&str; 10] = [
            "address",
            "telephone",
            "safe_contact",
            "narrative",
            "words",
            "note",
            "notes",
            "responsible_adult",
            "findings",
            "plan",
        ];
        let field = self.field();
        let parent = field.parent_message();
        match parent.name() {
            "Name" | "Reporter" | "Document" => true,
            "Birth" => field.name() == "on",
            _ => field.name() == "documents" || (matches!(field.kind(), Kind::String) && WORDS.contains(&field.name())),
        }
    }
}

/// What a field holds.
pub(crate) fn holds(field: &FieldDescriptor) -> Holds {
    match field.kind() {
        Kind::Bool => Holds::Truth,
        Kind::Bytes => Holds::Content,
        Kind::Enum(_) => Holds::Word,
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => Holds::Instant,
        Kind::Message(_) => Holds::Parts,
        Kind::String if is_day(field.name()) => Holds::Day,
        Kind::String => Holds::Text,
        _ => Holds::Number,
    }
}

fn is_day(name: &str) -> bool {
    const DAYS: [&str; 7] = ["from", "to", "on", "from_night", "night_of", "mend_by", "known_since"];
    name.ends_with("_on") || name.ends_with("_day") || DAYS.contains(&name)
}

/// The fields of a request that can be given one by one. Pages are turned for the caller.
pub(crate) fn leaves(message: &MessageDescriptor) -> Vec<Leaf> {
    let mut ways = Vec::new();
    walk(message, &mut Vec::new(), &mut ways);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for way in &ways {
        *times.entry(last_name(way)).or_default() += 1;
    }
    let flag = |way: &[FieldDescriptor]| {
        let own = last_name(way);
        match way.len().checked_sub(2).map(|parent| &way[parent]) {
            Some(parent) if times[&own] > 1 || is_meaningless_alone(way) => kebab(&format!("{}_{own}", parent.name())),
            _ => kebab(&own),
        }
    };
    ways.iter().map(|way| Leaf { flag: flag(way), way: way.clone() }).collect()
}

fn walk(message: &MessageDescriptor, way: &mut Vec<FieldDescriptor>, found: &mut Vec<Vec<FieldDescriptor>>) {
    for field in message.fields() {
        way.push(field.clone());
        match field.kind() {
            Kind::Message(inner) if inner.name() == "PageRequest" => (),
            Kind::Message(inner) if !field.is_list() && holds(&field) == Holds::Parts => walk(&inner, way, found),
            _ => found.push(way.clone()),
        }
        way.pop();
    }
}

fn last_name(way: &[FieldDescriptor]) -> String {
    way.last().map(|field| field.name().to_owned()).unwrap_or_default()
}

fn is_meaningless_alone(way: &[FieldDescriptor]) -> bool {
    let parent = way.last().map(|field| field.parent_message().name().to_owned());
    matches!(parent.as_deref(), Some("Name" | "Birth" | "Reporter"))
}

/// The words of an enumeration that can be said, without its prefix: `NO_CAPACITY`.
pub(crate) fn words_of(enumeration: &prost_reflect::EnumDescriptor) -> Vec<(i32, String)> {
    let zero = enumeration.default_value().name().to_owned();
    let prefix = zero.strip_suffix("UNSPECIFIED").unwrap_or_default();
    let said = enumeration.values().filter(|value| value.number() != 0);
    said.map(|value| (value.number(), value.name().strip_prefix(prefix).unwrap_or(value.name()).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_flags_of_a_request_are_distinct() {
        for (name, method) in methods() {
            let leaves = leaves(&method.input());
            let flags: BTreeSet<_> = leaves.iter().map(|leaf| leaf.flag.clone()).collect();
            assert_eq!(flags.len(), leaves.len(), "{name}: {flags:?}");
        }
    }

    #[test]
    fn what_is_said_about_a_person_is_told_from_codes() {
        let personal = |method_name: &str| {
            let leaves = leaves(&method(method_name).unwrap().input());
            leaves.iter().filter(|leaf| leaf.is_personal()).map(Leaf::path).collect::<Vec<_>>()
        };
        let person = personal("RegisterPerson");
        assert!(person.contains(&"person.khmer_name.family".to_owned()), "{person:?}");
        assert!(person.contains(&"person.birth.on".to_owned()) && !person.contains(&"person.birth.year".to_owned()));
        assert!(person.contains(&"person.narrative".to_owned()) && !person.contains(&"person.home_place".to_owned()));
        assert_eq!(personal("OfferReferral"), ["note"]);
        assert_eq!(personal("SearchPlaces"), Vec::<String>::new(), "the name of a place is no secret");
        assert_eq!(personal("RecordSession"), ["notes"], "which adult was there is a word of a list");
    }
}
