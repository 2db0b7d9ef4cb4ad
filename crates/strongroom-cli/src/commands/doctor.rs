//! `doctor`: what is wrong, and the command that mends it.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use strongroom::{
    Backend, ChoiceReason, ErrorKind, Finding, Fix, Inspection, Severity, System, diagnose, inspect,
};

use strongroom_files::{Source, read_text};

use crate::advice::Advice;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{Mark, Output, heading, marked};
use crate::settings::Settings;
use crate::store::choice;
use crate::words::printable;

/// Looks at everything, and says what was found.
pub(super) fn run(settings: &Settings, output: &mut Output) -> Result<Exit> {
    let started = Instant::now();
    let found = inspect(&settings.options(settings.deadlines.call));
    let backend = in_use(choice(settings, started.elapsed()), settings.backend)?;
    let findings = findings(&found, backend, settings);
    let exit = outcome(&findings, backend);
    let bus = session_bus();
    output.result(
        || told(&findings, backend, &bus),
        || {
            json!({
                "session_bus": bus,
                "session_encrypted": session_encrypted(&found),
                "exit_code": exit.code(),
                "findings": findings.iter().map(as_json).collect::<Vec<_>>(),
            })
        },
    )?;
    Ok(exit)
}

/// Whether the Secret Service encrypts the session; `None` where none was opened.
fn session_encrypted(found: &[Inspection]) -> Option<bool> {
    let service = found.iter().find(|it| it.backend == Backend::SecretService)?;
    service.capabilities?.session_encrypted
}

/// What is wrong with these stores, if secrets are kept in this one.
pub(super) fn findings(
    found: &[Inspection],
    in_use: Option<Backend>,
    settings: &Settings,
) -> Vec<Finding> {
    let os_release = os_release();
    let system = System { os_release: &os_release, is_root: is_root(), in_use };
    let mut findings = diagnose(found, &system);
    let advice = Advice::of(settings);
    let named = |text: &mut String| *text = advice.worded(text);
    for finding in &mut findings {
        named(&mut finding.problem);
        finding.fixes.iter_mut().flat_map(|fix| &mut fix.commands).for_each(named);
    }
    findings
}

/// The store to look after: the one that was named, else where the secrets are, else the platform's own,
/// also where another stands in for it.
fn in_use(
    choice: strongroom::Result<(Backend, ChoiceReason)>,
    named: Option<Backend>,
) -> strongroom::Result<Option<Backend>> {
    let default = Backend::platform_default();
    match choice {
        Ok((_, ChoiceReason::Fallback(_))) => Ok(default),
        Ok((backend, _)) => Ok(Some(backend)),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(default),
        // Whoever names a store wants to hear of that one.
        Err(error) if error.kind() == ErrorKind::BoundElsewhere => Ok(named),
        Err(error)
            if error.kind() == ErrorKind::NoBackend
                && (error.store().is_none() || error.reason().is_some()) =>
        {
            Ok(default)
        }
        Err(error) => Err(error),
    }
}

/// What is wrong with the store in use decides; what is wrong with the others is only told.
fn outcome(findings: &[Finding], backend: Option<Backend>) -> Exit {
    findings
        .iter()
        .filter(|finding| finding.backend.is_none() || finding.backend == backend)
        .find_map(|finding| finding.kind)
        .map_or(Exit::Done, Exit::from)
}

fn told(findings: &[Finding], backend: Option<Backend>, bus: &str) -> String {
    let mut text = String::new();
    if cfg!(target_os = "linux") {
        text += &format!("{} {bus}\n", heading("Session bus:"));
    }
    let in_use = |finding: &&Finding| finding.backend.is_none() || finding.backend == backend;
    let (first, rest): (Vec<_>, Vec<_>) = findings.iter().partition(in_use);
    for finding in first.into_iter().chain(rest) {
        text += &paragraph(finding);
    }
    text.trim_start().to_owned()
}

fn paragraph(finding: &Finding) -> String {
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

fn as_json(finding: &Finding) -> Value {
    let severity = match finding.severity {
        Severity::Fine => "fine",
        Severity::Problem => "problem",
        _ => "note",
    };
    let fix = |fix: &Fix| json!({ "text": fix.text, "commands": fix.commands });
    json!({
        "severity": severity,
        "backend": finding.backend.map(Backend::name),
        "code": finding.kind.map(|kind| kind.code()),
        "problem": finding.problem,
        "fixes": finding.fixes.iter().map(fix).collect::<Vec<_>>(),
    })
}

/// By `os-release(5)`.
fn os_release() -> String {
    let files = ["/etc/os-release", "/usr/lib/os-release"];
    /// More than any such file has, in bytes.
    const LARGEST: u64 = 64 << 10;
    let read = |file| read_text(Path::new(file), Source::System, LARGEST).ok();
    files.into_iter().find_map(read).map(|text| text.to_string()).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(target_os = "linux"))]
fn is_root() -> bool {
    false
}

/// Where the session bus is looked for, and whether something is there.
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

/// Where systemd has the user's sockets.
#[cfg(target_os = "linux")]
fn own_runtime_dir() -> PathBuf {
    format!("/run/user/{}", rustix::process::geteuid().as_raw()).into()
}

#[cfg(not(target_os = "linux"))]
fn own_runtime_dir() -> PathBuf {
    PathBuf::from("/run/user")
}
