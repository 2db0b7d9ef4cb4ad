//! What must not reach a secret.

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{HOST, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use serde_json::json;
use strongroom::ErrorKind;
use support::{HERE, Page, form};
use tokio::time::advance;
use tower::ServiceExt as _;

const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

/// All paths that need a session.
const READS: [&str; 5] =
    ["/api/about", "/api/secrets", "/api/events", "/api/health", "/api/migration"];
const WRITES: [&str; 9] = [
    "/api/session/end",
    "/api/session/keep",
    "/api/secrets/add",
    "/api/secrets/replace",
    "/api/secrets/rename",
    "/api/secrets/delete",
    "/api/secrets/reveal",
    "/api/migration/secure",
    "/api/export",
];

#[tokio::test]
async fn a_foreign_host_is_refused_everywhere() {
    let page = Page::open().await;
    for host in ["evil.example", "127.0.0.1.evil.example:3000", "0.0.0.0:3000", ""] {
        for path in ["/", "/page.js", "/api/secrets", "/nowhere"] {
            let mut request = page.request(Method::GET, path).body(Body::empty()).unwrap();
            request.headers_mut().insert(HOST, host.parse().unwrap());
            let code = page.send(request).await.code(FORBIDDEN);
            assert_eq!(code, "foreign_origin", "{host} {path}");
        }
    }
}

#[tokio::test]
async fn a_host_that_is_missing_or_named_twice_is_refused() {
    let page = Page::open().await;
    let mut request = page.request(Method::GET, "/api/secrets").body(Body::empty()).unwrap();
    request.headers_mut().append(HOST, "localhost".parse().unwrap());
    page.send(request).await.is(FORBIDDEN);
    let mut request = page.request(Method::GET, "/api/secrets").body(Body::empty()).unwrap();
    request.headers_mut().remove(HOST);
    page.send(request).await.is(FORBIDDEN);
    let absolute = page.request(Method::GET, "http://evil.example/api/secrets");
    page.send(absolute.body(Body::empty()).unwrap()).await.is(FORBIDDEN);
}

#[tokio::test]
async fn a_foreign_origin_is_refused_even_with_the_session() {
    let page = Page::open().await;
    for origin in [
        "http://evil.example",
        "http://127.0.0.1:3001",
        "http://localhost:3000",
        "null",
        "http://127.0.0.1:3000.evil.example",
        "file://127.0.0.1:3000",
    ] {
        let request = page.request(Method::POST, "/api/secrets/add").header(ORIGIN, origin);
        let request = request.body(Body::from(form("KEY").to_string())).unwrap();
        assert_eq!(page.send(request).await.code(FORBIDDEN), "foreign_origin", "{origin}");
        let request = page.request(Method::GET, "/api/secrets").header(ORIGIN, origin);
        page.send(request.body(Body::empty()).unwrap()).await.is(FORBIDDEN);
    }
    assert!(page.secrets().await.is_empty());
}

#[tokio::test]
async fn what_changes_something_has_to_name_its_origin() {
    let page = Page::open().await;
    let request = page.request(Method::POST, "/api/secrets/add");
    let request = request.body(Body::from(form("KEY").to_string())).unwrap();
    page.send(request).await.is(FORBIDDEN);
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let request = page.request(method, "/api/secrets").body(Body::empty()).unwrap();
        page.send(request).await.is(FORBIDDEN);
    }
}

#[tokio::test]
async fn another_sites_page_cant_even_read() {
    let page = Page::open().await;
    for site in ["cross-site", "same-site"] {
        let request = page.request(Method::GET, "/api/secrets").header("sec-fetch-site", site);
        page.send(request.body(Body::empty()).unwrap()).await.is(FORBIDDEN);
    }
    let link = page.request(Method::GET, "/").header("sec-fetch-site", "cross-site");
    let link = link.header("sec-fetch-mode", "navigate").body(Body::empty()).unwrap();
    page.send(link).await.is(StatusCode::OK);
}

#[tokio::test]
async fn without_the_cookie_nothing_is_told_or_done() {
    let page = Page::closed_with(|settings| settings).await;
    page.manager.set_api_key("KEY", "v", None).await.unwrap();
    for path in READS {
        assert_eq!(page.get(path).await.code(UNAUTHORIZED), "no_session", "{path}");
    }
    for path in WRITES {
        let answer = page.post(path, json!({ "name": "KEY" })).await;
        assert_eq!(answer.code(UNAUTHORIZED), "no_session", "{path}");
    }
    assert!(page.manager.exists(&"KEY".into()).await.unwrap());
}

#[tokio::test]
async fn a_cookie_that_is_not_ours_opens_nothing() {
    let other = Page::open().await;
    let mut page = Page::open().await;
    let (name, value) = page.cookie.split_once('=').unwrap();
    let forged = [
        other.cookie.clone(),
        format!("{name}="),
        format!("{name}={}", &value[1..]),
        format!("{name}={}A", value),
        format!("{name}={}", page.token()),
    ];
    for cookie in forged {
        page.cookie = cookie;
        page.get("/api/secrets").await.is(UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_replayed_token_is_refused() {
    let page = Page::closed_with(|settings| settings).await;
    let token = page.token();
    let first = page.exchange(&token).await.is(StatusCode::NO_CONTENT);
    let cookie = first.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    let again = page.exchange(&token).await;
    assert!(!again.headers.contains_key(SET_COOKIE));
    assert_eq!(again.code(UNAUTHORIZED), "wrong_token");
}

#[tokio::test]
async fn a_thousand_wrong_tokens_are_refused_and_most_are_not_even_looked_at() {
    let page = Page::closed_with(|settings| settings).await;
    let token = page.token();
    let mut looked_at = 0;
    for number in 0..1000 {
        let answer = page.exchange(&format!("{number:043}")).await;
        assert!(!answer.headers.contains_key(SET_COOKIE));
        match answer.status {
            UNAUTHORIZED => looked_at += 1,
            status => {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                assert_eq!(answer.headers[RETRY_AFTER], "6");
            }
        }
    }
    assert!((10..=15).contains(&looked_at), "{looked_at}");
    page.exchange(&token).await.is(StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_body_of_10_mib_is_refused() {
    let page = Page::open().await;
    let huge = || json!({ "name": "KEY", "value": "A".repeat(10 << 20), "token": "", "label": "" });
    for path in ["/api/session", "/api/secrets/add", "/api/secrets/reveal"] {
        page.post(path, huge()).await.is(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Without a session it isn't read at all.
    let closed = Page::closed_with(|settings| settings).await;
    closed.post("/api/secrets/add", huge()).await.is(UNAUTHORIZED);
    assert!(page.secrets().await.is_empty());
}

#[tokio::test]
async fn tricks_with_paths_lead_nowhere() {
    let page = Page::closed_with(|settings| settings).await;
    for path in [
        "/../Cargo.toml",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/page.js/../api/secrets",
        "/page.js/%2e%2e/api/secrets",
        "/./api/secrets",
        "/api//secrets",
        "/api/secrets/",
        "/API/secrets",
        "/api/secrets%00",
        "/api/%73ecrets;a=b",
        "/assets/page.js",
        "/api/session/../secrets",
        "/api\\secrets",
    ] {
        let Ok(request) = page.request(Method::GET, path).body(Body::empty()) else { continue };
        let answer = page.send(request).await;
        let is_refused = [UNAUTHORIZED, StatusCode::NOT_FOUND].contains(&answer.status);
        assert!(is_refused, "{path}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_though_its_page_goes_on_reading() {
    let page = Page::open().await;
    let minutes = async |minutes: u64| advance(Duration::from_secs(minutes * 60)).await;
    minutes(9).await;
    page.post("/api/session/keep", json!({})).await.is(StatusCode::NO_CONTENT);
    minutes(9).await;
    page.get("/api/secrets").await.is(StatusCode::OK);
    minutes(1).await;
    page.get("/api/secrets").await.is(UNAUTHORIZED);
}

#[tokio::test]
async fn a_closed_page_lets_nobody_in() {
    let page = Page::open().await;
    let token = page.token();
    page.settings.close();
    page.get("/api/secrets").await.is(UNAUTHORIZED);
    page.exchange(&token).await.is(UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_token_the_application_decides_and_origins_still_count() {
    let page = Page::closed_with(|settings| settings.without_token()).await;
    page.post("/api/secrets/add", form("KEY")).await.is(StatusCode::NO_CONTENT);
    assert_eq!(page.settings.link("http://127.0.0.1/").unwrap(), "http://127.0.0.1/");
    page.exchange("").await.is(UNAUTHORIZED);
    let request = page.request(Method::POST, "/api/secrets/add").header(ORIGIN, "http://evil.test");
    page.send(request.body(Body::from(form("B").to_string())).unwrap()).await.is(FORBIDDEN);
}

#[tokio::test]
async fn other_machines_cant_be_let_in() {
    let page = Page::closed_with(|settings| settings).await;
    for address in [[0, 0, 0, 0], [192, 168, 0, 1]] {
        let error = page.settings.bind((address, 0)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let any: std::net::SocketAddr = "[::]:0".parse().unwrap();
    assert_eq!(page.settings.bind(any).unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_mounted_page_stands_in_a_directory() {
    let page = Page::closed_with(|settings| settings).await;
    let app: Router = Router::new().nest_service("/settings", page.settings.router());
    let get = async |path: &str| {
        let request = Request::builder().uri(path).header(HOST, HERE).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap()
    };
    let bare = get("/settings").await;
    assert_eq!(bare.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(bare.headers()[LOCATION], "settings/");
    assert_eq!(get("/settings/").await.status(), StatusCode::OK);
    assert_eq!(get("/settings/page.js").await.status(), StatusCode::OK);
    assert_eq!(get("/settings/api/secrets").await.status(), UNAUTHORIZED);
    assert_eq!(get("/settings/nowhere").await.status(), StatusCode::NOT_FOUND);
}
