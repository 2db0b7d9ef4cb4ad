//! Hidden questions, for values and passphrases. No other module asks without showing the answer.
//!
//! They are written to the terminal itself and read from it, even if standard input and output are redirected.

use strongroom::input::without_final_newline;
use strongroom::store::{secret_copy, secret_text};
use strongroom::{ExposeSecret as _, SecretBytes, SecretString};

mod problem;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use problem::Lines;
pub(crate) use problem::Problem;
#[cfg(unix)]
pub(crate) use unix::assume_sole_handler;
#[cfg(unix)]
use unix::{ask, note};
#[cfg(windows)]
use windows::{ask, note};

/// The number of tries for an answer.
pub(crate) const TRIES: u32 = 3;

/// The advice about a weak passphrase.
pub(crate) const WEAK: &str = "a passphrase of fewer than 12 characters is soon found by trying, with a copy of the \
     file; four or five random words are better.";

/// The length of the shortest passphrase that is not weak, in characters.
const STRONG: usize = 12;

/// Asks for a value: a line, or a paste of any number of lines.
pub(crate) fn value(name: &str) -> Result<SecretBytes, Problem> {
    let question = format!("Value for {name} (not shown): ");
    answered(&question, Lines::Several)
}

/// Asks for a passphrase. `of` names the file that it opens.
pub(crate) fn passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("Passphrase of {of} (not shown): "))
}

/// Asks for another passphrase of a file that has several.
pub(crate) fn another_passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("Another passphrase of {of} (not shown): "))
}

/// Asks for a passphrase of a file that stays, while another passphrase is about to be removed.
pub(crate) fn remaining_passphrase(of: &str) -> Result<SecretString, Problem> {
    line(&format!("A passphrase of {of} that stays (not shown): "))
}

/// Asks twice for a new passphrase, and advises against a weak passphrase.
pub(crate) fn new_passphrase(of: &str) -> Result<SecretString, Problem> {
    let question = format!("New passphrase for {of} (not shown): ");
    for _ in 0..TRIES {
        let once = line(&question)?;
        let again = text(&one_line(ask("The same again: ", Lines::One)?))?;
        if again.expose_secret() == once.expose_secret() {
            if is_weak(&once) {
                note(&format!("Note: {WEAK}\n"))?;
            }
            return Ok(once);
        }
        note("They differ.\n")?;
    }
    Err(Problem::Mistyped)
}

/// Tells the user that a passphrase was wrong, and the number of the next try.
pub(crate) fn say_wrong(attempt: u32) -> Result<(), Problem> {
    note(&format!("That does not open it; this is try {attempt} of {TRIES}.\n"))
}

/// Returns whether a passphrase is too short to resist guessing.
pub(crate) fn is_weak(passphrase: &SecretString) -> bool {
    passphrase.expose_secret().chars().count() < STRONG
}

/// Asks for a line of text.
fn line(question: &str) -> Result<SecretString, Problem> {
    text(&one_line(answered(question, Lines::One)?))
}

/// Asks until the answer is not empty. An Enter may be left over from a paste that ended with a newline.
fn answered(question: &str, lines: Lines) -> Result<SecretBytes, Problem> {
    for attempt in 1..=TRIES {
        let answer = ask(question, lines)?;
        if !without_final_newline(answer.expose_secret()).is_empty() {
            return Ok(answer);
        }
        if attempt < TRIES {
            note("Nothing was typed.\n")?;
        }
    }
    Err(Problem::Empty)
}

fn one_line(answer: SecretBytes) -> SecretBytes {
    secret_copy(without_final_newline(answer.expose_secret()))
}

fn text(answer: &SecretBytes) -> Result<SecretString, Problem> {
    secret_text(answer).ok_or(Problem::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_weak_by_its_characters() {
        assert!(is_weak(&SecretString::from("\u{1f511}".repeat(11))));
        assert!(!is_weak(&SecretString::from("\u{1f511}".repeat(12))));
    }
}
