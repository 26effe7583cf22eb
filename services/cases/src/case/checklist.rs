//! What a complete file holds: what is there, what is missing, and since when.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_vocabulary::{AgeBand, AttachmentId, Codes, ConsentBasis, ConsentId, Date, FactId};
use strum::IntoEnumIterator as _;

use super::Event;
use super::words::{AttachmentKind, FileItem, FileItemState, WaiveReason};

/// How the file of one case stands. Folded from the case's events alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    items: BTreeMap<FileItem, Entry>,
    is_child: bool,
    consents: BTreeMap<ConsentId, ConsentBasis>,
    facts: BTreeSet<FactId>,
    papers: BTreeSet<AttachmentId>,
    photographs: BTreeSet<AttachmentId>,
    /// The last day that an event told: for those of the first version that tell none.
    today: Option<Date>,
}

/// How one thing of a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// How it stands.
    pub state: FileItemState,
    /// Since which day.
    pub since: Date,
    /// Why it will not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived_for: Option<WaiveReason>,
}

impl Checklist {
    /// Everything that a file holds, in the order in which it is asked for.
    pub fn entries(&self) -> impl Iterator<Item = (FileItem, Entry)> {
        self.items.iter().map(|(item, entry)| (*item, *entry))
    }

    /// What is missing, for the longest time first.
    pub fn missing(&self) -> Vec<(FileItem, Entry)> {
        let mut missing: Vec<_> = self.entries().filter(|(_, entry)| entry.state == FileItemState::Missing).collect();
        missing.sort_by_key(|(item, entry)| (entry.since, *item));
        missing
    }

    /// How the file stands after an event.
    #[must_use]
    pub fn after(mut self, event: &Event) -> Self {
        match event {
            Event::Registered { codes, registered_on, .. } => {
                self.begin(*registered_on);
                self.describe(codes, *registered_on);
            }
            Event::Received { on, age_band, .. } => {
                self.begin(*on);
                self.is_child = age_band.is_none_or(AgeBand::is_child);
            }
            Event::Amended { codes, on } => {
                let Some(on) = on.or(self.today) else { return self };
                self.describe(codes, on);
                self.weigh_consents(on);
            }
            Event::ConsentRecorded { consent_id, consent } => {
                self.consents.insert(*consent_id, consent.basis);
                self.weigh_consents(consent.given_on);
            }
            Event::ConsentWithdrawn { consent_id, withdrawn_on: on }
            | Event::ConsentLapsed { consent_id, lapsed_on: on } => {
                self.consents.remove(consent_id);
                self.weigh_consents(*on);
            }
            Event::NeedsRecorded { found_on, .. } => self.weigh(FileItem::Needs, true, *found_on),
            Event::FactRecorded { fact_id, on, .. } => {
                self.facts.insert(*fact_id);
                self.weigh(FileItem::Facts, true, *on);
            }
            Event::FactRetracted { fact_id, on, .. } => {
                self.facts.remove(fact_id);
                self.weigh(FileItem::Facts, !self.facts.is_empty(), *on);
            }
            Event::RiskRaised { risk, .. } => self.weigh(FileItem::Risk, true, risk.raised_on),
            Event::AttachmentAdded { attachment_id, attachment } => {
                match attachment.kind {
                    AttachmentKind::IdentityPaper | AttachmentKind::TravelPaper => self.papers.insert(*attachment_id),
                    AttachmentKind::Photograph => self.photographs.insert(*attachment_id),
                    _ => false,
                };
                self.weigh_files(attachment.made_on);
            }
            Event::AttachmentRemoved { attachment_id, on, .. } => {
                self.papers.remove(attachment_id);
                self.photographs.remove(attachment_id);
                self.weigh_files(*on);
            }
            Event::FileItemWaived { item, reason, on } => {
                let entry = Entry { state: FileItemState::Waived, since: *on, waived_for: Some(*reason) };
                self.items.insert(*item, entry);
            }
            _ => {}
        }
        self
    }

    fn begin(&mut self, on: Date) {
        self.today = Some(on);
        let missing = Entry { state: FileItemState::Missing, since: on, waived_for: None };
        self.items = FileItem::iter().map(|item| (item, missing)).collect();
    }

    fn describe(&mut self, codes: &Codes, on: Date) {
        self.is_child = codes.age_band.is_child();
        let told = [
            (FileItem::Name, "name"),
            (FileItem::Birth, "birth"),
            (FileItem::Sex, "sex"),
            (FileItem::HomePlace, "home_place"),
        ];
        for (item, word) in told {
            self.weigh(item, !codes.missing.iter().any(|missing| missing == word), on);
        }
    }

    fn weigh_consents(&mut self, on: Date) {
        let stands = self.consents.values().any(|basis| !self.is_child || *basis != ConsentBasis::Person);
        self.weigh(FileItem::Consent, stands, on);
    }

    fn weigh_files(&mut self, on: Date) {
        self.weigh(FileItem::IdentityPaper, !self.papers.is_empty(), on);
        self.weigh(FileItem::Photograph, !self.photographs.is_empty(), on);
    }

    /// What somebody said will not be had stays so until it is there.
    fn weigh(&mut self, item: FileItem, is_there: bool, on: Date) {
        let Some(entry) = self.items.get_mut(&item) else { return };
        let state = match (is_there, entry.state) {
            (true, _) => FileItemState::Done,
            (false, FileItemState::Waived) => FileItemState::Waived,
            (false, _) => FileItemState::Missing,
        };
        if entry.state != state {
            *entry = Entry { state, since: on, waived_for: None };
        }
    }
}
