//! One list of arrivals that was handed over in one piece: which file, and what became of each of its rows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spean_eventsourcing::{Aggregate, Context, Fault, Refusal};
use spean_vocabulary::{ArrivalId, CaseId, OfficeId};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::arrival::Circumstances;

/// One manifest.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    begun: Option<Begun>,
    judged: BTreeSet<u32>,
    finished: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Begun {
    office: OfficeId,
    digest: String,
    rows: u32,
    circumstances: Circumstances,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The line of the file, the header being line 1.
    pub line: u32,
    /// Whether somebody arrived by it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Whether a row became an arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It did.
    Accepted {
        /// The arrival.
        arrival: ArrivalId,
        /// What is missing but did not stop it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<String>,
        /// What was converted or left unclear.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        notes: BTreeSet<Note>,
        /// Cases here that may be of the same person.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        known: BTreeSet<CaseId>,
    },
    /// It did not.
    Refused {
        /// Why not.
        reason: Reason,
        /// The column concerned, when one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        column: Option<Column>,
        /// The line above that is the same person, when one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        same_as: Option<u32>,
    },
}

/// What was done to read a row, or left unclear in it. Told with its verdict.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Note {
    /// The birth was written in the Buddhist era; 543 years were taken off.
    BuddhistYear,
    /// The birth was written in Khmer or Thai digits.
    LocalDigits,
    /// The birth was a workbook's number for a day.
    WorkbookDay,
    /// Day and month of the birth could be either way round: its year was kept.
    DayMonthUnclear,
    /// The year of birth was reckoned from the age.
    YearFromAge,
    /// The age does not go with the birth, which was kept.
    AgeContradictsBirth,
    /// The place had lost its first zero.
    PlacePadded,
}

/// Why a row did not become an arrival. A name is not needed: nobody is dropped for what is not known of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, EnumString, IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// It has fewer cells than the header.
    RowTooShort,
    /// It has more cells than the header, and not all of those are empty: a comma stands where it does not belong.
    RowTooLong,
    /// A quotation mark has no partner in its line.
    QuoteNotClosed,
    /// All its cells are empty.
    NoPerson,
    /// A text is too long or has control characters.
    TextMalformed,
    /// The word is none of those for a sex.
    SexUnknownWord,
    /// The birth is neither a day nor a year from 1900 on, in any of the ways that are understood.
    BirthMalformed,
    /// The age is not a whole number from 0 to 120.
    AgeMalformed,
    /// Nobody is born after the day of their arrival.
    BirthAfterArrival,
    /// The nationality is not two letters as ISO 3166 has them.
    NationalityMalformed,
    /// The place is not a code of 2, 4, 6 or 8 digits.
    PlaceMalformed,
    /// A word is none of those for a need.
    UnknownNeed,
    /// An accepted row above has the same document number, or is the same row with the same name.
    DuplicateRow,
    /// The arrival of this row exists with other particulars: it was registered by other means.
    ArrivalIdTaken,
}

/// The columns of a manifest.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    EnumString,
    IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Column {
    /// Family name in Latin letters.
    FamilyName,
    /// Given name in Latin letters.
    GivenName,
    /// Family name in Khmer.
    FamilyNameKm,
    /// Given name in Khmer.
    GivenNameKm,
    /// Sex.
    Sex,
    /// Day or year of birth.
    Birth,
    /// Age on the day of arrival.
    Age,
    /// Nationality.
    Nationality,
    /// What kind of paper the person has.
    DocumentKind,
    /// Its number.
    DocumentNumber,
    /// Home.
    HomePlace,
    /// Telephone.
    Telephone,
    /// Needs, separated by semicolons.
    Needs,
}

/// What may be asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are named like the ideas they hold")]
pub enum Command {
    /// Begin with a file of so many rows, known by its SHA-256 in hexadecimal.
    Begin { digest: String, rows: u32, circumstances: Circumstances },
    /// Write down what became of some rows; those that have a verdict keep it.
    RecordRows { verdicts: Vec<Verdict> },
    /// End, when every row has its verdict.
    Finish,
}

/// What happened. Stored for ever: add variants and optional fields, never rename or remove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum Event {
    /// The import began.
    Begun { office: OfficeId, digest: String, rows: u32, circumstances: Circumstances },
    /// Rows got their verdicts.
    RowsJudged { verdicts: Vec<Verdict> },
    /// Every row has one.
    Finished {},
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Error {
    /// There is no manifest of this id at this office.
    #[error("there is no such manifest")]
    NoSuchManifest,
    /// The id is taken.
    #[error("a manifest with this id was begun with another file; give the other file an id of its own")]
    ManifestIdTaken,
    /// The file is the same, the circumstances are not.
    #[error("a manifest with this id was begun with other circumstances")]
    OtherCircumstances,
    /// Rows are left.
    #[error("the manifest has rows without a verdict")]
    RowsOutstanding,
}

impl Refusal for Error {
    fn reason(&self) -> &'static str {
        self.into()
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoSuchManifest => Fault::NotThere,
            Self::ManifestIdTaken | Self::OtherCircumstances | Self::RowsOutstanding => Fault::ForbiddenNow,
        }
    }
}

impl Aggregate for Manifest {
    const CATEGORY: &'static str = "manifest";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Context = Context;

    fn decide(&self, command: Command, context: &Context) -> Result<Vec<Event>, Error> {
        match command {
            Command::Begin { digest, rows, circumstances } => {
                self.begin(Begun { office: context.office.clone(), digest, rows, circumstances })
            }
            Command::RecordRows { mut verdicts } => {
                self.at_office(context)?;
                verdicts.retain(|verdict| !self.judged.contains(&verdict.line));
                Ok(if verdicts.is_empty() { vec![] } else { vec![Event::RowsJudged { verdicts }] })
            }
            Command::Finish => {
                let begun = self.at_office(context)?;
                if self.finished {
                    return Ok(vec![]);
                }
                let complete = u32::try_from(self.judged.len()) == Ok(begun.rows);
                if complete { Ok(vec![Event::Finished {}]) } else { Err(Error::RowsOutstanding) }
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event.clone() {
            Event::Begun { office, digest, rows, circumstances } => {
                self.begun = Some(Begun { office, digest, rows, circumstances });
            }
            Event::RowsJudged { verdicts } => self.judged.extend(verdicts.iter().map(|verdict| verdict.line)),
            Event::Finished {} => self.finished = true,
        }
        self
    }
}

impl Manifest {
    /// The circumstances with which it was begun.
    pub fn circumstances(&self) -> Option<&Circumstances> {
        self.begun.as_ref().map(|begun| &begun.circumstances)
    }

    /// Whether a line has its verdict.
    pub fn is_judged(&self, line: u32) -> bool {
        self.judged.contains(&line)
    }

    /// Whether every row has its verdict, and the import has ended.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    fn at_office(&self, context: &Context) -> Result<&Begun, Error> {
        self.begun.as_ref().filter(|begun| begun.office == context.office).ok_or(Error::NoSuchManifest)
    }

    fn begin(&self, asked: Begun) -> Result<Vec<Event>, Error> {
        match &self.begun {
            None => {
                let Begun { office, digest, rows, circumstances } = asked;
                Ok(vec![Event::Begun { office, digest, rows, circumstances }])
            }
            Some(known) if *known == asked => Ok(vec![]),
            Some(known) if known.digest == asked.digest && known.office == asked.office => {
                Err(Error::OtherCircumstances)
            }
            Some(_) => Err(Error::ManifestIdTaken),
        }
    }
}

#[cfg(test)]
mod tests {
    use spean_eventsourcing::specification::given;
    use spean_vocabulary::Timestamp;

    use super::*;
    use crate::arrival::Route;

    fn at(office: &str) -> Context {
        Context {
            office: office.parse().expect("a code"),
            staff: Some("staff-7".parse().expect("a code")),
            now: Timestamp::from_micros(1_790_000_000_000_000),
        }
    }

    fn at_centre() -> Context {
        at("poipet-transit-centre")
    }

    fn circumstances(arrived_on: &str) -> Circumstances {
        let arrived_on = arrived_on.parse().expect("a day");
        Circumstances {
            route: Route::Repatriation,
            from_country: None,
            handed_over_by: None,
            authority: None,
            arrived_on,
        }
    }

    fn begin(digest: &str, arrived_on: &str) -> Command {
        Command::Begin { digest: digest.to_owned(), rows: 2, circumstances: circumstances(arrived_on) }
    }

    fn begun() -> Event {
        Event::Begun {
            office: at_centre().office,
            digest: "ab".to_owned(),
            rows: 2,
            circumstances: circumstances("2026-09-01"),
        }
    }

    fn refused(line: u32) -> Verdict {
        let outcome = Outcome::Refused { reason: Reason::BirthMalformed, column: Some(Column::Birth), same_as: None };
        Verdict { line, outcome }
    }

    fn judged(lines: impl IntoIterator<Item = u32>) -> Event {
        Event::RowsJudged { verdicts: lines.into_iter().map(refused).collect() }
    }

    #[test]
    fn a_manifest_begins_goes_on_and_ends() {
        given::<Manifest>([]).when(&at_centre(), begin("ab", "2026-09-01")).then([begun()]);
        given::<Manifest>([begun()])
            .when(&at_centre(), Command::RecordRows { verdicts: vec![refused(2)] })
            .then([judged([2])]);
        given::<Manifest>([begun(), judged([2, 3])]).when(&at_centre(), Command::Finish).then([Event::Finished {}]);
    }

    #[test]
    fn a_row_keeps_its_first_verdict() {
        let arrival = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let outcome = Outcome::Accepted { arrival, missing: vec![], notes: BTreeSet::new(), known: BTreeSet::new() };
        let verdicts = vec![Verdict { line: 2, outcome }, refused(3)];
        given::<Manifest>([begun(), judged([2])])
            .when(&at_centre(), Command::RecordRows { verdicts })
            .then([judged([3])]);
    }

    #[test]
    fn nothing_ends_while_rows_are_left() {
        given::<Manifest>([begun(), judged([2])])
            .when(&at_centre(), Command::Finish)
            .then_error(&Error::RowsOutstanding);
    }

    #[test]
    fn another_file_or_other_circumstances_need_an_id_of_their_own() {
        let refusals = [
            (at_centre(), begin("cd", "2026-09-01"), Error::ManifestIdTaken),
            (at_centre(), begin("ab", "2026-09-02"), Error::OtherCircumstances),
            (at("battambang"), begin("ab", "2026-09-01"), Error::ManifestIdTaken),
        ];
        for (context, command, error) in refusals {
            given::<Manifest>([begun(), judged([2, 3]), Event::Finished {}]).when(&context, command).then_error(&error);
        }
    }

    #[test]
    fn another_office_hears_that_there_is_no_such_manifest() {
        for command in [Command::Finish, Command::RecordRows { verdicts: vec![refused(2)] }] {
            given::<Manifest>([begun()]).when(&at("battambang"), command).then_error(&Error::NoSuchManifest);
        }
    }
}
