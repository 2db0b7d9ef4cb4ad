//! `settings`: the page in the browser, for as long as somebody uses it.

use std::env;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;

use serde_json::json;
use strongroom::blocking::SecretManager;
use strongroom::inspect;
use strongroom_settings::{ConfigExport, ConfigMigration};
use tempfile::NamedTempFile;

use super::config::own_file;
use super::doctor::findings;
use crate::args::SettingsPage;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;
use crate::settings::Settings;
use crate::vault;

/// Serves the page until nobody uses it any more.
pub(super) fn run(flags: &SettingsPage, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let vault = vault::open(settings)?;
    let server = page(&vault, flags, settings)?.bind((Ipv4Addr::LOCALHOST, flags.port))?;
    // Before anybody can know that there is a page to end.
    let end = told_to_end();
    let link = server.link();
    output.result(|| format!("{link}\n"), || json!({ "link": link }))?;
    let shows_browser = !flags.no_browser && has_screen();
    // It is there for as long as the page is.
    let _redirect = match shows_browser.then(|| redirect(link).and_then(opened)) {
        Some(Ok(redirect)) => {
            output.confirm("Your browser opens the page. If it doesn't, open the link above, which works once.");
            Some(redirect)
        }
        Some(Err(error)) => {
            output.warning(format_args!(
                "no browser could be started: {error}. Open the link above."
            ));
            None
        }
        None => {
            output.confirm("Open the link above in a browser on this machine. It works once.");
            None
        }
    };
    output.confirm("Ctrl-C ends the page; so do ten minutes without use.");
    server.run_blocking(end)?;
    Ok(Exit::Done)
}

/// Ctrl-C, the end of the terminal, or the system's. A program that handles these itself ends the page with itself.
fn told_to_end() -> impl Future<Output = ()> {
    let (sender, told) = async_channel::bounded(1);
    let handled = ctrlc::set_handler(move || _ = sender.try_send(()));
    async move {
        match handled {
            Ok(()) => drop(told.recv().await),
            Err(_) => std::future::pending().await,
        }
    }
}

fn page(
    vault: &SecretManager,
    flags: &SettingsPage,
    settings: &Settings,
) -> Result<strongroom_settings::Settings> {
    let (health, in_use) = (settings.clone(), vault.backend());
    let mut page = strongroom_settings::Settings::builder(vault.to_async())
        .title(settings.service.as_str())
        .export(ConfigExport::new(settings.service.as_str(), vault.clone()))
        .health(move || {
            let found = inspect(&health.options(health.deadlines.call));
            findings(&found, Some(in_use), &health)
        });
    if let Some(file) = own_file(flags.config.as_deref(), settings)? {
        page = page.migration(ConfigMigration::new(file, vault.clone()));
    }
    Ok(page.build()?)
}

/// Whether a browser would have a window: without one, a text browser would take the terminal.
fn has_screen() -> bool {
    let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(is_set)
}

/// A file that leads a browser to the link, which would be seen by other users if it were an argument.
fn redirect(link: &str) -> io::Result<NamedTempFile> {
    let directory = env::var_os("XDG_RUNTIME_DIR").map_or_else(env::temp_dir, Into::into);
    let mut file =
        tempfile::Builder::new().prefix("strongroom-").suffix(".html").tempfile_in(directory)?;
    let target = format!("<meta http-equiv=\"refresh\" content=\"0; url={link}\">");
    writeln!(file, "<!doctype html><title>Settings</title>{target}")?;
    file.flush()?;
    Ok(file)
}

fn opened(redirect: NamedTempFile) -> io::Result<NamedTempFile> {
    open::that_detached(redirect.path())?;
    Ok(redirect)
}
