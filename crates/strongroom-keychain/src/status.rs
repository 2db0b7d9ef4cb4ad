//! The statuses of Security.framework. Their names and meanings are in the table of the module `error`.

/// A status of Security.framework, an `OSStatus` other than success.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Status(pub(crate) i32);

impl Status {
    /// `errSecUserCanceled`
    pub(crate) const CANCELED: Self = Self(-128);
    /// `errSecAuthFailed`
    pub(crate) const AUTH_FAILED: Self = Self(-25293);
    /// `errSecDuplicateItem`
    pub(crate) const DUPLICATE: Self = Self(-25299);
    /// `errSecItemNotFound`
    pub(crate) const NOT_FOUND: Self = Self(-25300);
    /// `errSecInvalidItemRef`: deleted since it was found.
    pub(crate) const DELETED: Self = Self(-25304);
    /// `errSecInteractionNotAllowed`
    pub(crate) const NO_INTERACTION: Self = Self(-25308);
    /// `errSecInternalComponent`
    #[cfg(target_os = "macos")]
    pub(crate) const INTERNAL: Self = Self(-2070);

    /// Returns whether the item does not exist, or no longer does.
    pub(crate) fn is_gone(self) -> bool {
        [Self::NOT_FOUND, Self::DELETED].contains(&self)
    }

    /// Returns whether the call needed a prompt. With the switch for prompts off, the system reports any of
    /// these statuses for a prompt that it did not show: `Globals::itemCredentials` in Apple's Security then
    /// asks without credentials, which is refused as `errSecAuthFailed`.
    pub(crate) fn is_unshown_prompt(self) -> bool {
        [Self::CANCELED, Self::AUTH_FAILED, Self::NO_INTERACTION].contains(&self)
    }
}
