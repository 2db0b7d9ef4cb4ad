//! The properties of the service, its collections and its items.

use zbus::{OwnedVariant, Variant};

use super::call::{Attributes, Call, Failure, Properties, Reply, wire_paths};
use super::collection::writable;
use super::run::Context;
use super::state::{ROOT, State};
use super::{collection, item, service};

type Values = Vec<(&'static str, Variant<'static>)>;

/// Answers a call to the properties interface of any object.
pub(super) async fn answer(context: &Context, call: &Call) -> Reply {
    match call.member.as_str() {
        "Get" => {
            let (interface, property): (String, String) = call.args()?;
            let values = context.shared.with(|state| values(state, &call.path, &interface))?;
            let value = values.into_iter().find(|(name, _)| *name == property);
            call.reply(&value.ok_or_else(|| unknown(&property))?.1)
        }
        "GetAll" => {
            let interface: String = call.args()?;
            let values = context.shared.with(|state| values(state, &call.path, &interface))?;
            let owned =
                values.into_iter().map(|(name, value)| Ok((name.into(), value.try_into()?)));
            call.reply(&owned.collect::<Result<Properties, zbus::Error>>()?)
        }
        "Set" => set(context, call).await,
        _ => Err(Failure::unknown_method(call)),
    }
}

fn unknown(property: &str) -> Failure {
    let text = format!("no property {property}");
    Failure::new("org.freedesktop.DBus.Error.UnknownProperty", text)
}

fn values(state: &mut State, path: &str, interface: &str) -> Result<Values, Failure> {
    match interface {
        service::INTERFACE if path == ROOT => {
            Ok(vec![("Collections", paths(state.collections.keys())?)])
        }
        collection::INTERFACE => collection_values(state, path),
        item::INTERFACE => item_values(state, path),
        _ => Err(Failure::no_such_object(path)),
    }
}

fn collection_values(state: &mut State, path: &str) -> Result<Values, Failure> {
    let path = state.collection(path)?;
    let locked = state.shown_as_locked();
    let items = state.items.iter().filter(|(_, item)| item.collection == path);
    let items = paths(items.map(|(path, _)| path))?;
    let collection = &state.collections[&path];
    Ok(vec![
        ("Items", items),
        ("Label", collection.label.clone().into()),
        ("Locked", locked.into()),
        ("Created", collection.created.into()),
        ("Modified", collection.modified.into()),
    ])
}

fn item_values(state: &mut State, path: &str) -> Result<Values, Failure> {
    let locked = state.shown_as_locked();
    let item = state.item(path)?;
    let schema = item.attributes.get("xdg:schema").cloned().unwrap_or_default();
    Ok(vec![
        ("Attributes", item.attributes.clone().into()),
        ("Label", item.label.clone().into()),
        ("Locked", locked.into()),
        ("Created", item.created.into()),
        ("Modified", item.modified.into()),
        ("Type", schema.into()),
    ])
}

fn paths<'a>(paths: impl IntoIterator<Item = &'a String>) -> Result<Variant<'static>, Failure> {
    let paths = wire_paths(paths)?.into_iter().map(|path| path.into_inner());
    Ok(Variant::from(paths.collect::<Vec<_>>()))
}

async fn set(context: &Context, call: &Call) -> Reply {
    let (interface, property, value): (String, String, OwnedVariant) = call.args()?;
    writable(context, call).await?;
    context.shared.with(|state| match (interface.as_str(), property.as_str()) {
        (collection::INTERFACE, "Label") => {
            let path = state.collection(&call.path)?;
            let collection = state.collections.get_mut(&path);
            collection.ok_or_else(|| Failure::no_such_object(&path))?.label = value.try_into()?;
            Ok(())
        }
        (item::INTERFACE, "Label") => {
            state.item(&call.path)?.label = value.try_into()?;
            Ok(())
        }
        (item::INTERFACE, "Attributes") => {
            state.item(&call.path)?.attributes = Attributes::try_from(value)?;
            Ok(())
        }
        _ => Err(unknown(&property)),
    })?;
    call.reply(&())
}
