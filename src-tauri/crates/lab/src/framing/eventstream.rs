//! Messages of `application/vnd.amazon.eventstream`: a prelude of two lengths with its CRC-32, headers, a payload, and a CRC-32
//! over all before it; all numbers big-endian.

use crc32fast::Hasher;

use crate::dialects::Event;

/// One message, written in parts so that a payload of any size need not be held.
pub(crate) struct Record {
    checksum: Hasher,
}

impl Record {
    /// Begins a message for `event` whose payload will be `length` bytes; also gives what stands before the payload. None where
    /// no message can be that long.
    pub(crate) fn begin(event: &Event, length: u64) -> Option<(Record, Vec<u8>)> {
        let mut headers = Vec::new();
        let name = event.name.as_deref().unwrap_or("chunk");
        if event.exception {
            header(&mut headers, ":exception-type", name);
        } else {
            header(&mut headers, ":event-type", name);
        }
        header(&mut headers, ":content-type", "application/json");
        header(&mut headers, ":message-type", if event.exception { "exception" } else { "event" });
        // The prelude's twelve bytes and the last checksum's four.
        let total = u32::try_from(16 + headers.len() as u64 + length).ok()?;
        let mut before = Vec::with_capacity(12 + headers.len());
        before.extend(total.to_be_bytes());
        before.extend((headers.len() as u32).to_be_bytes());
        let prelude = crc32fast::hash(&before);
        before.extend(prelude.to_be_bytes());
        before.extend(headers);
        let mut checksum = Hasher::new();
        checksum.update(&before);
        Some((Record { checksum }, before))
    }

    /// Counts a part of the payload.
    pub(crate) fn update(&mut self, part: &[u8]) {
        self.checksum.update(part);
    }

    /// What stands after the payload.
    pub(crate) fn end(self) -> [u8; 4] {
        self.checksum.finalize().to_be_bytes()
    }
}

/// A header whose value is a string (type 7).
fn header(headers: &mut Vec<u8>, name: &str, value: &str) {
    // Names are ours and short; a value is cut at what its two bytes of length can say.
    let value = &value.as_bytes()[..value.len().min(usize::from(u16::MAX))];
    headers.push(name.len() as u8);
    headers.extend_from_slice(name.as_bytes());
    headers.push(7);
    headers.extend((value.len() as u16).to_be_bytes());
    headers.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_and_checksums_fit() {
        for exception in [false, true] {
            let event = Event { exception, ..Event::named("messageStart", &json!({"role": "assistant"})) };
            let payload = event.data.as_bytes();
            let (mut record, mut bytes) = Record::begin(&event, payload.len() as u64).unwrap();
            for part in payload.chunks(3) {
                record.update(part);
                bytes.extend_from_slice(part);
            }
            bytes.extend(record.end());
            let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(number(0) as usize, bytes.len());
            assert_eq!(12 + number(4) as usize + payload.len() + 4, bytes.len());
            assert_eq!(number(8), crc32fast::hash(&bytes[..8]));
            assert_eq!(number(bytes.len() - 4), crc32fast::hash(&bytes[..bytes.len() - 4]));
            let name = if exception { ":exception-type" } else { ":event-type" };
            assert!(bytes[12..].starts_with(&[&[name.len() as u8], name.as_bytes(), b"\x07\x00\x0cmessageStart"].concat()));
        }
        assert!(Record::begin(&Event::default(), u64::from(u32::MAX)).is_none());
    }
}
