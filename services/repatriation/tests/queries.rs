//! What a transit centre sees in its lists, on both databases.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use spean_eventstore::EventStore;
use spean_repatriation::arrival::{Arrival, Command, DepartureKind, OfferEnd};
use spean_repatriation::arrivals::{self, Entry};
use spean_repatriation::beds::{self, Beds};
use spean_repatriation::occupancy::{self, Occupancy};
use spean_repatriation::reconciliation::{self, Reconciliation, Sums};
use spean_repatriation::urgent;
use spean_repatriation::words::{BedGroup, OverCapacityReason, ServedBy};
use spean_vocabulary::{ArrivalId, CaseNumber, Need, OfferKind, OfficeId};

use support::{at, centre, circumstances, codes, databases, day, handle, id, office};

async fn ask(store: &EventStore, arrival: u8, command: Command) {
    handle::<Arrival>(store, id::<ArrivalId>(arrival).to_string(), command, &at(centre())).await;
}

async fn arrive(store: &EventStore, arrival: u8, office: OfficeId, on: &str) {
    let command = Command::Register {
        person: id(arrival),
        circumstances: circumstances(on),
        codes: codes(),
        needs: BTreeSet::from([Need::Livelihood]),
        by_request: None,
    };
    handle::<Arrival>(store, id::<ArrivalId>(arrival).to_string(), command, &at(office)).await;
}

async fn list(store: &EventStore, present_only: bool) -> Vec<Entry> {
    arrivals::of_office(&centre(), present_only, 10, 0, store.reader()).await.expect("a query")
}

fn ids(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.arrival_id.clone()).collect()
}

fn texts(numbers: impl IntoIterator<Item = u8>) -> Vec<String> {
    numbers.into_iter().map(|number| id::<ArrivalId>(number).to_string()).collect()
}

async fn depart(store: &EventStore, arrival: u8, kind: DepartureKind) {
    ask(store, arrival, Command::RecordDeparture { kind, on: day("2026-09-03"), to: None }).await;
}

async fn a_week(store: &EventStore) {
    for (arrival, on) in [(1, "2026-09-01"), (2, "2026-09-03"), (3, "2026-09-03"), (4, "2026-09-02")] {
        arrive(store, arrival, centre(), on).await;
    }
    arrive(store, 5, office("battambang"), "2026-09-01").await;
    let case_number = CaseNumber::draw("PP".parse().expect("a tag"), [1, 2, 3, 4, 5]);
    ask(store, 1, Command::NoteCase { case_number }).await;
    let needs = BTreeSet::from([Need::Medical, Need::Legal]);
    ask(store, 1, Command::RecordNeeds { needs, urgent: false, urgent_needs: BTreeSet::new(), adult: None }).await;
    for (arrival, night_of) in [(1, "2026-09-01"), (1, "2026-09-02"), (1, "2026-09-02"), (4, "2026-09-02")] {
        ask(store, arrival, Command::RecordStay { night_of: day(night_of) }).await;
    }
    for arrival in [1, 2] {
        ask(store, arrival, Command::NoteAcceptance { offer: Some(id(9)), office: office("kandal") }).await;
    }
    depart(store, 1, DepartureKind::HandedOver).await;
    depart(store, 4, DepartureKind::OwnWill).await;
}

#[tokio::test]
async fn the_latest_arrivals_stand_first_and_those_who_left_are_told_from_those_who_are_here() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        let all = list(&store, false).await;
        assert_eq!(ids(&all), texts([3, 2, 4, 1]));
        assert_eq!(ids(&list(&store, true).await), texts([3, 2]));
        let first = all.last().expect("four of them");
        assert_eq!(first.needs, ["medical", "legal"]);
        assert_eq!((first.nights, first.accepted_by.as_str()), (2, "kandal"));
        assert_eq!((first.departure.as_str(), first.departed_on.as_str()), ("handed_over", "2026-09-03"));
        assert!(first.case_number.parse::<CaseNumber>().is_ok());
        assert_eq!((first.sex.as_str(), first.age_band.as_str(), first.home_place.as_str()), ("male", "adult", "0203"));
        store.rebuild("arrivals").await.expect("it can be rebuilt");
        assert_eq!(list(&store, false).await, all);
        store.close().await;
    }
}

#[tokio::test]
async fn everybody_who_arrived_is_here_handed_over_or_left_of_their_own_will() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        let reconcile = async |from: Option<&str>, to: &str| {
            let (from, to, today) = (from.map(day), day(to), day("2026-09-05"));
            reconciliation::reconcile(&centre(), from, to, today, store.reader()).await.expect("a query")
        };
        let reconciled = reconcile(None, "2026-09-30").await;
        let sums = Sums { arrived: 4, present: 2, handed_over: 1, own_will: 1, missing: 0 };
        assert_eq!((reconciled.sums, reconciled.bed_nights), (sums, 3));
        assert_eq!(reconciled.waiting, texts([3]));
        // Nobody wrote a night down for the two who are still here by the register.
        assert_eq!(reconciled.unaccounted, texts([2, 3]));
        let one = Sums { arrived: 1, ..Sums::default() };
        let days = [
            ("2026-09-01", Sums { handed_over: 1, ..one }),
            ("2026-09-02", Sums { own_will: 1, ..one }),
            ("2026-09-03", Sums { arrived: 2, present: 2, ..one }),
        ];
        let by_day = |(day, sums): (&str, Sums)| (day.to_owned(), "repatriation".to_owned(), sums);
        assert_eq!(reconciled.days, days.map(by_day));
        let own_will = Sums { arrived: 1, own_will: 1, ..Sums::default() };
        let expected = Reconciliation {
            sums: own_will,
            bed_nights: 1,
            days: vec![by_day(("2026-09-02", own_will))],
            ..Reconciliation::default()
        };
        assert_eq!(reconcile(Some("2026-09-02"), "2026-09-02").await, expected);
        ask(&store, 2, Command::NoteReturn { offer: id(10) }).await;
        assert_eq!(reconcile(None, "2026-09-30").await.waiting, texts([2, 3]));
        ask(&store, 2, Command::RecordStay { night_of: day("2026-09-04") }).await;
        ask(&store, 3, Command::RecordDeparture { kind: DepartureKind::Missing, on: day("2026-09-04"), to: None })
            .await;
        let reconciled = reconcile(None, "2026-09-30").await;
        assert_eq!((reconciled.sums.missing, reconciled.unaccounted), (1, texts([3])));
        store.close().await;
    }
}

#[tokio::test]
async fn who_waits_is_listed_with_what_became_of_their_offers() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        for (offer, end) in [(21, OfferEnd::Declined), (22, OfferEnd::Escalated), (23, OfferEnd::Accepted)] {
            let kind = if offer == 23 { OfferKind::Service } else { OfferKind::Transfer };
            let need = Some(Need::Shelter);
            ask(&store, 3, Command::NoteAnswer { offer: id(offer), office: office("kandal"), kind, need, end }).await;
        }
        let waiting = arrivals::waiting(&centre(), 10, 0, store.reader()).await.expect("a query");
        assert_eq!(ids(&waiting), texts([3]));
        assert_eq!(waiting[0].unaccepted_offers, 2);
        let answers = arrivals::answers(id(3), store.reader()).await.expect("a query");
        let states: Vec<_> = answers.iter().map(|answer| answer.state.as_str()).collect();
        assert_eq!(states, ["declined", "escalated", "accepted"]);
        assert!(arrivals::find(id(3), &office("battambang"), store.reader()).await.expect("a query").is_none());
        store.close().await;
    }
}

#[tokio::test]
async fn what_cannot_wait_is_listed_until_it_is_served_the_oldest_first() {
    for database in databases() {
        let store = database.open().await;
        for arrival in [1, 2, 3, 4] {
            arrive(&store, arrival, centre(), "2026-09-01").await;
            let found = Command::RecordNeeds {
                needs: BTreeSet::from([Need::Medical, Need::Legal]),
                urgent: true,
                urgent_needs: BTreeSet::from([Need::Medical]),
                adult: None,
            };
            ask(&store, arrival, found).await;
        }
        let unserved = async || {
            let unserved = urgent::unserved(&centre(), 10, 0, store.reader()).await.expect("a query");
            unserved.into_iter().map(|urgent| (urgent.arrival_id, urgent.state)).collect::<Vec<_>>()
        };
        let listed = |entries: &[(u8, &str)]| {
            let entry = |(arrival, state): &(u8, &str)| (texts([*arrival]).remove(0), (*state).to_owned());
            entries.iter().map(entry).collect::<Vec<_>>()
        };
        assert_eq!(unserved().await, listed(&[(1, "open"), (2, "open"), (3, "open"), (4, "open")]));
        ask(&store, 2, Command::RecordNeedServed { need: Need::Medical, on: day("2026-09-01"), by: ServedBy::Ngo })
            .await;
        ask(&store, 3, Command::NoteAcceptance { offer: Some(id(9)), office: office("kandal") }).await;
        depart(&store, 1, DepartureKind::OwnWill).await;
        assert_eq!(unserved().await, listed(&[(4, "open"), (1, "left_unserved")]));
        ask(&store, 3, Command::NoteReturn { offer: id(10) }).await;
        let calm = Command::RecordNeeds {
            needs: BTreeSet::from([Need::Medical]),
            urgent: false,
            urgent_needs: BTreeSet::new(),
            adult: None,
        };
        ask(&store, 4, calm).await;
        assert_eq!(unserved().await, listed(&[(3, "open"), (1, "left_unserved")]));
        let of_one = urgent::of_arrival(id(4), store.reader()).await.expect("a query");
        assert_eq!(of_one[0].state, "no_longer_urgent");
        store.rebuild("urgent_needs").await.expect("it can be rebuilt");
        assert_eq!(unserved().await, listed(&[(3, "open"), (1, "left_unserved")]));
        store.close().await;
    }
}

#[tokio::test]
async fn a_house_shows_its_beds_and_whom_it_took_in_beyond_them() {
    for database in databases() {
        let store = database.open().await;
        a_week(&store).await;
        let places = BTreeMap::from([(BedGroup::Men, 1), (BedGroup::Women, 4)]);
        let declare = beds::Command::Declare { places };
        handle::<Beds>(&store, centre().to_string(), declare, &at(centre())).await;
        let occupancy = async || {
            let mut connection = store.reader().acquire().await.expect("a connection");
            occupancy::occupancy(&centre(), &mut connection).await.expect("a query")
        };
        let group = BedGroup::Men;
        let from_night = day("2026-09-03");
        for (arrival, over_capacity) in [(2, None), (3, Some(OverCapacityReason::MassArrival))] {
            let has_room = occupancy().await.0[&group].has_room();
            ask(&store, arrival, Command::AssignBed { group, from_night, has_room, over_capacity }).await;
        }
        let men = Occupancy { places: 1, occupied: 2, over_capacity: 1 };
        let women = Occupancy { places: 4, ..Occupancy::default() };
        assert_eq!(occupancy().await, (BTreeMap::from([(BedGroup::Women, women), (group, men)]), 0));
        ask(&store, 3, Command::RecordDeparture { kind: DepartureKind::OwnWill, on: day("2026-09-04"), to: None })
            .await;
        let men = Occupancy { places: 1, occupied: 1, over_capacity: 0 };
        assert_eq!(occupancy().await.0[&group], men);
        store.close().await;
    }
}
