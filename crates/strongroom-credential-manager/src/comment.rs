//! The comment of a credential: a description for the user, and the mark that the store wrote its value.

use strongroom_core::EntryName;

/// The longest comment in UTF-16 units: `CRED_MAX_STRING_LENGTH`, less one for the final NUL.
const MAX_UNITS: usize = 255;

/// Returns the comment of an entry whose value has this many bytes.
pub(crate) fn of_entry(entry: &EntryName, bytes: usize) -> String {
    let mut comment = format!("{}{entry}", mark(bytes));
    truncate(&mut comment);
    comment
}

/// Returns whether the store wrote the value of this many bytes beside this comment. If another program
/// replaced the value, the comment is gone or states another length.
pub(crate) fn is_ours(comment: &str, bytes: usize) -> bool {
    comment.starts_with(&mark(bytes))
}

/// Shortens a comment to the longest that Windows takes, and splits no surrogate pair.
fn truncate(comment: &mut String) {
    let mut units = 0;
    for (index, char) in comment.char_indices() {
        units += char.len_utf16();
        if units > MAX_UNITS {
            return comment.truncate(index);
        }
    }
}

fn mark(bytes: usize) -> String {
    format!("Strongroom, {bytes} bytes: ")
}

#[cfg(test)]
mod tests {
    use strongroom_core::MAX_NAME_BYTES;

    use super::*;

    #[test]
    fn it_tells_what_it_is() {
        let entry = EntryName::new("app", "token").expect("valid");
        let comment = of_entry(&entry, 12);
        assert_eq!(comment, r#"Strongroom, 12 bytes: "token" of service "app""#);
        assert!(is_ours(&comment, 12));
    }

    #[test]
    fn a_value_that_another_program_wrote_is_not_ours() {
        let entry = EntryName::new("app", "token").expect("valid");
        for comment in ["", "keyring-rs", &of_entry(&entry, 1), &of_entry(&entry, 120)] {
            assert!(!is_ours(comment, 12), "{comment}");
        }
    }

    #[test]
    fn the_longest_names_are_cut_between_characters() {
        for filler in ["x", "é", "🔐", "\n"] {
            let longest = filler.repeat(MAX_NAME_BYTES / filler.len());
            let entry = EntryName::new(longest.clone(), longest).expect("valid");
            let comment = of_entry(&entry, 2_560);
            let units = comment.encode_utf16().count();
            assert!((MAX_UNITS - 1..=MAX_UNITS).contains(&units), "{units}");
            assert!(is_ours(&comment, 2_560));
        }
    }
}
