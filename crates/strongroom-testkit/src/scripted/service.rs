//! The interface of the service.

use std::collections::HashMap;

use zbus::OwnedObjectPath;

use super::call::{
    Attributes, Call, Failure, Properties, Reply, WireSecret, no_path, wire_path, wire_paths,
};
use super::run::Context;
use super::script::LockedReads;
use super::state::{ROOT, State};
use super::{prompt, session};

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.Secret.Service";

/// Answers a call to the service.
pub(super) async fn answer(context: &Context, call: &Call) -> Reply {
    if call.path != ROOT {
        return Err(Failure::no_such_object(&call.path));
    }
    match call.member.as_str() {
        "OpenSession" => session::open(context, call),
        "CreateCollection" => create_collection(context, call),
        "SearchItems" => search_items(context, call),
        "Unlock" => unlock(context, call),
        "Lock" => lock(context, call),
        "GetSecrets" => get_secrets(context, call),
        "ReadAlias" => read_alias(context, call),
        "SetAlias" => set_alias(context, call),
        _ => Err(Failure::unknown_method(call)),
    }
}

fn create_collection(context: &Context, call: &Call) -> Reply {
    let (mut properties, alias): (Properties, String) = call.args()?;
    let label = properties.remove("org.freedesktop.Secret.Collection.Label");
    let label = label.map(String::try_from).transpose()?.unwrap_or_default();
    // By the specification, an existing collection with this alias is returned.
    let answer = context.shared.with(|state| match state.alias(&alias) {
        Some(path) => Ok((wire_path(path)?, no_path())),
        None => {
            let action = prompt::Action::CreateCollection { label, alias };
            Ok::<_, Failure>((no_path(), prompt::raise(state, action)?))
        }
    })?;
    call.reply(&answer)
}

fn search_items(context: &Context, call: &Call) -> Reply {
    let attributes: Attributes = call.args()?;
    let (unlocked, locked) = context.shared.with(|state| {
        let found = state.search(None, &attributes);
        match state.script.locked_reads {
            _ if !state.shown_as_locked() => Ok((found, Vec::new())),
            LockedReads::EmptyResult if state.script.locked => Ok((Vec::new(), Vec::new())),
            LockedReads::ErrorIsLocked if state.script.locked => Err(Failure::is_locked()),
            _ => Ok((Vec::new(), found)),
        }
    })?;
    call.reply(&(wire_paths(&unlocked)?, wire_paths(&locked)?))
}

/// Returns the paths of the named objects that exist.
fn known(state: &State, objects: &[OwnedObjectPath]) -> Vec<String> {
    let names = objects.iter().map(|path| path.to_string());
    names.filter(|path| state.items.contains_key(path) || state.collection(path).is_ok()).collect()
}

fn unlock(context: &Context, call: &Call) -> Reply {
    let objects: Vec<OwnedObjectPath> = call.args()?;
    let answer = context.shared.with(|state| {
        let known = known(state, &objects);
        if !state.shown_as_locked() || known.is_empty() {
            return Ok::<_, Failure>((wire_paths(&known)?, no_path()));
        }
        Ok((Vec::new(), prompt::raise(state, prompt::Action::Unlock(known))?))
    })?;
    call.reply(&answer)
}

fn lock(context: &Context, call: &Call) -> Reply {
    let objects: Vec<OwnedObjectPath> = call.args()?;
    let known = context.shared.with(|state| {
        let known = known(state, &objects);
        // The script has a single lock for all collections.
        state.script.locked |= !known.is_empty();
        known
    });
    call.reply(&(wire_paths(&known)?, no_path()))
}

fn get_secrets(context: &Context, call: &Call) -> Reply {
    let (items, session): (Vec<OwnedObjectPath>, OwnedObjectPath) = call.args()?;
    let secrets = context.shared.with(|state| {
        session::use_once(state, call, session.as_str())?;
        let mut secrets: HashMap<OwnedObjectPath, WireSecret> = HashMap::new();
        if state.script.locked {
            return match state.script.locked_reads {
                LockedReads::ErrorIsLocked => Err(Failure::is_locked()),
                _ => Ok(secrets),
            };
        }
        for path in items {
            // By the specification, missing items are left out of the result.
            if state.items.contains_key(path.as_str()) {
                let secret = session::seal(state, session.as_str(), path.as_str())?;
                secrets.insert(path, secret);
            }
        }
        Ok(secrets)
    })?;
    call.reply(&secrets)
}

fn read_alias(context: &Context, call: &Call) -> Reply {
    let name: String = call.args()?;
    let path = context.shared.with(|state| state.alias(&name).cloned());
    call.reply(&path.map_or(Ok(no_path()), |path| wire_path(&path))?)
}

fn set_alias(context: &Context, call: &Call) -> Reply {
    let (name, path): (String, OwnedObjectPath) = call.args()?;
    context.shared.with(|state| {
        // By the specification, the path `/` removes an alias.
        if path == no_path() {
            state.aliases.remove(&name);
            return Ok(());
        }
        let real = state.collection(path.as_str())?;
        if name == "default" {
            state.script.no_default_collection = false;
        }
        state.aliases.insert(name, real);
        Ok::<_, Failure>(())
    })?;
    call.reply(&())
}
