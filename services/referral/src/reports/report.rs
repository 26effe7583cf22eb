//! What one office knows of one report: that it was taken down or came from elsewhere, who looks into it, what came of it.
//!
//! Nobody holds a report as a case is held: two offices that look into the same danger do no harm, and nobody doing so
//! does. So offices pass a report on, tell back what they found, and silence is climbed over by the clock.

mod command;
mod error;
mod event;

use std::collections::{BTreeMap, BTreeSet};

use spean_custody::case::ServiceOutcome;
use spean_eventsourcing::{Aggregate, Context};
use spean_vocabulary::{CaseId, Date, OfficeId, PersonId, Timestamp};

pub use self::command::{Command, File, Pass, Told};
pub use self::error::Error;
pub use self::event::Event;
use super::words::{Channel, CloseReason, PassReason, ReportState, UnfoundedReason};
use crate::news::Stage;

/// A report at one office.
#[derive(Clone, Debug, Default)]
pub struct Report {
    known: Option<Known>,
    stations: BTreeMap<OfficeId, Station>,
    cases: Vec<CaseId>,
    told: BTreeMap<OfficeId, Vec<Told>>,
    noted: Vec<Told>,
}

#[derive(Clone, Debug)]
struct Known {
    file: File,
    channel: Option<Channel>,
    from: BTreeSet<OfficeId>,
    reporter: Option<PersonId>,
    erased: bool,
    state: ReportState,
    ended_as: Option<Ended>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Unfounded(UnfoundedReason),
    Closed(CloseReason),
}

/// An office that the report was passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Station {
    /// What it said last; none as long as it said nothing.
    said: Option<ReportState>,
    silent: bool,
}

impl Aggregate for Report {
    const CATEGORY: &'static str = "report";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        let me = &context.office;
        match command {
            Command::Submit { file, channel, reporter, due_at, pass } => {
                self.submit(file, channel, reporter, due_at, pass)
            }
            Command::Arrive { file, from, because, silent, due_at } => {
                Ok(self.arrive(me, file, from, because, silent, due_at))
            }
            Command::TakeUp => self.take_up(),
            Command::PassOn(pass) => self.pass_on(me, pass),
            Command::ClimbOver { silent, pass, due_at } => self.climb_over(me, silent, pass, due_at),
            Command::LinkCase { case } => self.link(case),
            Command::FindUnfounded { reason } => self.find_unfounded(reason),
            Command::Close { reason } => self.close(reason),
            Command::EraseReporter { ground } => {
                let known = self.known()?;
                known.reporter.ok_or(Error::NoReporterKept)?;
                Ok(if known.erased { vec![] } else { vec![Event::ReporterErased { ground }] })
            }
            Command::Hear { from, told } => Ok(self.hear(me, from, told)),
            Command::NoteProgress { case, stage, outcome, on, left_out } => {
                Ok(self.note(me, case, stage, outcome, on, &left_out))
            }
            Command::Recall { file, pass } => {
                let mut events = vec![];
                if self.known.is_none() {
                    events.push(Event::TakenDown {
                        file: file.clone(),
                        channel: None,
                        reporter: None,
                        due_at: pass.due_at,
                    });
                }
                if !self.stations.contains_key(&pass.to) {
                    events.push(Event::PassedOn { file, pass });
                }
                Ok(events)
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::TakenDown { file, channel, reporter, .. } => {
                self.known = Some(Known { channel, reporter, ..Known::of(file) });
            }
            Event::Arrived { file, from, .. } => {
                let known = self.known.get_or_insert_with(|| Known::of(file));
                known.from.insert(from);
                // Who had passed it on and gets it back is asked to look into it.
                if known.state == ReportState::PassedOn {
                    known.state = ReportState::Received;
                }
            }
            Event::TakenUp { .. } => self.becomes(ReportState::LookedInto),
            Event::PassedOn { pass, .. } => {
                let silent = |office: &OfficeId| pass.silent.contains(office);
                for (_, station) in self.stations.iter_mut().filter(|(office, _)| silent(office)) {
                    station.silent = true;
                }
                self.stations.entry(pass.to).or_insert(Station { said: None, silent: false });
                // Over the head of another office it goes to, and what this office itself does about it stays.
                if self.state() == Some(ReportState::Received) {
                    self.becomes(ReportState::PassedOn);
                }
            }
            Event::TakenBack { silent, .. } => {
                if let Some(station) = self.stations.get_mut(&silent) {
                    station.silent = true;
                }
                self.becomes(ReportState::Received);
            }
            Event::CaseLinked { case, .. } => {
                self.cases.push(case);
                self.becomes(ReportState::BecameCase);
            }
            Event::FoundUnfounded { reason, .. } => {
                self.becomes(ReportState::Unfounded);
                self.ends_as(Ended::Unfounded(reason));
            }
            Event::Closed { reason, .. } => {
                self.becomes(ReportState::Closed);
                self.ends_as(Ended::Closed(reason));
            }
            Event::ReporterErased { .. } => {
                if let Some(known) = &mut self.known {
                    known.erased = true;
                }
            }
            Event::Heard { from, told, .. } => {
                if let Some(station) = self.stations.get_mut(&from) {
                    station.said = Some(station.said.map_or(told.state, |said| said.max(told.state)));
                }
                self.told.entry(told.at.clone()).or_default().push(told);
            }
            Event::ProgressNoted { told, .. } => self.noted.push(told),
        }
        self
    }
}

impl Known {
    fn of(file: File) -> Self {
        Self {
            file,
            channel: None,
            from: BTreeSet::new(),
            reporter: None,
            erased: false,
            state: ReportState::Received,
            ended_as: None,
        }
    }
}

impl Report {
    /// What it says; none when this office does not know it.
    pub fn file(&self) -> Option<&File> {
        self.known.as_ref().map(|known| &known.file)
    }

    /// Where it stands at this office.
    pub fn state(&self) -> Option<ReportState> {
        self.known.as_ref().map(|known| known.state)
    }

    /// The id under which it is kept who reports; none when it is not, or was erased.
    pub fn reporter(&self) -> Option<PersonId> {
        self.known.as_ref().filter(|known| !known.erased)?.reporter
    }

    /// Who passed it on to this office.
    pub fn from(&self) -> impl Iterator<Item = &OfficeId> {
        self.known.iter().flat_map(|known| &known.from)
    }

    /// Whether it was passed on to an office, or came from there.
    pub fn has_been_at(&self, office: &OfficeId) -> bool {
        self.stations.contains_key(office) || self.from().any(|from| from == office)
    }

    /// The offices that it was passed on to and that did not answer yet.
    pub fn unanswered(&self) -> impl Iterator<Item = &OfficeId> {
        self.stations.iter().filter(|(_, station)| station.said.is_none() && !station.silent).map(|(office, _)| office)
    }

    /// The offices that did not answer in time.
    pub fn silent(&self) -> BTreeSet<OfficeId> {
        self.stations.iter().filter(|(_, station)| station.silent).map(|(office, _)| office.clone()).collect()
    }

    fn known(&self) -> Result<&Known, Error> {
        self.known.as_ref().ok_or(Error::NoSuchReport)
    }

    fn open(&self) -> Result<&Known, Error> {
        let known = self.known()?;
        if known.state.is_end() { Err(Error::ReportEnded) } else { Ok(known) }
    }

    fn becomes(&mut self, state: ReportState) {
        if let Some(known) = &mut self.known {
            known.state = state;
        }
    }

    fn ends_as(&mut self, ended: Ended) {
        if let Some(known) = &mut self.known {
            known.ended_as = Some(ended);
        }
    }

    fn submit(
        &self,
        file: File,
        channel: Channel,
        reporter: Option<PersonId>,
        due_at: Timestamp,
        pass: Option<Pass>,
    ) -> Result<Vec<Event>, Error> {
        if let Some(known) = &self.known {
            // Number, time and the reporter's id are drawn anew with each attempt; the first ones stay.
            let first = &known.file;
            let same = File { reference: first.reference, taken_down_at: first.taken_down_at, ..file } == *first
                && known.from.is_empty()
                && known.channel.is_none_or(|known| known == channel)
                && known.reporter.is_some() == reporter.is_some();
            return if same { Ok(vec![]) } else { Err(Error::ReportIdTaken) };
        }
        let mut events = vec![Event::TakenDown { file: file.clone(), channel: Some(channel), reporter, due_at }];
        events.extend(pass.map(|pass| Event::PassedOn { file, pass }));
        Ok(events)
    }

    fn arrive(
        &self,
        me: &OfficeId,
        file: File,
        from: OfficeId,
        because: PassReason,
        silent: BTreeSet<OfficeId>,
        due_at: Timestamp,
    ) -> Vec<Event> {
        if self.from().any(|known| *known == from) {
            return vec![];
        }
        let state = self.state().filter(|state| *state > ReportState::PassedOn);
        let answer = state.map(|state| self.says(me, state));
        vec![Event::Arrived { file, from, because, silent, due_at, answer }]
    }

    fn take_up(&self) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        match known.state {
            ReportState::LookedInto | ReportState::BecameCase => Ok(vec![]),
            ReportState::Received | ReportState::PassedOn => Ok(vec![Event::TakenUp { tell: known.from.clone() }]),
            ReportState::Unfounded | ReportState::Closed => Err(Error::ReportEnded),
        }
    }

    fn pass_on(&self, me: &OfficeId, pass: Pass) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        if pass.to == *me {
            return Err(Error::PassedOnToOneself);
        }
        if self.stations.contains_key(&pass.to) {
            return Ok(vec![]);
        }
        self.open()?;
        if known.from.contains(&pass.to) {
            return Err(Error::CameFromThere);
        }
        Ok(vec![Event::PassedOn { file: known.file.clone(), pass }])
    }

    fn climb_over(
        &self,
        me: &OfficeId,
        silent: OfficeId,
        pass: Option<Pass>,
        due_at: Timestamp,
    ) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        let is_silent = if silent == *me {
            known.state == ReportState::Received
        } else {
            self.unanswered().any(|office| *office == silent)
        };
        if !is_silent || known.state > ReportState::PassedOn {
            return Ok(vec![]);
        }
        match pass {
            Some(pass) if self.stations.contains_key(&pass.to) => Ok(vec![]),
            Some(pass) => Ok(vec![Event::PassedOn { file: known.file.clone(), pass }]),
            None => Ok(vec![Event::TakenBack { silent, due_at }]),
        }
    }

    fn link(&self, case: CaseId) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        if self.cases.contains(&case) {
            return Ok(vec![]);
        }
        self.open()?;
        let person = u32::try_from(self.cases.len()).unwrap_or(u32::MAX).saturating_add(1);
        Ok(vec![Event::CaseLinked { case, person, tell: known.from.clone() }])
    }

    fn find_unfounded(&self, reason: UnfoundedReason) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        match known.state {
            ReportState::LookedInto => Ok(vec![Event::FoundUnfounded { reason, tell: known.from.clone() }]),
            ReportState::Received | ReportState::PassedOn => Err(Error::NotLookedInto),
            ReportState::BecameCase => Err(Error::BecameACase),
            _ if known.ended_as == Some(Ended::Unfounded(reason)) => Ok(vec![]),
            _ => Err(Error::ReportEnded),
        }
    }

    fn close(&self, reason: CloseReason) -> Result<Vec<Event>, Error> {
        let known = self.known()?;
        if known.state.is_end() {
            let again = known.ended_as == Some(Ended::Closed(reason));
            return if again { Ok(vec![]) } else { Err(Error::ReportEnded) };
        }
        let dealt_with = |said: ReportState| said.is_end() || said == ReportState::BecameCase;
        let elsewhere = self.stations.values().any(|station| station.said.is_some_and(dealt_with));
        let refusal = match reason {
            CloseReason::DealtWithElsewhere => (!elsewhere).then_some(Error::NotDealtWithElsewhere),
            CloseReason::CasesGoOn if self.cases.is_empty() => Some(Error::NoCaseLinked),
            _ => (known.state < ReportState::LookedInto).then_some(Error::NotLookedInto),
        };
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        Ok(vec![Event::Closed { reason, tell: known.from.clone() }])
    }

    fn hear(&self, me: &OfficeId, from: OfficeId, told: Told) -> Vec<Event> {
        let heard = self.told.get(&told.at).is_some_and(|heard| heard.contains(&told));
        if heard || told.at == *me {
            return vec![];
        }
        let tell = self.from().filter(|office| **office != from && **office != told.at).cloned().collect();
        vec![Event::Heard { from, told, tell }]
    }

    fn note(
        &self,
        me: &OfficeId,
        case: CaseId,
        stage: Option<Stage>,
        outcome: Option<ServiceOutcome>,
        on: Date,
        left_out: &BTreeSet<OfficeId>,
    ) -> Vec<Event> {
        let Some(number) = self.cases.iter().position(|known| *known == case) else { return vec![] };
        let person = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        let says = self.says(me, self.state().unwrap_or(ReportState::BecameCase));
        let told = Told { person: Some(person), stage, outcome, on: Some(on), ..says };
        let same = |noted: &Told| {
            (noted.person, noted.stage, noted.outcome, noted.on) == (told.person, stage, outcome, told.on)
        };
        if self.noted.iter().any(same) {
            return vec![];
        }
        let tell = self.from().filter(|office| !left_out.contains(office)).cloned().collect();
        vec![Event::ProgressNoted { told, tell }]
    }

    fn says(&self, me: &OfficeId, state: ReportState) -> Told {
        let ended = self.known.as_ref().and_then(|known| known.ended_as);
        Told {
            at: me.clone(),
            state,
            unfounded: if let Some(Ended::Unfounded(reason)) = ended { Some(reason) } else { None },
            closed: if let Some(Ended::Closed(reason)) = ended { Some(reason) } else { None },
            person: None,
            stage: None,
            outcome: None,
            on: None,
        }
    }
}

#[cfg(test)]
mod specifications;
