//! Where Weir keeps its library, its list of keys and its settings.

use std::path::PathBuf;

/// `WEIR_HOME`, or the folder for application data that the system gives (XDG data home, Application Support, AppData), or `.weir` here where there is none.
pub fn folder() -> PathBuf {
    std::env::var_os("WEIR_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| dirs::data_dir().map(|data| data.join("weir")))
        .unwrap_or_else(|| PathBuf::from(".weir"))
}

/// Where exports go: `exports` in `WEIR_HOME` where that is set, else the user's Downloads folder.
pub fn exports() -> PathBuf {
    if std::env::var_os("WEIR_HOME").is_some_and(|path| !path.is_empty()) {
        return folder().join("exports");
    }
    dirs::download_dir().unwrap_or_else(|| folder().join("exports"))
}
