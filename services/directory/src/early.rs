//! Letters of other nodes about offices that the edition in force here does not know: theirs is newer. They wait for it.

use spean_eventstore::Tables;
use spean_messaging::Letter;
use spean_vocabulary::{NodeId, Timestamp};
use sqlx::{AnyConnection, Row as _};

/// The code of a refusal that only means "not yet".
pub(crate) const UNKNOWN_OFFICE: &str = "UNKNOWN_OFFICE";

/// Where they wait.
pub(crate) const TABLES: Tables = Tables {
    name: "early_letter",
    steps: &["create table early_letter (
        id text primary key,
        node text not null,
        kind text not null,
        body blob not null,
        arrived_at bigint not null
    )"],
};

/// A letter that waits.
#[derive(Debug)]
pub(crate) struct Early {
    pub(crate) id: String,
    pub(crate) node: NodeId,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

/// Lets a letter wait.
pub(crate) async fn keep(letter: &Letter, at: Timestamp, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into early_letter (id, node, kind, body, arrived_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing",
    )
    .bind(letter.id.to_string())
    .bind(letter.from.node.as_str())
    .bind(&letter.kind)
    .bind(&letter.body)
    .bind(at.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// All that wait, in the order in which they came.
pub(crate) async fn waiting(connection: &mut AnyConnection) -> Result<Vec<Early>, sqlx::Error> {
    let rows = sqlx::query("select id, node, kind, body from early_letter order by arrived_at, id")
        .fetch_all(connection)
        .await?;
    let mut waiting = Vec::with_capacity(rows.len());
    for row in rows {
        let node: &str = row.try_get(1)?;
        let node = node.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        waiting.push(Early { id: row.try_get(0)?, node, kind: row.try_get(2)?, body: row.try_get(3)? });
    }
    Ok(waiting)
}

/// One waits no longer.
pub(crate) async fn forget(id: &str, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("delete from early_letter where id = $1").bind(id).execute(connection).await?;
    Ok(())
}
