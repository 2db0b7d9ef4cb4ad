//! Conversion of file errors to faults of operations on secrets.

use std::io;
use std::path::Path;

use strongroom_core::advice::Sentence;
use strongroom_core::{Error, ErrorKind, Fault, Operation};

use crate::Refusal;

/// Converts the error of a file or directory to a fault, with kind, message and advice.
pub fn fault(path: &Path, cause: io::Error) -> Fault {
    let shown = quoted(path);
    if let Some(refusal) = Refusal::of(&cause) {
        // A refusal is its own cause, and the message already states it.
        return Fault::new(kind_of_refusal(refusal))
            .with_message(clause_about(&shown, &refusal.to_string()))
            .with_advice(advice_on_refusal(refusal, &shown));
    }
    let (kind, problem) = kind_and_problem(cause.kind());
    let fault = Fault::new(kind).with_message(clause_about(&shown, problem));
    let fault = match advice_on_failure(cause.kind(), &shown) {
        Some(advice) => fault.with_advice(advice),
        None => fault,
    };
    fault.with_source(cause)
}

/// Converts the error of a file or directory to the error of an operation, as [`fault`] does.
pub fn error(operation: Operation, path: &Path, cause: io::Error) -> Error {
    fault(path, cause).during(operation)
}

/// Quotes the path as a single word of a shell command, without control characters.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if !text.is_empty() && text.chars().all(needs_no_quotes) {
        return text.into_owned();
    }
    if text.chars().any(char::is_control) {
        // `$'…'` is understood by bash, zsh and ksh. Plain quotes would send the control characters to the terminal.
        let escaped: String = text.chars().map(escape).collect();
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Makes the path the subject of a clause about "it".
fn clause_about(shown: &str, problem: &str) -> String {
    format!("{shown} {}", problem.strip_prefix("it ").unwrap_or(problem))
}

const fn needs_no_quotes(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | '%' | ':' | ',')
}

fn escape(c: char) -> String {
    match c {
        '\'' | '\\' => format!("\\{c}"),
        c if c.is_control() => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\x{byte:02x}")).collect()
        }
        c => c.to_string(),
    }
}

const fn kind_of_refusal(refusal: &Refusal) -> ErrorKind {
    match refusal {
        Refusal::Link | Refusal::Names(_) | Refusal::Owner { .. } | Refusal::Mode { .. } => {
            ErrorKind::AccessDenied
        }
        Refusal::TooLarge { .. } => ErrorKind::TooLarge,
        Refusal::Directory | Refusal::Special | Refusal::NotText => ErrorKind::Invalid,
    }
}

fn advice_on_refusal(refusal: &Refusal, shown: &str) -> Sentence {
    match refusal {
        Refusal::Link => Sentence::from("Look where it leads with ")
            .shell(format!("readlink -f {shown}"))
            .text(", and name that, or remove the link."),
        Refusal::Names(_) => {
            Sentence::from("Copy it to a place of its own, or find its other names with ")
                .shell(format!("find / -samefile {shown}"))
                .text(".")
        }
        Refusal::Owner { user, .. } => {
            Sentence::from("Run this as the user whom it belongs to, or make it yours with ")
                .shell(format!("sudo chown {user} {shown}"))
                .text(".")
        }
        Refusal::Mode { allowed, .. } => Sentence::from("Run ")
            .shell(format!("chmod {allowed:o} {shown}"))
            .text(", and think of who may have read it."),
        Refusal::Special => "Name a file, or pipe the content in.".into(),
        Refusal::Directory => "Check the path.".into(),
        Refusal::TooLarge { .. } | Refusal::NotText => "See whether it is the right file.".into(),
    }
}

/// Returns the kind and the problem, as a clause, of an error of the operating system.
const fn kind_and_problem(cause: io::ErrorKind) -> (ErrorKind, &'static str) {
    match cause {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "it is not there"),
        io::ErrorKind::AlreadyExists => (ErrorKind::AlreadyExists, "it exists already"),
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::AccessDenied, "it may not be used by this program")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::AccessDenied, "it lies on a file system that can't be written")
        }
        io::ErrorKind::StorageFull => {
            (ErrorKind::QuotaExceeded, "it can't be written: the disk is full")
        }
        io::ErrorKind::QuotaExceeded => (
            ErrorKind::QuotaExceeded,
            "it can't be written: this user's quota on the disk is used up",
        ),
        io::ErrorKind::NotADirectory => {
            (ErrorKind::NotFound, "it is not there: a part of the path is no directory")
        }
        _ => (ErrorKind::Io, "it can't be used"),
    }
}

/// Returns the advice on an error of the operating system, or `None` if the default advice of the error's kind is enough.
fn advice_on_failure(cause: io::ErrorKind, shown: &str) -> Option<Sentence> {
    match cause {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Some("Check the path.".into()),
        io::ErrorKind::PermissionDenied => Some(
            Sentence::from("Look at the permissions of it and of the directories above: ")
                .shell(format!("ls -ld {shown}"))
                .text("."),
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some(Sentence::from("Make room there: ").shell(format!("df -h {shown}")).text("."))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell_without_control_characters() {
        for (path, word) in [
            ("/a/b-c_d.e", "/a/b-c_d.e"),
            ("/a b", "'/a b'"),
            ("/it's", r"'/it'\''s'"),
            ("/a\u{1b}]0;x\u{7}", r"$'/a\x1b]0;x\x07'"),
            ("/a\n'\\", r"$'/a\x0a\'\\'"),
            ("~/a", "'~/a'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }

    #[test]
    fn advice_is_a_command_that_can_be_pasted() {
        let cause = Refusal::Mode { mode: 0o644, allowed: 0o600 }.into();
        let fault = fault(Path::new("/a b/it's"), cause);
        assert_eq!(fault.kind(), ErrorKind::AccessDenied);
        assert!(fault.hint().contains(r"`chmod 600 '/a b/it'\''s'`"), "{}", fault.hint());
        assert!(fault.to_string().contains("its mode is 0644"), "{fault}");
    }
}
