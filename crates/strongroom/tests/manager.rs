//! The vault on real stores.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use futures_lite::StreamExt as _;
use futures_lite::future::block_on;
use strongroom::{
    Backend, ChangeKind, Error, ErrorKind, ExposeSecret, Layout, Operation, Options, Secret,
    SecretKey, SecretManager, SignedDuration, Timestamp,
};
use strongroom_testkit::Sandbox;
#[cfg(target_os = "linux")]
use strongroom_testkit::unused_name;
use support::builder;
#[cfg(feature = "sealed")]
use support::site::Site;
#[cfg(target_os = "linux")]
use support::{gnome_keyring, on};

async fn every_line_of_the_api(secrets: &SecretManager) -> strongroom::Result<()> {
    every_line_in(Layout::Inline, secrets).await
}

async fn every_line_in(layout: Layout, secrets: &SecretManager) -> strongroom::Result<()> {
    let key = SecretKey::with_target("API_KEY", "production");
    let generation = secrets.generation().await?;
    assert_eq!((secrets.layout(), generation), (Layout::Inline, 0), "nothing lies anywhere yet");
    assert_eq!(secrets.backend().name(), secrets.blocking().backend().name());
    let mut changes = secrets.subscribe()?;
    secrets.set_api_key("OPENAI_API_KEY", "sk-1", Some("openai")).await?;
    let told = changes.next().await.expect("it does not end");
    assert_eq!((told.key, told.kind), (SecretKey::new("OPENAI_API_KEY"), ChangeKind::Added));
    secrets.set(&key, &Secret::new("line\nline").with_scope("all")).await?;
    assert_eq!(secrets.get_value("OPENAI_API_KEY").await?.unwrap().expose_secret(), "sk-1");
    secrets.update_value("OPENAI_API_KEY", "sk-2").await?;
    let mut told = [changes.next().await, changes.next().await].map(|change| change.unwrap().kind);
    told.sort_by_key(|kind| *kind == ChangeKind::Updated);
    assert_eq!(told, [ChangeKind::Added, ChangeKind::Updated]);
    let updated = secrets.get(&SecretKey::new("OPENAI_API_KEY")).await?.unwrap();
    assert_eq!(updated.value.expose_secret(), "sk-2");
    assert_eq!(updated.metadata.provider.as_deref(), Some("openai"));
    secrets
        .update(&key, |old| Some(Secret::new(old.unwrap().value).with_provider("updated")))
        .await?;
    assert_eq!(secrets.get(&key).await?.unwrap().value.expose_secret(), "line\nline");

    let soon = Secret::new("t").with_expiry(Timestamp::now() + SignedDuration::from_hours(1));
    let fill = |batch: &mut strongroom::Batch| {
        batch.set(&SecretKey::new("TOKEN"), soon).delete(&key);
    };
    secrets.batch(fill).await?;
    assert!(!secrets.exists(&key).await?);
    assert_eq!(secrets.expiring(SignedDuration::from_hours(2)).await?.len(), 1);
    assert_eq!(secrets.list().await?.len(), 2);
    assert_eq!(secrets.generation().await?, generation + 5);
    let taken = secrets.create(&SecretKey::new("TOKEN"), &Secret::new("x")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    let refreshed = SecretKey::new("REFRESHED");
    secrets.create(&SecretKey::new("OLD"), &Secret::new("stale")).await?;
    secrets.rename(&SecretKey::new("OLD"), &refreshed).await?;
    let is_stale = |secret: &Secret| secret.value.expose_secret() == "stale";
    let fetch = async |old: Option<Secret>| old.map(|_| Secret::new("fresh")).ok_or_else(missing);
    for _ in 0..2 {
        let secret = secrets.refresh(&refreshed, is_stale, fetch).await?;
        assert_eq!(secret.value.expose_secret(), "fresh");
    }
    assert_eq!(secrets.generation().await?, generation + 8);
    assert!(secrets.delete(&refreshed).await?);
    secrets.lock();
    assert_eq!(secrets.get_value("TOKEN").await?.unwrap().expose_secret(), "t");
    for name in ["TOKEN", "OPENAI_API_KEY"] {
        assert!(secrets.delete(&SecretKey::new(name)).await?);
    }
    assert!(secrets.get_value("TOKEN").await?.is_none());
    let missing = secrets.update_value("TOKEN", "x").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(secrets.layout(), layout);
    assert_eq!(secrets.purge().await?, 1, "the vault is one entry");
    assert_eq!((secrets.layout(), secrets.generation().await?), (Layout::Inline, 0));
    Ok(())
}

fn missing() -> Error {
    Error::new(ErrorKind::NotFound, Operation::Get)
}

#[test]
fn the_api_works_on_memory() {
    let options = Options::new().with_backend(Backend::Memory);
    let opening = builder("app", options, &Sandbox::new()).open();
    let secrets = block_on(opening).unwrap();
    assert!(!secrets.is_persistent());
    block_on(every_line_of_the_api(&secrets)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_keyutils() {
    let service = unused_name("manager");
    let options = Options::new().with_backend(Backend::Keyutils);
    let secrets = block_on(builder(&service, options, &Sandbox::new()).open()).unwrap();
    let worked = block_on(every_line_of_the_api(&secrets));
    block_on(secrets.purge()).unwrap();
    worked.unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_gnome_keyring_and_is_one_entry() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let secrets = block_on(builder("app", on(&bus), bus.sandbox()).open()).unwrap();
    assert!(secrets.is_persistent());
    block_on(every_line_of_the_api(&secrets)).unwrap();
    let store = strongroom::choose(&on(&bus)).unwrap();
    block_on(secrets.set_api_key("A", "1", None)).unwrap();
    block_on(secrets.set_api_key("B", "2", None)).unwrap();
    let entries = store.store().list("app").unwrap();
    assert_eq!(entries.iter().map(|user| user.as_str()).collect::<Vec<_>>(), ["vault"]);
}

#[cfg(all(feature = "sealed", target_os = "linux"))]
#[test]
fn the_api_works_on_a_sealed_vault_beside_gnome_keyring() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, Layout::Sealed);
    for _ in 0..2 {
        let secrets = block_on(site.builder().open()).unwrap();
        assert!(secrets.is_persistent());
        block_on(every_line_in(Layout::Sealed, &secrets)).unwrap();
        assert!(!site.file().exists(), "the purge took it along");
    }
    let store = strongroom::choose(&on(&bus)).unwrap();
    block_on(block_on(site.builder().open()).unwrap().set_api_key("A", "1", None)).unwrap();
    let entries = store.store().list("app").unwrap();
    assert_eq!(entries.iter().map(|user| user.as_str()).collect::<Vec<_>>(), ["vault"]);
    assert!(site.file().exists());
}

#[cfg(feature = "sealed")]
#[test]
fn the_api_works_on_an_encrypted_file() {
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    for _ in 0..2 {
        let secrets = block_on(site.builder().open()).unwrap();
        assert!(secrets.is_persistent());
        block_on(every_line_in(Layout::Sealed, &secrets)).unwrap();
        assert!(!site.file().exists(), "the purge took it along");
    }
}

#[test]
fn an_async_manager_works_in_tokio_of_both_flavours() {
    let options = Options::new().with_backend(Backend::Memory);
    let single = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for runtime in [single, several] {
        let sandbox = Sandbox::new();
        runtime.block_on(async {
            let secrets = builder("app", options.clone(), &sandbox).open().await.unwrap();
            every_line_of_the_api(&secrets).await.unwrap();
        });
    }
}
