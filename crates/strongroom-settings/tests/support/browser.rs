//! A real browser, driven by a script of `e2e`.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use strongroom_testkit::{child, provider_or_skip};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e");

/// The directory for the browser's pictures of the page.
pub(crate) const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/settings-page");

/// Whether there is a browser, and what drives it.
pub(crate) fn browser_or_skip() -> bool {
    ["chromium", "node", "playwright-core"].into_iter().all(provider_or_skip)
}

/// Held while a browser runs: two at a time are slower than what their scripts wait for.
static BROWSER: Mutex<()> = Mutex::new(());

/// Runs a script by this command of Node, with this input. Its output says how far it has come.
pub(crate) fn drive(node: &mut Command, script: &str, mut input: Value) {
    let _turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    fs::create_dir_all(SCREENSHOTS).unwrap();
    for (name, value) in [
        ("chromium", json!(on_path("chromium"))),
        ("modules", json!(modules())),
        ("screenshots", json!(SCREENSHOTS)),
    ] {
        input[name] = value;
    }
    let script = Path::new(SCRIPTS).join(script);
    let mut node = node.arg(script).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).unwrap();
    drop(stdin);
    assert!(node.wait().unwrap().success(), "the script says above what went wrong");
}

/// Returns the command of a child that runs a function of this program, for a script that starts it.
pub(crate) fn another_process(function: &str) -> Value {
    let words = child::command_line(function).into_iter().map(|word| word.into_string().unwrap());
    words.collect()
}

/// Where Node finds `playwright-core` and `axe-core`: beside the program that is on the `PATH`.
fn modules() -> PathBuf {
    let program = on_path("playwright-core").canonicalize().unwrap();
    let modules = program.ancestors().find(|it| it.ends_with("node_modules"));
    modules.map(Path::to_owned).unwrap()
}

fn on_path(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    let mut programs = env::split_paths(&path).map(|directory| directory.join(program));
    programs.find(|program| program.is_file()).unwrap()
}
