//! What is told of a case between the preparing of an offer and its record stands against it, on both databases.

use std::sync::Arc;

use spean_chassis::person::write_part;
use spean_contracts::cases::v1::StandingConsent;
use spean_custody::case::{CaseCustody, Command, OfferTerms, Signer, Situation};
use spean_custody::{Digest, Party};
use spean_eventsourcing::Context;
use spean_eventstore::{EventStore, Metadata, Options, TransactError};
use spean_testkit::{Postgres, a_folder};
use spean_vocabulary::{OfferId, OfferKind, Timestamp};
use tonic_types::StatusExt as _;

use super::*;
use crate::moves::tests::terms;
use crate::needs::known;
use crate::needs::offers::{self, Along, Undone};
use crate::needs::register::NeedRegister;
use crate::worklist::Worklist;

const NOW: Timestamp = Timestamp::from_micros(1_795_300_200_000_000);

/// One case, told of by the register, and held by Takeo.
pub(crate) struct Told {
    pub(crate) store: EventStore,
    pub(crate) case: CaseId,
}

fn party(office: &str) -> Party {
    Party { node: "takeo".parse().unwrap(), office: office.parse().unwrap() }
}

fn situation() -> Situation {
    Situation {
        me: party("takeo"),
        registry: None,
        authority: party("ministry"),
        cosigner: party("kandal"),
        signer: Signer::new(|_| vec![7; 64]),
        context: Context { office: "takeo".parse().unwrap(), staff: Some("tk-01".parse().unwrap()), now: NOW },
    }
}

pub(crate) fn offer(number: u8) -> OfferId {
    format!("000000{number:02x}-0000-4000-8000-000000000000").parse().unwrap()
}

fn consent(number: u8) -> ConsentId {
    format!("0000c0{number:02x}-0000-4000-8000-000000000000").parse().unwrap()
}

/// A consent as it stands; for no office in particular it is for all.
fn standing(number: u8, parts: &[Part], offices: &[&str]) -> StandingConsent {
    StandingConsent {
        consent_id: consent(number).to_string(),
        parts: parts.iter().map(|part| write_part(*part).into()).collect(),
        office_ids: offices.iter().map(ToString::to_string).collect(),
        purposes: vec![],
    }
}

fn permission(number: u8, parts: &[Part]) -> Permission {
    Permission { consent: consent(number), parts: parts.iter().copied().collect() }
}

impl Told {
    pub(crate) async fn of(url: &str, number: u8) -> Self {
        let options = Options {
            tables: vec![TABLES, known::TABLES],
            read_models: vec![Arc::new(Worklist), Arc::new(NeedRegister)],
            ..Options::new(url, "referral", "test")
        };
        let store = EventStore::open(options).await.unwrap();
        let case: CaseId = format!("0b1f6f2e-5d0e-4a53-9d0e-3f6f1a2b3c{number:02x}").parse().unwrap();
        let told = Self { store, case };
        told.hears(News::Registered).await;
        let id = crate::desk::stream(&party("takeo").office, case);
        let metadata = Metadata::of(&situation().context);
        told.store.handle::<CaseCustody>(id, Command::Open { case }, situation(), metadata).await.unwrap();
        told
    }

    /// What the register tells, as the desk takes it in.
    async fn hears(&self, news: News) {
        let case_id = self.case.to_string();
        let heard = self.store.transact(move |transaction| {
            Box::pin(async move {
                let connection = transaction.connection();
                match news {
                    News::Registered => {
                        record(&CaseRegistered { case_id, ..CaseRegistered::default() }, connection).await
                    }
                    News::Merged(merged) => {
                        let into_case_id = case_id.clone();
                        let told = CaseMerged { case_id, into_case_id, merged, ..CaseMerged::default() };
                        record_merge(&told, connection).await
                    }
                    News::Erased => end_consents(case_id.parse().unwrap(), connection).await,
                    News::Consents(consents) => {
                        record_consents(&ConsentsChanged { case_id, consents }, connection).await
                    }
                }
            })
        });
        heard.await.map_err(|error: TransactError<sqlx::Error>| error.to_string()).unwrap();
    }

    /// Offers it to an office of its own for each number. The reason why an offer is not recorded; none when it is.
    async fn offers(&self, number: u8, permission: Option<&Permission>) -> Option<String> {
        self.offers_with(number, permission, permission.map(|_| Digest::from_bytes(spean_chassis::random()))).await
    }

    /// The same, with this dossier.
    pub(crate) async fn offers_with(
        &self,
        number: u8,
        permission: Option<&Permission>,
        dossier_digest: Option<Digest>,
    ) -> Option<String> {
        let consent = permission.map(|permission| permission.consent);
        let terms = OfferTerms { kind: OfferKind::Service, dossier_digest, consent, ..terms(None) };
        let command = Command::Offer { offer: offer(number), to: party(&format!("saang-{number}")), terms };
        let along = Along { permission: permission.cloned(), ..Along::default() };
        let case = self.case;
        let decided = self.store.transact(move |transaction| {
            Box::pin(async move {
                let (situation, office) = (situation(), party("takeo").office);
                let metadata = Metadata::of(&situation.context);
                offers::decide((&office, case), command, &along, &situation, &metadata, transaction).await
            })
        });
        match decided.await {
            Ok(()) => None,
            Err(TransactError::Work(Undone::Refused(status))) => {
                Some(status.get_details_error_info().expect("a reason").reason)
            }
            Err(TransactError::Work(Undone::Failed(error))) => panic!("{error}"),
            Err(TransactError::Store(error)) => panic!("{error}"),
        }
    }

    async fn recorded(&self) -> usize {
        let events = self.store.events_after(0, 100).await.unwrap();
        events.iter().filter(|event| event.event_type == "offered").count()
    }
}

enum News {
    Registered,
    Merged(bool),
    Erased,
    Consents(Vec<StandingConsent>),
}

async fn play(url: &str) {
    let told = Told::of(url, 1).await;
    assert_eq!(told.offers(1, None).await, None);
    told.hears(News::Merged(true)).await;
    assert_eq!(told.offers(2, None).await.as_deref(), Some("CASE_MERGED"));
    assert_eq!(told.offers(1, None).await, None, "what is recorded already is not recorded again, and not refused");
    assert_eq!(told.recorded().await, 1);
    told.hears(News::Merged(false)).await;
    assert_eq!(told.offers(3, None).await, None, "taken apart, it is offered as before");

    let (some, more) = ([Part::Identity], [Part::Identity, Part::Narrative]);
    told.hears(News::Consents(vec![standing(1, &more, &[])])).await;
    assert_eq!(told.offers(4, Some(&permission(1, &more))).await, None);
    assert_eq!(told.offers(4, Some(&permission(1, &more))).await, None, "asked twice in one moment, sealed twice");
    told.hears(News::Consents(vec![standing(1, &some, &[]), standing(2, &more, &["takeo"])])).await;
    let changed = Some("CONSENT_CHANGED");
    assert_eq!(told.offers(5, Some(&permission(1, &more))).await.as_deref(), changed, "it holds too much");
    assert_eq!(told.offers(5, Some(&permission(2, &more))).await.as_deref(), changed, "for another office");
    assert_eq!(told.offers(5, Some(&permission(3, &some))).await.as_deref(), changed, "never given");
    assert_eq!(told.offers(5, Some(&permission(1, &some))).await, None, "put together by what is allowed now");
    told.hears(News::Consents(vec![standing(1, &more, &[])])).await;
    assert_eq!(told.offers(6, Some(&permission(1, &some))).await, None, "more may travel than does");
    told.hears(News::Consents(vec![standing(1, &[], &[])])).await;
    assert_eq!(told.offers(7, Some(&permission(1, &some))).await.as_deref(), changed, "taken back");
    assert_eq!(told.offers(7, None).await, None, "without a dossier nothing travels");
    assert_eq!(told.recorded().await, 6);

    told.hears(News::Consents(vec![standing(1, &more, &[])])).await;
    told.hears(News::Erased).await;
    assert_eq!(
        told.offers(8, Some(&permission(1, &some))).await.as_deref(),
        changed,
        "nothing of them travels any more"
    );
    assert_eq!(told.offers(8, None).await, None, "the case itself can still be handed on");
    assert_eq!(told.recorded().await, 7);
    told.store.close().await;
}

#[tokio::test]
async fn what_is_told_meanwhile_stands_against_an_offer_on_sqlite() {
    let folder = a_folder();
    play(&format!("sqlite://{}", folder.path().join("referral.sqlite").display())).await;
}

#[tokio::test]
async fn what_is_told_meanwhile_stands_against_an_offer_on_postgres() {
    play(&Postgres::shared().database()).await;
}
