//! Protobuf to commands and queries, and back. No rules.

use std::collections::BTreeSet;

use spean_chassis::person::{self, Described};
use spean_chassis::words::{
    read_consent_basis, read_need, stored, write_age_band, write_consent_basis, write_need, write_sex,
};
use spean_chassis::{Call, Node, Page, field, standing, status};
use spean_contracts::cases::v1::cases_service_server::CasesService;
use spean_contracts::cases::v1::{self as wire};
use spean_eventstore::EventStore;
use spean_identity::Standing;
use spean_vault::{Reader, Vault};
use spean_vocabulary::{CaseId, CaseNumber, ConsentId, PersonId};
use tonic::{Request, Response, Status};

use crate::case::{Case, Command, Consent};
use crate::reactions::free_number;
use crate::register::{self, Entry};
use crate::similarity::{CANDIDATE, compare};

/// Most candidates in an answer.
const MOST_CANDIDATES: usize = 20;
/// Longest purpose of a reading, in characters.
const LONGEST_PURPOSE: usize = 200;
/// Most offices or needs in one consent.
const MOST_IN_CONSENT: usize = 100;

/// The register over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
}

#[tonic::async_trait]
impl CasesService for Grpc {
    async fn register_person(
        &self,
        request: Request<wire::RegisterPersonRequest>,
    ) -> Result<Response<wire::RegisterPersonResponse>, Status> {
        let (call, request) = self.node.gate.open("RegisterPerson", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let described = person::read("person", request.person, call.today())?;
        let registered_on = field::day_so_far("registered_on", &request.registered_on, call.today())?;
        let codes = described.codes(registered_on);
        let person: PersonId = case.reinterpret();
        let tag = self.node.directory.current().node(&self.node.id).map(|node| node.tag);
        let tag =
            tag.ok_or_else(|| status::forbidden("NODE_NOT_IN_DIRECTORY", "the directory does not know this node"))?;
        let (context, metadata) = (call.context()?, call.metadata()?);
        let (node, told, asked) = (self.node.clone(), described.clone(), call.clone());
        let stored = self.store.transact(move |transaction| {
            Box::pin(async move {
                let case_number = free_number(tag, transaction).await.map_err(status::query)?;
                let command = Command::Register { case_number, person, codes, registered_on };
                let id = case.to_string();
                let known = transaction.load::<Case>(&id).await.map_err(|error| status::store(&error))?;
                transaction.decide::<Case>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                // Between the decision and its commit: nothing is kept of a registration that is refused, nothing is
                // missing of one that is on record, and asking again neither undoes an amendment nor brings back what
                // was erased.
                if !known.state.exists() {
                    keep(&node.vault, person, &told, &asked).await?;
                }
                standing::hold(case, &context.office, transaction.connection()).await.map_err(status::query)?;
                transaction.load::<Case>(&id).await.map_err(|error| status::store(&error))
            })
        });
        let stored = stored.await.map_err(status::transacted)?;
        let candidates = self.candidates(&described, Some(person), &call, "registration").await?;
        Ok(Response::new(wire::RegisterPersonResponse {
            case_number: stored.state.case_number().map(|number| number.to_string()).unwrap_or_default(),
            person_id: person.to_string(),
            candidates,
        }))
    }

    async fn amend_person(
        &self,
        request: Request<wire::AmendPersonRequest>,
    ) -> Result<Response<wire::AmendPersonResponse>, Status> {
        let (call, request) = self.node.gate.open("AmendPerson", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let described = person::read("person", request.person, call.today())?;
        self.permit(&call, case).await?;
        let codes = described.codes(call.today());
        self.handle(case, Command::Amend { codes }, &call).await?;
        self.keep(case.reinterpret(), &described, &call).await?;
        Ok(Response::new(wire::AmendPersonResponse {}))
    }

    async fn get_case(
        &self,
        request: Request<wire::GetCaseRequest>,
    ) -> Result<Response<wire::GetCaseResponse>, Status> {
        let (call, request) = self.node.gate.open("GetCase", request)?;
        let case = self.find(&request.case_id).await?;
        let purpose = field::text("purpose", &request.purpose, LONGEST_PURPOSE)?;
        self.permit(&call, case).await?;
        let entry = register::find(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let entry = entry.ok_or_else(|| status::not_found("case"))?;
        let loaded = self.store.load::<Case>(&case.to_string()).await.map_err(|error| status::store(&error))?;
        let person = match purpose {
            None => None,
            Some(purpose) => Some(self.reveal(case.reinterpret(), purpose, &call).await?),
        };
        let mut consents: Vec<_> =
            loaded.state.consents().iter().map(|(id, consent)| write_consent(*id, consent)).collect();
        consents.sort_by(|one, other| other.given_on.cmp(&one.given_on));
        Ok(Response::new(wire::GetCaseResponse { summary: Some(summary(entry)), person, consents }))
    }

    async fn list_cases(
        &self,
        request: Request<wire::ListCasesRequest>,
    ) -> Result<Response<wire::ListCasesResponse>, Status> {
        let (call, request) = self.node.gate.open("ListCases", request)?;
        let page = Page::read(request.page.as_ref())?;
        let entries =
            register::of_office(call.office()?, request.held_only, page.limit(), page.offset, self.store.reader())
                .await
                .map_err(status::query)?;
        let (entries, page) = page.cut(entries);
        Ok(Response::new(wire::ListCasesResponse { cases: entries.into_iter().map(summary).collect(), page }))
    }

    async fn search_people(
        &self,
        request: Request<wire::SearchPeopleRequest>,
    ) -> Result<Response<wire::SearchPeopleResponse>, Status> {
        let (call, request) = self.node.gate.open("SearchPeople", request)?;
        let described = person::read("person", request.person, call.today())?;
        let purpose = field::required_text("purpose", &request.purpose, LONGEST_PURPOSE)?;
        let candidates = self.candidates(&described, None, &call, &purpose).await?;
        Ok(Response::new(wire::SearchPeopleResponse { candidates }))
    }

    async fn record_consent(
        &self,
        request: Request<wire::RecordConsentRequest>,
    ) -> Result<Response<wire::RecordConsentResponse>, Status> {
        let (call, request) = self.node.gate.open("RecordConsent", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let (consent_id, consent) = read_consent(request.consent, &call)?;
        self.permit(&call, case).await?;
        self.handle(case, Command::RecordConsent { consent_id, consent }, &call).await?;
        Ok(Response::new(wire::RecordConsentResponse {}))
    }

    async fn withdraw_consent(
        &self,
        request: Request<wire::WithdrawConsentRequest>,
    ) -> Result<Response<wire::WithdrawConsentResponse>, Status> {
        let (call, request) = self.node.gate.open("WithdrawConsent", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let consent_id = field::parse("consent_id", &request.consent_id)?;
        let withdrawn_on = field::day_so_far("withdrawn_on", &request.withdrawn_on, call.today())?;
        self.permit(&call, case).await?;
        self.handle(case, Command::WithdrawConsent { consent_id, withdrawn_on }, &call).await?;
        Ok(Response::new(wire::WithdrawConsentResponse {}))
    }

    async fn link_cases(
        &self,
        request: Request<wire::LinkCasesRequest>,
    ) -> Result<Response<wire::LinkCasesResponse>, Status> {
        let (call, request) = self.node.gate.open("LinkCases", request)?;
        let this: CaseId = field::parse("case_id", &request.case_id)?;
        let other: CaseId = field::parse("other_case_id", &request.other_case_id)?;
        self.permit(&call, this).await?;
        let known = self.store.load::<Case>(&other.to_string()).await.map_err(|error| status::store(&error))?;
        if !known.state.exists() {
            return Err(status::not_found("case"));
        }
        let (context, metadata) = (call.context()?, call.metadata()?);
        let linked = self.store.transact(move |transaction| {
            Box::pin(async move {
                // Both files say it, or neither.
                for (this, other) in [(this, other), (other, this)] {
                    let command = Command::Link { this, other };
                    let id = this.to_string();
                    transaction.decide::<Case>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                }
                Ok::<_, Status>(())
            })
        });
        linked.await.map_err(status::transacted)?;
        Ok(Response::new(wire::LinkCasesResponse {}))
    }

    async fn complete_return(
        &self,
        request: Request<wire::CompleteReturnRequest>,
    ) -> Result<Response<wire::CompleteReturnResponse>, Status> {
        let (call, request) = self.node.gate.open("CompleteReturn", request)?;
        let case = field::parse("case_id", &request.case_id)?;
        let returned_on = field::day_so_far("returned_on", &request.returned_on, call.today())?;
        let known = self.permit(&call, case).await?;
        let handed_over = known.filter(|known| known.word == "HELD");
        let followed_up_by = handed_over.and_then(|known| known.other_office.parse().ok());
        self.handle(case, Command::CompleteReturn { returned_on, followed_up_by }, &call).await?;
        Ok(Response::new(wire::CompleteReturnResponse {}))
    }

    async fn erase_person(
        &self,
        request: Request<wire::ErasePersonRequest>,
    ) -> Result<Response<wire::ErasePersonResponse>, Status> {
        let (call, request) = self.node.gate.open("ErasePerson", request)?;
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let ground = field::required_text("ground", &request.ground, 60)?;
        if !ground.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Err(status::invalid("ground", "a code of capital letters such as REQUEST_OF_PERSON"));
        }
        self.permit(&call, case).await?;
        let others =
            standing::others_at_work(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        if others {
            return Err(status::forbidden(
                "ANOTHER_OFFICE_NEEDS_IT",
                "another office served by this node holds the case or helps with it; ask that office",
            ));
        }
        // The key first: should the power fail between the two, asking again completes it.
        self.node.vault.erase(case.reinterpret()).await.map_err(|error| status::vault(&error))?;
        self.handle(case, Command::Erase { ground }, &call).await?;
        // Asked again, the day of the first time is told.
        let erased_at = register::erased_at(case, self.store.reader()).await.map_err(status::query)?;
        Ok(Response::new(wire::ErasePersonResponse { erased_at: erased_at.map(spean_chassis::words::instant) }))
    }
}

impl Grpc {
    async fn handle(&self, case: CaseId, command: Command, call: &Call) -> Result<(), Status> {
        let handled = self.store.handle::<Case>(case.to_string(), command, call.context()?, call.metadata()?);
        handled.await.map_err(status::handled)?;
        Ok(())
    }

    /// Asks whether the caller's office has to do with the case in the way that the action needs.
    async fn permit(&self, call: &Call, case: CaseId) -> Result<Option<standing::Known>, Status> {
        let known = standing::of(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let has = known.as_ref().map_or(Standing::Stranger, |known| known.standing);
        self.node.gate.permit(call, "case", has)?;
        Ok(known)
    }

    /// A case by its id, or by its number for people.
    async fn find(&self, text: &str) -> Result<CaseId, Status> {
        if let Ok(number) = text.parse::<CaseNumber>() {
            let number = number.to_string();
            let registered = register::by_number(&number, self.store.reader()).await.map_err(status::query)?;
            let case = match registered {
                Some(case) => Some(case),
                None => standing::by_number(&number, self.store.reader()).await.map_err(status::query)?,
            };
            return case.and_then(|case| case.parse().ok()).ok_or_else(|| status::not_found("case"));
        }
        field::parse("case_id", text)
    }

    async fn keep(&self, person: PersonId, described: &Described, call: &Call) -> Result<(), Status> {
        keep(&self.node.vault, person, described, call).await
    }

    async fn reveal(
        &self,
        person: PersonId,
        purpose: String,
        call: &Call,
    ) -> Result<spean_contracts::vocabulary::v1::Person, Status> {
        let reader = reader(call, purpose)?;
        let vault = &self.node.vault;
        let failed = |error| status::vault(&error);
        Ok(person::write(
            vault.get(person, &reader, call.now).await.map_err(failed)?,
            vault.get(person, &reader, call.now).await.map_err(failed)?,
            vault.get(person, &reader, call.now).await.map_err(failed)?,
        ))
    }

    async fn candidates(
        &self,
        described: &Described,
        except: Option<PersonId>,
        call: &Call,
        purpose: &str,
    ) -> Result<Vec<wire::Candidate>, Status> {
        let reader = reader(call, purpose.to_owned())?;
        let known = self.node.vault.identities(&reader, call.now).await.map_err(|error| status::vault(&error))?;
        let mut likely: Vec<_> = known
            .iter()
            .filter(|(person, _)| Some(*person) != except)
            .map(|(person, identity)| (person, compare(&described.identity, identity)))
            .filter(|(_, likeness)| likeness.score >= CANDIDATE)
            .collect();
        likely.sort_by_key(|(_, likeness)| std::cmp::Reverse(likeness.score));
        let mut candidates = Vec::new();
        for (person, likeness) in likely.into_iter().take(MOST_CANDIDATES) {
            let case_id = person.to_string();
            candidates.push(wire::Candidate {
                case_number: register::number_of(&case_id, self.store.reader()).await.map_err(status::query)?,
                case_id,
                score: likeness.score.into(),
                reasons: likeness.reasons.into_iter().map(str::to_owned).collect(),
            });
        }
        Ok(candidates)
    }
}

async fn keep(vault: &Vault, person: PersonId, described: &Described, call: &Call) -> Result<(), Status> {
    let failed = |error| status::vault(&error);
    vault.put(person, &described.identity, call.now).await.map_err(failed)?;
    vault.put(person, &described.contact, call.now).await.map_err(failed)?;
    if let Some(narrative) = &described.narrative {
        vault.put(person, narrative, call.now).await.map_err(failed)?;
    }
    Ok(())
}

fn reader(call: &Call, purpose: String) -> Result<Reader, Status> {
    Ok(Reader { staff: call.caller.staff.clone(), office: call.office()?.clone(), purpose })
}

fn read_consent(consent: Option<wire::Consent>, call: &Call) -> Result<(ConsentId, Consent), Status> {
    let consent = field::required("consent", consent)?;
    if !consent.withdrawn_on.is_empty() {
        return Err(status::invalid("consent.withdrawn_on", "nothing: a consent is withdrawn by WithdrawConsent"));
    }
    field::at_most("consent.parts", &consent.parts, MOST_IN_CONSENT)?;
    field::at_most("consent.office_ids", &consent.office_ids, MOST_IN_CONSENT)?;
    field::at_most("consent.purposes", &consent.purposes, MOST_IN_CONSENT)?;
    let read = Consent {
        basis: read_consent_basis("consent.basis", consent.basis)?,
        parts: (consent.parts.iter().enumerate())
            .map(|(index, part)| person::read_part(&format!("consent.parts[{index}]"), *part))
            .collect::<Result<BTreeSet<_>, _>>()?,
        offices: read_offices(&consent.office_ids)?,
        purposes: (consent.purposes.iter().enumerate())
            .map(|(index, need)| read_need(&format!("consent.purposes[{index}]"), *need))
            .collect::<Result<_, _>>()?,
        given_on: field::day_so_far("consent.given_on", &consent.given_on, call.today())?,
        withdrawn_on: None,
    };
    Ok((field::parse("consent.consent_id", &consent.consent_id)?, read))
}

fn read_offices(offices: &[String]) -> Result<BTreeSet<spean_vocabulary::OfficeId>, Status> {
    let read = |(index, office): (usize, &String)| field::parse(&format!("consent.office_ids[{index}]"), office);
    offices.iter().enumerate().map(read).collect()
}

fn write_consent(id: ConsentId, consent: &Consent) -> wire::Consent {
    wire::Consent {
        consent_id: id.to_string(),
        basis: write_consent_basis(consent.basis).into(),
        parts: consent.parts.iter().map(|part| person::write_part(*part).into()).collect(),
        office_ids: consent.offices.iter().map(ToString::to_string).collect(),
        purposes: consent.purposes.iter().map(|need| write_need(*need).into()).collect(),
        given_on: consent.given_on.to_string(),
        withdrawn_on: consent.withdrawn_on.map(|day| day.to_string()).unwrap_or_default(),
    }
}

fn summary(entry: Entry) -> wire::CaseSummary {
    let (confirmed, possible): (Vec<_>, Vec<_>) = entry.links.into_iter().partition(|(_, confirmed)| *confirmed);
    wire::CaseSummary {
        case_id: entry.case_id,
        case_number: entry.case_number,
        person_id: entry.person_id,
        office_id: entry.office,
        standing: entry.standing,
        sex: stored(&entry.sex, write_sex),
        age_band: stored(&entry.age_band, write_age_band),
        home_place: entry.home_place,
        registered_on: entry.registered_on,
        missing: entry.missing.split(',').filter(|missing| !missing.is_empty()).map(str::to_owned).collect(),
        linked_case_ids: confirmed.into_iter().map(|(case, _)| case).collect(),
        possible_duplicate_case_ids: possible.into_iter().map(|(case, _)| case).collect(),
        returned_on: entry.returned_on,
    }
}
