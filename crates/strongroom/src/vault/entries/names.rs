//! The names of secrets' entries.

use strongroom_core::{Error, ErrorKind, Operation, Result, SecretKey, UserName};

use crate::layout::VAULT_ENTRY;

/// Returns the user name of a secret's entry, as the tools of the system show it.
///
/// # Errors
///
/// `Invalid` if it can't be a user name, or is that of another secret or of the vault.
pub(super) fn user_name(key: &SecretKey) -> Result<UserName> {
    let user = UserName::new(key.entry_name())?;
    if user.as_str() == VAULT_ENTRY {
        let message = format!("the entry \"{VAULT_ENTRY}\" is the vault's own");
        return Err(refused(message, "Choose another name."));
    }
    // The name `a::b` without a target has the entry of `a` with the target `b`.
    let named = SecretKey::from_entry_name(user.as_str());
    if named != *key {
        let message = format!("its entry would be \"{user}\", which is that of {named}");
        let hint = "Choose another name, or name the secret by its name and its target.";
        return Err(refused(message, hint));
    }
    Ok(user)
}

fn refused(message: String, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, Operation::Name).with_message(message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(key: &SecretKey) -> String {
        let error = user_name(key).expect_err("the name must be refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    }

    #[test]
    fn names_are_as_others_know_them() {
        let user = |key: SecretKey| user_name(&key).expect("it can be a name").as_str().to_owned();
        assert_eq!(user("anthropic-api-key".into()), "anthropic-api-key");
        assert_eq!(user("alice@example.com".into()), "alice@example.com");
        assert_eq!(user(SecretKey::with_target("API_KEY", "production")), "API_KEY::production");
        assert_eq!(user(SecretKey::with_target("a:", "b")), "a:::b");
    }

    #[test]
    fn a_name_that_is_anothers_is_refused() {
        assert!(refusal(&"vault".into()).contains("is the vault's own"));
        assert!(refusal(&"a::b".into()).contains(r#"that of "a" for target "b""#));
        assert!(refusal(&SecretKey::with_target("a", ":b")).contains("\"a:\" for target"));
        assert!(refusal(&SecretKey::with_target("a".repeat(200), "b".repeat(54))).contains("256"));
    }

    proptest! {
        #[test]
        fn no_two_secrets_have_one_entry(name in "[ab:]{1,6}", target in "[ab:]{1,6}") {
            let (plain, targeted) = (SecretKey::new(&name), SecretKey::with_target(&name, &target));
            for key in [plain, targeted] {
                if let Ok(user) = user_name(&key) {
                    prop_assert_eq!(SecretKey::from_entry_name(user.as_str()), key);
                }
            }
        }

        #[test]
        fn every_entry_has_a_name_to_be_read_by(user in "[ab:@]{1,8}") {
            let user = UserName::new(user).expect("it is one");
            let key = SecretKey::from_entry_name(user.as_str());
            prop_assert_eq!(user_name(&key).expect("it has one"), user);
        }
    }
}
