//! What other services say, and what the register does about it.

use prost::Message as _;
use spean_chassis::{Clock, random, standing};
use spean_contracts::referral::v1::{PersonSeenAgain, Standing, StandingChanged};
use spean_contracts::repatriation::v1::{ArrivalRegistered, SamePersonConfirmed};
use spean_contracts::vocabulary::v1 as wire;
use spean_eventsourcing::Context;
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{AgeBand, CaseId, CaseNumber, Codes, NodeId, Service, Sex};
use sqlx::{AnyConnection, Row as _};

use crate::case::{Case, Command, Error};
use crate::holders;

/// Applies the letters of the register.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        let here = |service| Address { node: self.node.clone(), service };
        [Service::Referral, Service::Repatriation, Service::Shelter, Service::Followup, Service::Insight]
            .map(here)
            .to_vec()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            match letter.kind.as_str() {
                "spean.referral.v1.StandingChanged" => self.standing_changed(letter, transaction).await,
                "spean.referral.v1.PersonSeenAgain" => self.person_seen_again(letter, transaction).await,
                "spean.repatriation.v1.ArrivalRegistered" => self.arrival_registered(letter, transaction).await,
                "spean.repatriation.v1.SamePersonConfirmed" => self.same_person_confirmed(letter, transaction).await,
                _ => Err(Unusable::Refused("UNKNOWN_KIND".to_owned())),
            }
        })
    }
}

impl Reactions {
    async fn standing_changed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = StandingChanged::decode(letter.body.as_slice()).map_err(malformed)?;
        let told = standing::record(&told, transaction.connection()).await?;
        holders::record(&told, self.clock.now(), transaction.connection()).await?;
        // Without another office it is the desk's confirmation of a case that was opened here.
        let came_from_elsewhere = !told.other_office_id.is_empty();
        if !matches!(told.standing(), Standing::Holds | Standing::Helps | Standing::Bound) || !came_from_elsewhere {
            return Ok(());
        }
        let case: CaseId = told.case_id.parse().map_err(malformed)?;
        let context = self.context(&told.office_id)?;
        let known = known_of(&told, transaction.connection()).await?;
        let command = Command::Receive {
            case_number: known.case_number.parse().ok(),
            person: case.reinterpret(),
            from: told.other_office_id.parse().map_err(malformed)?,
            offer: told.offer_id.parse().ok(),
            on: context.now.date_in_cambodia(),
            sex: stored_sex(known.sex),
            age_band: stored_age_band(known.age_band),
        };
        self.decide(case, command, &context, letter, transaction).await
    }

    /// The person of a case was registered elsewhere. Of a case that is not in this register there is nothing to note.
    async fn person_seen_again(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = PersonSeenAgain::decode(letter.body.as_slice()).map_err(malformed)?;
        let case: CaseId = told.case_id.parse().map_err(malformed)?;
        let context = self.context(&told.office_id)?;
        let command = Command::NoteSeenAgain {
            other: told.other_case_id.parse().map_err(malformed)?,
            by: told.seen_by_office_id.parse().map_err(malformed)?,
            on: told.seen_on.parse().map_err(malformed)?,
        };
        self.decide(case, command, &context, letter, transaction).await
    }

    /// A person at the transit centre said that somebody who arrived is known from an earlier case.
    async fn same_person_confirmed(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = SamePersonConfirmed::decode(letter.body.as_slice()).map_err(malformed)?;
        let (case, other): (CaseId, CaseId) =
            (told.case_id.parse().map_err(malformed)?, told.other_case_id.parse().map_err(malformed)?);
        let on = Some(told.confirmed_on.parse().map_err(malformed)?);
        let context = self.context(&told.office_id)?;
        for (this, other) in [(case, other), (other, case)] {
            self.decide(this, Command::Link { this, other, on }, &context, letter, transaction).await?;
        }
        Ok(())
    }

    async fn arrival_registered(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = ArrivalRegistered::decode(letter.body.as_slice()).map_err(malformed)?;
        let case: CaseId = told.arrival_id.parse().map_err(malformed)?;
        let context = self.context(&told.office_id)?;
        let codes = Codes {
            sex: stored_sex(told.sex),
            age_band: stored_age_band(told.age_band),
            language: Some(told.language).filter(|language| !language.is_empty()),
            home_place: told.home_place.parse().ok(),
            missing: told.missing,
        };
        let directory = self.directory.current();
        let tag = directory.node(&self.node).map(|node| node.tag);
        let tag = tag.ok_or_else(|| Unusable::Refused("NODE_NOT_IN_DIRECTORY".to_owned()))?;
        let command = Command::Register {
            case_number: free_number(tag, transaction).await?,
            person: told.person_id.parse().map_err(malformed)?,
            codes,
            registered_on: told.arrived_on.parse().map_err(malformed)?,
        };
        holders::open(&case.to_string(), &context.office, context.now, transaction.connection()).await?;
        self.decide(case, command, &context, letter, transaction).await
    }

    fn context(&self, office: &str) -> Result<Context, Unusable> {
        Ok(Context { office: office.parse().map_err(malformed)?, staff: None, now: self.clock.now() })
    }

    async fn decide(
        &self,
        case: CaseId,
        command: Command,
        context: &Context,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable> {
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(context) };
        transaction.decide::<Case>(&case.to_string(), command, context, &metadata).await.map_err(unusable)?;
        Ok(())
    }
}

/// A number that no case here has.
pub(crate) async fn free_number(
    tag: spean_vocabulary::NodeTag,
    transaction: &mut Transaction,
) -> Result<CaseNumber, sqlx::Error> {
    loop {
        let number = CaseNumber::draw(tag, random());
        if crate::register::by_number(&number.to_string(), transaction.connection()).await?.is_none() {
            return Ok(number);
        }
    }
}

/// What the desk has told of the person so far: with the offer, as a rule, and not again when the office was bound or took
/// the case.
async fn known_of(told: &StandingChanged, connection: &mut AnyConnection) -> Result<StandingChanged, sqlx::Error> {
    let row = sqlx::query("select case_number, sex, age_band from case_standing where case_id = $1 and office = $2")
        .bind(&told.case_id)
        .bind(&told.office_id)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(told.clone()) };
    let (case_number, sex, age_band): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(StandingChanged {
        case_number,
        sex: wire::Sex::from_str_name(&sex).unwrap_or_default().into(),
        age_band: wire::AgeBand::from_str_name(&age_band).unwrap_or_default().into(),
        ..told.clone()
    })
}

fn unusable(error: HandleError<Error>) -> Unusable {
    match error {
        HandleError::Refused(error) => Unusable::Refused(<&str>::from(error).to_owned()),
        HandleError::CommandIdReused => Unusable::Refused("COMMAND_ID_REUSED".to_owned()),
        HandleError::Store(error) => Unusable::Store(error),
    }
}

fn malformed<E>(_: E) -> Unusable {
    Unusable::Refused("MALFORMED".to_owned())
}

fn stored_sex(value: i32) -> Sex {
    spean_chassis::words::read_sex("sex", value).unwrap_or(Sex::Unknown)
}

fn stored_age_band(value: i32) -> AgeBand {
    spean_chassis::words::read_age_band("age_band", value).unwrap_or(AgeBand::Unknown)
}
