//! A minimal Secret Service client, which brings a provider into a state.

use zbus::{Connection, ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

use crate::Bus;

/// The bus name of every provider.
pub(crate) const NAME: &str = "org.freedesktop.secrets";

#[zbus::proxy(
    interface = "org.freedesktop.Secret.Service",
    default_service = "org.freedesktop.secrets",
    default_path = "/org/freedesktop/secrets"
)]
pub(crate) trait Service {
    async fn open_session(
        &self,
        algorithm: &str,
        input: &Variant<'_>,
    ) -> zbus::Result<(OwnedVariant, OwnedObjectPath)>;

    async fn read_alias(&self, name: &str) -> zbus::Result<OwnedObjectPath>;

    async fn lock(
        &self,
        objects: &[ObjectPath<'_>],
    ) -> zbus::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)>;

    async fn unlock(
        &self,
        objects: &[ObjectPath<'_>],
    ) -> zbus::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)>;
}

#[zbus::proxy(
    interface = "org.freedesktop.Secret.Collection",
    default_service = "org.freedesktop.secrets"
)]
pub(crate) trait Collection {
    // Without a cache, so that each read asks the provider.
    #[zbus(property(emits_changed_signal = "false"))]
    fn locked(&self) -> zbus::Result<bool>;
}

#[zbus::proxy(
    interface = "org.freedesktop.Secret.Prompt",
    default_service = "org.freedesktop.secrets"
)]
pub(crate) trait Prompt {
    async fn prompt(&self, window: &str) -> zbus::Result<()>;
}

/// Returns the path of the collection behind the alias `default`.
pub(crate) async fn default_collection(
    connection: &Connection,
) -> zbus::Result<Option<OwnedObjectPath>> {
    let service = ServiceProxy::new(connection).await?;
    let path = service.read_alias("default").await?;
    Ok((path.as_str() != "/").then_some(path))
}

/// Returns whether the default collection reports that it is locked. `None` if there is no default collection.
#[track_caller]
pub(crate) fn default_is_locked(bus: &Bus) -> Option<bool> {
    let locked = bus.talk(async |connection| {
        let Some(path) = default_collection(&connection).await? else {
            return Ok(None);
        };
        let collection = CollectionProxy::new(&connection, path).await?;
        collection.locked().await.map(Some)
    });
    locked.expect("the provider answers")
}
