//! Prompts: their actions and their interface.

use zbus::{OwnedObjectPath, Variant};

use super::call::{Call, Failure, Reply, wire_path, wire_paths};
use super::run::{Context, send_answer, sleep};
use super::script::PromptBehaviour;
use super::state::{COLLECTIONS, NewItem, ROOT, State};

/// The interface's name.
pub(super) const INTERFACE: &str = "org.freedesktop.Secret.Prompt";

/// The action of a prompt, which is carried out when the prompt completes.
pub(super) enum Action {
    Unlock(Vec<String>),
    CreateCollection { label: String, alias: String },
    CreateItem { item: NewItem, replace: bool },
    DeleteItem(String),
    DeleteCollection(String),
}

/// A prompt that has not ended.
pub(super) struct Pending {
    action: Action,
    /// If true, the prompt completes independently of the script.
    sure: bool,
}

/// Creates a prompt. Returns its path.
pub(super) fn raise(state: &mut State, action: Action) -> Result<OwnedObjectPath, Failure> {
    // An Unlock without a lock comes from `locked_property_lies`: KWallet shows no dialog then.
    let sure = matches!(action, Action::Unlock(_)) && !state.script.locked;
    let path = format!("{ROOT}/prompt/p{}", state.number());
    state.prompts.insert(path.clone(), Pending { action, sure });
    wire_path(&path)
}

/// Answers a call to a prompt. The reply is sent from here, because the signal must come after it.
pub(super) async fn answer(context: &Context, call: &Call) -> Reply {
    let behaviour = context.shared.with(|state| {
        let prompt = state.prompts.get(&call.path);
        let prompt = prompt.ok_or_else(|| Failure::no_such_object(&call.path))?;
        let scripted = state.script.prompts;
        Ok::<_, Failure>(if prompt.sure { PromptBehaviour::Complete } else { scripted })
    })?;
    let dismissing = match call.member.as_str() {
        "Prompt" => false,
        "Dismiss" => true,
        _ => return Err(Failure::unknown_method(call)),
    };
    if let Some(reply) = call.reply(&())? {
        send_answer(context, call, &reply).await;
    }
    match behaviour {
        _ if dismissing => finish(context, &call.path, true).await?,
        PromptBehaviour::Complete => finish(context, &call.path, false).await?,
        PromptBehaviour::Dismiss => finish(context, &call.path, true).await?,
        PromptBehaviour::Never => {}
        PromptBehaviour::CompleteAfter(wait) => {
            sleep(wait).await;
            finish(context, &call.path, false).await?;
        }
    }
    Ok(None)
}

/// Ends a prompt, unless it has ended meanwhile.
async fn finish(context: &Context, path: &str, dismissed: bool) -> Result<(), Failure> {
    let result = context.shared.with(|state| {
        let Some(prompt) = state.prompts.remove(path) else {
            return Ok(None);
        };
        let result = if dismissed { Ok(Variant::from("")) } else { complete(state, prompt.action) };
        result.map(Some)
    });
    // If the action has become impossible, the client sees a dismissed prompt.
    let (dismissed, result) = match result {
        Ok(None) => return Ok(()),
        Ok(Some(result)) => (dismissed, result),
        Err(Failure { .. }) => (true, Variant::from("")),
    };
    let nobody = None::<zbus::names::BusName<'_>>;
    let body = (dismissed, result);
    context.connection.emit_signal(nobody, path, INTERFACE, "Completed", &body).await?;
    Ok(())
}

/// Carries out the action of a prompt. Returns the result for the signal.
fn complete(state: &mut State, action: Action) -> Result<Variant<'static>, Failure> {
    match action {
        Action::Unlock(objects) => {
            state.script.locked = false;
            state.unlock_seen = true;
            let paths = wire_paths(&objects)?;
            Ok(Variant::from(paths.into_iter().map(|path| path.into_inner()).collect::<Vec<_>>()))
        }
        Action::CreateCollection { label, alias } => {
            let path = create_collection(state, &label, &alias);
            Ok(wire_path(&path)?.into())
        }
        Action::CreateItem { item, replace } => {
            state.collection(&item.collection)?;
            let path = state.store(item, replace);
            Ok(wire_path(&path)?.into())
        }
        Action::DeleteItem(path) => {
            state.items.remove(&path);
            Ok(Variant::from(""))
        }
        Action::DeleteCollection(path) => {
            delete_collection(state, &path);
            Ok(Variant::from(""))
        }
    }
}

fn create_collection(state: &mut State, label: &str, alias: &str) -> String {
    let word: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut path = format!("{COLLECTIONS}{}", word.to_lowercase());
    if word.is_empty() || state.collections.contains_key(&path) {
        path = format!("{COLLECTIONS}{}{}", word.to_lowercase(), state.number());
    }
    state.ensure_collection(&path, label);
    if !alias.is_empty() {
        state.aliases.insert(alias.into(), path.clone());
    }
    if alias == "default" {
        state.script.no_default_collection = false;
    }
    path
}

/// Deletes a collection with its items and aliases.
pub(super) fn delete_collection(state: &mut State, path: &str) {
    state.collections.remove(path);
    state.items.retain(|_, item| item.collection != path);
    state.aliases.retain(|_, target| target != path);
}
