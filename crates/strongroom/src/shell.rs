//! Names as words of the commands that are shown to the user.

/// Returns a name as a single word of a command, or `None` if it can't be typed or would be an option.
pub(crate) fn shell_word(name: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    // `escape_debug` also escapes quotes and the backslash, which can be typed.
    let unprintable = |c: char| !r#"'"\"#.contains(c) && c.escape_debug().len() > 1;
    if name.starts_with('-') || name.contains(unprintable) {
        None
    } else if !name.is_empty() && name.chars().all(plain) {
        Some(name.to_owned())
    } else {
        Some(format!("'{}'", name.replace('\'', r"'\''")))
    }
}

/// Returns the arguments of a command on this service, such as `list --service app`.
pub(crate) fn of_service(arguments: &str, service: &str) -> String {
    let service = shell_word(service).unwrap_or_else(|| "SERVICE".to_owned());
    format!("{arguments} --service {service}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_a_shell() {
        assert_eq!(of_service("list", "my app"), "list --service 'my app'");
        assert_eq!(shell_word("it's $HOME").as_deref(), Some(r"'it'\''s $HOME'"));
        assert_eq!(shell_word("").as_deref(), Some("''"));
        for name in ["--force", "a\nb", "a\u{1b}[31m", "a\u{202e}b"] {
            assert_eq!(shell_word(name), None);
        }
    }
}
