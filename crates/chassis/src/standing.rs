//! What an office of this node has to do with a case, as its desk has said: who holds it, who helps, who only held it.
//!
//! The desk (the referral service) decides custody; every other service keeps this small copy of what it was told, so
//! that no service has to ask another one while a person waits.

use spean_contracts::cases::v1::CaseRegistered;
use spean_contracts::referral::v1::{Standing as Told, StandingChanged};
use spean_contracts::vocabulary::v1::Sex as WireSex;
use spean_eventstore::Tables;
use spean_identity::Standing;
use spean_vocabulary::{CaseId, OfficeId, Sex};
use sqlx::{AnyConnection, Row as _};

use crate::words::read_sex;

/// The tables of this copy.
pub const TABLES: Tables = Tables {
    name: "standing",
    steps: &[
        "create table case_standing (
        case_id text not null,
        office text not null,
        standing text not null,
        case_number text not null,
        offer_id text not null,
        other_office text not null,
        sex text not null,
        age_band text not null,
        primary key (case_id, office)
    );
    create index case_standing_office on case_standing (office, standing)",
        // Who had the case next after an office that held it and helps again, or is to have it back.
        "alter table case_standing add column went_to text not null default ''",
    ],
};

/// What is known of an office's part in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its standing.
    pub standing: Standing,
    /// As a word: `HOLDS`, `HELD`, `HELPS`, `BOUND`, `OFFERED`.
    pub word: &'static str,
    /// The number of the case; empty when not told.
    pub case_number: String,
    /// The offer by which it changed last; empty for the first certificate.
    pub offer_id: String,
    /// The other office concerned; empty when there is none.
    pub other_office: String,
    /// Sex as recorded; unknown when not told.
    pub sex: Sex,
    /// Whether the protection of a child is due.
    pub is_child: bool,
}

const WORDS: [(Told, &str, Standing); 5] = [
    (Told::Holds, "HOLDS", Standing::Holds),
    (Told::Held, "HELD", Standing::HeldBefore),
    (Told::Helps, "HELPS", Standing::Bound),
    (Told::Bound, "BOUND", Standing::Bound),
    (Told::Offered, "OFFERED", Standing::Offered),
];

/// Writes down what the desk said, and returns it as it is understood here.
///
/// That an office has nothing to do with a case, by no offer, and that another one holds it: this the desk says when an
/// override has set aside the certificate by which the office had become the holder. Where the office was known to hold the
/// case it has held it, and otherwise nothing changes.
pub async fn record(told: &StandingChanged, connection: &mut AnyConnection) -> Result<StandingChanged, sqlx::Error> {
    let may_be_set_aside =
        told.standing() == Told::Unspecified && told.offer_id.is_empty() && !told.other_office_id.is_empty();
    let told = if may_be_set_aside && is_holder(told, connection).await? {
        StandingChanged { standing: Told::Held.into(), ..told.clone() }
    } else {
        told.clone()
    };
    write_down(&told, connection).await?;
    Ok(told)
}

async fn is_holder(told: &StandingChanged, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let holds = "select 1 from case_standing where case_id = $1 and office = $2 and standing = 'HOLDS'";
    let row = sqlx::query(holds).bind(&told.case_id).bind(&told.office_id).fetch_optional(connection).await?;
    Ok(row.is_some())
}

async fn write_down(told: &StandingChanged, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let word = WORDS.iter().find(|(standing, ..)| *standing == told.standing()).map_or("", |(_, word, _)| word);
    if word.is_empty() {
        // Only what the same offer had brought about ends with it. Who had held the case before it has held it still.
        sqlx::query(
            "update case_standing set standing = 'HELD', other_office = went_to, offer_id = ''
             where case_id = $1 and office = $2 and offer_id = $3 and standing in ('BOUND', 'HELPS') and went_to <> ''",
        )
        .bind(&told.case_id)
        .bind(&told.office_id)
        .bind(&told.offer_id)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "delete from case_standing
             where case_id = $1 and office = $2 and offer_id = $3 and standing in ('OFFERED', 'BOUND', 'HELPS')",
        )
        .bind(&told.case_id)
        .bind(&told.office_id)
        .bind(&told.offer_id)
        .execute(connection)
        .await?;
        return Ok(());
    }
    sqlx::query(
        "insert into case_standing (case_id, office, standing, case_number, offer_id, other_office, sex, age_band, went_to)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $3 = 'HELD' then $6 else '' end)
         on conflict (case_id, office) do update set standing = excluded.standing,
            went_to = case when excluded.standing in ('HELD', 'HOLDS') then excluded.went_to
                           when case_standing.standing = 'HELD' then case_standing.other_office
                           else case_standing.went_to end,
            case_number = case when excluded.case_number = '' then case_standing.case_number
                               else excluded.case_number end,
            offer_id = excluded.offer_id, other_office = excluded.other_office,
            sex = case when excluded.sex = 'SEX_UNSPECIFIED' then case_standing.sex else excluded.sex end,
            age_band = case when excluded.age_band = 'AGE_BAND_UNSPECIFIED' then case_standing.age_band
                            else excluded.age_band end
         where excluded.standing <> 'OFFERED' or case_standing.standing = 'OFFERED'",
    )
    .bind(&told.case_id)
    .bind(&told.office_id)
    .bind(word)
    .bind(&told.case_number)
    .bind(&told.offer_id)
    .bind(&told.other_office_id)
    .bind(told.sex().as_str_name())
    .bind(told.age_band().as_str_name())
    .execute(connection)
    .await?;
    Ok(())
}

/// What the register told of a person whose case was opened here, for those who keep a copy of the standings.
pub async fn record_registered(told: &CaseRegistered, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into case_standing (case_id, office, standing, case_number, offer_id, other_office, sex, age_band)
         values ($1, $2, 'HOLDS', $3, '', '', $4, $5)
         on conflict (case_id, office) do update set case_number = excluded.case_number, sex = excluded.sex,
            age_band = excluded.age_band",
    )
    .bind(&told.case_id)
    .bind(&told.office_id)
    .bind(&told.case_number)
    .bind(told.sex().as_str_name())
    .bind(told.age_band().as_str_name())
    .execute(connection)
    .await?;
    Ok(())
}

/// An office that opens a case holds it: written down at once, before the desk has confirmed it.
pub async fn hold(case: CaseId, office: &OfficeId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into case_standing (case_id, office, standing, case_number, offer_id, other_office, sex, age_band)
         values ($1, $2, 'HOLDS', '', '', '', '', '') on conflict (case_id, office) do nothing",
    )
    .bind(case.to_string())
    .bind(office.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// What an office has to do with a case; none when the desk never spoke of it.
pub async fn of(
    case: CaseId,
    office: &OfficeId,
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
) -> Result<Option<Known>, sqlx::Error> {
    let row = sqlx::query(
        "select standing, case_number, offer_id, other_office, age_band, sex from case_standing
         where case_id = $1 and office = $2",
    )
    .bind(case.to_string())
    .bind(office.as_str())
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let stored: String = row.try_get(0)?;
    let age_band: String = row.try_get(4)?;
    let sex = WireSex::from_str_name(&row.try_get::<String, _>(5)?).unwrap_or_default();
    let Some((_, word, standing)) = WORDS.iter().find(|(_, word, _)| *word == stored) else { return Ok(None) };
    Ok(Some(Known {
        standing: *standing,
        word,
        case_number: row.try_get(1)?,
        offer_id: row.try_get(2)?,
        other_office: row.try_get(3)?,
        sex: read_sex("sex", sex.into()).unwrap_or(Sex::Unknown),
        is_child: age_band != "AGE_BAND_ADULT",
    }))
}

/// Whether another office of this node holds the case, is bound to it or helps with it.
pub async fn others_at_work(
    case: CaseId,
    office: &OfficeId,
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(
        "select count(*) from case_standing
         where case_id = $1 and office <> $2 and standing in ('HOLDS', 'BOUND', 'HELPS')",
    )
    .bind(case.to_string())
    .bind(office.as_str())
    .fetch_one(executor)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// The case that goes by a number for people, as the desk told it; none when it never did.
pub async fn by_number(
    number: &str,
    executor: impl sqlx::Executor<'_, Database = sqlx::Any>,
) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query("select case_id from case_standing where case_number = $1 limit 1")
        .bind(number)
        .fetch_optional(executor)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}
