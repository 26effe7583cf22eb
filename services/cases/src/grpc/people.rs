//! People: registered, amended, looked up, searched, erased.

use spean_chassis::person::{self, Described};
use spean_chassis::{Call, Page, field, standing, status};
use spean_contracts::cases::v1 as wire;
use spean_contracts::vocabulary::v1::Person;
use spean_vault::{Narrative, Parts, Vault};
use spean_vocabulary::{CaseId, PersonId};
use tonic::Status;

use super::{Grpc, read, reader, write};
use crate::case::{Case, Command};
use crate::reactions::free_number;
use crate::register::{self, Entry};
use crate::similarity::{Traits, likeliest};
use crate::{dangers, duplicates, holders, narrative, pairs, sightings};

/// Most candidates in an answer.
const MOST_CANDIDATES: usize = 20;

/// What must never be written. It is there only where a test breaks the program to see that somebody notices.
fn chatter(described: &Described) {
    let _ = described;
    fail::fail_point!("sabotage::silence_of_the_log", |_| tracing::warn!(
        contact = described.contact.address.as_deref(),
        "registered"
    ));
}

impl Grpc {
    pub(super) async fn register_person(
        &self,
        call: &Call,
        request: wire::RegisterPersonRequest,
    ) -> Result<wire::RegisterPersonResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let described = person::read("person", request.person, call.today())?;
        let registered_on = field::day_so_far("registered_on", &request.registered_on, call.today())?;
        let codes = described.codes(registered_on);
        let person: PersonId = case.reinterpret();
        chatter(&described);
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
                let opened = holders::open(&id, &context.office, context.now, transaction.connection());
                opened.await.map_err(status::query)?;
                transaction.load::<Case>(&id).await.map_err(|error| status::store(&error))
            })
        });
        let stored = stored.await.map_err(status::transacted)?;
        self.put_down(case).await;
        let candidates = self.candidates(&described, Some(person), call, "registration").await?;
        Ok(wire::RegisterPersonResponse {
            case_number: stored.state.case_number().map(|number| number.to_string()).unwrap_or_default(),
            person_id: person.to_string(),
            candidates,
        })
    }

    pub(super) async fn amend_person(
        &self,
        call: &Call,
        request: wire::AmendPersonRequest,
    ) -> Result<wire::AmendPersonResponse, Status> {
        let case = field::parse("case_id", &request.case_id)?;
        let described = person::read("person", request.person, call.today())?;
        self.permit(call, case).await?;
        let codes = described.codes(call.today());
        let handled = self.handle(case, Command::Amend { codes }, call).await?;
        self.correct(case.reinterpret(), described, call).await?;
        if handled.events.is_empty()
            && let Err(error) = duplicates::look_again(&self.node, &self.store, case, call.office()?).await
        {
            tracing::warn!(error = %error, "nobody looked for duplicates of a person who was amended");
        }
        Ok(wire::AmendPersonResponse {})
    }

    pub(super) async fn get_case(
        &self,
        call: &Call,
        request: wire::GetCaseRequest,
    ) -> Result<wire::GetCaseResponse, Status> {
        let case = self.find(&request.case_id).await?;
        let purpose = field::text("purpose", &request.purpose, read::LONGEST_PURPOSE)?;
        self.permit(call, case).await?;
        let entry = register::find(case, call.office()?, self.store.reader()).await.map_err(status::query)?;
        let entry = entry.ok_or_else(|| status::not_found("case"))?;
        let state = self.load(case).await?;
        let (person, history_sections) = match purpose {
            None => (None, vec![]),
            Some(purpose) => {
                let reader = reader(call, purpose)?;
                let history = self.node.vault.history_sections(case.reinterpret(), &reader, call.now).await;
                let history = history.map_err(|error| status::vault(&error))?;
                let person = self.reveal(case.reinterpret(), &reader, call).await?;
                (Some(person), history.into_iter().map(write::history_section).collect())
            }
        };
        Ok(wire::GetCaseResponse {
            summary: Some(self.summary(entry).await?),
            person,
            consents: write::consents(&state),
            facts: state.facts().map(|(id, fact)| write::fact(id, fact)).collect(),
            conclusions: write::conclusions(&state),
            needs: state.needs().iter().map(|need| spean_chassis::words::write_need(*need).into()).collect(),
            checklist: state.checklist().entries().map(write::checklist_entry).collect(),
            history_sections,
        })
    }

    pub(super) async fn list_cases(
        &self,
        call: &Call,
        request: wire::ListCasesRequest,
    ) -> Result<wire::ListCasesResponse, Status> {
        let page = Page::read(request.page.as_ref())?;
        let entries =
            register::of_office(call.office()?, request.held_only, page.limit(), page.offset, self.store.reader())
                .await
                .map_err(status::query)?;
        let (entries, page) = page.cut(entries);
        let mut cases = Vec::new();
        for entry in entries {
            cases.push(self.summary(entry).await?);
        }
        Ok(wire::ListCasesResponse { cases, page })
    }

    pub(super) async fn search_people(
        &self,
        call: &Call,
        request: wire::SearchPeopleRequest,
    ) -> Result<wire::SearchPeopleResponse, Status> {
        let described = person::read("person", request.person, call.today())?;
        let purpose = field::required_text("purpose", &request.purpose, read::LONGEST_PURPOSE)?;
        let candidates = self.candidates(&described, None, call, &purpose).await?;
        Ok(wire::SearchPeopleResponse { candidates })
    }

    pub(super) async fn record_consent(
        &self,
        call: &Call,
        request: wire::RecordConsentRequest,
    ) -> Result<wire::RecordConsentResponse, Status> {
        let case = field::parse("case_id", &request.case_id)?;
        let (consent_id, consent) = read::consent(request.consent, call)?;
        self.permit(call, case).await?;
        self.handle(case, Command::RecordConsent { consent_id, consent }, call).await?;
        Ok(wire::RecordConsentResponse {})
    }

    pub(super) async fn withdraw_consent(
        &self,
        call: &Call,
        request: wire::WithdrawConsentRequest,
    ) -> Result<wire::WithdrawConsentResponse, Status> {
        let case = field::parse("case_id", &request.case_id)?;
        let consent_id = field::parse("consent_id", &request.consent_id)?;
        let withdrawn_on = field::day_so_far("withdrawn_on", &request.withdrawn_on, call.today())?;
        self.permit(call, case).await?;
        self.handle(case, Command::WithdrawConsent { consent_id, withdrawn_on }, call).await?;
        Ok(wire::WithdrawConsentResponse {})
    }

    pub(super) async fn complete_return(
        &self,
        call: &Call,
        request: wire::CompleteReturnRequest,
    ) -> Result<wire::CompleteReturnResponse, Status> {
        let case = field::parse("case_id", &request.case_id)?;
        let returned_on = field::day_so_far("returned_on", &request.returned_on, call.today())?;
        let known = self.permit(call, case).await?;
        let handed_over = known.filter(|known| known.word == "HELD");
        let followed_up_by = handed_over.and_then(|known| known.other_office.parse().ok());
        self.handle(case, Command::CompleteReturn { returned_on, followed_up_by }, call).await?;
        Ok(wire::CompleteReturnResponse {})
    }

    pub(super) async fn erase_person(
        &self,
        call: &Call,
        request: wire::ErasePersonRequest,
    ) -> Result<wire::ErasePersonResponse, Status> {
        let case: CaseId = field::parse("case_id", &request.case_id)?;
        let ground = field::required_text("ground", &request.ground, 60)?;
        if !ground.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Err(status::invalid("ground", "a code of capital letters such as REQUEST_OF_PERSON"));
        }
        self.permit(call, case).await?;
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
        self.handle(case, Command::Erase { ground }, call).await?;
        // Asked again, the day of the first time is told.
        let erased_at = register::erased_at(case, self.store.reader()).await.map_err(status::query)?;
        Ok(wire::ErasePersonResponse { erased_at: erased_at.map(spean_chassis::words::instant) })
    }

    pub(super) async fn summary(&self, entry: Entry) -> Result<wire::CaseSummary, Status> {
        let (case, store) = (entry.case_id.as_str(), self.store.reader());
        let raised = dangers::of_case(case, store).await.map_err(status::query)?;
        let sightings = sightings::of_case(case, store).await.map_err(status::query)?;
        let pairs = pairs::of_case(case, store).await.map_err(status::query)?;
        let merged = register::merged_into(case, store).await.map_err(status::query)?;
        Ok(write::summary(entry, raised, sightings, pairs, merged))
    }

    async fn reveal(&self, person: PersonId, reader: &spean_vault::Reader, call: &Call) -> Result<Person, Status> {
        let vault = &self.node.vault;
        let failed = |error| status::vault(&error);
        Ok(person::write(
            vault.get(person, reader, call.now).await.map_err(failed)?,
            vault.get(person, reader, call.now).await.map_err(failed)?,
            vault.get(person, reader, call.now).await.map_err(failed)?,
        ))
    }

    /// Keeps a correction. What others have added to the narrative stays.
    async fn correct(&self, person: PersonId, described: Described, call: &Call) -> Result<(), Status> {
        let vault = &self.node.vault;
        let failed = |error| status::vault(&error);
        let parts = Parts { contact: Some(&described.contact), narrative: None, ..described.parts(person) };
        vault.put_people(&[parts], call.now).await.map_err(failed)?;
        let Some(told) = described.narrative else { return Ok(()) };
        let reader = reader(call, "to correct what is known".to_owned())?;
        let corrected = move |present: Option<Narrative>| Some(narrative::corrected(present.as_ref(), &told));
        vault.revise(person, &reader, call.now, corrected).await.map_err(failed)
    }

    async fn candidates(
        &self,
        described: &Described,
        except: Option<PersonId>,
        call: &Call,
        purpose: &str,
    ) -> Result<Vec<wire::Candidate>, Status> {
        let reader = reader(call, purpose.to_owned())?;
        let sought = Traits::of(&described.identity, Some(&described.contact));
        let likely = self.node.vault.search(&reader, call.now, move |people| {
            let others = people.iter().filter(|(person, ..)| Some(*person) != except);
            let traits = others.map(|(person, identity, contact)| (*person, Traits::of(identity, contact.as_ref())));
            likeliest(&sought, traits, MOST_CANDIDATES)
        });
        let likely = likely.await.map_err(|error| status::vault(&error))?;
        let mut candidates = Vec::new();
        for (person, likeness) in likely {
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
    let parts = Parts { contact: Some(&described.contact), ..described.parts(person) };
    vault.put_people(&[parts], call.now).await.map_err(|error| status::vault(&error))
}
