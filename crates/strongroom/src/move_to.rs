//! Moving a service's vault to another backend, or into entries of its secrets' own and back.

use strongroom_core::{Error, ErrorKind, Operation, Result, ServiceName};

use crate::binding::{BindingFile, Home, Moving};
use crate::choose::{choose_source, choose_unbound};
use crate::lifecycle::relocate::{self, MoveStep, Moved};
use crate::vault::Engine;
use crate::{Backend, Config, Layout};

impl Config {
    /// Moves the vault to another backend, or into or out of [`Layout::Entries`] within its backend. It copies
    /// the vault, reads it back and compares, switches the binding, and then deletes the old vault. The
    /// source is the store that holds the vault, even if the environment names another. It blocks.
    ///
    /// - The vault can't be changed meanwhile, except that other programs can write its entries. If they
    ///   change an entry before it is deleted, both values stay. Managers that have the vault open get
    ///   `BoundElsewhere` afterwards, and must open it again.
    /// - A move that was interrupted is done again, or finished, by another call.
    /// - `progress` is called before each step.
    /// - A new encrypted file needs a key: see `Config::key`.
    /// - A move into entries loses the times at which each secret was created and written.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no vault; `Invalid` if it is there already, or if `to` is a store of this
    /// process; `Conflict` if there is another vault of this service, or entries with other values;
    /// `Unsupported` if a secret has a provider, scope or expiry, which entries can't hold; `Corrupt` if the
    /// new store returned another value; otherwise as [`open`](Self::open). The old vault stays as it was.
    pub fn move_to(
        self,
        to: Backend,
        layout: Layout,
        mut progress: impl FnMut(MoveStep),
    ) -> Result<Moved> {
        let service = self.checked_service()?;
        let binding = self.binding_file(&service)?;
        let in_entries = layout == Layout::Entries && to != Backend::File;
        let to = Home { backend: to, in_entries };
        if let (Some(bound), Some(from)) = (binding.home()?, binding.moved_from()?)
            && bound == to
        {
            // A move was stopped after the switch, so that only the deletion is left.
            progress(MoveStep::Delete);
            return self.finish(&service, (from, to), &binding);
        }
        let source = choose_source(&service, &binding, &self)?;
        let from = source.backend();
        let is_same_store = from == to.backend;
        // Within a store, the source of a move into entries is the vault beside them.
        let has_entries = !(is_same_store && in_entries) && self.has_entries(from, &binding)?;
        let vault = self.vault_on(&source, &service, has_entries)?;
        if is_same_store || to.backend.is_of_this_process() {
            // A vault that does not exist is reported before a target that keeps nothing.
            let is_there_already = match relocate::layout_to_move(&vault) {
                Ok(layout) => (layout == Layout::Entries) == in_entries,
                // Entries may all be deleted while the service still lives in them, as its binding says.
                Err(none)
                    if none.kind() == ErrorKind::NotFound
                        && in_entries
                        && binding.home()? == Some(to) =>
                {
                    true
                }
                Err(error) => return Err(error),
            };
            if is_there_already || to.backend.is_of_this_process() {
                return Err(pointless(&service, to.backend));
            }
        }
        // The user is not asked for the passphrase of a new file if there is nothing to move.
        relocate::layout_to_move(&vault)?;
        let there = self.clone().backend(to.backend).layout(layout);
        let target = choose_unbound(&there)?;
        let target = there.vault_on(&target, &service, in_entries)?;
        relocate::move_vault((&vault, from), (&target, to), &binding, progress)
    }

    /// Deletes the old vault after a move that was stopped after the switch.
    fn finish(
        &self,
        service: &ServiceName,
        (from, to): (Home, Home),
        binding: &BindingFile,
    ) -> Result<Moved> {
        let vault = self.vault_at(service, to)?;
        let secrets = vault.read(|vault| vault.snapshot())?;
        let old = self.vault_at(service, from)?;
        relocate::delete_moved(&old.storage, &secrets, from.in_entries)?;
        // Only this ends the move: after a failure above, the next call deletes the old vault.
        binding.write(to, Moving::No).map_err(|error| {
            Error::new(ErrorKind::Io, Operation::Move)
                .with_message("where the vault lives can't be remembered")
                .with_source(error)
        })?;
        let can = vault.storage.store.capabilities();
        Ok(Moved::new((from.backend, to.backend), secrets.secrets().len(), can))
    }

    fn vault_at(&self, service: &ServiceName, home: Home) -> Result<Engine> {
        let chosen = choose_unbound(&self.clone().backend(home.backend))?;
        self.vault_on(&chosen, service, home.in_entries)
    }
}

fn pointless(service: &ServiceName, to: Backend) -> Error {
    let message = match to {
        to if to.is_of_this_process() => {
            format!("{to} keeps nothing: a vault can't be moved there")
        }
        to => format!("the secrets of \"{service}\" are in {to} already"),
    };
    Error::new(ErrorKind::Invalid, Operation::Move).with_message(message)
}
