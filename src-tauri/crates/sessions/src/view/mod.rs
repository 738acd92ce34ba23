//! What a view of a session shows, as it crosses to the page and to scripts. Plain data: no bytes, no paths, no secrets.

mod console;
mod frames;
mod lenses;
mod library;
mod live;
mod settings;

pub use console::{
    ConsoleClose, ConsoleDraft, ConsoleHead, ConsoleMessage, ConsoleMode, ConsolePage, ConsolePhase, ConsoleRow, ConsoleRule,
    ConsoleStanding, MessageForm, RuleHow,
};
pub use frames::{
    BitField, ByteShares, FilterError, FrameDetail, FrameRow, KindCount, Landmark, Node, Owner, Place, Ribbon, RibbonLane, RibbonPhase,
    RowsPage,
};
pub use lenses::{LensDifference, LensFormat, LensReading, LensVerdict, LensView, Lenses, Split};
pub use library::{ExportFormat, SessionPage, SessionSummary, SessionsQuery};
pub use live::{
    Block, BlockKind, Draft, FlowTotals, HeaderLine, Media, Metrics, Outcome, OutcomeKind, Preview, Problem, Rate, ReadBody, SessionInfo,
    State, Update,
};
pub use settings::{DialectInfo, OpenTransport, Settings};
