//! Collections: the default collection, lock states, unlocking and creation.

use std::collections::HashMap;

use strongroom_core::{ErrorKind, Probe};
use zbus::{ObjectPath, OwnedObjectPath, Variant};

use super::OperationContext;
use crate::error::Failure;
use crate::protocol::{
    COLLECTION, DEFAULT_ALIAS, NO_OBJECT, SERVICE, SERVICE_PATH, SESSION_ALIAS, SESSION_COLLECTION,
};
use crate::provider::{Provider, kwallet_is_open};
use crate::text::printable;

/// The label of a default collection that the store creates.
const NEW_LABEL: &str = "Default";

impl OperationContext<'_> {
    /// Checks that entries can be read and written now, without a prompt, and names the provider.
    ///
    /// # Errors
    ///
    /// `NoDefaultCollection` or `Locked`, and the failures of opening a session.
    pub(crate) async fn probe(&mut self) -> Result<Probe, Failure> {
        let collection = self.default_collection().await?;
        let label: String =
            self.bus.property(&self.budget, &collection, (COLLECTION, "Label")).await?;
        if self.is_locked(&collection).await? && !self.is_open_in_kwallet(&collection).await? {
            return Err(locked(&label));
        }
        // A provider that does not encrypt is reported here, before the first write.
        self.open_session().await?;
        let provider = Provider::find(self.bus).await;
        let provider =
            provider.map_or_else(|| "unknown provider".into(), |known| known.to_string());
        Ok(Probe::new(format!("{provider}, collection \"{}\"", printable(&label))))
    }

    /// Returns the collection that new items go to, else `NoDefaultCollection`.
    pub(super) async fn default_collection(&mut self) -> Result<OwnedObjectPath, Failure> {
        let service = ObjectPath::from_static_str(SERVICE_PATH)?;
        let collection: OwnedObjectPath =
            self.bus.call(&self.budget, &service, (SERVICE, "ReadAlias"), &DEFAULT_ALIAS).await?;
        if collection.as_str() == NO_OBJECT {
            return Err(Failure::new(ErrorKind::NoDefaultCollection));
        }
        if self.bus.session_collection.is_none() {
            let session = self.session_collection().await;
            self.bus.session_collection = Some(session);
        }
        self.note_collection(&collection);
        Ok(collection)
    }

    /// Records whether items of this collection last until logout only.
    pub(super) fn note_collection(&self, collection: &ObjectPath<'_>) {
        let alias = self.bus.session_collection.as_ref().and_then(Option::as_ref);
        let is_session = collection.as_str().ends_with(SESSION_COLLECTION)
            || alias.is_some_and(|alias| alias.as_str() == collection.as_str());
        self.facts.note_collection(is_session);
    }

    /// Looks up the collection that lasts until logout, by its alias. Providers without such a collection
    /// have no alias.
    async fn session_collection(&mut self) -> Option<OwnedObjectPath> {
        let service = ObjectPath::from_static_str(SERVICE_PATH).ok()?;
        let alias = self.bus.call(&self.budget, &service, (SERVICE, "ReadAlias"), &SESSION_ALIAS);
        alias.await.ok().filter(|path: &OwnedObjectPath| path.as_str() != NO_OBJECT)
    }

    /// Returns whether a collection reports that it is locked.
    pub(super) async fn is_locked(&mut self, collection: &ObjectPath<'_>) -> Result<bool, Failure> {
        self.bus.property(&self.budget, collection, (COLLECTION, "Locked")).await
    }

    /// Unlocks collections, with a prompt if the provider requires it and the policy allows it.
    pub(super) async fn unlock(&mut self, collections: &[OwnedObjectPath]) -> Result<(), Failure> {
        if !self.config.may_prompt() {
            for collection in collections {
                // KWallet reports a wallet as locked until it is first used over the bus. If KWallet has it
                // open, unlocking shows no prompt.
                if !self.is_open_in_kwallet(collection).await? {
                    let label: Result<String, _> =
                        self.bus.property(&self.budget, collection, (COLLECTION, "Label")).await;
                    return Err(locked(&label.unwrap_or_default()));
                }
            }
        }
        // A prompt that is still on the screen is waited for, instead of adding a second.
        if self.wait_for_abandoned_prompt().await? {
            return Ok(());
        }
        let service = ObjectPath::from_static_str(SERVICE_PATH)?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.bus.call(&self.budget, &service, (SERVICE, "Unlock"), &collections).await?;
        self.show_prompt(prompt).await
    }

    /// Creates the default collection, if the policy allows the prompt for its password.
    pub(super) async fn create_default_collection(&mut self) -> Result<(), Failure> {
        if !self.config.may_prompt() {
            return Err(Failure::new(ErrorKind::NoDefaultCollection).with_message(
                "the Secret Service has no default collection, and creating one needs a prompt",
            ));
        }
        let service = ObjectPath::from_static_str(SERVICE_PATH)?;
        let properties =
            HashMap::from([("org.freedesktop.Secret.Collection.Label", Variant::from(NEW_LABEL))]);
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) = self
            .bus
            .call(
                &self.budget,
                &service,
                (SERVICE, "CreateCollection"),
                &(properties, DEFAULT_ALIAS),
            )
            .await?;
        self.show_prompt(prompt).await
    }

    /// Returns whether a collection that reports itself locked is a wallet that KWallet has open.
    async fn is_open_in_kwallet(&mut self, collection: &ObjectPath<'_>) -> Result<bool, Failure> {
        if !Provider::find(self.bus).await.is_some_and(|provider| provider.is_kwallet()) {
            return Ok(false);
        }
        let wallet: String =
            self.bus.property(&self.budget, collection, (COLLECTION, "Label")).await?;
        Ok(kwallet_is_open(self.bus, &self.budget, &wallet).await)
    }
}

fn locked(label: &str) -> Failure {
    Failure::new(ErrorKind::Locked)
        .with_message(format!("the keyring \"{}\" is locked", printable(label)))
        .with_hint("Unlock it in the desktop's password manager, or allow a prompt, and try again.")
}
