//! Start and end of the program.

use std::process::ExitCode;

use tauri::{Manager, WebviewUrl, WebviewWindowBuilder};
use weir_sessions::{Engine, home};

use crate::ipc;
use crate::state::App;

/// Opens the library, starts the Lab if it is to start, opens the window, and stays until it is closed.
pub fn run() -> ExitCode {
    let engine = match Engine::open(&home::folder()) {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("{}\n{}\n{}", error.0.message, error.0.evidence, error.0.next);
            return ExitCode::FAILURE;
        }
    };
    weir_secrets::install_panic_redaction(engine.keys());
    let app = App::new(engine);
    let built = tauri::Builder::default()
        .manage(app.clone())
        .invoke_handler(ipc::handler())
        .setup(move |tauri| {
            if app.engine.settings().lab_at_start {
                tauri::async_runtime::block_on(app.lab.start(&app.engine, None));
            }
            let window = WebviewWindowBuilder::new(tauri, "main", WebviewUrl::default())
                .title("Weir")
                .inner_size(1440.0, 900.0)
                .min_inner_size(1000.0, 700.0)
                // The page's first paint is dark or light by its own settings; until then nothing flashes.
                .background_color(tauri::window::Color(11, 12, 15, 255))
                // Links in a reply must not lead the page away.
                .on_navigation(|url| matches!(url.scheme(), "tauri" | "ipc") || url.host_str() == Some("tauri.localhost"))
                // Files are dropped on the page, which takes them as attachments.
                .disable_drag_drop_handler()
                .build()?;
            #[cfg(target_os = "linux")]
            crate::drawing::suit_machine(&window)?;
            Ok(())
        })
        .build(tauri::generate_context!());
    match built {
        Ok(tauri) => {
            tauri.run(|handle, event| {
                if let tauri::RunEvent::Exit = event {
                    let app = handle.state::<App>();
                    tauri::async_runtime::block_on(app.close());
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The window could not be opened.\n{error}\nIs there a display? Try weir-cli where there is none.");
            ExitCode::FAILURE
        }
    }
}
