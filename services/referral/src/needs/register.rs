//! The needs of an office's cases, who was asked, and how many nobody could meet.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, NeedId, OfferId, OfficeId, Urgency};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use super::need::{Asked, CaseNeed, Described, Event, Handed, Stands};

/// Tables, projection and queries.
pub struct NeedRegister;

impl ReadModel for NeedRegister {
    fn name(&self) -> &'static str {
        "needs"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["case_need", "need_asked", "need_refused", "need_unmet"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table case_need (
                office text not null,
                need_id text not null,
                case_id text not null,
                need text not null,
                urgency text not null,
                pressing bigint not null,
                worker_sex text not null,
                language text not null,
                near_place text not null,
                reach text not null,
                place text not null,
                known_since text not null,
                opened_at bigint not null,
                closed text not null,
                state text not null,
                unmet_reason text not null,
                unmet_on text not null,
                other_office text not null,
                primary key (office, need_id)
            );
            create index case_need_case on case_need (office, case_id);
            create index case_need_state on case_need (office, state, pressing, opened_at)",
            "create table need_asked (
                office text not null,
                need_id text not null,
                offer_id text not null,
                to_office text not null,
                state text not null,
                decline_reason text not null,
                outcome text not null,
                primary key (office, need_id, offer_id)
            );
            create index need_asked_offer on need_asked (office, offer_id)",
            "create table need_refused (
                office text not null,
                need_id text not null,
                provider text not null,
                primary key (office, need_id, provider)
            )",
            "create table need_unmet (
                office text not null,
                need_id text not null,
                month text not null,
                reason text not null,
                primary key (office, need_id, month)
            )",
        ]
    }

    fn apply<'a>(
        &'a self,
        recorded: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let (Some(Ok(event)), Some((office, need))) = (recorded.event::<CaseNeed>(), recorded.id.split_once('/'))
            else {
                return Ok(());
            };
            apply(office, need, &event, connection).await?;
            restate(office, need, connection).await
        })
    }
}

async fn apply(office: &str, need: &str, event: &Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    match event {
        Event::Opened { described, opened_at } => {
            insert(office, need, described, opened_at.as_micros(), connection).await
        }
        Event::Asked { offer, to } => {
            unmet(office, need, "", "", connection).await?;
            let asked = Asked { to: to.clone(), stands: Stands::Open };
            record_asked(office, need, *offer, &asked, connection).await
        }
        Event::Agreed { offer, to } => {
            record_asked(office, need, *offer, &Asked { to: to.clone(), stands: Stands::Agreed }, connection).await
        }
        Event::CameBack { offer, to, how } => {
            record_asked(office, need, *offer, &Asked { to: to.clone(), stands: *how }, connection).await
        }
        Event::ServiceEnded { offer, to, outcome } => {
            let asked = Asked { to: to.clone(), stands: Stands::Concluded { outcome: *outcome } };
            record_asked(office, need, *offer, &asked, connection).await
        }
        // What became of it is the new holder's to show.
        Event::EndPassedOn { .. } => Ok(()),
        Event::ProviderRefused { provider, .. } => refuse(office, need, provider, connection).await,
        Event::RefusalTakenBack { provider } => {
            sqlx::query("delete from need_refused where office = $1 and need_id = $2 and provider = $3")
                .bind(office)
                .bind(need)
                .bind(provider.as_str())
                .execute(connection)
                .await?;
            Ok(())
        }
        Event::FoundUnmet { reason, on } => {
            let (reason, on) = (reason.to_string(), on.to_string());
            let month = on.get(..7).unwrap_or_default();
            sqlx::query(
                "insert into need_unmet (office, need_id, month, reason) values ($1, $2, $3, $4)
                 on conflict (office, need_id, month) do update set reason = excluded.reason",
            )
            .bind(office)
            .bind(need)
            .bind(month)
            .bind(&reason)
            .execute(&mut *connection)
            .await?;
            unmet(office, need, &reason, &on, connection).await
        }
        Event::NotWanted { .. } => close(office, need, "NOT_WANTED", "", connection).await,
        Event::Met { .. } => close(office, need, "MET", "", connection).await,
        Event::WithdrawnAsMistaken => close(office, need, "MISTAKEN", "", connection).await,
        Event::Reopened => close(office, need, "", "", connection).await,
        Event::HandedOver { to, told } => {
            for (offer, asked) in &told.asked {
                record_asked(office, need, *offer, asked, connection).await?;
            }
            close(office, need, "HANDED_OVER", to.as_str(), connection).await
        }
        Event::TakenOver { from, told } => take_over(office, need, from, told, connection).await,
    }
}

async fn take_over(
    office: &str,
    need: &str,
    from: &OfficeId,
    told: &Handed,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    insert(office, need, &told.described, told.opened_at.as_micros(), connection).await?;
    for (offer, asked) in &told.asked {
        record_asked(office, need, *offer, asked, connection).await?;
    }
    for provider in &told.refused {
        refuse(office, need, provider, connection).await?;
    }
    close(office, need, if told.not_wanted { "NOT_WANTED" } else { "" }, from.as_str(), connection).await
}

async fn insert(
    office: &str,
    need: &str,
    described: &Described,
    opened_at: i64,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let Described { case, need: what, urgency, preferences, place, known_since } = described;
    sqlx::query(
        "insert into case_need (office, need_id, case_id, need, urgency, pressing, worker_sex, language, near_place,
            reach, place, known_since, opened_at, closed, state, unmet_reason, unmet_on, other_office)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', 'OPEN', '', '', '')
         on conflict (office, need_id) do nothing",
    )
    .bind(office)
    .bind(need)
    .bind(case.to_string())
    .bind(what.to_string())
    .bind(urgency.to_string())
    .bind(pressing(*urgency))
    .bind(preferences.worker_sex.map(|sex| sex.to_string()).unwrap_or_default())
    .bind(preferences.language.clone().unwrap_or_default())
    .bind(preferences.near.map(|place| place.to_string()).unwrap_or_default())
    .bind(preferences.reach.to_string())
    .bind(place.to_string())
    .bind(known_since.to_string())
    .bind(opened_at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn record_asked(
    office: &str,
    need: &str,
    offer: OfferId,
    asked: &Asked,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let (state, declined, outcome) = match asked.stands {
        Stands::Open => ("OFFERED", String::new(), String::new()),
        Stands::Agreed => ("ACCEPTED", String::new(), String::new()),
        Stands::Transferred => ("TRANSFERRED", String::new(), String::new()),
        Stands::Declined { reason } => ("DECLINED", reason.to_string(), String::new()),
        Stands::Withdrawn { reason: spean_vocabulary::WithdrawReason::Escalated } => {
            ("ESCALATED", String::new(), String::new())
        }
        Stands::Withdrawn { .. } => ("WITHDRAWN", String::new(), String::new()),
        Stands::Voided => ("VOIDED", String::new(), String::new()),
        Stands::Concluded { outcome } => ("CONCLUDED", String::new(), outcome.to_string()),
    };
    sqlx::query(
        "insert into need_asked (office, need_id, offer_id, to_office, state, decline_reason, outcome)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (office, need_id, offer_id) do update set state = excluded.state,
            decline_reason = excluded.decline_reason, outcome = excluded.outcome",
    )
    .bind(office)
    .bind(need)
    .bind(offer.to_string())
    .bind(asked.to.as_str())
    .bind(state)
    .bind(declined)
    .bind(outcome)
    .execute(connection)
    .await?;
    Ok(())
}

async fn refuse(
    office: &str,
    need: &str,
    provider: &OfficeId,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into need_refused (office, need_id, provider) values ($1, $2, $3)
         on conflict (office, need_id, provider) do nothing",
    )
    .bind(office)
    .bind(need)
    .bind(provider.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn unmet(
    office: &str,
    need: &str,
    reason: &str,
    on: &str,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query("update case_need set unmet_reason = $3, unmet_on = $4 where office = $1 and need_id = $2")
        .bind(office)
        .bind(need)
        .bind(reason)
        .bind(on)
        .execute(connection)
        .await?;
    Ok(())
}

async fn close(
    office: &str,
    need: &str,
    how: &str,
    other: &str,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update case_need set closed = $3, unmet_reason = '', unmet_on = '',
            other_office = case when $4 = '' then other_office else $4 end
         where office = $1 and need_id = $2",
    )
    .bind(office)
    .bind(need)
    .bind(how)
    .bind(other)
    .execute(connection)
    .await?;
    Ok(())
}

async fn restate(office: &str, need: &str, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update case_need set state = case
            when closed <> '' then closed
            when exists (select 1 from need_asked asked where asked.office = case_need.office
                and asked.need_id = case_need.need_id and asked.state = 'ACCEPTED') then 'SERVED'
            when exists (select 1 from need_asked asked where asked.office = case_need.office
                and asked.need_id = case_need.need_id and asked.state = 'OFFERED') then 'OFFERED'
            else 'OPEN' end
         where office = $1 and need_id = $2",
    )
    .bind(office)
    .bind(need)
    .execute(connection)
    .await?;
    Ok(())
}

/// How pressing an urgency is: the smaller the more.
pub(crate) const fn pressing(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Emergency => 0,
        Urgency::Urgent => 1,
        Urgency::Routine => 2,
    }
}

/// A need as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's CaseNeed")]
pub struct Entry {
    pub need_id: String,
    pub case_id: String,
    pub need: String,
    pub urgency: String,
    pub worker_sex: String,
    pub language: String,
    pub near_place: String,
    pub reach: String,
    pub place: String,
    pub known_since: String,
    pub opened_at: i64,
    pub state: String,
    pub unmet_reason: String,
    pub unmet_on: String,
    pub other_office: String,
    pub case_number: String,
}

const ENTRY: &str =
    "select need_id, case_need.case_id, need, urgency, worker_sex, case_need.language, near_place, reach,
    place, known_since, opened_at, state, unmet_reason, unmet_on, other_office, coalesce(subject.case_number, '')
    from case_need left join subject on subject.case_id = case_need.case_id";

/// Which needs are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this case's.
    pub case: Option<CaseId>,
    /// Only those in this state; none means all that are not over here.
    pub state: Option<&'static str>,
    /// Only those that nobody can meet now.
    pub unmet_only: bool,
}

/// The needs of an office, the most urgent first, then the oldest.
pub async fn list(
    office: &OfficeId,
    filter: &Filter,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let state = match filter.state {
        None => "state not in ('MET', 'MISTAKEN', 'HANDED_OVER') and $3 = ''",
        Some(_) => "state = $3",
    };
    let unmet = if filter.unmet_only { "and unmet_reason <> ''" } else { "" };
    let sql = format!(
        "{ENTRY} where office = $1 and ($2 = '' or case_need.case_id = $2) and {state} {unmet}
         order by pressing, opened_at, need_id limit $4 offset $5"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(filter.case.map(|case| case.to_string()).unwrap_or_default())
        .bind(filter.state.unwrap_or_default())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// One need of an office.
pub async fn find(
    office: &OfficeId,
    need: NeedId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and need_id = $2");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(need.to_string()).fetch_optional(executor).await?;
    row.as_ref().map(entry).transpose()
}

/// The needs of a case at an office, the oldest first.
pub async fn of_case(
    office: &OfficeId,
    case: CaseId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<NeedId>, sqlx::Error> {
    let rows =
        sqlx::query("select need_id from case_need where office = $1 and case_id = $2 order by opened_at, need_id")
            .bind(office.as_str())
            .bind(case.to_string())
            .fetch_all(executor)
            .await?;
    let ids = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Who was asked for a need: (offer, office, state, reason of a no, outcome), by offer.
pub async fn asked(
    office: &OfficeId,
    need: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<[String; 5]>, sqlx::Error> {
    let rows = sqlx::query(
        "select offer_id, to_office, state, decline_reason, outcome from need_asked
         where office = $1 and need_id = $2 order by offer_id",
    )
    .bind(office.as_str())
    .bind(need)
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?]))
        .collect()
}

/// Whom the person refused.
pub async fn refused(
    office: &OfficeId,
    need: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select provider from need_refused where office = $1 and need_id = $2 order by provider")
        .bind(office.as_str())
        .bind(need)
        .fetch_all(executor)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// How many needs nobody could meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's UnmetCount")]
pub struct Count {
    pub province: String,
    pub district: String,
    pub need: String,
    pub month: String,
    pub reason: String,
    pub needs: i64,
    pub still_unmet: i64,
}

/// The unmet needs of all offices of the node, by place, need, month and reason. Months are `YYYY-MM`, both included.
pub async fn count_unmet(
    from: &str,
    to: &str,
    place: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Count>, sqlx::Error> {
    let rows = sqlx::query(
        "select substr(n.place, 1, 2), case when length(n.place) >= 4 then substr(n.place, 1, 4) else '' end,
            n.need, u.month, u.reason, count(*),
            cast(sum(case when n.unmet_reason <> '' then 1 else 0 end) as bigint)
         from need_unmet u join case_need n on n.office = u.office and n.need_id = u.need_id
         where u.month >= $1 and u.month <= $2 and n.place like $3 and n.closed <> 'MISTAKEN'
         group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5",
    )
    .bind(from)
    .bind(to)
    .bind(format!("{place}%"))
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Count {
                province: row.try_get(0)?,
                district: row.try_get(1)?,
                need: row.try_get(2)?,
                month: row.try_get(3)?,
                reason: row.try_get(4)?,
                needs: row.try_get(5)?,
                still_unmet: row.try_get(6)?,
            })
        })
        .collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        need_id: row.try_get(0)?,
        case_id: row.try_get(1)?,
        need: row.try_get(2)?,
        urgency: row.try_get(3)?,
        worker_sex: row.try_get(4)?,
        language: row.try_get(5)?,
        near_place: row.try_get(6)?,
        reach: row.try_get(7)?,
        place: row.try_get(8)?,
        known_since: row.try_get(9)?,
        opened_at: row.try_get(10)?,
        state: row.try_get(11)?,
        unmet_reason: row.try_get(12)?,
        unmet_on: row.try_get(13)?,
        other_office: row.try_get(14)?,
        case_number: row.try_get(15)?,
    })
}
