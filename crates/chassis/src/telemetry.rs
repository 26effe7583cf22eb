//! Traces, metrics and logs, with OpenTelemetry's names. Off unless a collector is named, and then it costs nothing.

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use spean_vocabulary::NodeId;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::configuration::Telemetry;

/// What must be flushed when the process ends.
#[derive(Debug, Default)]
pub(crate) struct TelemetryGuard {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
}

/// Starts logging to standard error (`RUST_LOG` chooses what), and sends traces and metrics when a collector is named.
pub(crate) fn start(node: &NodeId, settings: Option<&Telemetry>) -> anyhow::Result<TelemetryGuard> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn,sqlx=off"));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter).with(log);
    let Some(Telemetry { endpoint }) = settings else {
        registry.try_init().ok();
        return Ok(TelemetryGuard::default());
    };
    let resource = Resource::builder()
        .with_service_name("spean")
        .with_attribute(opentelemetry::KeyValue::new("service.instance.id", node.to_string()))
        .build();
    let spans = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("the exporter of traces")?;
    let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(spans).build();
    let points = opentelemetry_otlp::MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("the exporter of metrics")?;
    let metrics = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(points).build();
    opentelemetry::global::set_meter_provider(metrics.clone());
    registry.with(tracing_opentelemetry::layer().with_tracer(traces.tracer("spean"))).try_init().ok();
    Ok(TelemetryGuard { traces: Some(traces), metrics: Some(metrics) })
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        // Nobody is left to tell when the collector is away.
        let _ = self.traces.as_ref().map(SdkTracerProvider::shutdown);
        let _ = self.metrics.as_ref().map(SdkMeterProvider::shutdown);
    }
}
