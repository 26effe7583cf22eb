//! The tables of the log, and the forward-only steps that make and change durable tables.

use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};

use crate::dialect::Dialect;
use crate::{StoreError, Tables};

/// The tables of the log itself. The primary key is the optimistic lock; the positions are the order of commits.
const LOG: Tables = Tables {
    name: "event_log",
    steps: &["create table event (
            position bigint not null unique,
            category text not null,
            id text not null,
            version bigint not null,
            event_type text not null,
            payload text not null,
            command_id text,
            request_digest blob,
            office text not null,
            staff text,
            recorded_at bigint not null,
            occurred_on text,
            trace text,
            hash blob not null,
            primary key (category, id, version)
        );
        create index event_command on event (command_id) where command_id is not null;
        create table writer_fence (
            one bigint primary key check (one = 1),
            fence bigint not null,
            instance text not null
        );
        insert into writer_fence (one, fence, instance) values (1, 0, '');
        create table reader_position (reader text primary key, position bigint not null);
        create table read_model (
            name text primary key,
            version bigint not null,
            position bigint not null,
            live bigint not null,
            tables text not null
        )"],
};

/// Runs the steps that were not run yet. Inside a transaction of the caller.
pub(crate) async fn migrate(
    dialect: &Dialect,
    connection: &mut AnyConnection,
    tables: &[Tables],
) -> Result<(), StoreError> {
    connection.execute("create table if not exists table_step (name text primary key, step bigint not null)").await?;
    for set in std::iter::once(&LOG).chain(tables) {
        let row = sqlx::query("select step from table_step where name = $1")
            .bind(set.name)
            .fetch_optional(&mut *connection)
            .await?;
        let done: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        let Some(steps) = set.steps.get(done..) else {
            return Err(StoreError::NewerTables { name: set.name.to_owned() });
        };
        for step in steps {
            sqlx::raw_sql(AssertSqlSafe(dialect.ddl(step))).execute(&mut *connection).await?;
        }
        let step = i64::try_from(set.steps.len()).expect("a list of steps fits");
        sqlx::query(
            "insert into table_step (name, step) values ($1, $2) on conflict (name) do update set step = excluded.step",
        )
        .bind(set.name)
        .bind(step)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
