//! Protobuf to commands and queries, and back. No rules.

use std::collections::{BTreeMap, BTreeSet};

use spean_chassis::{Node, field, status};
use spean_contracts::insight::v1::insight_service_server::InsightService;
use spean_contracts::insight::v1::{self as contract};
use spean_eventstore::EventStore;
use spean_vocabulary::Date;
use tonic::{Request, Response, Status};

use crate::figures::{self, Counted};
use crate::measure::{Dimension, Measure, OpenThing};
use crate::period::Period;
use crate::publication::{self, Publication};
use crate::report::{self, Issued, Report};
use crate::wire::{signed, write_publication, write_report};

/// Most windows of a count: baseline, middle and end.
const MOST_WINDOWS: usize = 3;
/// Most dimensions of a count.
const MOST_DIMENSIONS: usize = 2;

/// Ages of what is open: below so many days it is called so.
const AGES: [(i32, &str); 4] = [(2, "UNDER_2_DAYS"), (7, "UNDER_7_DAYS"), (30, "UNDER_30_DAYS"), (90, "UNDER_90_DAYS")];
const OLDEST: &str = "OLDER";

/// Insight over gRPC.
pub(crate) struct Grpc {
    pub(crate) node: Node,
    pub(crate) store: EventStore,
}

#[tonic::async_trait]
impl InsightService for Grpc {
    async fn count_facts(
        &self,
        request: Request<contract::CountFactsRequest>,
    ) -> Result<Response<contract::CountFactsResponse>, Status> {
        let (_, request) = self.node.gate.open("CountFacts", request)?;
        let measure = Measure::read("measure", request.measure)?;
        field::at_most("windows", &request.windows, MOST_WINDOWS)?;
        field::at_most("by", &request.by, MOST_DIMENSIONS)?;
        let windows: Vec<_> = request.windows.iter().enumerate().map(read_window).collect::<Result<_, _>>()?;
        if windows.is_empty() {
            return Err(status::invalid("windows", "at least one window of time"));
        }
        let by = request.by.iter().enumerate();
        let by: Vec<_> =
            by.map(|(index, by)| Dimension::read(&format!("by[{index}]"), *by)).collect::<Result<_, _>>()?;
        let mut groups = BTreeMap::<Vec<String>, Vec<Counted>>::new();
        let mut totals = Vec::with_capacity(windows.len());
        for (index, (from, to)) in windows.iter().enumerate() {
            let counted = figures::by_group(measure, *from, *to, &by, self.store.reader()).await;
            let counted = counted.map_err(status::query)?;
            totals.push(tally(&whole(counted.values())));
            for (values, counted) in counted {
                let tallies = groups.entry(values).or_insert_with(|| vec![Counted::default(); windows.len()]);
                tallies[index] = counted;
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|(name, one), (other_name, other)| {
            other[0].count.cmp(&one[0].count).then_with(|| name.cmp(other_name))
        });
        let groups = groups
            .into_iter()
            .map(|(values, tallies)| contract::Group { values, tallies: tallies.iter().map(tally).collect() });
        Ok(Response::new(contract::CountFactsResponse { groups: groups.collect(), totals }))
    }

    async fn count_open(
        &self,
        request: Request<contract::CountOpenRequest>,
    ) -> Result<Response<contract::CountOpenResponse>, Status> {
        let (call, request) = self.node.gate.open("CountOpen", request)?;
        let thing = OpenThing::read("thing", request.thing)?;
        let asked = request.by != i32::from(contract::Dimension::Unspecified);
        let by = if asked { Some(Dimension::read("by", request.by)?) } else { None };
        let open = figures::open(thing, by, self.store.reader()).await.map_err(status::query)?;
        let today = call.today();
        let mut groups = BTreeMap::<(usize, String), i64>::new();
        for open in &open {
            *groups.entry((age(today.days_since(open.since)), open.value.clone())).or_default() += 1;
        }
        let groups = groups.into_iter().rev().map(|((age, value), count)| contract::OpenGroup {
            value,
            age: AGES.get(age).map_or(OLDEST, |(_, name)| name).to_owned(),
            count,
        });
        Ok(Response::new(contract::CountOpenResponse {
            groups: groups.collect(),
            total: i64::try_from(open.len()).unwrap_or(i64::MAX),
            oldest_days: open.first().map_or(0, |oldest| i64::from(today.days_since(oldest.since))),
        }))
    }

    async fn issue_report(
        &self,
        request: Request<contract::IssueReportRequest>,
    ) -> Result<Response<contract::IssueReportResponse>, Status> {
        let (call, request) = self.node.gate.open("IssueReport", request)?;
        let period: Period = field::parse("period", &request.period)?;
        let directory = self.node.directory.current();
        let agency = directory.node(&self.node.id).map(|node| node.agency.clone());
        let agency = agency.ok_or_else(|| status::not_found("node"))?;
        let (context, metadata, node) = (call.context()?, call.metadata()?, self.node.id.clone());
        let issued = self.store.transact(move |transaction| {
            Box::pin(async move {
                let outdated = figures::outdated(Some(period), &node, transaction.connection()).await;
                for (of, figures) in outdated.map_err(status::query)? {
                    let (agency, issued_at) = (agency.clone(), context.now);
                    let report = Issued { period: of, node: node.clone(), agency, issued_at, edition: 0, figures };
                    let (id, command) = (format!("{node}/{of}"), report::Command::Issue(report));
                    transaction.decide::<Report>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                }
                let id = format!("{node}/{period}");
                transaction.load::<Report>(&id).await.map_err(|error| status::store(&error))
            })
        });
        let issued = issued.await.map_err(status::transacted)?;
        Ok(Response::new(contract::IssueReportResponse { report: issued.state.issued().map(write_report) }))
    }

    async fn list_period_reports(
        &self,
        request: Request<contract::ListPeriodReportsRequest>,
    ) -> Result<Response<contract::ListPeriodReportsResponse>, Status> {
        let (_, request) = self.node.gate.open("ListPeriodReports", request)?;
        let period: Option<Period> = field::parse_optional("period", &request.period)?;
        let reports = figures::reports(period, self.store.reader()).await.map_err(status::query)?;
        let missing = match period {
            Some(period) if self.is_ministry() => self.missing(period).await?,
            _ => vec![],
        };
        let mut connection = self.store.reader().acquire().await.map_err(status::query)?;
        let outdated = figures::outdated(None, &self.node.id, &mut connection).await.map_err(status::query)?;
        // What was never reported is not outdated.
        let own: BTreeSet<_> =
            reports.iter().filter(|report| report.node == self.node.id).map(|report| report.period).collect();
        let outdated = outdated.into_iter().map(|(period, _)| period).filter(|period| own.contains(period));
        Ok(Response::new(contract::ListPeriodReportsResponse {
            reports: reports.iter().map(write_report).collect(),
            missing_node_ids: missing,
            outdated_periods: outdated.map(|period| period.to_string()).collect(),
        }))
    }

    async fn publish_figures(
        &self,
        request: Request<contract::PublishFiguresRequest>,
    ) -> Result<Response<contract::PublishFiguresResponse>, Status> {
        let (call, request) = self.node.gate.open("PublishFigures", request)?;
        let period: Period = field::parse("period", &request.period)?;
        let is_ministry = *call.office()? == self.node.directory.current().registry;
        let (context, metadata) = (call.context()?, call.metadata()?);
        let published = self.store.transact(move |transaction| {
            Box::pin(async move {
                let reports = figures::reports(Some(period), &mut *transaction.connection()).await;
                let reports = reports.map_err(status::query)?;
                let command = publication::Command::Publish { period, reports, is_ministry };
                let id = period.to_string();
                transaction.decide::<Publication>(&id, command, &context, &metadata).await.map_err(status::handled)?;
                transaction.load::<Publication>(&id).await.map_err(|error| status::store(&error))
            })
        });
        let published = published.await.map_err(status::transacted)?;
        let publication = published.state.published().map(write_publication);
        Ok(Response::new(contract::PublishFiguresResponse { publication }))
    }

    async fn get_figures(
        &self,
        request: Request<contract::GetFiguresRequest>,
    ) -> Result<Response<contract::GetFiguresResponse>, Status> {
        let (_, request) = self.node.gate.open("GetFigures", request)?;
        let period: Option<Period> = field::parse_optional("period", &request.period)?;
        let published = figures::publications(period, self.store.reader()).await.map_err(status::query)?;
        let (first, corrections) = published.split_first().ok_or_else(|| status::not_found("publication"))?;
        Ok(Response::new(contract::GetFiguresResponse {
            publication: Some(write_publication(first)),
            corrections: corrections.iter().map(write_publication).collect(),
        }))
    }
}

impl Grpc {
    fn is_ministry(&self) -> bool {
        let directory = self.node.directory.current();
        directory.office(&directory.registry).is_some_and(|office| office.node == self.node.id)
    }

    /// The nodes of the directory that have not reported on a period.
    async fn missing(&self, period: Period) -> Result<Vec<String>, Status> {
        let reported = figures::reported_nodes(period, self.store.reader()).await.map_err(status::query)?;
        let reported: BTreeSet<_> = reported.into_iter().collect();
        let directory = self.node.directory.current();
        let missing = directory.nodes.iter().filter(|node| !reported.contains(&node.id));
        Ok(missing.map(|node| node.id.to_string()).collect())
    }
}

fn read_window((index, window): (usize, &contract::Window)) -> Result<(Date, Date), Status> {
    let at = |name: &str| format!("windows[{index}].{name}");
    let (from, to): (Date, Date) = (field::parse(&at("from"), &window.from)?, field::parse(&at("to"), &window.to)?);
    if from > to { Err(status::invalid(&at("to"), "a day that is not before the first")) } else { Ok((from, to)) }
}

/// The place of an age among [`AGES`]; behind them all for what is older.
fn age(days: i32) -> usize {
    AGES.iter().position(|(below, _)| days < *below).unwrap_or(AGES.len())
}

fn whole<'c>(groups: impl Iterator<Item = &'c Counted>) -> Counted {
    let mut whole = Counted::default();
    for counted in groups {
        whole.count += counted.count;
        whole.hours.extend(&counted.hours);
    }
    whole.hours.sort_unstable();
    whole
}

/// Of the hours in ascending order: what half, what nine of ten took at most, and the slowest.
fn tally(counted: &Counted) -> contract::Tally {
    let at = |share: usize| {
        let last = counted.hours.len().checked_sub(1)?;
        counted.hours.get((counted.hours.len() * share).div_ceil(100).saturating_sub(1).min(last)).copied()
    };
    contract::Tally {
        count: signed(counted.count),
        median_hours: at(50),
        ninetieth_hours: at(90),
        longest_hours: at(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_nine_of_ten_are_counted_from_the_quickest() {
        let tallied = tally(&Counted { count: 10, hours: (1..=10).collect() });
        assert_eq!(
            (tallied.median_hours, tallied.ninetieth_hours, tallied.longest_hours),
            (Some(5), Some(9), Some(10))
        );
        assert_eq!(tally(&Counted::default()).median_hours, None);
        assert_eq!(tally(&Counted { count: 1, hours: vec![7] }).median_hours, Some(7));
    }

    #[test]
    fn what_is_open_is_as_old_as_its_days() {
        assert_eq!([0, 1, 2, 29, 90, 400].map(age), [0, 0, 1, 2, 4, 4]);
    }
}
