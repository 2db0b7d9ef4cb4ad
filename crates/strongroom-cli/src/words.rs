//! Sizes, times and names as text for the user.

use strongroom::Timestamp;
use strongroom::advice::{is_printable, shell_word};
use strongroom::store::Persistence;

/// Returns a number of bytes in whole MiB or KiB if it is a multiple (`1 MiB`), else with all digits.
pub(crate) fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    const KIB: usize = 1 << 10;
    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else if bytes >= KIB && bytes.is_multiple_of(KIB) {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{} bytes", grouped(bytes))
    }
}

/// Returns a number of secrets: `1 secret`, `2 secrets`.
pub(crate) fn counted(secrets: usize) -> String {
    match secrets {
        1 => "1 secret".to_owned(),
        count => format!("{count} secrets"),
    }
}

/// Returns a number with its digits in groups of three.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns the time for which a store keeps its secrets, in words.
pub(crate) fn lasts(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "until deleted",
        Persistence::UntilReboot => "until reboot",
        Persistence::UntilLogout => "until logout",
        _ => "this session",
    }
}

/// Returns a time as UTC, by ISO 8601; a dash if the store did not tell it.
pub(crate) fn utc(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| moment.to_string())
}

/// Returns a name that can't do anything to a terminal: control characters, and those that change the order or break lines,
/// are escaped. Marks and joiners belong to words of many languages, and stay.
pub(crate) fn printable(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if is_printable(c) {
            text.push(c);
        } else {
            text.extend(c.escape_debug());
        }
    }
    text
}

/// Returns a name as a single word of a shell command, or the placeholder if it can't be typed.
pub(crate) fn command_word(name: &str, placeholder: &str) -> String {
    shell_word(name).unwrap_or_else(|| placeholder.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_round_or_exact() {
        assert_eq!(size(1 << 20), "1 MiB");
        assert_eq!(size(2048), "2 KiB");
        assert_eq!(size(32_767), "32,767 bytes");
        assert_eq!(size(1_234_567), "1,234,567 bytes");
        assert_eq!(size(100), "100 bytes");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(None), "-");
        assert_eq!(utc(Timestamp::from_second(1_709_251_199)), "2024-02-29T23:59:59Z");
    }

    #[test]
    fn names_do_nothing_to_a_terminal() {
        assert_eq!(printable(r#"it's a "name""#), r#"it's a "name""#);
        assert_eq!(printable("a\u{1b}[31m\n\u{202e}"), r"a\u{1b}[31m\n\u{202e}");
        for name in ["क\u{941}\u{902}जी", "e\u{301}", "👩\u{200d}💻", "می\u{200c}خواهم"]
        {
            assert_eq!(printable(name), name);
        }
    }
}
