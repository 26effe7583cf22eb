//! Where the person of a case was seen, and by whom. A visit that met somebody on a day on which another office has them
//! is a contradiction: it is told to all who are concerned, and never goes away by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{Date, OfficeId, VisitId};

use crate::codes::{Resolution, Whereabouts as Seen};

/// How many days after a person was registered elsewhere visits are doubted, when nobody says how long they stayed.
const DOUBTED_DAYS: i32 = 30;

/// What offices say of where one person is.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    sightings: Vec<Sighting>,
    /// Which of them were told to whom.
    told: Vec<(Sighting, OfficeId)>,
    contradictions: BTreeMap<VisitId, Option<Resolution>>,
    /// The offices of this node that know of a contradiction.
    known_to: BTreeSet<(VisitId, OfficeId)>,
}

/// An office says that the person is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The office.
    pub office: OfficeId,
    /// Where.
    pub whereabouts: Seen,
    /// Since when.
    pub from_day: Date,
    /// Until when; none while the person is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_day: Option<Date>,
}

/// A visit that met the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The visit.
    pub visit_id: VisitId,
    /// The office that reported it.
    pub office: OfficeId,
    /// The day.
    pub visited_on: Date,
}

/// Two offices cannot both be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The visit.
    pub visit_id: VisitId,
    /// The office that reported it.
    pub visited_by: OfficeId,
    /// The day.
    pub visited_on: Date,
    /// The office that has the person.
    pub seen_by: OfficeId,
    /// Where.
    pub whereabouts: Seen,
    /// Since when.
    pub seen_on: Date,
}

/// What may be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// Note that an office has the person.
    Sight {
        /// Where and when.
        sighting: Sighting,
        /// The visits that met the person, as they are on record.
        met: Vec<Met>,
        /// The office that must hear of it.
        tell: Option<OfficeId>,
        /// The office above the one that visits.
        above: Option<OfficeId>,
    },
    /// Note that the person has left an office that had them.
    Leave {
        /// The office.
        office: OfficeId,
        /// When.
        left_on: Date,
        /// The office that must hear of it.
        tell: Option<OfficeId>,
    },
    /// Tell the office that has the case now who says to have the person.
    PassOn {
        /// The office.
        to: OfficeId,
    },
    /// Compare a visit with what is known.
    Compare {
        /// The visit.
        met: Met,
        /// The office above the one that visits.
        above: Option<OfficeId>,
    },
    /// Note a contradiction that another office found.
    Hear {
        /// What it is.
        contradiction: Contradiction,
        /// The office that is told.
        by: OfficeId,
        /// The office that told it.
        from: OfficeId,
    },
    /// Say what came of looking into it.
    Resolve {
        /// The visit.
        visit_id: VisitId,
        /// What came of it.
        resolution: Resolution,
        /// Those who are told.
        tell: BTreeSet<OfficeId>,
    },
    /// Note what another office says of it.
    HearResolution {
        /// The visit.
        visit_id: VisitId,
        /// What came of it.
        resolution: Resolution,
        /// The office that says so.
        by: OfficeId,
    },
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An office has, or had, the person.
    Sighted {
        /// Where and when.
        sighting: Sighting,
        /// The office that must hear of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tell: Option<OfficeId>,
    },
    /// A visit contradicts it.
    Contradicted {
        /// What it is.
        contradiction: Contradiction,
        /// Those who are told.
        tell: BTreeSet<OfficeId>,
    },
    /// An office of this node heard of a contradiction.
    ContradictionHeard {
        /// What it is.
        contradiction: Contradiction,
        /// The office that was told.
        by: OfficeId,
        /// The office that told it.
        from: OfficeId,
    },
    /// Somebody looked into it.
    Resolved {
        /// The visit.
        visit_id: VisitId,
        /// What came of it.
        resolution: Resolution,
        /// Who says so.
        by: OfficeId,
        /// Those who are told; none where it was heard from elsewhere.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        tell: BTreeSet<OfficeId>,
    },
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// Nothing is known of it.
    #[error("there is no such contradiction")]
    NoSuchContradiction,
    /// It is settled.
    #[error("something else came of this contradiction already")]
    ResolvedOtherwise,
    /// The end before the beginning.
    #[error("nobody leaves a place before they came to it")]
    UntilBeforeFrom,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchContradiction => Fault::NotThere,
            Self::ResolvedOtherwise => Fault::ForbiddenNow,
            Self::UntilBeforeFrom => Fault::Field("until_day"),
        }
    }
}

impl Aggregate for Whereabouts {
    const CATEGORY: &'static str = "whereabouts";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Sight { sighting, met, tell, above } => self.sight(sighting, &met, tell, above.as_ref()),
            Command::Leave { office, left_on, tell } => {
                let stays = self.sightings.iter().filter(|seen| seen.office == office && seen.until_day.is_none());
                let left = |seen: &Sighting| Sighting { until_day: Some(left_on.max(seen.from_day)), ..seen.clone() };
                Ok(stays.map(|seen| Event::Sighted { sighting: left(seen), tell: tell.clone() }).collect())
            }
            Command::PassOn { to } => Ok(self.pass_on(&to)),
            Command::Compare { met, above } => {
                Ok(self.sightings.iter().find_map(|seen| self.doubt(seen, &met, above.as_ref())).into_iter().collect())
            }
            Command::Hear { contradiction, by, from } => {
                let known = self.known_to.contains(&(contradiction.visit_id, by.clone()));
                Ok(if known { vec![] } else { vec![Event::ContradictionHeard { contradiction, by, from }] })
            }
            Command::Resolve { visit_id, resolution, tell } => {
                match self.contradictions.get(&visit_id).ok_or(Error::NoSuchContradiction)? {
                    Some(known) if *known == resolution => Ok(vec![]),
                    Some(_) => Err(Error::ResolvedOtherwise),
                    None => Ok(vec![Event::Resolved { visit_id, resolution, by: context.office.clone(), tell }]),
                }
            }
            Command::HearResolution { visit_id, resolution, by } => {
                let is_open = self.contradictions.get(&visit_id).is_some_and(Option::is_none);
                let resolved = Event::Resolved { visit_id, resolution, by, tell: BTreeSet::new() };
                Ok(if is_open { vec![resolved] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Sighted { sighting, tell } => {
                self.sightings.retain(|known| !same_stay(known, &sighting));
                self.told.extend(tell.map(|to| (sighting.clone(), to)));
                self.sightings.push(sighting);
            }
            Event::Contradicted { contradiction: Contradiction { visit_id, visited_by, .. }, tell } => {
                self.contradictions.entry(visit_id).or_default();
                self.known_to.extend(tell.into_iter().chain([visited_by]).map(|office| (visit_id, office)));
            }
            Event::ContradictionHeard { contradiction, by, .. } => {
                self.contradictions.entry(contradiction.visit_id).or_default();
                self.known_to.insert((contradiction.visit_id, by));
            }
            Event::Resolved { visit_id, resolution, .. } => {
                self.contradictions.insert(visit_id, Some(resolution));
            }
        }
        self
    }
}

impl Whereabouts {
    fn sight(
        &self,
        sighting: Sighting,
        met: &[Met],
        tell: Option<OfficeId>,
        above: Option<&OfficeId>,
    ) -> Result<Vec<Event>, Error> {
        if self.sightings.contains(&sighting) {
            return Ok(vec![]);
        }
        if sighting.until_day.is_some_and(|until| until < sighting.from_day) {
            return Err(Error::UntilBeforeFrom);
        }
        let doubts: Vec<_> = met.iter().filter_map(|met| self.doubt(&sighting, met, above)).collect();
        Ok(std::iter::once(Event::Sighted { sighting, tell }).chain(doubts).collect())
    }

    /// Who is with another office still when the case moves: the next one must not report visits to them.
    fn pass_on(&self, to: &OfficeId) -> Vec<Event> {
        let goes_on = |seen: &&Sighting| seen.until_day.is_none() && seen.office != *to;
        let is_news = |seen: &&Sighting| !self.told.iter().any(|(told, by)| told == *seen && by == to);
        let open = self.sightings.iter().filter(goes_on).filter(is_news);
        open.map(|seen| Event::Sighted { sighting: seen.clone(), tell: Some(to.clone()) }).collect()
    }

    /// The contradiction between a visit and what an office says; none when both can be right. On the days of coming
    /// and going both can be.
    fn doubt(&self, seen: &Sighting, met: &Met, above: Option<&OfficeId>) -> Option<Event> {
        let until = match (seen.until_day, seen.whereabouts) {
            (None, Seen::RegisteredElsewhere) => Some(seen.from_day.plus_days(DOUBTED_DAYS)),
            (until, _) => until,
        };
        let was_there = met.visited_on > seen.from_day && until.is_none_or(|until| met.visited_on < until);
        if !was_there || met.office == seen.office || self.contradictions.contains_key(&met.visit_id) {
            return None;
        }
        let contradiction = Contradiction {
            visit_id: met.visit_id,
            visited_by: met.office.clone(),
            visited_on: met.visited_on,
            seen_by: seen.office.clone(),
            whereabouts: seen.whereabouts,
            seen_on: seen.from_day,
        };
        let tell = [Some(&seen.office), above].into_iter().flatten().filter(|office| **office != met.office);
        Some(Event::Contradicted { contradiction, tell: tell.cloned().collect() })
    }
}

/// Whether the same stay is meant: it may have come to its end since.
fn same_stay(one: &Sighting, other: &Sighting) -> bool {
    (&one.office, one.whereabouts, one.from_day) == (&other.office, other.whereabouts, other.from_day)
}

#[cfg(test)]
mod tests;
