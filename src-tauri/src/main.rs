//! The window. It holds no logic: every command hands over to the engine.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod app;
mod commands;
#[cfg(target_os = "linux")]
mod drawing;
mod ipc;
mod state;
mod watching;

fn main() -> std::process::ExitCode {
    // A memory drill's two ends are this program, started again without a window.
    match std::env::args().nth(1).as_deref() {
        Some(commands::drill::LAB) => {
            weir_sessions::drill::memory::raise_file_limit();
            return weir_lab::serve_until_input_ends();
        }
        Some(commands::drill::CLIENT) => return weir_sessions::drill::memory::client(),
        _ => {}
    }
    if std::env::args().nth(1).as_deref() == Some("--print-commands") {
        // `make check` compares this with ui/src/gen/commands.ts.
        use std::io::Write;
        return match std::io::stdout().write_all(ipc::typescript().as_bytes()) {
            Ok(()) => std::process::ExitCode::SUCCESS,
            Err(_) => std::process::ExitCode::FAILURE,
        };
    }
    app::run()
}
