//! Texts in the place of a value that are no values.

/// Returns whether a text is a placeholder for a value, such as `<your key>`, `${TOKEN}`, `****` or `changeme`.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next();
    let is_one_character = chars.all(|c| Some(c) == first);
    // An empty text also counts as one character repeated.
    is_one_character
        || BRACKETS.iter().any(|(open, close)| text.starts_with(open) && text.ends_with(close))
        || TO_BE_FILLED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The brackets around the name of a value, in templates and in examples.
const BRACKETS: [(&str, &str); 5] =
    [("${", "}"), ("$(", ")"), ("<", ">"), ("{{", "}}"), ("%", "%")];

/// Words that people write in place of a value.
const TO_BE_FILLED: [&str; 5] = ["changeme", "change-me", "none", "todo", "your-api-key"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_value() {
        for text in ["", "x", "****", "${TOKEN}", "<your key>", "{{ key }}", "changeme", "%TOKEN%"]
        {
            assert!(is_placeholder(text), "{text}");
        }
        assert!(!is_placeholder("hunter2"));
    }
}
