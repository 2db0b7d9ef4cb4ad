//! The search for all exposures of a file.

use std::path::Path;

use super::values::Values;
use super::{Exposure, comments, copies, readers, tracking};
use crate::file_secret::FileSecret;
use crate::snapshot::Snapshot;
use crate::stored::StoredSecrets;
use crate::untrusted;

/// Returns the exposures of a file.
///
/// Access and git are checked only while the file contains values. Copies are found by the values in the file and in the
/// store.
pub(crate) fn find_exposures(
    path: &Path,
    snapshot: &Snapshot,
    stored: &StoredSecrets,
) -> Vec<Exposure> {
    let has_values = snapshot.secrets.iter().any(FileSecret::may_have_value);
    exposures(path, snapshot, stored, has_values)
}

/// Returns the exposures that the stored values of a file's secrets have when they stand in the file.
pub(crate) fn exposures_of_values(
    path: &Path,
    snapshot: &Snapshot,
    stored: &StoredSecrets,
) -> Vec<Exposure> {
    exposures(path, snapshot, stored, true)
}

fn exposures(
    path: &Path,
    snapshot: &Snapshot,
    stored: &StoredSecrets,
    has_values: bool,
) -> Vec<Exposure> {
    let source = &snapshot.source;
    let values = Values::of(snapshot, stored);
    let link = tracking::canonical_place(path).filter(|link| *link != source.path);
    let mut exposures = Vec::new();
    if has_values {
        exposures.extend(tracking::in_repositories(&source.path, link.as_deref()));
        exposures.extend(readers::by_permissions(source));
        exposures.extend(readers::by_other_names(source));
    }
    let owners: Vec<_> =
        untrusted::owner(&source.metadata).into_iter().chain([untrusted::current_user()]).collect();
    for file in link.iter().chain([&source.path]) {
        exposures.extend(copies::copies_of(file, &owners, &values));
    }
    let lines = comments::lines_with_secrets(snapshot, &values);
    exposures.extend((!lines.is_empty()).then_some(Exposure::InComments { lines }));
    exposures
}
