//! The page's answers in JSON: one of each kind is compared with its file in `tests/snapshots`.
//!
//! After an intended change: `UPDATE_EXPECT=1 cargo test -p strongroom-settings --test snapshots`, and the tables in
//! docs/json.md.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::http::StatusCode;
use serde_json::{Value, json};
use strongroom::Backend;
use strongroom::doctor::{Finding, Fix, Severity};
use strongroom_settings::{Export, ExportFormat, Migration, Plan};
use strongroom_testkit::Snapshots;
use support::{Page, form};

/// The hooks of an application.
struct Hook;

impl Migration for Hook {
    fn plan(&self) -> strongroom::Result<Option<Plan>> {
        let plan = Plan::new().with_secret("KEY", "config.json", "openai.apiKey");
        Ok(Some(plan.with_warning("Replace it at its provider.")))
    }

    fn secure(&self) -> strongroom::Result<String> {
        Ok("1 secret was moved".to_owned())
    }
}

/// The path of an export.
const FILE: &str = if cfg!(windows) { "C:\\secrets.json" } else { "/secrets.json" };

impl Export for Hook {
    fn formats(&self) -> Vec<ExportFormat> {
        vec![ExportFormat::new("JSON", FILE)]
    }

    fn export(&self, _: &ExportFormat, _: bool) -> strongroom::Result<()> {
        Ok(())
    }
}

fn findings() -> Vec<Finding> {
    let mut finding = Finding::new(Severity::Problem, "the store is locked");
    finding.backend = Some(Backend::SecretService);
    finding.kind = Some(strongroom::ErrorKind::Locked);
    finding.fixes = vec![Fix::new("Unlock it:", ["unlock".into()])];
    vec![finding]
}

#[tokio::test]
async fn each_kind_of_answer_has_its_form() {
    let snapshots = Snapshots::of(env!("CARGO_MANIFEST_DIR"));
    snapshots.replace(FILE, "FILE");
    let page =
        Page::open_with(|page| page.title("Tracker").health(findings).migration(Hook).export(Hook))
            .await;
    let key = form("KEY");
    page.post("/api/secrets/add", key.clone()).await.is(StatusCode::NO_CONTENT);
    for (name, path) in [
        ("about", "/api/about"),
        ("secrets", "/api/secrets"),
        ("health", "/api/health"),
        ("migration", "/api/migration"),
    ] {
        snapshots.check(name, &page.get(path).await.json(StatusCode::OK));
    }
    let ok = async |path, body: Value| page.post(path, body).await.json(StatusCode::OK);
    snapshots.check("secure", &ok("/api/migration/secure", json!({})).await);
    snapshots.check("export", &ok("/api/export", json!({ "label": "JSON" })).await);

    let again = page.post("/api/secrets/add", key.clone()).await.json(StatusCode::CONFLICT);
    snapshots.check("error", &again);
    let unseen = page.post("/api/secrets/replace", key).await.json(StatusCode::CONFLICT);
    snapshots.check("error-conflict", &unseen);
    let unread = page.post("/api/secrets/add", json!({})).await.json(StatusCode::BAD_REQUEST);
    snapshots.check("error-refused", &unread);
    let nobody = Page::closed_with(|page| page).await;
    let refused = nobody.get("/api/secrets").await.json(StatusCode::UNAUTHORIZED);
    snapshots.check("error-session", &refused);
    snapshots.finish();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_secret_a_store_and_an_error_are_the_same_objects_as_in_the_program_and_the_plugin() {
    use strongroom::Layout;
    use strongroom_testkit::{FIXTURE_ENTRIES, FIXTURE_SERVICE, is_the_fixture};

    let page = Page::open_on_keyutils(FIXTURE_SERVICE, Layout::Inline).await;
    let mut form = form("API_KEY");
    form["provider"] = json!("openai");
    form["scope"] = json!("read");
    form["expires_at"] = json!("2999-01-01T00:00:00Z");
    page.post("/api/secrets/add", form.clone()).await.is(StatusCode::NO_CONTENT);
    let listed = page.get("/api/secrets").await.json(StatusCode::OK);
    is_the_fixture("secret", &listed["secrets"][0]);
    is_the_fixture("store", &listed["store"]);
    page.manager.purge().await.unwrap();

    let entries = Page::open_on_keyutils(FIXTURE_ENTRIES, Layout::Entries).await;
    let refused = entries.post("/api/secrets/add", form).await;
    is_the_fixture("error", &refused.json(StatusCode::UNPROCESSABLE_ENTITY)["error"]);
    entries.manager.purge().await.unwrap();
}
