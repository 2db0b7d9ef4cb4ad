//! A table that fits its terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::output::{Mark, heading, marked};

/// The least width that a detail is cut to, in columns of the terminal. If it is still too wide, it is left out.
const NARROWEST: usize = 8;

const GAP: &str = "  ";

/// A column with its title and its cells. An empty column is left out.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) cells: Vec<Cell>,
    pub(crate) importance: Importance,
}

impl Column {
    /// Creates a column with a cell for each item.
    pub(crate) fn of<T, C: Into<Cell>>(
        title: &'static str,
        importance: Importance,
        items: &[T],
        cell: impl Fn(&T) -> C,
    ) -> Self {
        Self { title, cells: items.iter().map(|item| cell(item).into()).collect(), importance }
    }
}

/// The way in which a column gives way if the terminal is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Importance {
    /// It is cut, and then left out.
    Detail,
    /// It is shown whole: two names that are cut look alike.
    Whole,
}

/// A text, and the mark that colours it.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) mark: Option<Mark>,
}

/// Converts a text without a mark.
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, mark: None }
    }
}

/// Returns the table in this width: details are cut from the right, then left out. If the rest doesn't fit either, each row
/// becomes a block of lines.
pub(crate) fn table(mut columns: Vec<Column>, width: usize) -> String {
    columns.retain(|column| column.cells.iter().any(|cell| !cell.text.is_empty()));
    while total(&natural_widths(&columns)) > width {
        let widths = narrowed(&columns, width);
        if total(&widths) <= width {
            return lines(&columns, &widths);
        }
        match columns.iter().rposition(|column| column.importance == Importance::Detail) {
            Some(place) => drop(columns.remove(place)),
            None => return blocks(&columns),
        }
    }
    lines(&columns, &natural_widths(&columns))
}

fn lines(columns: &[Column], widths: &[usize]) -> String {
    let titles = columns.iter().map(|column| column.title);
    let titles: Vec<_> = titles.zip(widths).map(|(title, width)| padded(title, *width)).collect();
    let mut text = heading(titles.join(GAP).trim_end()) + "\n";
    for row in 0..rows(columns) {
        let mut gap = 0;
        for (column, width) in columns.iter().zip(widths) {
            // The gap is written in front of the next text, so that it is not coloured and no line ends with spaces.
            let cell = &column.cells[row];
            let shown = cut(&cell.text, *width);
            if !shown.is_empty() {
                text += &" ".repeat(gap);
                text += &cell.mark.map_or_else(|| shown.clone(), |mark| marked(mark, &shown));
                gap = 0;
            }
            gap += width - shown.width() + GAP.len();
        }
        text.push('\n');
    }
    text
}

/// Returns each row as a block: its first text, and the rest indented below it.
fn blocks(columns: &[Column]) -> String {
    let mut text = String::new();
    for row in 0..rows(columns) {
        for (place, column) in columns.iter().enumerate() {
            let Cell { text: shown, mark } = &column.cells[row];
            if shown.is_empty() {
                continue;
            }
            let title = if place == 0 { String::new() } else { format!("  {}: ", column.title) };
            let shown = mark.map_or_else(|| shown.clone(), |mark| marked(mark, shown));
            text += &format!("{title}{shown}\n");
        }
    }
    text
}

fn rows(columns: &[Column]) -> usize {
    columns.iter().map(|column| column.cells.len()).max().unwrap_or(0)
}

fn natural_widths(columns: &[Column]) -> Vec<usize> {
    columns.iter().map(natural_width).collect()
}

fn natural_width(column: &Column) -> usize {
    let texts = column.cells.iter().map(|cell| cell.text.width());
    texts.fold(column.title.width(), usize::max)
}

/// Returns the widths with the details cut, from the last one on, as far as they may be.
fn narrowed(columns: &[Column], limit: usize) -> Vec<usize> {
    let mut widths = natural_widths(columns);
    for place in (0..columns.len()).rev() {
        if columns[place].importance == Importance::Detail {
            let least = NARROWEST.max(columns[place].title.width()).min(widths[place]);
            let excess = total(&widths).saturating_sub(limit);
            widths[place] = widths[place].saturating_sub(excess).max(least);
        }
    }
    widths
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Returns the beginning of a text that fits, with an ellipsis if it is not all.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut beginning = String::new();
    for c in text.chars() {
        let needed = c.width().unwrap_or(0);
        if needed > left {
            break;
        }
        left -= needed;
        beginning.push(c);
    }
    beginning + "…"
}

#[cfg(test)]
mod tests {
    use super::Importance::{Detail, Whole};
    use super::*;

    fn column(title: &'static str, texts: &[&str], importance: Importance) -> Column {
        let cell = |text: &&str| Cell { text: (*text).to_owned(), mark: None };
        Column { title, cells: texts.iter().map(cell).collect(), importance }
    }

    fn plain(columns: Vec<Column>, width: usize) -> String {
        anstream::adapter::strip_str(&table(columns, width)).to_string()
    }

    fn secrets() -> Vec<Column> {
        vec![
            column("NAME", &["STRIPE_SECRET_KEY_FOR_TESTS", "STRIPE_SECRET_KEY_FOR_TRUTH"], Whole),
            column("PROVIDER", &["stripe-payments", "stripe-payments"], Detail),
            column("SCOPE", &["read and write charges", ""], Detail),
            column("EXPIRES", &["expired 2 days ago", "never"], Whole),
        ]
    }

    #[test]
    fn columns_are_aligned_by_what_the_terminal_shows() {
        let columns = vec![column("A", &["日本", "x"], Detail), column("B", &["1", "2"], Whole)];
        assert_eq!(plain(columns, 80), "A     B\n日本  1\nx     2\n");
    }

    #[test]
    fn an_empty_column_is_left_out() {
        let columns = vec![column("A", &["a"], Whole), column("B", &[""], Whole)];
        assert_eq!(plain(columns, 80), "A\na\n");
    }

    #[test]
    fn names_and_times_are_whole_at_every_width() {
        for width in [1, 20, 40, 50, 60, 80, 100, 200] {
            let table = plain(secrets(), width);
            for whole in ["STRIPE_SECRET_KEY_FOR_TESTS", "KEY_FOR_TRUTH", "expired 2 days ago"] {
                assert!(table.contains(whole), "{width}: {table}");
            }
            if width >= 28 {
                assert!(table.lines().all(|line| line.width() <= width), "{width}: {table}");
            }
        }
    }

    #[test]
    fn details_give_way_from_the_right_and_then_go() {
        let table = plain(secrets(), 80);
        assert!(table.contains("stripe-payments") && table.contains("read and writ…"), "{table}");
        let table = plain(secrets(), 60);
        assert!(table.contains("stripe-pay…") && !table.contains("SCOPE"), "{table}");
        let table = plain(secrets(), 50);
        assert!(!table.contains("PROVIDER") && table.starts_with("NAME"), "{table}");
        let blocks = "STRIPE_SECRET_KEY_FOR_TESTS\n  EXPIRES: expired 2 days ago\n";
        assert!(plain(secrets(), 40).starts_with(blocks));
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 6), "日本語");
    }
}
