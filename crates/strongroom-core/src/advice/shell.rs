//! Words of a shell command that is shown to the user.

use std::ops::RangeInclusive;

/// Returns a name as a single word of a command, or `None` if it can't be typed or would be an option.
pub fn shell_word(name: &str) -> Option<String> {
    // A command would take a name that begins with a dash for an option.
    if name.starts_with('-') || !name.chars().all(is_printable) {
        None
    } else if !name.is_empty() && !name.starts_with('=') && name.chars().all(is_plain) {
        Some(name.to_owned())
    } else {
        Some(format!("'{}'", name.replace('\'', r"'\''")))
    }
}

/// Returns whether a shell takes a character as it is.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:@%+=,".contains(c)
}

/// Characters that show nothing, but the joiners, and those that change the order or break lines: bidirectional
/// controls, and separators of lines and paragraphs.
const HIDDEN: [RangeInclusive<char>; 10] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Returns whether a character does nothing to a terminal but to be shown. Marks and joiners belong to words of
/// many languages.
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !HIDDEN.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_a_shell() {
        for (name, word) in [
            ("api-key", "api-key"),
            ("my app", "'my app'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("`id`", "'`id`'"),
            ("~/a", "'~/a'"),
            ("=ls", "'=ls'"),
            ("", "''"),
            ("क\u{941}\u{902}जी", "क\u{941}\u{902}जी"),
        ] {
            assert_eq!(shell_word(name).as_deref(), Some(word));
        }
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b", "a\u{200b}b"] {
            assert_eq!(shell_word(name), None);
        }
    }
}
