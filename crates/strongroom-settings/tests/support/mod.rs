//! A page on a vault in memory, asked without a network.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[cfg(target_os = "linux")]
pub(crate) mod browser;
pub(crate) mod served;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use strongroom::{Backend, Config, Layout, SecretManager};
use strongroom_settings::{Settings, SettingsBuilder};
use strongroom_testkit::{PageSession, unused_name};
use tower::ServiceExt as _;

/// "s3cret", as a form sends it.
pub(crate) const VALUE: &str = "czNjcmV0";

pub(crate) const HERE: &str = "127.0.0.1:3000";

/// A page, and the session that a browser has on it.
pub(crate) struct Page {
    pub(crate) settings: Settings,
    pub(crate) manager: SecretManager,
    pub(crate) session: Option<PageSession>,
    router: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    /// With a session.
    pub(crate) async fn open() -> Self {
        Self::open_with(|settings| settings).await
    }

    pub(crate) async fn open_with(with: impl FnOnce(SettingsBuilder) -> SettingsBuilder) -> Self {
        Self::closed_with(with).await.opened().await
    }

    /// With a session, of secrets that are entries.
    pub(crate) async fn open_on_entries() -> Self {
        let manager = Config::new(unused_name("app")).backend(Backend::Memory);
        let manager = manager.layout(Layout::Entries).open().await.unwrap();
        Self::closed_on(manager, |settings| settings).opened().await
    }

    /// With a session, of secrets in the kernel's keyring.
    #[cfg(target_os = "linux")]
    pub(crate) async fn open_on_keyutils(service: &str, layout: Layout) -> Self {
        let sandbox = strongroom_testkit::Sandbox::new();
        let config = Config::new(service).environment(|_| None).backend(Backend::Keyutils);
        let config = config.layout(layout).state_dir(sandbox.state_dir());
        Self::closed_on(config.open().await.unwrap(), |settings| settings).opened().await
    }

    async fn opened(self) -> Self {
        let mut page = self;
        let token = page.token();
        let answer = page.exchange(&token).await.json(StatusCode::OK);
        page.session = Some(PageSession::new(answer["session"].as_str().unwrap()));
        page
    }

    /// Without a session.
    pub(crate) async fn closed_with(with: impl FnOnce(SettingsBuilder) -> SettingsBuilder) -> Self {
        let manager =
            Config::new(unused_name("app")).backend(Backend::Memory).open().await.unwrap();
        Self::closed_on(manager, with)
    }

    fn closed_on(
        manager: SecretManager,
        with: impl FnOnce(SettingsBuilder) -> SettingsBuilder,
    ) -> Self {
        let settings = with(Settings::builder(manager.clone())).build().unwrap();
        let router = settings.router();
        Self { settings, manager, session: None, router }
    }

    pub(crate) fn token(&self) -> String {
        let link = self.settings.link("http://127.0.0.1/").unwrap();
        link.split_once("#token=").unwrap().1.to_owned()
    }

    pub(crate) async fn exchange(&self, token: &str) -> Answer {
        self.post("/api/session", json!({ "token": token })).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// What the page sends. It is sealed if there is a session.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let body = self.body(path, &body);
        let request = self.request(Method::POST, path).header(ORIGIN, format!("http://{HERE}"));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) fn body(&self, path: &str, body: &Value) -> Body {
        let body = body.to_string();
        match &self.session {
            Some(session) if path != "/api/session" => Body::from(session.sealed(path, &body)),
            _ => Body::from(body),
        }
    }

    /// A request of this page's session, without an `Origin`.
    pub(crate) fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path).header(HOST, HERE);
        match &self.session {
            Some(session) => request.header(AUTHORIZATION, format!("Bearer {}", session.bearer)),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let body = String::from_utf8(body).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The secrets, as the table shows them.
    pub(crate) async fn secrets(&self) -> Vec<Value> {
        let listed = self.get("/api/secrets").await.json(StatusCode::OK);
        listed["secrets"].as_array().unwrap().clone()
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(self, status: StatusCode) -> Value {
        let answer = self.is(status);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The token of what went wrong.
    #[track_caller]
    pub(crate) fn code(self, status: StatusCode) -> String {
        self.json(status)["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn form(name: &str) -> Value {
    json!({ "name": name, "value": VALUE })
}
