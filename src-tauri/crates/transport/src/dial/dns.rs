//! Names to addresses, by the system's resolver.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;
use url::Host;

use crate::{Blame, Error};

/// All addresses of `host`, in the system's order of preference (RFC 6724).
pub(super) async fn resolve(host: &Host<String>, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let name = match host {
        Host::Ipv4(address) => return Ok(vec![(IpAddr::from(*address), port).into()]),
        Host::Ipv6(address) => return Ok(vec![(IpAddr::from(*address), port).into()]),
        Host::Domain(name) => name,
    };
    let failed = |evidence: String| {
        Error::new(Blame::Network, "dns", format!("The name {name} could not be resolved."))
            .evidence(evidence)
            .next("Check the spelling of the host and whether this machine is online; behind a company network a proxy may be needed.")
    };
    let found = lookup_host((name.as_str(), port)).await.map_err(|error| failed(error.to_string()))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(failed("The name exists and has no address.".into())) } else { Ok(addresses) }
}
