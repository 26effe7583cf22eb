//! What the desk, the register and follow-up say, and what the shelter remembers of it.

use prost::Message as _;
use spean_chassis::{Clock, standing};
use spean_contracts::cases::v1::{CaseRegistered, PersonErased};
use spean_contracts::followup::v1::{FamilySearchOutcome, FamilySearched};
use spean_contracts::referral::v1::{OfferAnswered, PersonSeenAgain, StandingChanged};
use spean_eventsourcing::{Context, Refusal as _};
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{CaseId, NodeId, OfficeId, Service};

use crate::homecoming::{Command, Homecoming, TracingOutcome};
use crate::{agreements, notes, search};

/// Applies the letters of the shelter.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
    /// Days until a family that was found must have been assessed.
    pub(crate) assessment_days: i32,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        let here = |service| Address { node: self.node.clone(), service };
        [Service::Referral, Service::Cases, Service::Followup, Service::Insight].map(here).to_vec()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            match letter.kind.as_str() {
                "spean.referral.v1.StandingChanged" => {
                    let told = StandingChanged::decode(letter.body.as_slice()).map_err(malformed)?;
                    let told = standing::record(&told, transaction.connection()).await?;
                    Ok(agreements::forget_transfers(&told, transaction.connection()).await?)
                }
                "spean.referral.v1.OfferAnswered" => {
                    let told = OfferAnswered::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(agreements::record(&told, transaction.connection()).await?)
                }
                "spean.cases.v1.CaseRegistered" => {
                    let told = CaseRegistered::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(standing::record_registered(&told, transaction.connection()).await?)
                }
                "spean.cases.v1.PersonErased" => {
                    let told = PersonErased::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(notes::record_erased(&told, transaction.connection()).await?)
                }
                "spean.referral.v1.PersonSeenAgain" => {
                    let told = PersonSeenAgain::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(search::record_seen(&told, transaction.connection()).await?)
                }
                "spean.followup.v1.FamilySearched" => self.family_searched(letter, transaction).await,
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

impl Reactions {
    /// The home district has answered a request of ours to look for a family.
    async fn family_searched(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = FamilySearched::decode(letter.body.as_slice()).map_err(malformed)?;
        let (case, office): (CaseId, OfficeId) =
            (told.case_id.parse().map_err(malformed)?, told.to_office_id.parse().map_err(malformed)?);
        let outcome = match told.outcome() {
            FamilySearchOutcome::Found => TracingOutcome::Found,
            FamilySearchOutcome::NotFound => TracingOutcome::NotFound,
            FamilySearchOutcome::FamilyRefuses => TracingOutcome::FamilyRefuses,
            FamilySearchOutcome::Unsafe => TracingOutcome::Unsafe,
            FamilySearchOutcome::Unspecified => return Err(malformed(())),
        };
        let command = Command::HearAnswer {
            offer: told.offer_id.parse().map_err(malformed)?,
            outcome,
            answered_on: told.answered_on.parse().map_err(malformed)?,
            assessment_days: self.assessment_days,
        };
        let stream = format!("{office}/{case}");
        let context = Context { office, staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        match transaction.decide::<Homecoming>(&stream, command, &context, &metadata).await {
            Ok(_) => Ok(()),
            Err(HandleError::Refused(error)) => Err(Unusable::Refused(error.reason().to_owned())),
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
