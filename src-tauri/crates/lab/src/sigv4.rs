//! Checks AWS Signature Version 4 as the service would: by signing the request anew with the one access key the Lab knows. Of any other
//! access key it knows no secret: like every other key it is accepted, if what can be read of the signature is in order.

use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4;
use sha2::{Digest, Sha256};

use crate::dialects::Request;
use crate::rejection::{Reason, Rejection};

/// The access key's id. Of the right form, and nobody's.
pub const ACCESS_KEY_ID: &str = "AKIALABLABLABLABLABL";
/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "lab-secret";

/// How far the client's clock may be off, as at AWS.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Whether the request's signature is right; one without a signature is, and one by an access key that is not the Lab's if its date is.
pub(crate) fn check(request: &Request<'_>, now: SystemTime) -> Result<(), Rejection> {
    let Some(authorization) = request.header("authorization").and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256")) else {
        return Ok(());
    };
    let part = |name: &str| authorization.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (Some(credential), Some(names), Some(signature)) = (part("Credential"), part("SignedHeaders"), part("Signature")) else {
        return Err(refused("IncompleteSignatureException", "Authorization header requires Credential, SignedHeaders and Signature."));
    };
    let [id, _, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return Err(refused("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements."));
    };
    let stamp = request.header("x-amz-date").unwrap_or_default();
    let Some(time) = time(stamp) else {
        return Err(refused("IncompleteSignatureException", "Authorization header requires existence of an 'X-Amz-Date' header."));
    };
    if now.duration_since(time).unwrap_or_else(|early| early.duration()) > SKEW {
        return Err(refused(
            "InvalidSignatureException",
            "Signature expired: the request's date is more than five minutes away from the Lab's.",
        ));
    }
    if id != ACCESS_KEY_ID {
        return Ok(());
    }
    let ours = signed(request, names, region, service, time, stamp);
    if ours.as_deref() == Some(signature) {
        return Ok(());
    }
    Err(refused(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    ))
}

/// The signature that the request should have: the canonical request is built here, by the words of AWS's *Create a signed request*, so
/// that a client which signs with the same library as Weir is not checked by its own reading. `None` if a signed field is not there.
fn signed(request: &Request<'_>, names: &str, region: &str, service: &str, time: SystemTime, stamp: &str) -> Option<String> {
    let mut canonical = format!("{}\n{}\n{}\n", request.method, escaped(request.target), query(request.query));
    for name in names.split(';') {
        // The JavaScript SDK signs HTTP/2's own name for the host.
        let name = if name == ":authority" { "host" } else { name };
        let values = request.headers.get_all(name).iter().map(|value| value.to_str().ok()).collect::<Option<Vec<_>>>()?;
        let values: Vec<String> = values.iter().map(|value| value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")).collect();
        if values.is_empty() {
            return None;
        }
        let shown = if name == "host" && names.starts_with(":authority") { ":authority" } else { name };
        canonical += &format!("{shown}:{}\n", values.join(","));
    }
    let body = match request.header("x-amz-content-sha256") {
        Some(unsigned @ "UNSIGNED-PAYLOAD") => unsigned.to_owned(),
        _ => sha256(request.body),
    };
    canonical += &format!("\n{names}\n{body}");
    let day = stamp.get(..8)?;
    let to_sign = format!("AWS4-HMAC-SHA256\n{stamp}\n{day}/{region}/{service}/aws4_request\n{}", sha256(canonical.as_bytes()));
    Some(v4::calculate_signature(v4::generate_signing_key(SECRET_ACCESS_KEY, time, region, service), to_sign.as_bytes()))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path as it came, escaped once more: every service but S3 wants it so.
fn escaped(path: &str) -> String {
    let byte = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(byte).collect()
}

/// The query's pairs in their order; escaped they came.
fn query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> =
        query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// `20150830T123600Z`.
fn time(text: &str) -> Option<SystemTime> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(SystemTime::from(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()))
}

fn refused(code: &'static str, message: &str) -> Rejection {
    Rejection { status: 403, reason: Reason::WrongKey, code: Some(code), ..Rejection::invalid(None, message) }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::*;

    /// Made with `botocore` 1.44 for this secret and the moment below.
    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIALABLABLABLABLABL/20261101/us-east-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=6ae421444bfaa0c08e0ae123a6a016a5499ad71283627dd5842025091e146de0";

    fn headers(authorization: &str) -> HeaderMap {
        let fields = [
            ("host", "127.0.0.1:4780"),
            ("content-type", "application/json"),
            ("x-amz-date", "20261101T120000Z"),
            ("authorization", authorization),
        ];
        fields.into_iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn verdict(authorization: &str, body: &str, minutes: u64) -> Result<(), &'static str> {
        let target = "/model/lab%2Fsteady%3A0/converse";
        let headers = headers(authorization);
        let request = Request { method: &Method::POST, path: "", target, query: "", headers: &headers, body: body.as_bytes(), names: &[] };
        let noon = time("20261101T120000Z").unwrap();
        check(&request, noon + Duration::from_secs(60 * minutes)).map_err(|rejection| rejection.code.unwrap())
    }

    #[test]
    fn only_the_right_signature_passes() {
        let body = r#"{"messages":[]}"#;
        assert_eq!(verdict(AUTHORIZATION, body, 0), Ok(()));
        assert_eq!(verdict("Bearer key", body, 0), Ok(()));
        assert_eq!(verdict(AUTHORIZATION, r#"{"messages": []}"#, 0), Err("InvalidSignatureException"));
        assert_eq!(verdict(AUTHORIZATION, body, 6), Err("InvalidSignatureException"));
        let another = AUTHORIZATION.replace("AKIALAB", "AKIALAP");
        assert_eq!(verdict(&another, body, 0), Ok(()), "nobody here knows its secret");
        assert_eq!(verdict(&another, body, 6), Err("InvalidSignatureException"));
        assert_eq!(verdict(&AUTHORIZATION.replace("us-east-1", "eu-west-1"), body, 0), Err("InvalidSignatureException"));
        assert_eq!(verdict(&AUTHORIZATION.replace("content-type;", "content-type;x-none;"), body, 0), Err("InvalidSignatureException"));
        assert_eq!(verdict("AWS4-HMAC-SHA256 Credential=a/b", body, 0), Err("IncompleteSignatureException"));
        assert_eq!(
            verdict("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", body, 0),
            Err("IncompleteSignatureException")
        );
    }
}
