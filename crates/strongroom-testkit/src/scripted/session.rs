//! Sessions: opening, encryption of secrets, and the interface.

use super::call::{Call, Failure, Reply, WireSecret, wire_path};
use super::dh::{self, Key};
use super::run::Context;
use super::script::DhBehaviour;
use super::state::{ROOT, State};
use zbus::Variant;

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.Secret.Session";

const PLAIN: &str = "plain";
const DH: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

/// An open session.
pub(super) struct Session {
    key: Option<Key>,
    owner: String,
    uses: u32,
}

/// Answers a call to a session.
pub(super) fn answer(context: &Context, call: &Call) -> Reply {
    if call.member != "Close" {
        return Err(Failure::unknown_method(call));
    }
    let known = context.shared.with(|state| state.sessions.remove(&call.path));
    known.ok_or_else(|| Failure::no_such_object(&call.path))?;
    call.reply(&())
}

/// Answers `OpenSession`.
pub(super) fn open(context: &Context, call: &Call) -> Reply {
    let (algorithm, input): (String, zbus::OwnedVariant) = call.args()?;
    let (output, path) = context.shared.with(|state| {
        let (output, key) = match (algorithm.as_str(), state.script.dh) {
            (PLAIN, _) => (Variant::from(""), None),
            (DH, DhBehaviour::FailsWith(name)) => {
                return Err(Failure::new(name, "no session of this kind"));
            }
            (DH, dh) if dh != DhBehaviour::Refused => {
                let client = Vec::<u8>::try_from(input)?;
                let agreement = dh::agree(&mut state.script.dh, &client)?;
                (Variant::from(agreement.public_key), Some(agreement.key))
            }
            _ => return Err(unsupported(&algorithm)),
        };
        let path = format!("{ROOT}/session/{}", state.number());
        let session = Session { key, owner: call.sender.clone(), uses: 0 };
        state.sessions.insert(path.clone(), session);
        Ok((output, path))
    })?;
    call.reply(&(output, wire_path(&path)?))
}

fn unsupported(algorithm: &str) -> Failure {
    let text = format!("the algorithm {algorithm} is not supported");
    Failure::new("org.freedesktop.DBus.Error.NotSupported", text)
}

/// Returns a session and counts a use of it. Only the connection that opened the session can use it, and the script may limit the
/// number of uses.
fn take<'a>(state: &'a mut State, call: &Call, path: &str) -> Result<&'a mut Session, Failure> {
    let most = state.script.drop_session_after.unwrap_or(u32::MAX);
    let session = state.sessions.get_mut(path).filter(|session| session.owner == call.sender);
    let session = session.ok_or_else(Failure::no_session)?;
    if session.uses >= most {
        return Err(Failure::no_session());
    }
    session.uses += 1;
    Ok(session)
}

/// Checks and counts a use of a session.
pub(super) fn use_once(state: &mut State, call: &Call, path: &str) -> Result<(), Failure> {
    take(state, call, path).map(drop)
}

/// Encrypts the secret of an item for a session. The caller must have counted the use.
pub(super) fn seal(state: &State, path: &str, item: &str) -> Result<WireSecret, Failure> {
    let session = state.sessions.get(path).ok_or_else(Failure::no_session)?;
    let item = state.items.get(item).ok_or_else(|| Failure::no_such_object(item))?;
    let secret = if state.script.empty_answers { &[][..] } else { &item.secret };
    let (parameters, value) = match &session.key {
        Some(key) => dh::encrypt(key, secret)?,
        None => (Vec::new(), secret.to_vec()),
    };
    Ok((wire_path(path)?, parameters, value, item.content_type.clone()))
}

/// Decrypts a secret from a client and counts a use of the session. Returns the secret as it is to be stored, and its
/// content type.
pub(super) fn unseal(
    state: &mut State,
    call: &Call,
    secret: WireSecret,
) -> Result<(Vec<u8>, String), Failure> {
    let (path, parameters, value, content_type) = secret;
    let session = take(state, call, path.as_str())?;
    let plain = match &session.key {
        Some(key) => dh::decrypt(key, &parameters, &value)?,
        None => value,
    };
    let stored = state.as_stored(plain, &content_type);
    Ok((stored, content_type))
}
