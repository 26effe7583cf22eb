//! What follows for others from agendas, meetings and decisions.

use prost::Message as _;
use spean_contracts::followup::v1 as wire;
use spean_eventstore::Recorded;
use spean_messaging::Posting;
use spean_vocabulary::{CaseId, Date, OfficeId};

use super::Post;
use crate::agenda::{self, Told};
use crate::lists::text;
use crate::mandate::{self, Answer, Received};
use crate::meeting::{self, Decided, Decision};

/// Name of [`wire::AgendaTold`] on the wire.
pub(crate) const AGENDA_TOLD: &str = "spean.followup.v1.AgendaTold";
/// Name of [`wire::MeetingDecided`] on the wire.
pub(crate) const MEETING_DECIDED: &str = "spean.followup.v1.MeetingDecided";
/// Name of [`wire::DecisionAnswered`] on the wire.
pub(crate) const DECISION_ANSWERED: &str = "spean.followup.v1.DecisionAnswered";

impl Post {
    pub(super) fn of_agenda(&self, event: &agenda::Event, recorded: &Recorded) -> Vec<Posting> {
        let (agenda::Event::Told(told), Ok(case)) = (event, recorded.id.parse::<CaseId>()) else { return vec![] };
        let Told { office, to, case_number, topics } = told;
        let told = wire::AgendaTold {
            case_id: case.to_string(),
            case_number: text(*case_number),
            from_office_id: office.to_string(),
            to_office_id: to.to_string(),
            topics: topics
                .iter()
                .map(|(topic, since)| wire::AgendaTopic { topic: topic.on_the_wire(), since: since.to_string() })
                .collect(),
        };
        self.to_office(to, AGENDA_TOLD, case, told.encode_to_vec()).into_iter().collect()
    }

    pub(super) fn of_meeting(&self, event: &meeting::Event, recorded: &Recorded) -> Vec<Posting> {
        let meeting::Event::MinutesSigned { office, held_on, decisions } = event else { return vec![] };
        let letter = |decided: &Decided| {
            let told = write_decided(&recorded.id, office, *held_on, decided);
            self.to_office(&decided.office, MEETING_DECIDED, decided.case, told.encode_to_vec())
        };
        decisions.iter().filter_map(letter).collect()
    }

    pub(super) fn of_mandate(&self, event: &mandate::Event, recorded: &Recorded) -> Vec<Posting> {
        let (received, answer) = match event {
            mandate::Event::Received { received, answer } => (received, answer),
            mandate::Event::Completed { received } => (received, &Answer::CarriedOut),
        };
        let Received { meeting, case, office, province, .. } = received;
        let (state, refusal) = match answer {
            Answer::CarriedOut => (wire::MandateState::CarriedOut, String::new()),
            Answer::Open => (wire::MandateState::Open, String::new()),
            Answer::Refused { reason } => (wire::MandateState::Refused, reason.clone()),
        };
        let told = wire::DecisionAnswered {
            decision_id: recorded.id.clone(),
            meeting_id: meeting.clone(),
            case_id: case.to_string(),
            from_office_id: office.to_string(),
            to_office_id: province.to_string(),
            state: state.into(),
            refusal,
        };
        self.to_office(province, DECISION_ANSWERED, *case, told.encode_to_vec()).into_iter().collect()
    }
}

fn write_decided(meeting: &str, province: &OfficeId, held_on: Date, decided: &Decided) -> wire::MeetingDecided {
    let told = wire::MeetingDecided {
        decision_id: decided.decision_id.to_string(),
        meeting_id: meeting.to_owned(),
        case_id: decided.case.to_string(),
        from_office_id: province.to_string(),
        to_office_id: decided.office.to_string(),
        known_topics: decided.known.iter().map(|topic| topic.on_the_wire()).collect(),
        decided_on: held_on.to_string(),
        ..wire::MeetingDecided::default()
    };
    match &decided.decision {
        Decision::Close { reason } => {
            wire::MeetingDecided { decision: wire::Decision::Close.into(), end_reason: reason.on_the_wire(), ..told }
        }
        Decision::Extend { reason, months } => wire::MeetingDecided {
            decision: wire::Decision::Extend.into(),
            extend_reason: reason.on_the_wire(),
            months: (*months).into(),
            ..told
        },
        Decision::Reopen { reason } => wire::MeetingDecided {
            decision: wire::Decision::Reopen.into(),
            reopen_reason: reason.on_the_wire(),
            ..told
        },
        Decision::Transfer { to } => wire::MeetingDecided {
            decision: wire::Decision::Transfer.into(),
            transfer_to_office_id: to.to_string(),
            ..told
        },
        Decision::FurtherTracing => wire::MeetingDecided { decision: wire::Decision::FurtherTracing.into(), ..told },
        Decision::Continue => wire::MeetingDecided { decision: wire::Decision::Continue.into(), ..told },
    }
}
