//! A network in the middle of its work: the provincial office of Ratanak Kiri with a case, a stay, a plan of visits, an
//! arrival and offers in both directions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use spean::demonstration::agencies::{KANDAL, KIEN_SVAY, RATANAK_KIRI};
use spean::demonstration::staff::{Asking, Staff, decision, new_id};
use spean_contracts::cases::v1::{Consent, RecordConsentRequest};
use spean_contracts::directory::v1::{Offering, PublishOfferingRequest};
use spean_contracts::followup::v1::{
    AssignWorkerRequest, Check, CheckResult, ConveneMeetingRequest, Currency, DangerSign, HandOverPostRequest, Money,
    PaymentPurpose, PlanFollowUpRequest, RaiseDangerRequest, RecordSupervisionRequest, RecordSupportRequest,
    RequestPaymentRequest, SupervisionPoint, SupportKind,
};
use spean_contracts::referral::v1::{
    Channel as ReportChannel, Concern, OfferKind, OfferState, OpenNeedRequest, Reporter, SubmitReportRequest,
    TakeUpReportRequest,
};
use spean_contracts::repatriation::v1::{
    Circumstances, ImportManifestRequest, OpenRepatriationRequestRequest, RegisterArrivalRequest,
    RepatriationDirection, Route, StaffFunction, StepOwner,
};
use spean_contracts::shelter::v1::{AdmitResidentRequest, DeclareCapacityRequest, Places};
use spean_contracts::vocabulary::v1::{Birth, ConsentBasis, Name, Need, Part, Person, Sex, Urgency, birth};
use spean_identity::token::{Claims, issue};
use spean_identity::{NodeKeys, Role};
use spean_tests::Network;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use super::books::Books;

/// The node that is asked.
pub(crate) const NODE: &str = "ratanak-kiri";
/// Another office of the same node.
pub(crate) const NEIGHBOUR: &str = "osvy-ban-lung";
/// One row: `family_name,given_name,sex,birth` and somebody invented, in base64.
pub(crate) const MANIFEST: &str = "ZmFtaWx5X25hbWUsZ2l2ZW5fbmFtZSxzZXgsYmlydGgKS3VtcnUsVGhlYSxtYWxlLDE5ODgK";

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const EVERYTHING: [Role; 4] = [Role::Caseworker, Role::Supervisor, Role::IntakeOfficer, Role::ShelterManager];

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident),* $(,)?) => {
        /// The things of the scene, and fresh ids for new ones.
        #[derive(Debug)]
        pub(crate) struct Ids {
            $($(#[$doc])* pub(crate) $id: String,)*
            /// The directory that is in force, as its signed file.
            pub(crate) signed_directory: String,
        }

        impl Ids {
            /// Ids that nothing has.
            pub(crate) fn mint() -> Self {
                Self { $($id: new_id(),)* signed_directory: "{}".to_owned() }
            }
        }
    };
}

ids! {
    /// A case that the office holds.
    case,
    /// Another, of a resident whose follow-up has begun.
    other,
    /// One whose person can be erased.
    erasable,
    /// A consent of the other case.
    consent,
    /// A stay.
    stay,
    /// An arrival.
    arrival,
    /// A manifest.
    manifest,
    /// A request to bring somebody home.
    homewards,
    /// An offering.
    offering,
    /// An offer of the office that waits for an answer.
    offered,
    /// A transfer that is offered to the office.
    asked,
    /// Another one.
    declinable,
    /// A service that the office gives for another.
    served,
    /// A danger that was reported.
    danger,
    /// Money that was asked for by somebody else.
    payment,
    /// Tools that were given.
    given_support,
    /// The handover of a post to whoever plays the table.
    post_handover,
    /// The visit of a supervisor.
    made_supervision,
    /// A meeting that was called.
    meeting,
    fresh_meeting, fresh_decision,
    fresh_danger, fresh_payment, pay_in, support, fresh_post_handover, supervision, search_step, found_need,
    /// A report that the office took down.
    report,
    /// Its number for the telephone.
    reference,
    /// A report that somebody looks into.
    doubtful,
    /// A report that another office should look into.
    misplaced,
    fresh_care_plan, fresh_goal, fresh_review, fresh_session, fresh_market, fresh_training, fresh_tracing, fresh_family,
    fresh_placement, fresh_reintegration,
    fresh_report,
    fresh_risk, fresh_fact, fresh_conclusion, fresh_attachment,
    /// A need of the case.
    case_need,
    unused, fresh_need, fresh_case, fresh_consent, fresh_stay, visit, fresh_arrival, fresh_manifest, fresh_homewards, fresh_offering, fresh_offer, one_of_many,
}

/// The network and what is in it.
pub(crate) struct Scene {
    pub(crate) stage: Network,
    pub(crate) ids: Ids,
    pub(crate) channel: Channel,
    pub(crate) books: Books,
    folder: PathBuf,
}

/// Whose token is made.
pub(crate) struct Bearer<'a> {
    pub(crate) node: &'a str,
    /// The node whose keys sign.
    pub(crate) signed_by: &'a str,
    pub(crate) agency: &'a str,
    pub(crate) offices: &'a [&'a str],
    pub(crate) roles: &'a [Role],
    /// From when it holds, in hours from now.
    pub(crate) from: i64,
    /// Until when.
    pub(crate) until: i64,
}

impl Scene {
    /// Sets it.
    pub(crate) async fn set(stage: Network) -> Self {
        let folder = stage.folder().to_owned();
        let mut ids = Ids::mint();
        ids.signed_directory = std::fs::read_to_string(folder.join("directory.json")).unwrap();
        let address = stage.address(NODE).unwrap();
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let books = Books::of(&folder.join(NODE).join("data"));
        let mut scene = Self { stage, ids, channel, books, folder };
        scene.play().await.unwrap();
        scene.rest().await;
        scene
    }

    /// A token, good or bad.
    pub(crate) fn token(&self, bearer: &Bearer<'_>) -> String {
        let keys = NodeKeys::load(&self.folder.join(bearer.signed_by).join("keys")).unwrap();
        let now = self.stage.clock().now();
        let claims = Claims {
            agency: bearer.agency.parse().unwrap(),
            node: bearer.node.parse().unwrap(),
            staff: "rk-90".parse().unwrap(),
            offices: bearer.offices.iter().map(|office| office.parse().unwrap()).collect(),
            roles: bearer.roles.to_vec(),
            issued_at: now.plus_hours(bearer.from),
            expires_at: now.plus_hours(bearer.until),
            id: spean_chassis::mint(),
        };
        issue(&keys, &claims).unwrap()
    }

    /// Waits until no letter is under way between the nodes that the scene is about.
    pub(crate) async fn rest(&self) {
        let partner = Books::of(&data(&self.folder, "kandal"));
        wait_for("all letters to arrive", async || {
            Ok((self.books.letters_under_way().await + partner.letters_under_way().await == 0).then_some(()))
        })
        .await;
    }

    async fn play(&mut self) -> Result<(), Status> {
        let ids = &self.ids;
        let here = self.stage.staff("rk-07", RATANAK_KIRI, &EVERYTHING).await.unwrap();
        for case in [&ids.erasable, &ids.case, &ids.other] {
            here.register(case, a_girl()).await?;
            here.consent(case, ConsentBasis::BestInterest).await?;
        }
        let consent = Consent {
            consent_id: ids.consent.clone(),
            basis: ConsentBasis::BestInterest.into(),
            parts: vec![Part::Identity.into()],
            decision: Some(decision("2026-01-01", RATANAK_KIRI)),
            ..Consent::default()
        };
        let consent = RecordConsentRequest { case_id: ids.other.clone(), consent: Some(consent) };
        here.cases().record_consent(here.ask(consent)).await?;
        self.publish(&here).await?;
        self.arrive(&here).await?;
        self.refer(&here).await?;
        self.need(&here).await?;
        self.report(&here).await?;
        self.care(&here).await
    }

    async fn publish(&self, here: &Staff) -> Result<(), Status> {
        let offering = Offering {
            offering_id: self.ids.offering.clone(),
            need: Need::Shelter.into(),
            languages: vec!["km".to_owned()],
            ..Offering::default()
        };
        here.directory().publish_offering(here.ask(PublishOfferingRequest { offering: Some(offering) })).await?;
        Ok(())
    }

    async fn need(&self, here: &Staff) -> Result<(), Status> {
        let need = OpenNeedRequest {
            need_id: self.ids.case_need.clone(),
            case_id: self.ids.case.clone(),
            need: Need::Livelihood.into(),
            urgency: Urgency::Routine.into(),
            ..OpenNeedRequest::default()
        };
        here.needs().open_need(here.ask(need)).await?;
        Ok(())
    }

    async fn arrive(&self, here: &Staff) -> Result<(), Status> {
        let circumstances = Some(Circumstances {
            route: Route::Deportation.into(),
            arrived_on: "2026-01-01".to_owned(),
            ..Circumstances::default()
        });
        let arrival = RegisterArrivalRequest {
            arrival_id: self.ids.arrival.clone(),
            person: Some(a_girl()),
            circumstances: circumstances.clone(),
            ..RegisterArrivalRequest::default()
        };
        here.repatriation().register_arrival(here.ask(arrival)).await?;
        let manifest = ImportManifestRequest {
            manifest_id: self.ids.manifest.clone(),
            csv: b"family_name,sex\nKumru,male\n".to_vec(),
            circumstances,
            ..ImportManifestRequest::default()
        };
        here.repatriation().import_manifest(here.ask(manifest)).await?;
        let owner = StepOwner { function: StaffFunction::RepatriationOfficer.into(), ..StepOwner::default() };
        let homewards = OpenRepatriationRequestRequest {
            request_id: self.ids.homewards.clone(),
            direction: RepatriationDirection::ToHere.into(),
            country: "TH".to_owned(),
            person_ids: vec![self.ids.case.clone()],
            owner: Some(owner),
            requested_on: "2026-01-01".to_owned(),
        };
        here.repatriation().open_repatriation_request(here.ask(homewards)).await?;
        Ok(())
    }

    async fn refer(&mut self, here: &Staff) -> Result<(), Status> {
        let transfer =
            Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Routine };
        let service = Asking { kind: OfferKind::Service, need: Need::Counselling, urgency: Urgency::Routine };
        self.ids.offered = here.offer(&self.ids.other, KIEN_SVAY, transfer).await?;
        let there = self.stage.staff("kd-02", KANDAL, &EVERYTHING).await.unwrap();
        let mut offers = Vec::new();
        for asking in [transfer, transfer, service] {
            let case = new_id();
            there.register(&case, a_girl()).await?;
            there.consent(&case, ConsentBasis::BestInterest).await?;
            offers.push(there.offer(&case, RATANAK_KIRI, asking).await?);
        }
        for offer in &offers {
            wait_for("an offer", async || Ok((here.state(offer).await? == OfferState::Offered).then_some(()))).await;
        }
        let [asked, declinable, served] = offers.try_into().expect("three were made");
        here.accept(&served).await?;
        wait_for("a dossier", async || {
            let offer = here.see(&served).await?;
            Ok(offer.filter(|offer| offer.dossier_available).map(|_| ()))
        })
        .await;
        self.ids.asked = asked;
        self.ids.declinable = declinable;
        self.ids.served = served;
        Ok(())
    }

    async fn report(&mut self, here: &Staff) -> Result<(), Status> {
        for report in [&self.ids.misplaced, &self.ids.doubtful, &self.ids.report] {
            let request = SubmitReportRequest {
                report_id: report.clone(),
                channel: ReportChannel::Visitor.into(),
                place: "16".to_owned(),
                concerns: vec![Concern::ChildAlone.into()],
                urgency: Urgency::Routine.into(),
                words: "A child sleeps at the market.".to_owned(),
                reporter: Some(Reporter { name: "Kumru Tola".to_owned(), ..Reporter::default() }),
                ..SubmitReportRequest::default()
            };
            self.ids.reference = here.reports().submit_report(here.ask(request)).await?.into_inner().reference;
        }
        let doubtful = TakeUpReportRequest { report_id: self.ids.doubtful.clone() };
        here.reports().take_up_report(here.ask(doubtful)).await?;
        Ok(())
    }

    async fn care(&self, here: &Staff) -> Result<(), Status> {
        let places = Places { sex: Sex::Female.into(), children: true, capacity_persons: 5, occupied_persons: 0 };
        let capacity = DeclareCapacityRequest { places: vec![places] };
        here.shelter().declare_capacity(here.ask(capacity)).await?;
        let Ids { stay, other, .. } = &self.ids;
        wait_for("the shelter to hear of the case", async || {
            let admission = AdmitResidentRequest {
                admission_id: stay.clone(),
                case_id: other.clone(),
                admitted_on: "2026-01-04".to_owned(),
                ..AdmitResidentRequest::default()
            };
            heard(here.shelter().admit_resident(here.ask(admission)).await)
        })
        .await;
        wait_for("the follow-up to hear of the case", async || {
            let plan = PlanFollowUpRequest { case_id: other.clone(), reintegrated_on: "2026-01-05".to_owned() };
            heard(here.followup().plan_follow_up(here.ask(plan)).await)
        })
        .await;
        self.follow_up(here).await
    }

    async fn follow_up(&self, here: &Staff) -> Result<(), Status> {
        let ids = &self.ids;
        let danger = RaiseDangerRequest {
            danger_id: ids.danger.clone(),
            case_id: ids.other.clone(),
            signs: vec![DangerSign::Threat.into()],
            urgency: Urgency::Urgent.into(),
            found_on: "2026-02-10".to_owned(),
        };
        here.safety().raise_danger(here.ask(danger)).await?;
        let payment = RequestPaymentRequest {
            payment_id: ids.payment.clone(),
            case_id: ids.other.clone(),
            purpose: PaymentPurpose::EmergencyFood.into(),
            money: Some(Money { currency: Currency::Khr.into(), amount: 1_000 }),
            needed_on: "2026-02-01".to_owned(),
            ..RequestPaymentRequest::default()
        };
        here.fund().request_payment(here.ask(payment)).await?;
        let support = RecordSupportRequest {
            support_id: ids.given_support.clone(),
            case_id: ids.other.clone(),
            kind: SupportKind::Tools.into(),
            given_on: "2026-01-10".to_owned(),
            ..RecordSupportRequest::default()
        };
        here.support().record_support(here.ask(support)).await?;
        let assignment = AssignWorkerRequest { case_id: ids.other.clone(), worker: "rk-08".to_owned() };
        here.supervision().assign_worker(here.ask(assignment)).await?;
        let handover = HandOverPostRequest {
            handover_id: ids.post_handover.clone(),
            from_worker: "rk-08".to_owned(),
            to_worker: "rk-90".to_owned(),
            handed_over_on: "2026-02-20".to_owned(),
        };
        here.supervision().hand_over_post(here.ask(handover)).await?;
        let point = SupervisionPoint {
            check: Check::Files.into(),
            result: CheckResult::ToImprove.into(),
            mend_by: "2026-04-01".to_owned(),
        };
        let supervision = RecordSupervisionRequest {
            supervision_id: ids.made_supervision.clone(),
            office_id: RATANAK_KIRI.to_owned(),
            visited_on: "2026-03-01".to_owned(),
            points: vec![point],
            ..RecordSupervisionRequest::default()
        };
        here.supervision().record_supervision(here.ask(supervision)).await?;
        let meeting = ConveneMeetingRequest { meeting_id: ids.meeting.clone(), planned_on: "2026-05-10".to_owned() };
        here.meeting().convene_meeting(here.ask(meeting)).await?;
        Ok(())
    }
}

/// The folder of a node's data.
fn data(folder: &Path, node: &str) -> PathBuf {
    folder.join(node).join("data")
}

/// Looks until something is so.
pub(crate) async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>, Status>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await.unwrap() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// What the desk knows, the other services hear a moment later.
fn heard<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn a_girl() -> Person {
    Person {
        latin_name: Some(Name { family: "Kumru".to_owned(), given: "Sita".to_owned() }),
        sex: Sex::Female.into(),
        birth: Some(Birth { known: Some(birth::Known::Year(2012)) }),
        home_place: "0802".to_owned(),
        ..Person::default()
    }
}
