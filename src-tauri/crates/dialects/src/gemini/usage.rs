//! Token usage as Google counts it.

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of};
use crate::{Delta, DeltaKind, Usage};

object_of! {
    /// `usageMetadata` of `generateContent` and of Live, which calls the output otherwise.
    Fields {
        prompt: "promptTokenCount",
        candidates: "candidatesTokenCount",
        response: "responseTokenCount",
        thoughts: "thoughtsTokenCount",
        total: "totalTokenCount",
        cached: "cachedContentTokenCount",
        tool_use: "toolUsePromptTokenCount",
    }
}

/// The delta of a usage object; `None` if it is not an object. The counts are those of the reply so far.
///
/// Thoughts are counted beside the output, and cached tokens within the prompt; where the total settles the former otherwise, it has the
/// last word.
pub(crate) fn delta<'a>(source: &Source<'a>, raw: Raw<'a>) -> Option<Delta<'a>> {
    let fields: Fields<'_> = json::members(raw)?;
    let usage = Usage {
        input_tokens: count(fields.prompt),
        output_tokens: count(fields.candidates.or(fields.response)),
        total_tokens: count(fields.total),
        reasoning_tokens: count(fields.thoughts),
        cached_tokens: count(fields.cached),
        ..Usage::default()
    };
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if crate::usage::reported(&usage) {
        let plain =
            [usage.input_tokens, usage.output_tokens, count(fields.tool_use)].iter().flatten().fold(0_u64, |sum, n| sum.saturating_add(*n));
        let inside = usage.reasoning_tokens.is_some_and(|n| n > 0) && usage.output_tokens.is_some() && usage.total_tokens == Some(plain);
        delta.part = Part::Usage(Usage { output_includes_reasoning: Some(inside), input_includes_cached: Some(true), ..usage });
    }
    Some(delta)
}
