//! The behaviour of providers while they are locked.

use std::thread;

use zbus::OwnedObjectPath;

use super::super::{LockedReads, LockedWrites, PromptBehaviour, Script};
use super::client::{Fixture, LOGIN, NONE, ROOT};
use crate::wait::PATIENCE;

const IS_LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";

fn locked(locked_reads: LockedReads) -> Script {
    Script { locked: true, locked_reads, ..Script::default() }
}

#[test]
fn searching_lists_finds_nothing_or_fails() {
    let fixture = Fixture::start(locked(LockedReads::ListedAsLocked));
    let (client, item) = (fixture.client(), fixture.item());
    let path = OwnedObjectPath::try_from(item.as_str()).expect("a path");
    assert!(client.locked());
    assert_eq!(client.search(), Ok((vec![], vec![path.clone()])));
    fixture.service.set(|script| script.locked_reads = LockedReads::EmptyResult);
    assert_eq!(client.search(), Ok((vec![], vec![])));
    fixture.service.set(|script| script.locked_reads = LockedReads::ErrorIsLocked);
    assert_eq!(client.search(), Err(IS_LOCKED.into()));
    assert_eq!(client.get(&item, &client.plain_session()), Err(IS_LOCKED.into()));
    fixture.service.set(|script| script.locked = false);
    assert_eq!(client.search(), Ok((vec![path], vec![])));
}

#[test]
fn writing_fails() {
    let fixture = Fixture::start(locked(LockedReads::default()));
    let (client, item) = (fixture.client(), fixture.item());
    let session = client.plain_session();
    assert_eq!(client.create(&session, b"new", true), Err(IS_LOCKED.into()));
    assert_eq!(client.set(&item, &session, b"new", "text/plain"), Err(IS_LOCKED.into()));
    let deleted: Result<OwnedObjectPath, _> = client.call(&item, "Item.Delete", &());
    assert_eq!(deleted, Err(IS_LOCKED.into()));
    assert_eq!(fixture.service.items()[0].secret, b"value");
}

#[test]
fn writing_hangs_until_it_is_unlocked_and_released() {
    let locked_writes = LockedWrites::Hang;
    let fixture = Fixture::start(Script { locked_writes, ..locked(LockedReads::default()) });
    let (client, item) = (fixture.client(), fixture.item());
    let session = client.plain_session();
    thread::scope(|scope| {
        let write = scope.spawn(|| client.set(&item, &session, b"new", "text/plain"));
        assert!(fixture.service.wait_for_call("Item.SetSecret", 1, PATIENCE));
        assert!(fixture.client().locked() && !write.is_finished());
        fixture.service.set(|script| script.locked = false);
        fixture.service.answer_hung();
        write.join().expect("no panic").expect("an answer");
    });
    assert_eq!(fixture.service.items()[0].secret, b"new");
}

#[test]
fn locks_and_unlocks_through_a_prompt() {
    let fixture = Fixture::start(Script::default());
    let client = fixture.client();
    assert_eq!(client.unlock(LOGIN).1.as_str(), NONE, "nothing to unlock");
    let login = OwnedObjectPath::try_from(LOGIN).expect("a path");
    let answer: Result<(Vec<OwnedObjectPath>, OwnedObjectPath), _> =
        client.call(ROOT, "Service.Lock", &vec![login.clone()]);
    assert_eq!(answer.expect("an answer").0, std::slice::from_ref(&login));
    assert!(fixture.service.script().locked);
    let (unlocked, prompt) = client.unlock(LOGIN);
    assert_eq!(unlocked, []);
    let (dismissed, result) = client.prompt(&prompt);
    let result = Vec::<zbus::ObjectPath<'_>>::try_from(result).expect("paths");
    assert!(!dismissed && !client.locked());
    assert_eq!(result, [login.into_inner()]);
}

#[test]
fn says_locked_while_it_reads_until_a_prompt_was_used() {
    let fixture = Fixture::start(Script {
        locked_property_lies: true,
        prompts: PromptBehaviour::Never,
        ..Script::default()
    });
    let (client, item) = (fixture.client(), fixture.item());
    let session = client.plain_session();
    assert!(client.locked());
    assert_eq!(client.search().expect("an answer").1[0].as_str(), item);
    assert_eq!(client.get(&item, &session), Ok(b"value".to_vec()));
    assert_eq!(client.set(&item, &session, b"new", "text/plain"), Ok(()));
    let (_, prompt) = client.unlock(LOGIN);
    assert!(!client.prompt(&prompt).0);
    assert!(!client.locked());
    assert_eq!(client.search().expect("an answer").0[0].as_str(), item);
}
