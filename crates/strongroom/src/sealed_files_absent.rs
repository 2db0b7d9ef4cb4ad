//! In place of `sealed_files.rs`, for builds without the feature `sealed`: there are no encrypted files.

use strongroom_core::{Persistence, Result, ServiceName, StoreSettings};

use crate::vault::VaultFile;
use crate::{Backend, Config};

pub(crate) fn file_of_vault(
    _: &Config,
    _: (Backend, Persistence),
    _: &ServiceName,
) -> Result<Option<Box<dyn VaultFile>>> {
    Ok(None)
}

pub(crate) fn backend_of_file(
    _: &Config,
    _: &ServiceName,
    _: Option<Backend>,
) -> Result<Option<Backend>> {
    Ok(None)
}

pub(crate) fn add_settings(_: &Config, _: &mut StoreSettings) -> Result<()> {
    Ok(())
}

pub(crate) fn key_advice(_: &Config) -> String {
    String::new()
}
