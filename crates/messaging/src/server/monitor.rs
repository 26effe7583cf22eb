//! Questions to the monitoring page of a server.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

/// How long the page may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

/// Why a server is not known to keep what it acknowledges.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// It says so itself: an acknowledged message may be in memory only.
    #[error("the broker acknowledges before it has written to disk: set jetstream.sync_interval to always")]
    NotSynchronous,
    /// The address is not one of a monitoring page.
    #[error("expected the address of a monitoring page, such as http://127.0.0.1:8222")]
    Address,
    /// Nobody answers there.
    #[error("the broker's monitoring page does not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something answers that is not such a page.
    #[error("the broker's monitoring page answers with something else")]
    Answer,
}

/// Asks a server, at the address of its monitoring page (`http://host:port`), whether every message is on the disk
/// before it is acknowledged.
///
/// Anything but a clear yes is an error, also that the server has no JetStream or is too old to say.
pub async fn check_sync_always(monitor: &str) -> Result<(), MonitorError> {
    let (status, body) = get(monitor, "/varz").await?;
    let answer: serde_json::Value = serde_json::from_slice(&body).map_err(|_| MonitorError::Answer)?;
    if status != StatusCode::OK || answer.get("server_id").is_none() {
        return Err(MonitorError::Answer);
    }
    match answer.pointer("/jetstream/config/sync_always") {
        Some(serde_json::Value::Bool(true)) => Ok(()),
        _ => Err(MonitorError::NotSynchronous),
    }
}

/// Whether the server at this address says that it and its streams are ready.
pub(super) async fn is_healthy(monitor: &str) -> bool {
    matches!(get(monitor, "/healthz").await, Ok((StatusCode::OK, _)))
}

async fn get(monitor: &str, path: &str) -> Result<(StatusCode, Bytes), MonitorError> {
    let address: Uri = monitor.parse().map_err(|_| MonitorError::Address)?;
    let authority = address.authority().ok_or(MonitorError::Address)?;
    if address.scheme_str() != Some("http") {
        return Err(MonitorError::Address);
    }
    let (host, port) = (authority.host().trim_matches(['[', ']']), authority.port_u16().unwrap_or(80));
    match timeout(PATIENCE, exchange(host, port, authority.as_str(), path)).await {
        Ok(answer) => answer.map_err(MonitorError::Unreachable),
        Err(late) => Err(MonitorError::Unreachable(late.into())),
    }
}

async fn exchange(
    host: &str,
    port: u16,
    authority: &str,
    path: &str,
) -> Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect((host, port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path).header("host", authority).body(Empty::<Bytes>::new())?;
    // The connection works only while it is polled; it ends by itself once the answer is read and the sender dropped.
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await?.to_bytes();
    driver.abort();
    Ok((status, body))
}
