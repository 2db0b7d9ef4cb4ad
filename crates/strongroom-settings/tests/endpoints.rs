//! What each endpoint does for a session.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom::error::Operation;
use strongroom::{Config, ErrorKind, ExposeSecret as _, Secret, SecretKey, Timestamp};
use strongroom_settings::{Export, ExportFormat, Migration, Plan};
use support::{Page, VALUE, form};

const DONE: StatusCode = StatusCode::NO_CONTENT;

#[tokio::test]
async fn a_secret_is_added_with_what_is_known_about_it() {
    let page = Page::open().await;
    let end = Timestamp::now() + Duration::from_secs(24 * 60 * 60);
    let mut form = form("API_KEY");
    form["target"] = json!("production");
    form["provider"] = json!("openai");
    form["scope"] = json!("");
    form["expires_at"] = json!(end.to_string());
    page.post("/api/secrets/add", form.clone()).await.is(DONE);

    let listed = &page.secrets().await[0];
    for (field, expected) in [
        ("name", json!("API_KEY")),
        ("target", json!("production")),
        ("provider", json!("openai")),
        ("scope", json!(null)),
        ("expired", json!(false)),
    ] {
        assert_eq!(listed[field], expected, "{field}");
    }
    let key = SecretKey::with_target("API_KEY", "production");
    let stored = page.manager.get(&key).await.unwrap().unwrap();
    assert_eq!(stored.value.expose_secret(), "s3cret");

    let again = page.post("/api/secrets/add", form).await;
    assert_eq!(again.code(StatusCode::CONFLICT), "already_exists");
}

#[tokio::test]
async fn a_value_is_revealed_as_it_is() {
    let page = Page::open().await;
    let value = "line 1\nline 2 \"quoted\" grüße";
    page.manager.set("NOTE", &Secret::new(value)).await.unwrap();
    let answer = page.post("/api/secrets/reveal", json!({ "name": "NOTE" })).await;
    let answer = answer.is(StatusCode::OK);
    assert_eq!(answer.body, value);
    assert_eq!(answer.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn a_replaced_value_keeps_its_age_and_a_missing_one_is_not_made() {
    let page = Page::open().await;
    page.manager.set_api_key("KEY", "old", Some("openai")).await.unwrap();
    let created = page.secrets().await[0]["created_at"].clone();
    page.post("/api/secrets/replace", seen(&page, form("KEY")).await).await.is(DONE);
    let listed = page.secrets().await;
    assert_eq!((&listed[0]["created_at"], &listed[0]["provider"]), (&created, &json!(null)));
    let value = page.manager.get_value("KEY").await.unwrap().unwrap();
    assert_eq!(value.expose_secret(), "s3cret");

    let missing = page.post("/api/secrets/replace", form("OTHER")).await;
    assert_eq!(missing.code(StatusCode::NOT_FOUND), "not_found");
    assert_eq!(page.secrets().await.len(), 1);
}

#[tokio::test]
async fn a_secret_is_renamed_and_deleted() {
    let page = Page::open().await;
    page.manager.set_api_key("OLD", "v", None).await.unwrap();
    let to = json!({ "name": "NEW", "target": "staging" });
    let rename = json!({ "from": seen(&page, json!({ "name": "OLD" })).await, "to": to });
    page.post("/api/secrets/rename", rename.clone()).await.is(DONE);
    assert_eq!(page.secrets().await[0]["name"], "NEW");
    let gone = page.post("/api/secrets/rename", rename).await;
    assert_eq!(gone.code(StatusCode::NOT_FOUND), "not_found");

    let doomed = seen(&page, to).await;
    page.post("/api/secrets/delete", doomed.clone()).await.is(DONE);
    assert!(page.secrets().await.is_empty());
    let gone = page.post("/api/secrets/delete", doomed).await;
    assert_eq!(gone.code(StatusCode::NOT_FOUND), "not_found");
}

#[tokio::test]
async fn what_cant_be_stored_is_refused_and_changes_nothing() {
    let page = Page::open().await;
    let mut past = form("KEY");
    past["expires_at"] = json!("2020-01-01T00:00:00Z");
    for (body, status, code) in [
        (form(""), StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        (past, StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        (json!({ "name": "KEY" }), StatusCode::BAD_REQUEST, "invalid"),
        (json!({ "name": "KEY", "value": "%" }), StatusCode::BAD_REQUEST, "invalid"),
    ] {
        assert_eq!(page.post("/api/secrets/add", body).await.code(status), code);
    }
    assert!(page.secrets().await.is_empty());
}

#[tokio::test]
async fn an_expired_secret_is_listed_and_not_revealed() {
    let page = Page::open().await;
    let over = Timestamp::now() - Duration::from_secs(60 * 60);
    page.manager.set("OLD", &Secret::new("v").expires_at(over)).await.unwrap();
    assert_eq!(page.secrets().await[0]["expired"], true);
    let answer = page.post("/api/secrets/reveal", json!({ "name": "OLD" })).await;
    assert_eq!(answer.code(StatusCode::GONE), "expired");
}

#[tokio::test]
async fn the_page_says_where_secrets_are_and_how_the_stores_do() {
    let page = Page::open_with(|settings| settings.title("Tracker")).await;
    let about = page.get("/api/about").await.json(StatusCode::OK);
    assert_eq!(
        (&about["title"], &about["store"]["backend"]),
        (&json!("Tracker"), &json!("memory"))
    );
    assert_eq!(about["badge"]["lasts"], "Gone when the program ends.");
    assert_eq!(about["warnings"][0]["code"], "not_persistent");
    assert_eq!((&about["migration"], &about["export"]), (&json!(false), &json!([])));
    let health = page.get("/api/health").await.json(StatusCode::OK);
    assert!(health["findings"].is_array());
}

#[tokio::test]
async fn a_page_of_entries_says_that_they_hold_values_alone_and_works() {
    let page = Page::open_on_entries().await;
    let about = page.get("/api/about").await.json(StatusCode::OK);
    assert_eq!(about["keeps_metadata"], false);
    let form = json!({ "name": "A", "value": VALUE, "provider": "p" });
    let refused = page.post("/api/secrets/add", form).await;
    assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "unsupported");
    assert!(page.secrets().await.is_empty());
    let form = json!({ "name": "A", "value": VALUE, "provider": "" });
    assert_eq!(page.post("/api/secrets/add", form.clone()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(page.post("/api/secrets/replace", form).await.status, StatusCode::NO_CONTENT);
    let rename = json!({ "from": { "name": "A" }, "to": { "name": "B", "target": "t" } });
    assert_eq!(page.post("/api/secrets/rename", rename).await.status, StatusCode::NO_CONTENT);
    let secrets = page.secrets().await;
    assert_eq!((&secrets[0]["name"], &secrets[0]["target"]), (&json!("B"), &json!("t")));
    assert_eq!(secrets[0]["updated_at"], json!(null));
}

/// The path of an export.
const FILE: &str = if cfg!(windows) { "C:\\secrets.json" } else { "/home/secrets.json" };

/// A hook that notes what was asked for.
struct Hook(Arc<AtomicBool>);

impl Migration for Hook {
    fn plan(&self) -> strongroom::Result<Option<Plan>> {
        let plan = Plan::new().with_secret("KEY", "config.json", "apiKey");
        let plan = plan.with_warning("Rotate it.");
        Ok((!self.0.load(Ordering::SeqCst)).then_some(plan))
    }

    fn secure(&self) -> strongroom::Result<String> {
        if self.0.swap(true, Ordering::SeqCst) {
            return Err(strongroom::Error::new(ErrorKind::Conflict, Operation::Set));
        }
        Ok("1 secret was moved.".to_owned())
    }
}

impl Export for Hook {
    fn formats(&self) -> Vec<ExportFormat> {
        vec![ExportFormat::new("JSON", FILE)]
    }

    /// There is a file after the first time.
    fn export(&self, _: &ExportFormat, may_replace: bool) -> strongroom::Result<()> {
        if self.0.swap(true, Ordering::SeqCst) && !may_replace {
            return Err(strongroom::Error::new(ErrorKind::AlreadyExists, Operation::Set));
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_lies_in_files_is_shown_and_moved_by_the_application() {
    let page = Page::open_with(|settings| settings.migration(Hook(Arc::default()))).await;
    let plan = page.get("/api/migration").await.json(StatusCode::OK);
    let secret = json!({ "name": "KEY", "target": null, "file": "config.json", "path": "apiKey" });
    assert_eq!(plan["plan"]["secrets"], json!([secret]));
    assert_eq!(plan["plan"]["badge"]["method"], "File");
    let secure = "/api/migration/secure";
    let done = page.post(secure, json!({})).await.json(StatusCode::OK);
    assert_eq!(done["message"], "1 secret was moved.");
    assert_eq!(page.get("/api/migration").await.json(StatusCode::OK)["plan"], json!(null));
    assert_eq!(page.post(secure, json!({})).await.code(StatusCode::CONFLICT), "conflict");
}

#[tokio::test]
async fn an_export_is_written_by_the_application_and_replaces_nothing_unasked() {
    let asked = Arc::<AtomicBool>::default();
    let page = Page::open_with(|settings| settings.export(Hook(Arc::clone(&asked)))).await;
    let about = page.get("/api/about").await.json(StatusCode::OK);
    assert_eq!(about["export"], json!([{ "label": "JSON", "file": FILE }]));
    let other = page.post("/api/export", json!({ "label": "YAML" })).await;
    assert_eq!(other.code(StatusCode::NOT_FOUND), "not_found");
    assert!(!asked.load(Ordering::SeqCst));
    let json = async |replace: bool| {
        page.post("/api/export", json!({ "label": "JSON", "replace": replace })).await
    };
    assert_eq!(json(false).await.json(StatusCode::OK)["file"], FILE);
    assert_eq!(json(false).await.code(StatusCode::CONFLICT), "already_exists");
    assert_eq!(json(true).await.json(StatusCode::OK)["file"], FILE);
}

#[cfg(feature = "config")]
#[tokio::test]
async fn an_export_beside_the_working_directory_is_refused() {
    use strongroom::Backend;
    use strongroom_settings::{ConfigExport, Settings};

    let manager = Config::new("app").backend(Backend::Memory).open().await.unwrap();
    let export = ConfigExport::new("app", manager.blocking(), ".");
    let refused = Settings::builder(manager).export(export).build().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn hooks_that_are_not_there_are_not_found() {
    let page = Page::open().await;
    page.get("/api/migration").await.is(StatusCode::NOT_FOUND);
    page.post("/api/migration/secure", json!({})).await.is(StatusCode::NOT_FOUND);
    page.post("/api/export", json!({ "label": "JSON" })).await.is(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_files_of_the_page_are_there_without_a_session() {
    let page = Page::closed_with(|settings| settings).await;
    let html = page.get("/").await.is(StatusCode::OK);
    assert_eq!(html.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    let named =
        html.body.split(['"', '\'']).filter(|it| it.ends_with(".js") || it.ends_with(".css"));
    let named: Vec<_> = named.collect();
    assert!(named.len() >= 2, "{named:?}");
    for file in named {
        page.get(&format!("/{file}")).await.is(StatusCode::OK);
    }
}

#[tokio::test]
async fn every_answer_forbids_what_the_page_doesnt_need() {
    let page = Page::closed_with(|settings| settings).await;
    for path in ["/", "/page.js", "/api/secrets", "/nowhere"] {
        let answer = page.get(path).await;
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("origin-agent-cluster", "?1"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn an_ended_session_gets_nothing_more() {
    let page = Page::open().await;
    page.post("/api/session/keep", json!({})).await.is(DONE);
    page.post("/api/session/end", json!({})).await.is(DONE);
    page.get("/api/secrets").await.is(StatusCode::UNAUTHORIZED);
    page.post("/api/secrets/add", form("KEY")).await.is(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_large_value_fits() {
    let page = Page::open().await;
    let value = "x".repeat(1 << 20);
    let body = json!({ "name": "LARGE", "value": STANDARD.encode(&value) });
    page.post("/api/secrets/add", body).await.is(DONE);
    let stored = page.manager.get_value("LARGE").await.unwrap().unwrap();
    assert!(stored.expose_secret() == value);
}

#[tokio::test]
async fn the_newline_behind_one_line_is_dropped_and_an_empty_value_refused() {
    let page = Page::open().await;
    let body = |name: &str, value: &str| json!({ "name": name, "value": STANDARD.encode(value) });
    for (name, pasted, stored) in
        [("TOKEN", "token\r\n", "token"), ("PEM", "one\ntwo\n", "one\ntwo\n")]
    {
        page.post("/api/secrets/add", body(name, pasted)).await.is(DONE);
        let value = page.manager.get_value(name).await.unwrap().unwrap();
        assert_eq!(value.expose_secret(), stored);
    }
    let refused = page.post("/api/secrets/add", body("EMPTY", "\n")).await;
    assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "invalid");
}

#[tokio::test]
async fn what_another_process_wrote_meanwhile_is_kept_until_the_user_has_seen_it() {
    let page = Page::open().await;
    page.manager.set_api_key("KEY", "old", None).await.unwrap();
    let stale = seen(&page, json!({ "name": "KEY" })).await;
    page.manager.set_api_key("KEY", "theirs", None).await.unwrap();
    let of = |seen: &Value| {
        let mut replace = form("KEY");
        replace["seen"] = seen["seen"].clone();
        let rename = json!({ "from": seen, "to": { "name": "OTHER" } });
        [
            ("/api/secrets/replace", replace),
            ("/api/secrets/rename", rename),
            ("/api/secrets/delete", seen.clone()),
        ]
    };
    let never_seen = json!({ "name": "KEY" });
    for (path, body) in of(&stale).into_iter().chain(of(&never_seen)) {
        let refused = page.post(path, body).await.json(StatusCode::CONFLICT);
        assert_eq!(refused["error"]["code"], "conflict", "{path}");
        assert_eq!(refused["updated_at"], page.secrets().await[0]["updated_at"], "{path}");
    }
    let value = page.manager.get_value("KEY").await.unwrap().unwrap();
    assert_eq!((value.expose_secret(), page.secrets().await.len()), ("theirs", 1));
    let [(path, replace), ..] = of(&seen(&page, json!({ "name": "KEY" })).await);
    page.post(path, replace).await.is(DONE);
}

/// A key as the page has seen its secret.
async fn seen(page: &Page, mut key: Value) -> Value {
    let secrets = page.secrets().await;
    let shown = secrets.iter().find(|secret| secret["name"] == key["name"]).unwrap();
    key["seen"] = shown["updated_at"].clone();
    key
}
