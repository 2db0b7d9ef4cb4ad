//! Moving a service's vault to another backend, or into entries of its secrets' own and back.

use strongroom_core::{Error, ErrorKind, Operation, Result, ServiceName};

use crate::binding::{BindingFile, Home, Moving};
use crate::choose::{choose_source, choose_unbound};
use crate::vault::{MoveStep, Moved};
use crate::{Backend, Config, Layout};

impl Config {
    /// Moves the vault to another backend, from where it is whatever the environment names, or into or out of [`Layout::Entries`] within its own: copies it, reads
    /// it back and compares, switches, and then deletes the old one. It blocks.
    ///
    /// - Nobody changes the vault meanwhile, but other programs that write its entries: of those that they
    ///   change until it is deleted, both values stay. Managers that have it open find `BoundElsewhere`
    ///   afterwards, and must open it again.
    /// - One that was stopped in between is done again, or finished, by another call.
    /// - `progress` hears of each step before it.
    /// - A new encrypted file needs a key: see `Config::with_key`.
    /// - Of what moves into entries, the times are lost, when each secret was made and written.
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no vault; `Invalid` if it is there already; `Conflict` if there is another
    /// vault of this service, or entries of other values; `Unsupported` if a secret has a provider, scope or
    /// expiry, which entries can't hold; `Corrupt` if the new store gave back something else; and as
    /// [`open`](Self::open). The old vault stays as it was.
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
            progress(MoveStep::Delete);
            return self.finish(&service, (from, to), &binding);
        }
        let source = choose_source(&service, &binding, &self)?;
        let from = source.backend();
        let is_same_store = from == to.backend;
        // Within its store, what goes into entries is the vault beside them.
        let has_entries = !(is_same_store && in_entries) && self.has_entries(from, &binding)?;
        let vault = self.vault_on(&source, &service, has_entries)?;
        if is_same_store || to.backend.is_of_this_process() {
            let is_there_already = match vault.must_be_there() {
                Ok(layout) => (layout == Layout::Entries) == in_entries,
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
        // Before the passphrase of a new file is asked for.
        vault.must_be_there()?;
        let there = self.clone().backend(to.backend).layout(layout);
        let target = choose_unbound(&there)?;
        let target = there.vault_on(&target, &service, in_entries)?;
        vault.move_to((&target, to), from, &binding, progress)
    }

    /// Deletes what a move that was stopped after the switch has left.
    fn finish(
        &self,
        service: &ServiceName,
        (from, to): (Home, Home),
        binding: &BindingFile,
    ) -> Result<Moved> {
        let on = |home: Home| {
            let chosen = choose_unbound(&self.clone().backend(home.backend))?;
            let vault = self.vault_on(&chosen, service, home.in_entries)?;
            Ok::<_, Error>((vault, chosen))
        };
        let (vault, chosen) = on(to)?;
        let vault = vault.snapshot()?;
        on(from)?.0.delete_moved(&vault, from.in_entries)?;
        binding.write(to, Moving::No).map_err(|error| {
            Error::new(ErrorKind::Io, Operation::Move)
                .with_message("where the vault lives can't be remembered")
                .with_source(error)
        })?;
        let can = chosen.store().capabilities();
        Ok(Moved::new((from.backend, to.backend), vault.secrets().len(), can))
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
