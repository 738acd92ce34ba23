//! Token usage in the OpenAI family: Chat's names, Responses' names, and those of compatible servers.

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of};
use crate::{Delta, DeltaKind, Usage};

object_of! {
    /// A usage object.
    Fields {
        prompt: "prompt_tokens",
        input: "input_tokens",
        completion: "completion_tokens",
        output: "output_tokens",
        total: "total_tokens",
        prompt_details: "prompt_tokens_details",
        input_details: "input_tokens_details",
        completion_details: "completion_tokens_details",
        output_details: "output_tokens_details",
        realtime_input_details: "input_token_details",
        realtime_output_details: "output_token_details",
        cache_hit: "prompt_cache_hit_tokens",
        cache_miss: "prompt_cache_miss_tokens",
        cached: "cached_tokens",
        reasoning: "reasoning_tokens",
    }
}

object_of! {
    /// What the totals are made of.
    Details {
        cached: "cached_tokens",
        written: "cache_write_tokens",
        reasoning: "reasoning_tokens",
    }
}

/// Reads a usage object; `None` if it is not an object.
///
/// Whether output includes reasoning is not the same everywhere (OpenAI: yes, xAI: no), and the dialect does not know
/// who speaks; so it is told only where the reported total settles it.
pub(crate) fn read(raw: Raw<'_>) -> Option<Usage> {
    let fields: Fields<'_> = json::members(raw)?;
    let details = |a: Option<_>, b: Option<_>| a.or(b).and_then(json::members::<Details<'_>>).unwrap_or_default();
    let input_details = details(fields.prompt_details, fields.input_details.or(fields.realtime_input_details));
    let output_details = details(fields.completion_details, fields.output_details.or(fields.realtime_output_details));
    let mut usage = Usage {
        input_tokens: count(fields.prompt.or(fields.input)),
        output_tokens: count(fields.completion.or(fields.output)),
        total_tokens: count(fields.total),
        reasoning_tokens: count(output_details.reasoning.or(fields.reasoning)),
        cached_tokens: count(input_details.cached.or(fields.cache_hit).or(fields.cached)),
        cache_write_tokens: count(input_details.written),
        ..Usage::default()
    };
    if let (Some(input), Some(output), Some(total)) = (usage.input_tokens, usage.output_tokens, usage.total_tokens) {
        let plain = input.saturating_add(output);
        if let Some(reasoning) = usage.reasoning_tokens.filter(|n| *n > 0) {
            usage.output_includes_reasoning = if total == plain && reasoning <= output {
                Some(true)
            } else if total == plain.saturating_add(reasoning) {
                Some(false)
            } else {
                None
            };
        }
        if let Some(cached) = usage.cached_tokens.filter(|n| *n > 0) {
            let all = if usage.output_includes_reasoning == Some(false) {
                plain.saturating_add(usage.reasoning_tokens.unwrap_or(0))
            } else {
                plain
            };
            usage.input_includes_cached = if total == all && cached <= input {
                Some(true)
            } else if total == all.saturating_add(cached) {
                Some(false)
            } else {
                None
            };
        }
    }
    Some(usage)
}

/// Whether the peer filled the object in: some servers always send one, all zero where they did not count.
pub(crate) fn reported(usage: &Usage) -> bool {
    [usage.input_tokens, usage.output_tokens, usage.total_tokens, usage.reasoning_tokens, usage.cached_tokens]
        .iter()
        .flatten()
        .any(|n| *n > 0)
}

/// The delta for a usage object. One that reports nothing (all zero, or no known member) is shown but does not replace what is known.
pub(crate) fn delta<'a>(source: &Source<'a>, raw: Raw<'a>) -> Option<Delta<'a>> {
    let usage = read(raw)?;
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if reported(&usage) {
        delta.part = Part::Usage(usage);
    }
    Some(delta)
}
