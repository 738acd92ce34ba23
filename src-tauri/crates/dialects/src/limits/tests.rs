use super::*;

/// 2026-01-01T00:00:00Z
const NOW: u64 = 1_767_225_600_000;

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn told(pairs: &[(&str, &str)]) -> Vec<RateLimit> {
    rate_limits(&headers(pairs), NOW)
}

fn row(name: &str, limit: Option<u64>, remaining: Option<u64>, reset_ms: Option<u64>) -> RateLimit {
    RateLimit { name: name.to_owned(), limit, remaining, reset_ms }
}

#[test]
fn openai_tells_resets_as_go_durations() {
    let pairs = [
        ("X-RateLimit-Limit-Requests", "5000"),
        ("x-ratelimit-limit-tokens", "160000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    assert_eq!(
        told(&pairs),
        [row("requests", Some(5000), Some(4999), Some(12)), row("tokens", Some(160_000), Some(159_976), Some(360_000))]
    );
}

#[test]
fn anthropic_tells_resets_as_times_of_day() {
    let pairs = [
        ("anthropic-ratelimit-input-tokens-limit", "40000"),
        ("anthropic-ratelimit-input-tokens-remaining", "39000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-01-01T00:00:30Z"),
        ("anthropic-ratelimit-requests-reset", "2025-12-31T23:59:59Z"),
        ("anthropic-priority-input-tokens-remaining", "7"),
        ("retry-after", "17"),
    ];
    assert_eq!(
        told(&pairs),
        [
            row("input-tokens", Some(40_000), Some(39_000), Some(30_000)),
            row("requests", None, None, Some(0)),
            row("priority-input-tokens", None, Some(7), None),
            row("retry", None, None, Some(17_000)),
        ]
    );
}

#[test]
fn mistral_azure_cohere_and_the_draft_have_names_of_their_own() {
    let mistral = [
        ("x-ratelimit-limit-req-minute", "60"),
        ("x-ratelimit-remaining-req-minute", "59"),
        ("x-ratelimit-remaining-tokens-minute", "499000"),
        ("x-ratelimit-tokens-query-cost", "32"),
    ];
    assert_eq!(told(&mistral), [row("requests-minute", Some(60), Some(59), None), row("tokens-minute", None, Some(499_000), None)]);
    let azure = [
        ("x-ratelimit-limit-requests", "-1"),
        ("x-ratelimit-remaining-requests", "-1"),
        ("x-ratelimit-remaining-tokens", "9000"),
        ("x-ratelimit-reset-tokens", "58"),
    ];
    assert_eq!(told(&azure), [row("requests", None, None, None), row("tokens", None, Some(9000), Some(58_000))]);
    assert_eq!(told(&[("x-ratelimit-reset", "1767225660"), ("x-ratelimit-limit", "20")]), [row("requests", Some(20), None, Some(60_000))]);
    // OpenRouter: Unix ms.
    assert_eq!(told(&[("X-RateLimit-Reset", "1767225605000")]), [row("requests", None, None, Some(5000))]);
    assert_eq!(
        told(&[("RateLimit-Limit", "100, 100;w=60"), ("RateLimit-Remaining", "99"), ("RateLimit-Reset", "50")]),
        [row("requests", Some(100), Some(99), Some(50_000))]
    );
}

#[test]
fn every_form_of_time() {
    for (value, ms) in [
        ("6s", Some(6000)),
        ("1m0s", Some(60_000)),
        ("1h2m3.5s", Some(3_723_500)),
        ("7.66s", Some(7660)),
        ("2m59.56s", Some(179_560)),
        ("120ms", Some(120)),
        ("500µs", Some(1)),
        ("1d", Some(86_400_000)),
        ("0s", Some(0)),
        ("0", Some(0)),
        ("0.25", Some(250)),
        ("60", Some(60_000)),
        ("2026-01-01T00:01:00.5Z", Some(60_500)),
        ("2026-01-01T01:01:00+01:00", Some(60_000)),
        ("2026-02-28T00:00:00Z", Some(58 * 86_400_000)),
        ("2028-03-01T00:00:00Z", Some((365 + 365 + 31 + 29) * 86_400_000)),
        ("Thu, 01 Jan 2026 00:00:42 GMT", Some(42_000)),
        ("Wed, 31 Dec 2025 00:00:42 GMT", Some(0)),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1x", None),
        ("5", Some(5000)),
        ("2026-13-01T00:00:00Z", None),
        ("2026-01-01Tü0:00:00Zaaa", None),
        ("Thu, 01 Foo 2026 00:00:42 GMT", None),
        ("NaN", None),
    ] {
        assert_eq!(time::until(value, NOW), ms, "{value}");
    }
}

#[test]
fn the_finer_wait_goes_first() {
    let wait = |pairs: &[(&str, &str)]| retry_after(&headers(pairs), NOW);
    assert_eq!(wait(&[("Retry-After", "2"), ("retry-after-ms", "1500")]), Some(1500));
    assert_eq!(wait(&[("retry-after", "2"), ("x-ms-retry-after-ms", "1700")]), Some(1700));
    assert_eq!(wait(&[("retry-after-ms", "soon"), ("retry-after", "Thu, 01 Jan 2026 00:00:05 GMT")]), Some(5000));
    assert_eq!(wait(&[("x-ratelimit-reset", "5")]), None);
    assert_eq!(should_retry(&headers(&[("X-Should-Retry", "false")])), Some(false));
    assert_eq!(should_retry(&headers(&[("x-should-retry", "maybe")])), None);
}

#[test]
fn request_ids() {
    assert_eq!(request_id(&headers(&[("CF-Ray", "ray"), ("X-Request-Id", "req_1")])), Some("req_1"));
    assert_eq!(request_id(&headers(&[("request-id", "req_2"), ("cf-ray", "ray")])), Some("req_2"));
    assert_eq!(request_id(&headers(&[("x-amzn-RequestId", "a-b")])), Some("a-b"));
    assert_eq!(request_id(&headers(&[("apim-request-id", "z"), ("x-request-id", " ")])), Some("z"));
    assert_eq!(request_id(&headers(&[("content-type", "text/html")])), None);
    // OpenAI, Anthropic, Azure, AWS, OpenRouter, Deepgram, Cohere; each named by its own field before that of the network in front of it.
    for name in
        ["x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "X-Generation-Id", "dg-request-id", "X-Debug-Trace-Id"]
    {
        assert_eq!(request_id(&headers(&[("cf-ray", "ray"), ("x-amz-cf-id", "cf"), (name, "own")])), Some("own"), "{name}");
    }
}
