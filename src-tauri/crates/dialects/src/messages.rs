//! The messages of a WebSocket dialect as a user edits them: JSON objects one after another (as the preview shows them), or an array of them.

use serde_json::{Map, Value};

use crate::AskError;

/// Reads what was edited. The error is in words; an empty list is none.
pub(crate) fn read(text: &str) -> Result<Vec<Map<String, Value>>, AskError> {
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.map_err(|error| AskError::Body(error.to_string()))? {
            Value::Object(message) => found.push(message),
            Value::Array(list) if found.is_empty() => {
                for value in list {
                    found.push(object(value)?);
                }
            }
            other => {
                object(other)?;
            }
        }
    }
    if found.is_empty() {
        return Err(AskError::Body("it holds no message".to_owned()));
    }
    Ok(found)
}

/// The object that a message must be.
fn object(value: Value) -> Result<Map<String, Value>, AskError> {
    let what = match value {
        Value::Object(message) => return Ok(message),
        Value::Array(_) => "an array inside it",
        Value::String(_) => "a string",
        Value::Number(_) => "a number",
        Value::Bool(_) => "true or false",
        Value::Null => "null",
    };
    Err(AskError::Body(format!("it holds {what}, and every message is an object")))
}

/// A string member; "" if it is absent or no string.
pub(crate) fn word<'a>(message: &'a Map<String, Value>, name: &str) -> &'a str {
    message.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A message of these members, in order.
pub(crate) fn of<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_arrays_are_the_same_messages() {
        let lines = read("{\"a\":1}\n{\n \"b\": {}\n}\n").unwrap();
        assert_eq!(lines, read(r#"[{"a":1},{"b":{}}]"#).unwrap());
        assert_eq!(lines.len(), 2);
        for bad in ["", " \n", "[]", "1", "{} 2", "[{}, null]", "[[{}]]", "{} [{}]", "{", "{}}"] {
            assert!(matches!(read(bad), Err(AskError::Body(_))), "{bad}");
        }
    }
}
