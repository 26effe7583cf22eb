//! What the register told of a case: its number, the codes for a preview, and what the person consented to.

use std::collections::BTreeSet;

use spean_chassis::person::read_part;
use spean_chassis::status;
use spean_chassis::words::{read_age_band, read_sex};
use spean_contracts::cases::v1::{CaseMerged, CaseRegistered, ConsentsChanged};
use spean_contracts::vocabulary::v1 as wire;
use spean_custody::case::Preview;
use spean_eventstore::Tables;
use spean_vault::Part;
use spean_vocabulary::{AgeBand, CaseId, CaseNumber, ConsentId, Need, OfficeId, Sex};
use sqlx::{Any, AnyConnection, Executor, Row as _};
use tonic::Status;

/// The tables of this copy.
pub(crate) const TABLES: Tables = Tables {
    name: "subject",
    steps: &[
        "
        create table subject (
            case_id text primary key,
            case_number text not null,
            sex text not null,
            age_band text not null,
            language text not null
        );
        create table consent (
            case_id text not null,
            consent_id text not null,
            parts text not null,
            offices text not null,
            purposes text not null,
            primary key (case_id, consent_id)
        )
    ",
        "
        create table merged_case (case_id text primary key, into_case_id text not null)
    ",
    ],
};

/// A case as an offer describes it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) case_number: Option<CaseNumber>,
    pub(crate) preview: Preview,
    /// The case that goes on in the place of this one. Whoever is asked for help must get that one.
    pub(crate) merged_into: Option<CaseId>,
}

/// What stands against offering a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Against {
    /// It rests, and another goes on in its place.
    #[error("the case was merged into another of the same person; offer that one")]
    Merged,
    /// The dossier holds more than may travel now.
    #[error("the consent was changed meanwhile; offer again under what it covers now")]
    ConsentChanged,
}

impl Against {
    /// As a caller hears it.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Merged => status::forbidden(self.code(), self.to_string()),
            Self::ConsentChanged => status::changed_meanwhile(self.code(), &self.to_string()),
        }
    }

    /// The reason for programs.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Merged => "CASE_MERGED",
            Self::ConsentChanged => "CONSENT_CHANGED",
        }
    }
}

impl Subject {
    /// What stands against offering it to anybody.
    pub(crate) const fn against(&self) -> Option<Against> {
        match self.merged_into {
            Some(_) => Some(Against::Merged),
            None => None,
        }
    }
}

/// What may travel, and on which consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) consent: ConsentId,
    pub(crate) parts: BTreeSet<Part>,
}

pub(crate) async fn record(told: &CaseRegistered, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let preview = Preview {
        sex: read_sex("sex", told.sex).unwrap_or(Sex::Unknown),
        age_band: read_age_band("age_band", told.age_band).unwrap_or(AgeBand::Unknown),
        language: Some(told.language.clone()).filter(|language| !language.is_empty()),
    };
    keep(&told.case_id, &told.case_number, &preview, connection).await
}

/// Keeps what an offer said of a case, so that it can be offered on. What the register said goes before.
pub(crate) async fn keep(
    case: &str,
    case_number: &str,
    preview: &Preview,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into subject (case_id, case_number, sex, age_band, language) values ($1, $2, $3, $4, $5)
         on conflict (case_id) do nothing",
    )
    .bind(case)
    .bind(case_number)
    .bind(preview.sex.to_string())
    .bind(preview.age_band.to_string())
    .bind(preview.language.as_deref().unwrap_or_default())
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a case rests in favour of another, or was taken up again.
pub(crate) async fn record_merge(told: &CaseMerged, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if told.merged {
        sqlx::query(
            "insert into merged_case (case_id, into_case_id) values ($1, $2)
             on conflict (case_id) do update set into_case_id = excluded.into_case_id",
        )
        .bind(&told.case_id)
        .bind(&told.into_case_id)
        .execute(connection)
        .await?;
    } else {
        sqlx::query("delete from merged_case where case_id = $1").bind(&told.case_id).execute(connection).await?;
    }
    Ok(())
}

/// With the person's data what they had consented to is gone: nothing of them travels any more.
pub(crate) async fn end_consents(case: CaseId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("update consent set parts = '' where case_id = $1").bind(case.to_string()).execute(connection).await?;
    Ok(())
}

/// What stands against an offer in the moment when it is recorded. An offer is prepared by what is read before, and what
/// the register tells in between takes back only those that are recorded already: so it is asked again, inside the
/// transaction. That the case was closed is not among it: whoever offers a closed case may mean to.
pub(crate) async fn against(
    case: CaseId,
    (to, need): (&OfficeId, Need),
    prepared: Option<&Permission>,
    connection: &mut AnyConnection,
) -> Result<Option<Against>, sqlx::Error> {
    if let Some(against) = find(case, &mut *connection).await?.and_then(|subject| subject.against()) {
        return Ok(Some(against));
    }
    let Some(prepared) = prepared else { return Ok(None) };
    let permissions = permissions(case, (to, need), connection).await?;
    let stands =
        permissions.iter().any(|now| now.consent == prepared.consent && now.parts.is_superset(&prepared.parts));
    Ok((!stands).then_some(Against::ConsentChanged))
}

pub(crate) async fn record_consents(told: &ConsentsChanged, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for consent in &told.consents {
        let part = |part: &i32| read_part("part", *part).map(|part| part.to_string()).ok();
        let parts: Vec<_> = consent.parts.iter().filter_map(part).collect();
        let need = |need: &i32| wire::Need::try_from(*need).ok().map(|need| need.as_str_name().to_owned());
        let purposes: Vec<_> = consent.purposes.iter().filter_map(need).collect();
        sqlx::query(
            "insert into consent (consent_id, case_id, parts, offices, purposes) values ($1, $2, $3, $4, $5)
             on conflict (case_id, consent_id) do update set parts = excluded.parts, offices = excluded.offices,
                purposes = excluded.purposes",
        )
        .bind(&consent.consent_id)
        .bind(&told.case_id)
        .bind(parts.join(","))
        .bind(consent.office_ids.join(","))
        .bind(purposes.join(","))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(crate) async fn find(
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Subject>, sqlx::Error> {
    let row = sqlx::query(
        "select case_number, sex, age_band, language, into_case_id from subject
         left join merged_case on merged_case.case_id = subject.case_id
         where subject.case_id = $1",
    )
    .bind(case.to_string())
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let language: String = row.try_get(3)?;
    Ok(Some(Subject {
        case_number: row.try_get::<&str, _>(0)?.parse().ok(),
        preview: Preview {
            sex: row.try_get::<&str, _>(1)?.parse().unwrap_or(Sex::Unknown),
            age_band: row.try_get::<&str, _>(2)?.parse().unwrap_or(AgeBand::Unknown),
            language: Some(language).filter(|language| !language.is_empty()),
        },
        merged_into: row.try_get::<Option<String>, _>(4)?.and_then(|case| case.parse().ok()),
    }))
}

/// The consent by which most may travel to an office for a need; none when nothing may.
pub(crate) async fn permission(
    case: CaseId,
    office: &OfficeId,
    need: Need,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Permission>, sqlx::Error> {
    let permissions = permissions(case, (office, need), executor).await?;
    Ok(permissions.into_iter().max_by_key(|permission| (permission.parts.len(), permission.consent)))
}

/// What each consent lets travel to an office for a need.
async fn permissions(
    case: CaseId,
    (office, need): (&OfficeId, Need),
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Permission>, sqlx::Error> {
    let rows =
        sqlx::query("select consent_id, parts, offices, purposes from consent where case_id = $1 and parts <> ''")
            .bind(case.to_string())
            .fetch_all(executor)
            .await?;
    let mut permissions = Vec::new();
    for row in rows {
        let (parts, offices, purposes): (String, String, String) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let covers = |list: &str, wanted: &str| list.is_empty() || list.split(',').any(|entry| entry == wanted);
        let purpose = spean_chassis::words::write_need(need).as_str_name();
        if !covers(&offices, office.as_str()) || !covers(&purposes, purpose) {
            continue;
        }
        if let Ok(consent) = row.try_get::<&str, _>(0)?.parse() {
            let parts = parts.split(',').filter_map(|part| part.parse().ok()).collect();
            permissions.push(Permission { consent, parts });
        }
    }
    Ok(permissions)
}

#[cfg(test)]
pub(crate) mod tests;
