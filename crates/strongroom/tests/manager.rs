//! The vault on real stores.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::pin::Pin;
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

/// An empty service, and the layout that it has once something is stored.
struct Subject<'a> {
    secrets: &'a SecretManager,
    layout: Layout,
}

impl Subject<'_> {
    fn has_entries(&self) -> bool {
        self.layout == Layout::Entries
    }

    /// Checks how many commits there were, where they are counted.
    async fn assert_commits(&self, count: u64) {
        if !self.has_entries() {
            assert_eq!(self.secrets.generation().await.unwrap(), count);
        }
    }

    async fn assert_value(&self, name: &str, expected: Option<&str>) {
        let value = self.secrets.get_value(name).await.unwrap();
        assert_eq!(value.as_ref().map(|value| value.expose_secret()), expected);
        assert_eq!(self.secrets.exists(name).await.unwrap(), expected.is_some());
    }
}

/// An operation at work.
type Work<'a> = Pin<Box<dyn Future<Output = strongroom::Result<()>> + 'a>>;

/// Runs all operations on a service, and empties it after each.
async fn all_operations_work(layout: Layout, secrets: &SecretManager) {
    let subject = Subject { secrets, layout };
    let operations: [(&str, Work<'_>); 13] = [
        ("nothing_is_stored_at_first", Box::pin(nothing_is_stored_at_first(&subject))),
        ("set_and_get", Box::pin(set_and_get(&subject))),
        ("update_value", Box::pin(update_value(&subject))),
        ("update", Box::pin(update(&subject))),
        ("batch", Box::pin(batch(&subject))),
        ("create", Box::pin(create(&subject))),
        ("rename", Box::pin(rename(&subject))),
        ("refresh", Box::pin(refresh(&subject))),
        ("delete", Box::pin(delete(&subject))),
        ("forget", Box::pin(forget(&subject))),
        ("expiring", Box::pin(expiring(&subject))),
        ("subscribe", Box::pin(subscribe(&subject))),
        ("purge", Box::pin(purge(&subject))),
    ];
    for (name, work) in operations {
        let worked = work.await;
        secrets.purge().await.unwrap();
        worked.unwrap_or_else(|error| panic!("{name} in {layout:?}: {error:#}"));
    }
}

fn target() -> SecretKey {
    SecretKey::with_target("API_KEY", "production")
}

async fn nothing_is_stored_at_first(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    let empty = if subject.has_entries() { Layout::Entries } else { Layout::Inline };
    assert_eq!(secrets.layout(), empty);
    assert!(secrets.list().await?.is_empty());
    assert_eq!(secrets.backend().name(), secrets.blocking().backend().name());
    let generation = secrets.generation().await;
    match subject.layout {
        Layout::Entries => assert_eq!(generation.unwrap_err().kind(), ErrorKind::Unsupported),
        _ => assert_eq!(generation?, 0),
    }
    Ok(())
}

async fn set_and_get(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.set(target(), &Secret::new("line\nline")).await?;
    secrets.set_api_key("TOKEN", "t", None).await?;
    assert_eq!(secrets.get(target()).await?.unwrap().value.expose_secret(), "line\nline");
    subject.assert_value("TOKEN", Some("t")).await;
    subject.assert_value("API_KEY", None).await;
    let names: Vec<_> = secrets.list().await?.into_iter().map(|info| info.key).collect();
    assert_eq!(names, [target(), "TOKEN".into()]);
    assert_eq!(secrets.layout(), subject.layout);
    subject.assert_commits(2).await;
    Ok(())
}

async fn update_value(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    let provider = (!subject.has_entries()).then_some("openai");
    secrets.set_api_key("TOKEN", "1", provider).await?;
    secrets.update_value("TOKEN", "2").await?;
    let updated = secrets.get("TOKEN").await?.unwrap();
    assert_eq!(updated.value.expose_secret(), "2");
    assert_eq!(updated.metadata.provider.as_deref(), provider, "the metadata is kept");
    let missing = secrets.update_value("OTHER", "1").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    subject.assert_value("OTHER", None).await;
    subject.assert_commits(2).await;
    Ok(())
}

async fn update(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.set(target(), &Secret::new("1")).await?;
    secrets
        .update(target(), |old| {
            Some(Secret::new(format!("{}2", old.unwrap().value.expose_secret())))
        })
        .await?;
    assert_eq!(secrets.get(target()).await?.unwrap().value.expose_secret(), "12");
    subject.assert_commits(2).await;
    Ok(())
}

async fn batch(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.set(target(), &Secret::new("1")).await?;
    secrets
        .batch(|batch| {
            batch.set("TOKEN", Secret::new("t")).delete(target());
        })
        .await?;
    subject.assert_value("TOKEN", Some("t")).await;
    assert!(!secrets.exists(target()).await?);
    subject.assert_commits(2).await;
    Ok(())
}

async fn create(subject: &Subject<'_>) -> strongroom::Result<()> {
    subject.secrets.create("TOKEN", &Secret::new("1")).await?;
    let taken = subject.secrets.create("TOKEN", &Secret::new("2")).await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    subject.assert_value("TOKEN", Some("1")).await;
    subject.assert_commits(1).await;
    Ok(())
}

async fn rename(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.create("OLD", &Secret::new("1")).await?;
    secrets.rename("OLD", "NEW").await?;
    subject.assert_value("OLD", None).await;
    subject.assert_value("NEW", Some("1")).await;
    let missing = secrets.rename("OLD", "OTHER").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    subject.assert_commits(2).await;
    Ok(())
}

async fn refresh(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.create("TOKEN", &Secret::new("stale")).await?;
    let is_stale = |secret: &Secret| secret.value.expose_secret() == "stale";
    let fetch = async |old: Option<Secret>| old.map(|_| Secret::new("fresh")).ok_or_else(missing);
    for _ in 0..2 {
        let secret = secrets.refresh("TOKEN", is_stale, fetch).await?;
        assert_eq!(secret.value.expose_secret(), "fresh");
    }
    subject.assert_commits(2).await;
    Ok(())
}

fn missing() -> Error {
    Error::new(ErrorKind::NotFound, Operation::Get)
}

async fn delete(subject: &Subject<'_>) -> strongroom::Result<()> {
    subject.secrets.set_api_key("TOKEN", "t", None).await?;
    assert!(subject.secrets.delete("TOKEN").await?);
    subject.assert_value("TOKEN", None).await;
    assert!(!subject.secrets.delete("TOKEN").await?);
    subject.assert_commits(2).await;
    Ok(())
}

async fn forget(subject: &Subject<'_>) -> strongroom::Result<()> {
    subject.secrets.set_api_key("TOKEN", "t", None).await?;
    subject.secrets.forget();
    subject.assert_value("TOKEN", Some("t")).await;
    Ok(())
}

async fn expiring(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.set_api_key("TOKEN", "t", None).await?;
    let hour = Duration::from_secs(60 * 60);
    assert!(secrets.expiring(2 * hour).await?.is_empty());
    if !subject.has_entries() {
        secrets.set("SOON", &Secret::new("1").expires_in(hour)).await?;
        assert_eq!(secrets.expiring(2 * hour).await?.len(), 1);
    }
    Ok(())
}

async fn subscribe(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    let mut changes = secrets.subscribe()?;
    secrets.set_api_key("TOKEN", "1", None).await?;
    let change = changes.next().await.expect("it does not end");
    assert_eq!((change.key, change.kind), (SecretKey::new("TOKEN"), ChangeKind::Added));
    secrets.update_value("TOKEN", "2").await?;
    let change = changes.next().await.expect("it does not end");
    assert_eq!((change.key, change.kind), (SecretKey::new("TOKEN"), ChangeKind::Updated));
    Ok(())
}

async fn purge(subject: &Subject<'_>) -> strongroom::Result<()> {
    let secrets = subject.secrets;
    secrets.set_api_key("ONE", "1", None).await?;
    secrets.set_api_key("TWO", "2", None).await?;
    let entries = if subject.has_entries() { 2 } else { 1 };
    assert_eq!(secrets.purge().await?, entries, "a vault is one entry");
    nothing_is_stored_at_first(subject).await
}

#[test]
fn the_api_works_on_memory() {
    let config = Config::new("").backend(Backend::Memory);
    let opening = builder(&unused_name("app"), config, &Sandbox::new()).open();
    let secrets = block_on(opening).unwrap();
    assert!(!secrets.is_persistent());
    block_on(all_operations_work(Layout::Inline, &secrets));
}

#[test]
fn the_api_works_on_entries_in_memory_and_in_a_file() {
    let sandbox = Sandbox::new();
    let file = Config::new("").dangerous().plaintext_file(sandbox.home().join("secrets"));
    for config in [Config::new("").backend(Backend::Memory), file.backend(Backend::PlaintextFile)] {
        let config = config.layout(Layout::Entries);
        let opening = builder(&unused_name("app"), config, &sandbox).open();
        block_on(all_operations_work(Layout::Entries, &block_on(opening).unwrap()));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_keyutils() {
    for layout in [Layout::Inline, Layout::Entries] {
        let service = unused_name("manager");
        let config = Config::new("").backend(Backend::Keyutils).layout(layout);
        let secrets = block_on(builder(&service, config, &Sandbox::new()).open()).unwrap();
        block_on(all_operations_work(layout, &secrets));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_entries_of_gnome_keyring() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let config = on(&bus).layout(Layout::Entries);
    let secrets = block_on(builder("app", config, bus.sandbox()).open()).unwrap();
    assert!(secrets.is_persistent());
    block_on(all_operations_work(Layout::Entries, &secrets));
}

#[cfg(target_os = "linux")]
#[test]
fn the_api_works_on_gnome_keyring_and_is_one_entry() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let secrets = block_on(builder("app", on(&bus), bus.sandbox()).open()).unwrap();
    assert!(secrets.is_persistent());
    block_on(all_operations_work(Layout::Inline, &secrets));
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
        block_on(all_operations_work(Layout::Sealed, &secrets));
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
        block_on(all_operations_work(Layout::Sealed, &secrets));
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
            all_operations_work(Layout::Inline, &secrets).await;
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
