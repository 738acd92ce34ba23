//! Tauri's own code generation, and the page that it embeds.

fn main() {
    // The page is embedded from a folder that cargo does not know of.
    println!("cargo:rerun-if-changed=../ui/dist");
    tauri_build::build();
}
