//! Which library a command works on.

use std::path::Path;

use weir_recordings::Library;
use weir_sessions::{Engine, Error, home};

/// The engine on the library of `WEIR_HOME`, or of the platform's folder for a user's data.
pub fn open() -> Result<Engine, Error> {
    Engine::open(&home::folder())
}

/// The engine on another library, with the home folder's keys and settings. The folder's own library is read if it is there, and never made.
pub fn beside(library: Library) -> Result<Engine, Error> {
    let home = home::folder();
    if home.join("library.weir").exists() {
        return Engine::open(&home)?.beside(library);
    }
    Engine::with(&home, library)
}

/// The library in `file`, or the home folder's.
pub fn open_at(file: Option<&Path>) -> Result<Engine, Error> {
    match file {
        None => open(),
        Some(file) => {
            there(file)?;
            beside(Library::open(file)?)
        }
    }
}

/// Refuses a path with nothing at it: opening a library would make one there.
pub fn there(file: &Path) -> Result<(), Error> {
    if file.exists() {
        return Ok(());
    }
    Err(Error::new(
        "user",
        "no-file",
        format!("There is no file {}.", file.display()),
        "Nothing was read.",
        "",
        "Give the path of a .weir file.",
    ))
}
