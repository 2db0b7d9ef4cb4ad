//! A user's usage of the kernel's key quota.

use std::path::Path;

use strongroom_files::{Source, read_text};

/// The largest table that is read from the kernel, in bytes.
const LARGEST: u64 = 1 << 20;

/// The kernel's account of a user's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) keys: u64,
    pub(crate) max_keys: u64,
    pub(crate) bytes: u64,
    pub(crate) max_bytes: u64,
}

impl Quota {
    /// Reads the account of a user; `None` if the kernel doesn't show it.
    pub(crate) fn of_user(uid: u32) -> Option<Self> {
        let table = read_text(Path::new("/proc/key-users"), Source::System, LARGEST).ok()?;
        parse(&table, uid)
    }
}

/// Finds a user in `/proc/key-users`: `UID: USAGE NKEYS/NIKEYS QNKEYS/MAXKEYS QNBYTES/MAXBYTES`
/// (`keyrings(7)`).
fn parse(table: &str, uid: u32) -> Option<Quota> {
    let row = table.lines().find_map(|line| {
        let (user, row) = line.split_once(':')?;
        (user.trim().parse() == Ok(uid)).then_some(row)
    })?;
    let mut fields = row.split_whitespace().skip(2).map(|field| {
        let (used, limit) = field.split_once('/')?;
        Some((used.parse().ok()?, limit.parse().ok()?))
    });
    let (keys, max_keys) = fields.next()??;
    let (bytes, max_bytes) = fields.next()??;
    Some(Quota { keys, max_keys, bytes, max_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "    0:     9 8/8 3/1000000 40/25000000\n 1000:     7 7/6 5/200 85/20000\n";

    #[test]
    fn a_user_is_found_by_the_whole_number() {
        let quota = Quota { keys: 5, max_keys: 200, bytes: 85, max_bytes: 20_000 };
        assert_eq!(parse(TABLE, 1000), Some(quota));
        assert_eq!(parse(TABLE, 100), None);
    }

    #[test]
    fn another_format_is_no_account() {
        for table in ["", "0:", "0: 1 2/3 4", "0: 1 2/3 4/5 6", "0: 1 2/3 a/b 6/7"] {
            assert_eq!(parse(table, 0), None, "{table}");
        }
    }
}
