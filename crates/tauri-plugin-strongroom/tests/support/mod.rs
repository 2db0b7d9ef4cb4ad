//! An application with the plugin and one window, without a screen: what a page would send goes through
//! Tauri's own gate, with the permissions as they are in `permissions/`.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};
use strongroom::ErrorKind;
use tauri::ipc::{CallbackFn, InvokeBody, InvokeResponse};
use tauri::test::{INVOKE_KEY, MockRuntime, mock_builder, mock_context, noop_assets};
use tauri::utils::acl::capability::Capability;
use tauri::utils::acl::manifest::{Manifest, PermissionFile};
use tauri::utils::acl::resolved::Resolved;
use tauri::utils::platform::Target;
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_strongroom::Builder;

const PERMISSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/permissions");

/// Every permission that there is.
pub(crate) const ALL: &[&str] = &[
    "strongroom:allow-delete",
    "strongroom:allow-describe",
    "strongroom:allow-exists",
    "strongroom:allow-list",
    "strongroom:allow-reveal",
    "strongroom:allow-set",
    "strongroom:allow-status",
];

/// Returns a service that no other test of this program has: vaults in memory are the whole process's.
pub(crate) fn unused_service() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    format!("tracker-{}", COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// The application, and the window that asks.
pub(crate) struct Desktop {
    pub(crate) app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
}

impl Desktop {
    /// Starts it, with these permissions for its window.
    pub(crate) fn start(plugin: Builder, permissions: &[&str]) -> Self {
        let app = build(plugin, permissions).unwrap();
        let window = WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap();
        Self { app, window }
    }

    /// What a command of the plugin answers: a value, or an error.
    pub(crate) fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        self.send(command, arguments).recv().unwrap()
    }

    /// What a command of the application answers that fails like the library does.
    pub(crate) fn fail(&self, kind: ErrorKind) -> Value {
        let answer = self.request("fail".to_owned(), json!({ "code": kind.code() }));
        answer.recv().unwrap().unwrap_err()
    }

    /// The same for a command that the test needs to succeed.
    #[track_caller]
    pub(crate) fn ok(&self, command: &str, arguments: Value) -> Value {
        self.call(command, arguments).unwrap()
    }

    /// Sends a command, and returns before its answer is there.
    pub(crate) fn send(&self, command: &str, arguments: Value) -> Receiver<Result<Value, Value>> {
        self.request(format!("plugin:strongroom|{command}"), arguments)
    }

    fn request(&self, cmd: String, arguments: Value) -> Receiver<Result<Value, Value>> {
        let (sender, answer) = mpsc::channel();
        let url = if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };
        let request = InvokeRequest {
            cmd,
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: url.parse().unwrap(),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.to_owned(),
        };
        let answered = move |_, _, response, _, _| {
            let told = match response {
                InvokeResponse::Ok(body) => Ok(body.deserialize().unwrap()),
                InvokeResponse::Err(error) => Err(error.0),
            };
            sender.send(told).ok();
        };
        self.window.as_ref().clone().on_message(request, Box::new(answered));
        answer
    }
}

/// The application without a window.
pub(crate) fn build(plugin: Builder, permissions: &[&str]) -> tauri::Result<App<MockRuntime>> {
    let acl = BTreeMap::from([("strongroom".to_owned(), manifest())]);
    let capability = json!({ "identifier": "test", "windows": ["*"], "permissions": permissions });
    let capability: Capability = serde_json::from_value(capability).unwrap();
    let capabilities = BTreeMap::from([(capability.identifier.clone(), capability)]);
    let resolved = Resolved::resolve(&acl, capabilities, Target::current()).unwrap();
    let mut context = mock_context(noop_assets());
    *context.runtime_authority_mut() = tauri::runtime_authority!(acl, resolved);
    let app = mock_builder().plugin(plugin.build());
    app.invoke_handler(tauri::generate_handler![commands::fail]).build(context)
}

/// Every kind of error of the library.
pub(crate) const KINDS: [ErrorKind; 24] = {
    use ErrorKind::*;
    [
        AccessDenied,
        AlreadyExists,
        Ambiguous,
        BoundElsewhere,
        Busy,
        Conflict,
        Corrupt,
        Dismissed,
        Expired,
        InteractionNotAllowed,
        Invalid,
        Io,
        KeyMissing,
        Locked,
        NoBackend,
        NoDefaultCollection,
        NoLogonSession,
        NotFound,
        Other,
        QuotaExceeded,
        TimedOut,
        TooLarge,
        Unsupported,
        WrongKey,
    ]
};

mod commands {
    use strongroom::error::Operation;
    use tauri_plugin_strongroom::Result;

    /// Fails as the library does, with an error of this code.
    #[tauri::command]
    pub(super) fn fail(code: String) -> Result<()> {
        let kind = super::KINDS.into_iter().find(|kind| kind.code() == code).unwrap();
        Err(strongroom::Error::new(kind, Operation::Get).with_hint("Do this.").into())
    }
}

/// The permissions as Tauri's build reads them.
fn manifest() -> Manifest {
    let commands = Path::new(PERMISSIONS).join("autogenerated/commands");
    let mut files: Vec<_> =
        fs::read_dir(commands).unwrap().map(|file| file.unwrap().path()).collect();
    files.push(Path::new(PERMISSIONS).join("default.toml"));
    let read = |path| toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let files: Vec<PermissionFile> = files.into_iter().map(read).collect();
    Manifest::new(files, None)
}
