//! Makes the window's capabilities, and what Windows wants to know of a program.

fn main() {
    tauri_build::build();
}
