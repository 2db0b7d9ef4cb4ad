//! `move`: a vault goes from one backend to another.

use serde_json::json;
use strongroom::{Layout, MoveStep, SecretManager};

use crate::args::{LayoutName, Move};
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Output, question};
use crate::protection::with_protection;
use crate::settings::Settings;
use crate::store::quietly;
use crate::vault::open;
use crate::words::{counted, printable};

/// Moves the vault, and says where it is now.
pub(super) fn run(flags: &Move, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let options = settings.options(settings.deadlines.call);
    let vault = SecretManager::builder(settings.service.as_str()).options(options);
    let layout = match flags.layout {
        Some(LayoutName::Inline) => Layout::Inline,
        Some(LayoutName::Sealed) => Layout::Sealed,
        Some(LayoutName::Entries) => Layout::Entries,
        None => same_kind(settings),
    };
    let is_shown = output.shows_progress();
    let moved = vault.move_to(flags.to, layout, |step| {
        if is_shown {
            // A terminal that is gone is no reason to stop.
            let _ = question(&told(step));
        }
    })?;
    let service = printable(&settings.service);
    let aside = moved.put_aside.as_ref().map(|path| path.display().to_string());
    output.result(
        || {
            let (secrets, from, to) = (counted(moved.secrets), moved.from, moved.to);
            let mut text = match (from == to, layout) {
                (true, Layout::Entries) => {
                    format!(
                        "Moved {secrets} of \"{service}\" into entries of their own, in {to}.\n"
                    )
                }
                (true, _) => format!("Moved {secrets} of \"{service}\" into one vault, in {to}.\n"),
                _ => format!("Moved {secrets} of \"{service}\" from {from} to {to}.\n"),
            };
            if let Some(aside) = &aside {
                text += &format!("A file was in the way. It is kept: {aside}\n");
            }
            text
        },
        || {
            let answer = json!({
                "service": settings.service, "from": moved.from.name(), "to": moved.to.name(),
                "secrets": moved.secrets, "put_aside": aside,
            });
            with_protection(answer, &moved)
        },
    )?;
    Ok(Exit::Done)
}

/// Entries stay entries. What can't be read now is for the move to say.
fn same_kind(settings: &Settings) -> Layout {
    match quietly(settings, || open(settings)).map(|vault| vault.layout()) {
        Ok(Layout::Entries) => Layout::Entries,
        _ => Layout::Inline,
    }
}

fn told(step: MoveStep) -> String {
    match step {
        MoveStep::Copy(secrets) => format!("Copying {}\n", counted(secrets)),
        MoveStep::Verify => "Reading them back\n".to_owned(),
        MoveStep::Delete => "Deleting the old vault\n".to_owned(),
        _ => String::new(),
    }
}
