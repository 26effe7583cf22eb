//! Everything that reads what comes from outside.

mod between_nodes;
mod files;
mod log;
mod network;

use crate::Target;

const MIB: u64 = 1024 * 1024;

const fn target(name: &'static str, ordinarily: u64, most_bytes: u64, body: fn(&mut crate::Draw<'_>)) -> Target {
    Target { name, ordinarily, most_bytes, body }
}

/// All of them.
pub const ALL: [Target; 18] = [
    target("envelopes", 2_000, 8 * MIB, between_nodes::envelopes),
    target("sealed_letters", 1_000, 8 * MIB, between_nodes::sealed_letters),
    target("tokens", 3_000, MIB, network::tokens),
    target("claims", 1_000, MIB, network::claims),
    target("directories", 2_000, 4 * MIB, network::directories),
    target("networks", 1_000, 8 * MIB, network::networks),
    target("custody_letters", 10_000, MIB, between_nodes::custody_letters),
    target("certificates", 5_000, MIB, between_nodes::certificates),
    target("link_words", 10_000, 4 * MIB, between_nodes::link_words),
    target("stored_events", 20_000, MIB, log::stored_events),
    target("folded_events", 1_500, 4 * MIB, log::folded_events),
    target("lists_as_csv", 2_000, 64 * MIB, files::lists_as_csv),
    target("lists_as_workbooks", 200, 128 * MIB, files::lists_as_workbooks),
    target("gazetteers", 1_000, 16 * MIB, files::gazetteers),
    target("codes", 20_000, MIB, network::codes),
    target("policies", 1_000, 4 * MIB, network::policies),
    target("settings", 1_000, 4 * MIB, network::settings),
    target("notes_of_backups", 5_000, MIB, between_nodes::notes_of_backups),
];
