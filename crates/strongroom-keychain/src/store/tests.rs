//! The store on a simulated Keychain: the contract, and each state that a Keychain gets into.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use strongroom_core::{ErrorKind, ExposeSecret, KeyringStore as _, PromptPolicy, secret_bytes};

use super::*;
use crate::keychain::{KIND, label};
use crate::simulated::{Answer, Call, Simulated};

mod conformance {
    use std::sync::LazyLock;

    use super::*;

    static KEYCHAIN: LazyLock<Simulated> = LazyLock::new(Simulated::new);

    strongroom_conformance::conformance_tests!(|| on(&KEYCHAIN, PromptPolicy::Never));
}

fn on(keychain: &Simulated, prompt: PromptPolicy) -> KeychainStore {
    let config = Config::default().with_prompt(prompt);
    KeychainStore { config, keychain: Arc::new(keychain.clone()) }
}

/// A simulated Keychain with one entry of ours, and a store on it.
fn with_entry(prompt: PromptPolicy) -> (Simulated, KeychainStore) {
    let keychain = Simulated::new();
    let store = on(&keychain, prompt);
    set(&store, "old", WriteMode::CreateNew).unwrap();
    keychain.world().calls.clear();
    (keychain, store)
}

fn set(store: &KeychainStore, value: &str, mode: WriteMode) -> Result<()> {
    store.write_bytes("s", "u", &secret_bytes(value.as_bytes().to_vec()), mode)
}

fn get(store: &KeychainStore) -> Result<Option<String>> {
    let value = store.get_password("s", "u")?;
    Ok(value.map(|value| value.expose_secret().to_owned()))
}

fn entry() -> EntryName {
    EntryName::new("s", "u").expect("the name is valid")
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("it must fail").kind()
}

#[test]
fn an_item_says_what_it_is() {
    let (keychain, _) = with_entry(PromptPolicy::Never);
    let item = keychain.world().items[&entry()].clone();
    assert_eq!((item.label, item.kind.as_str()), (label(&entry()), KIND));
    assert_eq!(label(&entry()), "s: u");
    assert!(item.value == b"old", "other programs read it as it is");
}

#[test]
fn a_locked_keychain_is_locked_at_once_where_nobody_may_be_asked() {
    for (prompt, screen) in [(PromptPolicy::Never, true), (PromptPolicy::IfInteractive, false)] {
        let (keychain, store) = with_entry(prompt);
        keychain.world().locked = true;
        keychain.world().screen = screen;
        assert_eq!(kind(get(&store)), ErrorKind::Locked);
        assert_eq!(kind(store.get_password("s", "missing")), ErrorKind::Locked);
        assert_eq!(kind(set(&store, "new", WriteMode::Overwrite)), ErrorKind::Locked);
        assert_eq!(kind(store.delete_password("s", "u")), ErrorKind::Locked);
        assert_eq!(kind(store.probe()), ErrorKind::Locked);
        assert_eq!(keychain.world().prompts, 0);
        assert!(keychain.world().items[&entry()].value == b"old");
    }
}

#[test]
fn a_locked_keychain_is_unlocked_by_the_user_who_may_be_asked() {
    let (keychain, store) = with_entry(PromptPolicy::IfInteractive);
    keychain.world().locked = true;
    assert_eq!(get(&store).unwrap().as_deref(), Some("old"));
    assert_eq!(keychain.world().prompts, 1);
}

#[test]
fn names_are_read_without_a_prompt_from_a_locked_keychain_and_from_items_of_others() {
    let (keychain, store) = with_entry(PromptPolicy::Always);
    let theirs = EntryName::new("s", "theirs").unwrap();
    keychain.world().put_foreign(&theirs, "v");
    keychain.world().locked = true;
    assert!(store.exists("s", "u").unwrap() && store.exists("s", "theirs").unwrap());
    assert!(!store.exists("s", "missing").unwrap());
    assert_eq!(store.list("s").unwrap().len(), 2);
    assert_eq!(keychain.world().prompts, 0);
    let calls = [Call::Find, Call::Find, Call::Find, Call::Accounts];
    assert_eq!(keychain.world().calls, calls, "no value was read");
}

#[test]
fn probing_asks_nobody_and_does_not_unlock() {
    let (keychain, store) = with_entry(PromptPolicy::Always);
    assert!(!store.probe().unwrap().provider.is_empty());
    keychain.world().locked = true;
    assert_eq!(kind(store.probe()), ErrorKind::Locked);
    assert!(keychain.world().locked && keychain.world().prompts == 0);
    assert_eq!(keychain.world().calls, [Call::Accounts, Call::Accounts]);
}

#[test]
fn a_program_that_may_not_use_the_data_protection_keychain_has_no_backend() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    keychain.fail(Call::Accounts, -34018);
    keychain.fail(Call::Read, -34018);
    let error = store.probe().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoBackend);
    assert!(error.hint().contains("access group"), "{}", error.hint());
    assert_eq!(kind(get(&store)), ErrorKind::NoBackend);
}

#[test]
fn a_keychain_that_is_not_there_is_never_an_empty_one() {
    let kinds = [
        (-25294, ErrorKind::NoBackend),
        (-25295, ErrorKind::Corrupt),
        (-25307, ErrorKind::NoDefaultCollection),
    ];
    for (status, expected) in kinds {
        let (keychain, store) = with_entry(PromptPolicy::Always);
        keychain.world().broken = Some(Status(status));
        assert_eq!(kind(get(&store)), expected);
        assert_eq!(kind(store.exists("s", "u")), expected);
        assert_eq!(kind(store.list("s")), expected);
        assert_eq!(kind(store.delete_password("s", "u")), expected);
        assert_eq!(kind(set(&store, "new", WriteMode::Overwrite)), expected);
        assert_eq!(kind(store.probe()), expected);
    }
}

#[test]
fn what_the_user_answers_is_told_apart() {
    let (keychain, store) = with_entry(PromptPolicy::IfInteractive);
    keychain.world().put_foreign(&entry(), "theirs");
    keychain.world().answers = [Answer::Cancel, Answer::WrongPassword, Answer::Allow].into();
    assert_eq!(kind(get(&store)), ErrorKind::Dismissed);
    assert_eq!(kind(get(&store)), ErrorKind::AccessDenied);
    assert_eq!(get(&store).unwrap().as_deref(), Some("theirs"));
    assert_eq!(get(&store).unwrap().as_deref(), Some("theirs"));
    assert_eq!(keychain.world().prompts, 3, "always allowed is not asked again");
}

#[test]
fn a_prompt_that_nobody_can_see_is_not_a_refusal() {
    let (keychain, store) = with_entry(PromptPolicy::Always);
    keychain.world().put_foreign(&entry(), "theirs");
    keychain.world().screen = false;
    let error = get(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionNotAllowed);
    assert!(error.hint().contains("security unlock-keychain"), "{}", error.hint());
}

#[test]
fn a_prompt_that_must_not_be_shown_is_not_a_refusal_either() {
    for status in [-25308, -25293, -128] {
        let (keychain, store) = with_entry(PromptPolicy::Never);
        keychain.fail(Call::Read, status);
        assert_eq!(kind(get(&store)), ErrorKind::InteractionNotAllowed, "{status}");
    }
    let (keychain, store) = with_entry(PromptPolicy::Never);
    keychain.world().put_foreign(&entry(), "theirs");
    assert_eq!(kind(get(&store)), ErrorKind::InteractionNotAllowed);
    assert_eq!(keychain.world().prompts, 0);
}

#[test]
fn a_program_whose_signature_changed_is_told_to_sign() {
    let (keychain, store) = with_entry(PromptPolicy::IfInteractive);
    keychain.fail(Call::Read, -67050);
    let error = get(&store).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(error.hint().contains("codesign"), "{}", error.hint());
    assert_eq!(error.entry(), Some(&entry()));
}

#[test]
fn the_switch_for_prompts_is_off_during_a_silent_call_and_back_after_any_end_of_it() {
    for (prompt, on_inside) in [(PromptPolicy::Never, false), (PromptPolicy::Always, true)] {
        let (keychain, store) = with_entry(prompt);
        let (sender, receiver) = mpsc::channel();
        keychain.before(Call::Read, move |world| sender.send(world.switch).unwrap());
        get(&store).unwrap();
        assert_eq!(receiver.recv(), Ok(on_inside));
        assert!(keychain.world().switch);

        keychain.fail(Call::Update, -25293);
        set(&store, "new", WriteMode::Overwrite).unwrap_err();
        assert!(keychain.world().switch, "after an error");

        keychain.before(Call::Read, |_| panic!("inside the call"));
        assert!(thread::scope(|scope| scope.spawn(|| get(&store)).join()).is_err());
        assert!(keychain.world().switch, "after a panic");
    }
}

#[test]
fn an_overwrite_updates_what_is_there_and_keeps_all_else_of_it() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    keychain.world().put_foreign(&entry(), "theirs");
    set(&store, "new", WriteMode::Overwrite).unwrap();
    let world = keychain.world();
    assert_eq!(world.calls, [Call::Update], "one call, no deletion");
    assert!(world.items[&entry()].value == b"new");
    assert!(!world.items[&entry()].trusts_us && world.items[&entry()].label == "theirs");
}

#[test]
fn an_entry_that_another_process_adds_first_is_updated() {
    let keychain = Simulated::new();
    let store = on(&keychain, PromptPolicy::Never);
    keychain.before(Call::Add, |world| world.put_foreign(&entry(), "theirs"));
    set(&store, "ours", WriteMode::Overwrite).unwrap();
    assert_eq!(keychain.world().calls, [Call::Update, Call::Add, Call::Update]);
    assert!(keychain.world().items[&entry()].value == b"ours");
}

#[test]
fn an_entry_that_another_process_deletes_before_the_update_is_added() {
    let keychain = Simulated::new();
    let store = on(&keychain, PromptPolicy::Never);
    keychain.before(Call::Add, |world| world.put_foreign(&entry(), "theirs"));
    keychain.before(Call::Update, |_| {});
    keychain.before(Call::Update, |world| drop(world.items.remove(&entry())));
    set(&store, "ours", WriteMode::Overwrite).unwrap();
    let calls = [Call::Update, Call::Add, Call::Update, Call::Add];
    assert_eq!(keychain.world().calls, calls);
    assert!(keychain.world().items[&entry()].value == b"ours");
}

#[test]
fn an_item_that_vanished_under_the_update_is_added() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    keychain.world().items.clear();
    keychain.fail(Call::Update, -25304);
    set(&store, "new", WriteMode::Overwrite).unwrap();
    assert_eq!(get(&store).unwrap().as_deref(), Some("new"));
}

#[test]
fn a_race_that_never_ends_is_busy() {
    let keychain = Simulated::new();
    let store = on(&keychain, PromptPolicy::Never);
    for _ in 0..ATTEMPTS {
        keychain.fail(Call::Add, Status::DUPLICATE.0);
    }
    assert_eq!(kind(set(&store, "ours", WriteMode::Overwrite)), ErrorKind::Busy);
    assert!(keychain.world().items.is_empty());
}

#[test]
fn create_new_never_updates() {
    let keychain = Simulated::new();
    let store = on(&keychain, PromptPolicy::Never);
    keychain.before(Call::Add, |world| world.put_foreign(&entry(), "theirs"));
    assert_eq!(kind(set(&store, "ours", WriteMode::CreateNew)), ErrorKind::AlreadyExists);
    assert_eq!(keychain.world().calls, [Call::Add]);
    assert!(keychain.world().items[&entry()].value == b"theirs");
}

#[test]
fn an_entry_that_another_process_deletes_first_is_gone_and_no_error() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    keychain.before(Call::Delete, |world| world.items.clear());
    assert!(!store.delete_password("s", "u").unwrap());
    keychain.world().put_foreign(&entry(), "theirs");
    keychain.fail(Call::Read, -25304);
    assert_eq!(get(&store).unwrap(), None);
}

#[test]
fn a_write_that_fails_keeps_the_old_value() {
    for (status, expected) in
        [(-34, ErrorKind::Io), (-36, ErrorKind::Io), (-61, ErrorKind::AccessDenied)]
    {
        let (keychain, store) = with_entry(PromptPolicy::Never);
        keychain.fail(Call::Update, status);
        assert_eq!(kind(set(&store, "new", WriteMode::Overwrite)), expected);
        assert_eq!(get(&store).unwrap().as_deref(), Some("old"));
    }
}

#[test]
fn a_silent_call_gives_up_on_another_ones_prompt() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    let asking = Turn::take(&keychain, Mode::Asking, Duration::from_secs(20)).unwrap();
    let config = store.config.clone().with_deadline(Duration::from_millis(20));
    let impatient = KeychainStore { config, ..store };
    let error = get(&impatient).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.hint().contains("prompt"), "{}", error.hint());
    drop(asking);
    assert!(get(&impatient).is_ok());
}

#[test]
fn nothing_shown_holds_a_value() {
    let (keychain, store) = with_entry(PromptPolicy::Never);
    set(&store, "m4rk3r", WriteMode::Overwrite).unwrap();
    keychain.fail(Call::Update, -9999);
    let error = set(&store, "m4rk3r", WriteMode::Overwrite).unwrap_err();
    for shown in [format!("{store:?}"), format!("{error:?}"), error.to_string()] {
        assert!(!shown.contains("m4rk3r"), "{shown}");
    }
}
