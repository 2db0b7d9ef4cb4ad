//! The sections around the table: the vault's place, its health, migration and export.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use strongroom::Backend;
use strongroom::advice::Neutral;
use strongroom::doctor::{Finding, Severity, SpokenFix};
use strongroom::store::MAX_NAME_BYTES;

use super::body::read;
use crate::LARGEST_VALUE;
use crate::hooks::ExportFormat;
use crate::problem::{Problem, json_response};
use crate::settings::Shared;
use crate::storage::{IN_A_FILE, Storage};

/// `GET /api/about`: returns the heading, the place of the secrets, and the features of the page.
pub(super) async fn about(State(shared): State<Arc<Shared>>) -> Response {
    let formats = shared.export.as_ref().map(|export| export.formats());
    let format =
        |it: ExportFormat| json!({ "label": it.label, "path": it.path.display().to_string() });
    json_response(&json!({
        "title": shared.title,
        "backend": shared.manager.backend().name(),
        "storage": Storage::of(&shared.manager).as_json(),
        "limits": { "name": MAX_NAME_BYTES, "value": LARGEST_VALUE },
        "keeps_metadata": shared.manager.capabilities().keeps_metadata,
        "migration": shared.migration.is_some(),
        "export": formats.unwrap_or_default().into_iter().map(format).collect::<Vec<_>>(),
    }))
}

/// `GET /api/health`: returns the problems of the stores, with their fixes.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let look = Arc::clone(&shared.health);
    let findings = apart(move || look()).await?;
    let findings: Vec<_> = findings.iter().map(finding).collect();
    Ok(json_response(&json!({ "findings": findings })))
}

/// `GET /api/migration`: returns the secrets that are in files.
pub(super) async fn plan(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let migration = shared.migration.clone().ok_or_else(not_offered)?;
    let plan = apart(move || migration.plan()).await??;
    let plan = plan.map(|plan| {
        let secret = |it: &crate::PlannedSecret| {
            json!({ "name": it.key.name(), "target": it.key.target(), "place": it.place })
        };
        json!({
            "secrets": plan.secrets.iter().map(secret).collect::<Vec<_>>(),
            "warnings": plan.warnings,
            "storage": IN_A_FILE.as_json(),
        })
    });
    Ok(json_response(&json!({ "plan": plan })))
}

/// `POST /api/migration/secure`: moves these secrets into the vault.
pub(super) async fn secure(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let migration = shared.migration.clone().ok_or_else(not_offered)?;
    let done = apart(move || migration.secure()).await??;
    Ok(json_response(&json!({ "done": done })))
}

#[derive(Deserialize)]
struct Wanted {
    label: String,
    #[serde(default)]
    replace: bool,
}

/// `POST /api/export`: writes all secrets into a file.
pub(super) async fn export(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Wanted { label, replace } = read(&body)?;
    let export = shared.export.clone().ok_or_else(not_offered)?;
    // The page names a format, and never a path: a page must not choose the file that is written.
    let format = export.formats().into_iter().find(|format| format.label == label);
    let format = format.ok_or_else(not_offered)?;
    let path = format.path.display().to_string();
    apart(move || export.export(&format, replace)).await??;
    Ok(json_response(&json!({ "path": path })))
}

/// Runs blocking work on a thread of its own, where no other request waits for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::refused(status, "other", "the application failed")
    })
}

fn not_offered() -> Problem {
    Problem::refused(StatusCode::NOT_FOUND, "not_found", "the application doesn't offer this")
}

/// Returns a finding in the words of a program without commands: the page has none.
fn finding(finding: &Finding) -> Value {
    let finding = finding.spoken_by(&Neutral);
    let severity = match finding.severity {
        Severity::Fine => "fine",
        Severity::Problem => "problem",
        _ => "note",
    };
    let fix = |fix: &SpokenFix| json!({ "text": fix.text, "commands": fix.commands });
    json!({
        "severity": severity,
        "backend": finding.backend.map(Backend::name),
        "problem": finding.problem,
        "fixes": finding.fixes.iter().map(fix).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use strongroom::advice::Command;
    use strongroom::doctor::Fix;

    use super::*;

    #[test]
    fn a_finding_has_no_fix_by_a_command_that_the_page_does_not_have() {
        let mut found = Finding::new(Severity::Note, "2 secrets have expired");
        found.fixes = vec![
            Fix::new("See which:", [Command::new("list --expiring 0d").into()]),
            Fix::new("Install a keyring.", ["sudo apt install gnome-keyring".into()]),
        ];
        let shown = finding(&found);
        assert_eq!(
            shown["fixes"],
            json!([{ "text": "Install a keyring.", "commands": ["sudo apt install gnome-keyring"] }])
        );
    }
}
