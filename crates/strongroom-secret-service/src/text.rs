//! Escapes text of other programs for display.

/// Escapes each character that could control a terminal, or that reorders the text around it. Quotes and
/// accents stay as they are.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_directional(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns whether a character is a mark, embedding, override or isolate of the bidirectional algorithm.
const fn is_directional(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_left_alone_and_quotes_stay() {
        assert_eq!(
            printable(r#"Couldn't set "secret", क\u{941}"#),
            r#"Couldn't set "secret", क\u{941}"#
        );
        assert_eq!(printable("a\u{1b}[31m\nb\u{202e}"), r"a\u{1b}[31m\nb\u{202e}");
    }
}
