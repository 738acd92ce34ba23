//! The request as a cURL command line for a POSIX shell.

use weir_dialects::Call;

/// The command. The key stands as `$API_KEY`; a WebSocket's messages are shown as comments, since curl cannot hold that conversation.
pub fn curl(call: &Call, insecure: bool) -> String {
    let mut lines = vec![format!("curl -sN {}", quoted(&call.url))];
    // curl makes it GET by itself, and POST where there is a body.
    let usual = if call.body.is_empty() { "GET" } else { "POST" };
    if call.messages.is_empty() && call.method != usual {
        lines.push(format!("-X {}", quoted(&call.method)));
    }
    if insecure {
        lines.push("--insecure".into());
    }
    lines.extend(call.headers.iter().map(|h| format!("-H {}", quoted(&format!("{}: {}", h.name, h.value)))));
    if !call.body.is_empty() {
        lines.push(format!("--data-raw {}", quoted(&call.body)));
    }
    let command = lines.join(" \\\n  ");
    if call.messages.is_empty() {
        return command;
    }
    let messages: String = call
        .messages
        .iter()
        .map(|m| match &m.after {
            Some(word) => format!("# after {word} send: {}\n", m.text.replace('\n', " ")),
            None => format!("# then send: {}\n", m.text.replace('\n', " ")),
        })
        .collect();
    format!("{messages}{command}")
}

/// A word the shell takes as it is, `{key}` becoming the variable.
fn quoted(text: &str) -> String {
    let plain = |part: &str| format!("'{}'", part.replace('\'', r"'\''"));
    text.split("{key}").map(|part| if part.is_empty() { String::new() } else { plain(part) }).collect::<Vec<_>>().join("\"$API_KEY\"")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn the_key_is_a_variable_and_quotes_survive() {
        assert_eq!(quoted("Authorization: Bearer {key}"), "'Authorization: Bearer '\"$API_KEY\"");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
