//! A line editor without a display: turns the bytes of a terminal into a value.

use rustix::process::Signal;

use crate::ask::problem::Problem;
use crate::wiped::{LARGEST, Wiped};

const ESCAPE: u8 = 0x1b;

/// The end of a bracketed paste. Its beginning is `ESC [ 200 ~`.
const PASTE_END: &[u8] = b"\x1b[201~";

/// The largest number of a control sequence's parameter bytes that are kept. The sequences of a paste have three.
const LONGEST_SEQUENCE: usize = 16;

/// A key with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Erase,
    EraseWord,
    EraseAll,
    /// End of input.
    End,
    /// A signal for the foreground processes.
    Signal(Signal),
}

/// The result of taking a byte.
#[derive(Debug)]
pub(super) enum Step {
    /// The line goes on.
    More,
    /// The line is complete.
    Enter,
    /// A bracketed paste is complete. The line goes on.
    Pasted,
    /// The line was given up.
    End,
    Signal(Signal),
    Refused(Problem),
}

/// A line that is being typed.
///
/// A key that has no meaning does nothing. A bracketed paste is taken as it is, newlines included, and has no keys.
pub(super) struct Editor {
    keys: Vec<(u8, Key)>,
    value: Wiped,
    state: State,
    /// The parameters of a control sequence so far.
    sequence: Vec<u8>,
    /// The bytes of [`PASTE_END`] that the paste ends with so far.
    matched: usize,
    after_return: bool,
    has_control: bool,
    discards: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Typing,
    Escape,
    Sequence,
    /// The last byte of a key's sequence.
    LastByte,
    Paste,
}

impl Editor {
    pub(super) fn new(keys: Vec<(u8, Key)>) -> Self {
        Self {
            keys,
            value: Wiped::default(),
            state: State::Typing,
            sequence: Vec::new(),
            matched: 0,
            after_return: false,
            has_control: false,
            discards: false,
        }
    }

    /// Returns the line so far.
    pub(super) fn value(&self) -> &Wiped {
        &self.value
    }

    /// Returns whether a key's sequence is not complete.
    pub(super) fn is_in_sequence(&self) -> bool {
        !matches!(self.state, State::Typing | State::Paste)
    }

    /// Returns whether a paste is not complete.
    pub(super) fn is_in_paste(&self) -> bool {
        self.state == State::Paste
    }

    /// Ends a sequence whose rest does not come: it was the key Escape.
    pub(super) fn end_sequence(&mut self) {
        if self.is_in_sequence() {
            self.state = State::Typing;
        }
    }

    /// Forgets the line. Later bytes are still understood, and dropped.
    pub(super) fn discard(&mut self) {
        self.value = Wiped::default();
        self.discards = true;
    }

    pub(super) fn take(&mut self, byte: u8) -> Step {
        match self.state {
            State::Typing => self.typed(byte),
            State::Escape => self.escaped(byte),
            State::Sequence => self.in_sequence(byte),
            State::LastByte => {
                self.state = State::Typing;
                Step::More
            }
            State::Paste => self.pasted(byte),
        }
    }

    fn typed(&mut self, byte: u8) -> Step {
        let key = self.keys.iter().find(|(code, _)| *code == byte).map(|(_, key)| *key);
        match (key, byte) {
            (Some(Key::Signal(signal)), _) => return Step::Signal(signal),
            (Some(Key::Erase), _) => self.erase_character(),
            (Some(Key::EraseWord), _) => self.erase_word(),
            (Some(Key::EraseAll), _) => self.value.truncate(0),
            (Some(Key::End), _) if self.value.is_empty() => return Step::End,
            (Some(Key::End), _) => {}
            (None, b'\r' | b'\n') => return Step::Enter,
            (None, ESCAPE) => self.state = State::Escape,
            (None, b'\t') => return self.push(byte),
            (None, byte) if byte.is_ascii_control() => {}
            (None, byte) => return self.push(byte),
        }
        Step::More
    }

    fn escaped(&mut self, byte: u8) -> Step {
        self.state = State::Typing;
        match byte {
            b'[' => {
                self.sequence.clear();
                self.state = State::Sequence;
            }
            b'O' => self.state = State::LastByte,
            // Alt and a key, or Escape and then a key: the key counts.
            byte => return self.typed(byte),
        }
        Step::More
    }

    fn in_sequence(&mut self, byte: u8) -> Step {
        match byte {
            // Enter after Escape and `[` is Enter.
            byte if byte.is_ascii_control() => {
                self.state = State::Typing;
                return self.typed(byte);
            }
            // Linux's console: `ESC [ [ A`.
            b'[' if self.sequence.is_empty() => self.state = State::LastByte,
            // A byte of this range ends a control sequence (ECMA-48).
            0x40.. => return self.sequence_end(byte),
            _ if self.sequence.len() < LONGEST_SEQUENCE => self.sequence.push(byte),
            _ => {}
        }
        Step::More
    }

    fn sequence_end(&mut self, last: u8) -> Step {
        self.state = State::Typing;
        match (self.sequence.as_slice(), last) {
            (b"200", b'~') => self.state = State::Paste,
            // An end without a beginning: the pasted text contained such a sequence, which cut the paste short.
            (b"201", b'~') => return Step::Refused(Problem::ControlCharacters),
            _ => {}
        }
        Step::More
    }

    fn pasted(&mut self, byte: u8) -> Step {
        // Keys and sequences in a paste are text. Only this sequence ends it.
        if byte == PASTE_END[self.matched] {
            self.matched += 1;
            if self.matched == PASTE_END.len() {
                return self.paste_end();
            }
            return Step::More;
        }
        // The bytes that matched so far are text with an escape character in it.
        if self.matched > 0 {
            self.has_control = true;
            self.matched = 0;
            return self.pasted(byte);
        }
        self.content(byte)
    }

    fn paste_end(&mut self) -> Step {
        self.state = State::Typing;
        self.matched = 0;
        self.after_return = false;
        if self.has_control { Step::Refused(Problem::ControlCharacters) } else { Step::Pasted }
    }

    /// Takes a byte of pasted text. Terminals send a carriage return for each newline.
    fn content(&mut self, byte: u8) -> Step {
        let ends_pair = byte == b'\n' && self.after_return;
        self.after_return = byte == b'\r';
        match byte {
            b'\n' if ends_pair => Step::More,
            b'\r' | b'\n' => self.push(b'\n'),
            b'\t' => self.push(byte),
            byte if byte.is_ascii_control() => {
                self.has_control = true;
                Step::More
            }
            byte => self.push(byte),
        }
    }

    fn push(&mut self, byte: u8) -> Step {
        if self.discards {
            return Step::More;
        }
        if self.value.len() == LARGEST {
            return Step::Refused(Problem::TooLarge);
        }
        self.value.extend(&[byte]);
        Step::More
    }

    fn erase_character(&mut self) {
        // All bytes of a character in UTF-8 but the first have these two bits.
        let start = self.value.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
        self.value.truncate(start);
    }

    fn erase_word(&mut self) {
        let end = self.value.trim_ascii_end().len();
        let start = self.value[..end].iter().rposition(u8::is_ascii_whitespace);
        self.value.truncate(start.map_or(0, |space| space + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> Editor {
        Editor::new(vec![
            (0x7f, Key::Erase),
            (0x08, Key::Erase),
            (0x17, Key::EraseWord),
            (0x15, Key::EraseAll),
            (0x04, Key::End),
            (0x03, Key::Signal(Signal::INT)),
        ])
    }

    /// The line once all of these bytes came, and the last step.
    fn after(bytes: &[u8]) -> (Vec<u8>, Step) {
        let mut editor = editor();
        let step = bytes.iter().fold(Step::More, |_, byte| editor.take(*byte));
        (editor.value().to_vec(), step)
    }

    fn line(bytes: &[u8]) -> Vec<u8> {
        let (value, step) = after(&[bytes, b"\r"].concat());
        assert!(matches!(step, Step::Enter), "{step:?}");
        value
    }

    #[test]
    fn keys_edit_the_line() {
        for (bytes, expected) in [
            (&b"secret"[..], "secret"),
            (b"secretx\x7f", "secret"),
            (b"secretx\x08", "secret"),
            ("gr\u{fc}\u{df}\x7f\u{df}e".as_bytes(), "gr\u{fc}\u{df}e"),
            ("\u{1f511}\x7fa".as_bytes(), "a"),
            (b"\x7f\x7fa", "a"),
            (b"two words\x17", "two "),
            (b"two words  \x17", "two "),
            (b"one\x17\x17", ""),
            (b"wrong\x15right", "right"),
            (b"a\x04b", "ab"),
            (b"a\tb", "a\tb"),
            (b"a\x00\x01\x13\x16b", "ab"),
        ] {
            assert_eq!(line(bytes), expected.as_bytes(), "{bytes:?}");
        }
    }

    #[test]
    fn arrows_and_function_keys_are_no_text() {
        for sequence in [
            &b"\x1b[A"[..],
            b"\x1b[1;5C",
            b"\x1b[3~",
            b"\x1bOP",
            b"\x1b[[A",
            b"\x1b[<0;12;34M",
            b"\x1b\x1b[D",
            b"\x1b[1234567890123456789012345678901234567890m",
        ] {
            assert_eq!(line(&[b"a", sequence, b"b"].concat()), b"ab", "{sequence:?}");
        }
        assert_eq!(line(b"a\x1bb"), b"ab", "Alt or Escape before a key takes nothing away");
        assert_eq!(line(b"a\x1b"), b"a");
        assert_eq!(line(b"a\x1b["), b"a");
    }

    #[test]
    fn the_key_escape_ends_by_itself() {
        let mut editor = editor();
        editor.take(ESCAPE);
        assert!(editor.is_in_sequence());
        editor.end_sequence();
        b"[a".iter().for_each(|byte| _ = editor.take(*byte));
        assert_eq!(**editor.value(), *b"[a");
        b"\x1b[200~".iter().for_each(|byte| _ = editor.take(*byte));
        editor.end_sequence();
        assert!(editor.is_in_paste(), "a paste ends by its mark alone");
    }

    #[test]
    fn end_of_input_is_no_answer_and_a_signal_is_a_signal() {
        assert!(matches!(after(b"\x04").1, Step::End));
        assert!(matches!(after(b"a\x7f\x04").1, Step::End));
        assert!(matches!(after(b"a\x03").1, Step::Signal(Signal::INT)));
    }

    #[test]
    fn a_paste_is_taken_whole() {
        for (paste, expected) in [
            (&b"one"[..], &b"one"[..]),
            (b"one\r", b"one\n"),
            (b"one\rtwo\r", b"one\ntwo\n"),
            (b"one\ntwo\n", b"one\ntwo\n"),
            (b"one\r\ntwo\r\n", b"one\ntwo\n"),
            (b"one\r\rtwo", b"one\n\ntwo"),
            (b"one\n\ntwo", b"one\n\ntwo"),
            (b"a\tb", b"a\tb"),
            (b"\xff\xfe", b"\xff\xfe"),
            (b"", b""),
        ] {
            let bracketed = [b"\x1b[200~", paste, b"\x1b[201~"].concat();
            let (value, step) = after(&bracketed);
            assert!(matches!(step, Step::Pasted), "{paste:?}: {step:?}");
            assert_eq!(value, expected);
            assert_eq!(
                line(&[b"<", &bracketed[..], b">"].concat()),
                [b"<", expected, b">"].concat()
            );
        }
    }

    #[test]
    fn a_newline_after_a_paste_is_no_second_half_of_a_pair() {
        assert_eq!(line(b"\x1b[200~a\r\x1b[201~\x1b[200~\nb\x1b[201~"), b"a\n\nb");
    }

    #[test]
    fn a_paste_with_control_characters_is_refused_at_its_end() {
        for content in [
            &b"\0"[..],
            b"\x03",
            b"\x04",
            b"\x7f",
            b"\x1b[31m",
            b"\x1b[20",
            b"\x1b\x1b",
            b"\x1b[200~",
        ] {
            let bytes = [b"\x1b[200~a", content, b"b\x1b[201~"].concat();
            let (_, step) = after(&bytes);
            assert!(matches!(step, Step::Refused(Problem::ControlCharacters)), "{step:?}");
            let (_, step) = after(&bytes[..bytes.len() - 1]);
            assert!(matches!(step, Step::More), "{step:?}");
        }
    }

    #[test]
    fn the_end_of_a_paste_within_a_paste_is_refused() {
        let (_, step) = after(b"\x1b[200~a\x1b[201~b\x1b[201~");
        assert!(matches!(step, Step::Refused(Problem::ControlCharacters)), "{step:?}");
    }

    #[test]
    fn what_is_discarded_is_still_understood() {
        let mut editor = editor();
        b"a\x1b[200~b".iter().for_each(|byte| _ = editor.take(*byte));
        editor.discard();
        b"c\rd".iter().for_each(|byte| _ = editor.take(*byte));
        assert!(editor.is_in_paste() && editor.value().is_empty());
        b"\x1b[201~".iter().for_each(|byte| _ = editor.take(*byte));
        assert!(!editor.is_in_paste());
    }

    #[test]
    fn too_much_is_refused() {
        let mut editor = editor();
        editor.value.extend(&vec![b'a'; LARGEST]);
        assert!(matches!(editor.take(b'a'), Step::Refused(Problem::TooLarge)));
    }
}
