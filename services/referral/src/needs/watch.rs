//! The clock on places that are kept: whoever does not take one in time lets the next go ahead.

use std::time::Duration;

use spean_eventstore::{EventStore, TransactError};
use spean_messaging::{Post, Unusable};
use sqlx::Row as _;

use super::figures::recount;
use crate::desk::Desk;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks at the clock for ever.
pub(crate) async fn watch(desk: Desk, store: EventStore, post: Post) {
    loop {
        if !post.is_recovering()
            && let Err(error) = look(&desk, &store).await
        {
            tracing::warn!(error = %error, "kept places are looked at later");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn look(desk: &Desk, store: &EventStore) -> anyhow::Result<()> {
    let now = desk.node.clock.now();
    let rows = sqlx::query("select distinct office, need from waiting where kept_until > 0 and kept_until <= $1")
        .bind(now.as_micros())
        .fetch_all(store.reader())
        .await?;
    for row in rows {
        let office = row.try_get::<&str, _>(0)?.parse()?;
        let need = row.try_get::<&str, _>(1)?.parse()?;
        let desk = desk.clone();
        let counted = store.transact(move |transaction| {
            Box::pin(async move { recount(&desk, &office, need, None, transaction).await })
        });
        counted.await.map_err(|error: TransactError<Unusable>| anyhow::anyhow!("{error}"))?;
    }
    Ok(())
}
