//! The output of the agent: answers on standard output, the rest on standard error.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Prints an answer.
pub(crate) fn answer(text: &str) {
    // A reader that has closed the pipe, such as `head`, needs no answer.
    writeln!(io::stdout(), "{}", printable(text)).ok();
}

/// Prints a message.
pub(crate) fn note(text: &str) {
    writeln!(io::stderr(), "{}", printable(text)).ok();
}

/// Prints an error and its hint.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    note(&format!("error: {error:#}"));
    let ours = error.chain().find_map(|cause| cause.downcast_ref::<strongroom::Error>());
    if let Some(error) = ours {
        note(&format!("  help: {}", error.hint()));
    }
    ExitCode::FAILURE
}

/// Removes control characters, which could move the cursor: texts of models and files can contain anything.
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
