//! Rules for values and passphrases that are entered, shared by programs and pages.
//!
//! The rules look at bytes alone, so that a value is the same from a file, a pipe, a prompt or a form.

/// The mark that some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns a value without the final newline that an editor, `echo` or a paste adds.
///
/// A value of a single line loses its final `\n` or `\r\n`. A value with a newline inside is a file, such as
/// a private key, and keeps every byte: OpenSSH refuses a key without its last newline.
///
/// ```
/// use strongroom::input::without_final_newline;
///
/// assert_eq!(without_final_newline(b"token\n"), b"token");
/// assert_eq!(without_final_newline(b"-----BEGIN\n-----END\n"), b"-----BEGIN\n-----END\n");
/// ```
#[must_use]
pub fn without_final_newline(value: &[u8]) -> &[u8] {
    match value.strip_suffix(b"\n") {
        Some(line) if !line.contains(&b'\n') => line.strip_suffix(b"\r").unwrap_or(line),
        _ => value,
    }
}

/// Returns whether a pasted or typed value lacks its final newline: it has several lines, and the last line
/// is not complete.
///
/// Text is often selected without the end of its last line. In a file of several lines that newline counts,
/// and the caller is to add it. A value from a file or a pipe ends as it was written, and needs no such
/// check.
///
/// ```
/// use strongroom::input::lacks_final_newline;
///
/// assert!(lacks_final_newline(b"-----BEGIN\n-----END"));
/// assert!(!lacks_final_newline(b"token"));
/// ```
#[must_use]
pub fn lacks_final_newline(pasted: &[u8]) -> bool {
    pasted.contains(&b'\n') && !pasted.ends_with(b"\n")
}

/// Returns text without a leading byte order mark, which editors write and readers of secrets don't expect.
///
/// Bytes that are not UTF-8 are returned as they are.
///
/// ```
/// use strongroom::input::without_byte_order_mark;
///
/// assert_eq!(without_byte_order_mark("\u{feff}token".as_bytes()), b"token");
/// ```
#[must_use]
pub fn without_byte_order_mark(value: &[u8]) -> &[u8] {
    match value.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) if std::str::from_utf8(text).is_ok() => text,
        _ => value,
    }
}

/// Returns the first line without its line ending: the passphrase in a file whose further lines are notes.
///
/// ```
/// use strongroom::input::first_line;
///
/// assert_eq!(first_line(b"correct horse\nthe spare key\n"), b"correct horse");
/// ```
#[must_use]
pub fn first_line(content: &[u8]) -> &[u8] {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    without_byte_order_mark(line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_loses_one_newline_and_no_other_byte() {
        for (value, expected) in [
            (&b"a\n"[..], &b"a"[..]),
            (b"a\r\n", b"a"),
            (b"\n", b""),
            (b"\r\n", b""),
            (b"", b""),
            (b"a", b"a"),
            (b"a\r", b"a\r"),
            (b"a\rb\n", b"a\rb"),
            (b"a\r\r\n", b"a\r"),
            (b" a \n", b" a "),
            (b"\xff\n", b"\xff"),
        ] {
            assert_eq!(without_final_newline(value), expected, "{value:?}");
        }
    }

    #[test]
    fn several_lines_keep_every_byte() {
        for value in [&b"a\nb\n"[..], b"a\nb", b"a\r\nb\r\n", b"a\n\n", b"\n\n", b"\na\n"] {
            assert_eq!(without_final_newline(value), value);
        }
    }

    #[test]
    fn only_several_lines_can_lack_their_last_newline() {
        for value in [&b"a\nb"[..], b"a\r\nb", b"\na"] {
            assert!(lacks_final_newline(value), "{value:?}");
        }
        for value in [&b"a"[..], b"", b"a\n", b"a\nb\n", b"a\r\nb\r\n", b"a\rb"] {
            assert!(!lacks_final_newline(value), "{value:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_goes_from_text_alone() {
        assert_eq!(without_byte_order_mark(b"\xef\xbb\xbfa"), b"a");
        assert_eq!(without_byte_order_mark(b"\xef\xbb\xbf"), b"");
        for value in [&b"\xef\xbb\xbf\xff"[..], b"\xef\xbb", b"a\xef\xbb\xbf", b"\xff\xfea", b""] {
            assert_eq!(without_byte_order_mark(value), value);
        }
    }

    #[test]
    fn a_passphrase_is_the_first_line_whichever_way_it_ends() {
        for content in
            [&b"a b"[..], b"a b\n", b"a b\r\n", b"a b\nmore\n", b"\xef\xbb\xbfa b\r\nmore"]
        {
            assert_eq!(first_line(content), b"a b");
        }
        assert_eq!(first_line(b"\nmore"), b"");
        assert_eq!(first_line(b""), b"");
    }
}
