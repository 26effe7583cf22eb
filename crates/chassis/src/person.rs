//! A person between the wire and the vault: what is known goes into the vault, codes alone go into events.

use spean_contracts::vocabulary::v1 as wire;
use spean_vault::{Birth, Contact, Document, Identity, Name, Narrative, Part, Parts};
pub use spean_vocabulary::Codes;
use spean_vocabulary::{AgeBand, Date, PersonId, Sex};
use tonic::Status;

use crate::field;
use crate::status::invalid;
use crate::words::{read_sex, write_sex};

const LONGEST_NAME: usize = 100;
const LONGEST_WORD: usize = 60;
const LONGEST_LINE: usize = 500;
const LONGEST_NARRATIVE: usize = 4_000;
const MOST_ENTRIES: usize = 10;

/// A person as a caller described them.
#[derive(Debug, Clone)]
pub struct Described {
    /// Who.
    pub identity: Identity,
    /// Where, and how to reach them.
    pub contact: Contact,
    /// What happened; none when nothing was said.
    pub narrative: Option<Narrative>,
}

impl Described {
    /// For the vault. A contact that says nothing is not among them, and leaves what is known as it is.
    pub fn parts(&self, person: PersonId) -> Parts<'_> {
        Parts {
            person,
            identity: &self.identity,
            contact: Some(&self.contact).filter(|contact| **contact != Contact::default()),
            narrative: self.narrative.as_ref(),
        }
    }

    /// The codes of this person on a day.
    pub fn codes(&self, day: Date) -> Codes {
        let Self { identity, contact, .. } = self;
        let absent = [
            ("name", identity.khmer.is_none() && identity.latin.is_none()),
            ("birth", identity.birth == Birth::Unknown),
            ("sex", identity.sex == Sex::Unknown),
            ("home_place", contact.home_place.is_none()),
        ];
        Codes {
            sex: identity.sex,
            age_band: AgeBand::of(identity.birth.age_on(day)),
            language: identity.languages.first().cloned(),
            home_place: contact.home_place,
            missing: absent.into_iter().filter(|(_, absent)| *absent).map(|(what, _)| what.to_owned()).collect(),
        }
    }
}

/// Reads a person. Everything may be missing; what is there must be well formed.
pub fn read(field: &str, person: Option<wire::Person>, today: Date) -> Result<Described, Status> {
    let person = field::required(field, person)?;
    let at = |name: &str| format!("{field}.{name}");
    field::at_most(&at("languages"), &person.languages, MOST_ENTRIES)?;
    field::at_most(&at("documents"), &person.documents, MOST_ENTRIES)?;
    let identity = Identity {
        khmer: read_name(&at("khmer_name"), person.khmer_name)?,
        latin: read_name(&at("latin_name"), person.latin_name)?,
        birth: read_birth(&at("birth"), person.birth, today)?,
        sex: read_sex(&at("sex"), person.sex)?,
        nationality: read_code(&at("nationality"), &person.nationality, 2..=2, u8::is_ascii_uppercase)?,
        languages: person
            .languages
            .iter()
            .enumerate()
            .map(|(index, language)| {
                let field = format!("{field}.languages[{index}]");
                read_code(&field, language, 2..=3, u8::is_ascii_lowercase)?
                    .ok_or_else(|| invalid(&field, "a language as ISO 639, such as km"))
            })
            .collect::<Result<_, _>>()?,
        documents: person
            .documents
            .into_iter()
            .enumerate()
            .map(|(index, document)| {
                Ok::<_, Status>(Document {
                    kind: field::required_text(
                        &format!("{field}.documents[{index}].kind"),
                        &document.kind,
                        LONGEST_WORD,
                    )?,
                    number: field::required_text(
                        &format!("{field}.documents[{index}].number"),
                        &document.number,
                        LONGEST_WORD,
                    )?,
                })
            })
            .collect::<Result<_, _>>()?,
    };
    let contact = Contact {
        home_place: field::parse_optional(&at("home_place"), &person.home_place)?,
        address: field::text(&at("address"), &person.address, LONGEST_LINE)?,
        telephone: field::text(&at("telephone"), &person.telephone, 40)?,
        safe_contact: field::text(&at("safe_contact"), &person.safe_contact, LONGEST_LINE)?,
    };
    let narrative = field::text(&at("narrative"), &person.narrative, LONGEST_NARRATIVE)?.map(|text| Narrative { text });
    Ok(Described { identity, contact, narrative })
}

fn read_name(field: &str, name: Option<wire::Name>) -> Result<Option<Name>, Status> {
    let Some(name) = name else { return Ok(None) };
    let family = field::text(&format!("{field}.family"), &name.family, LONGEST_NAME)?;
    let given = field::text(&format!("{field}.given"), &name.given, LONGEST_NAME)?;
    Ok((family.is_some() || given.is_some())
        .then(|| Name { family: family.unwrap_or_default(), given: given.unwrap_or_default() }))
}

fn read_birth(field: &str, birth: Option<wire::Birth>, today: Date) -> Result<Birth, Status> {
    match birth.and_then(|birth| birth.known) {
        None => Ok(Birth::Unknown),
        Some(wire::birth::Known::On(day)) => {
            if day.is_empty() {
                return Err(invalid(&format!("{field}.on"), "a day as YYYY-MM-DD"));
            }
            Ok(Birth::On { date: field::day_so_far(&format!("{field}.on"), &day, today)? })
        }
        Some(wire::birth::Known::Year(year)) => {
            field::within(&format!("{field}.year"), year.into(), 1900, today.year().into())?;
            Ok(Birth::Year { year, approximate: true })
        }
    }
}

fn read_code(
    field: &str,
    code: &str,
    length: std::ops::RangeInclusive<usize>,
    letter: fn(&u8) -> bool,
) -> Result<Option<String>, Status> {
    if code.is_empty() {
        return Ok(None);
    }
    if length.contains(&code.len()) && code.as_bytes().iter().all(letter) {
        Ok(Some(code.to_owned()))
    } else {
        Err(invalid(field, "a code of its standard: KH for a country, km for a language"))
    }
}

/// Writes what of a person is known to the caller.
pub fn write(identity: Option<Identity>, contact: Option<Contact>, narrative: Option<Narrative>) -> wire::Person {
    let name = |name: Name| wire::Name { family: name.family, given: name.given };
    let mut person = wire::Person { sex: wire::Sex::Unknown.into(), ..wire::Person::default() };
    if let Some(identity) = identity {
        person.khmer_name = identity.khmer.map(name);
        person.latin_name = identity.latin.map(name);
        person.sex = write_sex(identity.sex).into();
        person.birth = match identity.birth {
            Birth::Unknown => None,
            Birth::Year { year, .. } => Some(wire::birth::Known::Year(year)),
            Birth::On { date } => Some(wire::birth::Known::On(date.to_string())),
        }
        .map(|known| wire::Birth { known: Some(known) });
        person.nationality = identity.nationality.unwrap_or_default();
        person.languages = identity.languages;
        person.documents = identity
            .documents
            .into_iter()
            .map(|document| wire::Document { kind: document.kind, number: document.number })
            .collect();
    }
    if let Some(contact) = contact {
        person.home_place = contact.home_place.map(|place| place.to_string()).unwrap_or_default();
        person.address = contact.address.unwrap_or_default();
        person.telephone = contact.telephone.unwrap_or_default();
        person.safe_contact = contact.safe_contact.unwrap_or_default();
    }
    if let Some(narrative) = narrative {
        person.narrative = narrative.text;
    }
    person
}

/// Reads a part of a file; unspecified and unknown ones are refused.
pub fn read_part(field: &str, part: i32) -> Result<Part, Status> {
    match wire::Part::try_from(part) {
        Ok(wire::Part::Identity) => Ok(Part::Identity),
        Ok(wire::Part::Contact) => Ok(Part::Contact),
        Ok(wire::Part::Narrative) => Ok(Part::Narrative),
        Ok(wire::Part::Health) => Ok(Part::Health),
        _ => Err(invalid(field, "one of the values of Part, not the unspecified one")),
    }
}

/// Writes a part of a file.
pub const fn write_part(part: Part) -> wire::Part {
    match part {
        Part::Identity => wire::Part::Identity,
        Part::Contact => wire::Part::Contact,
        Part::Narrative => wire::Part::Narrative,
        Part::Health => wire::Part::Health,
    }
}
