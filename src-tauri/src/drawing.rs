//! How the page is drawn.

use std::path::Path;

use tauri::WebviewWindow;
use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

/// Where Linux lists what can render: a `renderD*` for each graphics card.
const DEVICES: &str = "/dev/dri";

/// Has the page drawn straight to the window where the machine has no graphics card. WebKit would have its layers put together there by
/// an OpenGL in software: four times as long a display frame, and 130 MB more.
///
/// A window that WebDriver drives stays as WebKit has it: drawn straight, WebKitGTK 2.50 never answers when a picture of a page that
/// stands still is asked for.
///
/// # Errors
/// The window is gone.
pub fn suit_machine(window: &WebviewWindow) -> tauri::Result<()> {
    if has_card(Path::new(DEVICES)) {
        return Ok(());
    }
    window.with_webview(|view| {
        let view = view.inner();
        if let Some(settings) = view.settings().filter(|_| !view.is_controlled_by_automation()) {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    })
}

fn has_card(devices: &Path) -> bool {
    let Ok(entries) = devices.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_without_a_renderer_is_no_graphics_card() {
        let devices = tempfile::tempdir().unwrap();
        assert!(!has_card(&devices.path().join("none")));
        std::fs::write(devices.path().join("card0"), "").unwrap();
        assert!(!has_card(devices.path()));
        std::fs::write(devices.path().join("renderD128"), "").unwrap();
        assert!(has_card(devices.path()));
    }
}
