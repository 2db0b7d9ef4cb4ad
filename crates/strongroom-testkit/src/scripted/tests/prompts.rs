//! Prompts that are agreed to, dismissed, or left alone.

use std::collections::HashMap;
use std::time::Instant;

use zbus::{ObjectPath, OwnedObjectPath, Variant};

use super::super::{PromptBehaviour, Script};
use super::client::{A_WHILE, Created, Fixture, LOGIN, NONE, ROOT, completed};

fn locked(prompts: PromptBehaviour) -> Script {
    Script { locked: true, prompts, ..Script::default() }
}

#[test]
fn a_prompt_that_nobody_answers_ends_with_dismiss() {
    let fixture = Fixture::start(locked(PromptBehaviour::Never));
    let client = fixture.client();
    let (_, prompt) = client.unlock(LOGIN);
    let mut completions = client.listen();
    let called: Result<(), _> = client.call(prompt.as_str(), "Prompt.Prompt", &"");
    called.expect("an answer");
    assert!(client.locked(), "nothing happens");
    let dismissed: Result<(), _> = client.call(prompt.as_str(), "Prompt.Dismiss", &());
    dismissed.expect("an answer");
    assert!(completed(&mut completions).0);
    assert!(client.locked());
    let again: Result<(), _> = client.call(prompt.as_str(), "Prompt.Dismiss", &());
    assert_eq!(again, Err("org.freedesktop.Secret.Error.NoSuchObject".into()));
    let calls = fixture.service.calls();
    let dismissals = calls.iter().filter(|call| *call == "Prompt.Dismiss");
    assert_eq!(dismissals.count(), 2);
}

#[test]
fn a_prompt_is_dismissed() {
    let fixture = Fixture::start(locked(PromptBehaviour::Dismiss));
    let client = fixture.client();
    let (_, prompt) = client.unlock(LOGIN);
    assert!(client.prompt(&prompt).0);
    assert!(client.locked());
}

#[test]
fn a_prompt_is_agreed_to_after_a_while() {
    let fixture = Fixture::start(locked(PromptBehaviour::CompleteAfter(A_WHILE)));
    let client = fixture.client();
    let (_, prompt) = client.unlock(LOGIN);
    let started = Instant::now();
    assert!(!client.prompt(&prompt).0);
    assert!(started.elapsed() >= A_WHILE && !client.locked());
}

#[test]
fn the_default_collection_is_made_by_a_prompt() {
    let no_default_collection = true;
    let fixture = Fixture::start(Script { no_default_collection, ..Script::default() });
    let client = fixture.client();
    let alias = || client.call::<OwnedObjectPath>(ROOT, "Service.ReadAlias", &"default");
    assert_eq!(alias().expect("an answer").as_str(), NONE);
    let label = ("org.freedesktop.Secret.Collection.Label", Variant::from("My Keys"));
    let arguments = (HashMap::from([label]), "default");
    let (none, prompt): Created =
        client.call(ROOT, "Service.CreateCollection", &arguments).expect("an answer");
    assert_eq!(none.as_str(), NONE);
    let (dismissed, result) = client.prompt(&prompt);
    let made = ObjectPath::try_from(result).expect("a path");
    assert!(!dismissed);
    assert_eq!(made.as_str(), "/org/freedesktop/secrets/collection/mykeys");
    assert_eq!(*alias().expect("an answer"), made);
    client.create(&client.plain_session(), b"value", false).expect("a collection");
}

#[test]
fn writes_wait_for_their_prompt() {
    let fixture = Fixture::start(Script { prompt_on_write: true, ..Script::default() });
    let client = fixture.client();
    let session = client.plain_session();
    let (none, prompt) = client.create(&session, b"value", true).expect("an answer");
    assert_eq!(none.as_str(), NONE);
    assert_eq!(fixture.service.items(), []);
    let (_, made) = client.prompt(&prompt);
    let made = ObjectPath::try_from(made).expect("a path");
    assert_eq!(client.get(made.as_str(), &session), Ok(b"value".to_vec()));
    let prompt: OwnedObjectPath =
        client.call(made.as_str(), "Item.Delete", &()).expect("an answer");
    assert_eq!(fixture.service.items().len(), 1);
    assert!(!client.prompt(&prompt).0);
    assert_eq!(fixture.service.items(), []);
}
