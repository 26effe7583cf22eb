//! Requests drawn from a seed: what any client could send, by the descriptors alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage as _, Value};
use spean::demonstration::staff::new_id;
use spean_fuzz::Draw;
use tonic::Code;

use super::call::{Headers, encode, every_rpc, send};
use super::scene::Scene;
use super::table::{Row, rows};

/// How deep messages lie in each other.
const DEEPEST: usize = 5;
/// Requests that are under way at a time.
const AT_A_TIME: usize = 16;

/// What came of many requests.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many were answered how.
    pub(crate) answers: BTreeMap<String, usize>,
    /// Those that the node did not expect: the seed, the RPC and the answer.
    pub(crate) broken: Vec<(u64, String, String)>,
    /// The commands that were refused.
    pub(crate) refused: BTreeSet<String>,
}

/// Sends so many.
pub(crate) async fn send_many(scene: &Scene, token: &Headers, wanted: u64) -> Told {
    let rows = rows(&scene.ids);
    let mut words = BTreeSet::new();
    for row in &rows {
        collect_words(&row.request, &mut words);
    }
    let words: Vec<_> = words.into_iter().collect();
    let requests = futures::stream::iter(1..=wanted).map(|seed| {
        let (rpc, request) = request(&mut Draw::new(seed), &rows, &words);
        let command = new_id();
        let headers = token.and("spean-command-id", &command);
        async move { (seed, rpc, command, send(&scene.channel, rpc, &headers, request).await) }
    });
    let mut told = Told::default();
    let mut answers = requests.buffer_unordered(AT_A_TIME);
    while let Some((seed, rpc, command, answer)) = answers.next().await {
        let code = answer.as_ref().err().map_or(Code::Ok, tonic::Status::code);
        *told.answers.entry(format!("{code:?}")).or_default() += 1;
        let Err(status) = answer else { continue };
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::DeadlineExceeded)
        {
            told.broken.push((seed, rpc.to_owned(), format!("{status:?}")));
        }
        told.refused.insert(command);
    }
    told
}

/// What a process takes of the memory, in KiB.
pub(crate) fn memory_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

/// A sound request with something changed, or one of which only the form is right.
fn request(draw: &mut Draw, rows: &[Row], words: &[String]) -> (&'static str, Vec<u8>) {
    let (rpc, method) = draw.one_of(every_rpc());
    let input = method.input();
    if draw.once_in(3) {
        return (rpc, message(draw, &input, words, 0).encode_to_vec());
    }
    let row = rows.iter().find(|row| row.rpc == *rpc).unwrap();
    let sound = encode(rpc, &row.request).unwrap();
    let mut sound = DynamicMessage::decode(input.clone(), sound.as_slice()).unwrap();
    for _ in 0..=draw.below(3) {
        change(draw, &mut sound, words);
    }
    (rpc, sound.encode_to_vec())
}

fn change(draw: &mut Draw, message: &mut DynamicMessage, words: &[String]) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    if fields.is_empty() {
        return;
    }
    let field = draw.one_of(&fields).clone();
    if draw.once_in(2)
        && !field.is_list()
        && message.has_field(&field)
        && let Value::Message(inner) = message.get_field_mut(&field)
    {
        return change(draw, inner, words);
    }
    if draw.once_in(4) {
        message.clear_field(&field);
    } else {
        let value = value(draw, &field, words, 0);
        message.set_field(&field, value);
    }
}

fn message(draw: &mut Draw, of: &MessageDescriptor, words: &[String], depth: usize) -> DynamicMessage {
    let mut drawn = DynamicMessage::new(of.clone());
    for field in of.fields() {
        let is_message = matches!(field.kind(), Kind::Message(_));
        let is_left_out = draw.once_in(4) || (is_message && depth >= DEEPEST);
        if !is_left_out {
            let value = value(draw, &field, words, depth);
            drawn.set_field(&field, value);
        }
    }
    drawn
}

fn value(draw: &mut Draw, field: &FieldDescriptor, words: &[String], depth: usize) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { unreachable!("a map is a list of messages") };
        let value = single(draw, &entry.map_entry_value_field(), words, depth + 1);
        return Value::Map([(MapKey::String(draw.one_of(words).clone()), value)].into());
    }
    if field.is_list() {
        let most = if draw.once_in(50) && depth == 0 { 2_000 } else { 4 };
        return Value::List((0..draw.below(most)).map(|_| single(draw, field, words, depth + 1)).collect());
    }
    single(draw, field, words, depth)
}

fn single(draw: &mut Draw, field: &FieldDescriptor, words: &[String], depth: usize) -> Value {
    let number = draw.awkward_number();
    let small = i32::try_from(number % 0x7fff_ffff).unwrap() * if draw.once_in(2) { 1 } else { -1 };
    match field.kind() {
        Kind::Double => Value::F64(f64::from_bits(number)),
        Kind::Float => Value::F32(f32::from_bits(small.cast_unsigned())),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(if draw.once_in(2) { small } else { small % 40 }),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number.cast_signed()),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(small.cast_unsigned()),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
        Kind::Bool => Value::Bool(draw.once_in(2)),
        Kind::String => Value::String(text(draw, words)),
        Kind::Bytes => {
            let example = text(draw, words).into_bytes();
            Value::Bytes(draw.changed(&[example]).into())
        }
        Kind::Enum(of) => {
            let known: Vec<_> = of.values().map(|value| value.number()).collect();
            Value::EnumNumber(if draw.once_in(6) { small } else { *draw.one_of(&known) })
        }
        Kind::Message(of) if depth < DEEPEST => Value::Message(message(draw, &of, words, depth + 1)),
        Kind::Message(of) => Value::Message(DynamicMessage::new(of)),
    }
}

fn text(draw: &mut Draw, words: &[String]) -> String {
    match draw.below(8) {
        0 => draw.text(60),
        1 => draw.changed_text(words),
        2 => new_id(),
        3 if draw.once_in(10) => "ក".repeat(20_000),
        _ => draw.one_of(words).clone(),
    }
}

/// All texts of the sound requests: ids of the scene, codes, days, names.
fn collect_words(value: &serde_json::Value, words: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => _ = words.insert(text.clone()),
        serde_json::Value::Array(entries) => entries.iter().for_each(|entry| collect_words(entry, words)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| collect_words(field, words)),
        _ => {}
    }
}
