//! What other services say, and what the centre does about it.

use prost::Message as _;
use spean_chassis::words::read_need;
use spean_chassis::{Clock, standing};
use spean_contracts::cases::v1::CaseRegistered;
use spean_contracts::referral::v1::{OfferAnswered, OfferKind, OfferState, Standing, StandingChanged};
use spean_eventsourcing::Context;
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{NodeId, OfferKind as Kind, OfficeId, Service};

use crate::arrival::{Arrival, Command, Error, OfferEnd};

/// Applies the letters to the centre.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        [Service::Cases, Service::Referral, Service::Insight]
            .map(|service| Address { node: self.node.clone(), service })
            .to_vec()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            match letter.kind.as_str() {
                "spean.cases.v1.CaseRegistered" => self.case_registered(letter, transaction).await,
                "spean.referral.v1.StandingChanged" => self.standing_changed(letter, transaction).await,
                "spean.referral.v1.OfferAnswered" => self.offer_answered(letter, transaction).await,
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

impl Reactions {
    async fn case_registered(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = CaseRegistered::decode(letter.body.as_slice()).map_err(malformed)?;
        let command = Command::NoteCase { case_number: told.case_number.parse().map_err(malformed)? };
        self.note(&told.case_id, &told.office_id, command, letter, transaction).await
    }

    async fn standing_changed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = StandingChanged::decode(letter.body.as_slice()).map_err(malformed)?;
        let told = standing::record(&told, transaction.connection()).await?;
        let command = match told.standing() {
            Standing::Held => Command::NoteAcceptance {
                offer: told.offer_id.parse().ok(),
                office: told.other_office_id.parse().map_err(malformed)?,
            },
            // The first certificate has no offer: then nobody gave the case back.
            Standing::Holds if !told.offer_id.is_empty() => {
                Command::NoteReturn { offer: told.offer_id.parse().map_err(malformed)? }
            }
            _ => return Ok(()),
        };
        self.note(&told.case_id, &told.office_id, command, letter, transaction).await
    }

    async fn offer_answered(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = OfferAnswered::decode(letter.body.as_slice()).map_err(malformed)?;
        let (kind, end) = match (told.kind(), told.state()) {
            (_, OfferState::Unspecified | OfferState::Offered | OfferState::Bound) | (OfferKind::Unspecified, _) => {
                return Ok(());
            }
            (kind, OfferState::Accepted) => (kind, OfferEnd::Accepted),
            (kind, OfferState::Declined) => (kind, OfferEnd::Declined),
            (kind, OfferState::Withdrawn) => (kind, OfferEnd::Withdrawn),
            (kind, OfferState::Escalated) => (kind, OfferEnd::Escalated),
            (kind, OfferState::Voided) => (kind, OfferEnd::Voided),
            (kind, OfferState::Concluded) => (kind, OfferEnd::Concluded),
        };
        // Told by a version that did not say who had been asked: when it was accepted, that was noted.
        if told.to_office_id.is_empty() {
            return Ok(());
        }
        let offer = told.offer_id.parse().map_err(malformed)?;
        let office: OfficeId = told.to_office_id.parse().map_err(malformed)?;
        let is_transfer = kind == OfferKind::Transfer;
        let kind = if is_transfer { Kind::Transfer } else { Kind::Service };
        let need = read_need("need", told.need).ok();
        let answer = Command::NoteAnswer { offer, office: office.clone(), kind, need, end };
        self.note(&told.case_id, &told.from_office_id, answer, letter, transaction).await?;
        if !is_transfer || end != OfferEnd::Accepted {
            return Ok(());
        }
        let command = Command::NoteAcceptance { offer: Some(offer), office };
        self.note(&told.case_id, &told.from_office_id, command, letter, transaction).await
    }

    /// Notes news of a case, if it began with an arrival here. Most cases of a node did not.
    async fn note(
        &self,
        case: &str,
        office: &str,
        command: Command,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let context = Context { office: office.parse().map_err(malformed)?, staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        match transaction.decide::<Arrival>(case, command, &context, &metadata).await {
            Ok(_) | Err(HandleError::Refused(Error::NoSuchArrival)) => Ok(()),
            Err(HandleError::Refused(error)) => Err(Unusable::Refused(<&str>::from(error).to_owned())),
            Err(HandleError::CommandIdReused) => Err(Unusable::Refused("COMMAND_ID_REUSED".to_owned())),
            Err(HandleError::Store(error)) => Err(Unusable::Store(error)),
        }
    }
}

fn malformed<E>(_: E) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}

#[cfg(test)]
mod tests;
