//! Offices live and change, and nothing that is addressed to them is lost: one says that nobody is there, one closes and
//! is followed by another, and what one offers is seen at another with the room it has.

use spean::demonstration::agencies::{
    BANTEAY_MEANCHEY, KANDAL, KIEN_SVAY, MINISTRY, RATANAK_KIRI, SAANG, SHELTER, TRANSIT_CENTRE,
};
use spean::demonstration::staff::{Staff, new_id};
use spean::demonstration::stories::reason;
use spean_contracts::directory::v1::{
    DeclareOfficeStatusRequest, GetOfficeHistoryRequest, GetOfficeRequest, ImportDirectoryRequest,
    ListOfferingChangesRequest, ListOfferingsRequest, Offering, OfficeChange, OfficeChangeKind, OfficeStatus,
    OfficeStatusReason, PublishOfferingRequest, ServesBecause, WhoServesRequest, WhoServesResponse,
};
use spean_contracts::vocabulary::v1::{Need, Sex};
use spean_identity::{Directory, Role, RootKey, SignedDirectory};
use spean_tests::{Desk, Network, network};
use spean_vocabulary::Date;
use tonic::{Code, Status};

/// An office of each node.
const OFFICES: [&str; 6] = [MINISTRY, TRANSIT_CENTRE, SHELTER, BANTEAY_MEANCHEY, RATANAK_KIRI, KANDAL];
/// The district that Kien Svay serves.
const KIEN_SVAY_DISTRICT: &str = "0802";
/// The district that S'ang serves.
const SAANG_DISTRICT: &str = "0810";

#[tokio::test]
async fn whatever_becomes_of_an_office_every_node_knows_whom_to_write_to() {
    let network = network().await;
    what_a_shelter_offers_is_seen_elsewhere_with_its_room(&network).await;
    an_office_where_nobody_is_is_stood_in_for_until_the_day_has_passed(&network).await;
    an_office_that_closes_is_followed_by_another_and_still_answers(&network).await;
}

async fn what_a_shelter_offers_is_seen_elsewhere_with_its_room(network: &Network) {
    let offering_id = new_id();
    let publish = async |capacity_persons: i32| {
        let offering = Offering {
            offering_id: offering_id.clone(),
            need: Need::Shelter.into(),
            languages: vec!["km".to_owned()],
            worker_sexes: vec![Sex::Female.into()],
            capacity_persons,
            ..Offering::default()
        };
        let request = PublishOfferingRequest { offering: Some(offering) };
        let shelter = network.desk(SHELTER);
        let published = shelter
            .ask("publishing", async |staff| staff.directory().publish_offering(staff.ask(request.clone())).await);
        published.await;
    };
    let kandal = network.desk(KANDAL);
    let seen = async |capacity_persons: i32| {
        let request = ListOfferingsRequest { office_id: SHELTER.to_owned(), ..ListOfferingsRequest::default() };
        let shown = kandal.until("the shelter's offering with its room", async |staff: Staff| {
            let answer = staff.directory().list_offerings(staff.ask(request.clone())).await?.into_inner();
            let shown = answer.offerings.into_iter().find(|offering| offering.offering_id == offering_id);
            Ok(shown.filter(|shown| shown.free_persons == Some(capacity_persons)))
        });
        shown.await
    };
    publish(8).await;
    let shown = seen(8).await;
    assert_eq!((shown.capacity_persons, shown.taken_persons, shown.worker_sexes.as_slice()), (8, 0, [1].as_slice()));
    assert!(shown.as_of.is_some(), "a figure without its age is worth nothing");
    publish(5).await;
    seen(5).await;
    let changes = kandal.ask("the changes", async |staff| {
        let request = ListOfferingChangesRequest { offering_id: offering_id.clone(), page: None };
        staff.directory().list_offering_changes(staff.ask(request)).await
    });
    let changes = changes.await.into_inner().changes;
    let capacities: Vec<_> =
        changes.iter().filter_map(|change| Some(change.offering.as_ref()?.capacity_persons)).collect();
    assert_eq!(capacities, [8, 5]);
}

async fn an_office_where_nobody_is_is_stood_in_for_until_the_day_has_passed(network: &Network) {
    let today = today(network);
    let last_day = today.plus_days(2);
    let away = DeclareOfficeStatusRequest {
        office_id: KIEN_SVAY.to_owned(),
        status: OfficeStatus::Unstaffed.into(),
        stand_in_office_id: SAANG.to_owned(),
        from_day: String::new(),
        until_day: last_day.to_string(),
        reason: OfficeStatusReason::StaffAway.into(),
    };
    for stranger in [SAANG, BANTEAY_MEANCHEY] {
        let staff = network.desk(stranger).staff().await;
        let refused =
            staff.directory().declare_office_status(staff.ask(away.clone())).await.expect_err("it is refused");
        let answer = (refused.code(), reason(&refused));
        assert_eq!(answer, (Code::PermissionDenied, "NOT_ABOVE_THIS_OFFICE".to_owned()), "{stranger}");
    }
    let kien_svay = network.desk(KIEN_SVAY);
    for _ in 0..2 {
        let declared = kien_svay.ask("declaring", async |staff| {
            staff.directory().declare_office_status(staff.ask(away.clone())).await.map(drop)
        });
        declared.await;
    }
    for office in OFFICES {
        let desk = network.desk(office);
        let served = serves(&desk, KIEN_SVAY_DISTRICT, "", SAANG).await;
        assert_eq!(served.because(), ServesBecause::StandIn, "at {office}");
        let away = &served.stands_in_for[0];
        assert_eq!((away.office_id.as_str(), away.status()), (KIEN_SVAY, OfficeStatus::Unstaffed), "at {office}");
        assert_eq!(
            (away.status_until.as_str(), away.status_reason()),
            (last_day.to_string().as_str(), OfficeStatusReason::StaffAway,)
        );
        let day_after = last_day.plus_days(1).to_string();
        serves(&desk, KIEN_SVAY_DISTRICT, &day_after, KIEN_SVAY).await;
    }
    network.pass_time(3 * 24).expect("the clock can be moved");
    for office in OFFICES {
        // The tokens of three days ago are no good any more.
        let desk = network.desk(office);
        serves(&desk, KIEN_SVAY_DISTRICT, "", KIEN_SVAY).await;
        let ended = desk.until("the end of the declaration in the history", async |staff: Staff| {
            let changes = history(&staff, KIEN_SVAY).await?;
            let last = changes.last().filter(|last| last.kind() == OfficeChangeKind::Stands);
            Ok(last.filter(|last| last.status() == OfficeStatus::Open).map(|_| changes.len()))
        });
        assert_eq!(ended.await, 4, "opened, declared, stands unstaffed, stands open; at {office}");
    }
}

async fn an_office_that_closes_is_followed_by_another_and_still_answers(network: &Network) {
    let today = today(network).to_string();
    let mut closing = Directory { edition: 2, ..network.directory().clone() };
    let saang = closing.offices.iter_mut().find(|office| office.id.as_str() == SAANG).expect("it is listed");
    saang.closed_on = Some(today.parse().expect("a day"));
    saang.successor = Some(KIEN_SVAY.parse().expect("a code"));
    let closing = signed(network, &closing);
    for office in [KANDAL, TRANSIT_CENTRE] {
        import(network, office, &closing).await.expect("it follows the first edition");
        let desk = network.desk(office);
        let shown = desk.ask("the closed office", async |staff| {
            staff.directory().get_office(staff.ask(GetOfficeRequest { office_id: SAANG.to_owned() })).await
        });
        let shown = shown.await.into_inner().office.expect("the office");
        assert_eq!((shown.status(), shown.closed_on.as_str()), (OfficeStatus::Closed, today.as_str()));
        assert_eq!((shown.successor_office_id.as_str(), shown.write_to_office_id.as_str()), (KIEN_SVAY, KIEN_SVAY));
        let served = serves(&desk, SAANG_DISTRICT, "", KIEN_SVAY).await;
        assert_eq!(served.because(), ServesBecause::Successor);
        let staff = desk.staff().await;
        let changes = history(&staff, SAANG).await.expect("its history");
        let kinds: Vec<_> = changes.iter().map(OfficeChange::kind).collect();
        assert_eq!(kinds, [OfficeChangeKind::Opened, OfficeChangeKind::Closed, OfficeChangeKind::Stands]);
        let followed = history(&staff, KIEN_SVAY).await.expect("its history");
        assert_eq!(followed.last().map(OfficeChange::kind), Some(OfficeChangeKind::Succeeded));
    }
    let mut without = Directory { edition: 3, ..network.directory().clone() };
    without.offices.retain(|office| office.id.as_str() != SAANG);
    let refused = import(network, KANDAL, &signed(network, &without)).await.expect_err("it is refused");
    assert_eq!((refused.code(), reason(&refused)), (Code::FailedPrecondition, "DIRECTORY_HAS_DEFECTS".to_owned()));
}

/// Asks until this office serves the place.
async fn serves(desk: &Desk, place: &str, on_day: &str, office: &str) -> WhoServesResponse {
    let request = WhoServesRequest { place: place.to_owned(), on_day: on_day.to_owned(), edition: 0 };
    let what = format!("{office} to serve {place}");
    let serves = desk.until(&what, async |staff: Staff| {
        let answer = staff.directory().who_serves(staff.ask(request.clone())).await?.into_inner();
        Ok(answer.office.iter().any(|serving| serving.office_id == office).then_some(answer))
    });
    serves.await
}

async fn history(staff: &Staff, office: &str) -> Result<Vec<OfficeChange>, Status> {
    let request = GetOfficeHistoryRequest { office_id: office.to_owned(), page: None };
    Ok(staff.directory().get_office_history(staff.ask(request)).await?.into_inner().changes)
}

async fn import(network: &Network, office: &str, signed_directory: &str) -> Result<(), Status> {
    let staff = network.desk_as(office, &[Role::Administrator]).staff().await;
    let request = ImportDirectoryRequest { signed_directory: signed_directory.to_owned() };
    staff.directory().import_directory(staff.ask(request)).await.map(drop)
}

fn signed(network: &Network, directory: &Directory) -> String {
    let root = RootKey::load(&network.folder().join("root")).expect("the network's root key");
    SignedDirectory::sign(directory, &root).expect("it contradicts nothing within itself").to_json()
}

fn today(network: &Network) -> Date {
    network.clock().now().date_in_cambodia()
}
