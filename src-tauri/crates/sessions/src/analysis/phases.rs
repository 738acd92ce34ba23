//! The dial's phases and the end, from the log's marks.

use weir_transport::{Dir, Error, Mark, Phase};

/// What the marks tell.
#[derive(Clone, Debug, Default)]
pub struct Phases {
    /// Durations of the phases, nanoseconds.
    pub dns: Option<u64>,
    /// TCP handshake.
    pub tcp: Option<u64>,
    /// TLS handshake.
    pub tls: Option<u64>,
    /// Ends of the phases as `(name, start, end)`, for the ribbon.
    pub spans: Vec<(&'static str, u64, u64)>,
    /// When the request's last byte was written.
    pub sent: Option<u64>,
    /// First byte received.
    pub first_byte: Option<u64>,
    /// First byte received behind a protocol switch.
    pub first_message: Option<u64>,
    /// TLS overhead received and sent, bytes.
    pub tls_overhead: (u64, u64),
    /// TLS version, cipher, whether certificates went unchecked.
    pub tls_facts: Option<(String, String, bool)>,
    /// The peer's address.
    pub peer: Option<String>,
    /// URL dialled.
    pub url: String,
    /// What failed.
    pub failed: Option<Error>,
    /// The user stopped it.
    pub cancelled: bool,
    /// The peer ended the connection.
    pub eof: bool,
    /// Weir closed it, the exchange being over.
    pub closed: bool,
    /// When it ended.
    pub end: Option<u64>,
    phase_began: u64,
    /// TLS overhead of the connections before this one.
    before: (u64, u64),
}

impl Phases {
    /// A mark of the log.
    pub fn mark(&mut self, mark: &Mark, t: u64) {
        match mark {
            Mark::Open { url } => {
                self.url.clone_from(url);
                self.phase_began = t;
                // What an earlier connection came to is no end, once another is dialled.
                self.before = self.tls_overhead;
                (self.eof, self.closed, self.failed, self.end) = (false, false, None, None);
            }
            Mark::Phase(phase) => {
                let took = t.saturating_sub(self.phase_began);
                let name = match phase {
                    Phase::Dns { .. } => {
                        self.dns = Some(took);
                        "dns"
                    }
                    Phase::Tcp { peer, .. } => {
                        self.tcp = Some(took);
                        self.peer = Some(peer.to_string());
                        "tcp"
                    }
                    Phase::Tls { version, cipher, insecure, .. } => {
                        self.tls = Some(took);
                        self.tls_facts = Some((version.clone(), cipher.clone(), *insecure));
                        "tls"
                    }
                };
                self.spans.push((name, self.phase_began, t));
                self.phase_began = t;
            }
            Mark::Sent => self.sent = Some(t),
            Mark::Again => {
                // The connection was there already.
                (self.dns, self.tcp, self.tls) = (None, None, None);
                (self.sent, self.first_byte, self.first_message) = (None, None, None);
                self.phase_began = t;
            }
            Mark::Eof => self.eof = true,
            Mark::Cancelled => self.cancelled = true,
            Mark::Closed => self.closed = true,
            Mark::Failed(error) => {
                self.failed.get_or_insert_with(|| error.clone());
            }
            Mark::TlsOverhead { down, up } => self.tls_overhead = (self.before.0 + down, self.before.1 + up),
            Mark::Waiting { .. } | Mark::Over(_) => {}
        }
        if let Mark::Waiting { .. } = mark {
            self.end = None;
        }
        if matches!(mark, Mark::Cancelled | Mark::Failed(_) | Mark::Closed | Mark::Eof | Mark::Over(_)) {
            self.end.get_or_insert(t);
        }
    }

    /// A read or write at `t`.
    pub fn segment(&mut self, dir: Dir, t: u64) {
        match dir {
            Dir::In => {
                if self.first_byte.is_none() {
                    self.first_byte = Some(t);
                    self.spans.push(("wait", self.sent.unwrap_or(self.phase_began), t));
                }
            }
            // The last write before the answer is when the request was out, should no mark say so.
            Dir::Out if self.first_byte.is_none() => self.phase_began = t,
            Dir::Out => {}
        }
    }

    /// Bytes behind a protocol switch came at `t`.
    pub fn message(&mut self, t: u64) {
        self.first_message.get_or_insert(t);
    }

    /// The log ended at `t`.
    pub fn end(&mut self, t: u64) {
        self.end.get_or_insert(t);
    }
}
