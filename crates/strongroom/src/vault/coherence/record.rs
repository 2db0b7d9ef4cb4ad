//! The content of the generation file.

/// A revision of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Revision {
    /// The vault's id, drawn when it was created.
    pub(crate) vault: [u8; 16],
    /// The vault's generation.
    pub(crate) generation: u64,
}

/// The content of the generation file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Record {
    /// The store is being written, or its writer died.
    Dirty,
    /// The store holds this revision.
    Clean(Revision),
}

/// The encoding of a record:
///
/// | bytes | content |
/// | --- | --- |
/// | 0..4 | magic |
/// | 4 | version of the format |
/// | 5 | 1 if dirty, else 0 |
/// | 6..8 | 0 |
/// | 8..24 | the vault's id; 0 if dirty |
/// | 24..32 | generation, little endian; 0 if dirty |
/// | 32..40 | FNV-1a of the bytes before, little endian |
pub(super) type Bytes = [u8; 40];

const MAGIC: &[u8; 4] = b"srgn";
const VERSION: u8 = 1;
const SUMMED: usize = 32;

impl Record {
    pub(super) fn encode(self) -> Bytes {
        let (dirty, Revision { vault, generation }) = match self {
            Self::Dirty => (1, Revision { vault: [0; 16], generation: 0 }),
            Self::Clean(revision) => (0, revision),
        };
        let mut bytes = [0; 40];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = VERSION;
        bytes[5] = dirty;
        bytes[8..24].copy_from_slice(&vault);
        bytes[24..SUMMED].copy_from_slice(&generation.to_le_bytes());
        let sum = checksum(&bytes[..SUMMED]);
        bytes[SUMMED..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Decodes a record. Returns `None` if this version can't have written these bytes.
    ///
    /// Each record has a single encoding, and bytes that differ from it in any place are refused.
    pub(super) fn decode(bytes: &Bytes) -> Option<Self> {
        let record = if bytes[5] == 1 {
            Self::Dirty
        } else {
            let vault = bytes[8..24].try_into().ok()?;
            let generation = u64::from_le_bytes(bytes[24..SUMMED].try_into().ok()?);
            Self::Clean(Revision { vault, generation })
        };
        // Equality with the encoding checks the magic, the version, the reserved bytes and the checksum at
        // once.
        (record.encode() == *bytes).then_some(record)
    }
}

/// The 64-bit FNV-1a hash. It only has to detect torn and foreign records, not forged records.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: Record = Record::Clean(Revision { vault: [7; 16], generation: 0x0123_4567 });

    #[test]
    fn what_was_written_is_read() {
        for record in [Record::Dirty, CLEAN] {
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn a_change_of_any_bit_is_noticed() {
        for record in [Record::Dirty, CLEAN] {
            for bit in 0..320 {
                let mut bytes = record.encode();
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Record::decode(&bytes), None, "bit {bit}");
            }
        }
    }

    #[test]
    fn a_mixture_of_two_records_is_noticed() {
        let (old, new) = (Record::Dirty.encode(), CLEAN.encode());
        for written in 6..40 {
            let mut torn = old;
            torn[..written].copy_from_slice(&new[..written]);
            let read = Record::decode(&torn);
            assert!(written == 40 || read.is_none() || read == Some(Record::Dirty), "{written}");
        }
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(Record::decode(&[0; 40]), None);
    }
}
