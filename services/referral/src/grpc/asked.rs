//! An offer as somebody asks for it: read, sent to whoever can answer, and sealed.

use spean_chassis::words::{instant, read_instant, read_need, read_urgency};
use spean_chassis::{Call, field, status};
use spean_contracts::referral::v1 as wire;
use spean_custody::case::{Command, OfferTerms};
use spean_identity::OfficeLevel;
use spean_vault::Reader;
use spean_vocabulary::{CaseId, Need, NeedId, OfferId, OfferKind, OfficeId, Timestamp, Urgency};
use tonic::Status;

use super::offers::dossier_status;
use super::{Grpc, read, write};
use crate::desk::Desk;
use crate::dossiers;
use crate::dossiers::Handoff;
use crate::needs::offers::Along;
use crate::routing::{Route, Routing, Statuses};
use crate::subject::{Permission, Subject};

/// Longest note to the receiver, in characters.
const LONGEST_NOTE: usize = 4_000;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) offer: OfferId,
    pub(super) case: CaseId,
    pub(super) to: OfficeId,
    pub(super) kind: OfferKind,
    pub(super) need: Need,
    pub(super) urgency: Urgency,
    pub(super) answer_due_at: Timestamp,
    pub(super) note: String,
    /// The need that it is to meet, when one is named.
    pub(super) need_id: Option<NeedId>,
}

/// An offer that is ready but for its dossier.
#[derive(Clone, Debug)]
pub(super) struct Offering {
    offer: OfferId,
    case: CaseId,
    to: spean_custody::Party,
    terms: OfferTerms,
    permission: Option<Permission>,
    note: String,
    need_id: Option<NeedId>,
}

impl Grpc {
    /// Reads a request whose fields begin with `path`.
    pub(super) fn asked(&self, call: &Call, path: &str, request: &wire::OfferReferralRequest) -> Result<Asked, Status> {
        let at = |field: &str| format!("{path}{field}");
        let urgency = read_urgency(&at("urgency"), request.urgency);
        let offer = field::parse(&at("offer_id"), &request.offer_id)?;
        let case = field::parse(&at("case_id"), &request.case_id)?;
        let to: OfficeId = field::parse(&at("to_office_id"), &request.to_office_id)?;
        let kind = read::kind(&at("kind"), request.kind)?;
        let need = read_need(&at("need"), request.need)?;
        let urgency = urgency?;
        let answer_due_at = match &request.answer_due_at {
            None => self.answer_due(call, urgency),
            Some(due) => read_instant(&at("answer_due_at"), due, call.now)?,
        };
        if answer_due_at < call.now {
            return Err(status::invalid(&at("answer_due_at"), "an instant that is still to come"));
        }
        let note = field::text(&at("note"), &request.note, LONGEST_NOTE)?.unwrap_or_default();
        let need_id = field::parse_optional(&at("need_id"), &request.need_id)?;
        Ok(Asked { offer, case, to, kind, need, urgency, answer_due_at, note, need_id })
    }

    /// When an answer is due that is asked for now.
    pub(super) fn answer_due(&self, call: &Call, urgency: Urgency) -> Timestamp {
        call.now.plus_hours(self.desk.node.policy.answer.of(urgency).answer_within_hours)
    }

    /// What was told of the offices.
    pub(super) async fn statuses(&self) -> Result<Statuses, Status> {
        Statuses::load(self.store.reader()).await.map_err(status::query)
    }

    /// Whom to ask when this office is meant. When nobody could answer anywhere, that office is asked and waited for.
    pub(super) fn route(&self, to: &OfficeId, path: &str, statuses: &Statuses, call: &Call) -> Result<Route, Status> {
        let directory = self.desk.directory();
        let known = directory.office(to);
        let expected = |what: &str| status::invalid(&format!("{path}to_office_id"), what);
        if known.is_some_and(|office| office.level == OfficeLevel::Commune) {
            return Err(expected("an office that holds cases; a commune does not"));
        }
        let routing = Routing { directory: &directory, statuses, today: call.today() };
        match routing.route(to) {
            Some(route) => Ok(route),
            None if known.is_some() => Ok(Route { to: to.clone(), because: None }),
            None => Err(expected("an office of the directory")),
        }
    }

    /// Seals the dossier and completes the command that makes the offer.
    pub(super) async fn sealed(&self, call: &Call, from: &OfficeId, offering: &Offering) -> Result<Command, Status> {
        let Offering { offer, case, to, terms, permission, note, .. } = offering;
        let mut terms = terms.clone();
        if let Some(permission) = permission {
            let purpose = format!("a referral to {}", to.office);
            let reader = Reader { staff: call.caller.staff.clone(), office: from.clone(), purpose };
            let handoff = Handoff { offer: *offer, case: *case, from, to: &to.office, permission };
            let digest = dossiers::prepare(&self.desk, &handoff, note.clone(), &reader, call.now).await;
            terms.dossier_digest = Some(digest.map_err(dossier_status)?);
        }
        Ok(Command::Offer { offer: *offer, to: to.clone(), terms })
    }
}

impl Asked {
    /// The offer along a route. Without permission no dossier goes along, and the offer says so.
    pub(super) fn offering(
        &self,
        desk: &Desk,
        route: &Route,
        subject: Subject,
        permission: Option<Permission>,
    ) -> Result<Offering, Status> {
        if let Some(against) = subject.against() {
            return Err(against.status());
        }
        let to = desk.party(&route.to);
        let to = to.ok_or_else(|| status::invalid("to_office_id", "an office of the directory"))?;
        let terms = OfferTerms {
            kind: self.kind,
            need: self.need,
            urgency: self.urgency,
            answer_due_at: self.answer_due_at,
            case_number: subject.case_number,
            preview: subject.preview,
            dossier_digest: None,
            consent: permission.as_ref().map(|permission| permission.consent),
            instead_of: None,
            meant_for: route.because.map(|_| self.to.clone()),
            redirected_because: route.because,
        };
        let (note, need_id) = (self.note.clone(), self.need_id);
        Ok(Offering { offer: self.offer, case: self.case, to, terms, permission, note, need_id })
    }
}

impl Offering {
    /// The command but for the dossier, to ask the rules whether it may be done.
    pub(super) fn command(&self) -> Command {
        Command::Offer { offer: self.offer, to: self.to.clone(), terms: self.terms.clone() }
    }

    /// What goes along with the command.
    pub(super) fn along(&self) -> Along {
        Along { need: self.need_id, permission: self.permission.clone(), ..Along::default() }
    }

    /// What is answered once it is done.
    pub(super) fn response(&self) -> wire::OfferReferralResponse {
        let because = self.terms.redirected_because;
        wire::OfferReferralResponse {
            answer_due_at: Some(instant(self.terms.answer_due_at)),
            to_office_id: self.to.office.to_string(),
            redirected_because: because.map_or(wire::Redirection::Unspecified, write::redirection).into(),
        }
    }
}
