//! What other desks and our own register say, and what this desk does about it.

use std::sync::{Arc, OnceLock};

use prost::Message as _;
use spean_chassis::mint;
use spean_contracts::cases::v1::{CaseMerged, CaseRegistered, ConsentsChanged, PersonErased};
use spean_contracts::directory::v1::OfficeStatusChanged;
use spean_contracts::referral::v1::{Stage, StageReached};
use spean_custody::Digest;
use spean_custody::case::{CaseCustody, Command, Error, Message, Preview};
use spean_custody::recovery::{known_to_neighbour, offers_to_renew};
use spean_eventsourcing::Context;
use spean_eventstore::points::lacks;
use spean_eventstore::{BoxFuture, EventStore, HandleError, Metadata, StoreError, Transaction};
use spean_identity::OfficeLevel;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vault::{Direction, VaultError};
use spean_vocabulary::{AgeBand, CaseId, OfficeId, Service, Sex, WithdrawReason};
use sqlx::Row as _;

use crate::desk::{CustodyLetter, Desk, stream};
use crate::news::letters::{PERSON_SEEN_AGAIN, PROGRESS};
use crate::open_matters::letters::NEED_TURNED;
use crate::published::travels_with;
use crate::reports::letters::{REPORT_PASSED_ON, REPORT_TOLD};
use crate::{dossiers, handoffs, needs, news, open_matters, reports, routing, subject};

/// Applies the letters of the desk.
pub(crate) struct Reactions {
    pub(crate) desk: Desk,
    /// The desk's log, once it is open.
    pub(crate) store: Arc<OnceLock<EventStore>>,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        use Service::{Cases, Directory, Followup, Insight, Repatriation, Shelter};
        let own = [Cases, Directory, Followup, Insight, Repatriation, Shelter]
            .into_iter()
            .map(|service| self.desk.node.address(service));
        let directory = self.desk.directory();
        let others = directory.nodes.iter().filter(|node| node.id != self.desk.node.id);
        own.chain(others.map(|node| Address { node: node.id.clone(), service: Service::Referral })).collect()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            if let Some(service) = said_by_our_own(&letter.kind)
                && letter.from != self.desk.node.address(service)
            {
                return Err(Unusable::Refused("NOT_OUR_SERVICE".to_owned()));
            }
            let connection = transaction.connection();
            match letter.kind.as_str() {
                "spean.cases.v1.CaseRegistered" => {
                    let told = CaseRegistered::decode(letter.body.as_slice()).map_err(malformed)?;
                    subject::record(&told, connection).await?;
                    self.open(&told, letter, transaction).await
                }
                "spean.cases.v1.ConsentsChanged" => {
                    let told = ConsentsChanged::decode(letter.body.as_slice()).map_err(malformed)?;
                    subject::record_consents(&told, connection).await?;
                    self.withdraw_without_consent(&told, letter, transaction).await
                }
                // The dossiers went with the person's key; nothing that is kept here names anybody. Whoever was asked is
                // told that there is nobody left to take over.
                "spean.cases.v1.PersonErased" => {
                    let told = PersonErased::decode(letter.body.as_slice()).map_err(malformed)?;
                    let case = told.case_id.parse().map_err(malformed)?;
                    subject::end_consents(case, connection).await?;
                    self.withdraw_open(case, WithdrawReason::PersonErased, letter, transaction).await
                }
                "spean.directory.v1.OfficeStatusChanged" => {
                    let told = OfficeStatusChanged::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(routing::record(&told, connection).await?)
                }
                // Whoever was asked to take a case that rests now is asked for the one that goes on instead.
                "spean.cases.v1.CaseMerged" => {
                    let told = CaseMerged::decode(letter.body.as_slice()).map_err(malformed)?;
                    let case = told.case_id.parse().map_err(malformed)?;
                    subject::record_merge(&told, connection).await?;
                    if told.merged {
                        self.withdraw_open(case, WithdrawReason::AnotherWayFound, letter, transaction).await?;
                    }
                    Ok(())
                }
                "spean.cases.v1.CasesLinked" => news::reactions::cases_linked(&self.desk, letter, transaction).await,
                "spean.referral.v1.StageReached" => {
                    news::reactions::stage_reached(&self.desk, letter, transaction).await?;
                    needs::known::stage_reached(&self.desk, letter, transaction).await?;
                    self.withdraw_when_closed(letter, transaction).await
                }
                PROGRESS => news::reactions::progress(&self.desk, letter, transaction).await,
                PERSON_SEEN_AGAIN => news::reactions::seen_again(&self.desk, letter, transaction).await,
                REPORT_PASSED_ON => reports::reactions::passed_on(&self.desk, letter, transaction).await,
                REPORT_TOLD => reports::reactions::told(&self.desk, letter, transaction).await,
                NEED_TURNED => open_matters::count::need_turned(&self.desk, letter, transaction).await,
                kind if needs::is_about_needs(kind) => needs::receive(&self.desk, letter, transaction).await,
                _ => self.receive(letter, transaction).await,
            }
        })
    }

    fn keep_attachment<'a>(&'a self, letter: &'a Letter, recovering: bool) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            let store = self.store.get().ok_or(Unusable::Store(StoreError::Unavailable))?;
            if letter.kind == REPORT_PASSED_ON {
                return reports::reactions::keep_words(&self.desk, store, letter).await;
            }
            let (Some(sealed), Ok(said)) = (&letter.attachment, read(letter)) else { return Ok(()) };
            let Some(offer) = travels_with(&said.message) else { return Ok(()) };
            let custody = store.load::<CaseCustody>(&stream(&said.to.office, said.message.case())).await?.state;
            let known = custody.offers_in().find(|(id, _)| *id == offer).map(|(_, known)| known);
            let promised = known
                .filter(|known| known.from.office == said.from.office && letter.from.node == said.from.node)
                .and_then(|known| known.terms.as_ref()?.dossier_digest);
            let kept = self.desk.node.vault.dossier_digest(offer, Direction::In).await.map_err(vault_away)?;
            let welcome = match (known, promised, kept) {
                // What was promised, and nothing else.
                (Some(_), Some(promised), _) => *promised.as_bytes() == spean_identity::digest(sealed),
                (Some(_), None, _) => false,
                // After a restore the offer itself may still be on its way; what is kept is not replaced for that.
                (None, _, kept) => recovering && kept.is_none(),
            };
            if !welcome && !lacks("sabotage::dossier_digest") {
                return Err(Unusable::Refused("NOT_THE_DOSSIER_THAT_WAS_PROMISED".to_owned()));
            }
            let person = said.message.case().reinterpret();
            let now = self.desk.node.clock.now();
            let kept = self.desk.node.vault.keep_dossier(offer, Direction::In, person, sealed, now).await;
            kept.map(|_| ()).map_err(vault_away)
        })
    }

    fn attachment<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, Unusable>> {
        Box::pin(async move {
            if let Some(words) = reports::sealed::referred_to(&self.desk, reference).await {
                return words.map_err(vault_away);
            }
            let offer = reference.parse().map_err(malformed)?;
            let store = self.store.get().ok_or(Unusable::Store(StoreError::Unavailable))?;
            let mut sealed = dossiers::sealed(&self.desk.node.vault, store, offer).await?;
            if let Some(last) = sealed.as_mut().and_then(|sealed| sealed.last_mut()).filter(|_| lacks("fault::dossier"))
            {
                *last ^= 1;
            }
            Ok(sealed)
        })
    }

    fn local_attachment(&self, letter: &Letter) -> Option<String> {
        if letter.kind == REPORT_PASSED_ON {
            return reports::letters::travels_with(letter);
        }
        let said = read(letter).ok()?;
        travels_with(&said.message).map(|offer| offer.to_string())
    }

    fn recall<'a>(
        &'a self,
        to: &'a Address,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            if to.service != Service::Referral {
                return Ok(());
            }
            match letter.kind.as_str() {
                REPORT_PASSED_ON => return reports::reactions::recall(&self.desk, letter, transaction).await,
                // What was told once need not be known to have been told.
                REPORT_TOLD | PROGRESS | PERSON_SEEN_AGAIN | NEED_TURNED => return Ok(()),
                // It follows again from what is recalled of the cases.
                kind if needs::is_about_needs(kind) => return Ok(()),
                _ => {}
            }
            let said = read(letter)?;
            // It is the peer who says that this was said, and to it alone.
            let served_by = |office: &OfficeId| self.desk.party(office).map(|party| party.node);
            if said.to.node != to.node || served_by(&said.to.office).as_ref() != Some(&to.node) {
                return Err(Unusable::Refused("NOT_THEIR_OFFICE".to_owned()));
            }
            if served_by(&said.from.office).as_ref() != Some(&self.desk.node.id) {
                return Err(Unusable::Refused("NOT_OUR_OFFICE".to_owned()));
            }
            if !said.message.chain().is_empty() && !self.desk.vouches(said.message.chain()) {
                return Err(Unusable::Refused("CERTIFICATE_NOT_GENUINE".to_owned()));
            }
            let command = Command::Recall { to: said.to, message: said.message.clone() };
            self.decide(&said.from.office, said.message.case(), command, letter, transaction).await
        })
    }

    fn recovered<'a>(&'a self, transaction: &'a mut Transaction) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            self.tell_neighbours(transaction).await?;
            if lacks("sabotage::renewal") {
                return Ok(());
            }
            let rows = sqlx::query(
                "select distinct office, case_id from offer where direction = 'out' and state = 'OFFERED'
                 order by office, case_id",
            )
            .fetch_all(transaction.connection())
            .await?;
            for row in rows {
                let (office, case): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                let (office, case): (OfficeId, CaseId) =
                    (office.parse().map_err(malformed)?, case.parse().map_err(malformed)?);
                let custody = transaction.load::<CaseCustody>(&stream(&office, case)).await?;
                for offer in offers_to_renew(&custody.state) {
                    let command = Command::ReOffer { offer, afresh: mint() };
                    self.decide_for(&office, case, command, None, transaction).await?;
                }
            }
            Ok(())
        })
    }
}

impl Reactions {
    /// After a restore: what one office of this node learned again of another, that one is told.
    async fn tell_neighbours(&self, transaction: &mut Transaction) -> Result<(), Unusable> {
        let rows = sqlx::query(
            "select me.office, me.case_id, neighbour.office
             from (select office, case_id from custody_view union select office, case_id from offer) me
             join custody_view neighbour on neighbour.case_id = me.case_id and neighbour.office <> me.office
             order by me.case_id, me.office, neighbour.office",
        )
        .fetch_all(transaction.connection())
        .await?;
        for row in rows {
            let (office, case, neighbour): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (office, neighbour): (OfficeId, OfficeId) =
                (office.parse().map_err(malformed)?, neighbour.parse().map_err(malformed)?);
            let case: CaseId = case.parse().map_err(malformed)?;
            let (Some(me), Some(to)) = (self.desk.party(&office), self.desk.party(&neighbour)) else { continue };
            let custody = transaction.load::<CaseCustody>(&stream(&office, case)).await?.state;
            let known = transaction.load::<CaseCustody>(&stream(&neighbour, case)).await?.state;
            let Some(chain) = known_to_neighbour(&me, &custody, &known) else { continue };
            let command = Command::Recall { to, message: Message::Witness { case, chain } };
            match self.decide_for(&office, case, command, None, transaction).await {
                Err(Unusable::Refused(reason)) => {
                    tracing::warn!(%office, %case, reason, "what a neighbour knows could not be merged");
                }
                merged => merged?,
            }
        }
        Ok(())
    }

    /// The register opened a case: its office holds it, by the first certificate.
    async fn open(
        &self,
        told: &CaseRegistered,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let case: CaseId = told.case_id.parse().map_err(malformed)?;
        let office: OfficeId = told.office_id.parse().map_err(malformed)?;
        self.is_nobody_elses(&office, case, transaction).await?;
        self.decide(&office, case, Command::Open { case }, letter, transaction).await
    }

    /// Refuses to open a case for one office that was opened for another, as a certificate says that is known to any office
    /// of this node. The register lets nobody do that, but it may have forgotten the case with a disk.
    async fn is_nobody_elses(
        &self,
        office: &OfficeId,
        case: CaseId,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let known = sqlx::query(
            "select count(*), coalesce(sum(case when office = $1 then 1 else 0 end), 0)
             from custody_view where case_id = $2",
        )
        .bind(office.to_string())
        .bind(case.to_string())
        .fetch_one(transaction.connection())
        .await?;
        let (everywhere, here): (i64, i64) = (known.try_get(0)?, known.try_get(1)?);
        if everywhere > 0 && here == 0 {
            return Err(Unusable::Refused("OPENED_ELSEWHERE".to_owned()));
        }
        Ok(())
    }

    /// A consent was taken back: so are the offers that rest on it and are still open. Their dossiers never travel.
    async fn withdraw_without_consent(
        &self,
        told: &ConsentsChanged,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let case: CaseId = told.case_id.parse().map_err(malformed)?;
        let taken_back = |consent: &str| told.consents.iter().any(|it| it.parts.is_empty() && it.consent_id == consent);
        let rows = sqlx::query(
            "select distinct office from offer where direction = 'out' and state = 'OFFERED' and case_id = $1",
        )
        .bind(case.to_string())
        .fetch_all(transaction.connection())
        .await?;
        for row in rows {
            let office: OfficeId = row.try_get::<&str, _>(0)?.parse().map_err(malformed)?;
            let custody = transaction.load::<CaseCustody>(&stream(&office, case)).await?.state;
            let rests_on_it: Vec<_> = custody
                .open_offers()
                .filter(|(_, offer)| offer.terms.consent.is_some_and(|consent| taken_back(&consent.to_string())))
                .map(|(offer, _)| offer)
                .collect();
            for offer in rests_on_it {
                let command = Command::Withdraw { offer, reason: WithdrawReason::ConsentWithdrawn };
                self.decide(&office, case, command, letter, transaction).await?;
            }
        }
        Ok(())
    }

    /// A case was closed here: whoever was asked to help with it or to take it need not answer any more.
    async fn withdraw_when_closed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = StageReached::decode(letter.body.as_slice()).map_err(malformed)?;
        if letter.from.node != self.desk.node.id || told.stage() != Stage::Closed {
            return Ok(());
        }
        let case = told.case_id.parse().map_err(malformed)?;
        self.withdraw_open(case, WithdrawReason::CaseClosed, letter, transaction).await
    }

    /// Takes back every open offer of a case, whichever office of this node made it.
    async fn withdraw_open(
        &self,
        case: CaseId,
        reason: WithdrawReason,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let rows = sqlx::query(
            "select office, offer_id from offer where direction = 'out' and state = 'OFFERED' and case_id = $1
             order by office, offer_id",
        )
        .bind(case.to_string())
        .fetch_all(transaction.connection())
        .await?;
        for row in rows {
            let office: OfficeId = row.try_get::<&str, _>(0)?.parse().map_err(malformed)?;
            let offer = row.try_get::<&str, _>(1)?.parse().map_err(malformed)?;
            self.decide(&office, case, Command::Withdraw { offer, reason }, letter, transaction).await?;
        }
        Ok(())
    }

    /// Another desk says something of a case.
    async fn receive(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let said = read(letter)?;
        let directory = self.desk.directory();
        let served_by = |office: &OfficeId| directory.office(office).map(|office| office.node.clone());
        let theirs =
            letter.from.node == said.from.node && served_by(&said.from.office) == Some(letter.from.node.clone());
        if !theirs && !lacks("sabotage::their_office") {
            return Err(Unusable::Refused("NOT_THEIR_OFFICE".to_owned()));
        }
        if said.to.node != self.desk.node.id || served_by(&said.to.office) != Some(self.desk.node.id.clone()) {
            return Err(Unusable::Refused("NOT_OUR_OFFICE".to_owned()));
        }
        if directory.office(&said.to.office).is_some_and(|office| office.level == OfficeLevel::Commune) {
            return Err(Unusable::Refused("A_COMMUNE_HOLDS_NO_CASES".to_owned()));
        }
        let vouched = said.message.chain().is_empty() || self.desk.vouches(said.message.chain());
        if !vouched && !lacks("sabotage::signatures") {
            return Err(Unusable::Refused("CERTIFICATE_NOT_GENUINE".to_owned()));
        }
        if let Message::OverrideCosigned { signature, proposal, .. } = &said.message {
            self.check_cosignature(&said, signature, *proposal, transaction).await?;
        }
        if let Message::Offer { terms, case, .. } = &said.message {
            let number = terms.case_number.map(|number| number.to_string()).unwrap_or_default();
            subject::keep(&case.to_string(), &number, &terms.preview, transaction.connection()).await?;
        }
        if let Message::OverrideProposed { case, .. } = &said.message {
            // Who takes over from an office that is gone knows nothing of the person yet, and must be able to go on.
            let unknown = Preview { sex: Sex::Unknown, age_band: AgeBand::Unknown, language: None };
            subject::keep(&case.to_string(), "", &unknown, transaction.connection()).await?;
        }
        if letter.case != Some(said.message.case()) {
            return Err(Unusable::Refused("CASE_ON_THE_ENVELOPE_IS_ANOTHER".to_owned()));
        }
        let (office, case) = (said.to.office.clone(), said.message.case());
        let concluded = match &said.message {
            Message::Conclusion { offer, outcome, .. } => Some((said.from.office.clone(), *offer, *outcome)),
            _ => None,
        };
        let command = Command::Receive { from: said.from, message: said.message };
        self.decide(&office, case, command, letter, transaction).await?;
        let Some((by, offer, outcome)) = concluded else { return Ok(()) };
        let service = (&by, offer, outcome);
        news::reactions::service_concluded(&self.desk, &office, case, service, letter, transaction).await
    }

    async fn check_cosignature(
        &self,
        said: &CustodyLetter,
        signature: &spean_custody::case::CertificateSignature,
        proposal: Digest,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let custody = transaction.load::<CaseCustody>(&stream(&said.to.office, said.message.case())).await?;
        let Some(pending) = custody.state.proposal().filter(|pending| pending.digest() == proposal) else {
            // Whether it is out of date is for the rules to say.
            return Ok(());
        };
        let bytes = pending.certificate.canonical_bytes();
        let genuine = signature.bytes().is_some_and(|signed| self.desk.is_signed(&signature.by, &bytes, &signed));
        if genuine { Ok(()) } else { Err(Unusable::Refused("CERTIFICATE_NOT_GENUINE".to_owned())) }
    }

    async fn decide(
        &self,
        office: &OfficeId,
        case: CaseId,
        command: Command,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        self.decide_for(office, case, command, letter.trace.clone(), transaction).await
    }

    async fn decide_for(
        &self,
        office: &OfficeId,
        case: CaseId,
        command: Command,
        trace: Option<String>,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let context = Context { office: office.clone(), staff: None, now: self.desk.node.clock.now() };
        let metadata = Metadata { trace, ..Metadata::of(&context) };
        let situation = self.desk.situation(context);
        let situation = situation.ok_or_else(|| Unusable::Refused("OFFICE_NOT_IN_DIRECTORY".to_owned()))?;
        let id = stream(office, case);
        let decided = transaction.decide::<CaseCustody>(&id, command, &situation, &metadata).await.map_err(unusable)?;
        Ok(handoffs::measure(&decided, metadata.recorded_at, transaction.connection()).await?)
    }
}

/// The service of this node that alone may say a thing: what the register and the directory say of cases and offices is
/// believed as it stands, so nobody else may say it.
fn said_by_our_own(kind: &str) -> Option<Service> {
    if kind.starts_with("spean.cases.") {
        return Some(Service::Cases);
    }
    (kind == "spean.directory.v1.OfficeStatusChanged").then_some(Service::Directory)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
pub(crate) fn vault_away(error: VaultError) -> Unusable {
    tracing::warn!(error = %error, "the vault is away; the letter waits");
    Unusable::Store(StoreError::Unavailable)
}

fn read(letter: &Letter) -> Result<CustodyLetter, Unusable> {
    serde_json::from_slice(&letter.body).map_err(malformed)
}

fn unusable(error: HandleError<Error>) -> Unusable {
    match error {
        HandleError::Refused(error) => Unusable::Refused(<&str>::from(error).to_owned()),
        HandleError::CommandIdReused => Unusable::Refused("COMMAND_ID_REUSED".to_owned()),
        HandleError::Store(error) => Unusable::Store(error),
    }
}

fn malformed<E>(_: E) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}
