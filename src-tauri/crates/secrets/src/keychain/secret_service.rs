//! The freedesktop.org Secret Service: GNOME Keyring, KWallet, KeePassXC.
//!
//! The service may start, stop, lock and unlock while Weir runs, so nothing is kept between calls. keyring's store unlocks
//! by prompting inside any call; so that no prompt comes unasked, a call first looks whether what it needs is unlocked.
//!
//! The bus is the one of `DBUS_SESSION_BUS_ADDRESS`, else `$XDG_RUNTIME_DIR/bus`. On Linux zbus refuses `autolaunch:`
//! addresses, so asking never starts a bus in a process that has none.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::CredentialStore;
use secret_service::blocking::{Collection, Item, SecretService as Service};
use secret_service::{EncryptionType, Error};

use super::{Keychain, SERVICE};
use crate::error::Obstacle;

/// How long one message may wait for its reply. Below the limit of the whole call, so that a hung service is named as such.
const REPLY: Duration = Duration::from_secs(4);

/// The Secret Service on the session bus.
pub(crate) struct SecretService;

impl Keychain for SecretService {
    fn name(&self) -> &'static str {
        "Secret Service"
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn reach(&self, provider: Option<&str>) -> Result<(), Obstacle> {
        let service = connect()?;
        if let Some(provider) = provider {
            // The attributes are those of keyring's store.
            let found = service.search_items(HashMap::from([("service", SERVICE), ("username", provider)])).map_err(obstacle)?;
            if !found.unlocked.is_empty() {
                return Ok(());
            }
            if !found.locked.is_empty() {
                return Err(Obstacle::Locked("The collection that holds the key is locked.".into()));
            }
        }
        match default_collection(&service)? {
            Some(collection) if !collection.is_locked().map_err(obstacle)? => Ok(()),
            Some(_) => Err(Obstacle::Locked("The default collection is locked.".into())),
            None => Err(Obstacle::Locked("There is no default collection yet; unlocking sets one up.".into())),
        }
    }

    fn store(&self) -> Result<Arc<CredentialStore>, Obstacle> {
        match zbus_secret_service_keyring_store::Store::new() {
            Ok(store) => Ok(store),
            Err(cause) => Err(super::vault::obstacle(cause)),
        }
    }

    fn modifiers(&self, provider: &str) -> HashMap<&'static str, String> {
        HashMap::from([("label", format!("Weir: key for {provider}"))])
    }

    fn unlock(&self) -> Result<(), Obstacle> {
        let service = connect()?;
        match default_collection(&service)? {
            Some(collection) => {
                if collection.is_locked().map_err(obstacle)? {
                    collection.unlock().map_err(obstacle)?;
                }
            }
            None => {
                service.create_collection("Default keyring", "default").map_err(obstacle)?;
            }
        }
        // Keys the user moved to another collection, and services that ask for each item.
        let found = service.search_items(HashMap::from([("service", SERVICE)])).map_err(obstacle)?;
        let locked: Vec<&Item<'_>> = found.locked.iter().collect();
        if !locked.is_empty() {
            service.unlock_all(&locked).map_err(obstacle)?;
        }
        // A service may take the password, find it wrong, and report no error.
        self.reach(None)
    }
}

/// A connection of its own: its messages time out, and its errors keep the bus's own words. No secret crosses it, so its
/// session needs no encryption.
fn connect() -> Result<Service<'static>, Obstacle> {
    let builder = zbus::blocking::connection::Builder::session().map_err(|cause| no_bus(&cause))?;
    let bus = builder.method_timeout(REPLY).build().map_err(|cause| no_bus(&cause))?;
    Service::connect_with_existing(EncryptionType::Plain, bus).map_err(obstacle)
}

fn no_bus(cause: &zbus::Error) -> Obstacle {
    let bus = match std::env::var("DBUS_SESSION_BUS_ADDRESS") {
        Ok(address) => format!("DBUS_SESSION_BUS_ADDRESS is {address}"),
        Err(_) => "DBUS_SESSION_BUS_ADDRESS is not set".to_owned(),
    };
    Obstacle::Missing(format!("No session bus ({bus}): {cause}"))
}

fn default_collection<'a>(service: &'a Service<'_>) -> Result<Option<Collection<'a>>, Obstacle> {
    match service.get_default_collection() {
        Ok(collection) => Ok(Some(collection)),
        Err(Error::NoResult) => Ok(None),
        Err(cause) => Err(obstacle(cause)),
    }
}

/// What an error of the service means for the caller.
pub(super) fn obstacle(cause: Error) -> Obstacle {
    let text = cause.to_string();
    match cause {
        Error::Locked => Obstacle::Locked(text),
        Error::Prompt => Obstacle::Denied("The prompt was dismissed, or none could be shown.".into()),
        Error::Unavailable => Obstacle::Missing("No program on the session bus offers org.freedesktop.secrets.".into()),
        Error::Zbus(cause) => on_the_bus(&cause).unwrap_or(Obstacle::Failed(text)),
        Error::ZbusFdo(cause) => match zbus::Error::from(cause) {
            zbus::Error::FDO(cause) => fdo(&cause).unwrap_or(Obstacle::Failed(text)),
            cause => on_the_bus(&cause).unwrap_or(Obstacle::Failed(text)),
        },
        _ => Obstacle::Failed(text),
    }
}

fn on_the_bus(cause: &zbus::Error) -> Option<Obstacle> {
    match cause {
        zbus::Error::MethodError(name, detail, _) => {
            let evidence = format!("{name}: {}", detail.as_deref().unwrap_or("no detail"));
            match name.as_str() {
                "org.freedesktop.Secret.Error.IsLocked" => Some(Obstacle::Locked(evidence)),
                "org.freedesktop.DBus.Error.AccessDenied" => Some(Obstacle::Denied(evidence)),
                "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
                    Some(Obstacle::Missing(evidence))
                }
                // The bus could not start the service, or gave up waiting for it to start.
                spawn if spawn.starts_with("org.freedesktop.DBus.Error.Spawn.") => Some(Obstacle::Missing(evidence)),
                "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.TimedOut" => Some(Obstacle::Timeout(evidence)),
                _ => None,
            }
        }
        zbus::Error::InputOutput(cause) if cause.kind() == std::io::ErrorKind::TimedOut => Some(Obstacle::timeout(REPLY)),
        zbus::Error::InputOutput(cause) => Some(Obstacle::Missing(format!("The session bus is gone: {cause}"))),
        zbus::Error::FDO(cause) => fdo(cause),
        _ => None,
    }
}

fn fdo(cause: &zbus::fdo::Error) -> Option<Obstacle> {
    use zbus::fdo::Error;
    let text = cause.to_string();
    match cause {
        Error::ServiceUnknown(_) | Error::NameHasNoOwner(_) => Some(Obstacle::Missing(text)),
        Error::AccessDenied(_) | Error::AuthFailed(_) => Some(Obstacle::Denied(text)),
        Error::NoReply(_) | Error::TimedOut(_) | Error::Timeout(_) => Some(Obstacle::Timeout(text)),
        Error::ZBus(cause) => on_the_bus(cause),
        _ => None,
    }
}
