//! Moving a service's vault to another backend.

use strongroom_core::{Error, ErrorKind, Operation, Result, ServiceName};

use crate::binding::{BindingFile, Moving};
use crate::choose::{choose, choose_for};
use crate::{Backend, Layout, MoveStep, Moved, SecretManagerBuilder};

impl SecretManagerBuilder {
    /// Moves the vault to another backend: copies it, reads it back and compares, switches, and then
    /// deletes the old one. It blocks.
    ///
    /// - Nobody changes the vault meanwhile. Managers that have it open find `BoundElsewhere`
    ///   afterwards, and must open it again.
    /// - One that was stopped in between is done again, or finished, by another call.
    /// - `progress` hears of each step before it.
    /// - A new encrypted file needs a key: see [`Options::with_key`](crate::Options::with_key).
    ///
    /// # Errors
    ///
    /// `NotFound` if there is no vault; `Invalid` if it is there already; `Conflict` if there is another
    /// vault of this service; `Corrupt` if the new store gave back something else; and as
    /// [`open`](Self::open). The old vault stays as it was.
    pub fn move_to(
        self,
        to: Backend,
        layout: Layout,
        mut progress: impl FnMut(MoveStep),
    ) -> Result<Moved> {
        let service = ServiceName::new(self.service.as_str())?;
        let binding = BindingFile::new(&self.options.state_dir(), &service);
        if let (Some(bound), Some(from)) = (binding.read(), binding.moved_from())
            && bound == to
        {
            progress(MoveStep::Delete);
            return self.finish(&service, (from, to), &binding);
        }
        let source = choose_for(&service, &binding, &self.options)?;
        let from = source.backend();
        if from == to || to == Backend::Memory {
            self.vault_on(&source, &service)?.must_be_there()?;
            return Err(pointless(&service, to));
        }
        let mut there = self.clone();
        there.options = there.options.with_backend(to).with_layout(layout);
        let target = choose(&there.options)?;
        let target = there.vault_on(&target, &service)?;
        self.vault_on(&source, &service)?.move_to((&target, to), from, &binding, progress)
    }

    /// Deletes what a move that was stopped after the switch has left.
    fn finish(
        &self,
        service: &ServiceName,
        (from, to): (Backend, Backend),
        binding: &BindingFile,
    ) -> Result<Moved> {
        let on = |backend| {
            let chosen = choose(&self.options.clone().with_backend(backend))?;
            self.vault_on(&chosen, service)
        };
        let secrets = on(to)?.list()?.len();
        on(from)?.delete_all()?;
        binding.write(to, Moving::No).map_err(|error| {
            Error::new(ErrorKind::Io, Operation::Set)
                .with_message("where the vault lives can't be remembered")
                .with_source(error)
        })?;
        Ok(Moved::new(from, to, secrets))
    }
}

fn pointless(service: &ServiceName, to: Backend) -> Error {
    let message = match to {
        Backend::Memory => "memory keeps nothing: a vault can't be moved there".to_owned(),
        to => format!("the secrets of \"{service}\" are in {to} already"),
    };
    Error::new(ErrorKind::Invalid, Operation::Set).with_message(message)
}
