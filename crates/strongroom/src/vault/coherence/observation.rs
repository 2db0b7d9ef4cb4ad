//! Decisions whether the copy of a vault in memory is current. No file is touched here.

use strongroom_files::Stamp;

use super::record::{Record, Revision};

/// The state of a vault's generation file at a single moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Observation {
    /// At this moment the store held this revision.
    Clean(Seen),
    /// The file is dirty, absent, unreadable or out of reach, so the store must be read.
    MustRead,
}

/// A revision, with the stamp of the generation file that recorded it.
///
/// A revision alone is not enough: a backup may bring back, byte by byte, the record that a process saw last,
/// while the store has moved on. No backup brings back the file's time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    revision: Revision,
    stamp: Stamp,
}

/// The decision about the copy in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is current.
    UseCache,
    /// It may be outdated: read the store.
    MustRead,
}

/// Decides whether the copy in memory is current.
///
/// Only equality counts. A generation in the file that is older than the copy comes from a backup, and tells
/// as little about the store as a newer generation.
pub(crate) fn decide(cache: Option<&Seen>, observation: &Observation) -> Decision {
    match (cache, observation) {
        (Some(cache), Observation::Clean(seen)) if cache == seen => Decision::UseCache,
        _ => Decision::MustRead,
    }
}

impl Observation {
    /// Returns the observation of a file. The record must be read before the stamp.
    pub(super) fn of(record: Option<Record>, stamp: Stamp) -> Self {
        match record {
            Some(Record::Clean(revision)) => Self::Clean(Seen { revision, stamp }),
            Some(Record::Dirty) | None => Self::MustRead,
        }
    }

    /// Returns the record for a revision that was read from the store after this observation.
    ///
    /// Returns `None` if a later change of the revision would go unnoticed: use the content, and read the
    /// store again next time.
    pub(crate) fn remember(&self, read: Revision) -> Option<Seen> {
        match self {
            Self::Clean(seen) if seen.revision == read => Some(*seen),
            _ => None,
        }
    }
}

impl Seen {
    /// Returns the record of a revision that the holder of the lock has written.
    pub(super) const fn written(revision: Revision, stamp: Stamp) -> Self {
        Self { revision, stamp }
    }

    /// Returns the revision that the store held.
    pub(crate) const fn revision(&self) -> Revision {
        self.revision
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn seen(vault: u8, generation: u64, changed: u8) -> Seen {
        let revision = Revision { vault: [vault; 16], generation };
        Seen { revision, stamp: Stamp::modelled(1, changed) }
    }

    #[test]
    fn only_what_is_equal_is_used() {
        let cache = seen(1, 5, 0);
        assert_eq!(decide(Some(&cache), &Observation::Clean(cache)), Decision::UseCache);
        for (what, other) in [
            ("newer", seen(1, 6, 0)),
            ("older", seen(1, 4, 0)),
            ("another vault", seen(2, 5, 0)),
            ("restored", seen(1, 5, 1)),
        ] {
            let observation = Observation::Clean(other);
            assert_eq!(decide(Some(&cache), &observation), Decision::MustRead, "{what}");
        }
    }

    #[test]
    fn nothing_remembered_or_nothing_seen_is_read() {
        let seen = seen(1, 5, 0);
        assert_eq!(decide(None, &Observation::Clean(seen)), Decision::MustRead);
        assert_eq!(decide(Some(&seen), &Observation::MustRead), Decision::MustRead);
    }

    #[test]
    fn a_revision_is_remembered_only_if_the_file_names_it() {
        let seen = seen(1, 5, 0);
        let observation = Observation::Clean(seen);
        assert_eq!(observation.remember(seen.revision), Some(seen));
        let next = Revision { generation: 6, ..seen.revision };
        assert_eq!(observation.remember(next), None);
        assert_eq!(Observation::MustRead.remember(seen.revision), None);
    }
}
