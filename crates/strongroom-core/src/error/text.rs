//! Errors as text: a sentence, on a single line with advice and causes, or on several lines.

use std::error::Error as StdError;
use std::{fmt, iter};

use super::Error;

/// Writes the sentence. With `#`, advice and causes follow on the same line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.write_str(&self.in_one_line());
        }
        f.write_str(&self.sentence())
    }
}

/// Writes the sentence, the advice and each cause on lines of their own, for `fn main() -> Result` and
/// `unwrap`. `#` makes no difference.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        // The sentence contains such a hint already.
        if !self.0.says_hint {
            write!(f, "\n{}", self.hint())?;
        }
        // By `Display`: derived `Debug` output of a cause is not made for users, and may show more.
        self.causes().try_for_each(|cause| write!(f, "\nCaused by: {cause}"))
    }
}

impl Error {
    fn sentence(&self) -> String {
        let mut text = format!("cannot {}", self.0.operation);
        if let Some(entry) = &self.0.entry {
            text.push_str(&format!(" {entry}"));
        }
        if let Some(store) = self.0.store {
            text.push_str(&format!(" ({store})"));
        }
        text.push_str(&format!(": {}", self.problem()));
        if self.0.says_hint {
            text = format!("{} {}", ended(&text), self.hint());
        }
        text
    }

    fn in_one_line(&self) -> String {
        let mut parts = vec![self.sentence()];
        if !self.0.says_hint {
            parts = vec![ended(&parts[0]), self.hint().to_owned()];
        }
        let causes: Vec<_> = self.causes().map(ToString::to_string).collect();
        if !causes.is_empty() {
            parts = vec![ended(&parts.join(" ")), format!("Caused by: {}", causes.join(": "))];
        }
        // A cause may contain line breaks.
        parts.join(" ").lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        iter::successors(self.source(), |cause| (*cause).source())
    }
}

/// Returns the text with a full stop, unless it ends a sentence already.
fn ended(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{text}{end}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{EntryName, ErrorKind, Operation};

    const SENTENCE: &str =
        r#"cannot read "token" of service "app" (secret-service): the store is locked"#;
    const ADVICE: &str = "Unlock it, or allow a prompt, and try again.";

    fn error() -> Error {
        let entry = EntryName::new("app", "token").expect("the name is valid");
        Error::new(ErrorKind::Locked, Operation::Get)
            .with_entry(&entry)
            .with_store("secret-service")
    }

    fn caused() -> Error {
        let inner = Error::new(ErrorKind::Io, Operation::Open);
        error().with_source(inner.with_source(io::Error::other("line\n  line")))
    }

    #[test]
    fn the_sentence_is_alone_unless_more_is_asked_for() {
        assert_eq!(caused().to_string(), SENTENCE);
    }

    #[test]
    fn the_alternate_form_adds_advice_and_causes_in_one_line() {
        assert_eq!(format!("{:#}", error()), format!("{SENTENCE}. {ADVICE}"));
        let causes = "Caused by: cannot open the vault: reading or writing failed: line line";
        assert_eq!(format!("{:#}", caused()), format!("{SENTENCE}. {ADVICE} {causes}"));
    }

    #[test]
    fn debug_is_text_on_several_lines() {
        let causes =
            "Caused by: cannot open the vault: reading or writing failed\nCaused by: line\n  line";
        let expected = format!("{SENTENCE}\n{ADVICE}\n{causes}");
        assert_eq!([format!("{:?}", caused()), format!("{:#?}", caused())], [&*expected; 2]);
    }

    #[test]
    fn advice_that_belongs_to_the_sentence_is_said_once_and_through_anyhow() {
        let missing = || {
            Error::new(ErrorKind::NotFound, Operation::Get)
                .with_message("there is no such secret")
                .with_remedy("Run `tracker setup`.")
        };
        let sentence = "cannot read: there is no such secret. Run `tracker setup`.";
        let shown = [missing().to_string(), format!("{:#}", missing()), format!("{:?}", missing())];
        assert_eq!(shown, [sentence; 3]);
        assert_eq!(
            (missing().hint(), missing().problem()),
            ("Run `tracker setup`.", "there is no such secret")
        );
        let wrapped = || anyhow::Error::from(missing()).context("cannot start");
        assert_eq!(format!("{:#}", wrapped()), format!("cannot start: {sentence}"));
        assert!(format!("{:?}", wrapped()).contains(sentence));
    }

    #[test]
    fn a_cause_is_shown_as_it_shows_itself_to_users() {
        #[derive(Debug)]
        struct Cause(#[allow(dead_code, reason = "only derived code reads it")] &'static str);
        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cause")
            }
        }
        impl StdError for Cause {}
        let error = || error().with_source(Cause("marker"));
        let shown = format!("{0} {0:#} {0:?} {0:#?}", error());
        assert!(shown.contains("a cause") && !shown.contains("marker"), "{shown}");
    }
}
