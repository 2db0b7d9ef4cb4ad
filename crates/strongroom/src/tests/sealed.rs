//! The vault in a sealed file beside its store.

use std::fs;
use std::path::Path;

use super::*;
use crate::subscribers::ChangeKind;
use crate::vault::{Content, Prepared, Stored};

/// What stands in the vault's entry.
fn entry(machine: &Machine) -> Option<Stored> {
    let bytes = machine.store.get_bytes("app", "vault").unwrap()?;
    Some(Stored::parse(&bytes).unwrap())
}

fn file(machine: &Machine) -> std::path::PathBuf {
    machine.dir.path().join("data/app.sealed")
}

/// A vault that became sealed because its store takes no more than this.
fn outgrown(max: usize) -> (Machine, Vault) {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(max));
    let vault = machine.vault();
    vault.set(&key("small"), Secret::new("1").scope("s")).unwrap();
    assert!(vault.layout() == Layout::Inline && !file(&machine).exists());
    vault.set(&key("large"), Secret::new("x".repeat(max))).unwrap();
    (machine, vault)
}

#[test]
fn a_vault_that_outgrows_its_store_becomes_sealed_by_itself() {
    // The smallest that a platform has: Windows takes 2560 bytes.
    let (machine, vault) = outgrown(2_560);
    assert!(vault.layout() == Layout::Sealed && file(&machine).exists());
    assert!(matches!(entry(&machine), Some(Stored::Key(_))));
    for vault in [&vault, &machine.vault()] {
        assert_eq!(value(vault, "small").as_deref(), Some("1"));
        assert_eq!(value(vault, "large").map(|value| value.len()), Some(2_560));
        assert_eq!(vault.generation().unwrap(), 2, "it goes on counting");
        let small = vault.get(key("small")).unwrap().unwrap();
        assert_eq!(
            (small.metadata.scope.as_deref(), small.metadata.created_at),
            (Some("s"), Some(at(1_000)))
        );
    }
    for number in 0..200 {
        vault.set(&key(&format!("n{number}")), Secret::new("v".repeat(100))).unwrap();
    }
    assert_eq!(machine.vault().list().unwrap().len(), 202);
    assert_eq!(vault.generation().unwrap(), 202);
}

#[test]
fn one_of_more_than_64_kib_becomes_sealed_wherever_there_is_room() {
    let machine = Machine::new();
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("x".repeat(40_000))).unwrap();
    assert_eq!(vault.layout(), Layout::Inline);
    vault.set(&key("b"), Secret::new("x".repeat(40_000))).unwrap();
    assert_eq!(vault.layout(), Layout::Sealed);
}

#[test]
fn a_process_that_had_the_inline_vault_goes_on_with_the_sealed_one() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let (one, two) = (machine.vault(), machine.vault());
    one.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(value(&two, "a").as_deref(), Some("1"));
    one.set(&key("large"), Secret::new("x".repeat(2_560))).unwrap();
    two.set(&key("b"), Secret::new("2")).unwrap();
    assert_eq!(value(&one, "b").as_deref(), Some("2"));
    assert_eq!(machine.vault().list().unwrap().len(), 3);
}

#[test]
fn a_vault_that_becomes_sealed_tells_what_changed_and_nothing_else() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let (ours, theirs) = (Arc::new(machine.vault()), Arc::new(machine.vault()));
    for name in ["a", "small"] {
        ours.set(&key(name), Secret::new("1")).unwrap();
    }
    theirs.list().unwrap();
    let told = [ours.subscribe(), theirs.subscribe()];
    let all_tell = |name: &str, kind: ChangeKind| {
        for changes in &told {
            let change = changes.recv_blocking().unwrap();
            assert_eq!((change.key.name(), change.kind), (name, kind));
        }
    };
    ours.set(&key("large"), Secret::new("x".repeat(2_560))).unwrap();
    assert_eq!(ours.layout(), Layout::Sealed);
    all_tell("large", ChangeKind::Added);
    machine.seconds.fetch_add(1, Ordering::Relaxed);
    ours.set(&key("small"), Secret::new("2")).unwrap();
    all_tell("small", ChangeKind::Updated);
}

#[test]
fn no_inline_vault_is_taken_for_the_sealed_one_that_it_became() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let vault = machine.vault();
    let mut seen = std::collections::HashSet::new();
    for (name, len) in [("a", 1), ("b", 1), ("large", 2_560)] {
        vault.set(&key(name), Secret::new("x".repeat(len))).unwrap();
        let revision =
            machine.vault().engine().storage.read(&mut Prepared::default()).unwrap().revision();
        assert!(seen.insert(revision), "{name}: {revision:?}");
    }
    assert_eq!(vault.layout(), Layout::Sealed);
}

#[test]
fn a_sealed_vault_costs_its_store_one_read_and_no_write() {
    let (machine, _) = outgrown(2_560);
    let mut seen = machine.store.calls().len();
    let vault = machine.vault();
    assert_eq!(value(&vault, "small").as_deref(), Some("1"));
    assert_eq!(machine.accesses(&mut seen), (1, 0), "open");
    vault.set(&key("a"), Secret::new("1")).unwrap();
    vault.delete(key("a")).unwrap();
    vault.list().unwrap();
    let other = machine.vault();
    other.list().unwrap();
    assert_eq!(machine.accesses(&mut seen), (1, 0), "another process");
    assert_eq!(value(&vault, "small").as_deref(), Some("1"));
    assert_eq!(machine.accesses(&mut seen), (0, 0));
}

#[test]
fn nothing_of_a_sealed_vault_can_be_read_in_its_files() {
    let machine = Machine::with(Layout::Sealed);
    let vault = machine.vault();
    let secret = Secret::with_provider("marker-value", "marker-provider").scope("marker-scope");
    vault.set(&SecretKey::with_target("marker-name", "marker-target"), secret).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(machine.dir.path().join("data")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"marker"));
        files += 1;
    }
    assert!(files > 0);
}

#[test]
fn a_file_whose_key_is_gone_is_never_an_empty_vault() {
    let (machine, vault) = outgrown(2_560);
    machine.store.delete_password("app", "vault").unwrap();
    vault.forget();
    for vault in [&vault, &machine.vault()] {
        assert_eq!(vault.list().unwrap_err().kind(), ErrorKind::KeyMissing);
        let refused = vault.set(&key("a"), Secret::new("1")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::KeyMissing);
        assert!(refused.commands()[0].arguments().starts_with("repair --reset"), "{refused:?}");
    }
    assert!(entry(&machine).is_none(), "no key is made over existing data");
    let aside = vault.reset().unwrap();
    assert!(aside.len() == 1 && aside[0].exists() && !file(&machine).exists());
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(machine.vault().list().unwrap().len(), 1);
}

#[test]
fn a_wrong_key_a_damaged_file_and_a_lost_one_are_told_apart() {
    let (machine, vault) = outgrown(2_560);
    drop(vault);
    let (_dir, stranger) = outgrown(2_560);
    let kind = |machine: &Machine| machine.vault().list().unwrap_err().kind();

    let Some(Stored::Key(mut key_entry)) = entry(&machine) else { panic!("it is sealed") };
    let right = key_entry.to_line();
    key_entry.key = strongroom_sealed::SealingKey::generate().unwrap().to_text();
    machine.store.set_bytes("app", "vault", &key_entry.to_line()).unwrap();
    assert_eq!(kind(&machine), ErrorKind::WrongKey);
    machine.store.set_bytes("app", "vault", &right).unwrap();
    assert_eq!(machine.vault().list().unwrap().len(), 2);

    let whole = fs::read(file(&machine)).unwrap();
    fs::write(file(&machine), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(kind(&machine), ErrorKind::Corrupt);
    fs::remove_file(file(&machine)).unwrap();
    assert_eq!(kind(&machine), ErrorKind::Corrupt);
    assert_eq!(stranger.list().unwrap().len(), 2);
}

#[test]
fn a_switch_that_fails_leaves_the_inline_vault_and_no_file() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.store.fail_once(Operation::Set, ErrorKind::QuotaExceeded);
    let large = || Secret::new("x".repeat(2_560));
    assert_eq!(vault.set(&key("b"), large()).unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert!(!file(&machine).exists());
    assert_eq!(value(&machine.vault(), "a").as_deref(), Some("1"));
    vault.set(&key("b"), large()).unwrap();
    assert_eq!(machine.vault().list().unwrap().len(), 2);
}

#[test]
fn a_switch_whose_outcome_the_store_can_not_tell_keeps_the_file() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    // As a keyring that was locked during the write: the key may have arrived.
    machine.store.fail_once(Operation::Set, ErrorKind::Locked);
    machine.store.fail(Operation::Get, ErrorKind::Locked);
    let refused = vault.set(&key("b"), Secret::new("x".repeat(2_560))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert!(file(&machine).exists());
    machine.store.heal(Operation::Get);
    assert_eq!(value(&machine.vault(), "a").as_deref(), Some("1"));
}

#[test]
fn what_a_killed_switch_left_is_put_aside_not_written_over() {
    let machine = Machine::new();
    machine.store.set_capabilities(machine.store.capabilities().with_max_secret_len(2_560));
    let vault = machine.vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    // Whole and with a key that nobody has, as one that was killed before it wrote the entry left it.
    let (other, _) = outgrown(2_560);
    let data = |machine: &Machine| machine.dir.path().join("data");
    fs::rename(data(&other), data(&machine)).unwrap();
    assert_eq!(value(&machine.vault(), "a").as_deref(), Some("1"), "the entry is the truth");
    vault.set(&key("b"), Secret::new("x".repeat(2_560))).unwrap();
    assert_eq!(machine.vault().list().unwrap().len(), 2);
    let files = fs::read_dir(data(&machine)).unwrap().flatten();
    let aside =
        files.filter(|file| file.file_name().to_string_lossy().starts_with("app.sealed.1970"));
    assert_eq!(aside.count(), 1);
}

#[test]
fn a_new_vault_has_an_entry_before_it_has_a_file() {
    let machine = Machine::with(Layout::Sealed);
    // After a timeout nobody knows what the store has, so a file whose key may be there would stay.
    machine.store.fail_once(Operation::Set, ErrorKind::TimedOut);
    let refused = machine.vault().set(&key("a"), Secret::new("1")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TimedOut);
    assert!(!file(&machine).exists());
    let vault = machine.vault();
    assert!(vault.list().unwrap().is_empty());
    vault.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(value(&machine.vault(), "a").as_deref(), Some("1"));
    assert_eq!(vault.generation().unwrap(), 1);
}

#[test]
fn what_a_killed_purge_left_is_an_error_that_a_purge_or_a_reset_ends() {
    // The file goes first, then its log, then the entry.
    for (log, ends_by_reset) in [(true, true), (true, false), (false, true), (false, false)] {
        let (machine, vault) = outgrown(2_560);
        drop(vault);
        fs::remove_file(file(&machine)).unwrap();
        if log {
            fs::write(file(&machine).with_extension("sealed-wal"), b"log").unwrap();
        }
        let vault = machine.vault();
        assert_eq!(vault.list().unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(vault.set(&key("a"), Secret::new("1")).unwrap_err().kind(), ErrorKind::Corrupt);
        let ended = if ends_by_reset { vault.reset().map(drop) } else { vault.purge().map(drop) };
        ended.unwrap();
        assert!(vault.list().unwrap().is_empty());
        vault.set(&key("large"), Secret::new("x".repeat(2_560))).unwrap();
        assert_eq!(vault.layout(), Layout::Sealed);
    }
}

// Windows deletes no file that is open.
#[cfg(unix)]
#[test]
fn commits_alone_end_the_doubt_that_a_killed_writer_left() {
    let (machine, vault) = outgrown(2_560);
    fs::remove_file(machine.dir.path().join("vault-app.generation")).unwrap();
    let mut seen = machine.store.calls().len();
    for number in 0..3 {
        vault.set(&key("a"), Secret::new(number.to_string())).unwrap();
    }
    assert_eq!(machine.accesses(&mut seen), (1, 0), "the file is opened once");
}

#[test]
fn a_purge_takes_the_file_along() {
    let (machine, vault) = outgrown(2_560);
    let other = machine.vault();
    assert_eq!(other.list().unwrap().len(), 2);
    let_go(&vault, &[&other]);
    assert_eq!(vault.purge().unwrap(), 1);
    assert!(!file(&machine).exists());
    for vault in [&vault, &other] {
        assert!(vault.list().unwrap().is_empty());
    }
    other.set(&key("a"), Secret::new("1")).unwrap();
    assert_eq!(value(&vault, "a").as_deref(), Some("1"));
}

#[test]
fn who_reads_in_the_middle_of_a_purge_waits_for_its_end() {
    let (machine, vault) = outgrown(2_560);
    drop(vault);
    let purger = machine.vault();
    let commit = purger.engine().coherence.lock(Duration::from_secs(20)).unwrap();
    commit.begin().unwrap();
    fs::remove_file(file(&machine)).unwrap();
    let reader = machine.vault();
    let reads =
        machine.store.calls().iter().filter(|call| call.operation == Operation::Get).count();
    std::thread::scope(|scope| {
        let listed = scope.spawn(|| reader.list());
        let patience = Duration::from_secs(20);
        assert!(machine.store.wait_for_calls(Operation::Get, reads + 1, patience));
        machine.store.delete_password("app", "vault").unwrap();
        let _ = commit.finish(Content::none().revision());
        assert!(listed.join().unwrap().unwrap().is_empty());
    });
}

/// Builds a vault in an encrypted file, whose passphrase is asked for while no lock is held, and counts the questions.
fn asking(dir: &Path, state: &Path) -> (crate::Config, Arc<AtomicI64>) {
    let asked = Arc::new(AtomicI64::new(0));
    let (count, state_dir) = (Arc::clone(&asked), StateDir::at(state).unwrap());
    let config = crate::Config::new("app").environment(|_| None).passphrase(move |_| {
        let others =
            crate::vault::Coherence::open(&state_dir, &ServiceName::new("app").unwrap()).unwrap();
        assert!(others.lock(Duration::ZERO).is_ok(), "somebody who writes would wait");
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Some(SecretString::from("correct horse")))
    });
    let vault = config.backend(crate::Backend::File).data_dir(dir.join("data"));
    (vault.state_dir(state), asked)
}

// On Windows files that are open can't be deleted.
#[cfg(unix)]
#[test]
fn a_passphrase_is_asked_for_while_nobody_has_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (vault, asked) = asking(dir.path(), &state);
    let vault = || vault.clone();
    let secrets = vault().open_blocking().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "there is no file yet");
    secrets.set(key("a"), &Secret::new("1")).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    secrets.forget();
    secrets.set(key("b"), &Secret::new("2")).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(secrets.list().unwrap().len(), 2);
    // A read that mends what a killed writer left takes the lock, too.
    let generation =
        StateDir::at(&state).unwrap().file(&ServiceName::new("app").unwrap(), ".generation");
    fs::remove_file(generation.unwrap()).unwrap();
    assert!(vault().open_blocking().unwrap().exists(key("a")).unwrap());
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn several_threads_that_open_a_file_at_once_ask_once_and_before_they_lock() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let (vault, asked) = asking(dir.path(), &state);
    let secrets = vault.open_blocking().unwrap();
    secrets.set(key("a"), &Secret::new("1")).unwrap();
    for round in 2..5 {
        secrets.forget();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (secrets, name) = (&secrets, format!("{round}-{thread}"));
                scope.spawn(move || match thread % 2 {
                    0 => secrets.set(key(&name), &Secret::new("2")).unwrap(),
                    _ => assert!(secrets.exists(key("a")).unwrap()),
                });
            }
        });
        assert_eq!(asked.load(Ordering::Relaxed), round);
    }
    assert_eq!(secrets.list().unwrap().len(), 7);
}

#[test]
fn a_store_that_forgets_gets_no_sealed_vault() {
    let machine = Machine::with(Layout::Sealed);
    machine.store.set_capabilities(Capabilities::new(Persistence::UntilReboot));
    let refused = machine.vault().set(&key("a"), Secret::new("1")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(!file(&machine).exists());
}
