//! One term: `key:value`, a comparison, a text, a regular expression, a condition on JSON.

use super::Test;
use super::path::Condition;
use super::pattern::Pattern;
use crate::analysis::{KINDS, Kind, Layer};

/// Reads a term; its `-` is gone already. Says in words what is wrong with it.
pub fn test(body: &str) -> Result<Test, String> {
    if let Some(quoted) = body.strip_prefix('"') {
        let text = quoted.strip_suffix('"').ok_or("the closing quote is missing")?;
        return if text.is_empty() { Err("there is nothing between the quotes".into()) } else { Ok(Test::Text(text.into())) };
    }
    if body.starts_with('/') {
        return Pattern::parse(body).map(Test::Pattern);
    }
    if let Some(condition) = body.strip_prefix("json:") {
        return Condition::parse(condition).map(Test::Json);
    }
    let Some(at) = body.find([':', '>', '<', '=']) else { return Ok(Test::Text(body.into())) };
    let (key, rest) = body.split_at(at);
    let operator = if rest[1..].starts_with('=') && !rest.starts_with(':') { &rest[..2] } else { &rest[..1] };
    let value = rest[operator.len()..].trim_matches('"');
    if value.is_empty() {
        return Err(format!("{key}{operator} needs a value"));
    }
    match key {
        "layer" => list(key, value, operator, |v| layer(v).map(|l| vec![l])).map(Test::Layer),
        "kind" => list(key, value, operator, kinds).map(Test::Kind),
        "event" => list(key, value, operator, |v| Some(vec![v.to_owned()])).map(Test::Event),
        "dir" => match value {
            "in" => Ok(Test::Out(false)),
            "out" => Ok(Test::Out(true)),
            _ => Err("dir is in or out".into()),
        },
        "size" => range(value, operator, size).map(|(low, high)| Test::Size(low, high)),
        "window" => range(value, operator, size).map(|(low, high)| Test::Window(low, high)),
        "gap" => range(value, operator, |v| duration(v, 1e6)).map(|(low, high)| Test::Gap(low, high)),
        "time" => range(value, operator, |v| duration(v, 1e9)).map(|(low, high)| Test::Time(low, high)),
        "id" => range(value, operator, |v| v.trim_start_matches('#').parse().ok()).map(|(low, high)| Test::Id(low, high)),
        _ if operator == ":" => Err(format!(
            "there is no {key}: — there are layer, kind, event, dir, size, window, gap, time, id, json; quote the term to search for it as text"
        )),
        _ => Err(format!("{key} cannot be compared; size, window, gap, time and id can, and json:$.a.path")),
    }
}

fn list<T>(what: &str, value: &str, operator: &str, one: impl Fn(&str) -> Option<Vec<T>>) -> Result<Vec<T>, String> {
    if operator != ":" && operator != "=" {
        return Err("names take a colon".into());
    }
    let mut all = Vec::new();
    for part in value.split(',').filter(|part| !part.is_empty()) {
        all.extend(one(part).ok_or_else(|| format!("there is no {what} “{part}”"))?);
    }
    if all.is_empty() { Err("a name is missing".into()) } else { Ok(all) }
}

fn layer(name: &str) -> Option<Layer> {
    [Layer::Http, Layer::Chunk, Layer::H2, Layer::Sse, Layer::Ndjson, Layer::Eventstream, Layer::Ws, Layer::Body]
        .into_iter()
        .find(|l| l.name() == name)
}

fn kinds(name: &str) -> Option<Vec<Kind>> {
    match name {
        "tool" | "tool-call" => Some(vec![Kind::ToolCall]),
        _ => KINDS.iter().copied().find(|k| k.name() == name).map(|k| vec![k]),
    }
}

/// `>x`, `>=x`, `<x`, `<=x`, `:x`, `:a..b` with open ends, all as an inclusive range.
fn range(value: &str, operator: &str, one: impl Fn(&str) -> Option<u64>) -> Result<(u64, u64), String> {
    let number = |v: &str| one(v).ok_or_else(|| format!("«{v}» is no number with a unit this takes"));
    match operator {
        ">" => Ok((number(value)?.saturating_add(1), u64::MAX)),
        ">=" => Ok((number(value)?, u64::MAX)),
        "<" => Ok((0, number(value)?.checked_sub(1).ok_or("nothing is below 0")?)),
        "<=" => Ok((0, number(value)?)),
        _ => match value.split_once("..") {
            Some((low, high)) => {
                // `1.7..2.9s`: the unit at the end holds for both.
                let unit: String = high.chars().skip_while(|c| c.is_ascii_digit() || *c == '.').collect();
                let bare = !low.is_empty() && low.chars().all(|c| c.is_ascii_digit() || c == '.');
                let low = if low.is_empty() { 0 } else { number(&if bare { format!("{low}{unit}") } else { low.to_owned() })? };
                let high = if high.is_empty() { u64::MAX } else { number(high)? };
                if low <= high { Ok((low, high)) } else { Err("the range ends before it begins".into()) }
            }
            None => number(value).map(|n| (n, n)),
        },
    }
}

/// Bytes, with `k`, `kB`, `M`, `MB` (powers of 1000) or `KiB`, `MiB`.
fn size(value: &str) -> Option<u64> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &value[digits.len()..] {
        "" | "B" => 1.0,
        "k" | "kB" => 1e3,
        "M" | "MB" => 1e6,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0).then_some((number * scale) as u64)
}

/// Nanoseconds from `s`, `ms`, `us` or `µs`; `scale` is what a bare number counts in.
fn duration(value: &str, scale: f64) -> Option<u64> {
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let scale = match &value[digits.len()..] {
        "" => scale,
        "s" => 1e9,
        "ms" => 1e6,
        "us" | "µs" => 1e3,
        "ns" => 1.0,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0).then_some((number * scale).round() as u64)
}
