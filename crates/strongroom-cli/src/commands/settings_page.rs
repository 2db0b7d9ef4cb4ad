//! `settings`: the page in the browser, for as long as it is used.

mod browser;

use std::env;
use std::net::Ipv4Addr;

use serde_json::json;
use strongroom::blocking::SecretManager;
use strongroom_settings::{ConfigExport, ConfigMigration};

use super::config::own_file;
use super::doctor::findings;
use crate::answer::answer;
use crate::args::SettingsPage;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::Output;
use crate::settings::Settings;
use crate::vault;

/// Serves the page until it is no longer used.
pub(super) fn run(flags: &SettingsPage, settings: &Settings, output: &mut Output) -> Result<Exit> {
    let vault = vault::open(settings)?;
    let page = page(&vault, flags, settings)?;
    let server = match flags.port {
        Some(port) => page.bind((Ipv4Addr::LOCALHOST, port))?,
        None => page.bind_fresh()?,
    };
    // The handler is there before the link is shown: the user may press Ctrl-C from then on.
    let end = told_to_end();
    let link = server.link();
    let fields = json!({ "link": link });
    output.result(|| format!("{link}\n"), || answer(fields, &settings.service, &vault))?;
    let shows_browser = !flags.no_browser && has_screen();
    let program = &settings.application.program;
    // Dropping the file deletes it, so it is kept as long as the page.
    let _file = match shows_browser.then(|| browser::open(&server.entry_page(), program)) {
        Some(Ok(file)) => {
            output.confirm("Your browser opens the page. If it doesn't, open the link above, which works once.");
            Some(file)
        }
        Some(Err(error)) => {
            let warning = format!("no browser could be started: {error}. Open the link above");
            output.warning("no_browser", warning);
            None
        }
        None => {
            output.confirm("Open the link above in a browser on this machine. It works once.");
            None
        }
    };
    output.confirm("Ctrl-C ends the page; so do ten minutes without use.");
    // The link has to be readable while the page is served.
    output.finish()?;
    server.run_blocking(end)?;
    Ok(Exit::Done)
}

/// Returns a future that completes with Ctrl-C, the end of the terminal, or that of the system. If the program handles these
/// itself, the future never completes, and the page ends with the program.
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
        .health(move || {
            let found = health.config(health.deadlines.call).inspect();
            findings(&found, Some(in_use), true)
        });
    if let Some(home) = env::home_dir().filter(|home| home.is_absolute()) {
        page = page.export(ConfigExport::new(settings.service.as_str(), vault.clone(), home));
    }
    if let Some(file) = own_file(flags.config.as_deref(), settings)? {
        page = page.migration(ConfigMigration::new(file, vault.clone()));
    }
    Ok(page.build()?)
}

/// Returns whether a browser would have a window. Without a screen, a text browser would take the terminal.
fn has_screen() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .into_iter()
            .any(|variable| env::var_os(variable).is_some_and(|value| !value.is_empty()))
}
