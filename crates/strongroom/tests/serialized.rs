//! The forms for `serde` of what is listed and configured.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde::Deserialize;
use strongroom::{Backend, Config, ErrorKind, Layout, Secret, SecretInfo, SecretKey};

#[derive(Debug, Deserialize)]
struct Settings {
    backend: Backend,
    layout: Layout,
    key: SecretKey,
}

#[test]
fn a_configuration_names_backend_layout_and_key() {
    let text = r#"{"backend":"memory","layout":"entries","key":{"name":"A","target":"test"}}"#;
    let settings: Settings = serde_json::from_str(text).unwrap();
    assert_eq!((settings.backend, settings.layout), (Backend::Memory, Layout::Entries));
    assert_eq!(settings.key, ("A", "test").into());
    for layout in [Layout::Inline, Layout::Sealed, Layout::Entries] {
        assert_eq!(serde_json::to_value(layout).unwrap(), layout.name());
    }
    let error = serde_json::from_str::<Settings>(&text.replace("memory", "nonsense")).unwrap_err();
    assert!(error.to_string().contains("no backend \"nonsense\""), "{error}");
}

#[test]
fn a_list_shows_all_but_values() {
    let secrets = Config::new("serialized").backend(Backend::Memory).open_blocking().unwrap();
    secrets.set(("A", "test"), &Secret::with_provider("marker", "openai")).unwrap();
    let list = secrets.list().unwrap();
    let text = serde_json::to_string(&list).unwrap();
    assert!(text.starts_with(r#"[{"name":"A","target":"test","provider":"openai","scope":null,"#));
    assert!(!text.contains("marker"), "{text}");
    assert_eq!(serde_json::from_str::<Vec<SecretInfo>>(&text).unwrap(), list);
    let error = secrets.require("B").unwrap_err();
    assert_eq!(serde_json::to_value(error.kind()).unwrap(), error.code());
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
