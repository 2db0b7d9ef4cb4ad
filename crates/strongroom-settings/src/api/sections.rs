//! The sections around the table: the vault's place, its health, migration and export.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use strongroom::ErrorKind;
use strongroom::advice::Neutral;
use strongroom::doctor::{Finding, SpokenFinding};
use strongroom::json::StoreView;
use strongroom::store::MAX_NAME_BYTES;

use super::body::read;
use crate::LARGEST_VALUE;
use crate::hooks::{ExportFormat, Plan, PlannedSecret};
use crate::problem::{Problem, json_response};
use crate::settings::Shared;
use crate::storage::{IN_A_FILE, Storage};

/// `GET /api/about`: returns the heading, the place of the secrets, and the features of the page.
pub(super) async fn about(State(shared): State<Arc<Shared>>) -> Response {
    let formats = shared.export.as_ref().map(|export| export.formats()).unwrap_or_default();
    let store = StoreView::from(&shared.manager);
    json_response(json!({
        "title": shared.title,
        "warnings": store.warnings(),
        "store": store,
        "badge": Storage::of(&shared.manager),
        "limits": { "name": MAX_NAME_BYTES, "value": LARGEST_VALUE },
        "keeps_metadata": shared.manager.capabilities().keeps_metadata,
        "migration": shared.migration.is_some(),
        "export": formats.iter().map(format_as_json).collect::<Vec<_>>(),
    }))
}

fn format_as_json(format: &ExportFormat) -> Value {
    json!({ "label": format.label, "file": format.path.display().to_string() })
}

/// `GET /api/health`: returns the problems of the stores, with their fixes.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let look = Arc::clone(&shared.health);
    let findings = apart(move || look()).await?;
    let findings: Vec<_> = findings.iter().map(in_words_of_the_page).collect();
    Ok(json_response(json!({ "findings": findings })))
}

/// Returns a finding in the words of a program without commands: the page has none.
fn in_words_of_the_page(finding: &Finding) -> SpokenFinding {
    finding.spoken_by(&Neutral)
}

/// `GET /api/migration`: returns the secrets that are in files.
pub(super) async fn plan(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let migration = shared.migration.clone().ok_or_else(not_offered)?;
    let plan = apart(move || migration.plan()).await??;
    Ok(json_response(json!({ "plan": plan.as_ref().map(plan_as_json) })))
}

fn plan_as_json(plan: &Plan) -> Value {
    json!({
        "secrets": plan.secrets.iter().map(planned_as_json).collect::<Vec<_>>(),
        "notes": plan.warnings,
        "badge": IN_A_FILE,
    })
}

fn planned_as_json(secret: &PlannedSecret) -> Value {
    let PlannedSecret { key, file, path } = secret;
    let file = file.display().to_string();
    json!({ "name": key.name(), "target": key.target(), "file": file, "path": path })
}

/// `POST /api/migration/secure`: moves these secrets into the vault.
pub(super) async fn secure(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let migration = shared.migration.clone().ok_or_else(not_offered)?;
    let message = apart(move || migration.secure()).await??;
    Ok(json_response(json!({ "message": message })))
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
    let file = format.path.display().to_string();
    apart(move || export.export(&format, replace)).await??;
    Ok(json_response(json!({ "file": file })))
}

/// Runs blocking work on a thread of its own, where no other request waits for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::refused(status, ErrorKind::Other.code(), "the application failed")
    })
}

fn not_offered() -> Problem {
    let code = ErrorKind::NotFound.code();
    Problem::refused(StatusCode::NOT_FOUND, code, "the application doesn't offer this")
}

#[cfg(test)]
mod tests {
    use strongroom::advice::Command;
    use strongroom::doctor::{Fix, Severity};

    use super::*;

    #[test]
    fn a_finding_has_no_fix_by_a_command_that_the_page_does_not_have() {
        let mut found = Finding::new(Severity::Note, "2 secrets have expired");
        found.fixes = vec![
            Fix::new("See which:", [Command::new("list --expiring 0d").into()]),
            Fix::new("Install a keyring.", ["sudo apt install gnome-keyring".into()]),
        ];
        let fixes = serde_json::to_value(in_words_of_the_page(&found).fixes).unwrap();
        assert_eq!(
            fixes,
            json!([{ "text": "Install a keyring.", "commands": ["sudo apt install gnome-keyring"] }])
        );
    }
}
