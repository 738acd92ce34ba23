//! Token usage, which is cumulative and comes in two places: `message_start` tells of the input, `message_delta` of all so far.

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of};
use crate::teller::Teller;
use crate::{Delta, DeltaKind, Usage};

object_of! {
    /// A usage object.
    Fields {
        input: "input_tokens",
        output: "output_tokens",
        cache_read: "cache_read_input_tokens",
        cache_write: "cache_creation_input_tokens",
        details: "output_tokens_details",
    }
}

object_of! {
    /// What the output is made of.
    Details {
        thinking: "thinking_tokens",
    }
}

/// Usage as told so far; each member is replaced by a later one.
#[derive(Default)]
pub(super) struct Tally(Usage);

impl Tally {
    /// Takes a usage object in and tells the whole as known now.
    ///
    /// `input_tokens` leaves out what was read from and written to the cache: all three make up the input. The output includes thinking.
    pub(super) fn take(&mut self, source: &Source<'_>, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some((raw, fields)) = raw.and_then(|raw| Some((raw, json::members::<Fields<'_>>(raw)?))) else {
            return;
        };
        let details = fields.details.and_then(json::members::<Details<'_>>).unwrap_or_default();
        let usage = &mut self.0;
        for (known, told) in [
            (&mut usage.input_tokens, fields.input),
            (&mut usage.output_tokens, fields.output),
            (&mut usage.cached_tokens, fields.cache_read),
            (&mut usage.cache_write_tokens, fields.cache_write),
            (&mut usage.reasoning_tokens, details.thinking),
        ] {
            *known = count(told).or(*known);
        }
        usage.output_includes_reasoning = usage.reasoning_tokens.map(|_| true);
        usage.input_includes_cached = usage.cached_tokens.or(usage.cache_write_tokens).map(|_| false);
        let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
        if crate::usage::reported(usage) {
            delta.part = Part::Usage(usage.clone());
        }
        teller.tell(delta);
    }
}
