//! The library's warnings, kept for the answer of a command.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// The library's warnings of a command, for its answer in JSON.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// Takes the warnings that were logged so far.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps the messages of events. Warnings about the store itself have a field `warning`, and are in each answer already.
impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        if !message.is_about_store {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.text);
        }
    }
}

/// The message of an event, without its fields.
#[derive(Default)]
struct Message {
    text: String,
    is_about_store: bool,
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            "warning" => self.is_about_store = true,
            _ => {}
        }
    }
}
