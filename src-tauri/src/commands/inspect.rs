//! The inspector.

use weir_sessions::view::{ByteShares, FilterError, FrameDetail, Landmark, Lenses, Place, Ribbon, RowsPage};
use weir_sessions::{Error, inspect};

use super::blocking;
use crate::ipc::IpcError;
use crate::state::App;

/// Bytes one answer carries at most; the page asks again for more.
const MOST: u32 = 1 << 20;

pub async fn rows(app: App, session: String, filter: String, start: u32, count: u32) -> Result<RowsPage, IpcError> {
    let work = move || Ok(app.session(&session)?.rows(&filter, start as usize, count as usize));
    Ok(blocking(work).await??)
}

pub async fn check_filter(_: App, filter: String) -> Result<Option<FilterError>, Error> {
    Ok(inspect::parse(&filter).err())
}

pub async fn position(app: App, session: String, filter: String, row: u32) -> Result<Option<u32>, IpcError> {
    let work = move || Ok(app.session(&session)?.position(&filter, row));
    Ok(blocking(work).await??.map(|at| at as u32))
}

pub async fn shares(app: App, session: String, filter: String) -> Result<ByteShares, IpcError> {
    let work = move || Ok(app.session(&session)?.shares(&filter));
    Ok(blocking(work).await??)
}

pub async fn next_gap(app: App, session: String, row: u32, backwards: bool, over_ms: f64) -> Result<Option<u32>, Error> {
    blocking(move || Ok(app.session(&session)?.next_gap(row, backwards, over_ms))).await
}

pub async fn next_row(app: App, session: String, row: Option<u32>, backwards: bool, what: Landmark) -> Result<Option<u32>, Error> {
    blocking(move || Ok(app.session(&session)?.next_row(row, backwards, what))).await
}

pub async fn row_at(app: App, session: String, conn: u32, out: bool, at: f64) -> Result<Option<u32>, Error> {
    blocking(move || Ok(app.session(&session)?.row_at(conn, out, at as u64))).await
}

pub async fn frame(app: App, session: String, row: u32) -> Result<FrameDetail, Error> {
    blocking(move || app.session(&session)?.frame(row)).await
}

pub async fn lenses(app: App, session: String, row: Option<u32>) -> Result<Option<Lenses>, Error> {
    blocking(move || app.session(&session)?.lenses(row)).await
}

pub async fn ribbon(app: App, session: String, from_ms: f64, to_ms: Option<f64>, bins: u32) -> Result<Ribbon, Error> {
    blocking(move || Ok(app.session(&session)?.ribbon(from_ms, to_ms, bins))).await
}

pub async fn locate(app: App, session: String, block: u32, offset: u32) -> Result<Option<Place>, Error> {
    blocking(move || Ok(app.session(&session)?.locate(block, offset))).await
}

pub async fn place(app: App, session: String, row: u32) -> Result<Option<Place>, Error> {
    blocking(move || Ok(app.session(&session)?.place(row))).await
}

pub async fn bytes(app: App, session: String, conn: u32, out: bool, start: u64, len: u32) -> Result<Vec<u8>, Error> {
    blocking(move || app.session(&session)?.bytes().read(conn, out, start, len.min(MOST) as usize)).await
}

pub async fn audio(app: App, session: String, block: u32) -> Result<Vec<u8>, Error> {
    blocking(move || Ok(app.session(&session)?.audio(block)?.1)).await
}
