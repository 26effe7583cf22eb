//! Reports as people see them: what is to be done, what waits for others, what came of it.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{OfficeId, ReportId, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Executor, Row as _};

use super::report::{Event, File, Pass, Report, Told};
use super::words::ReportState;
use crate::desk::split;

/// Table, projection and queries of the reports.
pub struct ReportList;

impl ReadModel for ReportList {
    fn name(&self) -> &'static str {
        "report"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["report", "report_station", "report_person"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &[
            "create table report (
                office text not null,
                report_id text not null,
                reference text not null,
                state text not null,
                heard_state text not null,
                channel text not null,
                place text not null,
                concerns text not null,
                urgency text not null,
                people bigint not null,
                sex text not null,
                age_band text not null,
                seen_on text not null,
                taken_down_by text not null,
                from_offices text not null,
                silent_offices text not null,
                looked_into_by text not null,
                received_at bigint not null,
                answer_due_at bigint not null,
                heard_at bigint not null,
                unfounded text not null,
                closed text not null,
                has_words bigint not null,
                has_reporter bigint not null,
                primary key (office, report_id)
            );
            create index report_reference on report (reference, office);
            create index report_due on report (state, answer_due_at)",
            "create table report_station (
                office text not null,
                report_id text not null,
                to_office text not null,
                number bigint not null,
                because text not null,
                passed_at bigint not null,
                due_at bigint not null,
                said text not null,
                silent bigint not null,
                primary key (office, report_id, to_office)
            )",
            "create table report_person (
                office text not null,
                report_id text not null,
                at_office text not null,
                person bigint not null,
                case_id text not null,
                stage text not null,
                stage_on text not null,
                outcome text not null,
                outcome_on text not null,
                primary key (office, report_id, at_office, person)
            );
            create index report_person_case on report_person (office, case_id)",
        ]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let Some(Ok(of_report)) = event.event::<Report>() else { return Ok(()) };
            let Some((office, report)) = split::<ReportId>(&event.id) else { return Ok(()) };
            let at = event.metadata.recorded_at;
            Row { office: &office, report, at }.apply(of_report, connection).await
        })
    }
}

/// The report of an office that something happened to.
#[derive(Clone, Copy)]
struct Row<'r> {
    office: &'r OfficeId,
    report: ReportId,
    at: Timestamp,
}

impl Row<'_> {
    async fn apply(self, event: Event, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        match event {
            Event::TakenDown { file, channel, reporter, due_at } => {
                let channel = channel.map(|channel| channel.to_string()).unwrap_or_default();
                self.begin(&file, &channel, reporter.is_some(), due_at, connection).await
            }
            Event::Arrived { file, from, silent, due_at, .. } => {
                self.begin(&file, "", false, due_at, connection).await?;
                self.add("from_offices", from.as_str(), connection).await?;
                for office in silent {
                    self.add("silent_offices", office.as_str(), connection).await?;
                }
                // Who had passed it on gets it back.
                sqlx::query(
                    "update report set state = 'received', looked_into_by = office, answer_due_at = $3
                     where office = $1 and report_id = $2 and state = 'passed_on'",
                )
                .bind(self.office.as_str())
                .bind(self.report.to_string())
                .bind(due_at.as_micros())
                .execute(connection)
                .await?;
                Ok(())
            }
            Event::TakenUp { .. } => self.looks(ReportState::LookedInto, connection).await,
            Event::PassedOn { pass, .. } => self.pass(pass, connection).await,
            Event::TakenBack { silent, due_at } => {
                self.is_silent(&silent, connection).await?;
                sqlx::query(
                    "update report set state = 'received', looked_into_by = office, answer_due_at = $3
                     where office = $1 and report_id = $2",
                )
                .bind(self.office.as_str())
                .bind(self.report.to_string())
                .bind(due_at.as_micros())
                .execute(connection)
                .await?;
                Ok(())
            }
            Event::CaseLinked { case, person, .. } => {
                self.person(self.office, person, &case.to_string(), connection).await?;
                self.looks(ReportState::BecameCase, connection).await
            }
            Event::FoundUnfounded { reason, .. } => {
                self.looks(ReportState::Unfounded, connection).await?;
                self.set("unfounded", &reason.to_string(), connection).await
            }
            Event::Closed { reason, .. } => {
                self.looks(ReportState::Closed, connection).await?;
                self.set("closed", &reason.to_string(), connection).await
            }
            Event::ReporterErased { .. } => {
                sqlx::query("update report set has_reporter = 0 where office = $1 and report_id = $2")
                    .bind(self.office.as_str())
                    .bind(self.report.to_string())
                    .execute(connection)
                    .await?;
                Ok(())
            }
            Event::Heard { from, told, .. } => self.hear(&from, &told, connection).await,
            Event::ProgressNoted { told, .. } => self.progress(&told, connection).await,
        }
    }

    async fn begin(
        self,
        file: &File,
        channel: &str,
        has_reporter: bool,
        due_at: Timestamp,
        connection: &mut AnyConnection,
    ) -> Result<(), sqlx::Error> {
        let concerns: Vec<_> = file.concerns.iter().map(ToString::to_string).collect();
        sqlx::query(
            "insert into report (office, report_id, reference, state, heard_state, channel, place, concerns, urgency,
                people, sex, age_band, seen_on, taken_down_by, from_offices, silent_offices, looked_into_by,
                received_at, answer_due_at, heard_at, unfounded, closed, has_words, has_reporter)
             values ($1, $2, $3, 'received', '', $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', $1, $13, $14, $13, '',
                '', $15, $16)
             on conflict (office, report_id) do nothing",
        )
        .bind(self.office.as_str())
        .bind(self.report.to_string())
        .bind(file.reference.to_string())
        .bind(channel)
        .bind(file.place.to_string())
        .bind(concerns.join(","))
        .bind(file.urgency.to_string())
        .bind(i64::from(file.people.unwrap_or(0)))
        .bind(file.sex.to_string())
        .bind(file.age_band.to_string())
        .bind(file.seen_on.map(|day| day.to_string()).unwrap_or_default())
        .bind(file.taken_down_by.to_string())
        .bind(self.at.as_micros())
        .bind(due_at.as_micros())
        .bind(i64::from(file.has_words))
        .bind(i64::from(has_reporter))
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Adds an office to a list, once.
    async fn add(self, column: &'static str, office: &str, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let sql = format!(
            "update report set {column} = case when {column} = '' then $3 else {column} || ',' || $3 end
             where office = $1 and report_id = $2 and ',' || {column} || ',' not like '%,' || $3 || ',%'"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(office.to_owned())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn set(self, column: &'static str, word: &str, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let sql = format!("update report set {column} = $3 where office = $1 and report_id = $2");
        sqlx::query(AssertSqlSafe(sql))
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(word.to_owned())
            .execute(connection)
            .await?;
        Ok(())
    }

    /// This office looks into it, and has come so far.
    async fn looks(self, state: ReportState, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update report set state = $3, looked_into_by = office, heard_at = $4
             where office = $1 and report_id = $2",
        )
        .bind(self.office.as_str())
        .bind(self.report.to_string())
        .bind(state.to_string())
        .bind(self.at.as_micros())
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn pass(self, pass: Pass, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for office in &pass.silent {
            self.is_silent(office, connection).await?;
        }
        sqlx::query(
            "insert into report_station (office, report_id, to_office, number, because, passed_at, due_at, said, silent)
             select $1, $2, $3, count(*) + 1, $4, $5, $6, '', 0 from report_station
             where office = $1 and report_id = $2",
        )
        .bind(self.office.as_str())
        .bind(self.report.to_string())
        .bind(pass.to.to_string())
        .bind(pass.because.to_string())
        .bind(self.at.as_micros())
        .bind(pass.due_at.as_micros())
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "update report set state = 'passed_on', looked_into_by = $3
             where office = $1 and report_id = $2 and state in ('received', 'passed_on')",
        )
        .bind(self.office.as_str())
        .bind(self.report.to_string())
        .bind(pass.to.to_string())
        .execute(connection)
        .await?;
        Ok(())
    }

    async fn is_silent(self, office: &OfficeId, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        sqlx::query("update report_station set silent = 1 where office = $1 and report_id = $2 and to_office = $3")
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(office.to_string())
            .execute(&mut *connection)
            .await?;
        self.add("silent_offices", office.as_str(), connection).await
    }

    async fn hear(self, from: &OfficeId, told: &Told, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let row = sqlx::query("select heard_state from report where office = $1 and report_id = $2")
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(()) };
        let further = row.try_get::<&str, _>(0)?.parse::<ReportState>().is_ok_and(|heard| heard > told.state);
        sqlx::query("update report_station set said = $4 where office = $1 and report_id = $2 and to_office = $3")
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(from.to_string())
            .bind(told.state.to_string())
            .execute(&mut *connection)
            .await?;
        if !further {
            sqlx::query(
                "update report set heard_state = $3,
                    looked_into_by = case when state = 'passed_on' then $4 else looked_into_by end
                 where office = $1 and report_id = $2",
            )
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(told.state.to_string())
            .bind(told.at.to_string())
            .execute(&mut *connection)
            .await?;
            if let Some(reason) = told.unfounded {
                self.set("unfounded", &reason.to_string(), connection).await?;
            }
            if let Some(reason) = told.closed {
                self.set("closed", &reason.to_string(), connection).await?;
            }
        }
        self.progress(told, connection).await
    }

    async fn progress(self, told: &Told, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let heard = sqlx::query("update report set heard_at = $3 where office = $1 and report_id = $2");
        heard
            .bind(self.office.as_str())
            .bind(self.report.to_string())
            .bind(self.at.as_micros())
            .execute(&mut *connection)
            .await?;
        let Some(person) = told.person else { return Ok(()) };
        self.person(&told.at, person, "", connection).await?;
        let on = told.on.map(|on| on.to_string()).unwrap_or_default();
        let stage = told.stage.map(|stage| stage.to_string());
        let outcome = told.outcome.map(|outcome| outcome.to_string());
        // What happened later in the field stands, in whatever order it is heard.
        for (column, word) in [("stage", stage), ("outcome", outcome)] {
            let Some(word) = word else { continue };
            let sql = format!(
                "update report_person set {column} = $5, {column}_on = $6
                 where office = $1 and report_id = $2 and at_office = $3 and person = $4 and {column}_on <= $6"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(self.office.as_str())
                .bind(self.report.to_string())
                .bind(told.at.to_string())
                .bind(i64::from(person))
                .bind(word)
                .bind(&on)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }

    async fn person(
        self,
        at: &OfficeId,
        person: u32,
        case: &str,
        connection: &mut AnyConnection,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into report_person (office, report_id, at_office, person, case_id, stage, stage_on, outcome,
                outcome_on)
             values ($1, $2, $3, $4, $5, '', '', '', '')
             on conflict (office, report_id, at_office, person) do nothing",
        )
        .bind(self.office.as_str())
        .bind(self.report.to_string())
        .bind(at.to_string())
        .bind(i64::from(person))
        .bind(case.to_owned())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// A report as a list shows it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's Report")]
pub struct Entry {
    pub report_id: String,
    pub reference: String,
    pub state: String,
    pub heard_state: String,
    pub channel: String,
    pub place: String,
    pub concerns: String,
    pub urgency: String,
    pub people: i64,
    pub sex: String,
    pub age_band: String,
    pub seen_on: String,
    pub taken_down_by: String,
    pub from_offices: String,
    pub silent_offices: String,
    pub looked_into_by: String,
    pub received_at: i64,
    pub answer_due_at: i64,
    pub heard_at: i64,
    pub unfounded: String,
    pub closed: String,
    pub has_words: bool,
    pub has_reporter: bool,
}

/// An office that a report was passed on to.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's ReportStation")]
pub struct Station {
    pub office: String,
    pub because: String,
    pub passed_at: i64,
    pub due_at: i64,
    pub said: String,
    pub silent: bool,
}

/// What became of somebody whom a report is about.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the wire's PersonProgress")]
pub struct Person {
    pub at_office: String,
    pub person: i64,
    pub case_id: String,
    pub stage: String,
    pub stage_on: String,
    pub outcome: String,
    pub outcome_on: String,
}

/// Which reports of an office are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// All.
    All,
    /// Those that the office has to do something about.
    ToDo,
    /// Those that wait for another office.
    Waiting,
    /// Those that have ended.
    Ended,
}

/// Which reports of a list are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The list.
    pub list: List,
    /// Only those in this state.
    pub state: Option<ReportState>,
    /// Only those that came until then.
    pub received_until: Timestamp,
}

const ENTRY: &str = "select report_id, reference, state, heard_state, channel, place, concerns, urgency, people, sex,
    age_band, seen_on, taken_down_by, from_offices, silent_offices, looked_into_by, received_at, answer_due_at, heard_at,
    unfounded, closed, has_words, has_reporter from report";

/// The reports of an office, the one whose answer is due first at the top.
pub async fn list(
    office: &OfficeId,
    wanted: Wanted,
    limit: i64,
    offset: i64,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let condition = match wanted.list {
        List::All => "1 = 1",
        List::ToDo => "state in ('received', 'looked_into', 'became_case')",
        List::Waiting => "state = 'passed_on' and heard_state not in ('unfounded', 'closed')",
        List::Ended => {
            "(state in ('unfounded', 'closed') or (state = 'passed_on' and heard_state in ('unfounded', 'closed')))"
        }
    };
    let sql = format!(
        "{ENTRY} where office = $1 and {condition} and ($2 = '' or state = $2) and received_at <= $3
         order by answer_due_at, report_id limit $4 offset $5"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(wanted.state.map(|state| state.to_string()).unwrap_or_default())
        .bind(wanted.received_until.as_micros())
        .bind(limit)
        .bind(offset)
        .fetch_all(executor)
        .await?;
    rows.iter().map(entry).collect()
}

/// A report of an office.
pub async fn find(
    office: &OfficeId,
    report: ReportId,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and report_id = $2");
    let row =
        sqlx::query(AssertSqlSafe(sql)).bind(office.as_str()).bind(report.to_string()).fetch_optional(executor).await?;
    row.as_ref().map(entry).transpose()
}

/// A report of an office by its number for the telephone.
pub async fn by_reference(
    office: &OfficeId,
    reference: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = format!("{ENTRY} where office = $1 and reference = $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(office.as_str())
        .bind(reference.to_owned())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(entry).transpose()
}

/// Whether a number is taken by a report that any office of this node took down or got.
pub(crate) async fn is_taken(reference: &str, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select count(*) from report where reference = $1")
        .bind(reference.to_owned())
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// The offices that a report was passed on to, in their order.
pub async fn stations(
    office: &OfficeId,
    report: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Station>, sqlx::Error> {
    let rows = sqlx::query(
        "select to_office, because, passed_at, due_at, said, silent from report_station
         where office = $1 and report_id = $2 order by number",
    )
    .bind(office.as_str())
    .bind(report.to_owned())
    .fetch_all(executor)
    .await?;
    let station = |row: &AnyRow| {
        Ok(Station {
            office: row.try_get(0)?,
            because: row.try_get(1)?,
            passed_at: row.try_get(2)?,
            due_at: row.try_get(3)?,
            said: row.try_get(4)?,
            silent: row.try_get::<i64, _>(5)? == 1,
        })
    };
    rows.iter().map(station).collect()
}

/// What became of the people that a report is about.
pub async fn persons(
    office: &OfficeId,
    report: &str,
    executor: impl Executor<'_, Database = Any>,
) -> Result<Vec<Person>, sqlx::Error> {
    let rows = sqlx::query(
        "select at_office, person, case_id, stage, stage_on, outcome, outcome_on from report_person
         where office = $1 and report_id = $2 order by at_office, person",
    )
    .bind(office.as_str())
    .bind(report.to_owned())
    .fetch_all(executor)
    .await?;
    let person = |row: &AnyRow| {
        Ok(Person {
            at_office: row.try_get(0)?,
            person: row.try_get(1)?,
            case_id: row.try_get(2)?,
            stage: row.try_get(3)?,
            stage_on: row.try_get(4)?,
            outcome: row.try_get(5)?,
            outcome_on: row.try_get(6)?,
        })
    };
    rows.iter().map(person).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry {
        report_id: row.try_get(0)?,
        reference: row.try_get(1)?,
        state: row.try_get(2)?,
        heard_state: row.try_get(3)?,
        channel: row.try_get(4)?,
        place: row.try_get(5)?,
        concerns: row.try_get(6)?,
        urgency: row.try_get(7)?,
        people: row.try_get(8)?,
        sex: row.try_get(9)?,
        age_band: row.try_get(10)?,
        seen_on: row.try_get(11)?,
        taken_down_by: row.try_get(12)?,
        from_offices: row.try_get(13)?,
        silent_offices: row.try_get(14)?,
        looked_into_by: row.try_get(15)?,
        received_at: row.try_get(16)?,
        answer_due_at: row.try_get(17)?,
        heard_at: row.try_get(18)?,
        unfounded: row.try_get(19)?,
        closed: row.try_get(20)?,
        has_words: row.try_get::<i64, _>(21)? == 1,
        has_reporter: row.try_get::<i64, _>(22)? == 1,
    })
}

#[cfg(test)]
mod tests;
