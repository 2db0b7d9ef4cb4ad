//! Bitmaps in git's compressed form: <https://git-scm.com/docs/bitmap-format#_appendix_a_serialization_format_for_an_ewah_bitmap>

use super::cursor::Cursor;

/// A compressed bitmap.
#[derive(Debug, Default)]
pub(super) struct Bitmap<'a> {
    words: &'a [[u8; 8]],
}

impl<'a> Bitmap<'a> {
    /// Reads a bitmap. `None` if it ends early.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let _bits = cursor.u32()?;
        let len = usize::try_from(cursor.u32()?).ok()?;
        let (words, _) = cursor.take(len.checked_mul(8)?)?.as_chunks();
        // The position of the last marker, which only appending needs.
        cursor.u32()?;
        Some(Self { words })
    }

    /// Returns whether a bit is set. `None` if words are missing.
    ///
    /// A marker word counts the compressed words of equal bits, and the literal words that follow it.
    pub(super) fn has(&self, bit: usize) -> Option<bool> {
        let (mut words, mut word) = (self.words, bit as u64 / 64);
        while let Some((marker, rest)) = words.split_first() {
            let marker = u64::from_be_bytes(*marker);
            let (run, literals) = ((marker >> 1) & 0xffff_ffff, marker >> 33);
            if word < run {
                return Some(marker & 1 == 1);
            }
            word -= run;
            let (literal, next) = rest.split_at_checked(usize::try_from(literals).ok()?)?;
            if let Some(literal) = literal.get(usize::try_from(word).ok()?) {
                return Some(u64::from_be_bytes(*literal) >> (bit % 64) & 1 == 1);
            }
            (words, word) = (next, word - literals);
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a marker word.
    fn marker(bit: u64, run: u64, literals: u64) -> u64 {
        bit | run << 1 | literals << 33
    }

    #[test]
    fn runs_and_literal_words_are_told_apart() {
        let words = [marker(0, 1, 1), 0b101, marker(1, 2, 0), marker(0, 0, 1), 1 << 63];
        let words = words.map(u64::to_be_bytes);
        let bitmap = Bitmap { words: &words };
        let set: Vec<_> = (0..400).filter(|bit| bitmap.has(*bit).unwrap()).collect();
        let expected: Vec<_> = [64, 66].into_iter().chain(128..256).chain([319]).collect();
        assert_eq!(set, expected);
        assert_eq!(Bitmap { words: &words[..1] }.has(64), None, "a word is missing");
    }
}
