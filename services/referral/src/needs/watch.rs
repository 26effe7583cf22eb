//! The clock on places that are kept: whoever does not take one in time lets the next go ahead.

use std::time::Duration;

use spean_chassis::{Next, Round, When};
use spean_eventstore::{EventStore, TransactError};
use spean_messaging::{Post, Unusable};
use sqlx::Row as _;

use super::figures::recount;
use crate::desk::Desk;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks at the clock.
pub(crate) fn round(desk: &Desk, store: &EventStore, post: &Post) -> Round {
    let (desk, store) = (desk.clone(), store.clone());
    Round::new("kept places", When::Every(LOOK_EVERY, post.clone()), move || {
        let (desk, store) = (desk.clone(), store.clone());
        async move { look(&desk, &store).await.map(|()| Next::Rest) }
    })
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
