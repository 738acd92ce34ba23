//! Names of RFC 9113's numbers, for showing frames.

/// A frame type's name (RFC 9113 §6 and the IANA registry), `UNKNOWN` where it has none.
pub fn frame_name(kind: u8) -> &'static str {
    match kind {
        0x0 => "DATA",
        0x1 => "HEADERS",
        0x2 => "PRIORITY",
        0x3 => "RST_STREAM",
        0x4 => "SETTINGS",
        0x5 => "PUSH_PROMISE",
        0x6 => "PING",
        0x7 => "GOAWAY",
        0x8 => "WINDOW_UPDATE",
        0x9 => "CONTINUATION",
        0xa => "ALTSVC",
        0xc => "ORIGIN",
        0x10 => "PRIORITY_UPDATE",
        _ => "UNKNOWN",
    }
}

/// The names of the flags that are set and mean something on this type of frame, lowest bit first.
pub fn flag_names(kind: u8, flags: u8) -> impl Iterator<Item = &'static str> {
    const ALL: [(u8, &str, &[u8]); 5] = [
        (0x1, "END_STREAM", &[0, 1]),
        (0x1, "ACK", &[4, 6]),
        (0x4, "END_HEADERS", &[1, 5, 9]),
        (0x8, "PADDED", &[0, 1, 5]),
        (0x20, "PRIORITY", &[1]),
    ];
    ALL.into_iter().filter(move |(bit, _, kinds)| flags & bit != 0 && kinds.contains(&kind)).map(|(_, name, _)| name)
}

/// An error code's name (RFC 9113 §7), as RST_STREAM and GOAWAY carry it; `UNKNOWN` where it has none.
pub fn error_name(code: u32) -> &'static str {
    match code {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        _ => "UNKNOWN",
    }
}

/// A setting's name (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1), `UNKNOWN` where it has none.
pub fn setting_name(id: u16) -> &'static str {
    match id {
        0x1 => "HEADER_TABLE_SIZE",
        0x2 => "ENABLE_PUSH",
        0x3 => "MAX_CONCURRENT_STREAMS",
        0x4 => "INITIAL_WINDOW_SIZE",
        0x5 => "MAX_FRAME_SIZE",
        0x6 => "MAX_HEADER_LIST_SIZE",
        0x8 => "ENABLE_CONNECT_PROTOCOL",
        0x9 => "NO_RFC7540_PRIORITIES",
        _ => "UNKNOWN",
    }
}

/// The settings in a SETTINGS payload: identifier, name, value. Bytes that do not make a whole setting are left out.
pub fn settings(payload: &[u8]) -> impl Iterator<Item = (u16, &'static str, u32)> {
    payload.chunks_exact(6).map(|setting| {
        let id = u16::from_be_bytes([setting[0], setting[1]]);
        (id, setting_name(id), u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]))
    })
}
