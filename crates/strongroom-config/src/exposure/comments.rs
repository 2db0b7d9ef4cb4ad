//! Secrets in comments, such as old values and disabled entries.

use std::ops::Range;

use super::values::Values;
use crate::document::Document;
use crate::snapshot::Snapshot;
use crate::{recognition, referenced};

/// The limit for the lines in a result.
const MAX_LINES: usize = 50;

/// Returns the lines that contain a known value, or something that looks like a secret, outside of the values of the file.
pub(super) fn lines_with_secrets(snapshot: &Snapshot, values: &Values) -> Vec<usize> {
    let text = &snapshot.source.text[..];
    let parts = outside_values(&snapshot.document, text.len());
    let known = values.positions_in(text.as_bytes());
    let mut positions: Vec<_> = known.filter(|at| is_in_any(&parts, *at)).collect();
    for part in &parts {
        let mut at = part.start;
        for line in text.get(part.clone()).unwrap_or_default().split_inclusive('\n') {
            positions.extend(has_secret(line).then_some(at));
            at += line.len();
        }
    }
    positions.sort_unstable();
    line_numbers(text, &positions)
}

/// Returns whether a byte is in one of these parts, which are sorted and don't overlap.
fn is_in_any(parts: &[Range<usize>], at: usize) -> bool {
    let before = parts.partition_point(|part| part.start <= at);
    before.checked_sub(1).is_some_and(|part| parts[part].contains(&at))
}

/// Returns the line numbers of sorted byte positions.
fn line_numbers(text: &str, positions: &[usize]) -> Vec<usize> {
    let (mut lines, mut line, mut from) = (Vec::new(), 1, 0);
    for &at in positions {
        line += memchr::memchr_iter(b'\n', &text.as_bytes()[from..at]).count();
        from = at;
        if lines.last() != Some(&line) && lines.len() < MAX_LINES {
            lines.push(line);
        }
    }
    lines
}

/// Returns the parts of a text outside of its values, sorted: keys, punctuation and comments.
fn outside_values(document: &Document, len: usize) -> Vec<Range<usize>> {
    let leaves = document.nodes.iter().filter(|node| !node.is_group());
    let mut values: Vec<_> = leaves.clone().map(|node| node.span.clone()).collect();
    values.sort_by_key(|value| value.start);
    let mut parts = Vec::new();
    let mut at = 0;
    for value in values {
        if at < value.start {
            parts.push(at..value.start);
        }
        at = at.max(value.end);
    }
    parts.push(at..len);
    // The bytes of a YAML block scalar include the comment after its indicator.
    parts.extend(leaves.filter_map(|node| node.comment.clone()));
    parts.sort_by_key(|part| part.start);
    parts
}

/// Returns whether a line contains a provider's key, a private key, or a disabled entry with a secret.
fn has_secret(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
    words.any(|word| recognition::provider_of(word).is_some() && !is_filler(word))
        || line.find("-----BEGIN ").is_some_and(|at| recognition::is_private_key(&line[at..]))
        || comment(line).is_some_and(is_disabled_entry)
}

/// Returns whether a word is only an example of a provider's format: `sk-xxxxxxxx`.
fn is_filler(word: &str) -> bool {
    // A prefix, and a few characters at most.
    word.trim_end_matches(['x', 'X', '.', '_', '-']).len() <= 16
}

/// Returns the text of a comment in a line.
fn comment(line: &str) -> Option<&str> {
    let starts = ["#", "//", "/*"];
    let start = starts.iter().filter_map(|start| line.find(start)).min()?;
    Some(line[start..].trim_start_matches(|c: char| "#/*-".contains(c) || c.is_whitespace()))
}

/// Returns whether a comment is a disabled entry with a secret, such as `# OLD_PASSWORD=hunter2`, and no sentence.
fn is_disabled_entry(comment: &str) -> bool {
    let comment = comment.strip_prefix("export ").unwrap_or(comment);
    let Some((name, value)) = comment.split_once(['=', ':']) else { return false };
    let (name, value) = (unquoted(name), unquoted(value));
    // Addresses and plain words are hardly secrets: `# token: required`.
    recognition::is_secret_name(name)
        && !name.contains(char::is_whitespace)
        && !value.contains(char::is_whitespace)
        && !value.contains("://")
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(char::is_alphabetic)
        && !recognition::is_placeholder(value)
        && referenced(value).is_none()
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_end_matches(',').trim_matches(['"', '\''])
}
