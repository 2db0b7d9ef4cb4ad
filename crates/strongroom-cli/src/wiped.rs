//! A buffer for secret bytes.

use std::ops::Deref;

use strongroom::SecretBytes;
use strongroom::store::{overwrite_registers, secret_copy};
use zeroize::Zeroizing;

/// The largest value that is read, in bytes. It is more than any store takes, and ends the reading of endless input.
pub(crate) const LARGEST: usize = 16 << 20;

/// A buffer for secret bytes. It grows without leaving unwiped copies behind, and is wiped when dropped.
#[derive(Default)]
pub(crate) struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // `reserve` would free the old buffer without wiping it.
            let mut larger = Vec::with_capacity(needed * 2);
            larger.extend_from_slice(&self.0);
            // The copy leaves its last bytes in the vector registers.
            overwrite_registers(self.0.len());
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Keeps the first `len` bytes.
    #[cfg(unix)]
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Returns the bytes as a secret, in a buffer of their size.
    pub(crate) fn to_secret(&self) -> SecretBytes {
        secret_copy(&self.0)
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_in_order_while_it_grows() {
        let mut buffer = Wiped::default();
        let bytes: Vec<u8> = (0..10_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        bytes.chunks(7).for_each(|chunk| buffer.extend(chunk));
        assert_eq!(*buffer, *bytes);
    }
}
