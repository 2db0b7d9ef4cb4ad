//! The vault on real stores.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Duration;

use futures_lite::StreamExt as _;
use futures_lite::future::block_on;
#[cfg(target_os = "linux")]
use strongroom::KeyringStore as _;
use strongroom::error::Operation;
use strongroom::{
    Backend, ChangeKind, Config, Error, ErrorKind, ExposeSecret, Layout, Secret, SecretKey,
    SecretManager,
};
use strongroom_testkit::{Sandbox, unused_name};
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
    secrets.set(&key, &Secret::new("line\nline").scope("all")).await?;
    assert_eq!(secrets.get_value("OPENAI_API_KEY").await?.unwrap().expose_secret(), "sk-1");
    secrets.update_value("OPENAI_API_KEY", "sk-2").await?;
    let mut told = [changes.next().await, changes.next().await].map(|change| change.unwrap().kind);
    told.sort_by_key(|kind| *kind == ChangeKind::Updated);
    assert_eq!(told, [ChangeKind::Added, ChangeKind::Updated]);
    let updated = secrets.get("OPENAI_API_KEY").await?.unwrap();
    assert_eq!(updated.value.expose_secret(), "sk-2");
    assert_eq!(updated.metadata.provider.as_deref(), Some("openai"));
    secrets.update(&key, |old| Some(Secret::with_provider(old.unwrap().value, "updated"))).await?;
    assert_eq!(secrets.get(&key).await?.unwrap().value.expose_secret(), "line\nline");

    let soon = Secret::new("t").expires_in(Duration::from_secs(60 * 60));
    let fill = |batch: &mut strongroom::Batch| {
        batch.set("TOKEN", soon).delete(&key);
    };
    secrets.batch(fill).await?;
    assert!(!secrets.exists(&key).await?);
    assert_eq!(secrets.expiring(Duration::from_secs(2 * 60 * 60)).await?.len(), 1);
    assert_eq!(secrets.list().await?.len(), 2);
    assert_eq!(secrets.generation().await?, generation + 5);
    let taken = secrets.create("TOKEN", &Secret::new("x")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    let refreshed = SecretKey::new("REFRESHED");
    secrets.create("OLD", &Secret::new("stale")).await?;
    secrets.rename("OLD", &refreshed).await?;
    let is_stale = |secret: &Secret| secret.value.expose_secret() == "stale";
    let fetch = async |old: Option<Secret>| old.map(|_| Secret::new("fresh")).ok_or_else(missing);
    for _ in 0..2 {
        let secret = secrets.refresh(&refreshed, is_stale, fetch).await?;
        assert_eq!(secret.value.expose_secret(), "fresh");
    }
    assert_eq!(secrets.generation().await?, generation + 8);
    assert!(secrets.delete(&refreshed).await?);
    secrets.forget();
    assert_eq!(secrets.get_value("TOKEN").await?.unwrap().expose_secret(), "t");
    for name in ["TOKEN", "OPENAI_API_KEY"] {
        assert!(secrets.delete(name).await?);
    }
    assert!(secrets.get_value("TOKEN").await?.is_none());
    let missing = secrets.update_value("TOKEN", "x").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(secrets.layout(), layout);
    assert_eq!(secrets.purge().await?, 1, "the vault is one entry");
    assert_eq!((secrets.layout(), secrets.generation().await?), (Layout::Inline, 0));
    Ok(())
}

/// The same, as far as entries can.
async fn every_line_in_entries(secrets: &SecretManager) -> strongroom::Result<()> {
    let key = SecretKey::with_target("API_KEY", "production");
    assert_eq!(secrets.layout(), Layout::Entries);
    assert_eq!(secrets.generation().await.unwrap_err().kind(), ErrorKind::Unsupported);
    let mut changes = secrets.subscribe()?;
    let mut told = async || {
        let change = changes.next().await.expect("it does not end");
        (change.key.name().to_owned(), change.kind)
    };
    secrets.set_api_key("OPENAI_API_KEY", "sk-1", None).await?;
    assert_eq!(told().await, ("OPENAI_API_KEY".to_owned(), ChangeKind::Added));
    secrets.update_value("OPENAI_API_KEY", "sk-2").await?;
    assert_eq!(told().await, ("OPENAI_API_KEY".to_owned(), ChangeKind::Updated));
    secrets.set(&key, &Secret::new("line\nline")).await?;
    assert_eq!(secrets.get_value("OPENAI_API_KEY").await?.unwrap().expose_secret(), "sk-2");
    secrets.update(&key, |old| Some(Secret::new(old.unwrap().value))).await?;
    assert_eq!(secrets.get(&key).await?.unwrap().value.expose_secret(), "line\nline");

    let fill = |batch: &mut strongroom::Batch| {
        batch.set("TOKEN", Secret::new("t")).delete(&key);
    };
    secrets.batch(fill).await?;
    assert!(!secrets.exists(&key).await? && secrets.exists("TOKEN").await?);
    assert!(secrets.expiring(Duration::from_secs(2 * 60 * 60)).await?.is_empty());
    let taken = secrets.create("TOKEN", &Secret::new("x")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    let refreshed = SecretKey::new("REFRESHED");
    secrets.create("OLD", &Secret::new("stale")).await?;
    secrets.rename("OLD", &refreshed).await?;
    let is_stale = |secret: &Secret| secret.value.expose_secret() == "stale";
    let fetch = async |old: Option<Secret>| old.map(|_| Secret::new("fresh")).ok_or_else(missing);
    for _ in 0..2 {
        let secret = secrets.refresh(&refreshed, is_stale, fetch).await?;
        assert_eq!(secret.value.expose_secret(), "fresh");
    }
    let names: Vec<_> = secrets.list().await?.into_iter().map(|info| info.key).collect();
    assert_eq!(names, ["OPENAI_API_KEY", "REFRESHED", "TOKEN"].map(SecretKey::new));
    assert!(secrets.delete(&refreshed).await? && !secrets.delete(&refreshed).await?);
    secrets.forget();
    assert_eq!(secrets.get_value("TOKEN").await?.unwrap().expose_secret(), "t");
    let missing = secrets.update_value("OLD", "x").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let missing = secrets.rename("OLD", &key).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(secrets.purge().await?, 2);
    assert!(secrets.list().await?.is_empty() && secrets.get_value("TOKEN").await?.is_none());
    assert_eq!(secrets.layout(), Layout::Entries);
    Ok(())
}

fn missing() -> Error {
    Error::new(ErrorKind::NotFound, Operation::Get)
}

#[test]
fn the_api_works_on_memory() {
    let config = Config::new("").backend(Backend::Memory);
    let opening = builder(&unused_name("app"), config, &Sandbox::new()).open();
    let secrets = block_on(opening).unwrap();
    assert!(!secrets.is_persistent());
    block_on(every_line_of_the_api(&secrets)).unwrap();
}

#[test]
fn the_api_works_on_entries_in_memory_and_in_a_file() {
    let sandbox = Sandbox::new();
    let file = Config::new("").dangerous().plaintext_file(sandbox.home().join("secrets"));
    for config in [Config::new("").backend(Backend::Memory), file.backend(Backend::PlaintextFile)] {
        let config = config.layout(Layout::Entries);
        let opening = builder(&unused_name("app"), config, &sandbox).open();
        block_on(every_line_in_entries(&block_on(opening).unwrap())).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_keyutils() {
    for layout in [Layout::Inline, Layout::Entries] {
        let service = unused_name("manager");
        let config = Config::new("").backend(Backend::Keyutils).layout(layout);
        let secrets = block_on(builder(&service, config, &Sandbox::new()).open()).unwrap();
        let worked = match layout {
            Layout::Entries => block_on(every_line_in_entries(&secrets)),
            _ => block_on(every_line_of_the_api(&secrets)),
        };
        block_on(secrets.purge()).unwrap();
        worked.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_entries_of_gnome_keyring() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let config = on(&bus).layout(Layout::Entries);
    let secrets = block_on(builder("app", config, bus.sandbox()).open()).unwrap();
    assert!(secrets.is_persistent());
    block_on(every_line_in_entries(&secrets)).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_gnome_keyring_and_is_one_entry() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let secrets = block_on(builder("app", on(&bus), bus.sandbox()).open()).unwrap();
    assert!(secrets.is_persistent());
    block_on(every_line_of_the_api(&secrets)).unwrap();
    let store = strongroom::store::choose_unbound(&on(&bus)).unwrap();
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
    let store = strongroom::store::choose_unbound(&on(&bus)).unwrap();
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
    let config = Config::new("").backend(Backend::Memory);
    let single = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for runtime in [single, several] {
        let sandbox = Sandbox::new();
        runtime.block_on(async {
            let secrets = builder(&unused_name("app"), config.clone(), &sandbox);
            let secrets = secrets.open().await.unwrap();
            every_line_of_the_api(&secrets).await.unwrap();
        });
    }
}

#[test]
fn a_secret_is_named_by_a_name_a_pair_or_a_key() {
    let config = Config::new("").backend(Backend::Memory);
    let secrets = builder(&unused_name("app"), config, &Sandbox::new()).open_blocking().unwrap();
    let key: SecretKey = "A::production".parse().unwrap();
    secrets.set("A", &Secret::with_provider("1", "openai")).unwrap();
    secrets.create(("A", "production"), &Secret::new("2")).unwrap();
    assert_eq!(secrets.require(&key).unwrap().expose_secret(), "2");
    secrets.rename(key, "B".to_owned()).unwrap();
    secrets.update("B", |old| old).unwrap();
    let token = secrets.refresh("B", |_| true, |_| Ok::<_, Error>(Secret::new("3"))).unwrap();
    assert_eq!(token.value.expose_secret(), "3");
    let fill = |batch: &mut strongroom::Batch| {
        batch.set("C", Secret::new("4")).delete("B");
    };
    secrets.batch(fill).unwrap();
    assert!(secrets.exists("C").unwrap() && !secrets.exists("B").unwrap());
    assert!(secrets.delete("C").unwrap() && secrets.get("C").unwrap().is_none());
    block_on(async {
        let secrets = secrets.to_async();
        secrets.set(("A", "test"), &Secret::new("5")).await?;
        secrets.rename(("A", "test"), "D").await?;
        assert_eq!(secrets.require("D").await?.expose_secret(), "5");
        assert!(secrets.delete("D").await? && !secrets.exists("D").await?);
        Ok::<_, Error>(())
    })
    .unwrap();
}

#[test]
fn a_required_secret_that_is_missing_says_how_to_store_it() {
    let service = unused_name("app");
    let config = |hint: Option<&str>| {
        let config = Config::new("").backend(Backend::Memory);
        let config = hint.into_iter().fold(config, Config::setup_hint);
        block_on(builder(&service, config, &Sandbox::new()).open()).unwrap()
    };
    let told = |secrets: &SecretManager| {
        let error = block_on(secrets.require(("API_KEY", "test"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("\"API_KEY::test\""), "{error}");
        assert!(error.to_string().ends_with(error.hint()), "{error}");
        assert_eq!(
            secrets.blocking().require(("API_KEY", "test")).unwrap_err().hint(),
            error.hint()
        );
        error.hint().to_owned()
    };
    assert_eq!(told(&config(Some("Run `tracker setup`."))), "Run `tracker setup`.");
    let secrets = config(None);
    assert_eq!(told(&secrets), "Store it first.", "no command reaches the memory of a program");
    assert_eq!(secrets.service().as_str(), service);
}
