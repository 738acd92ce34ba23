//! Checks AWS Signature Version 4 as the service would: by signing the request anew with the one access key the Lab knows.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

use crate::dialects::Request;
use crate::rejection::{Reason, Rejection};

/// The access key's id. Of the right form, and nobody's.
pub const ACCESS_KEY_ID: &str = "AKIALABLABLABLABLABL";
/// Its secret.
pub const SECRET_ACCESS_KEY: &str = "lab-secret";

/// How far the client's clock may be off, as at AWS.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Whether the request's signature is right; one without a signature is.
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
    if id != ACCESS_KEY_ID {
        return Err(refused("UnrecognizedClientException", "The security token included in the request is invalid."));
    }
    let time = request.header("x-amz-date").and_then(time);
    let Some(time) = time else {
        return Err(refused("IncompleteSignatureException", "Authorization header requires existence of an 'X-Amz-Date' header."));
    };
    if now.duration_since(time).unwrap_or_else(|early| early.duration()) > SKEW {
        return Err(refused("InvalidSignatureException", "Signature expired: the request's date is more than five minutes away from the Lab's."));
    }
    let ours = signed(request, names, region, service, time);
    if ours.as_deref() == Some(signature) {
        return Ok(());
    }
    Err(refused(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    ))
}

/// The signature that the request should have.
fn signed(request: &Request<'_>, names: &str, region: &str, service: &str, time: SystemTime) -> Option<String> {
    let identity = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "lab").into();
    let mut settings = SigningSettings::default();
    // Whatever the client chose to sign is signed.
    settings.excluded_headers = None;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let params = v4::SigningParams::builder().identity(&identity).region(region).name(service).time(time).settings(settings).build().ok()?.into();
    let field = |name: &str| Some(request.headers.get_all(name).iter().map(|value| value.to_str().ok()).collect::<Option<Vec<_>>>()?.join(","));
    let fields = names.split(';').filter(|name| *name != "x-amz-date").map(|name| Some((name, field(name)?))).collect::<Option<Vec<_>>>()?;
    let host = request.header("host")?;
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let url = format!("http://{host}{}{query}", request.target);
    let body = match request.header("x-amz-content-sha256") {
        Some("UNSIGNED-PAYLOAD") => SignableBody::UnsignedPayload,
        _ => SignableBody::Bytes(request.body),
    };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(request.method.as_str(), url, fields, body).ok()?;
    Some(sign(signable, &params).ok()?.signature().to_owned())
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
        let fields =
            [("host", "127.0.0.1:4780"), ("content-type", "application/json"), ("x-amz-date", "20261101T120000Z"), ("authorization", authorization)];
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
        assert_eq!(verdict(&AUTHORIZATION.replace("AKIALAB", "AKIALAP"), body, 0), Err("UnrecognizedClientException"));
        assert_eq!(verdict(&AUTHORIZATION.replace("us-east-1", "eu-west-1"), body, 0), Err("InvalidSignatureException"));
        assert_eq!(verdict(&AUTHORIZATION.replace("content-type;", "content-type;x-none;"), body, 0), Err("InvalidSignatureException"));
        assert_eq!(verdict("AWS4-HMAC-SHA256 Credential=a/b", body, 0), Err("IncompleteSignatureException"));
        assert_eq!(verdict("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", body, 0), Err("IncompleteSignatureException"));
    }
}
