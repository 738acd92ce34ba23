//! Errors in Google's shape: `{"error":{code,message,status,details}}`, alone or as the one element of an array.

use std::borrow::Cow;

use crate::delta::Part;
use crate::json::{self, Raw, Source, object_of, shown, truthy, word};
use crate::report;
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

object_of! {
    /// What an error stands in.
    Outer {
        error: "error",
    }
}

object_of! {
    /// `google.rpc.Status`, as HTTP shows it.
    Status {
        code: "code",
        message: "message",
        status: "status",
        details: "details",
    }
}

object_of! {
    /// An element of `details`: of RetryInfo and ErrorInfo what says most.
    Detail {
        retry: "retryDelay",
        reason: "reason",
    }
}

/// Tells the error that a value is, in Google's shape; whether it was one.
pub(crate) fn tell(source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) -> bool {
    let raw = match json::elements(raw)[..] {
        [only] => only,
        _ => raw,
    };
    let Some(error) = json::members::<Outer<'_>>(raw).and_then(|outer| truthy(outer.error)) else {
        return false;
    };
    of_member(source, error, teller);
    true
}

/// Tells what an `error` member holds: the canonical name of the status as the code (the number where there is none), then what the
/// details add.
pub(crate) fn of_member(source: &Source<'_>, error: Raw<'_>, teller: &mut Teller<'_>) {
    let fields = json::members::<Status<'_>>(error).filter(|fields| word(fields.message).is_some());
    let Some((fields, message)) = fields.and_then(|fields| fields.message.map(|message| (fields, message))) else {
        return teller.tell(report::of_member(source, error).delta());
    };
    let code = word(fields.status).or(fields.code.map(shown)).unwrap_or_default();
    let part = Part::Error { code: Cow::Owned(code.into_owned()) };
    teller.tell(Delta { kind: DeltaKind::Error, text: shown(message), at: source.place(message), part });
    let Some(details) = fields.details else { return };
    json::each(details, |detail| {
        let Some(detail) = json::members::<Detail<'_>>(detail) else {
            return;
        };
        if let Some(reason) = detail.reason.filter(|reason| word(Some(*reason)).is_some()) {
            teller.control(&format!("reason {}", shown(reason)), source.place(reason));
        }
        if let Some((raw, after)) = detail.retry.and_then(|raw| Some((raw, word(Some(raw))?))) {
            let text = Cow::Owned(format!("retryDelay {after}"));
            teller.tell(Delta { kind: DeltaKind::Control, text, at: source.place(raw), part: Part::Retry(after) });
        }
    });
}

/// Tells a body that came under an error status, whatever its form.
pub(crate) fn of_body(source: &Source<'_>, status: u16, teller: &mut Teller<'_>) {
    let told = json::value(source.text).is_ok_and(|raw| tell(source, raw, teller));
    if !told {
        teller.tell(report::of_body(source, status).delta());
    }
}
