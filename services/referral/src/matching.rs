//! Which service fits a need: a list in one order, with every reason for and against, so that a person can argue.
//!
//! Nothing is hidden. What may not be asked stands at the end with the reason why. A figure that is old, or was never
//! told, counts as such and not as a place.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use spean_vocabulary::{AgeBand, Date, DeclineReason, Need, OfferingId, OfficeId, PlaceCode, Sex, Timestamp};

use crate::availability::Figures;
use crate::needs::codes::{Reach, UnmetReason};

mod provinces;

pub use provinces::are_neighbours;

/// From how many hours on a figure counts as old: what a shelter said two days ago may be wrong today.
const OLD_AFTER_HOURS: i64 = 48;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is needed.
    pub need: Need,
    /// For whom.
    pub sex: Sex,
    /// How old.
    pub age_band: AgeBand,
    /// The language that the person understands; none when not known.
    pub language: Option<String>,
    /// The sex of who helps, when it matters.
    pub worker_sex: Option<Sex>,
    /// Near this place.
    pub near: PlaceCode,
    /// How far from there.
    pub reach: Reach,
    /// The office that looks.
    pub by: OfficeId,
}

/// Help on offer, as this desk knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offering {
    /// Its id.
    pub offering_id: OfferingId,
    /// The office.
    pub office: OfficeId,
    /// What is given.
    pub need: Need,
    /// To whom, by sex; none means all.
    pub sexes: BTreeSet<Sex>,
    /// To whom, by age; none means all.
    pub age_bands: BTreeSet<AgeBand>,
    /// In which languages.
    pub languages: BTreeSet<String>,
    /// To people from which places; none means from anywhere.
    pub places: BTreeSet<PlaceCode>,
    /// For how many at a time; none when it is not limited.
    pub capacity_persons: Option<u32>,
    /// The sexes of the staff; none when it is not said.
    pub worker_sexes: BTreeSet<Sex>,
    /// From which day.
    pub valid_from: Date,
    /// The last day.
    pub withdrawn_on: Option<Date>,
}

/// Whether an office can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficeState {
    /// Somebody works there.
    Open,
    /// Nobody works there just now.
    Unstaffed,
    /// It was closed for good.
    Closed,
}

/// What became of asking there before, for the same need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// The person does not want to go there.
    Refused,
    /// It is asked already.
    Asked,
    /// It said no.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// It has put the person on its list.
    Waits {
        /// 1 is next; none when not told.
        position: Option<u32>,
        /// Whether a place is kept.
        place_kept: bool,
    },
}

/// An offering with all that is known of its office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The offering.
    pub offering: Offering,
    /// Where the office is.
    pub place: Option<PlaceCode>,
    /// Whether it can be written to.
    pub state: OfficeState,
    /// The figures of its places, and when they were counted; none when they were never told.
    pub figures: Option<(Figures, Timestamp)>,
    /// What became of asking there before.
    pub before: Option<Before>,
}

/// A reason for or against; see `MatchReason` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "they are those of the wire's MatchReason")]
pub enum Reason {
    SameCommune,
    SameDistrict,
    SameProvince,
    NeighbouringProvince,
    OtherProvince,
    FartherThanWished,
    SpeaksLanguage,
    LanguageNotSpoken,
    WorkerAsWished,
    WorkerNotAsWished,
    WorkerNotSaid,
    PlacesFree,
    NotLimited,
    Full,
    PlacesNotTold,
    FigureOld,
    PlaceKept,
    Unstaffed,
    WantsMoreAssessment,
    DeclinedWhenFull,
    SexNotKnown,
    AgeNotKnown,
    NotForThisSex,
    NotForThisAge,
    NotForThisPlace,
    NotYet,
    Ended,
    OfficeClosed,
    RefusedByPerson,
    Declined,
    OnWaitingList,
    AlreadyAsked,
    OwnOffice,
}

/// A reason with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The reason.
    pub reason: Reason,
    /// A code or a number; empty for most.
    pub detail: String,
}

/// How a service fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The offering.
    pub offering_id: OfferingId,
    /// The office.
    pub office: OfficeId,
    /// The higher the better; 0 for what may not be asked.
    pub score: i32,
    /// What speaks for it.
    pub reasons_for: Vec<Point>,
    /// What speaks against it.
    pub reasons_against: Vec<Point>,
    /// Why it may not be asked; nothing when it may.
    pub excluded_because: Vec<Point>,
    /// How many places are free; none when not limited or not told.
    pub free_persons: Option<u32>,
    /// When that was counted.
    pub as_of: Option<Timestamp>,
}

/// How far an office is from the place where help is wanted, by the borders of the administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Distance {
    SameCommune,
    SameDistrict,
    SameProvince,
    NeighbouringProvince,
    OtherProvince,
}

impl Match {
    /// Whether it may be asked.
    pub fn is_eligible(&self) -> bool {
        self.excluded_because.is_empty()
    }

    /// Whether something speaks for, against, or excludes it for this reason.
    pub fn says(&self, reason: Reason) -> bool {
        let points = [&self.reasons_for, &self.reasons_against, &self.excluded_because];
        points.into_iter().flatten().any(|point| point.reason == reason)
    }
}

/// All that is offered for the need, what may be asked first, the best on top. The order is total: the same question has
/// the same answer, in whatever order the candidates come.
pub fn rank(wanted: &Wanted, candidates: &[Candidate], now: Timestamp) -> Vec<Match> {
    let about_it = candidates.iter().filter(|candidate| candidate.offering.need == wanted.need);
    let mut matches: Vec<_> = about_it.map(|candidate| judge(wanted, candidate, now)).collect();
    matches.sort_by_cached_key(|found| {
        (!found.is_eligible(), Reverse(found.score), found.office.clone(), found.offering_id.to_string())
    });
    matches
}

/// Why nobody can be asked; none when somebody with a place, or of whom it is not known, can.
pub fn unmet(matches: &[Match]) -> Option<UnmetReason> {
    let passing = [Reason::NotYet, Reason::Ended, Reason::OfficeClosed, Reason::OwnOffice];
    let has = |found: &Match, reasons: &[Reason]| reasons.iter().any(|reason| found.says(*reason));
    let offered: Vec<_> = matches.iter().filter(|found| !has(found, &passing)).collect();
    let misfits = [Reason::NotForThisSex, Reason::NotForThisAge, Reason::NotForThisPlace];
    let fitting: Vec<_> = offered.iter().filter(|found| !has(found, &misfits)).collect();
    if offered.is_empty() {
        return Some(UnmetReason::NobodyOffersIt);
    }
    if fitting.is_empty() {
        return Some(UnmetReason::NobodyFits);
    }
    if fitting.iter().any(|found| has(found, &[Reason::AlreadyAsked])) {
        return None;
    }
    let eligible: Vec<_> = fitting.iter().filter(|found| found.is_eligible()).collect();
    if eligible.iter().any(|found| !found.says(Reason::Full)) {
        return None;
    }
    let full = DeclineReason::NoCapacity.to_string();
    let said_no = |point: &Point| {
        point.reason == Reason::RefusedByPerson || (point.reason == Reason::Declined && point.detail != full)
    };
    let all_said_no = fitting.iter().all(|found| found.excluded_because.iter().any(said_no));
    Some(if all_said_no { UnmetReason::AllDeclined } else { UnmetReason::AllFull })
}

fn judge(wanted: &Wanted, candidate: &Candidate, now: Timestamp) -> Match {
    let mut found = Match {
        offering_id: candidate.offering.offering_id,
        office: candidate.offering.office.clone(),
        score: 0,
        reasons_for: vec![],
        reasons_against: vec![],
        excluded_because: exclusions(wanted, candidate, now.date_in_cambodia()),
        free_persons: candidate.figures.and_then(|(figures, _)| figures.free_persons()),
        as_of: candidate.figures.map(|(_, as_of)| as_of),
    };
    let mut score = 100;
    for (points, reason, detail) in considerations(wanted, candidate, now) {
        score += points;
        let point = Point { reason, detail };
        if points >= 0 { found.reasons_for.push(point) } else { found.reasons_against.push(point) }
    }
    if found.is_eligible() {
        found.score = score.max(1);
    }
    found
}

fn plain(reason: Reason) -> Point {
    Point { reason, detail: String::new() }
}

fn exclusions(wanted: &Wanted, candidate: &Candidate, today: Date) -> Vec<Point> {
    let offering = &candidate.offering;
    let mut points = Vec::new();
    let mut exclude = |applies: bool, reason| {
        if applies {
            points.push(plain(reason));
        }
    };
    let closed_to = |sexes: &BTreeSet<Sex>| !sexes.is_empty() && !sexes.contains(&wanted.sex);
    exclude(offering.office == wanted.by, Reason::OwnOffice);
    exclude(offering.valid_from > today, Reason::NotYet);
    exclude(offering.withdrawn_on.is_some_and(|last| last < today), Reason::Ended);
    exclude(candidate.state == OfficeState::Closed, Reason::OfficeClosed);
    exclude(wanted.sex != Sex::Unknown && closed_to(&offering.sexes), Reason::NotForThisSex);
    let ages = &offering.age_bands;
    let too_old_or_young = !ages.is_empty() && !ages.contains(&wanted.age_band);
    exclude(wanted.age_band != AgeBand::Unknown && too_old_or_young, Reason::NotForThisAge);
    let serves = |place: &PlaceCode| place.contains(&wanted.near) || wanted.near.contains(place);
    exclude(!offering.places.is_empty() && !offering.places.iter().any(serves), Reason::NotForThisPlace);
    exclude(candidate.before == Some(Before::Refused), Reason::RefusedByPerson);
    exclude(candidate.before == Some(Before::Asked), Reason::AlreadyAsked);
    match candidate.before {
        Some(Before::Declined { reason }) if !is_passing(reason, candidate) => {
            points.push(Point { reason: Reason::Declined, detail: reason.to_string() });
        }
        Some(Before::Waits { position, place_kept: false }) => {
            let detail = position.map(|position| position.to_string()).unwrap_or_default();
            points.push(Point { reason: Reason::OnWaitingList, detail });
        }
        _ => {}
    }
    points
}

/// Whether a no may have become a yes: more was asked to be known, or there was no place and now there is one.
fn is_passing(reason: DeclineReason, candidate: &Candidate) -> bool {
    match reason {
        DeclineReason::MoreAssessmentNeeded => true,
        DeclineReason::NoCapacity => {
            candidate.figures.is_some_and(|(figures, _)| figures.free_persons().is_some_and(|free| free > 0))
        }
        _ => false,
    }
}

/// Everything that speaks for or against, with its weight. Near and free come before everything else, then whether one
/// can talk to each other.
fn considerations(wanted: &Wanted, candidate: &Candidate, now: Timestamp) -> Vec<(i32, Reason, String)> {
    let offering = &candidate.offering;
    let mut points = Vec::new();
    let mut say = |weight, reason, detail: String| points.push((weight, reason, detail));
    let distance = distance(&wanted.near, candidate.place.as_ref());
    let (weight, reason) = match distance {
        Distance::SameCommune => (60, Reason::SameCommune),
        Distance::SameDistrict => (50, Reason::SameDistrict),
        Distance::SameProvince => (30, Reason::SameProvince),
        Distance::NeighbouringProvince => (20, Reason::NeighbouringProvince),
        Distance::OtherProvince => (-20, Reason::OtherProvince),
    };
    say(weight, reason, String::new());
    if distance > within(wanted.reach) {
        say(-20, Reason::FartherThanWished, String::new());
    }
    let kept = matches!(candidate.before, Some(Before::Waits { place_kept: true, .. }));
    if kept {
        say(100, Reason::PlaceKept, String::new());
    }
    let (weight, reason, detail) = room(candidate);
    if !(kept && reason == Reason::Full) {
        say(weight, reason, detail);
    }
    if let Some((_, as_of)) = candidate.figures
        && now.hours_since(as_of) >= OLD_AFTER_HOURS
    {
        say(-10, Reason::FigureOld, now.hours_since(as_of).to_string());
    }
    if let Some(language) = &wanted.language {
        let spoken = offering.languages.contains(language);
        let (weight, reason) = if spoken { (25, Reason::SpeaksLanguage) } else { (-25, Reason::LanguageNotSpoken) };
        say(weight, reason, language.clone());
    }
    if let Some(sex) = wanted.worker_sex {
        let (weight, reason) = match offering.worker_sexes.contains(&sex) {
            true => (15, Reason::WorkerAsWished),
            false if offering.worker_sexes.is_empty() => (-5, Reason::WorkerNotSaid),
            false => (-25, Reason::WorkerNotAsWished),
        };
        say(weight, reason, String::new());
    }
    if wanted.sex == Sex::Unknown && !offering.sexes.is_empty() && !offering.sexes.contains(&Sex::Unknown) {
        say(-5, Reason::SexNotKnown, String::new());
    }
    let ages = &offering.age_bands;
    if wanted.age_band == AgeBand::Unknown && !ages.is_empty() && !ages.contains(&AgeBand::Unknown) {
        say(-5, Reason::AgeNotKnown, String::new());
    }
    if candidate.state == OfficeState::Unstaffed {
        say(-30, Reason::Unstaffed, String::new());
    }
    match candidate.before {
        Some(Before::Declined { reason: DeclineReason::MoreAssessmentNeeded }) => {
            say(-10, Reason::WantsMoreAssessment, String::new());
        }
        Some(Before::Declined { reason: DeclineReason::NoCapacity }) => {
            say(-5, Reason::DeclinedWhenFull, String::new());
        }
        _ => {}
    }
    points
}

fn room(candidate: &Candidate) -> (i32, Reason, String) {
    match candidate.figures {
        Some((figures, _)) => match figures.free_persons() {
            Some(0) => (-40, Reason::Full, figures.waiting_persons.to_string()),
            Some(free) => (30, Reason::PlacesFree, free.to_string()),
            None => (25, Reason::NotLimited, String::new()),
        },
        None if candidate.offering.capacity_persons.is_none() => (25, Reason::NotLimited, String::new()),
        None => (-5, Reason::PlacesNotTold, String::new()),
    }
}

const fn within(reach: Reach) -> Distance {
    match reach {
        Reach::District => Distance::SameDistrict,
        Reach::Province => Distance::SameProvince,
        Reach::Any => Distance::OtherProvince,
    }
}

fn distance(near: &PlaceCode, office: Option<&PlaceCode>) -> Distance {
    let Some(office) = office else { return Distance::OtherProvince };
    let common = near.as_str().bytes().zip(office.as_str().bytes()).take_while(|(one, other)| one == other).count();
    match common {
        6.. => Distance::SameCommune,
        4 | 5 => Distance::SameDistrict,
        2 | 3 => Distance::SameProvince,
        _ if are_neighbours(near.province(), office.province()) => Distance::NeighbouringProvince,
        _ => Distance::OtherProvince,
    }
}

/// What became of asking each office before, the strongest word of each.
pub fn strongest(words: impl IntoIterator<Item = (OfficeId, Before)>) -> BTreeMap<OfficeId, Before> {
    let weight = |before: &Before| match before {
        Before::Refused => 4,
        Before::Asked => 3,
        Before::Waits { .. } => 2,
        Before::Declined { reason: DeclineReason::NoCapacity | DeclineReason::MoreAssessmentNeeded } => 0,
        Before::Declined { .. } => 1,
    };
    let mut by_office: BTreeMap<OfficeId, Before> = BTreeMap::new();
    for (office, before) in words {
        let known = by_office.entry(office).or_insert(before);
        if weight(&before) > weight(known) {
            *known = before;
        }
    }
    by_office
}

#[cfg(test)]
mod tests;
