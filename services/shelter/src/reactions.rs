//! What the desk and the register say, and what the shelter remembers of it.

use prost::Message as _;
use spean_chassis::standing;
use spean_contracts::cases::v1::{CaseRegistered, PersonErased};
use spean_contracts::referral::v1::{OfferAnswered, PersonSeenAgain, StandingChanged};
use spean_eventstore::{BoxFuture, Transaction};
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{NodeId, Service};

use crate::{agreements, notes, search};

/// Applies the letters of the shelter.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
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
                    standing::record(&told, transaction.connection()).await?;
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
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

fn malformed(_: prost::DecodeError) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}

#[cfg(test)]
mod tests;
