//! Lines of standard input, and what they ask for.

use std::io::BufRead;

use tokio::sync::mpsc;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A close frame.
    Close(u16, String),
    /// Nothing that could be sent; why not.
    Wrong(String),
}

/// Lines that were read and not sent yet.
const AHEAD: usize = 64;

/// Reads standard input line by line on a thread of its own, which nobody waits for: a read from a terminal cannot be called off.
pub fn lines() -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let read = move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(1..) if sender.blocking_send(parse(&line)).is_ok() => {}
                _ => return,
            }
        }
    };
    if std::thread::Builder::new().name("input".into()).spawn(read).is_err() {
        crate::out::note("weir-cli: The system gives no thread to read standard input with.");
    }
    receiver
}

/// A line with its end, if it has one.
fn parse(line: &[u8]) -> Line {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Ok(text) = std::str::from_utf8(line) else {
        return Line::Wrong("A line that is not UTF-8 cannot be sent as text; /binary HEX sends any bytes.".into());
    };
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    match command {
        "/ping" => Line::Ping(rest.as_bytes().to_vec()),
        "/binary" => hex(rest)
            .map_or_else(|| Line::Wrong(format!("«{}» is not bytes in hexadecimal digits.", crate::out::printable(rest))), Line::Binary),
        "/close" if rest.trim().is_empty() => Line::Close(1000, String::new()),
        "/close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            match code.parse() {
                Ok(code) => Line::Close(code, reason.to_owned()),
                Err(_) => Line::Wrong(format!("«{}» is no close code.", crate::out::printable(code))),
            }
        }
        _ => Line::Text(text.to_owned()),
    }
}

/// Bytes from pairs of digits; spaces may stand between them.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_text_or_commands() {
        let text = |text: &str| Line::Text(text.into());
        assert_eq!(parse(b"hello\n"), text("hello"));
        assert_eq!(parse("grüße \r\n".as_bytes()), text("grüße "));
        assert_eq!(parse(b"no end"), text("no end"));
        assert_eq!(parse(b"\n"), text(""));
        assert_eq!(parse(b"/path/is no command\n"), text("/path/is no command"));
        assert_eq!(parse(b"/pingx\n"), text("/pingx"));
        assert_eq!(parse(b"/ping\n"), Line::Ping(Vec::new()));
        assert_eq!(parse(b"/ping a b\n"), Line::Ping(b"a b".to_vec()));
        assert_eq!(parse(b"/binary 00ff 7F\n"), Line::Binary(vec![0, 255, 127]));
        assert_eq!(parse(b"/binary\n"), Line::Binary(Vec::new()));
        assert_eq!(parse(b"/close\n"), Line::Close(1000, String::new()));
        assert_eq!(parse(b"/close 4001 see you\n"), Line::Close(4001, "see you".into()));
        for wrong in [&b"/binary 0\n"[..], b"/binary xy\n", b"/close now\n", b"/close 70000\n", b"\xff\n"] {
            assert!(matches!(parse(wrong), Line::Wrong(_)), "{wrong:?}");
        }
    }
}
