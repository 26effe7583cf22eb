//! What the desk and the register say, and what follow-up remembers of it.

use prost::Message as _;
use spean_chassis::{Clock, standing};
use spean_contracts::cases::v1::{CaseRegistered, PersonErased};
use spean_contracts::referral::v1::StandingChanged;
use spean_eventsourcing::Context;
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{CaseId, NodeId, Service};
use sqlx::Row as _;

use crate::plan::{Command, Error, Plan};

#[cfg(test)]
mod tests;

/// Applies the letters of follow-up.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        [Service::Referral, Service::Cases].map(|service| Address { node: self.node.clone(), service }).to_vec()
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
                    Ok(standing::record(&told, transaction.connection()).await?)
                }
                "spean.cases.v1.CaseRegistered" => {
                    let told = CaseRegistered::decode(letter.body.as_slice()).map_err(malformed)?;
                    Ok(standing::record_registered(&told, transaction.connection()).await?)
                }
                "spean.cases.v1.PersonErased" => self.person_erased(letter, transaction).await,
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

impl Reactions {
    async fn person_erased(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = PersonErased::decode(letter.body.as_slice()).map_err(malformed)?;
        let case: CaseId = told.case_id.parse().map_err(malformed)?;
        // Where no office has to do with the case, there is no plan of it.
        let Some(office) = office_of(case, transaction).await? else { return Ok(()) };
        let context = Context { office: office.parse().map_err(malformed)?, staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        let decided = transaction.decide::<Plan>(&case.to_string(), Command::Erase, &context, &metadata).await;
        decided.map_err(unusable)?;
        Ok(())
    }
}

/// An office of this node that has to do with a case, the holder before all others: the letter names none.
async fn office_of(case: CaseId, transaction: &mut Transaction) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query(
        "select office from case_standing where case_id = $1
         order by case when standing = 'HOLDS' then 0 else 1 end, office
         limit 1",
    )
    .bind(case.to_string())
    .fetch_optional(transaction.connection())
    .await?;
    row.map(|row| row.try_get(0)).transpose()
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
