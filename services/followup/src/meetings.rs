//! The agenda of each province, its meetings, and the decisions that offices have to carry out.

use std::collections::BTreeMap;

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{CaseId, Date, OfficeId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row as _};

use crate::agenda::{self, Agenda, Told};
use crate::codes::Topic;
use crate::lists::{read_codes, text, write_codes};
use crate::mandate::{self, Answer, Mandate};
use crate::meeting::{Decision, Event, Item, Meeting};

/// Tables, projection and queries of the meetings.
pub struct Meetings;

impl ReadModel for Meetings {
    fn name(&self) -> &'static str {
        "meetings"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["agenda_told", "agenda_item", "meeting", "meeting_case", "mandate"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table agenda_told (
                case_id text primary key,
                told text not null
            )",
            "create table agenda_item (
                province text not null,
                office text not null,
                case_id text not null,
                case_number text not null,
                topics text not null,
                since text not null,
                primary key (province, office, case_id)
            )",
            "create table meeting (
                meeting_id text primary key,
                office text not null,
                planned_on text not null,
                held_on text not null,
                offices text not null,
                present text not null,
                quorum bigint not null,
                signed_at bigint not null
            );
            create index meeting_office on meeting (office, planned_on)",
            "create table meeting_case (
                meeting_id text not null,
                case_id text not null,
                case_number text not null,
                office text not null,
                topics text not null,
                decision_id text not null,
                decision text not null,
                state text not null,
                refusal text not null,
                primary key (meeting_id, case_id)
            );
            create index meeting_case_decision on meeting_case (decision_id)",
            "create table mandate (
                decision_id text primary key,
                case_id text not null,
                office text not null,
                decision text not null,
                transfer_to text not null,
                state text not null,
                refusal text not null,
                decided_on text not null
            );
            create index mandate_office on mandate (office, state)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            if let Some(Ok(what)) = event.event::<Agenda>() {
                return match what {
                    agenda::Event::Told(told) => note_told(&event.id, &told, connection).await,
                    agenda::Event::Heard(told) => note_heard(&event.id, &told, connection).await,
                };
            }
            if let Some(Ok(what)) = event.event::<Meeting>() {
                return apply(event, what, connection).await;
            }
            match event.event::<Mandate>() {
                Some(Ok(what)) => note_mandate(&event.id, what, connection).await,
                _ => Ok(()),
            }
        })
    }
}

/// What was told of a case in one line: the same line means that there is no news.
pub(crate) fn line(told: Option<&Told>) -> String {
    let Some(told) = told.filter(|told| !told.topics.is_empty()) else { return String::new() };
    let topics: Vec<_> = told.topics.iter().map(|(topic, since)| format!("{topic}:{since}")).collect();
    format!("{} {} {}", told.office, told.to, topics.join(","))
}

async fn note_told(case: &str, told: &Told, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into agenda_told (case_id, told) values ($1, $2)
         on conflict (case_id) do update set told = excluded.told",
    )
    .bind(case.to_owned())
    .bind(line(Some(told)))
    .execute(connection)
    .await
    .map(drop)
}

async fn note_heard(case: &str, told: &Told, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from agenda_item where province = $1 and office = $2 and case_id = $3")
        .bind(told.to.as_str())
        .bind(told.office.as_str())
        .bind(case.to_owned())
        .execute(&mut *connection)
        .await?;
    let Some(since) = told.topics.values().min() else { return Ok(()) };
    sqlx::query(
        "insert into agenda_item (province, office, case_id, case_number, topics, since)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(told.to.as_str())
    .bind(told.office.as_str())
    .bind(case.to_owned())
    .bind(text(told.case_number))
    .bind(write_topics(&told.topics))
    .bind(since.to_string())
    .execute(connection)
    .await
    .map(drop)
}

async fn apply(event: &Recorded, what: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let meeting = event.id.as_str();
    match what {
        Event::Convened { office, planned_on, agenda } => {
            sqlx::query(
                "insert into meeting (meeting_id, office, planned_on, held_on, offices, present, quorum, signed_at)
                 values ($1, $2, $3, '', '', '', 0, 0)",
            )
            .bind(meeting.to_owned())
            .bind(office.as_str())
            .bind(planned_on.to_string())
            .execute(&mut *connection)
            .await?;
            list_cases(meeting, &agenda, connection).await
        }
        Event::AgendaRefreshed { agenda } => {
            sqlx::query("delete from meeting_case where meeting_id = $1")
                .bind(meeting.to_owned())
                .execute(&mut *connection)
                .await?;
            list_cases(meeting, &agenda, connection).await
        }
        Event::Held { held_on, offices, present, quorum } => {
            let present: Vec<_> = present.iter().map(|(kind, count)| format!("{kind}:{count}")).collect();
            sqlx::query(
                "update meeting set held_on = $2, offices = $3, present = $4, quorum = $5 where meeting_id = $1",
            )
            .bind(meeting.to_owned())
            .bind(held_on.to_string())
            .bind(write_codes(&offices))
            .bind(present.join(","))
            .bind(i64::from(quorum))
            .execute(connection)
            .await
            .map(drop)
        }
        Event::CaseDecided { decision_id, case, decision } => sqlx::query(
            "update meeting_case set decision_id = $3, decision = $4 where meeting_id = $1 and case_id = $2",
        )
        .bind(meeting.to_owned())
        .bind(case.to_string())
        .bind(decision_id.to_string())
        .bind(name(&decision))
        .execute(connection)
        .await
        .map(drop),
        Event::MinutesSigned { .. } => {
            sqlx::query("update meeting_case set state = 'sent' where meeting_id = $1")
                .bind(meeting.to_owned())
                .execute(&mut *connection)
                .await?;
            sqlx::query("update meeting set signed_at = $2 where meeting_id = $1")
                .bind(meeting.to_owned())
                .bind(event.metadata.recorded_at.as_micros())
                .execute(connection)
                .await
                .map(drop)
        }
        Event::DecisionAnswered { decision_id, answer } => {
            let (state, refusal) = answered(&answer);
            sqlx::query("update meeting_case set state = $2, refusal = $3 where decision_id = $1")
                .bind(decision_id.to_string())
                .bind(state)
                .bind(refusal)
                .execute(connection)
                .await
                .map(drop)
        }
    }
}

async fn list_cases(meeting: &str, agenda: &[Item], connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for item in agenda {
        sqlx::query(
            "insert into meeting_case (meeting_id, case_id, case_number, office, topics, decision_id, decision, state,
                refusal)
             values ($1, $2, $3, $4, $5, '', '', '', '')",
        )
        .bind(meeting.to_owned())
        .bind(item.case.to_string())
        .bind(text(item.case_number))
        .bind(item.office.as_str())
        .bind(write_topics(&item.topics))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn note_mandate(decision: &str, what: mandate::Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let mandate::Event::Received { received, answer } = what else {
        return sqlx::query("update mandate set state = 'carried_out' where decision_id = $1")
            .bind(decision.to_owned())
            .execute(connection)
            .await
            .map(drop);
    };
    let to = match &received.decision {
        Decision::Transfer { to } => to.to_string(),
        _ => String::new(),
    };
    let (state, refusal) = answered(&answer);
    sqlx::query(
        "insert into mandate (decision_id, case_id, office, decision, transfer_to, state, refusal, decided_on)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(decision.to_owned())
    .bind(received.case.to_string())
    .bind(received.office.as_str())
    .bind(name(&received.decision))
    .bind(to)
    .bind(state)
    .bind(refusal)
    .bind(received.decided_on.to_string())
    .execute(connection)
    .await
    .map(drop)
}

fn answered(answer: &Answer) -> (&'static str, String) {
    match answer {
        Answer::CarriedOut => ("carried_out", String::new()),
        Answer::Open => ("open", String::new()),
        Answer::Refused { reason } => ("refused", reason.clone()),
    }
}

/// The word by which a decision goes in the tables, as the contract names it.
const fn name(decision: &Decision) -> &'static str {
    match decision {
        Decision::Close { .. } => "close",
        Decision::Extend { .. } => "extend",
        Decision::Reopen { .. } => "reopen",
        Decision::Transfer { .. } => "transfer",
        Decision::FurtherTracing => "further_tracing",
        Decision::Continue => "continue",
    }
}

fn write_topics(topics: &BTreeMap<Topic, Date>) -> String {
    topics.iter().map(|(topic, since)| format!("{topic}:{since}")).collect::<Vec<_>>().join(",")
}

fn read_topics(column: &str) -> BTreeMap<Topic, Date> {
    let read = |entry: &str| {
        let (topic, since) = entry.split_once(':')?;
        Some((topic.parse().ok()?, since.parse().ok()?))
    };
    column.split(',').filter_map(read).collect()
}

/// The agenda of a province as it stands now, what has waited longest first.
pub async fn agenda_of(
    province: &OfficeId,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Item>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_id, case_number, office, topics from agenda_item where province = $1
         order by since, case_id limit $2 offset $3",
    )
    .bind(province.as_str())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let read = |row: &AnyRow| {
        let (case, number, office, topics): (String, String, String, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let (Ok(case), Ok(office)) = (case.parse(), office.parse()) else { return Ok(None) };
        Ok(Some(Item { case, case_number: number.parse().ok(), office, topics: read_topics(&topics) }))
    };
    rows.iter().filter_map(|row| read(row).transpose()).collect()
}

/// A meeting as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Meeting")]
pub struct MeetingEntry {
    pub meeting_id: String,
    pub office: String,
    pub planned_on: String,
    pub held_on: String,
    pub offices: Vec<String>,
    pub present: Vec<(String, i32)>,
    pub quorum: bool,
    pub signed_at: Option<Timestamp>,
    pub cases: i64,
    pub undecided: i64,
}

/// The meetings of a province, the newest first; only one of them when it is named.
pub async fn of_province(
    province: &OfficeId,
    meeting: &str,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<MeetingEntry>, sqlx::Error> {
    let rows = sqlx::query(
        "select meeting_id, office, planned_on, held_on, offices, present, quorum, signed_at,
            (select count(*) from meeting_case where meeting_case.meeting_id = meeting.meeting_id),
            (select count(*) from meeting_case where meeting_case.meeting_id = meeting.meeting_id and decision = '')
         from meeting where office = $1 and ($2 = '' or meeting_id = $2)
         order by case when held_on = '' then planned_on else held_on end desc, meeting_id limit $3 offset $4",
    )
    .bind(province.as_str())
    .bind(meeting.to_owned())
    .bind(limit)
    .bind(offset)
    .fetch_all(executor)
    .await?;
    let read = |row: &AnyRow| {
        let (offices, present): (String, String) = (row.try_get(4)?, row.try_get(5)?);
        let count =
            |entry: &str| entry.split_once(':').and_then(|(kind, count)| Some((kind.to_owned(), count.parse().ok()?)));
        let signed_at: i64 = row.try_get(7)?;
        Ok(MeetingEntry {
            meeting_id: row.try_get(0)?,
            office: row.try_get(1)?,
            planned_on: row.try_get(2)?,
            held_on: row.try_get(3)?,
            offices: read_codes(&offices),
            present: present.split(',').filter_map(count).collect(),
            quorum: row.try_get::<i64, _>(6)? > 0,
            signed_at: (signed_at > 0).then(|| Timestamp::from_micros(signed_at)),
            cases: row.try_get(8)?,
            undecided: row.try_get(9)?,
        })
    };
    rows.iter().map(read).collect()
}

/// A case at a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's MeetingCase")]
pub struct CaseEntry {
    pub case_id: String,
    pub case_number: String,
    pub office: String,
    pub topics: Vec<Topic>,
    pub decision_id: String,
    pub decision: String,
    pub state: String,
    pub refusal: String,
}

/// The cases of a meeting.
pub async fn cases_of(
    meeting: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<CaseEntry>, sqlx::Error> {
    let rows = sqlx::query(
        "select case_id, case_number, office, topics, decision_id, decision, state, refusal from meeting_case
         where meeting_id = $1 order by case_number, case_id",
    )
    .bind(meeting.to_owned())
    .fetch_all(executor)
    .await?;
    let read = |row: &AnyRow| {
        let topics: String = row.try_get(3)?;
        Ok(CaseEntry {
            case_id: row.try_get(0)?,
            case_number: row.try_get(1)?,
            office: row.try_get(2)?,
            topics: read_topics(&topics).into_keys().collect(),
            decision_id: row.try_get(4)?,
            decision: row.try_get(5)?,
            state: row.try_get(6)?,
            refusal: row.try_get(7)?,
        })
    };
    rows.iter().map(read).collect()
}

/// A decision that an office has to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire's Mandate")]
pub struct MandateEntry {
    pub decision_id: String,
    pub case_id: String,
    pub case_number: String,
    pub office: String,
    pub decision: String,
    pub transfer_to: String,
    pub state: String,
    pub refusal: String,
    pub decided_on: String,
}

const MANDATE: &str =
    "select decision_id, mandate.case_id, coalesce(case_number, ''), mandate.office, decision, transfer_to,
    state, refusal, decided_on
    from mandate left join case_standing on case_standing.case_id = mandate.case_id
        and case_standing.office = mandate.office";

fn read_mandate(row: &AnyRow) -> Result<MandateEntry, sqlx::Error> {
    Ok(MandateEntry {
        decision_id: row.try_get(0)?,
        case_id: row.try_get(1)?,
        case_number: row.try_get(2)?,
        office: row.try_get(3)?,
        decision: row.try_get(4)?,
        transfer_to: row.try_get(5)?,
        state: row.try_get(6)?,
        refusal: row.try_get(7)?,
        decided_on: row.try_get(8)?,
    })
}

/// The decisions that an office has to carry out or could not; open ones first, then the oldest.
pub async fn mandates_of(
    office: &OfficeId,
    with_done: bool,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<MandateEntry>, sqlx::Error> {
    let sql = format!(
        "{MANDATE} where mandate.office = $1 and ($2 = 1 or state <> 'carried_out')
         order by case state when 'open' then 0 when 'refused' then 1 else 2 end, decided_on, decision_id
         limit $3 offset $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(i64::from(with_done))
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(read_mandate).collect()
}

/// All decisions that wait to be carried out at this node.
pub async fn open_mandates(executor: impl Executor<'_, Database = Any>) -> Result<Vec<MandateEntry>, sqlx::Error> {
    let sql = format!("{MANDATE} where state = 'open' order by decided_on");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(executor).await?;
    rows.iter().map(read_mandate).collect()
}

/// What was told of each case that stands on an agenda, as [`line`] writes it.
pub(crate) async fn told_lines(
    executor: impl Executor<'_, Database = Any>,
) -> Result<BTreeMap<CaseId, String>, sqlx::Error> {
    let rows = sqlx::query("select case_id, told from agenda_told where told <> ''").fetch_all(executor).await?;
    let mut lines = BTreeMap::new();
    for row in rows {
        if let Ok(case) = row.try_get::<String, _>(0)?.parse() {
            lines.insert(case, row.try_get(1)?);
        }
    }
    Ok(lines)
}

/// The day of the last meeting of a province; none when none was held.
pub async fn last_held(
    province: &OfficeId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Date>, sqlx::Error> {
    let row = sqlx::query("select coalesce(max(held_on), '') from meeting where office = $1")
        .bind(province.as_str())
        .fetch_one(executor)
        .await?;
    Ok(row.try_get::<String, _>(0)?.parse().ok())
}
