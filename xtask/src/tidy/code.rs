//! Rust source without comments and literals.

/// Replaces comments and the content of literals by blanks. Line numbers do not change.
pub(super) fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let len = match comment(rest).or_else(|| string(rest)).or_else(|| character(rest)) {
            Some(len) => {
                blank(&rest[..len], &mut code);
                len
            }
            None => {
                code.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[len..];
    }
    code
}

/// Returns the numbers, from 1, of the lines that contain a word followed by text that meets a condition.
pub(super) fn lines_with(code: &str, word: &str, then: impl Fn(&str) -> bool) -> Vec<usize> {
    let is_hit = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            !before.ends_with(in_word) && !after.starts_with(in_word) && then(after.trim_start())
        })
    };
    (1..).zip(code.lines()).filter(|(_, line)| is_hit(line)).map(|(number, _)| number).collect()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Appends blanks for a comment or literal. A literal keeps its quotes, so that an empty literal stays recognisable.
fn blank(token: &str, code: &mut String) {
    // Quotes in a comment or a character are content.
    let quotes = token.find('"').zip(token.rfind('"')).filter(|_| !token.starts_with(['/', '\'']));
    code.extend(token.char_indices().map(|(at, c)| match quotes {
        _ if c == '\n' => c,
        Some((first, last)) if at == first || at == last => c,
        _ => ' ',
    }));
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let mut inside = rest.strip_prefix("/*")?;
    // Block comments nest in Rust.
    let mut depth = 1;
    while depth > 0
        && let Some(at) = inside.find("/*").into_iter().chain(inside.find("*/")).min()
    {
        depth = if inside[at..].starts_with('/') { depth + 1 } else { depth - 1 };
        inside = &inside[at + 2..];
    }
    Some(if depth > 0 { rest.len() } else { rest.len() - inside.len() })
}

fn string(rest: &str) -> Option<usize> {
    // The longest prefixes come first, so that `br` is not taken for `b`.
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|p| rest.starts_with(p))?;
    let after = &rest[prefix.len()..];
    if !prefix.ends_with('r') {
        return Some(prefix.len() + quoted(after, '"')?);
    }
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", &after[..hashes]);
    Some(inside.find(&end).map_or(rest.len(), |at| rest.len() - inside.len() + at + end.len()))
}

/// Returns the length of a character literal, but `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let is_character = inside.starts_with('\\') || inside.chars().nth(1) == Some('\'');
    is_character.then(|| quoted(rest, '\''))?
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let is_end = |c: char| {
        let is_end = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    };
    let inside = rest.strip_prefix(quote)?;
    Some(inside.find(is_end).map_or(rest.len(), |at| at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_code(source: &str, expected: &str) {
        assert_eq!(code(source), expected);
    }

    #[test]
    fn comments_are_blank() {
        assert_code("a // b\nc", "a     \nc");
        assert_code("a /* b /* c */\nd */ e", "a             \n     e");
        assert_code("a /* b", "a     ");
    }

    #[test]
    fn literals_are_blank_but_for_their_quotes() {
        assert_code(r#"a("b // c", "")"#, r#"a("      ", "")"#);
        assert_code(r#"("\"\\", b"a")"#, r#"("    ",  " ")"#);
        assert_code(r##"(r#"a"b"#, r)"##, r##"(  "   " , r)"##);
        assert_code("'\"' + '\\'' + b'a'", "    +      + b   ");
        assert_code("\"é\" a", "\" \" a");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        assert_code("<'a, 'b> r#type br", "<'a, 'b> r#type br");
    }

    #[test]
    fn a_word_is_found_whole() {
        let code = "unsafe {}\nunsafe_code\nnot_unsafe\nan unsafe\n";
        assert_eq!(lines_with(code, "unsafe", |_| true), [1, 4]);
        assert_eq!(lines_with(code, "unsafe", |after| after.starts_with('{')), [1]);
    }
}
