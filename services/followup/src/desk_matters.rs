//! What is open at the desks, case by case, for the agenda.

use spean_eventstore::{BoxFuture, ReadModel, Recorded};
use sqlx::AnyConnection;

use crate::desk::{AtTheDesk, Event, Matters, Open};
use crate::lists::text;

/// Table and projection: one row for each office and case that has something open.
pub struct DeskMatters;

impl ReadModel for DeskMatters {
    fn name(&self) -> &'static str {
        "desk_matters"
    }

    fn version(&self) -> i64 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["desk_matter"]
    }

    fn ddl(&self) -> &'static [&'static str] {
        &["create table desk_matter (
            office text not null,
            case_id text not null,
            offers_since text not null,
            needs_since text not null,
            services_since text not null,
            primary key (case_id, office)
        )"]
    }

    fn apply<'a>(
        &'a self,
        event: &'a Recorded,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        Box::pin(async move {
            let (Some(Ok(Event::Heard { matters })), Some((office, case))) =
                (event.event::<AtTheDesk>(), event.id.split_once('/'))
            else {
                return Ok(());
            };
            sqlx::query("delete from desk_matter where case_id = $1 and office = $2")
                .bind(case)
                .bind(office)
                .execute(&mut *connection)
                .await?;
            if matters == Matters::default() {
                return Ok(());
            }
            let since = |open: Option<Open>| text(open.map(|open| open.since));
            sqlx::query(
                "insert into desk_matter (office, case_id, offers_since, needs_since, services_since)
                 values ($1, $2, $3, $4, $5)",
            )
            .bind(office)
            .bind(case)
            .bind(since(matters.offers))
            .bind(since(matters.needs))
            .bind(since(matters.services))
            .execute(connection)
            .await
            .map(drop)
        })
    }
}
