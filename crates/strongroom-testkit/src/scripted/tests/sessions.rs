//! Sessions that end, and secrets that come back wrong.

use zbus::Variant;

use super::super::{DhBehaviour, Script};
use super::client::Fixture;

const DH: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";
const NO_SESSION: &str = "org.freedesktop.Secret.Error.NoSession";

#[test]
fn forgotten_worn_closed_and_foreign_sessions_are_gone() {
    let fixture = Fixture::start(Script::default());
    let (client, item) = (fixture.client(), fixture.item());
    let gone = || Err(NO_SESSION.to_owned());
    let session = client.plain_session();
    assert_eq!(client.get(&item, &session), Ok(b"value".to_vec()));
    assert_eq!(fixture.client().get(&item, &session), gone(), "sessions belong to connections");
    fixture.service.forget_sessions();
    assert_eq!(client.get(&item, &session), gone());
    assert_eq!(client.create(&session, b"new", false), gone().map(|_: Vec<u8>| unreachable!()));

    fixture.service.set(|script| script.drop_session_after = Some(2));
    let session = client.plain_session();
    assert!(client.get(&item, &session).is_ok() && client.get(&item, &session).is_ok());
    assert_eq!(client.get(&item, &session), gone());

    let session = client.plain_session();
    assert_eq!(client.call(session.as_str(), "Session.Close", &()), Ok(()));
    assert_eq!(client.get(&item, &session), gone());
}

#[test]
fn answers_are_empty() {
    let fixture = Fixture::start(Script { empty_answers: true, ..Script::default() });
    let (client, item) = (fixture.client(), fixture.item());
    assert_eq!(client.get(&item, &client.plain_session()), Ok(vec![]));
    assert_eq!(fixture.service.items()[0].secret, b"value");
}

#[test]
fn bytes_above_ascii_are_damaged_unless_they_are_text() {
    let fixture = Fixture::start(Script { damage_high_bytes: true, ..Script::default() });
    let (client, item) = (fixture.client(), fixture.item());
    let session = client.plain_session();
    let value = [0x00, 0x7f, 0x80, 0xff];
    client.set(&item, &session, &value, "application/octet-stream").expect("an answer");
    assert_eq!(client.get(&item, &session), Ok(vec![0x00, 0x7f, b'?', b'?']));
    client.set(&item, &session, &value, "text/plain").expect("an answer");
    assert_eq!(client.get(&item, &session), Ok(value.to_vec()));
}

#[test]
fn encryption_is_refused_and_plain_works() {
    let dh = DhBehaviour::Refused;
    let fixture = Fixture::start(Script { dh, ..Script::default() });
    let client = fixture.client();
    let refused = client.open(DH, Variant::from(vec![2u8; 128])).expect_err("no cryptography");
    assert_eq!(refused, "org.freedesktop.DBus.Error.NotSupported");
    client.plain_session();
}

#[test]
fn the_servers_key_is_whole_stripped_or_empty() {
    let fixture = Fixture::start(Script::default());
    let client = fixture.client();
    let key_length = |dh| {
        fixture.service.set(|script| script.dh = dh);
        let (key, _) = client.open(DH, Variant::from(vec![2u8; 128])).expect("a session");
        Vec::<u8>::try_from(key).expect("bytes").len()
    };
    assert_eq!(key_length(DhBehaviour::Proper), 128);
    assert!(key_length(DhBehaviour::PublicKeyStripped) < 128);
    assert_eq!(key_length(DhBehaviour::EmptyAnswer), 0);
}

#[test]
fn a_short_client_key_is_refused() {
    let dh = DhBehaviour::ShortClientKeyRefused;
    let fixture = Fixture::start(Script { dh, ..Script::default() });
    let client = fixture.client();
    let short = client.open(DH, Variant::from(vec![2u8; 127])).expect_err("too short");
    assert_eq!(short, "org.freedesktop.DBus.Error.InvalidArgs");
    client.open(DH, Variant::from(vec![2u8; 128])).expect("a session");
}
