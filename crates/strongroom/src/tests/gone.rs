//! A vault that a lasting store no longer has.

use super::*;

impl Machine {
    fn bound_vault(&self) -> Vault {
        self.bound(false)
    }

    fn bound(&self, replaces_gone: bool) -> Vault {
        let service = ServiceName::new("app").unwrap();
        let file = BindingFile::new(&StateDir::at(self.dir.path()).unwrap(), &service);
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        let binding = Binding::new(file, Backend::Keychain).unwrap();
        let engine = self.engine(&store, patient()).replacing_gone(replaces_gone);
        Vault::new(engine, &store, Some(binding))
    }

    /// Deletes the vault by other means than ours: its entry, and its file if it has one.
    fn lose(&self) {
        self.store.delete_password("app", "vault").unwrap();
        std::fs::remove_dir_all(self.dir.path().join("data")).ok();
    }
}

// On Windows files that are open can't be deleted.
#[cfg(unix)]
#[test]
fn a_vault_that_is_gone_is_an_error_to_all_and_begins_anew_on_purpose() {
    for machine in Machine::of_each_layout() {
        let open = machine.bound_vault();
        open.set(&key("a"), Secret::new("1")).unwrap();
        machine.lose();
        for vault in [machine.bound_vault(), open] {
            vault.forget();
            for error in [
                vault.get(key("a")).unwrap_err(),
                vault.list().unwrap_err(),
                vault.set(&key("b"), Secret::new("2")).unwrap_err(),
                vault.shared.check_writable(&key("b")).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
                let says_when = error.to_string().contains("last seen at generation 1");
                assert_eq!(says_when, machine.layout == Layout::Inline, "{error}");
            }
        }
        let anew = machine.bound(true);
        assert!(anew.list().unwrap().is_empty());
        anew.set(&key("b"), Secret::new("2")).unwrap();
        assert_eq!(value(&machine.bound_vault(), "b").as_deref(), Some("2"));
    }
}

#[test]
fn a_reset_of_one_that_is_gone_ends_the_error() {
    let machine = Machine::new();
    machine.bound_vault().set(&key("a"), Secret::new("1")).unwrap();
    machine.lose();
    assert!(machine.bound_vault().reset().unwrap().is_empty());
    assert!(machine.bound_vault().list().unwrap().is_empty());
    let error = machine.bound_vault().reset().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "there is nothing to repair any more");
}

#[test]
fn what_was_deleted_by_us_or_forgotten_by_its_store_is_not_gone() {
    let machine = Machine::new();
    let vault = machine.bound_vault();
    vault.set(&key("a"), Secret::new("1")).unwrap();
    vault.delete(key("a")).unwrap();
    assert!(machine.bound_vault().list().unwrap().is_empty());
    vault.purge().unwrap();
    assert!(machine.bound_vault().list().unwrap().is_empty());

    vault.set(&key("a"), Secret::new("1")).unwrap();
    machine.lose();
    machine.store.set_capabilities(Capabilities::new(Persistence::UntilReboot).with_list());
    assert!(machine.bound_vault().list().unwrap().is_empty());
}
