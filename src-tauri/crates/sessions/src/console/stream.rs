//! The SSE console on the wire.

use std::sync::Arc;

use weir_transport::reconnect::listen;
use weir_transport::{Journal, Target};

use super::plan::options;
use crate::session::Session;
use crate::view::ConsoleDraft;

/// Asks, and asks again, until it is over for good. What happens stands in the journal.
pub(super) async fn run(target: &Target, draft: &ConsoleDraft, session: &Arc<Session>, journal: Journal) {
    // Read once already, when the plan was made.
    let Ok(options) = options(draft) else { return };
    let request = session.plan().request(None);
    listen(target, &request, options, journal, 0, session.control(), &mut |_| {}).await;
}
