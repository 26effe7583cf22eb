//! What a service tells its agency's insight of an event: one thing that happened and counts. Codes and days only.

use std::fmt::Display;

use prost::Message as _;
use spean_contracts::insight::v1::{FactRecorded, Measure, SubjectDescribed};
use spean_eventstore::Recorded;
use spean_messaging::{Address, Posting};
use spean_vocabulary::{CaseId, Date, NodeId, OfficeId, Service, Timestamp};

/// Name of [`FactRecorded`] on the wire.
const FACT_RECORDED: &str = "spean.insight.v1.FactRecorded";
/// Name of [`SubjectDescribed`] on the wire.
const SUBJECT_DESCRIBED: &str = "spean.insight.v1.SubjectDescribed";

/// How much of the hash of an event names its facts: 64 bits are enough for the events of one service.
const HASH_DIGITS: usize = 16;

/// A fact in the making. What is not said otherwise is that of the event: its office, and its day in the field.
#[derive(Clone, Debug)]
#[must_use]
pub struct Fact {
    told: FactRecorded,
    subject: CaseId,
}

impl Fact {
    /// What an event of a service's log means for the figures of a case.
    pub fn of(service: Service, recorded: &Recorded, subject: CaseId, measure: Measure) -> Self {
        let on = recorded.metadata.occurred_on.unwrap_or_else(|| recorded.metadata.recorded_at.date_in_cambodia());
        // By its hash, and not by its place in the log: after a restore another event comes to stand there.
        let hash = recorded.hash.to_string();
        let told = FactRecorded {
            fact_id: format!("{service}/{}/{}", &hash[..HASH_DIGITS], measure.as_str_name()),
            subject_id: subject.to_string(),
            measure: measure.into(),
            office_id: recorded.metadata.office.to_string(),
            occurred_on: on.to_string(),
            recorded_hour: recorded.metadata.recorded_at.hours_since(Timestamp::from_micros(0)),
            ..FactRecorded::default()
        };
        Self { told, subject }
    }

    /// A code that says more: the need, the outcome, the reason.
    pub fn detail(mut self, code: impl Display) -> Self {
        self.told.detail = code.to_string();
        self
    }

    /// What has a beginning and an end: the offer, the need, the stay.
    pub fn thing(mut self, id: impl Display) -> Self {
        self.told.thing_id = id.to_string();
        self
    }

    /// The office at which it happened, when that is not the one for which the event was recorded.
    pub fn at(mut self, office: &OfficeId) -> Self {
        self.told.office_id = office.to_string();
        self
    }

    /// The day on which it happened.
    pub fn on(mut self, day: Date) -> Self {
        self.told.occurred_on = day.to_string();
        self
    }

    /// The letter to insight.
    pub fn tell(self, node: &NodeId) -> Posting {
        posting(node, FACT_RECORDED, self.subject, self.told.encode_to_vec())
    }
}

/// The letter that tells insight what an event of a service's log says of a case, or of another thing that is counted.
/// What is not set says nothing.
pub fn describe(node: &NodeId, recorded: &Recorded, subject: CaseId, described: SubjectDescribed) -> Posting {
    let told = SubjectDescribed { subject_id: subject.to_string(), position: recorded.position, ..described };
    posting(node, SUBJECT_DESCRIBED, subject, told.encode_to_vec())
}

fn posting(node: &NodeId, kind: &'static str, subject: CaseId, body: Vec<u8>) -> Posting {
    let to = Address { node: node.clone(), service: Service::Insight };
    Posting { to, kind, case: Some(subject), body, attachment: None }
}
