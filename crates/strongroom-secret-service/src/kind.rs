//! The Secret Service as a kind of store.

use std::sync::Arc;

use strongroom_core::{Result, Store, StoreContext, StoreKind};

use crate::{Config, SecretServiceStore};

/// The Secret Service as a kind of store. Its settings are a [`Config`]; deadlines, the prompt policy, the
/// permission to use an unencrypted session and the state directory come from the context. Lines are kept if
/// the settings or the context say so.
pub const KIND: StoreKind = StoreKind::new(SecretServiceStore::NAME, open)
    .with_label("the desktop's keyring")
    .with_protection(
        "the keyring's password; while the keyring is open, all your programs can read it",
    )
    .with_default_on("linux");

fn open(context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
    let config = context
        .settings_or_default::<Config>()
        .with_deadlines(context.deadlines)
        .with_prompt(context.prompt)
        .with_unencrypted_session(context.allows_unencrypted_session);
    let keeps_lines = config.keeps_lines || context.keeps_lines;
    let config = config.with_kept_lines(keeps_lines);
    let config = match context.state_dir {
        Some(directory) => config.with_state_dir(directory),
        None => config,
    };
    Ok(Arc::new(SecretServiceStore::new(config)))
}
