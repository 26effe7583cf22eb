//! How long handoffs take, from the offer to the acceptance that its holder recorded.

use opentelemetry::global;
use spean_custody::case::{CaseCustody, Event};
use spean_eventstore::Recorded;
use spean_vocabulary::Timestamp;
use sqlx::{AnyConnection, Row as _};

/// Measures the handoffs that came to their end with these events, by the clock of the office that offered.
pub(crate) async fn measure(
    decided: &[Recorded],
    now: Timestamp,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    for recorded in decided {
        let Some(Ok(Event::Transferred { offer, .. } | Event::ServiceAgreed { offer, .. })) =
            recorded.event::<CaseCustody>()
        else {
            continue;
        };
        let row = sqlx::query("select offered_at from offer where offer_id = $1 and direction = 'out'")
            .bind(offer.to_string())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { continue };
        let waited = std::time::Duration::from_micros(now.as_micros().abs_diff(row.try_get(0)?));
        let meter = global::meter("spean");
        meter.f64_histogram("spean.handoff.duration").with_unit("s").build().record(waited.as_secs_f64(), &[]);
    }
    Ok(())
}
