//! Every stored event as it stands in logs: what was once written must stay readable. `SPEAN_BLESS=1` rewrites the
//! files, which is right for a new event only: what stands there already is what logs hold.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use spean_chassis::person::Codes;
use spean_repatriation::arrival::{
    Authority, ByRequest, Circumstances, DepartureKind, Event as Arrival, OfferEnd, ResponsibleAdult, Route,
};
use spean_repatriation::beds::Event as Beds;
use spean_repatriation::manifest::{Column, Event as Manifest, Note, Outcome, Reason, Verdict};
use spean_repatriation::request::{Due, Event as Request, Owner, Travel};
use spean_repatriation::words::{
    AdultFunction, AuthorityKind, BedGroup, DelegateReason, EndReason, EscortFunction, OverCapacityReason,
    RepatriationDirection, RepatriationState, RepatriationStep as Step, ServedBy, SkipReason, StaffFunction,
    TravelMeans,
};
use spean_vocabulary::{CaseNumber, Need, OfferKind};

use support::{centre, circumstances, codes, day, id, office};

fn check<E: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(file: &str, events: &[E]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let lines: Vec<_> = events.iter().map(|event| serde_json::to_string(event).expect("events are JSON")).collect();
    if std::env::var_os("SPEAN_BLESS").is_some() {
        std::fs::write(&path, lines.join("\n") + "\n").expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    assert_eq!(golden.lines().collect::<Vec<_>>(), lines);
    let read: Vec<E> = golden.lines().map(|line| serde_json::from_str(line).expect("it stays readable")).collect();
    assert_eq!(read, events);
}

/// As it was written before there was a list of authorities.
fn in_words(arrived_on: &str) -> Circumstances {
    let handed_over_by = Some("consular section".to_owned());
    Circumstances { handed_over_by, authority: None, ..circumstances(arrived_on) }
}

fn registered(circumstances: Circumstances, codes: Codes, needs: BTreeSet<Need>) -> Arrival {
    Arrival::Registered { person: id(1), office: centre(), circumstances, codes, needs, by_request: None }
}

#[test]
fn events_of_arrivals_stay_readable() {
    let bare = Circumstances {
        route: Route::Alone,
        from_country: None,
        handed_over_by: None,
        authority: None,
        arrived_on: day("2026-09-01"),
    };
    let needs = BTreeSet::from([Need::Medical, Need::ReintegrationFollowUp]);
    let registered = |circumstances, needs| registered(circumstances, codes(), needs);
    let found = |urgent, words: Option<&str>| Arrival::NeedsRecorded {
        needs: needs.clone(),
        urgent,
        responsible_adult: words.map(str::to_owned),
        urgent_needs: BTreeSet::new(),
        adult: None,
    };
    check(
        "arrival.jsonl",
        &[
            registered(in_words("2026-09-01"), needs.clone()),
            registered(bare.clone(), BTreeSet::new()),
            registered(Circumstances { route: Route::Deportation, ..bare }, BTreeSet::new()),
            Arrival::CaseOpened { case_number: CaseNumber::draw("PP".parse().expect("a tag"), [1, 2, 3, 4, 5]) },
            found(true, Some("social worker on duty")),
            found(false, None),
            Arrival::Stayed { night_of: day("2026-09-01"), first: false },
            Arrival::Accepted { offer: Some(id(5)), office: office("kandal") },
            Arrival::Accepted { offer: None, office: office("kandal") },
            Arrival::TakenBack { offer: id(6) },
            departed(DepartureKind::HandedOver, Some("kandal"), false),
            departed(DepartureKind::OwnWill, None, false),
            registered(circumstances("2026-09-01"), BTreeSet::new()),
            registered(with_a_post(), BTreeSet::new()),
            by_request(),
            Arrival::NeedsRecorded {
                needs: needs.clone(),
                urgent: true,
                responsible_adult: None,
                urgent_needs: BTreeSet::from([Need::Medical]),
                adult: Some(adult(Some("sw-3"))),
            },
            Arrival::NeedsRecorded {
                needs: needs.clone(),
                urgent: false,
                responsible_adult: None,
                urgent_needs: BTreeSet::new(),
                adult: Some(adult(None)),
            },
            Arrival::NeedServed { need: Need::Medical, on: day("2026-09-02"), by: ServedBy::HealthFacility },
            bed(None),
            bed(Some(OverCapacityReason::NowhereElse)),
            Arrival::SamePersonConfirmed { other: id(2), on: day("2026-09-02") },
            Arrival::Stayed { night_of: day("2026-09-01"), first: true },
            Arrival::FoundAgain { on: day("2026-09-05") },
            offer_ended(OfferKind::Service, Some(Need::Medical)),
            offer_ended(OfferKind::Transfer, None),
            departed(DepartureKind::Missing, None, true),
        ],
    );
}

fn departed(kind: DepartureKind, to: Option<&str>, stayed: bool) -> Arrival {
    Arrival::Departed { kind, on: day("2026-09-03"), to: to.map(office), stayed }
}

fn with_a_post() -> Circumstances {
    let authority = Some(Authority { kind: AuthorityKind::BorderPolice, post: Some("PP-3".to_owned()) });
    Circumstances { authority, ..circumstances("2026-09-01") }
}

fn by_request() -> Arrival {
    Arrival::Registered {
        person: id(1),
        office: centre(),
        circumstances: circumstances("2026-09-01"),
        codes: codes(),
        needs: BTreeSet::new(),
        by_request: Some(ByRequest { request: id(8), person: id(9) }),
    }
}

fn adult(staff: Option<&str>) -> ResponsibleAdult {
    let staff = staff.map(|staff| staff.parse().expect("a code"));
    ResponsibleAdult { function: AdultFunction::SocialWorker, staff }
}

fn bed(over_capacity: Option<OverCapacityReason>) -> Arrival {
    Arrival::BedAssigned { group: BedGroup::Men, from_night: day("2026-09-01"), over_capacity }
}

fn offer_ended(kind: OfferKind, need: Option<Need>) -> Arrival {
    Arrival::OfferEnded { offer: id(5), office: office("kandal"), kind, need, end: OfferEnd::Declined }
}

#[test]
fn events_of_beds_stay_readable() {
    let places = BTreeMap::from([(BedGroup::Women, 20), (BedGroup::Family, 8)]);
    check("centre_beds.jsonl", &[Beds::Declared { office: centre(), places }]);
}

#[test]
fn events_of_repatriation_requests_stay_readable() {
    let owner = |staff: Option<&str>| Owner {
        office: office("mosvy-atro"),
        function: StaffFunction::RepatriationOfficer,
        staff: staff.map(|staff| staff.parse().expect("a code")),
    };
    let due = |step| Due { step, since: day("2026-09-01"), due_on: day("2026-09-18") };
    let travel = Travel {
        on: day("2026-09-19"),
        means: TravelMeans::Road,
        border_place: "0110".parse().ok(),
        escort: EscortFunction::SocialWorker,
        receiving_office: Some(centre()),
    };
    let bare = Travel { border_place: None, receiving_office: None, ..travel.clone() };
    let arranged = |travel| Request::TravelArranged { travel, on: day("2026-09-10"), next: due(Step::Reception) };
    let on = day("2026-09-02");
    check(
        "repatriation_request.jsonl",
        &[
            Request::Opened {
                office: office("mosvy-atro"),
                direction: RepatriationDirection::ToHere,
                country: "TH".to_owned(),
                people: BTreeSet::from([id(1), id(2)]),
                owner: owner(Some("mo-11")),
                requested_on: day("2026-09-01"),
                first: due(Step::Documents),
            },
            Request::StepCompleted { step: Step::Documents, on, next: Some(due(Step::Nationality)) },
            Request::StepCompleted { step: Step::Reception, on, next: None },
            Request::StepSkipped {
                step: Step::Family,
                reason: SkipReason::FamilyNotFound,
                on,
                next: Some(due(Step::ApprovalHere)),
            },
            arranged(travel),
            arranged(bare),
            Request::Received { person: id(1), arrival: Some(id(3)), on },
            Request::Received { person: id(1), arrival: None, on },
            Request::TakenOff { people: BTreeSet::from([id(2)]), reason: EndReason::NationalityNotEstablished, on },
            Request::Ended { standing: RepatriationState::NationalityDenied, on },
            Request::Delegated {
                step: Step::ApprovalThere,
                from: owner(Some("mo-11")),
                to: owner(None),
                reason: DelegateReason::StaffLeft,
                on,
            },
        ],
    );
}

#[test]
fn events_of_manifests_stay_readable() {
    let accepted = |missing: &[&str], notes: &[Note], known: &[u8]| Outcome::Accepted {
        arrival: id(1),
        missing: missing.iter().map(ToString::to_string).collect(),
        notes: notes.iter().copied().collect(),
        known: known.iter().copied().map(id).collect(),
    };
    let refused = |reason, column, same_as| Outcome::Refused { reason, column, same_as };
    let judged = |outcomes: Vec<Outcome>| Manifest::RowsJudged {
        verdicts: (2..).zip(outcomes).map(|(line, outcome)| Verdict { line, outcome }).collect(),
    };
    check(
        "manifest.jsonl",
        &[
            Manifest::Begun {
                office: centre(),
                digest: "ab".repeat(32),
                rows: 3,
                circumstances: in_words("2026-09-01"),
            },
            judged(vec![
                accepted(&["name"], &[], &[]),
                refused(Reason::BirthMalformed, Some(Column::Birth), None),
                refused(Reason::NoPerson, None, None),
            ]),
            Manifest::Finished {},
            judged(vec![
                accepted(&[], &[Note::BuddhistYear, Note::LocalDigits], &[2]),
                refused(Reason::DuplicateRow, Some(Column::DocumentNumber), Some(2)),
                refused(Reason::AgeMalformed, Some(Column::Age), None),
            ]),
        ],
    );
}
