//! What must not reach a secret.

mod support;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use futures_lite::stream::pending;
use serde_json::json;
use strongroom::ErrorKind;
use strongroom_testkit::PageSession;
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
            assert_eq!(code, "not_allowed", "{host} {path}");
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
        let request = request.body(page.body("/api/secrets/add", &form("KEY"))).unwrap();
        assert_eq!(page.send(request).await.code(FORBIDDEN), "not_allowed", "{origin}");
        let request = page.request(Method::GET, "/api/secrets").header(ORIGIN, origin);
        page.send(request.body(Body::empty()).unwrap()).await.is(FORBIDDEN);
    }
    assert!(page.secrets().await.is_empty());
}

#[tokio::test]
async fn what_changes_something_has_to_name_its_origin() {
    let page = Page::open().await;
    let request = page.request(Method::POST, "/api/secrets/add");
    let request = request.body(page.body("/api/secrets/add", &form("KEY"))).unwrap();
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
async fn without_a_session_nothing_is_told_or_done() {
    let page = Page::closed_with(|settings| settings).await;
    page.manager.set_api_key("KEY", "v", None).await.unwrap();
    for path in READS {
        assert_eq!(page.get(path).await.code(UNAUTHORIZED), "no_session", "{path}");
    }
    for path in WRITES {
        let answer = page.post(path, json!({ "name": "KEY" })).await;
        assert_eq!(answer.code(UNAUTHORIZED), "no_session", "{path}");
    }
    assert!(page.manager.exists("KEY").await.unwrap());
}

#[tokio::test]
async fn a_bearer_of_another_page_opens_nothing() {
    let other = Page::open().await;
    let page = Page::open().await;
    let bearer = page.session.as_ref().unwrap().bearer.clone();
    let forged = [
        format!("Bearer {}", other.session.as_ref().unwrap().bearer),
        "Bearer ".to_owned(),
        format!("Bearer {}", &bearer[1..]),
        format!("Bearer {bearer}A"),
        format!("Bearer {}", page.token()),
        format!("Basic {bearer}"),
        bearer,
    ];
    for header in forged {
        let mut request = page.request(Method::GET, "/api/secrets").body(Body::empty()).unwrap();
        request.headers_mut().insert(AUTHORIZATION, header.parse().unwrap());
        page.send(request).await.is(UNAUTHORIZED);
    }
    page.get("/api/secrets").await.is(StatusCode::OK);
}

#[tokio::test]
async fn no_cookie_is_set_and_none_stands_in_for_the_bearer() {
    let page = Page::open().await;
    let bearer = page.session.as_ref().unwrap().bearer.clone();
    let mut closed = Page::closed_with(|settings| settings).await;
    let token = closed.token();
    let answer = closed.exchange(&token).await.is(StatusCode::OK);
    assert!(!answer.headers.contains_key(SET_COOKIE));
    for name in ["strongroom", "session", "Authorization", "bearer"] {
        let mut request = page.request(Method::GET, "/api/secrets").body(Body::empty()).unwrap();
        request.headers_mut().remove(AUTHORIZATION);
        request.headers_mut().insert(COOKIE, format!("{name}={bearer}").parse().unwrap());
        page.send(request).await.is(UNAUTHORIZED);
    }
    closed.session.take();
    for path in READS {
        let request =
            closed.request(Method::GET, &format!("{path}?token={bearer}&session={bearer}"));
        closed.send(request.body(Body::empty()).unwrap()).await.is(UNAUTHORIZED);
    }
}

#[tokio::test]
async fn what_is_not_sealed_for_its_path_is_not_read() {
    let page = Page::open().await;
    page.manager.set_api_key("KEY", "v", None).await.unwrap();
    let session = page.session.clone().unwrap();
    let other = Page::open().await.session.unwrap();
    let key = json!({ "name": "KEY" }).to_string();
    for body in [
        key.clone().into_bytes(),
        Vec::new(),
        other.sealed("/api/secrets/reveal", &key),
        session.sealed("/api/secrets/delete", &key),
    ] {
        let request = page.request(Method::POST, "/api/secrets/reveal");
        let request = request.header(ORIGIN, format!("http://{HERE}")).body(Body::from(body));
        let code = page.send(request.unwrap()).await.code(StatusCode::BAD_REQUEST);
        assert_eq!(code, "invalid");
    }
    page.post("/api/secrets/reveal", json!({ "name": "KEY" })).await.is(StatusCode::OK);
}

#[tokio::test]
async fn a_replayed_token_is_refused() {
    let page = Page::closed_with(|settings| settings).await;
    let token = page.token();
    page.exchange(&token).await.is(StatusCode::OK);
    assert_eq!(page.exchange(&token).await.code(UNAUTHORIZED), "no_session");
}

#[tokio::test]
async fn a_form_of_a_file_opens_the_page_once() {
    let page = Page::closed_with(|settings| settings).await;
    let token = page.token();
    let enter = async || {
        let request = page.request(Method::POST, "/").header(ORIGIN, "null");
        let request = request.header("sec-fetch-site", "cross-site");
        page.send(request.body(Body::from(format!("token={token}"))).unwrap()).await
    };
    let session = |html: &str| {
        let (_, given) = html.split_once(r#"<meta name="session" content=""#).unwrap();
        given.split_once('"').unwrap().0.to_owned()
    };
    let entered = enter().await.is(StatusCode::OK);
    assert!(!entered.headers.contains_key(SET_COOKIE));
    let bearer = PageSession::new(&session(&entered.body)).bearer;
    let request = page.request(Method::GET, "/api/secrets");
    let request = request.header(AUTHORIZATION, format!("Bearer {bearer}"));
    page.send(request.body(Body::empty()).unwrap()).await.is(StatusCode::OK);
    let again = enter().await.is(UNAUTHORIZED);
    assert_eq!(session(&again.body), "");
}

#[tokio::test]
async fn a_script_of_a_service_worker_is_refused() {
    let page = Page::open().await;
    let request = page.request(Method::GET, "/page.js").header("service-worker", "script");
    page.send(request.body(Body::empty()).unwrap()).await.is(FORBIDDEN);
}

#[tokio::test]
async fn the_right_token_opens_the_page_after_any_number_of_wrong_ones() {
    let page = Page::closed_with(|settings| settings).await;
    let token = page.token();
    for number in 0..1000 {
        page.exchange(&format!("{number:043}")).await.is(UNAUTHORIZED);
    }
    page.exchange(&token).await.is(StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let page = Page::open().await;
    for path in ["/api/session", "/api/secrets/add"] {
        let request = page.request(Method::POST, path).header(ORIGIN, format!("http://{HERE}"));
        let body = Body::from_stream(pending::<Result<Vec<u8>, std::io::Error>>());
        page.send(request.body(body).unwrap()).await.is(StatusCode::REQUEST_TIMEOUT);
    }
}

#[tokio::test]
async fn a_body_beyond_the_largest_value_is_refused() {
    let page = Page::open().await;
    let huge = || Body::from("A".repeat(24 << 20));
    let to = |page: &Page, path| {
        let request = page.request(Method::POST, path).header(ORIGIN, format!("http://{HERE}"));
        request.body(huge()).unwrap()
    };
    for path in ["/api/secrets/add", "/api/secrets/reveal"] {
        page.send(to(&page, path)).await.is(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let token = "A".repeat(8 << 10);
    page.exchange(&token).await.is(StatusCode::PAYLOAD_TOO_LARGE);
    // Without a session it isn't read at all.
    let closed = Page::closed_with(|settings| settings).await;
    closed.send(to(&closed, "/api/secrets/add")).await.is(UNAUTHORIZED);
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
