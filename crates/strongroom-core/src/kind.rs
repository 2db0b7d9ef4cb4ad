//! A kind of store, described as data by its crate: its names, its texts, and a function that opens it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::{Deadlines, PromptPolicy, Result, Store};

/// A kind of store.
///
/// Each store crate exports a kind as a constant, and the engine has a list of them. Programs that show a
/// store take its texts from its kind.
///
/// ```
/// use std::sync::Arc;
/// use strongroom_core::{MemoryStore, StoreKind};
///
/// const KIND: StoreKind = StoreKind::new(MemoryStore::NAME, |_| Ok(Arc::new(MemoryStore::new())))
///     .with_label("the memory of this program")
///     .with_protection("nothing but this process");
/// assert_eq!(KIND.name(), "memory");
/// ```
#[derive(Clone, Copy)]
pub struct StoreKind {
    name: &'static str,
    label: &'static str,
    protection: &'static str,
    default_on: Option<&'static str>,
    open: Open,
}

/// The environment that a store is opened in.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreContext<'a> {
    /// The deadlines of the store's operations.
    pub deadlines: Deadlines,
    /// The permission to let the system prompt the user.
    pub prompt: PromptPolicy,
    /// The directory for locks and other state, in place of the user's own.
    pub state_dir: Option<&'a Path>,
    /// `true` if values may be sent to the store's provider unencrypted.
    pub allows_unencrypted_session: bool,
    /// `true` if text of several lines is written unchanged, by stores that can keep it but would encode it
    /// otherwise.
    pub keeps_lines: bool,
    /// The application's settings for single kinds of store.
    pub settings: &'a StoreSettings,
}

/// The settings for single kinds of store, by their type: the configuration type of a store crate.
#[derive(Clone, Default)]
pub struct StoreSettings(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

// A function pointer, so that a kind can be a constant.
type Open = fn(&StoreContext<'_>) -> Result<Arc<dyn Store>>;

impl StoreKind {
    /// Creates a kind from its stable name, which is that of [`Store::name`], and the function that opens a
    /// store. The function contacts no provider.
    pub const fn new(name: &'static str, open: Open) -> Self {
        Self { name, label: name, protection: "the store itself", default_on: None, open }
    }

    /// Sets the name for users, such as "the kernel's keyring". The default is the stable name.
    #[must_use]
    pub const fn with_label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    /// Sets the description of the protection, as an answer to "Protected by …".
    #[must_use]
    pub const fn with_protection(mut self, protection: &'static str) -> Self {
        self.protection = protection;
        self
    }

    /// Makes the kind the default of an operating system, in the spelling of `std::env::consts::OS`.
    #[must_use]
    pub const fn with_default_on(mut self, os: &'static str) -> Self {
        self.default_on = Some(os);
        self
    }

    /// Returns the stable name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the name for users.
    pub const fn label(&self) -> &'static str {
        self.label
    }

    /// Returns the description of the protection.
    pub const fn protection(&self) -> &'static str {
        self.protection
    }

    /// Returns the operating system on which applications use this kind by default.
    pub const fn default_on(&self) -> Option<&'static str> {
        self.default_on
    }

    /// Opens a store without contacting it.
    ///
    /// # Errors
    ///
    /// `NoBackend` if it can't be opened here.
    pub fn open(&self, context: &StoreContext<'_>) -> Result<Arc<dyn Store>> {
        (self.open)(context)
    }
}

impl<'a> StoreContext<'a> {
    /// Creates the default environment, with these settings.
    pub fn new(settings: &'a StoreSettings) -> Self {
        Self {
            deadlines: Deadlines::default(),
            prompt: PromptPolicy::default(),
            state_dir: None,
            allows_unencrypted_session: false,
            keeps_lines: false,
            settings,
        }
    }

    /// Returns the settings of a kind, or their default.
    pub fn settings_or_default<T: Any + Clone + Default + Send + Sync>(&self) -> T {
        self.settings.get::<T>().cloned().unwrap_or_default()
    }
}

impl StoreSettings {
    /// Sets the settings of this type, in place of earlier settings.
    pub fn insert<T: Any + Send + Sync>(&mut self, settings: T) {
        // By type, because this crate can't name the settings of store crates.
        self.0.insert(TypeId::of::<T>(), Arc::new(settings));
    }

    /// Returns the settings of this type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreKind").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Shows only the number of settings, because they may hold keys.
impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings").field("count", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_by_their_type_and_never_shown() {
        let mut settings = StoreSettings::default();
        settings.insert("old".to_owned());
        settings.insert("marker".to_owned());
        settings.insert(7_u8);
        assert_eq!(settings.get::<String>().map(String::as_str), Some("marker"));
        assert_eq!(StoreContext::new(&settings).settings_or_default::<u8>(), 7);
        assert_eq!(StoreContext::new(&settings).settings_or_default::<u16>(), 0);
        assert!(!format!("{settings:?}").contains("marker"));
    }
}
