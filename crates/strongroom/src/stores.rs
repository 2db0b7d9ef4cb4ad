//! The stores of this build, for settings of their own: see [`Config::store_settings`](crate::Config::store_settings).

#[cfg(all(feature = "credential-manager", windows))]
pub use strongroom_credential_manager as credential_manager;
#[cfg(all(feature = "keychain", target_os = "macos"))]
pub use strongroom_keychain as keychain;
#[cfg(all(feature = "keyutils", target_os = "linux"))]
pub use strongroom_keyutils as keyutils;
#[cfg(feature = "sealed")]
pub use strongroom_sealed as sealed;
#[cfg(all(feature = "secret-service", target_os = "linux"))]
pub use strongroom_secret_service as secret_service;
