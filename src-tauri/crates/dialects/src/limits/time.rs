//! A time in a header, in whichever of the six forms it comes.

/// A duration, or a time of day, as milliseconds from `now`: `1m0s`, `12ms` (Go), `6` or `0.5` (seconds), `1767225600` (Unix seconds),
/// `1767225600000` (Unix ms), `2026-01-01T00:00:00Z` (RFC 3339), `Thu, 01 Jan 2026 00:00:00 GMT` (HTTP date). What is past is 0 away.
pub(super) fn until(value: &str, now_unix_ms: u64) -> Option<u64> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        if !number.is_finite() || number < 0.0 {
            return None;
        }
        // Nobody asks for thirty years of patience: what is that large is a time of day.
        return Some(match number {
            n if n >= 1e12 => (n as u64).saturating_sub(now_unix_ms),
            n if n >= 1e9 => ((n * 1000.0) as u64).saturating_sub(now_unix_ms),
            n => (n * 1000.0).round() as u64,
        });
    }
    duration(value).or_else(|| date(value).map(|at| at.saturating_sub(now_unix_ms)))
}

/// A number of milliseconds.
pub(super) fn millis(value: &str) -> Option<u64> {
    let number: f64 = value.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number.round() as u64)
}

/// A duration as Go prints it (`time.Duration.String`): numbers with units, largest first.
fn duration(value: &str) -> Option<u64> {
    let mut rest = value;
    let mut ms = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        ms += number
            * match &rest[..unit] {
                "d" => 86_400_000.0,
                "h" => 3_600_000.0,
                "m" => 60_000.0,
                "s" => 1000.0,
                "ms" => 1.0,
                "us" | "µs" | "μs" => 0.001,
                "ns" => 0.000_001,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!value.is_empty()).then_some(f64::round(ms) as u64)
}

/// A date as Unix ms: RFC 3339, or an HTTP date in its preferred form (RFC 9110 §5.6.7).
fn date(value: &str) -> Option<u64> {
    internet(value).or_else(|| http(value))
}

fn internet(value: &str) -> Option<u64> {
    let bytes = value.as_bytes();
    let number = |range: std::ops::Range<usize>| value.get(range)?.parse::<i64>().ok();
    if bytes.len() < 20 || bytes[4] != b'-' || bytes[7] != b'-' || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let seconds = seconds([number(0..4)?, number(5..7)?, number(8..10)?, number(11..13)?, number(14..16)?, number(17..19)?])?;
    let mut rest = &value[19..];
    let mut ms = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.find(|c: char| !c.is_ascii_digit())?;
        ms = (format!("0.{}", &fraction[..digits]).parse::<f64>().ok()? * 1000.0).round() as i64;
        rest = &fraction[digits..];
    }
    let offset = match rest {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            let away = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            match rest.as_bytes().first()? {
                b'+' => away,
                b'-' => -away,
                _ => return None,
            }
        }
    };
    u64::try_from((seconds - offset) * 1000 + ms).ok()
}

fn http(value: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = value.split_once(", ")?;
    let [day, month, year, time, "GMT"] = rest.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let [hour, minute, second] = time.split(':').map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?[..] else {
        return None;
    };
    u64::try_from(seconds([year.parse().ok()?, month, day.parse().ok()?, hour, minute, second])? * 1000).ok()
}

/// Unix seconds of a date in UTC: days by the Gregorian calendar, counted in eras of 400 years that begin in March.
fn seconds([year, month, day, hour, minute, second]: [i64; 6]) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 60 || !(1970..10_000).contains(&year)
    {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}
