//! AWS Signature Version 4: the request is signed with the key, and the secret stays here.
//!
//! A key for a signed service has one of two forms. `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, with `:SESSION_TOKEN` behind it where AWS gave
//! one, is an access key: the request is signed. Anything without a colon is an API key, which goes as Bearer like any other.
//!
//! The signature covers the method, the path, the query, the fields sent and the exact bytes of the body (AWS Signature Version 4
//! for API requests, *Create a signed request*). It is good for some minutes, so it is made right before sending and never kept in a plan.
//!
//! What must stay out of the log is told by [`secrets`]: the session token travels in a field, the secret access key never does, and
//! neither is the key as a whole, so looking for the key alone finds none of them.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign as sign_http};
use aws_sigv4::sign::v4;
use weir_dialects::{Call, Header};
use weir_secrets::Secret;

use crate::Error;

/// Fields that proxies and servers on the way may change, so that they are better left unsigned.
const UNSIGNED: [&str; 7] =
    ["accept", "accept-encoding", "authorization", "connection", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

/// The fields to send in place of `call.headers`. Where the call is to be signed and `key` is an access key, they are signed for `now`:
/// without the call's own `Authorization`, and with `X-Amz-Date`, `X-Amz-Security-Token` (if there is a token) and the signature's
/// `Authorization`. Otherwise they are as they were, `{key}` in them.
///
/// # Errors
/// By blame of the user: `aws-key` where the key has a colon but is no access key, `unsignable` where the URL or a field is none.
pub fn sign(call: &Call, key: &Secret, now: SystemTime) -> Result<Vec<Header>, Error> {
    let Some(scope) = &call.sign else { return Ok(call.headers.clone()) };
    let Some(access) = AccessKey::of(key)? else { return Ok(call.headers.clone()) };
    let identity = access.credentials().into();
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&scope.region)
        .name(&scope.service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| unsignable(&error.to_string()))?
        .into();
    let mut headers: Vec<Header> =
        call.headers.iter().filter(|header| !header.name.eq_ignore_ascii_case("authorization")).cloned().collect();
    let names: Vec<String> = headers.iter().map(|header| header.name.to_ascii_lowercase()).collect();
    let fields = names.iter().zip(&headers).filter(|(name, _)| !UNSIGNED.contains(&name.as_str()));
    let fields = fields.map(|(name, header)| (name.as_str(), header.value.as_str()));
    let request = SignableRequest::new(&call.method, &call.url, fields, SignableBody::Bytes(call.body.as_bytes()))
        .map_err(|error| unsignable(&error.to_string()))?;
    let (instructions, _) = sign_http(request, &params).map_err(|error| unsignable(&error.to_string()))?.into_parts();
    let (signed, _) = instructions.into_parts();
    headers.extend(signed.iter().map(|header| Header { name: title(header.name()), value: header.value().to_owned() }));
    Ok(headers)
}

/// What of a key must be kept out of the log besides the key as a whole: an access key's secret and its session token. None for an API
/// key. The access key's id is no secret: AWS itself shows it in its logs.
pub fn secrets(key: &Secret) -> Vec<Secret> {
    let Ok(Some(access)) = AccessKey::of(key) else { return Vec::new() };
    std::iter::once(access.secret).chain(access.token).map(Secret::new).collect()
}

/// The parts of an access key.
struct AccessKey<'a> {
    id: &'a str,
    secret: &'a str,
    token: Option<&'a str>,
}

impl<'a> AccessKey<'a> {
    /// The access key that `key` is; `None` for an API key, which has no colon.
    fn of(key: &'a Secret) -> Result<Option<Self>, Error> {
        let mut parts = key.expose().splitn(3, ':').map(str::trim);
        let (Some(id), Some(secret), token) = (parts.next(), parts.next(), parts.next()) else { return Ok(None) };
        // IAM: an access key id has 16 to 128 characters of [A-Z0-9_]; all that AWS gives out are upper case.
        let of_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if !(16..=128).contains(&id.len()) || !id.bytes().all(of_id) || !visible(secret) || !token.is_none_or(visible) {
            return Err(Error::new(
                "user",
                "aws-key",
                "The key is no AWS access key.",
                "Nothing was sent.",
                "It has a colon, but is not ACCESS_KEY_ID:SECRET_ACCESS_KEY or ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN.",
                "Store the key in one of these forms, or a Bedrock API key alone.",
            ));
        }
        Ok(Some(Self { id, secret, token }))
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(self.id, self.secret, self.token.map(str::to_owned), None, "weir")
    }
}

/// A field's name as people write it: `x-amz-date` is `X-Amz-Date`.
fn title(name: &str) -> String {
    let word = |word: &str| word.get(..1).map_or(String::new(), str::to_ascii_uppercase) + word.get(1..).unwrap_or_default();
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// The words of the signing library name places, never values of the key.
fn unsignable(why: &str) -> Error {
    Error::new("user", "unsignable", "The request cannot be signed.", "Nothing was sent.", why, "Correct the URL or the headers.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use weir_dialects::Sign;

    use super::*;

    /// Longer than that of AWS's published test suite for Signature Version 4, as real ones are; it is no part of what is signed.
    const ID: &str = "AKIDEXAMPLE00000";
    /// The suite's secret.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn suite_time() -> SystemTime {
        // 2015-08-30T12:36:00Z
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160)
    }

    fn call(method: &str, url: &str, fields: &[(&str, &str)], body: &str) -> Call {
        let header = |(name, value): &(&str, &str)| Header { name: (*name).into(), value: (*value).into() };
        let sign = Some(Sign { service: "service".into(), region: "us-east-1".into() });
        Call { method: method.into(), sign, ..Call::post(url, fields.iter().map(header).collect(), body.into()) }
    }

    fn field<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
        headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    }

    fn signature(headers: &[Header]) -> (&str, &str) {
        let authorization = field(headers, "authorization").unwrap();
        let (rest, signature) = authorization.rsplit_once(", Signature=").unwrap();
        (rest.rsplit_once("SignedHeaders=").unwrap().1, signature)
    }

    #[test]
    fn the_published_vectors() {
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let host = "https://example.amazonaws.com";
        for (name, call, token, fields, signed) in [
            (
                "get-vanilla",
                call("GET", &format!("{host}/"), &[], ""),
                None,
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-vanilla",
                call("POST", &format!("{host}/"), &[], ""),
                None,
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-vanilla-query",
                call("POST", &format!("{host}/?Param1=value1"), &[], ""),
                None,
                "host;x-amz-date",
                "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            ),
            (
                "post-header-key-case",
                call("POST", &format!("{host}/"), &[("My-Header1", "value1")], ""),
                None,
                "host;my-header1;x-amz-date",
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "post-x-www-form-urlencoded",
                call("POST", &format!("{host}/"), &[("Content-Type", "application/x-www-form-urlencoded")], "Param1=value1"),
                None,
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                "get-vanilla-with-session-token",
                call("GET", &format!("{host}/"), &[], ""),
                Some(token),
                "host;x-amz-date;x-amz-security-token",
                "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
            ),
        ] {
            let key = match token {
                Some(token) => format!("{ID}:{SECRET}:{token}"),
                None => format!("{ID}:{SECRET}"),
            };
            let headers = sign(&call, &Secret::new(&key), suite_time()).unwrap();
            assert_eq!(signature(&headers), (fields, signed), "{name}");
            assert_eq!(field(&headers, "x-amz-date"), Some("20150830T123600Z"));
            assert_eq!(field(&headers, "x-amz-security-token"), token);
            assert!(
                field(&headers, "authorization")
                    .unwrap()
                    .starts_with(&format!("AWS4-HMAC-SHA256 Credential={ID}/20150830/us-east-1/service/aws4_request"))
            );
            assert!(!headers.iter().any(|header| header.value.contains(SECRET)));
        }
        // A path that has escapes is escaped once more for the signature, as all services but S3 want it.
        let call = call("POST", "https://tj9n5r0m12.execute-api.us-east-1.amazonaws.com/test/@connections/JBDvjfGEIAMCERw%3D", &[], "");
        let key = Secret::new(&format!("{ID}:notrealrnrELgWzOk3IfjzDKtFBhDby"));
        let signed = "57d157672191bac40bae387e48bbe14b15303c001fdbb01f4abf295dccb09705";
        assert_eq!(signature(&sign(&call, &key, suite_time()).unwrap()), ("host;x-amz-date", signed), "double-encode-path");
    }

    #[test]
    fn what_may_change_on_the_way_is_not_signed_and_the_bearer_goes() {
        let fields = [
            ("Authorization", "Bearer {key}"),
            ("Accept", "application/vnd.amazon.eventstream"),
            ("Content-Type", "application/json"),
            ("X-Own", " a  b "),
        ];
        let call = call("POST", "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a%3A0/converse", &fields, "{}");
        let headers = sign(&call, &Secret::new(&format!("{ID}:{SECRET}")), suite_time()).unwrap();
        assert_eq!(signature(&headers).0, "content-type;host;x-amz-date;x-own");
        assert_eq!(headers.iter().filter(|header| header.name == "Authorization").count(), 1);
        assert_eq!(field(&headers, "accept"), Some("application/vnd.amazon.eventstream"));
        assert!(!headers.iter().any(|header| header.value.contains("{key}")));
        // Any other byte of the body is another signature.
        let other = Call { body: "{ }".into(), ..call.clone() };
        let others = sign(&other, &Secret::new(&format!("{ID}:{SECRET}")), suite_time()).unwrap();
        assert_ne!(signature(&headers).1, signature(&others).1);
    }

    #[test]
    fn an_api_key_goes_as_bearer() {
        let call = call("POST", "https://h/", &[("Authorization", "Bearer {key}")], "");
        assert_eq!(sign(&call, &Secret::new("ABSKexample"), suite_time()).unwrap(), call.headers);
        let unsigned = Call { sign: None, ..call };
        assert_eq!(sign(&unsigned, &Secret::new(&format!("{ID}:{SECRET}")), suite_time()).unwrap(), unsigned.headers);
        assert!(secrets(&Secret::new("ABSKexample")).is_empty());
    }

    #[test]
    fn the_parts_are_secrets_of_their_own() {
        let parts = |key: &str| secrets(&Secret::new(key)).iter().map(|secret| secret.expose().to_owned()).collect::<Vec<_>>();
        assert_eq!(parts(&format!("{ID}:{SECRET}:to/ken==")), [SECRET, "to/ken=="]);
        assert_eq!(parts(&format!("{ID}:{SECRET}")), [SECRET]);
    }

    #[test]
    fn a_colon_alone_makes_no_access_key() {
        let call = call("POST", "https://h/", &[], "");
        for key in [
            "id:secret",
            "AKIALABLABLABLABLABL:",
            "AKIALABLABLABLABLABL:s:",
            "akialablablablablabl:s",
            "AKIALABLABLABLABLABL:a b",
            "AKIALABLABLABLABLABL:a:b:c",
        ] {
            let error = sign(&call, &Secret::new(key), suite_time()).unwrap_err();
            assert_eq!(error.0.code, "aws-key", "{key}");
            assert!(!error.0.evidence.contains(key));
        }
        let broken = Call { url: "not a url".into(), ..call };
        assert_eq!(sign(&broken, &Secret::new(&format!("{ID}:{SECRET}")), suite_time()).unwrap_err().0.code, "unsignable");
    }
}
