//! More work than a node can do is refused at once, so that what it has begun is finished.
//!
//! Three limits, of which none waits: requests under way at the node, those among them that may be large, and open
//! connections. Who is refused hears `RESOURCE_EXHAUSTED` before anything was done, and when to come again. What asks how
//! the node is (health, reflection) is never refused. On one connection, further requests wait at the caller's side
//! (HTTP/2's own limit of streams).
//!
//! A request is under way until its caller has read the answer, or was too slow for it: then its connection ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{Instant, Sleep};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::transport::server::{Connected, TlsConnectInfo};
use tower::{Layer, Service};

use crate::status;

/// What may be asked however much there is to do.
const ALWAYS: [&str; 2] = ["/grpc.health.", "/grpc.reflection."];
/// Services whose requests may be large.
const LARGE: [&str; 2] = ["/spean.cases.v1.AttachmentService/", "/spean.repatriation."];
/// How long a caller may take to read an answer.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// How long a connection may take until it says something for the first time.
const GREETING: Duration = Duration::from_secs(10);
/// How long a connection may be silent. Whoever lives answers the node's pings more often.
const SILENCE: Duration = Duration::from_secs(90);
/// How long the node waits before it takes connections again, when it has no descriptor left for one.
const BREATH: Duration = Duration::from_millis(100);

/// How much a node takes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests under way. What a node does in a second is a good figure: so long the last of them waits.
    pub requests: u32,
    /// Requests under way that may be large: papers and photographs, and lists of people to be taken home. They may take
    /// some 6 MiB of memory each, and others 1 MiB.
    pub large_requests: u32,
    /// Requests under way on one connection; others wait at the caller's side.
    pub requests_on_a_connection: u32,
    /// Open connections.
    pub connections: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 256, large_requests: 16, requests_on_a_connection: 64, connections: 1_024 }
    }
}

impl Limits {
    /// Whether nothing was set.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Counts what is under way; one for each node.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    requests: Arc<Semaphore>,
    large_requests: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    refused: Arc<AtomicU64>,
    counter: Counter<u64>,
}

impl Load {
    pub(crate) fn new(limits: &Limits) -> Self {
        let semaphore = |limit: u32| Arc::new(Semaphore::new(limit as usize));
        // Counts nothing unless the program collects metrics.
        let counter = opentelemetry::global::meter("spean").u64_counter("spean.refused").with_unit("{refusal}").build();
        Self {
            requests: semaphore(limits.requests),
            large_requests: semaphore(limits.large_requests),
            connections: semaphore(limits.connections),
            refused: Arc::default(),
            counter,
        }
    }

    /// Room for a request; none when there is too much to do.
    fn room_for(&self, path: &str) -> Option<Room> {
        let large = LARGE.iter().any(|service| path.starts_with(service));
        let large = if large { Some(self.take(&self.large_requests, "large_requests")?) } else { None };
        Some(Room { _request: self.take(&self.requests, "requests")?, _large: large })
    }

    fn take(&self, semaphore: &Arc<Semaphore>, limit: &'static str) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(semaphore).try_acquire_owned().ok();
        if permit.is_none() {
            self.counter.add(1, &[KeyValue::new("spean.limit", limit)]);
            let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
            // Seldom enough to be read, and not one more thing to do for a node that has too much to do.
            if refused.is_power_of_two() {
                tracing::warn!(limit, refused, "there is more to do than this node can: refused");
            }
        }
        permit
    }

    /// The connections that are made, as many as may be open at once. Others are closed without a word.
    pub(crate) fn connections(self, listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
        futures::stream::unfold((self, listener), |(load, listener)| async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        if let Some(permit) = load.take(&load.connections, "connections") {
                            return Some((Ok(Connection::new(stream, permit)), (load, listener)));
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "no connection can be taken at the moment");
                        tokio::time::sleep(BREATH).await;
                    }
                }
            }
        })
    }
}

/// What a request takes up.
struct Room {
    _request: OwnedSemaphorePermit,
    _large: Option<OwnedSemaphorePermit>,
}

impl<S> Layer<S> for Load {
    type Service = Shedding<S>;

    fn layer(&self, inner: S) -> Shedding<S> {
        Shedding { inner, load: self.clone() }
    }
}

/// A service that refuses what is too much.
#[derive(Clone, Debug)]
pub(crate) struct Shedding<S> {
    inner: S,
    load: Load,
}

impl<S> Service<http::Request<Body>> for Shedding<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<http::Response<Body>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if ALWAYS.iter().any(|service| path.starts_with(service)) {
            return Box::pin(self.inner.call(request));
        }
        let Some(room) = self.load.room_for(path) else {
            return Box::pin(async { Ok(status::overloaded().into_http()) });
        };
        let end = end_of(&request);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            let reading = keep_while_read(room, end);
            Ok(answer.map(|body| {
                Body::new(body.map_err(move |error| {
                    // The body has this closure until the caller has read it all, or is gone.
                    let _ = &reading;
                    error
                }))
            }))
        })
    }
}

/// Keeps the room until the answer was read, which is when what is returned here is dropped, and ends the connection of
/// somebody who takes too long.
fn keep_while_read(room: Room, end: Option<End>) -> oneshot::Sender<()> {
    let (reading, read) = oneshot::channel();
    tokio::spawn(async move {
        if tokio::time::timeout(READ_WITHIN, read).await.is_err()
            && let Some(end) = end
        {
            tracing::warn!("a caller took too long to read an answer; the connection ends");
            end.0.send_replace(true);
        }
        drop(room);
    });
    reading
}

/// Ends a connection.
#[derive(Clone, Debug)]
pub(crate) struct End(Arc<watch::Sender<bool>>);

fn end_of(request: &http::Request<Body>) -> Option<End> {
    let extensions = request.extensions();
    let encrypted = extensions.get::<TlsConnectInfo<End>>().map(TlsConnectInfo::get_ref);
    extensions.get::<End>().or(encrypted).cloned()
}

/// A connection that counts while it is open, and ends when nothing has come over it for long.
pub(crate) struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    end: End,
    ended: BoxFuture<'static, ()>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit) -> Self {
        // An error says that the caller is gone already.
        let _ = stream.set_nodelay(true);
        let (send, mut receive) = watch::channel(false);
        let ended = Box::pin(async move {
            // The sender lives as long as this connection.
            let _ = receive.wait_for(|ended| *ended).await;
        });
        let silence = Box::pin(tokio::time::sleep(GREETING));
        Self { stream, silence, end: End(Arc::new(send)), ended, _permit: permit }
    }

    fn aborted() -> io::Error {
        io::ErrorKind::ConnectionAborted.into()
    }
}

impl Connected for Connection {
    type ConnectInfo = End;

    fn connect_info(&self) -> End {
        self.end.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ended.as_mut().poll(context).is_ready() {
            // What was polled to its end must not be polled again.
            this.ended = Box::pin(std::future::ready(()));
            return Poll::Ready(Err(Self::aborted()));
        }
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            this.silence.as_mut().reset(Instant::now() + SILENCE);
            return Poll::Ready(read);
        }
        ready!(this.silence.as_mut().poll(context));
        this.silence.as_mut().reset(Instant::now() + SILENCE);
        Poll::Ready(Err(Self::aborted()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
