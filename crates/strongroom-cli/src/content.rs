//! Whole files and streams, in memory that is wiped.

use std::io::{self, Read};
use std::path::Path;

use strongroom_files::{Source, open};
use zeroize::Zeroizing;

use crate::failure::{Failure, Result};
use crate::wiped::{LARGEST, Wiped};

/// Reads a file that no other user may read, unchanged.
pub(crate) fn private(path: &Path) -> Result<Wiped> {
    of(path, Source::Private)
}

/// Reads a file, to its end or until there is more than the largest value.
pub(crate) fn of(path: &Path, source: Source) -> Result<Wiped> {
    open(path, source)
        .and_then(|mut file| read(&mut file))
        .map_err(|cause| Failure::file("read the file", path, cause))
}

/// Reads to the end, or until there is more than the largest value.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Wiped> {
    let mut value = Wiped::default();
    let mut chunk = Zeroizing::new(vec![0; 64 << 10]);
    while value.len() <= LARGEST {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => value.extend(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_many_pieces_comes_in_whole() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        assert_eq!(*read(&mut bytes.as_slice()).unwrap(), *bytes);
    }
}
