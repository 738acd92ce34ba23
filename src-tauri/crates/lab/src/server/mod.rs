//! The server: listens on loopback, serves HTTP/1.1, HTTP/2 and WebSocket on one port, with TLS or without, and can be watched and
//! stopped.

mod body;
mod coding;
mod deploys;
mod gateway;
mod http;
mod plain;
mod replies;
mod socket;
mod stamps;
mod tapes;
mod tls;
mod wire;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::connections::{Ledger, Snapshot};
use crate::conversations::Conversations;
use crate::endpoints::{Endpoint, endpoints};
use crate::fault::Faults;
use crate::settings::{LabConfig, Settings};
use deploys::Deploys;
use stamps::Stamp;
use tapes::Tapes;
use tls::Tls;
use wire::{Control, Wire};

pub use stamps::{Sent, Stamps, Written};
pub use tls::CertificateError;

/// Why the Lab could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another program has the port.
    #[error("port {port} on 127.0.0.1 is already in use; choose another, or 0 for any free one")]
    PortInUse {
        /// The port asked for.
        port: u16,
    },
    /// The system refused for another reason.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate could be made for TLS.
    #[error("cannot make a certificate for TLS")]
    Certificate(#[from] CertificateError),
}

/// How long replies under way may go on once the Lab stops.
const GRACE: Duration = Duration::from_millis(500);
/// How long the Lab then waits for its connections to close.
const CLOSING: Duration = Duration::from_secs(2);

/// A running Lab. Stops when dropped, without the grace of [`Lab::stop`].
#[derive(Debug)]
pub struct Lab {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Closes once every connection has let go of its sender.
    ended: tokio::sync::Mutex<mpsc::Receiver<()>>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    ledger: Ledger,
    settings: Mutex<Arc<Settings>>,
    conversations: Mutex<Conversations>,
    deploys: Mutex<Deploys>,
    tapes: Mutex<Tapes>,
    controls: Mutex<Vec<Weak<Control>>>,
    stamps: Mutex<Option<Stamps>>,
    stopping: watch::Sender<bool>,
    tls: Tls,
}

/// What one connection has.
#[derive(Debug, Clone)]
struct Client {
    shared: Arc<Shared>,
    /// The settings when it was accepted.
    settings: Arc<Settings>,
    control: Arc<Control>,
}

impl Client {
    /// A deploy took a connection at this path.
    fn deployed(&self, path: &str, faults: &Faults) {
        if let Some(deploy) = faults.deploy {
            held(&self.shared.deploys).take(path, deploy.down);
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves whole values behind: nothing here is half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lab {
    /// Listens on 127.0.0.1 and serves until stopped or dropped. Must be called within a tokio runtime.
    pub async fn start(config: LabConfig) -> Result<Lab, Error> {
        let port = config.port;
        let fail = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => Error::PortInUse { port },
            _ => Error::Listen { port, source },
        };
        let tls = Tls::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let shared = Arc::new(Shared {
            ledger: Ledger::default(),
            settings: Mutex::new(Arc::new(config.settings)),
            conversations: Mutex::default(),
            deploys: Mutex::default(),
            tapes: Mutex::default(),
            controls: Mutex::default(),
            stamps: Mutex::default(),
            stopping: watch::Sender::new(false),
            tls,
        });
        let (alive, ended) = mpsc::channel(1);
        tokio::spawn(accept(listener, shared.clone(), alive));
        Ok(Lab { address, shared, ended: ended.into() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a base URL: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address for clients that want TLS: `https://localhost:PORT`. The certificate also holds for 127.0.0.1 and \[::1\].
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate, in PEM, of the authority that clients must trust to speak TLS with this Lab. It was made when the Lab
    /// started, and stands for this machine's own names only.
    pub fn ca_pem(&self) -> &str {
        &self.shared.tls.ca_pem
    }

    /// Stops listening, gives replies under way half a second, then closes what is left. Returns within three seconds.
    pub async fn stop(&self) {
        self.shared.stopping.send_replace(true);
        let mut ended = self.ended.lock().await;
        if timeout(GRACE, ended.recv()).await.is_ok() {
            return;
        }
        self.close_all();
        // A connection that does not close in time is left to the runtime; its socket is already shut.
        let _ = timeout(CLOSING, ended.recv()).await;
    }

    /// Closes every connection at once; WebSockets with code 1001.
    pub fn close_all(&self) {
        for control in held(&self.shared.controls).drain(..).filter_map(|c| c.upgrade()) {
            control.kill(false);
        }
    }

    /// The settings new connections get.
    pub fn settings(&self) -> Settings {
        held(&self.shared.settings).as_ref().clone()
    }

    /// Changes what new connections get; those that are open keep what they began with.
    pub fn set_settings(&self, settings: Settings) {
        *held(&self.shared.settings) = Arc::new(settings);
    }

    /// Stamps the writes of the connections that come from now on, until asked anew.
    pub fn stamp_writes(&self) -> Stamps {
        held(&self.shared.stamps).insert(Stamps::default()).clone()
    }

    /// Exchanges open and past.
    pub fn connections(&self) -> Snapshot {
        self.shared.ledger.snapshot()
    }

    /// All addresses the Lab answers at.
    pub fn endpoints(&self) -> &'static [Endpoint] {
        endpoints()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
        self.close_all();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, alive: mpsc::Sender<()>) {
    let mut stopping = shared.stopping.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let control = Control::new(alive.clone());
                {
                    let mut controls = held(&shared.controls);
                    controls.retain(|c| c.strong_count() > 0);
                    controls.push(Arc::downgrade(&control));
                }
                let settings = held(&shared.settings).clone();
                let stamp = held(&shared.stamps).as_ref().and_then(|stamps| stamps.begin(peer));
                tokio::spawn(serve(stream, stamp, Client { shared: shared.clone(), settings, control }));
            }
            // Out of file descriptors, or a client that left at once: the listener itself is sound.
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Limits of a request head. Generous beside what APIs allow, small beside memory.
const HEADERS: usize = 200;
const HEADER_BYTES: usize = 256 << 10;
/// How long a client may take over a request's head.
const HEAD_TIME: Duration = Duration::from_secs(30);

async fn serve(stream: TcpStream, stamp: Option<Stamp>, client: Client) {
    // Each event is its own small write; Nagle's algorithm would hold it back. Without the option it is only slower.
    let _ = stream.set_nodelay(true);
    let control = client.control.clone();
    let mut stopping = client.shared.stopping.subscribe();
    let begun = tokio::select! {
        begun = tls::is_begun(&stream) => begun,
        () = control.killed() => return,
        // Nothing is under way yet.
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    let wire = Wire::new(stream, control.clone(), stamp);
    if !begun {
        return speak(wire, client).await;
    }
    let tls = client.shared.tls.clone();
    let shaken = tokio::select! {
        shaken = tls.accept(wire, client.settings.http2) => shaken,
        () = control.killed() => return,
        _ = stopping.wait_for(|stop| *stop) => return,
    };
    // A client that does not trust the certificate says so in an alert; it never asked for anything that could have a row.
    if let Ok(stream) = shaken {
        speak(stream, client).await;
    }
}

/// Serves HTTP on what carries it.
async fn speak(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, client: Client) {
    let control = client.control.clone();
    let http2 = client.settings.http2;
    // The settings of a connection stand before its first request.
    let small_window = Faults::of(&client.settings.faults).ok().and_then(|faults| faults.small_window);
    let mut stopping = client.shared.stopping.subscribe();
    let io = TokioIo::new(io);
    let service = service_fn(move |request| {
        let client = client.clone();
        async move { Ok::<_, Infallible>(http::answer(client, request).await) }
    });
    if http2 {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_headers(HEADERS).max_buf_size(HEADER_BYTES);
        builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADER_BYTES as u32).max_concurrent_streams(256);
        if let Some(window) = small_window {
            builder.http2().initial_stream_window_size(window.bytes);
        }
        let connection = builder.serve_connection_with_upgrades(io, service);
        tokio::pin!(connection);
        tokio::select! {
            // How a connection ended is told by its exchanges; a client's protocol error has been answered by hyper.
            _ = connection.as_mut() => return,
            () = control.killed() => return,
            _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            () = control.left() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = connection => {}
            () = control.killed() => {}
        }
    } else {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_headers(HEADERS)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(io, service)
            .with_upgrades();
        tokio::pin!(connection);
        tokio::select! {
            _ = connection.as_mut() => return,
            () = control.killed() => return,
            _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
            () = control.left() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = connection => {}
            () = control.killed() => {}
        }
    }
}

#[cfg(test)]
mod faulty;
#[cfg(test)]
mod probes;
#[cfg(test)]
mod resuming;
#[cfg(test)]
mod tests;
