//! The errors of a choice that finds no store.

use std::error::Error as StdError;
use std::fmt;

use strongroom_core::advice::{Advice, Sentence};
use strongroom_core::{Error, ErrorKind, Operation, Reason};

use crate::backend::{names, supported};
use crate::container::Container;
use crate::sealed_files::key_advice;
use crate::{Backend, Config};

/// Returns the error for a default that can't be used, if no other store may take its place.
pub(super) fn no_fallback(cause: Error, config: &Config) -> Error {
    let advice = cause.advice().and(others(config, &[cause.store()]));
    cause.during(Operation::Choose).with_advice(advice)
}

/// Returns the error for a container, in which the kernel's keyring is not the fallback unless it was set.
pub(super) fn shared_with(container: &Container, default: &Error, config: &Config) -> Error {
    let variable = config.backend_variable();
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_reason(Reason::Container)
        .with_message(format!(
            "this is a container ({container}), where others of the same user id may read the kernel's keyring, \
             and the default can't be used"
        ))
        .with_advice(
            Advice::from(
                Sentence::from("An encrypted file keeps secrets there: ")
                    .shell(format!("export {variable}=file"))
                    .text("."),
            )
            .and(key_advice(config))
            .and(
                Sentence::from("Or take the kernel's keyring all the same: ")
                    .shell(format!("export {variable}=keyutils"))
                    .text("."),
            ),
        )
        .with_source(Cause { text: because(default), next: None })
}

/// Returns the error for a default and a fallback that both can't be used.
pub(super) fn neither(default: &Error, fallback: &Error, config: &Config) -> Error {
    let others = others(config, &[default.store(), fallback.store()]);
    let advice = match fallback.kind() {
        ErrorKind::KeyMissing => default.advice().and(key_advice(config)),
        _ => default.advice(),
    };
    let second = Cause { text: because(fallback), next: None };
    Error::new(ErrorKind::NoBackend, Operation::Choose)
        .with_message("neither the default can be used nor what would take its place")
        .with_advice(advice.and(others))
        .with_source(Cause { text: because(default), next: Some(Box::new(second)) })
}

/// Returns a sentence that names the backends that are left to choose.
fn others(config: &Config, tried: &[Option<&'static str>]) -> String {
    let mut others = supported();
    // The memory backend forgets everything with the process, so it is not advised.
    others.retain(|backend| *backend != Backend::Memory && !tried.contains(&Some(backend.name())));
    if others.is_empty() {
        return String::new();
    }
    let variable = config.backend_variable();
    format!("{variable} chooses another backend: {}.", names(&others))
}

/// Returns the reason for not using the default.
pub(crate) fn because(cause: &Error) -> String {
    let default = cause.store().unwrap_or("the default");
    format!("{default} can't be used: {}", cause.problem())
}

/// A cause in a chain of several, with the next cause.
#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Self>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_deref().map(|next| next as _)
    }
}
