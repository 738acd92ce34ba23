//! The Lab for a run against it: one that runs, or one of the run's own.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use weir_lab::{Lab, LabConfig};
use weir_sessions::view::Draft;
use weir_sessions::{Engine, Error};

/// How long a Lab on this machine may take to say that it is one.
const PATIENCE: Duration = Duration::from_millis(500);

/// Sees to it that the engine knows a Lab, if the draft wants one. The Lab that is returned runs until it is dropped.
pub async fn ready(engine: &Engine, draft: &Draft) -> Result<Option<Lab>, Error> {
    if draft.provider != "lab" || draft.base_url.is_some() || draft.url.is_some() {
        return Ok(None);
    }
    let port = engine.settings().lab_port;
    if matches!(timeout(PATIENCE, is_lab(port)).await, Ok(Ok(true))) {
        engine.set_lab(Some(format!("http://127.0.0.1:{port}")));
        return Ok(None);
    }
    let lab = Lab::start(LabConfig { port: 0, ..LabConfig::default() }).await.map_err(|error| {
        Error::new(
            "local",
            "lab",
            "The Lab did not start.",
            "Nothing was sent.",
            error.to_string(),
            "Start one with weir-cli lab, or choose another provider.",
        )
    })?;
    engine.set_lab(Some(lab.url()));
    Ok(Some(lab))
}

/// Whether what listens at `port` calls itself the Lab: another program may have taken the port.
async fn is_lab(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    let name = b"\"Weir Lab\"";
    Ok(answer.windows(name.len()).any(|window| window == name))
}
