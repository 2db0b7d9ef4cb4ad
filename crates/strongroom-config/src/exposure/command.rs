//! The git command that searches the history of a repository, quoted for a shell.

use std::env;
use std::path::{Path, PathBuf};

use crate::git::Repository;

/// Returns the command that lists the commits with a file, for the working directory of this process.
///
/// The placeholder `DIRECTORY` or `FILE` replaces a path that can't be typed.
pub(super) fn history_search(repository: &Repository) -> String {
    let here = env::current_dir().and_then(|here| here.canonicalize()).ok();
    let file = here.and_then(|here| path_from(&here, repository));
    if let Some(file) = file {
        return format!("git log --all --oneline -- {}", word(&pathspec(&file), "FILE"));
    }
    let directory = repository.directory.to_str().map(|path| path.trim_start_matches(VERBATIM));
    format!(
        "git -C {} log --all --oneline -- {}",
        word(&directory.map(str::to_owned), "DIRECTORY"),
        word(&pathspec(&repository.file), "FILE")
    )
}

/// The prefix of canonical paths on Windows, which other programs don't accept.
const VERBATIM: &str = r"\\?\";

/// Returns the path of the file relative to a directory above it, if git finds this repository from there.
fn path_from(here: &Path, repository: &Repository) -> Option<PathBuf> {
    let mut above = here.ancestors();
    let nearest = above.find(|directory| directory.join(".git").symlink_metadata().is_ok())?;
    let file = repository.directory.join(&repository.file);
    (nearest == repository.directory).then_some(file.strip_prefix(here).ok()?.to_owned())
}

/// Returns a path as a pattern of git that matches it literally.
fn pathspec(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    let has_meaning = text.starts_with(':') || text.contains(['*', '?', '[', '\\']);
    Some(if has_meaning { format!(":(literal){text}") } else { text })
}

/// Returns a text as one word for the shell, or the placeholder if it can't be typed.
fn word(text: &Option<String>, placeholder: &str) -> String {
    match text {
        Some(text) if text.chars().all(is_plain) => text.clone(),
        Some(text) if text.chars().all(is_printable) => quoted(text, placeholder),
        _ => placeholder.to_owned(),
    }
}

/// Returns whether a character has no meaning for any shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:@+=,".contains(c) || (cfg!(windows) && c == '\\')
}

/// Returns whether a character can be shown, and typed in quotes.
fn is_printable(c: char) -> bool {
    "'\"\\".contains(c) || c.escape_debug().len() == 1
}

#[cfg(not(windows))]
fn quoted(text: &str, _: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns the text in quotes that mean the same to both shells of Windows.
#[cfg(windows)]
fn quoted(text: &str, placeholder: &str) -> String {
    match text.contains(['"', '%', '!', '$', '`']) {
        true => placeholder.to_owned(),
        false => format!("\"{text}\""),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::git::Tracking;

    fn command(directory: &str, file: &str) -> String {
        history_search(&Repository {
            directory: directory.into(),
            history: None,
            file: file.into(),
            tracking: Tracking::Untracked,
        })
    }

    #[test]
    fn a_path_is_one_word_without_a_meaning() {
        assert_eq!(command("/a", "b/.env"), "git -C /a log --all --oneline -- b/.env");
        let quoted = r"git -C '/a b' log --all --oneline -- 'it'\''s $HOME~'";
        assert_eq!(command("/a b", "it's $HOME~"), quoted);
        let literal = "git -C /a log --all --oneline -- ':(literal):a*'";
        assert_eq!(command("/a", ":a*"), literal);
        let untypable = "git -C DIRECTORY log --all --oneline -- FILE";
        assert_eq!(command("/a\u{1b}[31m", "b\nc"), untypable);
    }
}
