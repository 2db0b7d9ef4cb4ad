//! `doctor`: the state of the service's secrets and of the stores, and the commands that mend it.

mod service;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use strongroom::Backend;
use strongroom::doctor::{Finding, Inspection, Severity, SpokenFinding, System, diagnose};
use strongroom::store::ChoiceReason;

use strongroom_files::{Source, read_text};

use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output, heading, marked};
use crate::settings::Settings;
use crate::voice::ProgramVoice;
use crate::words::printable;

/// Examines the service's secrets and all stores, and prints the findings.
pub(super) fn run(settings: &Settings, output: &mut Output) -> Result<Exit> {
    let started = Instant::now();
    let found = settings.config(settings.deadlines.call).inspect();
    // The deadline counts from the start of the inspection: a store that hangs is not waited for twice.
    let service = service::look(&found, started.elapsed(), settings)?;
    let of_service = spoken(&service.findings, settings);
    let in_use = in_use(service.place.as_ref(), settings.backend);
    let stores = spoken(&findings(&found, in_use, service.has_secrets), settings);
    let bus = session_bus();
    output.result(
        || describe(&of_service, &stores, in_use, &bus, settings),
        || {
            let mut answer = service.as_json(&of_service, settings);
            answer["session_bus"] = bus.as_str().into();
            answer["session_encrypted"] = session_encrypted(&found).into();
            answer["findings"] = json!(stores);
            answer
        },
    )?;
    Ok(service.exit)
}

/// Returns whether the Secret Service encrypts the session; `None` if no session was opened.
fn session_encrypted(found: &[Inspection]) -> Option<bool> {
    let service = found.iter().find(|it| it.backend == Backend::SecretService)?;
    service.capabilities?.session_encrypted
}

/// Returns the findings about stores. `in_use` is the backend where secrets are or would be kept.
pub(super) fn findings(
    found: &[Inspection],
    in_use: Option<Backend>,
    has_secrets: bool,
) -> Vec<Finding> {
    let os_release = os_release();
    let system = System::new()
        .os_release(&os_release)
        .is_root(is_root())
        .in_use(in_use)
        .has_secrets(has_secrets);
    diagnose(found, &system)
}

/// Returns findings in the words of this program, with the flags of these settings.
fn spoken(findings: &[Finding], settings: &Settings) -> Vec<SpokenFinding> {
    let voice = ProgramVoice::of(settings);
    findings.iter().map(|finding| finding.spoken_by(&voice)).collect()
}

/// Returns the backend whose state matters: the place of the secrets, or the platform's default if the secrets are in a
/// fallback. If the place is not known, it is the named backend, or the platform's default.
fn in_use(place: Option<&(Backend, ChoiceReason)>, named: Option<Backend>) -> Option<Backend> {
    match place {
        Some((_, ChoiceReason::Fallback(_))) => Backend::platform_default(),
        Some((backend, _)) => Some(*backend),
        None => named.or_else(Backend::platform_default),
    }
}

fn describe(
    of_service: &[SpokenFinding],
    stores: &[SpokenFinding],
    in_use: Option<Backend>,
    bus: &str,
    settings: &Settings,
) -> String {
    let name = printable(&settings.service);
    let mut text = format!("{}\n", heading(format_args!("Secrets of \"{name}\"")));
    text.extend(of_service.iter().map(paragraph));
    text += &format!("\n{}\n", heading("Stores that can keep secrets"));
    if cfg!(target_os = "linux") && !in_use.is_some_and(Backend::is_custom) {
        text += &format!("\nSession bus: {bus}\n");
    }
    // The store in use comes first. Problems of the other stores matter less.
    let (first, rest): (Vec<_>, Vec<_>) =
        stores.iter().partition(|finding| finding.backend.is_none() || finding.backend == in_use);
    text.extend(first.into_iter().chain(rest).map(paragraph));
    text
}

fn paragraph(finding: &SpokenFinding) -> String {
    let word = match finding.severity {
        Severity::Fine => marked(Mark::Good, "Fine:"),
        Severity::Problem => marked(Mark::Problem, "Problem:"),
        _ => marked(Mark::Note, "Note:"),
    };
    let mut text = format!("\n{word} {}\n", finding.problem);
    for fix in &finding.fixes {
        text += &format!("  {}\n", fix.text);
        for command in &fix.commands {
            text += &format!("      {command}\n");
        }
    }
    text
}

/// Reads the description of the system by `os-release(5)`; empty if there is none.
fn os_release() -> String {
    let files = ["/etc/os-release", "/usr/lib/os-release"];
    /// The largest file that is read, in bytes. No such file has as many.
    const LARGEST: u64 = 64 << 10;
    let text =
        files.into_iter().find_map(|file| read_text(Path::new(file), Source::System, LARGEST).ok());
    text.map(|text| text.to_string()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(target_os = "linux"))]
fn is_root() -> bool {
    false
}

/// Returns the place where the session bus is looked for, and a note if there is nothing.
fn session_bus() -> String {
    if let Some(address) = env::var("DBUS_SESSION_BUS_ADDRESS").ok().filter(|it| !it.is_empty()) {
        return format!("{} (DBUS_SESSION_BUS_ADDRESS)", printable(&address));
    }
    let runtime_dir = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime_dir = runtime_dir.filter(|dir| dir.is_absolute()).unwrap_or_else(own_runtime_dir);
    let socket = runtime_dir.join("bus");
    let shown = printable(&socket.to_string_lossy());
    match socket.exists() {
        true => format!("{shown} (of the login session)"),
        false => format!("none: DBUS_SESSION_BUS_ADDRESS is not set and there is no {shown}"),
    }
}

/// Returns the directory of the user's sockets under systemd.
#[cfg(target_os = "linux")]
fn own_runtime_dir() -> PathBuf {
    format!("/run/user/{}", rustix::process::geteuid().as_raw()).into()
}

#[cfg(not(target_os = "linux"))]
fn own_runtime_dir() -> PathBuf {
    PathBuf::from("/run/user")
}
