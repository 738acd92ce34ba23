//! A packet capture as Wireshark reads it (draft-ietf-opsawg-pcapng). Weir records above TCP, and above TLS: each recorded read or write
//! becomes segments of a TCP connection that is made up around it. What is recorded stands in the packets: bytes, their times, the
//! server's address. What is made up: the client's address, handshakes, sequence numbers, and port 80 where TLS was taken off, so that a
//! reader does not look for TLS.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::ControlFlow;

use weir_transport::{Dir, Entry, Mark, Phase};

use super::unwritten;
use crate::{Error, Session};

/// Packets are bare IP (LINKTYPE_RAW).
const RAW_IP: u16 = 101;

/// Payload of a packet at most: it fits the 16 bits of IP's length.
const PAYLOAD: usize = 32 << 10;

const COMMENT: &str = "Made by Weir from what it recorded above TCP and TLS. Bytes, times and the server's address are as recorded; the \
client's address, handshakes and sequence numbers are made up, and port 80 stands where TLS was taken off.";

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// Writes the capture.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let began = u64::try_from(session.started_at_ms()).unwrap_or_default().saturating_mul(1_000_000);
    out.write_all(&opening()).map_err(unwritten)?;
    let mut flows: BTreeMap<u32, Flow> = BTreeMap::new();
    let mut failed = Ok(());
    session.log().records(&mut |record| {
        let done = crate::log::entry(record).and_then(|entry| {
            let conn = match &entry {
                Entry::Segment { conn, .. } | Entry::Mark { conn, .. } => *conn,
            };
            let flow = flows.entry(conn).or_insert_with(|| Flow::new(conn));
            let mut packets = Vec::new();
            flow.entry(&entry, &mut |t, packet| enhanced(&mut packets, began.saturating_add(t), &packet));
            out.write_all(&packets).map_err(unwritten)
        });
        failed = done;
        if failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    failed
}

/// A connection and how far it has come.
struct Flow {
    client: SocketAddr,
    server: SocketAddr,
    /// Next sequence number of client and server.
    next: [u32; 2],
    /// When TCP was up.
    up: u64,
    begun: bool,
    /// Who has closed its direction: client, server.
    closed: [bool; 2],
}

impl Flow {
    fn new(conn: u32) -> Self {
        let port = 49152 + u16::try_from(conn % 16384).unwrap_or_default();
        // Addresses for documentation (RFC 5737), until the dial tells the server's.
        Self {
            client: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), port),
            server: SocketAddr::new(Ipv4Addr::new(192, 0, 2, 2).into(), 80),
            next: [0, 0],
            up: 0,
            begun: false,
            closed: [false, false],
        }
    }

    fn entry(&mut self, entry: &Entry, put: &mut dyn FnMut(u64, Vec<u8>)) {
        match entry {
            Entry::Mark { t, mark: Mark::Phase(Phase::Tcp { peer, .. }), .. } if !self.begun => {
                (self.server, self.up) = (*peer, *t);
                self.client.set_ip(beside(peer.ip()));
            }
            Entry::Mark { mark: Mark::Phase(Phase::Tls { .. }), .. } if !self.begun => self.server.set_port(80),
            Entry::Mark { t, mark: Mark::Eof, .. } => self.close(*t, Dir::In, put),
            Entry::Mark { t, mark: Mark::Closed | Mark::Cancelled, .. } => self.close(*t, Dir::Out, put),
            Entry::Mark { .. } => {}
            Entry::Segment { dir, t, bytes, .. } => {
                self.begin(*t, put);
                for piece in bytes.chunks(PAYLOAD) {
                    self.send(*t, *dir, PSH | ACK, piece, put);
                }
            }
        }
    }

    /// The handshake, when the first bytes cross: only then it is known whether TLS stands between.
    fn begin(&mut self, t: u64, put: &mut dyn FnMut(u64, Vec<u8>)) {
        if !std::mem::replace(&mut self.begun, true) {
            let up = if self.up == 0 { t } else { self.up };
            self.send(up, Dir::Out, SYN, &[], put);
            self.send(up, Dir::In, SYN | ACK, &[], put);
            self.send(up, Dir::Out, ACK, &[], put);
        }
    }

    fn close(&mut self, t: u64, dir: Dir, put: &mut dyn FnMut(u64, Vec<u8>)) {
        let side = usize::from(dir == Dir::In);
        if self.begun && !std::mem::replace(&mut self.closed[side], true) {
            self.send(t, dir, FIN | ACK, &[], put);
        }
    }

    fn send(&mut self, t: u64, dir: Dir, flags: u8, payload: &[u8], put: &mut dyn FnMut(u64, Vec<u8>)) {
        let (from, to, own, other) = match dir {
            Dir::Out => (self.client, self.server, 0, 1),
            Dir::In => (self.server, self.client, 1, 0),
        };
        let acknowledged = if flags & ACK != 0 { self.next[other] } else { 0 };
        let segment = segment(from, to, self.next[own], acknowledged, flags, payload);
        // SYN and FIN take a number each (RFC 9293 §3.4).
        let length = u32::try_from(payload.len()).unwrap_or_default() + u32::from(flags & (SYN | FIN) != 0);
        self.next[own] = self.next[own].wrapping_add(length);
        put(t, packet(from.ip(), to.ip(), &segment));
    }
}

/// A client's address that goes with the server's.
fn beside(server: IpAddr) -> IpAddr {
    match server {
        _ if server.is_loopback() => server,
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        // RFC 3849.
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    }
}

/// A TCP segment (RFC 9293 §3.1) with its checksum.
fn segment(from: SocketAddr, to: SocketAddr, sequence: u32, acknowledged: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledged.to_be_bytes());
    // Five words of header, the largest window without scaling.
    segment.extend([5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    let mut pseudo = [octets(from.ip()), octets(to.ip())].concat();
    pseudo.extend((segment.len() as u32).to_be_bytes());
    pseudo.extend([0, 0, 0, 6]);
    let sum = checksum(&[&pseudo, &segment]);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// An IP packet (RFC 791 §3.1, RFC 8200 §3).
fn packet(from: IpAddr, to: IpAddr, segment: &[u8]) -> Vec<u8> {
    let length = segment.len() as u16;
    let mut packet = Vec::with_capacity(40 + segment.len());
    match from {
        IpAddr::V4(_) => {
            packet.extend([0x45, 0]);
            packet.extend((length + 20).to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        }
        IpAddr::V6(_) => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(length.to_be_bytes());
            packet.extend([6, 64]);
        }
    }
    packet.extend(octets(from));
    packet.extend(octets(to));
    if from.is_ipv4() {
        let sum = checksum(&[&packet]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    packet.extend(segment);
    packet
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The Internet checksum (RFC 1071) of parts, all but the last of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words =
        parts.iter().flat_map(|part| part.chunks(2)).map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low)));
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Section header and the one interface, with nanoseconds.
fn opening() -> Vec<u8> {
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend(u64::MAX.to_le_bytes());
    option(&mut section, 1, COMMENT.as_bytes());
    option(&mut section, 4, concat!("Weir ", env!("CARGO_PKG_VERSION")).as_bytes());
    option(&mut section, 0, &[]);
    let mut interface = Vec::new();
    interface.extend(RAW_IP.to_le_bytes());
    interface.extend([0; 6]);
    option(&mut interface, 2, b"weir");
    option(&mut interface, 9, &[9]);
    option(&mut interface, 0, &[]);
    let mut out = Vec::new();
    block(&mut out, 0x0a0d_0d0a, &section);
    block(&mut out, 1, &interface);
    out
}

/// An Enhanced Packet Block.
fn enhanced(out: &mut Vec<u8>, at: u64, packet: &[u8]) {
    let mut body = Vec::with_capacity(20 + packet.len());
    let length = packet.len() as u32;
    for word in [0, (at >> 32) as u32, at as u32, length, length] {
        body.extend(word.to_le_bytes());
    }
    body.extend(packet);
    block(out, 6, &body);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend(code.to_le_bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
    pad(out, value.len());
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (12 + body.len().next_multiple_of(4)) as u32;
    out.extend(kind.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(body);
    pad(out, body.len());
    out.extend(length.to_le_bytes());
}

fn pad(out: &mut Vec<u8>, length: usize) {
    out.resize(out.len() + length.next_multiple_of(4) - length, 0);
}
