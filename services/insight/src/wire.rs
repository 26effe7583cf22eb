//! Reports and publications between their protobuf and their Rust form.

use std::collections::BTreeMap;

use prost_types::Timestamp as WireTimestamp;
use spean_chassis::words::instant;
use spean_contracts::insight::v1 as wire;
use spean_vocabulary::Timestamp;
use tonic::Status;

use crate::measure::{Dimension, Measure};
use crate::publication::{self, Published};
use crate::report::{self, Issued};

/// Most figures of a report: what is beyond is no report.
const MOST_FIGURES: usize = 20_000;
/// Longest value of a dimension, in bytes.
const LONGEST_VALUE: usize = 60;

pub(crate) fn write_report(report: &Issued) -> wire::Report {
    wire::Report {
        agency_id: report.agency.to_string(),
        node_id: report.node.to_string(),
        period: report.period.to_string(),
        issued_at: Some(instant(report.issued_at)),
        figures: report
            .figures
            .iter()
            .map(|figure| wire::Figure {
                measure: figure.measure.write().into(),
                dimension: write_dimension(figure.dimension),
                value: figure.value.clone(),
                count: signed(figure.count),
            })
            .collect(),
        edition: edition(report.edition),
    }
}

pub(crate) fn read_report(report: wire::Report) -> Option<Issued> {
    if report.figures.len() > MOST_FIGURES {
        return None;
    }
    let read = |figure: wire::Figure| {
        Some(report::Figure {
            measure: Measure::read("measure", figure.measure).ok()?,
            dimension: read_dimension(figure.dimension).ok()?,
            value: value(figure.value)?,
            count: u64::try_from(figure.count).ok()?,
        })
    };
    Some(Issued {
        agency: report.agency_id.parse().ok()?,
        node: report.node_id.parse().ok()?,
        period: report.period.parse().ok()?,
        issued_at: read_instant(report.issued_at?),
        edition: u32::try_from(report.edition).ok()?,
        figures: report.figures.into_iter().map(read).collect::<Option<_>>()?,
    })
}

pub(crate) fn write_publication(published: &Published) -> wire::Publication {
    wire::Publication {
        period: published.period.to_string(),
        published_at: Some(instant(published.published_at)),
        node_ids: published.nodes.iter().map(ToString::to_string).collect(),
        figures: published
            .figures
            .iter()
            .map(|figure| wire::PublishedFigure {
                measure: figure.measure.write().into(),
                dimension: write_dimension(figure.dimension),
                value: figure.value.clone(),
                count: figure.count.map(signed),
            })
            .collect(),
        edition: edition(published.edition),
    }
}

pub(crate) fn read_publication(publication: wire::Publication) -> Option<Published> {
    if publication.figures.len() > MOST_FIGURES {
        return None;
    }
    let read = |figure: wire::PublishedFigure| {
        Some(publication::Figure {
            measure: Measure::read("measure", figure.measure).ok()?,
            dimension: read_dimension(figure.dimension).ok()?,
            value: value(figure.value)?,
            count: figure.count.map(u64::try_from).transpose().ok()?,
        })
    };
    Some(Published {
        period: publication.period.parse().ok()?,
        published_at: read_instant(publication.published_at?),
        nodes: publication.node_ids.iter().map(|node| node.parse().ok()).collect::<Option<_>>()?,
        edition: u32::try_from(publication.edition).ok()?,
        made_from: BTreeMap::new(),
        figures: publication.figures.into_iter().map(read).collect::<Option<_>>()?,
    })
}

fn write_dimension(dimension: Option<Dimension>) -> i32 {
    dimension.map_or(wire::Dimension::Unspecified, Dimension::write).into()
}

/// The total has no dimension.
fn read_dimension(dimension: i32) -> Result<Option<Dimension>, Status> {
    if dimension == i32::from(wire::Dimension::Unspecified) {
        return Ok(None);
    }
    Dimension::read("dimension", dimension).map(Some)
}

fn value(text: String) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.".contains(&byte);
    (text.len() <= LONGEST_VALUE && text.bytes().all(plain)).then_some(text)
}

fn edition(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// An instant as another node wrote it, to the microsecond.
fn read_instant(at: WireTimestamp) -> Timestamp {
    Timestamp::from_micros(at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000))
}

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
