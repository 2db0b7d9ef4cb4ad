//! The protection of secrets in the place where a command worked, for answers in JSON.

use serde_json::{Value, json};
use strongroom::blocking::SecretManager;
use strongroom::moves::Moved;
use strongroom::repair::VaultRepair;
use strongroom::store::{Capabilities, ChoiceReason, ServiceEntries};

use crate::store::Opened;

/// A place that keeps secrets.
pub(crate) trait Protected {
    fn capabilities(&self) -> Capabilities;

    /// Returns the reason why it was chosen, if that is known.
    fn reason(&self) -> Option<&ChoiceReason>;
}

/// Adds to an answer the protection that a place gives: `persistence`, `session_encrypted` and `warnings`.
///
/// To be called once the place was used, since some facts are known only then.
pub(crate) fn with_protection(mut answer: Value, place: &impl Protected) -> Value {
    let can = place.capabilities();
    let fallback = match place.reason() {
        Some(ChoiceReason::Fallback(cause)) => {
            Some(warning("fallback", &format!("the default can't be used: {cause}")))
        }
        _ => None,
    };
    let warnings = fallback.into_iter().chain(warnings(can));
    answer["persistence"] = can.persistence.code().into();
    answer["session_encrypted"] = can.session_encrypted.into();
    answer["warnings"] = warnings.collect::<Vec<_>>().into();
    answer
}

/// Returns the warnings of a store as JSON.
pub(crate) fn warnings(can: Capabilities) -> Vec<Value> {
    can.warnings().iter().map(|it| warning(it.code(), &it.to_string())).collect()
}

fn warning(code: &str, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

impl Protected for SecretManager {
    fn capabilities(&self) -> Capabilities {
        self.store_capabilities()
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Protected for ServiceEntries {
    fn capabilities(&self) -> Capabilities {
        self.capabilities()
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Protected for VaultRepair {
    fn capabilities(&self) -> Capabilities {
        self.store_capabilities()
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(self.reason())
    }
}

impl Protected for Opened {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        Some(&self.reason)
    }
}

/// A move has no reason for its target, which the user names.
impl Protected for Moved {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn reason(&self) -> Option<&ChoiceReason> {
        None
    }
}
