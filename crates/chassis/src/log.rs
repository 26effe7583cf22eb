//! What stands in the log of a service and beside it, for those who open it and for those who examine it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use spean_eventsourcing::Aggregate;
use spean_eventstore::{ReadModel, Recorded, Tables};
use spean_messaging::post;
use spean_policy::Adopted;
use spean_vocabulary::Service;

/// Tries to read an event.
type Reading = fn(&Recorded) -> bool;

/// The contents of a service's log.
pub struct Log {
    /// Which service.
    pub service: Service,
    /// Tables that are not derived from the log, those of the post office included.
    pub tables: Vec<Tables>,
    /// Tables that are.
    pub read_models: Vec<Arc<dyn ReadModel>>,
    readings: BTreeMap<&'static str, Reading>,
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Log {
    /// The log of a service as all have it: the policy, and the tables of the post office.
    pub fn of(service: Service) -> Self {
        Self { service, tables: vec![post::TABLES], read_models: vec![], readings: BTreeMap::new() }.with::<Adopted>()
    }

    /// With the events of such things.
    #[must_use]
    pub fn with<A: Aggregate>(mut self) -> Self {
        self.readings.insert(A::CATEGORY, |event| matches!(event.event::<A>(), Some(Ok(_))));
        self
    }

    /// With tables that are not derived from it.
    #[must_use]
    pub fn with_tables(mut self, tables: impl IntoIterator<Item = Tables>) -> Self {
        self.tables.extend(tables);
        self
    }

    /// With tables that are.
    #[must_use]
    pub fn with_read_models(mut self, read_models: impl IntoIterator<Item = Arc<dyn ReadModel>>) -> Self {
        self.read_models.extend(read_models);
        self
    }

    /// Whether this version of the program knows what the event says.
    pub fn reads(&self, event: &Recorded) -> bool {
        self.readings.get(event.category.as_str()).is_some_and(|reading| reading(event))
    }

    /// The kinds of things whose events stand in it.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        self.readings.keys().copied()
    }
}
