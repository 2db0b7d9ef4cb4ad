//! The interface of a collection, which is addressed by its path or by an alias.

use super::call::{
    Attributes, Call, Failure, Properties, Reply, WireSecret, no_path, wire_path, wire_paths,
};
use super::run::Context;
use super::script::{LockedReads, LockedWrites};
use super::state::NewItem;
use super::{prompt, session};

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.Secret.Collection";

/// Answers a call to a collection.
pub(super) async fn answer(context: &Context, call: &Call) -> Reply {
    let path = context.shared.with(|state| state.collection(&call.path))?;
    match call.member.as_str() {
        "SearchItems" => search_items(context, call, &path),
        "CreateItem" => create_item(context, call, path).await,
        "Delete" => delete(context, call, path).await,
        _ => Err(Failure::unknown_method(call)),
    }
}

/// Checks that a write is possible. If the service is locked, the write fails or hangs.
pub(super) async fn writable(context: &Context, call: &Call) -> Result<(), Failure> {
    let hangs = context.shared.with(|state| state.script.locked_writes == LockedWrites::Hang);
    if hangs && is_locked(context) {
        context.shared.hang(call.arrived).await;
    }
    // Read again: the test may have unlocked the service while the call hung.
    if is_locked(context) { Err(Failure::is_locked()) } else { Ok(()) }
}

fn is_locked(context: &Context) -> bool {
    context.shared.with(|state| state.script.locked)
}

fn search_items(context: &Context, call: &Call, path: &str) -> Reply {
    let attributes: Attributes = call.args()?;
    let found = context.shared.with(|state| match state.script.locked_reads {
        LockedReads::EmptyResult if state.script.locked => Ok(Vec::new()),
        LockedReads::ErrorIsLocked if state.script.locked => Err(Failure::is_locked()),
        _ => Ok(state.search(Some(path), &attributes)),
    })?;
    call.reply(&wire_paths(&found)?)
}

async fn create_item(context: &Context, call: &Call, collection: String) -> Reply {
    writable(context, call).await?;
    let (properties, secret, replace): (Properties, WireSecret, bool) = call.args()?;
    let item = context.shared.with(|state| {
        let (secret, content_type) = session::unseal(state, call, secret)?;
        let (label, attributes) = described(properties)?;
        Ok::<_, Failure>(NewItem { collection, label, attributes, secret, content_type })
    })?;
    let hangs = context
        .shared
        .with(|state| replace && state.script.replace_hangs && state.twin(&item).is_some());
    if hangs {
        context.shared.hang(call.arrived).await;
    }
    let answer = context.shared.with(|state| {
        if state.script.prompt_on_write {
            let action = prompt::Action::CreateItem { item, replace };
            return Ok((no_path(), prompt::raise(state, action)?));
        }
        let path = state.store(item, replace);
        Ok::<_, Failure>((wire_path(&path)?, no_path()))
    })?;
    call.reply(&answer)
}

/// Returns the label and the attributes from the properties of a new item.
fn described(mut properties: Properties) -> Result<(String, Attributes), Failure> {
    let label = properties.remove("org.freedesktop.Secret.Item.Label");
    let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes");
    let label = label.map(String::try_from).transpose()?.unwrap_or_default();
    let attributes = attributes.map(Attributes::try_from).transpose()?.unwrap_or_default();
    Ok((label, attributes))
}

async fn delete(context: &Context, call: &Call, path: String) -> Reply {
    writable(context, call).await?;
    let prompt = context.shared.with(|state| {
        if state.script.prompt_on_write {
            return prompt::raise(state, prompt::Action::DeleteCollection(path));
        }
        prompt::delete_collection(state, &path);
        Ok(no_path())
    })?;
    call.reply(&prompt)
}
