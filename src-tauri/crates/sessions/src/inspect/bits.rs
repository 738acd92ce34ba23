//! Binary headers, bit by bit: WebSocket (RFC 6455 §5.2) and HTTP/2 (RFC 9113 §4.1).

use weir_frames::http2;

use crate::analysis::opcode_name;
use crate::view::BitField;

fn field(name: &str, width: u32, value: impl ToString, meaning: impl Into<String>) -> BitField {
    BitField { name: name.into(), width, value: value.to_string(), meaning: meaning.into() }
}

/// The header of a WebSocket frame, as far as `header` holds it.
pub fn ws(header: &[u8]) -> Vec<BitField> {
    let mut fields = Vec::new();
    let Some(&first) = header.first() else { return fields };
    let bit = |byte: u8, at: u8| byte >> at & 1;
    let opcode = first & 0x0f;
    fields.push(field("FIN", 1, bit(first, 7), if first & 0x80 != 0 { "the message's last frame" } else { "more frames follow" }));
    for (name, at) in [("RSV1", 6), ("RSV2", 5), ("RSV3", 4)] {
        let meaning = match (at, bit(first, at)) {
            (_, 0) => "",
            (6, _) => "compressed, where permessage-deflate was agreed on (RFC 7692 §6)",
            _ => "set: only an extension may",
        };
        fields.push(field(name, 1, bit(first, at), meaning));
    }
    fields.push(field("opcode", 4, opcode, opcode_name(opcode)));
    let Some(&second) = header.get(1) else { return fields };
    let masked = second & 0x80 != 0;
    fields.push(field(
        "MASK",
        1,
        bit(second, 7),
        if masked { "a masking key follows: sent by the client" } else { "not masked: sent by the server" },
    ));
    let short = second & 0x7f;
    let (meaning, more) = match short {
        126 => ("the next 16 bits hold the length", 2),
        127 => ("the next 64 bits hold the length", 8),
        _ => ("bytes", 0),
    };
    fields.push(field("length", 7, short, meaning));
    if let Some(long) = header.get(2..2 + more).filter(|long| !long.is_empty()) {
        let length = long.iter().fold(0_u64, |all, &byte| all << 8 | u64::from(byte));
        fields.push(field("extended length", 8 * more as u32, length, "bytes"));
    }
    if let Some(key) = header.get(2 + more..6 + more).filter(|_| masked) {
        fields.push(field(
            "masking key",
            32,
            key.iter().map(|b| format!("{b:02x}")).collect::<String>(),
            "each byte of the payload is sent XORed with it",
        ));
    }
    fields
}

/// The nine bytes before an HTTP/2 frame's payload.
pub fn h2(header: &[u8; 9]) -> Vec<BitField> {
    let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *header;
    let mut fields = vec![
        field("length", 24, u32::from_be_bytes([0, l0, l1, l2]), "bytes behind this header"),
        field("type", 8, kind, http2::frame_name(kind)),
    ];
    for at in (0..8).rev() {
        let name = http2::flag_names(kind, 1 << at).next();
        let set = flags >> at & 1;
        let meaning = match (name, set) {
            (None, 0) => "",
            (None, _) => "set, though this type has no such flag: to be ignored",
            (Some(_), 0) => "not set",
            (Some("END_STREAM"), _) => "the last frame this end sends on the stream",
            (Some("END_HEADERS"), _) => "the field block ends here",
            (Some("ACK"), _) => "the answer to such a frame",
            (Some("PADDED"), _) => "padding and its length are part of the payload",
            (Some("PRIORITY"), _) => "priority fields stand first (deprecated, RFC 9113 §5.3)",
            (Some(_), _) => "set",
        };
        fields.push(field(name.unwrap_or("–"), 1, set, meaning));
    }
    fields.push(field("R", 1, s0 >> 7, ""));
    let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
    fields.push(field("stream", 31, stream, if stream == 0 { "the connection as a whole" } else { "" }));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[BitField]) -> Vec<(&str, u32, &str)> {
        fields.iter().map(|f| (f.name.as_str(), f.width, f.value.as_str())).collect()
    }

    #[test]
    fn a_masked_frame_of_sixteen_bit_length_is_told_whole() {
        let header = [0xc1, 0xfe, 0x01, 0x00, 0xde, 0xad, 0xbe, 0xef];
        let fields = ws(&header);
        assert_eq!(
            told(&fields),
            [
                ("FIN", 1, "1"),
                ("RSV1", 1, "1"),
                ("RSV2", 1, "0"),
                ("RSV3", 1, "0"),
                ("opcode", 4, "1"),
                ("MASK", 1, "1"),
                ("length", 7, "126"),
                ("extended length", 16, "256"),
                ("masking key", 32, "deadbeef"),
            ]
        );
        assert_eq!(fields.iter().map(|f| f.width).sum::<u32>(), 8 * header.len() as u32);
        // Cut anywhere, it tells what is there.
        for end in 0..header.len() {
            assert!(ws(&header[..end]).iter().map(|f| f.width).sum::<u32>() <= 8 * end as u32);
        }
    }

    #[test]
    fn flags_are_spelled_out_for_their_type() {
        let fields = h2(&[0, 0, 16, 1, 0x05, 0x80, 0, 0, 3]);
        let set: Vec<&str> = fields.iter().filter(|f| f.width == 1 && f.value == "1").map(|f| f.name.as_str()).collect();
        assert_eq!(set, ["END_HEADERS", "END_STREAM", "R"]);
        assert_eq!(fields.iter().map(|f| f.width).sum::<u32>(), 72);
        // The same bits of a PING: only one of them is a flag there.
        let fields = h2(&[0, 0, 8, 6, 0x05, 0, 0, 0, 0]);
        assert_eq!(fields.iter().filter(|f| f.name == "ACK").count(), 1);
        assert!(fields.iter().any(|f| f.meaning.contains("ignored")));
    }
}
