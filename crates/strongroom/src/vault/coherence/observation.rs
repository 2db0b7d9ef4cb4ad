//! Whether what a process remembers of a vault is still so: no file is touched here.

use strongroom_files::Stamp;

use super::record::{Record, Revision};

/// What was seen of a vault's generation file at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Observation {
    /// At this moment the store held this revision.
    Clean(Seen),
    /// Only the store knows: the file is dirty, absent, unreadable or out of reach.
    MustRead,
}

/// A revision, and the generation file that named it.
///
/// A revision alone would not do: a backup may bring back, byte by byte, the record that a process
/// saw last, while the store moved on. No backup brings back the time of the file's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    revision: Revision,
    stamp: Stamp,
}

/// What to do with what a process remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is what the store holds.
    UseCache,
    /// It may be old: read the store.
    MustRead,
}

/// Decides whether what a process remembers is what the store holds.
///
/// By equality alone: an older generation in the file than in memory comes from a backup, and says
/// as little of the store as a newer one.
pub(crate) fn decide(cache: Option<&Seen>, observation: &Observation) -> Decision {
    match (cache, observation) {
        (Some(cache), Observation::Clean(seen)) if cache == seen => Decision::UseCache,
        _ => Decision::MustRead,
    }
}

impl Observation {
    /// What the file at its path says, read before its stamp was.
    pub(super) fn of(record: Option<Record>, stamp: Stamp) -> Self {
        match record {
            Some(Record::Clean(revision)) => Self::Clean(Seen { revision, stamp }),
            Some(Record::Dirty) | None => Self::MustRead,
        }
    }

    /// What to remember a revision by that was read from the store after this observation.
    ///
    /// `None` if it can't be told when it changes: use it, and read again next time.
    pub(crate) fn remember(&self, read: Revision) -> Option<Seen> {
        match self {
            Self::Clean(seen) if seen.revision == read => Some(*seen),
            _ => None,
        }
    }
}

impl Seen {
    /// What the holder of the lock wrote.
    pub(super) const fn written(revision: Revision, stamp: Stamp) -> Self {
        Self { revision, stamp }
    }

    /// The revision that the store held.
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
        let decide = |seen| decide(Some(&cache), &Observation::Clean(seen));
        assert_eq!(decide(seen(1, 5, 0)), Decision::UseCache);
        for (what, other) in [
            ("newer", seen(1, 6, 0)),
            ("older", seen(1, 4, 0)),
            ("another vault", seen(2, 5, 0)),
            ("restored", seen(1, 5, 1)),
        ] {
            assert_eq!(decide(other), Decision::MustRead, "{what}");
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
