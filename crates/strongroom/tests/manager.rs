//! The vault on real stores, and between real processes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use futures_lite::future::block_on;
use strongroom::{
    Backend, ErrorKind, ExposeSecret, Options, Secret, SecretKey, SecretManager,
    SecretManagerBuilder, SignedDuration, Timestamp, blocking,
};
use strongroom_testkit::{Bus, GnomeKeyring, Sandbox, provider_or_skip, unused_name};

/// A manager of the service of this name, with its files in a sandbox.
fn builder(service: &str, options: Options, sandbox: &Sandbox) -> SecretManagerBuilder {
    let state_dir = sandbox.home().join(".local/state/strongroom");
    SecretManager::builder(service).options(options.with_state_dir(state_dir))
}

async fn every_line_of_the_api(secrets: &SecretManager) -> strongroom::Result<()> {
    let key = SecretKey::with_target("API_KEY", "production");
    let generation = secrets.generation().await?;
    secrets.set_api_key("OPENAI_API_KEY", "sk-1", Some("openai")).await?;
    secrets.set(&key, &Secret::new("line\nline").with_scope("all")).await?;
    assert_eq!(secrets.get_value("OPENAI_API_KEY").await?.unwrap().expose_secret(), "sk-1");
    secrets.update_value("OPENAI_API_KEY", "sk-2").await?;
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
    secrets.lock();
    assert_eq!(secrets.get_value("TOKEN").await?.unwrap().expose_secret(), "t");
    for name in ["TOKEN", "OPENAI_API_KEY"] {
        assert!(secrets.delete(&SecretKey::new(name)).await?);
    }
    assert!(secrets.get_value("TOKEN").await?.is_none());
    let missing = secrets.update_value("TOKEN", "x").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(secrets.purge().await?, 1, "the vault is one entry");
    Ok(())
}

#[test]
fn the_api_works_on_memory() {
    let options = Options::new().with_backend(Backend::Memory);
    let opening = builder("app", options, &Sandbox::new()).open();
    let secrets = block_on(opening).unwrap();
    assert!(!secrets.is_persistent());
    block_on(every_line_of_the_api(&secrets)).unwrap();
}

#[test]
fn the_api_works_on_keyutils() {
    let service = unused_name("manager");
    let options = Options::new().with_backend(Backend::Keyutils);
    let secrets = block_on(builder(&service, options, &Sandbox::new()).open()).unwrap();
    let worked = block_on(every_line_of_the_api(&secrets));
    block_on(secrets.purge()).unwrap();
    worked.unwrap();
}

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

#[test]
fn what_was_acknowledged_is_there_although_writers_are_killed() {
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut writers: Vec<_> = (0..4).map(|number| writer(&bus, round * 4 + number)).collect();
        // Each round one is killed in the middle of its work, after its third write.
        let victim = writers.pop().unwrap();
        acknowledged.extend(killed_after(victim, 3));
        for writer in writers {
            acknowledged.extend(finished(writer));
        }
    }
    let secrets = manager(&bus);
    let stored: Vec<_> = secrets.list().unwrap().into_iter().map(|info| info.key).collect();
    for key in &acknowledged {
        assert!(stored.contains(&SecretKey::new(key.as_str())), "{key} was acknowledged");
    }
    let in_flight = 3;
    let generation = usize::try_from(secrets.generation().unwrap()).unwrap();
    let extra = generation.checked_sub(acknowledged.len());
    assert!(extra.is_some_and(|extra| extra <= in_flight), "{generation} commits");
}

/// How many writes a writer makes.
const WRITES: usize = 10;
/// Tells a writer that it is one, and which.
const WRITER: &str = "STRONGROOM_TEST_WRITER";

/// Not a test of its own: what the writers of the test above do.
#[test]
fn writes_in_a_process_of_its_own() {
    let Ok(writer) = std::env::var(WRITER) else { return };
    let secrets = SecretManager::builder("app").backend(Backend::SecretService);
    let secrets = secrets.open_blocking().unwrap();
    let mut stdout = std::io::stdout();
    for write in 0..WRITES {
        let key = format!("{writer}-{write}");
        secrets.set(&SecretKey::new(key.as_str()), &Secret::new("value")).unwrap();
        writeln!(stdout, "\nacknowledged {key}").unwrap();
    }
}

fn writer(bus: &Bus, number: usize) -> Child {
    let mut command = bus.command(std::env::current_exe().unwrap());
    command.args(["--exact", "writes_in_a_process_of_its_own", "--nocapture"]);
    command.env(WRITER, number.to_string()).stdout(Stdio::piped()).spawn().unwrap()
}

fn acknowledgements(writer: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned))
}

fn finished(mut writer: Child) -> Vec<String> {
    let acknowledged: Vec<_> = acknowledgements(&mut writer).collect();
    assert!(writer.wait().unwrap().success());
    assert_eq!(acknowledged.len(), WRITES);
    acknowledged
}

/// What a writer acknowledged that is killed after so many writes, and what it got done until then.
fn killed_after(mut writer: Child, writes: usize) -> Vec<String> {
    let mut lines = acknowledgements(&mut writer);
    let mut acknowledged: Vec<_> = lines.by_ref().take(writes).collect();
    writer.kill().unwrap();
    acknowledged.extend(lines);
    writer.wait().unwrap();
    acknowledged
}

fn gnome_keyring() -> Option<(Bus, GnomeKeyring)> {
    provider_or_skip("gnome-keyring-daemon").then(|| {
        let bus = Bus::start(&Sandbox::new());
        let keyring = GnomeKeyring::start(&bus, Some("password"));
        (bus, keyring)
    })
}

fn on(bus: &Bus) -> Options {
    Options::new().with_backend(Backend::SecretService).with_bus_address(bus.address())
}

fn manager(bus: &Bus) -> blocking::SecretManager {
    builder("app", on(bus), bus.sandbox()).open_blocking().unwrap()
}
