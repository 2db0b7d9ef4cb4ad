//! Backups: made, damaged, opened and restored.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use proptest::prelude::*;
use strongroom::backup::{Backup, Protection, RestoreAction, RestoreMode, Unlock};
use strongroom::{
    Backend, Config, ErrorKind, ExposeSecret, Secret, SecretInfo, SecretKey, SecretString,
    Timestamp, blocking,
};
use strongroom_testkit::unused_name;

const MARKER: &str = "marker-of-a-secret";

const RECIPIENT: &str = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
const OTHER_RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// Made for these tests and used nowhere else.
const IDENTITY: &str = "\
# public key: age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc
AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA
";

/// An empty vault of a service that no other test has: vaults in memory are the whole process's.
fn manager() -> blocking::SecretManager {
    Config::new(unused_name("app")).backend(Backend::Memory).open_blocking().unwrap()
}

fn holding(value: &str) -> blocking::SecretManager {
    let secrets = manager();
    secrets.set("KEY", &Secret::new(value)).unwrap();
    secrets
}

fn protection() -> Protection {
    Protection::recipients([RECIPIENT]).unwrap()
}

fn unlock() -> Unlock {
    Unlock::new().with_identities(&SecretString::from(IDENTITY)).unwrap()
}

fn restore(secrets: &blocking::SecretManager, file: &str, mode: RestoreMode) {
    let backup = Backup::open_blocking(file, &unlock()).unwrap().for_any_service();
    let plan = secrets.plan_restore(&backup, mode).unwrap();
    secrets.restore(&backup, &plan).unwrap();
}

/// A vault's secrets, none of which has expired.
fn content(secrets: &blocking::SecretManager) -> Vec<(SecretInfo, String)> {
    let value =
        |key: &SecretKey| secrets.get(key).unwrap().unwrap().value.expose_secret().to_owned();
    let with_value = |info: SecretInfo| {
        let value = value(&info.key);
        (info, value)
    };
    secrets.list().unwrap().into_iter().map(with_value).collect()
}

fn key() -> impl Strategy<Value = SecretKey> {
    ("[a-c\u{e9}\"]{1,2}", proptest::option::of("[x-z ]{1,2}")).prop_map(|(name, target)| {
        match target {
            Some(target) => SecretKey::with_target(name, target),
            None => SecretKey::new(name),
        }
    })
}

fn secret() -> impl Strategy<Value = Secret> {
    let expiry = proptest::option::of(10_000_000_000_i64..20_000_000_000);
    (any::<String>(), any::<Option<String>>(), expiry).prop_map(|(value, scope, expiry)| {
        let mut secret = Secret::new(value);
        secret.metadata.scope = scope;
        secret.metadata.expires_at = expiry.map(|second| Timestamp::from_second(second).unwrap());
        secret
    })
}

fn filled(secrets: &BTreeMap<SecretKey, Secret>) -> blocking::SecretManager {
    let manager = manager();
    for (key, secret) in secrets {
        manager.set(key, secret).unwrap();
    }
    manager
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restored_vault_is_the_one_that_was_backed_up(
        theirs in proptest::collection::btree_map(key(), secret(), 0..8),
        ours in proptest::collection::btree_map(key(), secret(), 0..8),
    ) {
        let (there, here) = (filled(&theirs), filled(&ours));
        let file = there.backup(&protection()).unwrap().text;
        let before = content(&here);
        restore(&here, &file, RestoreMode::Merge);
        let merged = content(&here);
        for (info, value) in content(&there) {
            let expected = match before.iter().find(|(old, _)| old.key == info.key) {
                // All of ours were written later.
                Some(ours) => ours.clone(),
                None => (info, value),
            };
            prop_assert!(merged.contains(&expected));
        }
        prop_assert!(before.iter().all(|ours| merged.contains(ours)));
        restore(&here, &file, RestoreMode::Replace);
        prop_assert_eq!(content(&here), content(&there));
        let backup = Backup::open_blocking(&file, &unlock()).unwrap();
        prop_assert_eq!(backup.generation(), there.generation().unwrap());
        prop_assert_eq!(backup.keys().len(), theirs.len());
    }
}

#[test]
fn only_the_right_passphrase_opens_a_backup() {
    let protection = Protection::passphrase("correct horse").unwrap();
    let file = holding(MARKER).backup(&protection).unwrap().text;
    assert!(Backup::takes_passphrase(&file).unwrap());
    for unlock in [Unlock::new().with_passphrase("Correct horse"), Unlock::new(), unlock()] {
        let refused = Backup::open_blocking(&file, &unlock).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
    }
    let both = unlock().with_passphrase("correct horse");
    assert_eq!(Backup::open_blocking(&file, &both).unwrap().keys().len(), 1);
}

/// The beginning of a file whose passphrase takes this much work. No passphrase opens it.
fn of_work(log2: u8) -> Vec<u8> {
    let (salt, key) = ("A".repeat(22), "A".repeat(43));
    let header = format!("age-encryption.org/v1\n-> scrypt {salt} {log2}\n{key}\n--- {key}\n");
    [header.as_bytes(), &[0; 64]].concat()
}

#[test]
fn a_backup_asks_for_no_more_work_than_ours_unless_it_is_allowed() {
    let start = Instant::now();
    for (log2, memory) in [(19, "512 MiB"), (22, "4 GiB"), (63, "no machine's")] {
        let (file, unlock) = (of_work(log2), Unlock::new().with_passphrase("correct horse"));
        assert_eq!(Backup::passphrase_work(&file).unwrap(), Some(log2));
        let refused = Backup::open_blocking(&file, &unlock).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
        for words in [format!("2^{log2} steps"), memory.to_owned()] {
            assert!(refused.problem().contains(&words), "{refused}");
        }
        let is_named = refused.advice().options() == [format!("--max-work-factor {log2}")];
        assert_eq!(is_named, log2 <= 22, "{refused:?}");
        let most = unlock.with_max_work_factor(18);
        assert_eq!(Backup::open_blocking(&file, &most).unwrap_err().kind(), ErrorKind::Unsupported);
    }
    let far = Unlock::new().with_passphrase("x").with_max_work_factor(255);
    let refused = Backup::open_blocking(of_work(23), &far).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{refused}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let allowed = Unlock::new().with_passphrase("x").with_max_work_factor(19);
    let tried = Backup::open_blocking(of_work(19), &allowed).unwrap_err();
    assert_eq!(tried.kind(), ErrorKind::WrongKey, "{tried}");
    let ours = holding(MARKER).backup(&Protection::passphrase("x").unwrap()).unwrap().text;
    assert_eq!(Backup::passphrase_work(ours).unwrap(), Some(18));
    let keyed = holding(MARKER).backup(&protection()).unwrap().text;
    assert_eq!(Backup::passphrase_work(keyed).unwrap(), None);
}

#[test]
fn a_header_without_an_end_is_not_parsed() {
    let start = Instant::now();
    let recipient = format!("-> X25519 {0}\n{0}\n", "A".repeat(43));
    let file = format!("age-encryption.org/v1\n{}", recipient.repeat(200_000));
    let refused = Backup::open_blocking(&file, &unlock()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt, "{refused}");
    assert!(refused.problem().contains("header is longer"), "{refused}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let many = Protection::recipients(vec![RECIPIENT; 500]).unwrap();
    let file = holding(MARKER).backup(&many).unwrap().text;
    assert_eq!(Backup::open_blocking(&file, &unlock()).unwrap().keys().len(), 1);
    assert!(Protection::recipients(vec![RECIPIENT; 501]).is_err());
}

#[test]
fn each_recipient_opens_a_backup_and_nobody_else() {
    let recipients = [OTHER_RECIPIENT, RECIPIENT];
    let file = holding(MARKER).backup(&Protection::recipients(recipients).unwrap()).unwrap().text;
    assert!(!Backup::takes_passphrase(&file).unwrap());
    Backup::open_blocking(&file, &unlock()).unwrap();
    let other = Protection::recipients([OTHER_RECIPIENT]).unwrap();
    let file = holding(MARKER).backup(&other).unwrap().text;
    for unlock in [unlock(), Unlock::new(), Unlock::new().with_passphrase("x")] {
        let refused = Backup::open_blocking(&file, &unlock).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WrongKey, "{refused}");
    }
}

#[test]
fn a_file_that_was_changed_anywhere_does_not_open() {
    let text = holding(MARKER).backup(&protection()).unwrap().text;
    let mut kinds = BTreeMap::new();
    for place in 0..text.len() {
        let mut damaged = text.clone().into_bytes();
        // Another character of base64, so that not the encoding alone is tested.
        damaged[place] = if damaged[place] == b'A' { b'B' } else { b'A' };
        let refused = Backup::open_blocking(&damaged, &unlock()).unwrap_err();
        let shown = format!("{refused} {refused:?} {}", refused.hint());
        assert!(!shown.contains(MARKER), "{shown}");
        *kinds.entry(refused.kind().code()).or_insert(0) += 1;
    }
    assert!(kinds.keys().all(|kind| ["corrupt", "wrong_key"].contains(kind)), "{kinds:?}");
    assert!(kinds["corrupt"] > kinds["wrong_key"], "{kinds:?}");
}

#[test]
fn a_file_that_was_cut_off_does_not_open() {
    let long = "x".repeat(200_000);
    let text = holding(&long).backup(&protection()).unwrap().text;
    let end = text.trim_end().len();
    for len in (0..end).filter(|len| *len < 1_000 || len % 997 == 0 || end - len < 100) {
        let refused = Backup::open_blocking(&text[..len], &unlock()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Corrupt, "{len} of {end}: {refused}");
    }
    restore(&manager(), &text, RestoreMode::Merge);
}

#[test]
fn what_was_pasted_with_other_line_ends_opens() {
    let file = holding(MARKER).backup(&protection()).unwrap().text;
    assert!(file.is_ascii() && file.lines().all(|line| line.len() <= 64), "{file}");
    let ended_by = |end: &str| file.lines().flat_map(|line| [line, end]).collect::<String>();
    let ends = [ended_by("\n"), ended_by("\r\n")];
    for pasted in ends.into_iter().chain([format!("\n\n{file}\n\n"), file.trim_end().into()]) {
        Backup::open_blocking(&pasted, &unlock()).unwrap();
    }
}

#[test]
fn a_backup_of_another_service_is_restored_on_purpose_only() {
    let (ours, other) = (holding(MARKER), manager());
    let file = ours.backup(&protection()).unwrap().text;
    let backup = Backup::open_blocking(file, &unlock()).unwrap();
    let refused = other.plan_restore(&backup, RestoreMode::Merge).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.problem().contains(&format!("{:?}", backup.service())), "{refused}");
    ours.delete("KEY").unwrap();
    let plan = ours.plan_restore(&backup, RestoreMode::Merge).unwrap();
    assert_eq!(other.restore(&backup, &plan).unwrap_err().kind(), ErrorKind::Conflict);
    assert!(other.list().unwrap().is_empty());
    other.restore(&backup.for_any_service(), &plan).unwrap();
    assert!(other.exists("KEY").unwrap());
}

#[test]
fn what_is_no_recipient_and_no_key_is_refused_and_not_shown() {
    let invalid = |protection: Result<Protection, strongroom::Error>| {
        let refused = protection.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        format!("{refused} {refused:?} {}", refused.hint())
    };
    let key = IDENTITY.lines().last().unwrap();
    for text in [key, &key.to_lowercase(), "ssh-ed25519 AAAA", "", &RECIPIENT[..61]] {
        let shown = invalid(Protection::recipients([RECIPIENT, text]));
        assert!(text.is_empty() || !shown.contains(text), "{shown}");
    }
    invalid(Protection::recipients([""; 0]));
    invalid(Protection::passphrase(""));
    for text in ["", "# nothing\n", &format!("{key}\n{MARKER}")] {
        let refused = Unlock::new().with_identities(&SecretString::from(text)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(!format!("{refused} {refused:?}").contains(MARKER), "{refused}");
    }
}

#[test]
fn nothing_of_a_backup_shows_in_debug() {
    let file = holding(MARKER).backup(&protection()).unwrap().text;
    let backup = Backup::open_blocking(file, &unlock()).unwrap();
    let unlock = unlock().with_passphrase(MARKER);
    let protection = [protection(), Protection::passphrase(MARKER).unwrap()];
    let shown = format!("{backup:?} {unlock:?} {protection:?}");
    assert!(shown.contains("app") && !shown.contains(MARKER), "{shown}");
    assert!(!shown.contains("KEY"), "{shown}");
}

#[test]
fn async_callers_have_the_same() {
    block_on(async {
        let secrets =
            Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
        secrets.set_api_key("KEY", MARKER, None).await.unwrap();
        let file = secrets.backup(&protection()).await.unwrap().text;
        secrets.delete("KEY").await.unwrap();
        let backup = Backup::open(file, &unlock()).await.unwrap();
        let plan = secrets.plan_restore(&backup, RestoreMode::Replace).await.unwrap();
        assert_eq!(plan.with(RestoreAction::Add).count(), 1);
        secrets.restore(&backup, &plan).await.unwrap();
        let value = secrets.get_value("KEY").await.unwrap().unwrap();
        assert_eq!(value.expose_secret(), MARKER);
    });
}
