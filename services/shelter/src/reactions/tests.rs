//! What the shelter knows after letters of the desk, on a real log.

use spean_contracts::referral::v1::{OfferKind, OfferState, Standing};
use spean_contracts::vocabulary::v1::{AgeBand, Need, Sex as WireSex};
use spean_eventstore::{EventStore, Options, TransactError};
use spean_testkit::{TempDir, a_folder};
use spean_vocabulary::{CaseId, OfficeId, Sex, Timestamp};

use super::*;
use crate::agreements::{Agreed, accountable};
use crate::house::Accountable;

const CASE: &str = "00000000-0000-4000-8000-000000000001";
const FIRST: &str = "00000000-0000-4000-8000-0000000000f1";
const SECOND: &str = "00000000-0000-4000-8000-0000000000f2";

struct Desk {
    store: EventStore,
    _folder: TempDir,
}

impl Desk {
    async fn open() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("shelter.sqlite").display());
        let tables = crate::TABLES.to_vec();
        let options = Options { tables, ..Options::new(url, "shelter", "test") };
        Self { store: EventStore::open(options).await.unwrap(), _folder: folder }
    }

    async fn write(&self, kind: &str, body: Vec<u8>) -> Result<(), Unusable> {
        let node: NodeId = "poipet".parse().unwrap();
        let letter = Letter {
            id: "00000000-0000-4000-8000-0000000000aa".parse().unwrap(),
            from: Address { node: node.clone(), service: Service::Referral },
            incarnation: 1,
            kind: kind.to_owned(),
            case: None,
            body,
            attachment: None,
            trace: None,
            posted_at: Timestamp::default(),
        };
        let reactions = Reactions { node, clock: Clock::system(), assessment_days: 30 };
        let applied = self
            .store
            .transact(move |transaction| Box::pin(async move { reactions.apply(&letter, transaction).await }));
        applied.await.map_err(|error| match error {
            TransactError::Work(error) => error,
            TransactError::Store(error) => Unusable::Store(error),
        })
    }

    async fn says(&self, standing: Standing, offer: &str, other: &str) {
        let told = StandingChanged {
            case_id: CASE.to_owned(),
            office_id: "poipet-shelter".to_owned(),
            standing: standing.into(),
            offer_id: offer.to_owned(),
            other_office_id: other.to_owned(),
            sex: WireSex::Female.into(),
            age_band: AgeBand::Child.into(),
            ..StandingChanged::default()
        };
        self.write("spean.referral.v1.StandingChanged", told.encode_to_vec()).await.unwrap();
    }

    async fn answers(&self, offer: &str, state: OfferState, kind: OfferKind, need: Need) {
        let told = OfferAnswered {
            offer_id: offer.to_owned(),
            case_id: CASE.to_owned(),
            from_office_id: "poipet-shelter".to_owned(),
            to_office_id: "kandal".to_owned(),
            state: state.into(),
            need: need.into(),
            kind: kind.into(),
        };
        self.write("spean.referral.v1.OfferAnswered", told.encode_to_vec()).await.unwrap();
    }

    async fn agreed(&self) -> Agreed {
        agreements::of(case(), &office(), self.store.reader()).await.unwrap()
    }

    async fn accountable(&self) -> Accountable {
        let known = standing::of(case(), &office(), self.store.reader()).await.unwrap();
        accountable(known.as_ref(), &self.agreed().await)
    }
}

fn case() -> CaseId {
    CASE.parse().unwrap()
}

fn office() -> OfficeId {
    "poipet-shelter".parse().unwrap()
}

fn kandal() -> Accountable {
    Accountable::Other(Some("kandal".parse().unwrap()))
}

#[tokio::test]
async fn sex_and_age_of_the_person_are_those_that_the_desk_told() {
    let desk = Desk::open().await;
    desk.says(Standing::Holds, "", "").await;
    let known = standing::of(case(), &office(), desk.store.reader()).await.unwrap().unwrap();
    assert_eq!((known.sex, known.is_child), (Sex::Female, true));
}

#[tokio::test]
async fn sex_and_age_of_a_person_who_was_registered_here_are_those_of_the_register() {
    let desk = Desk::open().await;
    let told = CaseRegistered {
        case_id: CASE.to_owned(),
        office_id: "poipet-shelter".to_owned(),
        sex: WireSex::Male.into(),
        age_band: AgeBand::Adult.into(),
        ..CaseRegistered::default()
    };
    desk.write("spean.cases.v1.CaseRegistered", told.encode_to_vec()).await.unwrap();
    let known = standing::of(case(), &office(), desk.store.reader()).await.unwrap().unwrap();
    assert_eq!((known.word, known.sex, known.is_child), ("HOLDS", Sex::Male, false));
}

#[tokio::test]
async fn a_taken_case_is_another_office_s_from_either_letter_on_and_ours_again_when_it_comes_back() {
    let desk = Desk::open().await;
    assert_eq!(desk.accountable().await, Accountable::NotTold);
    desk.says(Standing::Holds, "", "").await;
    assert_eq!(desk.accountable().await, Accountable::ThisOffice);
    desk.answers(FIRST, OfferState::Accepted, OfferKind::Transfer, Need::ReintegrationFollowUp).await;
    assert_eq!(desk.accountable().await, kandal());
    desk.says(Standing::Held, FIRST, "kandal").await;
    assert_eq!(desk.accountable().await, kandal());
    desk.says(Standing::Bound, SECOND, "kandal").await;
    assert_eq!(desk.accountable().await, Accountable::ThisOffice);
    desk.says(Standing::Holds, SECOND, "kandal").await;
    assert_eq!(desk.accountable().await, Accountable::ThisOffice);
}

#[tokio::test]
async fn who_once_held_a_case_has_held_it_still_when_a_later_service_or_a_return_comes_to_nothing() {
    let desk = Desk::open().await;
    desk.says(Standing::Holds, "", "").await;
    desk.says(Standing::Held, FIRST, "kandal").await;
    for standing in [Standing::Helps, Standing::Bound] {
        desk.says(standing, SECOND, "saang").await;
        desk.says(Standing::Unspecified, SECOND, "").await;
        let known = standing::of(case(), &office(), desk.store.reader()).await.unwrap().unwrap();
        assert_eq!((known.word, known.other_office.as_str()), ("HELD", "kandal"), "after {standing:?}");
    }
    // Nobody held it who only helped.
    let helper = Desk::open().await;
    helper.says(Standing::Helps, SECOND, "kandal").await;
    helper.says(Standing::Unspecified, SECOND, "").await;
    assert_eq!(standing::of(case(), &office(), helper.store.reader()).await.unwrap(), None);
}

#[tokio::test]
async fn a_helper_knows_the_holder_as_accountable() {
    let desk = Desk::open().await;
    desk.says(Standing::Helps, FIRST, "kandal").await;
    assert_eq!(desk.accountable().await, kandal());
}

#[tokio::test]
async fn an_agreement_to_shelter_the_person_stands_until_it_is_over_and_other_help_is_none() {
    let desk = Desk::open().await;
    desk.says(Standing::Holds, "", "").await;
    desk.answers(FIRST, OfferState::Accepted, OfferKind::Service, Need::Legal).await;
    desk.answers(SECOND, OfferState::Declined, OfferKind::Service, Need::Shelter).await;
    assert_eq!(desk.agreed().await, Agreed::default());
    desk.answers(SECOND, OfferState::Accepted, OfferKind::Service, Need::Shelter).await;
    assert_eq!(desk.agreed().await.cared_for_by, Some("kandal".parse().unwrap()));
    assert_eq!(desk.accountable().await, Accountable::ThisOffice);
    desk.answers(SECOND, OfferState::Concluded, OfferKind::Service, Need::Shelter).await;
    assert_eq!(desk.agreed().await, Agreed::default());
}

#[tokio::test]
async fn a_person_who_was_erased_is_remembered_as_such() {
    let desk = Desk::open().await;
    assert!(!notes::is_erased(case(), desk.store.reader()).await.unwrap());
    let told = PersonErased { case_id: CASE.to_owned(), person_id: CASE.to_owned() };
    for _ in 0..2 {
        desk.write("spean.cases.v1.PersonErased", told.encode_to_vec()).await.unwrap();
    }
    assert!(notes::is_erased(case(), desk.store.reader()).await.unwrap());
}

#[tokio::test]
async fn the_answer_of_the_home_district_comes_to_the_request() {
    let desk = Desk::open().await;
    let told = FamilySearched {
        case_id: CASE.to_owned(),
        offer_id: FIRST.to_owned(),
        from_office_id: "kandal".to_owned(),
        to_office_id: "poipet-shelter".to_owned(),
        outcome: FamilySearchOutcome::FamilyRefuses.into(),
        answered_on: "2026-09-11".to_owned(),
    };
    for _ in 0..2 {
        desk.write("spean.followup.v1.FamilySearched", told.encode_to_vec()).await.unwrap();
    }
    let known = desk.store.load::<Homecoming>(&format!("poipet-shelter/{CASE}")).await.unwrap();
    let answers: Vec<_> = known.state.tracings().map(|(_, tracing)| tracing.answer).collect();
    assert_eq!(answers, [Some((TracingOutcome::FamilyRefuses, "2026-09-11".parse().unwrap()))]);
    assert_eq!(known.version, 2);
    let unsaid = FamilySearched { outcome: 0, ..told };
    let refused = desk.write("spean.followup.v1.FamilySearched", unsaid.encode_to_vec()).await.unwrap_err();
    assert!(matches!(&refused, Unusable::Refused(said) if said == "MALFORMED"), "{refused:?}");
}

#[tokio::test]
async fn letters_that_make_no_sense_are_kept_for_a_person() {
    let desk = Desk::open().await;
    for (kind, body, code) in [
        ("spean.referral.v1.Unheard", vec![], "UNKNOWN_KIND"),
        ("spean.referral.v1.StandingChanged", vec![0xff], "MALFORMED"),
        ("spean.referral.v1.OfferAnswered", vec![0xff], "MALFORMED"),
    ] {
        let refused = desk.write(kind, body).await.unwrap_err();
        assert!(matches!(&refused, Unusable::Refused(said) if said == code), "{refused:?}");
    }
}
