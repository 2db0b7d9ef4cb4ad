//! All that the agent says: answers on standard output, the rest on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Prints what was asked for.
pub(crate) fn answer(text: &str) {
    // Who doesn't listen any more, as `head`, needs no answer.
    writeln!(io::stdout(), "{}", printable(text)).ok();
}

/// Tells something else.
pub(crate) fn note(text: &str) {
    writeln!(io::stderr(), "{}", printable(text)).ok();
}

/// Tells what went wrong, and what to do.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    note(&format!("error: {error:#}"));
    let ours = error.chain().find_map(|cause| cause.downcast_ref::<strongroom::Error>());
    if let Some(error) = ours {
        note(&format!("  help: {}", error.hint()));
    }
    ExitCode::FAILURE
}

/// Without what could write elsewhere on a terminal: models and files say anything.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_moves_no_cursor() {
        assert_eq!(printable("a\tb\n\u{1b}[2Jc\r\u{9b}d"), "a\tb\n[2Jcd");
    }
}
