//! A table that fits its terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::output::{Mark, heading, marked};

/// Narrower than this no column gets.
const NARROWEST: usize = 8;

const GAP: &str = "  ";

/// A column, from its title down. One that holds nothing is left out.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) cells: Vec<Cell>,
    /// Whether its texts may be cut where the terminal is too narrow.
    pub(crate) may_shrink: bool,
}

/// A text, and how it is meant.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) mark: Option<Mark>,
}

/// The table, cut to this width where that can be done.
pub(crate) fn table(mut columns: Vec<Column>, width: usize) -> String {
    columns.retain(|column| column.cells.iter().any(|cell| !cell.text.is_empty()));
    let widths = widths(&columns, width);
    let titles = columns.iter().map(|column| column.title);
    let titles: Vec<_> = titles.zip(&widths).map(|(title, width)| padded(title, *width)).collect();
    let mut text = heading(titles.join(GAP).trim_end()) + "\n";
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    for row in 0..rows {
        let last = columns.len() - 1;
        for (place, (column, width)) in columns.iter().zip(&widths).enumerate() {
            // The gap is not part of what is coloured, and the last column needs no padding.
            let cell = &column.cells[row];
            let shown = cut(&cell.text, *width);
            let padding = if place == last { 0 } else { width - shown.width() + GAP.len() };
            text += &cell.mark.map_or_else(|| shown.clone(), |mark| marked(mark, &shown));
            text += &" ".repeat(padding);
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

fn widths(columns: &[Column], limit: usize) -> Vec<usize> {
    let texts = |column: &Column| column.cells.iter().map(|cell| cell.text.width()).max();
    let natural = columns.iter().map(|it| texts(it).unwrap_or(0).max(it.title.width()));
    let mut widths: Vec<_> = natural.collect();
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > limit {
        let shrinkable = columns.iter().zip(&mut widths).filter(|(column, width)| {
            column.may_shrink && **width > NARROWEST.max(column.title.width())
        });
        match shrinkable.map(|(_, width)| width).max() {
            Some(widest) => *widest -= 1,
            None => break,
        }
    }
    widths
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// The beginning that fits, and a sign that it is not all.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let needed = c.width().unwrap_or(0);
        let fits = needed <= left;
        left = if fits { left - needed } else { 0 };
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &'static str, texts: &[&str], may_shrink: bool) -> Column {
        let cell = |text: &&str| Cell { text: (*text).to_owned(), mark: None };
        Column { title, cells: texts.iter().map(cell).collect(), may_shrink }
    }

    fn plain(columns: Vec<Column>, width: usize) -> String {
        anstream::adapter::strip_str(&table(columns, width)).to_string()
    }

    #[test]
    fn columns_are_aligned_by_what_the_terminal_shows() {
        let columns = vec![column("A", &["日本", "x"], true), column("B", &["1", "2"], false)];
        assert_eq!(plain(columns, 80), "A     B\n日本  1\nx     2\n");
    }

    #[test]
    fn an_empty_column_is_left_out() {
        let columns = vec![column("A", &["a"], true), column("B", &[""], true)];
        assert_eq!(plain(columns, 80), "A\na\n");
    }

    #[test]
    fn the_widest_column_gives_way_and_what_must_not_be_cut_stays() {
        let long = "a".repeat(40);
        let columns =
            vec![column("NAME", &[&long], true), column("EXPIRES", &["expired 2 days ago"], false)];
        let table = plain(columns, 40);
        assert!(table.contains("expired 2 days ago") && table.contains("aaa…"), "{table}");
        assert!(table.lines().all(|line| line.width() <= 40), "{table}");
    }

    #[test]
    fn a_wide_character_is_not_cut_in_half() {
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 6), "日本語");
    }
}
