//! What services of the node tell, what other agencies report, and what the ministry publishes.

use prost::Message as _;
use spean_chassis::Clock;
use spean_chassis::words::{read_age_band, read_sex};
use spean_contracts::insight::v1::{FactRecorded, FiguresPublished, ReportSubmitted, SubjectDescribed};
use spean_eventsourcing::{Aggregate, Context, Refusal};
use spean_eventstore::{BoxFuture, HandleError, Metadata, Transaction};
use spean_identity::LiveDirectory;
use spean_messaging::{Address, Correspondence, Letter, Unusable};
use spean_vocabulary::{CaseId, NodeId, OfficeId, Service};

use crate::measure::Measure;
use crate::publication::{self, Publication};
use crate::report::{self, Report};
use crate::subject::{self, Description, Fact, Source, Subject};
use crate::wire;

/// Longest code that is kept, in characters.
const LONGEST_CODE: usize = 60;

/// Applies the letters of insight.
pub(crate) struct Reactions {
    pub(crate) node: NodeId,
    pub(crate) directory: LiveDirectory,
    pub(crate) clock: Clock,
}

impl Correspondence for Reactions {
    fn correspondents(&self) -> Vec<Address> {
        let own = [Service::Cases, Service::Followup, Service::Referral, Service::Repatriation, Service::Shelter];
        let own = own.into_iter().map(|service| Address { node: self.node.clone(), service });
        let directory = self.directory.current();
        let others = directory.nodes.iter().filter(|node| node.id != self.node);
        own.chain(others.map(|node| Address { node: node.id.clone(), service: Service::Insight })).collect()
    }

    fn apply<'a>(
        &'a self,
        letter: &'a Letter,
        transaction: &'a mut Transaction,
    ) -> BoxFuture<'a, Result<(), Unusable>> {
        Box::pin(async move {
            match letter.kind.as_str() {
                "spean.insight.v1.FactRecorded" => self.fact(letter, transaction).await,
                "spean.insight.v1.SubjectDescribed" => self.described(letter, transaction).await,
                "spean.insight.v1.ReportSubmitted" => self.report(letter, transaction).await,
                "spean.insight.v1.FiguresPublished" => self.publication(letter, transaction).await,
                _ => Err(refused("UNKNOWN_KIND")),
            }
        })
    }
}

impl Reactions {
    async fn fact(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        self.check_is_ours(letter)?;
        let told = FactRecorded::decode(letter.body.as_slice()).map_err(malformed)?;
        let subject: CaseId = told.subject_id.parse().map_err(malformed)?;
        let office: OfficeId = told.office_id.parse().map_err(malformed)?;
        let directory = self.directory.current();
        let known = directory.office(&office);
        let fact = Fact {
            fact_id: code(told.fact_id)?,
            measure: Measure::read("measure", told.measure).map_err(malformed)?,
            agency: known.and_then(|office| directory.node(&office.node)).map(|node| node.agency.clone()),
            province: known.map(|office| office.place.province()),
            office,
            occurred_on: told.occurred_on.parse().map_err(malformed)?,
            detail: code(told.detail)?,
            thing: code(told.thing_id)?,
            hours: told.hours.filter(|hours| *hours >= 0),
            recorded_hour: told.recorded_hour,
        };
        self.decide::<Subject>(&subject.to_string(), subject::Command::Record(fact), letter, transaction).await
    }

    async fn described(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        self.check_is_ours(letter)?;
        let told = SubjectDescribed::decode(letter.body.as_slice()).map_err(malformed)?;
        let subject: CaseId = told.subject_id.parse().map_err(malformed)?;
        let optional = |text: String| if text.is_empty() { Ok(None) } else { code(text).map(Some) };
        let description = Description {
            sex: read_sex("sex", told.sex).ok(),
            age_band: read_age_band("age_band", told.age_band).ok(),
            home_province: told.home_province.parse().ok().map(|place: spean_vocabulary::PlaceCode| place.province()),
            route: optional(told.route)?,
            country: optional(told.country)?,
            sector: optional(told.sector)?,
            need: optional(told.need)?,
            case: if told.case_id.is_empty() { None } else { Some(told.case_id.parse().map_err(malformed)?) },
            said_by: Source {
                rank: u8::from(letter.from.service == Service::Cases),
                incarnation: letter.incarnation,
                position: told.position,
            },
        };
        self.decide::<Subject>(&subject.to_string(), subject::Command::Describe(description), letter, transaction).await
    }

    async fn report(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = ReportSubmitted::decode(letter.body.as_slice()).map_err(malformed)?;
        let report = wire::read_report(told.report.unwrap_or_default()).ok_or_else(|| refused("MALFORMED"))?;
        let directory = self.directory.current();
        let agency = directory.node(&letter.from.node).map(|node| &node.agency);
        if letter.from.service != Service::Insight || report.node != letter.from.node || agency != Some(&report.agency)
        {
            return Err(refused("NOT_THEIR_REPORT"));
        }
        let id = format!("{}/{}", report.node, report.period);
        self.decide::<Report>(&id, report::Command::Receive(report), letter, transaction).await
    }

    async fn publication(&self, letter: &Letter, transaction: &mut Transaction) -> Result<(), Unusable> {
        let told = FiguresPublished::decode(letter.body.as_slice()).map_err(malformed)?;
        let directory = self.directory.current();
        let ministry = directory.office(&directory.registry).map(|office| &office.node);
        if letter.from.service != Service::Insight || ministry != Some(&letter.from.node) {
            return Err(refused("NOT_THE_MINISTRY"));
        }
        let published = wire::read_publication(told.publication.unwrap_or_default());
        let published = published.ok_or_else(|| refused("MALFORMED"))?;
        let id = published.period.to_string();
        self.decide::<Publication>(&id, publication::Command::Receive(published), letter, transaction).await
    }

    /// Facts are told by the services of this node and by nobody else.
    fn check_is_ours(&self, letter: &Letter) -> Result<(), Unusable> {
        if letter.from.node == self.node { Ok(()) } else { Err(refused("NOT_OUR_FACT")) }
    }

    async fn decide<A>(
        &self,
        id: &str,
        command: A::Command,
        letter: &Letter,
        transaction: &mut Transaction,
    ) -> Result<(), Unusable>
    where
        A: Aggregate<Context = Context>,
        A::Error: Refusal,
    {
        let office = self.directory.current().offices_of(&self.node).next().map(|office| office.id.clone());
        let office = office.ok_or_else(|| refused("NODE_WITHOUT_AN_OFFICE"))?;
        let context = Context { office, staff: None, now: self.clock.now() };
        let metadata = Metadata { trace: letter.trace.clone(), ..Metadata::of(&context) };
        match transaction.decide::<A>(id, command, &context, &metadata).await {
            Ok(_) => Ok(()),
            Err(HandleError::Refused(error)) => Err(refused(error.reason())),
            Err(HandleError::CommandIdReused) => Err(refused("COMMAND_ID_REUSED")),
            Err(HandleError::Store(error)) => Err(Unusable::Store(error)),
        }
    }
}

/// A code: short, of letters, digits and a few signs, so that no name can hide in it.
fn code(text: String) -> Result<String, Unusable> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte);
    if text.len() <= LONGEST_CODE && text.bytes().all(plain) { Ok(text) } else { Err(refused("MALFORMED")) }
}

fn refused(reason: &str) -> Unusable {
    Unusable::Refused(reason.to_owned())
}

fn malformed<E>(_: E) -> Unusable {
    refused("MALFORMED")
}
