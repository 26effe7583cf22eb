//! One request, followed by its trace through both agencies; and the figures that an administrator watches. The
//! collector is a real OTLP server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stands")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use spean::demonstration::agencies::{KANDAL, RATANAK_KIRI};
use spean::demonstration::staff::{Asking, new_id};
use spean_contracts::referral::v1::{AcceptOfferRequest, OfferKind, OfferState};
use spean_contracts::vocabulary::v1::{ConsentBasis, Name, Need, Person, Sex, Urgency};
use spean_identity::Role;
use spean_tests::network_observed_by;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PATIENCE: Duration = Duration::from_mins(1);
/// A name that nobody else has: it must appear in no trace, no figure and no log.
const FAMILY: &str = "Kumruzqxw";

/// A span as the test looks at it: its node, its trace and its name.
type Seen = (String, String, String);

#[derive(Clone, Debug, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Seen>>>,
    metrics: Arc<Mutex<BTreeSet<(String, String)>>>,
    /// All that came, as text.
    text: Arc<Mutex<String>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        write!(self.text.lock().unwrap(), "{request:?}").unwrap();
        for sent in request.resource_spans {
            let node = node(sent.resource.as_ref());
            for span in sent.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let trace = hexadecimal(&span.trace_id);
                self.spans.lock().unwrap().push((node.clone(), trace, span.name));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let request = request.into_inner();
        write!(self.text.lock().unwrap(), "{request:?}").unwrap();
        for sent in request.resource_metrics {
            let node = node(sent.resource.as_ref());
            for metric in sent.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                self.metrics.lock().unwrap().insert((node.clone(), metric.name));
            }
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

impl Collector {
    /// Listens; answers with the address for the nodes.
    async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}")
    }

    /// The names of a node's spans in the trace of the test.
    fn names(&self, node: &str) -> Vec<String> {
        let spans = self.spans.lock().unwrap();
        let of_trace = spans.iter().filter(|(at, trace, _)| at == node && trace == TRACE);
        of_trace.map(|(_, _, name)| name.clone()).collect()
    }
}

fn node(resource: Option<&Resource>) -> String {
    let attributes = resource.into_iter().flat_map(|resource| &resource.attributes);
    let named = attributes.filter(|attribute| attribute.key == "service.instance.id");
    let values = named.filter_map(|attribute| attribute.value.as_ref().and_then(|value| value.value.as_ref()));
    let mut texts =
        values.filter_map(|value| if let Value::StringValue(text) = value { Some(text.clone()) } else { None });
    texts.next().unwrap_or_default()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_one_trace_through_both_agencies_and_back() {
    let collector = Collector::default();
    let network = network_observed_by(&collector.listen().await).await;
    let sender = network.staff("rk-07", RATANAK_KIRI, &[Role::Caseworker]).await.unwrap();
    let receiver = network.staff("kd-02", KANDAL, &[Role::Caseworker]).await.unwrap();
    let case = new_id();
    let person = Person {
        latin_name: Some(Name { family: FAMILY.to_owned(), given: FAMILY.to_owned() }),
        sex: Sex::Female.into(),
        narrative: FAMILY.to_owned(),
        ..Person::default()
    };
    sender.register(&case, person).await.unwrap();
    sender.consent(&case, ConsentBasis::BestInterest).await.unwrap();
    let asking = Asking { kind: OfferKind::Transfer, need: Need::ReintegrationFollowUp, urgency: Urgency::Urgent };
    let offer = sender.offer(&case, KANDAL, asking).await.unwrap();
    until("the offer", async || receiver.state(&offer).await.unwrap() == OfferState::Offered).await;

    let mut request = receiver.ask(AcceptOfferRequest { offer_id: offer.clone(), ..AcceptOfferRequest::default() });
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    receiver.referral().accept_offer(request).await.unwrap();
    until("the certificate", async || receiver.holds(&case).await.unwrap()).await;

    let at = |node: &'static str, wanted: &'static [&'static str]| {
        let collector = &collector;
        async move {
            let what = format!("{wanted:?} at {node}");
            until(&what, async || {
                let names = collector.names(node);
                wanted.iter().all(|name| names.iter().any(|seen| seen == name))
            })
            .await;
        }
    };
    // The yes is committed and sent; the certificate comes back.
    at("kandal", &["rpc.server", "eventstore.transaction", "messaging.letter.publish", "messaging.letter.receive"])
        .await;
    // The yes comes in, is answered with the certificate in the same transaction, and that is sent.
    at("ratanak-kiri", &["messaging.letter.receive", "eventstore.transaction", "messaging.letter.publish"]).await;
    assert!(collector.names("mosvy").iter().all(|name| name.starts_with("messaging.") || name.starts_with("event")));

    // What was measured last is sent when a node is asked to end.
    for node in ["kandal", "ratanak-kiri"] {
        let process = network.process_id(node).unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    }
    let figures =
        ["spean.log.position", "spean.outbox.depth", "spean.outbox.age", "spean.dead_letters", "spean.append.duration"];
    until("the figures", async || {
        let metrics = collector.metrics.lock().unwrap();
        let has = |node: &str, figure: &str| metrics.contains(&(node.to_owned(), figure.to_owned()));
        figures.iter().all(|figure| has("kandal", figure) && has("ratanak-kiri", figure))
            && has("ratanak-kiri", "spean.handoff.duration")
    })
    .await;
    assert!(!collector.text.lock().unwrap().contains(FAMILY), "a name went to the collector");
    for node in ["kandal", "ratanak-kiri"] {
        let log = std::fs::read_to_string(network.folder().join(node).join("log.txt")).unwrap();
        assert!(!log.contains(FAMILY), "a name stands in the log of {node}");
    }
}
