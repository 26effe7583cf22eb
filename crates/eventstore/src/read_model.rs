//! Dropping, making and refilling read models.

use std::sync::Arc;

use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};

use crate::dialect::Dialect;
use crate::event::COLUMNS;
use crate::transaction::{Lost, Transaction};
use crate::{ReadModel, Recorded, StoreError};

/// How many events are applied between two commits.
const PAGE: i64 = 500;

/// Makes the tables of each model, anew when they are of another version. Inside a transaction of the caller.
///
/// A model that this program does not know stays as it is: another program may still read it, and when it comes back
/// it catches up from its position.
pub(crate) async fn prepare(
    dialect: &Dialect,
    connection: &mut AnyConnection,
    read_models: &[Arc<dyn ReadModel>],
) -> Result<(), StoreError> {
    connection.execute("update read_model set live = 0").await?;
    for read_model in read_models {
        let row = sqlx::query("select version, tables from read_model where name = $1")
            .bind(read_model.name())
            .fetch_optional(&mut *connection)
            .await?;
        let stored: Option<(i64, String)> = match row {
            Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
            None => None,
        };
        if let Some((version, _)) = &stored
            && *version == read_model.version()
        {
            sqlx::query("update read_model set live = 1 where name = $1")
                .bind(read_model.name())
                .execute(&mut *connection)
                .await?;
            continue;
        }
        let old = stored.as_ref().map(|(_, tables)| tables.split(' ').collect::<Vec<_>>()).unwrap_or_default();
        for table in old.iter().chain(read_model.tables()).rev().filter(|table| !table.is_empty()) {
            connection.execute(AssertSqlSafe(dialect.drop_table(table))).await?;
        }
        for statements in read_model.ddl() {
            sqlx::raw_sql(AssertSqlSafe(dialect.ddl(statements))).execute(&mut *connection).await?;
        }
        sqlx::query(
            "insert into read_model (name, version, position, live, tables) values ($1, $2, 0, 1, $3)
             on conflict (name) do update set version = excluded.version, position = 0, live = 1,
                                              tables = excluded.tables",
        )
        .bind(read_model.name())
        .bind(read_model.version())
        .bind(read_model.tables().join(" "))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Brings each model to the end of the log, in pages, each with its position in one commit.
pub(crate) async fn catch_up(
    transaction: &mut Transaction,
    read_models: &[Arc<dyn ReadModel>],
) -> Result<(), StoreError> {
    for read_model in read_models {
        let name = read_model.name();
        loop {
            transaction.begin().await.map_err(fenced)?;
            let head = transaction.head().position;
            let connection = transaction.raw();
            let row = sqlx::query("select position from read_model where name = $1")
                .bind(name)
                .fetch_one(&mut *connection)
                .await?;
            let position: i64 = row.try_get(0)?;
            if position >= head {
                connection.execute("rollback").await?;
                break;
            }
            let reached = apply_page(&**read_model, position, connection).await?.unwrap_or(head);
            sqlx::query("update read_model set position = $1 where name = $2")
                .bind(reached)
                .bind(name)
                .execute(&mut *connection)
                .await?;
            fail::fail_point!("migration::before_commit");
            sqlx::raw_sql("select 1; commit").execute(&mut *connection).await?;
            fail::fail_point!("migration::after_commit");
        }
    }
    Ok(())
}

/// Applies the next page of events and tells how far it came; none at the end of the log.
pub(crate) async fn apply_page(
    read_model: &dyn ReadModel,
    position: i64,
    connection: &mut AnyConnection,
) -> Result<Option<i64>, StoreError> {
    let sql = format!("select {COLUMNS} from event where position > $1 order by position limit $2");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(position).bind(PAGE).fetch_all(&mut *connection).await?;
    let mut reached = None;
    for row in rows {
        let event = Recorded::from_row(&row)?;
        read_model.apply(&event, connection).await?;
        reached = Some(event.position);
    }
    Ok(reached)
}

fn fenced(lost: Lost) -> StoreError {
    match lost {
        Lost::Fenced => StoreError::NotTheWriter,
        Lost::Database(error) => StoreError::Database(error),
        Lost::Silent => StoreError::Unavailable,
    }
}
