//! The line between a node and its broker: a proxy of our own, whose weather can be changed while it carries traffic.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes carried at a time: small, so that a line that is torn is torn within a frame.
const CHUNK_BYTES: usize = 4 * 1024;

/// What a line does to what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Nothing.
    #[default]
    Clear,
    /// Every chunk comes this much later.
    Slow(Duration),
    /// Nothing comes through towards the broker; what the broker says does.
    DeafBroker,
    /// Nothing comes through towards the node; what the node says does.
    DeafNode,
    /// Nothing comes through, and nobody is told: both ends believe that they are connected.
    HalfOpen,
    /// Half of the next chunk comes through, then the connection ends; new ones fare the same.
    Torn,
    /// All connections are cut, new ones at once.
    Severed,
}

impl Weather {
    fn holds(self, direction: Direction) -> bool {
        match self {
            Self::HalfOpen => true,
            Self::DeafBroker => direction == Direction::ToBroker,
            Self::DeafNode => direction == Direction::ToNode,
            Self::Clear | Self::Slow(_) | Self::Torn | Self::Severed => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToBroker,
    ToNode,
}

/// A line that is up until it is dropped.
#[derive(Debug)]
pub(crate) struct Wire {
    port: u16,
    weather: watch::Sender<Weather>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// Lays a line to a port of this machine.
    ///
    /// # Errors
    /// When no port is free.
    pub(crate) async fn to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (weather, forecast) = watch::channel(Weather::Clear);
        let own = listener.local_addr()?.port();
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, port, forecast.clone()));
            }
        });
        Ok(Self { port: own, weather, accepting })
    }

    /// The port to connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Changes the weather, for the connections that there are as well.
    pub(crate) fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        self.weather.send_replace(Weather::Severed);
    }
}

async fn carry(near: TcpStream, port: u16, weather: watch::Receiver<Weather>) {
    if *weather.borrow() == Weather::Severed {
        return;
    }
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    // Without this what is small waits for more.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_reads, near_writes), (far_reads, far_writes)) = (near.into_split(), far.into_split());
    // When one direction ends, the connection does.
    tokio::select! {
        () = pump(near_reads, far_writes, Direction::ToBroker, weather.clone()) => {}
        () = pump(far_reads, near_writes, Direction::ToNode, weather) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    mut weather: watch::Receiver<Weather>,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = tokio::select! {
            read = from.read(&mut chunk) => read,
            severed = weather.wait_for(|weather| *weather == Weather::Severed) => { drop(severed); return }
        };
        let Ok(length @ 1..) = read else { return };
        // What was read while the line holds it back comes through when it does no more.
        let Ok(now) = weather.wait_for(|weather| !weather.holds(direction)).await.map(|weather| *weather) else {
            return;
        };
        let carried = match now {
            Weather::Severed => return,
            Weather::Torn => length.div_ceil(2),
            Weather::Slow(pause) => {
                tokio::time::sleep(pause).await;
                length
            }
            _ => length,
        };
        if to.write_all(&chunk[..carried]).await.is_err() || now == Weather::Torn {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(150);
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Somebody who repeats what is said, and a line to them.
    async fn echo() -> Wire {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reads, mut writes) = stream.split();
                    tokio::io::copy(&mut reads, &mut writes).await
                });
            }
        });
        Wire::to(port).await.expect("a free port")
    }

    async fn through(wire: &Wire) -> TcpStream {
        TcpStream::connect(("127.0.0.1", wire.port())).await.expect("it listens")
    }

    async fn hears(stream: &mut TcpStream, length: usize) -> Vec<u8> {
        let mut heard = vec![0; length];
        timeout(PATIENCE, stream.read_exact(&mut heard)).await.expect("in time").expect("it is connected");
        heard
    }

    #[tokio::test]
    async fn what_was_held_back_comes_through_whole_and_in_order() {
        let wire = echo().await;
        for weather in [Weather::HalfOpen, Weather::DeafBroker, Weather::DeafNode] {
            wire.set(Weather::Clear);
            let mut stream = through(&wire).await;
            stream.write_all(b"before").await.expect("it is connected");
            assert_eq!(hears(&mut stream, 6).await, b"before");
            wire.set(weather);
            stream.write_all(b"meanwhile").await.expect("nobody is told");
            let mut nothing = [0; 1];
            assert!(timeout(MOMENT, stream.read(&mut nothing)).await.is_err(), "{weather:?} lets nothing come back");
            wire.set(Weather::Clear);
            assert_eq!(hears(&mut stream, 9).await, b"meanwhile");
        }
    }

    #[tokio::test]
    async fn a_torn_line_carries_half_and_ends() {
        let wire = echo().await;
        let mut stream = through(&wire).await;
        stream.write_all(b"before").await.expect("it is connected");
        assert_eq!(hears(&mut stream, 6).await, b"before");
        wire.set(Weather::Torn);
        stream.write_all(b"12345678").await.expect("it is connected");
        let mut heard = Vec::new();
        // An error says that the connection was reset: it ended.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("it ends");
        assert!(heard.len() < 8, "{heard:?}");
    }

    #[tokio::test]
    async fn a_severed_line_cuts_who_is_connected_and_who_comes() {
        let wire = echo().await;
        let mut before = through(&wire).await;
        before.write_all(b"before").await.expect("it is connected");
        assert_eq!(hears(&mut before, 6).await, b"before");
        wire.set(Weather::Severed);
        let mut after = through(&wire).await;
        for stream in [&mut before, &mut after] {
            let mut heard = Vec::new();
            let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("it ends");
            assert!(heard.is_empty());
        }
        wire.set(Weather::Clear);
        let mut again = through(&wire).await;
        again.write_all(b"again").await.expect("it is connected");
        assert_eq!(hears(&mut again, 5).await, b"again");
    }
}
