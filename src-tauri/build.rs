//! Tauri's own code generation.

fn main() {
    tauri_build::build();
}
