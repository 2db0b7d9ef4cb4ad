//! `move`: moves a vault to another backend.

use serde_json::json;
use strongroom::blocking::SecretManager;
use strongroom::moves::{MoveStep, Moved};
use strongroom::{Backend, ErrorKind, Layout};

use crate::answer::answer;
use crate::args::{LayoutName, Move, Origin};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::input;
use crate::output::{Output, question};
use crate::settings::Settings;
use crate::store::quietly;
use crate::words::{counted, printable};

/// Moves the vault, and says where it is now.
pub(super) fn run(flags: &Move, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let config = settings.keeping_lines(flags.keep_lines).config(settings.deadlines.call);
    let config = match flags.from {
        Some(Origin::Entries) => config.layout(Layout::Entries),
        None => config,
    };
    // This only looks at the layout. An error is left to the move, which meets it again.
    let found = quietly(settings, || config.clone().open_blocking()).ok();
    let layout = layout(flags, found.as_ref().map(SecretManager::layout));
    // Consent is needed only where something would be lost: secrets that a store keeps for good.
    let is_kept = found.is_some_and(|vault| vault.is_persistent() && !is_empty(&vault));
    if is_kept && flags.to == Backend::Keyutils && !flags.session_store {
        agree(flags.to, settings, output)?;
    }
    let is_shown = output.shows_progress();
    let moved = config.move_to(flags.to, layout, |step| {
        if is_shown {
            // A terminal that is gone is no reason to stop.
            let _ = question(&describe(step));
        }
    })?;
    let aside = moved.put_aside.as_ref().map(|path| path.display().to_string());
    output.result(
        || shown(&moved, layout, aside.as_deref(), settings),
        || {
            let fields = json!({
                "from": moved.from, "to": moved.to, "secret_count": moved.secrets,
                "put_aside": aside.iter().collect::<Vec<_>>(),
            });
            answer(fields, &settings.service, &moved)
        },
    )?;
    Ok(Exit::Done)
}

/// Returns the layout after the move, of a vault with this layout.
fn layout(flags: &Move, found: Option<Layout>) -> Layout {
    match (flags.layout, found) {
        (Some(LayoutName::Inline), _) => Layout::Inline,
        (Some(LayoutName::Sealed), _) => Layout::Sealed,
        (Some(LayoutName::Entries), _) => Layout::Entries,
        // Entries stay entries, unless `--from entries` moves them into a vault.
        (None, Some(Layout::Entries)) if flags.from.is_none() => Layout::Entries,
        (None, _) => Layout::Inline,
    }
}

fn shown(moved: &Moved, layout: Layout, aside: Option<&str>, settings: &Settings) -> String {
    let (secrets, from, to) = (counted(moved.secrets), moved.from, moved.to);
    let service = printable(&settings.service);
    let mut text = match (from == to, layout) {
        (true, Layout::Entries) => {
            format!("Moved {secrets} of \"{service}\" into entries of their own, in {to}.\n")
        }
        (true, _) => format!("Moved {secrets} of \"{service}\" into one vault, in {to}.\n"),
        _ => format!("Moved {secrets} of \"{service}\" from {from} to {to}.\n"),
    };
    if let Some(aside) = aside {
        text += &format!("A file was in the way. It is kept: {aside}\n");
    }
    text
}

/// Asks before secrets go where a restart deletes them.
fn agree(to: Backend, settings: &Settings, output: &mut Output) -> Result<()> {
    let instead = "Say so beforehand with --session-store.";
    let question = format!("{to} forgets all secrets at the next restart. Move them there (y/n)? ");
    if settings.may_ask && input::agrees(&question, instead, output)? {
        return Ok(());
    }
    let message = format!("{to} forgets all secrets at the next restart; nothing was moved");
    Err(match settings.may_ask {
        true => Failure::new(Exit::Locked, ErrorKind::Dismissed.code(), message, instead),
        false => Failure::usage(message, instead),
    })
}

fn is_empty(vault: &SecretManager) -> bool {
    vault.list().is_ok_and(|secrets| secrets.is_empty())
}

fn describe(step: MoveStep) -> String {
    match step {
        MoveStep::Copy(secrets) => format!("Copying {}\n", counted(secrets)),
        MoveStep::Verify => "Reading them back\n".to_owned(),
        MoveStep::Delete => "Deleting the old vault\n".to_owned(),
        _ => String::new(),
    }
}
