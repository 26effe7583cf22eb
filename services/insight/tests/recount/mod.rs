//! Histories that nobody thought of, and the recount: from the history alone, with nothing but loops.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use spean_insight::figures;
use spean_insight::measure::{Dimension, Measure, OpenThing};
use spean_insight::report::REPORTED_BY;
use spean_insight::subject::{Command, Description, Fact, Source};
use spean_vocabulary::{AgeBand, CaseId, Date, Sex};
use strum::IntoEnumIterator as _;

/// What the services told, in order: about which subject, and what.
pub(crate) type History = Vec<(u8, Command)>;

/// What reports say: by period, measure, dimension and value; no dimension and no value for the total.
pub(crate) type Numbers = BTreeMap<(String, Measure, Option<Dimension>, String), u64>;

/// Cases, and as many needs of theirs.
const CASES: u8 = 6;

/// A subject by its number: below [`CASES`] a case, above it a need.
pub(crate) fn subject(number: u8) -> CaseId {
    format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap()
}

/// A day of the year 2026, counted from 0.
pub(crate) fn day(offset: i32) -> Date {
    "2026-01-01".parse::<Date>().unwrap().plus_days(offset)
}

/// A history of so many letters, each with a place of its own in the log of a service.
pub(crate) fn histories(letters: std::ops::Range<usize>) -> impl Strategy<Value = History> {
    let letter = prop_oneof![4 => a_fact().boxed(), 1 => a_description().boxed()];
    prop::collection::vec((0..2 * CASES, letter), letters).prop_map(|letters| {
        let place = |(position, (number, mut command)): (usize, (u8, Command))| {
            match &mut command {
                Command::Record(fact) => {
                    fact.fact_id = format!("referral/{position}");
                    if !fact.thing.is_empty() {
                        fact.thing = format!("{}-{number}", fact.thing);
                    }
                }
                Command::Describe(more) => {
                    more.said_by.position = i64::try_from(position).unwrap() + 1;
                    // Only needs belong to a case, and to one case for ever.
                    more.case = (number >= CASES).then(|| subject(number - CASES));
                    more.need = (number >= CASES).then(|| "medical".to_owned());
                }
            }
            (number, command)
        };
        letters.into_iter().enumerate().map(place).collect()
    })
}

fn a_fact() -> impl Strategy<Value = Command> {
    let measures: Vec<_> = Measure::iter().collect();
    let office = prop::sample::select(vec![("poipet", "ptc", "01"), ("takeo", "dsvy-takeo", "21")]);
    let detail = prop::sample::select(vec!["", "shelter", "medical"]);
    let (hours, hour) = (prop::option::of(0..900_i64), 490_000..490_400_i64);
    // The year has two periods here, and nothing is dated after them.
    (prop::sample::select(measures), office, 0..240_i32, detail, 0..4_u8, hours, hour).prop_map(
        |(measure, (office, agency, province), on, detail, thing, hours, recorded_hour)| {
            Command::Record(Fact {
                fact_id: String::new(),
                measure,
                office: office.parse().unwrap(),
                agency: Some(agency.parse().unwrap()),
                province: Some(province.parse().unwrap()),
                occurred_on: day(on),
                detail: detail.to_owned(),
                recorded_hour,
                thing: if thing == 0 { String::new() } else { format!("thing-{thing}") },
                hours: hours.filter(|hours| hours % 3 == 0),
            })
        },
    )
}

fn a_description() -> impl Strategy<Value = Command> {
    let sex = prop::option::of(prop::sample::select(vec![Sex::Female, Sex::Male]));
    let band = prop::option::of(prop::sample::select(vec![AgeBand::Child, AgeBand::Adult]));
    let route = prop::option::of(prop::sample::select(vec!["deportation".to_owned(), "self".to_owned()]));
    let sector = prop::option::of(Just("forced_labour".to_owned()));
    let home = prop::option::of(prop::sample::select(vec!["08", "21"]));
    (sex, band, route, sector, home, 0..2_u8).prop_map(|(sex, age_band, route, sector, home, rank)| {
        let country = route.as_ref().map(|_| "TH".to_owned());
        let home_province = home.map(|home| home.parse().unwrap());
        let said_by = Source { rank, incarnation: 0, position: 0 };
        Command::Describe(Description {
            sex,
            age_band,
            home_province,
            route,
            country,
            sector,
            said_by,
            ..Description::default()
        })
    })
}

/// The recount.
pub(crate) struct Recount {
    facts: Vec<(u8, Fact)>,
    descriptions: Vec<(u8, Description)>,
}

impl Recount {
    /// Of a history in which nothing is told twice.
    pub(crate) fn of(history: &History) -> Self {
        let mut recount = Self { facts: vec![], descriptions: vec![] };
        for (number, command) in history.clone() {
            match command {
                Command::Record(fact) => recount.facts.push((number, fact)),
                Command::Describe(more) => recount.descriptions.push((number, more)),
            }
        }
        recount
    }

    /// What is known of a subject, by the word that goes before all others.
    fn known<T: Clone>(&self, number: u8, of: impl Fn(&Description) -> Option<T>) -> Option<T> {
        let mut best: Option<(Source, T)> = None;
        for (other, description) in &self.descriptions {
            if *other == number
                && let Some(value) = of(description)
                && best.as_ref().is_none_or(|(by, _)| description.said_by > *by)
            {
                best = Some((description.said_by, value));
            }
        }
        best.map(|(_, value)| value)
    }

    /// The same, or what is known of the case that it belongs to.
    fn known_of_case<T: Clone>(&self, number: u8, of: impl Fn(&Description) -> Option<T> + Copy) -> Option<T> {
        let case = self.known(number, |description| description.case).map(|_| number - CASES);
        self.known(number, of).or_else(|| case.and_then(|case| self.known(case, of)))
    }

    fn value(&self, number: u8, fact: &Fact, by: Dimension) -> String {
        let value = match by {
            Dimension::Office => Some(fact.office.to_string()),
            Dimension::Agency => fact.agency.as_ref().map(ToString::to_string),
            Dimension::Province => fact.province.map(|place| place.to_string()),
            Dimension::Month => Some(fact.occurred_on.to_string()[..7].to_owned()),
            Dimension::Detail => Some(fact.detail.clone()).filter(|detail| !detail.is_empty()),
            Dimension::Sex => self.known_of_case(number, |known| known.sex).map(|sex| sex.to_string()),
            Dimension::AgeBand => self.known_of_case(number, |known| known.age_band).map(|band| band.to_string()),
            Dimension::HomeProvince => {
                self.known_of_case(number, |known| known.home_province).map(|place| place.to_string())
            }
            Dimension::Route => self.known_of_case(number, |known| known.route.clone()),
            Dimension::Country => self.known_of_case(number, |known| known.country.clone()),
            Dimension::Sector => self.known_of_case(number, |known| known.sector.clone()),
            Dimension::Need => self.known(number, |known| known.need.clone()),
            Dimension::Waited => self.hours(number, fact).map(|hours| {
                let name = match hours {
                    ..4 => "UNDER_4_HOURS",
                    4..48 => "UNDER_2_DAYS",
                    48..168 => "UNDER_7_DAYS",
                    168..720 => "UNDER_30_DAYS",
                    720.. => "LONGER",
                };
                name.to_owned()
            }),
        };
        value.unwrap_or_else(|| figures::UNKNOWN.to_owned())
    }

    /// What the service told, or the hours since it was last asked.
    fn hours(&self, number: u8, fact: &Fact) -> Option<i64> {
        use Measure::{
            ContactFound, ContactLost, NeedEnded, NeedFound, NeedMet, OfferAccepted, OfferDeclined, OfferEscalated,
            OfferMade, OfferWithdrawn, ShelterAdmitted, ShelterLeft,
        };
        let question = match fact.measure {
            OfferAccepted | OfferDeclined | OfferWithdrawn | OfferEscalated => OfferMade,
            NeedMet | NeedEnded => NeedFound,
            ShelterLeft => ShelterAdmitted,
            ContactFound => ContactLost,
            _ => return fact.hours,
        };
        let mut last = None;
        for (other, asked) in &self.facts {
            let same = *other == number && !fact.thing.is_empty() && asked.thing == fact.thing;
            if same && asked.measure == question && asked.recorded_hour <= fact.recorded_hour {
                last = last.max(Some(asked.recorded_hour));
            }
        }
        fact.hours.or_else(|| last.map(|last| fact.recorded_hour - last))
    }

    /// Counts, with the hours of each, the quickest first.
    pub(crate) fn count(
        &self,
        measure: Measure,
        from: Date,
        to: Date,
        by: &[Dimension],
    ) -> BTreeMap<Vec<String>, (u64, Vec<i64>)> {
        let mut groups = BTreeMap::<_, (u64, Vec<i64>)>::new();
        for (number, fact) in &self.facts {
            if fact.measure == measure && (from..=to).contains(&fact.occurred_on) {
                let group = by.iter().map(|by| self.value(*number, fact, *by)).collect::<Vec<_>>();
                let (count, hours) = groups.entry(group).or_default();
                *count += 1;
                hours.extend(self.hours(*number, fact));
                hours.sort_unstable();
            }
        }
        groups
    }

    /// What is open: since when, and the value of a dimension.
    pub(crate) fn open(&self, thing: OpenThing, by: Option<Dimension>) -> Vec<(Date, String)> {
        let (begins, ends) = thing.bounds();
        let mut open = Vec::new();
        let things: BTreeSet<_> =
            self.facts.iter().map(|(_, fact)| &fact.thing).filter(|thing| !thing.is_empty()).collect();
        for id in things {
            let of = self.facts.iter().filter(|(_, fact)| fact.thing == *id);
            let begun: Vec<_> = of.clone().filter(|(_, fact)| begins.contains(&fact.measure)).collect();
            let ended = of.filter(|(_, fact)| ends.contains(&fact.measure)).count();
            let Some((number, _)) = begun.first().filter(|_| begun.len() > ended) else { continue };
            let since = begun.iter().map(|(_, fact)| fact.occurred_on).max().unwrap();
            let value = |by| begun.iter().map(|(_, fact)| self.bare(*number, fact, by)).max().unwrap();
            let value = by.map_or_else(String::new, value);
            let hour = begun.iter().map(|(_, fact)| fact.recorded_hour).max().unwrap();
            let case = self.known(*number, |description| description.case).map_or(*number, |_| *number - CASES);
            let with_case = thing.ends_with_case();
            let closed = self
                .facts
                .iter()
                .any(|(other, fact)| *other == case && with_case.contains(&fact.measure) && fact.recorded_hour >= hour);
            if !closed {
                let value = if by.is_some() && value.is_empty() { figures::UNKNOWN.to_owned() } else { value };
                open.push((since, value));
            }
        }
        open.sort();
        open
    }

    /// The value, empty when it is not known.
    fn bare(&self, number: u8, fact: &Fact, by: Dimension) -> String {
        let value = self.value(number, fact, by);
        if value == figures::UNKNOWN { String::new() } else { value }
    }

    /// What the reports of these periods say.
    pub(crate) fn report(&self, periods: &[&str]) -> Numbers {
        let mut numbers = BTreeMap::new();
        for (number, fact) in &self.facts {
            let day = fact.occurred_on.to_string();
            let third = match &day[5..7] {
                "01" | "02" | "03" | "04" => 1,
                "05" | "06" | "07" | "08" => 2,
                _ => 3,
            };
            let period = format!("{}-{third}", &day[..4]);
            if !periods.contains(&period.as_str()) {
                continue;
            }
            *numbers.entry((period.clone(), fact.measure, None, String::new())).or_default() += 1;
            for by in REPORTED_BY {
                let value = self.value(*number, fact, by);
                *numbers.entry((period.clone(), fact.measure, Some(by), value)).or_default() += 1;
            }
        }
        numbers
    }
}
