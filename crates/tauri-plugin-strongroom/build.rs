//! Makes a permission for each command.

const COMMANDS: &[&str] = &["delete", "describe", "exists", "list", "reveal", "set", "status"];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).global_api_script_path("./api-iife.js").build();
}
