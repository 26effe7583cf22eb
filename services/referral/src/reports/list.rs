//! Reports as people see them: what is to be done, what waits for others, what came of it.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use spean_vocabulary::{OfficeId, ReportId, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::report::{Event, File, Pass, Report, Told};
use super::words::ReportState;
use crate::desk::split;

mod queries;

pub(crate) use queries::is_taken;
pub use queries::{Entry, List, Person, Station, Wanted, by_reference, find, list, persons, stations};

/// Table and projection of the reports.
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

#[cfg(test)]
mod tests;
