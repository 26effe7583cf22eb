//! What other offices have agreed to do for a person of ours: as the desk told, until it tells that it is over.

use spean_chassis::standing::Known;
use spean_contracts::referral::v1::{OfferAnswered, OfferKind, OfferState, Standing, StandingChanged};
use spean_contracts::vocabulary::v1::Need;
use spean_eventstore::Tables;
use spean_vocabulary::{CaseId, OfficeId};
use sqlx::{AnyConnection, Row as _};

use crate::house::Accountable;

/// The table of agreements that stand.
pub const TABLES: Tables = Tables {
    name: "agreement",
    steps: &["create table agreement (
        offer_id text primary key,
        case_id text not null,
        office text not null,
        other_office text not null,
        promise text not null
    );
    create index agreement_case on agreement (case_id, office)"],
};

/// The case is to move to the other office.
const TRANSFER: &str = "TRANSFER";
/// The other office shelters or treats the person.
const CARE: &str = "CARE";

/// What stands for one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The office that has taken the case.
    pub transferred_to: Option<OfficeId>,
    /// The office that has agreed to shelter or treat the person.
    pub cared_for_by: Option<OfficeId>,
}

/// Writes down how an offer ended: an acceptance stands until the same offer is told to have ended otherwise.
pub async fn record(told: &OfferAnswered, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from agreement where offer_id = $1").bind(&told.offer_id).execute(&mut *connection).await?;
    let promise = match (told.state(), told.kind(), told.need()) {
        (OfferState::Accepted, OfferKind::Transfer, _) => TRANSFER,
        (OfferState::Accepted, OfferKind::Service, Need::Shelter | Need::Medical) => CARE,
        _ => return Ok(()),
    };
    sqlx::query("insert into agreement (offer_id, case_id, office, other_office, promise) values ($1, $2, $3, $4, $5)")
        .bind(&told.offer_id)
        .bind(&told.case_id)
        .bind(&told.from_office_id)
        .bind(&told.to_office_id)
        .bind(promise)
        .execute(connection)
        .await?;
    Ok(())
}

/// A case that came back to an office is no longer with those to whom it once went.
pub async fn forget_transfers(told: &StandingChanged, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if told.standing() == Standing::Holds && !told.offer_id.is_empty() {
        sqlx::query("delete from agreement where case_id = $1 and office = $2 and promise = $3")
            .bind(&told.case_id)
            .bind(&told.office_id)
            .bind(TRANSFER)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What others have agreed with an office to do in a case.
pub async fn of(
    case: CaseId,
    office: &OfficeId,
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
) -> Result<Agreed, sqlx::Error> {
    let rows =
        sqlx::query("select promise, other_office from agreement where case_id = $1 and office = $2 order by offer_id")
            .bind(case.to_string())
            .bind(office.as_str())
            .fetch_all(executor)
            .await?;
    let mut agreed = Agreed::default();
    for row in rows {
        let promise: String = row.try_get(0)?;
        let other = row.try_get::<String, _>(1)?.parse().ok();
        if promise == TRANSFER {
            agreed.transferred_to = other;
        } else {
            agreed.cared_for_by = other;
        }
    }
    Ok(agreed)
}

/// Who is accountable, by the office's standing and by what others have agreed to.
pub fn accountable(known: Option<&Known>, agreed: &Agreed) -> Accountable {
    let Some(known) = known else { return Accountable::NotTold };
    match known.word {
        // The acceptance may be told a moment before the new standing.
        "HOLDS" => {
            agreed.transferred_to.clone().map_or(Accountable::ThisOffice, |office| Accountable::Other(Some(office)))
        }
        "BOUND" => Accountable::ThisOffice,
        "HELD" | "HELPS" => Accountable::Other(known.other_office.parse().ok()),
        _ => Accountable::NotTold,
    }
}

/// Whether another office is accountable: this one helps, or handed the case over, or it has accepted and the certificate
/// is still on its way.
pub fn is_helping(known: &Known) -> bool {
    matches!(known.word, "HELPS" | "BOUND" | "HELD")
}
