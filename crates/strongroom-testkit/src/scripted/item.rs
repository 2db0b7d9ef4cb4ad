//! The interface of an item.

use zbus::OwnedObjectPath;

use super::call::{Call, Failure, Reply, WireSecret, no_path};
use super::collection::writable;
use super::run::Context;
use super::state::now;
use super::{prompt, session};

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.Secret.Item";

/// Answers a call to an item.
pub(super) async fn answer(context: &Context, call: &Call) -> Reply {
    // Before the method: a call to an item that is gone fails with `NoSuchObject`, also if the method is unknown.
    context.shared.with(|state| state.item(&call.path).map(drop))?;
    match call.member.as_str() {
        "GetSecret" => get_secret(context, call),
        "SetSecret" => set_secret(context, call).await,
        "Delete" => delete(context, call).await,
        _ => Err(Failure::unknown_method(call)),
    }
}

fn get_secret(context: &Context, call: &Call) -> Reply {
    let session: OwnedObjectPath = call.args()?;
    let secret = context.shared.with(|state| {
        session::use_once(state, call, session.as_str())?;
        if state.script.locked {
            return Err(Failure::is_locked());
        }
        session::seal(state, session.as_str(), &call.path)
    })?;
    call.reply(&(secret,))
}

async fn set_secret(context: &Context, call: &Call) -> Reply {
    writable(context, call).await?;
    let (secret,): (WireSecret,) = call.args()?;
    context.shared.with(|state| {
        let (secret, content_type) = session::unseal(state, call, secret)?;
        let item = state.item(&call.path)?;
        (item.secret, item.content_type, item.modified) = (secret, content_type, now());
        Ok::<_, Failure>(())
    })?;
    call.reply(&())
}

async fn delete(context: &Context, call: &Call) -> Reply {
    writable(context, call).await?;
    let prompt = context.shared.with(|state| {
        if state.script.prompt_on_write {
            return prompt::raise(state, prompt::Action::DeleteItem(call.path.clone()));
        }
        state.items.remove(&call.path);
        Ok(no_path())
    })?;
    call.reply(&prompt)
}
