//! What those may see who have nothing to do with a case, and what those can do who write nonsense.

use std::path::{Path, PathBuf};

use serde_json::Value;
use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, RATANAK_KIRI, SHELTER};
use spean::demonstration::staff::Staff;
use spean_contracts::referral::v1::{
    DeadLetter, DiscardDeadLetterRequest, GetCustodyRequest, GetOfferRequest, ListDeadLettersRequest, OfferState,
    OpenDossierRequest, OpenDossierResponse, RetryDeadLetterRequest,
};
use spean_identity::Role;
use spean_messaging::broker::Broker;
use spean_messaging::topology::mailbox_subject;
use spean_testkit::eventually;
use spean_tests::{
    Canary, Files, Network, PATIENCE, hand_over, keep_what_lies_at_the_hub, network, one_holder, open_case, settled,
    status_of,
};
use spean_vocabulary::{NodeId, Service};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tonic::{Code, Status};

#[tokio::test]
async fn who_has_nothing_to_do_with_a_case_learns_nothing_and_nonsense_harms_nobody() {
    let mut network = network().await;
    let case = an_offer_shows_only_its_preview(&network).await;
    nonsense_waits_for_a_person_and_blocks_only_its_case(&mut network).await;
    nobody_is_named_in_the_clear(&network, &case);
    what_was_read_does_not_stay_at_the_hub(&network).await;
}

/// However little comes after it: a mailbox that is full of what was read would take no letter any more.
async fn what_was_read_does_not_stay_at_the_hub(network: &Network) {
    let hub = network.folder().join("hub");
    eventually(PATIENCE, "the mailboxes to be cleared", async || {
        Files::of(&hub).holding("inbox.kandal.ratanak-kiri.referral.referral").is_empty()
    })
    .await;
}

/// Before the acceptance the receiver sees the preview, afterwards the dossier; other offices see nothing at any time;
/// and who has handed a case over cannot read the file any more.
async fn an_offer_shows_only_its_preview(network: &Network) -> String {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let case = open_case(&sender, 0).await;
    let offer = sender.offer(&case, KANDAL).await;
    let seen = receiver
        .until("the offer", async |staff: Staff| {
            Ok(staff.see(&offer).await?.filter(|offer| offer.state() == OfferState::Offered))
        })
        .await;
    settled(network).await;
    assert_eq!(seen.language, "km", "the preview is there");
    assert!(!seen.dossier_available, "the dossier is not");
    let staff = receiver.staff().await;
    assert!(
        !staff.see(&offer).await.expect("it answers").expect("the offer is known").dossier_available,
        "and does not come before the acceptance"
    );
    assert_eq!(refusal(dossier(&staff, &offer).await), Code::PermissionDenied);
    assert_ne!(refusal(staff.case(&case, "curiosity").await), Code::Ok);
    strangers_find_nothing(network, &offer, &case).await;

    receiver.accept(&offer).await;
    receiver.held(&case).await;
    keep_what_lies_at_the_hub(network);
    let opened = receiver
        .until("the dossier", async |staff: Staff| match dossier(&staff, &offer).await {
            Ok(opened) => Ok(Some(opened)),
            Err(status) if status.code() == Code::FailedPrecondition => Ok(None),
            Err(status) => Err(status),
        })
        .await;
    assert_eq!(opened.note, Canary::NOTE);
    let person = opened.person.expect("the person is in the dossier");
    assert_eq!(person.latin_name.map(|name| name.family).as_deref(), Some(Canary::FAMILY_LATIN));
    assert!(person.narrative.starts_with(Canary::NARRATIVE));

    let staff = sender.staff().await;
    eventually(PATIENCE, "the old holder's register to hear that the case is gone", async || {
        staff.case(&case, "one more look").await.is_err()
    })
    .await;
    assert_eq!(refusal(staff.case(&case, "one more look").await), Code::PermissionDenied);
    strangers_find_nothing(network, &offer, &case).await;
    case
}

/// Neither an office of the receiver's own node nor one elsewhere.
async fn strangers_find_nothing(network: &Network, offer: &str, case: &str) {
    for office in [KIEN_SVAY, SHELTER] {
        let staff = network.desk(office).staff().await;
        let get_offer = GetOfferRequest { offer_id: offer.to_owned() };
        let get_custody = GetCustodyRequest { case_id: case.to_owned() };
        let answers = [
            refusal(staff.referral().get_offer(staff.ask(get_offer)).await),
            refusal(staff.referral().get_custody(staff.ask(get_custody)).await),
            refusal(staff.case(case, "").await),
            refusal(staff.case(case, "curiosity").await),
            refusal(dossier(&staff, offer).await),
            refusal(staff.accept(offer).await),
        ];
        assert_eq!(answers, [Code::NotFound; 6], "at {office}");
    }
}

async fn dossier(staff: &Staff, offer: &str) -> Result<OpenDossierResponse, Status> {
    let request = OpenDossierRequest { offer_id: offer.to_owned(), purpose: "to prepare the first visit".to_owned() };
    Ok(staff.referral().open_dossier(staff.ask(request)).await?.into_inner())
}

fn refusal<T>(answer: Result<T, Status>) -> Code {
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

/// A node's mailbox gets bytes that mean nothing, and two of its services a genuine letter that says nothing, about a case
/// that is on its way. All are shown to a person; only that case waits, and goes on when the person has set the letter aside.
async fn nonsense_waits_for_a_person_and_blocks_only_its_case(network: &mut Network) {
    let (sender, receiver) = (network.desk(RATANAK_KIRI), network.desk(KANDAL));
    let blocked = open_case(&sender, 1).await;
    settled(network).await;
    write_nonsense(network, "ratanak-kiri", "kandal", &blocked).await;
    let rogue = Rogue::of(network, "ratanak-kiri", "kandal").await;
    rogue.publish(spean_chassis::random::<500>().to_vec(), "random").await;
    let administrator = network.desk_as(KANDAL, &[Role::Administrator]);
    let letters = administrator
        .until("all three to be shown", async |staff: Staff| {
            let letters = dead_letters(&staff).await?;
            Ok((letters.len() == 3).then_some(letters))
        })
        .await;
    let of = |service: &str| {
        let by_them = |letter: &&DeadLetter| letter.from_node_id == "ratanak-kiri" && letter.service == service;
        letters.iter().find(by_them).expect("its writer is known")
    };
    let (genuine, of_the_visits) = (of("referral"), of("followup"));
    assert_eq!((genuine.reason.as_str(), genuine.from_service.as_str()), ("MALFORMED", "referral"));
    assert_eq!(of_the_visits.from_service, "followup");
    let random = letters.iter().find(|letter| letter.from_node_id.is_empty()).expect("its writer is not known");
    assert_eq!(status_of(network, KANDAL).await.dead_letters, 3);
    let staff = administrator.staff().await;
    for letter in [genuine, of_the_visits] {
        let request = RetryDeadLetterRequest { letter_id: letter.letter_id.clone() };
        let tried = staff.referral().retry_dead_letter(staff.ask(request)).await.expect("it is found").into_inner();
        assert_eq!((tried.applied, tried.reason.as_str()), (false, letter.reason.as_str()));
    }

    let offer = sender.offer(&blocked, KANDAL).await;
    let free = hand_over(&sender, &receiver, 2).await;
    one_holder(network, KANDAL, &[&free.case]).await;
    let waiting = administrator
        .until("the offer to wait behind it", async |staff: Staff| {
            let letters = dead_letters(&staff).await?;
            Ok(letters.into_iter().find(|letter| letter.waiting_behind == 1))
        })
        .await;
    assert_eq!(waiting.letter_id, genuine.letter_id);
    assert!(
        receiver.staff().await.see(&offer).await.expect("it answers").is_none(),
        "the offer is not shown before it"
    );

    for letter in [genuine, random, of_the_visits] {
        let reason = "nothing that anybody knows; its writer was called".to_owned();
        let request = DiscardDeadLetterRequest { letter_id: letter.letter_id.clone(), reason };
        let staff = administrator.staff().await;
        staff.referral().discard_dead_letter(staff.ask(request.clone())).await.expect("it can be set aside");
        let again = staff.referral().discard_dead_letter(staff.ask(request)).await;
        assert_eq!(refusal(again), Code::NotFound, "it is gone");
    }
    receiver.accept(&offer).await;
    receiver.held(&blocked).await;
    one_holder(network, KANDAL, &[&blocked]).await;
    settled(network).await;
}

async fn dead_letters(staff: &Staff) -> Result<Vec<DeadLetter>, Status> {
    let request = ListDeadLettersRequest::default();
    Ok(staff.referral().list_dead_letters(staff.ask(request)).await?.into_inner().dead_letters)
}

/// A letter stands among those that two services of a node have to send which says nothing: as if their program had a
/// defect.
async fn write_nonsense(network: &mut Network, from: &str, to: &str, case: &str) {
    network.cut_power(from).expect("a node can be killed");
    for service in [Service::Referral, Service::Followup] {
        let file = network.data(from).join(format!("{service}.sqlite"));
        post_nonsense(&file, &format!("{to}/{service}"), case).await;
    }
    network.start(from).await.expect("it comes back");
}

async fn post_nonsense(database: &Path, peer: &str, case: &str) {
    let database = SqlitePool::connect_with(SqliteConnectOptions::new().filename(database)).await;
    let database = database.expect("a stopped node's database");
    let state: String = sqlx::query("select state from post_link where peer = $1")
        .bind(peer)
        .fetch_one(&database)
        .await
        .expect("they correspond")
        .get(0);
    let mut link: Value = serde_json::from_str(&state).expect("the state of a link is JSON");
    let sequence = link["assigned"].as_i64().expect("the number of the last letter") + 1;
    link["assigned"] = sequence.into();
    let numbered = sqlx::query("update post_link set state = $1 where peer = $2").bind(link.to_string()).bind(peer);
    numbered.execute(&database).await.expect("the database can be written");
    let letter = sqlx::query(
        "insert into post_out (peer, incarnation, sequence, kind, case_id, body, trace, posted_at, attempt,
            next_attempt_at) values ($1, 1, $2, 'offer', $3, $4, '', 0, 0, 0)",
    );
    let letter = letter.bind(peer).bind(sequence).bind(case).bind(b"nothing that anybody knows".as_slice());
    letter.execute(&database).await.expect("the database can be written");
    database.close().await;
}

/// Somebody with the keys of a node who writes what they like into the mailbox of another.
struct Rogue {
    from: NodeId,
    to: NodeId,
    broker: Broker,
}

impl Rogue {
    async fn of(network: &Network, from: &str, to: &str) -> Self {
        let node = |code: &str| code.parse().expect("the code of a node");
        Self { from: node(from), to: node(to), broker: network.broker_of(from).await }
    }

    /// As if the shelter's service of that node wrote to the desk, which it never does.
    async fn publish(&self, payload: Vec<u8>, message_id: &str) {
        let subject = mailbox_subject(&self.to, Service::Referral, &self.from, Service::Shelter);
        self.broker.publish(subject, message_id, payload).await.expect("the broker takes anything");
    }
}

/// Every file of the whole network, byte for byte: the broker's, every agency's databases and logs.
fn nobody_is_named_in_the_clear(network: &Network, case: &str) {
    let files = Files::of(network.folder());
    for word in Canary::ALL {
        assert_eq!(files.holding(word), Vec::<PathBuf>::new(), "{word:?} stands in the clear");
    }
    // The same search does find what may stand in the clear, and where: a case's id at its parties, subjects at the hub.
    let with_case = files.holding(case);
    for party in ["ratanak-kiri/data", "kandal/data"] {
        assert!(with_case.iter().any(|file| file.starts_with(party)), "{party} is not among {with_case:?}");
    }
    // The ministry keeps the registry of who holds what.
    let parties = ["ratanak-kiri/", "kandal/", "mosvy/"];
    let elsewhere: Vec<_> =
        with_case.iter().filter(|file| !parties.iter().any(|party| file.starts_with(party))).collect();
    assert!(elsewhere.is_empty(), "a case's id is no business of the hub or of other agencies: {elsewhere:?}");
    let at_the_hub = files.holding("inbox.kandal.ratanak-kiri.referral.referral");
    assert!(at_the_hub.iter().any(|file| file.starts_with("hub-as-it-was/")), "{at_the_hub:?}");
}
