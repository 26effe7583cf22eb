//! What stands in a log: in every form in which it was ever stored, and changed.

use std::sync::LazyLock;

use spean_chassis::Log;
use spean_eventsourcing::Aggregate;
use spean_eventstore::{Digest, Metadata, Recorded};
use spean_vocabulary::{Service, Timestamp};

use super::between_nodes;
use crate::Draw;

const SERVICES: [Service; 7] = [
    Service::Cases,
    Service::Directory,
    Service::Followup,
    Service::Insight,
    Service::Referral,
    Service::Repatriation,
    Service::Shelter,
];

/// The golden lines of a file, which the versions of the program agreed on.
macro_rules! golden {
    ($($file:literal)*) => {
        [$(include_str!(concat!("../../../../", $file, ".jsonl"))),*]
    };
}

static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let files = golden!(
        "crates/custody/tests/golden/events" "crates/custody/tests/golden/events_later"
        "crates/policy/tests/golden/policy" "services/cases/tests/golden/case"
        "services/shelter/tests/golden/care" "services/shelter/tests/golden/homecoming"
        "services/shelter/tests/golden/house" "services/followup/tests/golden/agenda"
        "services/followup/tests/golden/assignment" "services/followup/tests/golden/at_the_desk"
        "services/followup/tests/golden/contact" "services/followup/tests/golden/danger"
        "services/followup/tests/golden/family_search" "services/followup/tests/golden/fund"
        "services/followup/tests/golden/mandate" "services/followup/tests/golden/meeting"
        "services/followup/tests/golden/plan" "services/followup/tests/golden/post"
        "services/followup/tests/golden/supervision" "services/followup/tests/golden/support"
        "services/followup/tests/golden/whereabouts" "services/insight/tests/golden/publication"
        "services/insight/tests/golden/report" "services/insight/tests/golden/subject"
        "services/repatriation/tests/golden/arrival" "services/repatriation/tests/golden/centre_beds"
        "services/repatriation/tests/golden/manifest" "services/repatriation/tests/golden/repatriation_request"
        "services/directory/tests/golden/availability" "services/directory/tests/golden/heard_offering"
        "services/directory/tests/golden/offering" "services/directory/tests/golden/office"
        "services/referral/tests/golden/availability" "services/referral/tests/golden/needs"
        "services/referral/tests/golden/news" "services/referral/tests/golden/open_matters"
        "services/referral/tests/golden/report" "services/referral/tests/golden/waiting_elsewhere"
        "services/referral/tests/golden/waiting_list"
    );
    files.iter().flat_map(|file| file.lines()).map(str::to_owned).collect()
});

/// A changed event is read as whatever any log holds, or it is not read.
pub(super) fn stored_events(draw: &mut Draw<'_>) {
    static LOGS: LazyLock<Vec<Log>> = LazyLock::new(|| SERVICES.into_iter().map(spean::services::log).collect());
    let payload = draw.changed_text(&LINES);
    let log = draw.one_of(&LOGS);
    for category in log.categories() {
        let _ = log.reads(&recorded(category, payload.clone()));
    }
}

fn recorded(category: &str, payload: String) -> Recorded {
    Recorded {
        position: 1,
        category: category.to_owned(),
        id: "1".to_owned(),
        version: 1,
        event_type: "x".to_owned(),
        payload,
        metadata: Metadata::new("kandal".parse().expect("a code"), Timestamp::from_micros(0)),
        hash: Digest::default(),
    }
}

/// A state that follows from events.
type Folding = fn(&[String]);

fn fold<A: Aggregate>(lines: &[String]) {
    let events: Vec<A::Event> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let _ = A::fold(&events);
}

/// Events of a thing, changed and put after each other in any order: the state that follows takes anything, since a log
/// that was damaged is examined too.
pub(super) fn folded_events(draw: &mut Draw<'_>) {
    const FOLDINGS: [Folding; 35] = [
        fold::<spean_cases::case::Case>,
        fold::<spean_shelter::house::House>,
        fold::<spean_shelter::homecoming::Homecoming>,
        fold::<spean_shelter::care::Care>,
        fold::<spean_followup::fund::Fund>,
        fold::<spean_followup::post::Post>,
        fold::<spean_followup::danger::Danger>,
        fold::<spean_followup::contact::Contact>,
        fold::<spean_followup::supervision::Supervision>,
        fold::<spean_followup::mandate::Mandate>,
        fold::<spean_followup::support::Support>,
        fold::<spean_followup::agenda::Agenda>,
        fold::<spean_followup::worker::Assignment>,
        fold::<spean_followup::desk::AtTheDesk>,
        fold::<spean_followup::family_search::FamilySearch>,
        fold::<spean_followup::plan::Plan>,
        fold::<spean_followup::meeting::Meeting>,
        fold::<spean_followup::whereabouts::Whereabouts>,
        fold::<spean_insight::subject::Subject>,
        fold::<spean_insight::publication::Publication>,
        fold::<spean_insight::report::Report>,
        fold::<spean_repatriation::beds::Beds>,
        fold::<spean_repatriation::request::Request>,
        fold::<spean_repatriation::manifest::Manifest>,
        fold::<spean_repatriation::arrival::Arrival>,
        fold::<spean_directory::office::Office>,
        fold::<spean_directory::heard_offering::HeardOffering>,
        fold::<spean_directory::offering::Offering>,
        fold::<spean_directory::availability::Availability>,
        fold::<spean_referral::news::case_news::CaseNews>,
        fold::<spean_referral::open_matters::OpenMatters>,
        fold::<spean_referral::needs::elsewhere::WaitingElsewhere>,
        fold::<spean_referral::needs::need::CaseNeed>,
        fold::<spean_referral::waiting_list::WaitingList>,
        fold::<spean_referral::reports::report::Report>,
    ];
    if draw.once_in(10) {
        return between_nodes::custody_events(draw);
    }
    // Lines of one kind stand together.
    let from = draw.below(LINES.len());
    let near = &LINES[from..(from + 40).min(LINES.len())];
    let lines: Vec<_> = (0..draw.below(16))
        .map(|_| if draw.once_in(3) { draw.one_of(near).clone() } else { draw.changed_text(near) })
        .collect();
    for folding in FOLDINGS {
        folding(&lines);
    }
}
