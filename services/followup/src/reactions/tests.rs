//! What follow-up knows after letters, on a real log.

use spean_contracts::referral::v1::Standing;
use spean_contracts::vocabulary::v1::{AgeBand, Sex};
use spean_eventstore::{EventStore, Options, TransactError};
use spean_testkit::{TempDir, a_folder};
use spean_vocabulary::Timestamp;

use super::*;

const CASE: &str = "00000000-0000-4000-8000-000000000001";
const OFFICE: &str = "kandal-district";

struct Post {
    store: EventStore,
    _folder: TempDir,
}

impl Post {
    async fn open() -> Self {
        let folder = a_folder();
        let url = format!("sqlite://{}", folder.path().join("followup.sqlite").display());
        let options = Options { tables: vec![standing::TABLES], ..Options::new(url, "followup", "test") };
        Self { store: EventStore::open(options).await.unwrap(), _folder: folder }
    }

    async fn brings(&self, kind: &str, body: Vec<u8>) -> Result<(), Unusable> {
        let node: NodeId = "kandal".parse().unwrap();
        let letter = Letter {
            id: "00000000-0000-4000-8000-0000000000aa".parse().unwrap(),
            from: Address { node: node.clone(), service: Service::Referral },
            kind: kind.to_owned(),
            case: None,
            body,
            attachment: None,
            trace: None,
            posted_at: Timestamp::default(),
        };
        let reactions = Reactions { node, clock: Clock::system() };
        let applied = self
            .store
            .transact(move |transaction| Box::pin(async move { reactions.apply(&letter, transaction).await }));
        applied.await.map_err(|error| match error {
            TransactError::Work(error) => error,
            TransactError::Store(error) => Unusable::Store(error),
        })
    }

    async fn says(&self, standing: Standing) {
        let told = StandingChanged {
            case_id: CASE.to_owned(),
            office_id: OFFICE.to_owned(),
            standing: standing.into(),
            ..StandingChanged::default()
        };
        self.brings("spean.referral.v1.StandingChanged", told.encode_to_vec()).await.unwrap();
    }

    async fn known(&self) -> Option<standing::Known> {
        let (case, office) = (CASE.parse().unwrap(), OFFICE.parse().unwrap());
        standing::of(case, &office, self.store.reader()).await.unwrap()
    }

    async fn is_erased(&self) -> bool {
        self.store.load::<Plan>(CASE).await.unwrap().state.is_erased()
    }
}

#[tokio::test]
async fn a_person_of_whom_no_age_was_told_is_protected_like_a_child() {
    let post = Post::open().await;
    post.says(Standing::Holds).await;
    let known = post.known().await.unwrap();
    assert_eq!((known.word, known.is_child), ("HOLDS", true));
}

#[tokio::test]
async fn the_age_of_who_was_registered_here_is_that_of_the_register() {
    let post = Post::open().await;
    let told = CaseRegistered {
        case_id: CASE.to_owned(),
        office_id: OFFICE.to_owned(),
        sex: Sex::Female.into(),
        age_band: AgeBand::Adult.into(),
        ..CaseRegistered::default()
    };
    post.brings("spean.cases.v1.CaseRegistered", told.encode_to_vec()).await.unwrap();
    assert!(!post.known().await.unwrap().is_child);
    post.says(Standing::Holds).await;
    assert!(!post.known().await.unwrap().is_child, "a letter without an age forgets none");
}

#[tokio::test]
async fn an_erasure_is_noted_once_and_only_where_the_case_is_known() {
    let post = Post::open().await;
    let erased = PersonErased { case_id: CASE.to_owned(), person_id: CASE.to_owned() }.encode_to_vec();
    post.brings("spean.cases.v1.PersonErased", erased.clone()).await.unwrap();
    assert!(!post.is_erased().await);
    post.says(Standing::Holds).await;
    for _ in 0..2 {
        post.brings("spean.cases.v1.PersonErased", erased.clone()).await.unwrap();
        assert!(post.is_erased().await);
    }
    assert_eq!(post.store.events_after(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn letters_that_make_no_sense_are_kept_for_a_person() {
    let post = Post::open().await;
    for (kind, body, code) in [
        ("spean.referral.v1.OfferAnswered", vec![], "UNKNOWN_KIND"),
        ("spean.referral.v1.StandingChanged", vec![0xff], "MALFORMED"),
        ("spean.cases.v1.PersonErased", vec![], "MALFORMED"),
    ] {
        let refused = post.brings(kind, body).await.unwrap_err();
        assert!(matches!(&refused, Unusable::Refused(said) if said == code), "{refused:?}");
    }
}
