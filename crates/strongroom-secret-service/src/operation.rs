//! A running operation on the Secret Service. Its steps are in the modules below, by topic.

mod candidates;
mod collections;
mod entries;
mod items;
mod prompts;
mod search;

use crate::Config;
use crate::budget::Budget;
use crate::bus::Bus;
use crate::dh::KeyPair;
use crate::error::Failure;
use crate::facts::Facts;
use crate::prompt::ShownPrompt;
use crate::provider::Provider;
use crate::session::Session;

/// The context of a running operation: the bus and session that it uses, its settings and its time budget.
pub(crate) struct OperationContext<'a> {
    pub(crate) bus: &'a mut Bus,
    pub(crate) session: &'a mut Option<Session>,
    pub(crate) pair: &'a mut Option<KeyPair>,
    pub(crate) abandoned_prompt: &'a mut Option<ShownPrompt>,
    pub(crate) budget: Budget,
    pub(crate) config: &'a Config,
    pub(crate) facts: &'a Facts,
    /// Set once a change was requested, which may take effect even if no answer comes.
    pub(crate) has_requested_change: bool,
}

impl OperationContext<'_> {
    /// Opens a session if there is none, and checks that this store may use it.
    async fn open_session(&mut self) -> Result<(), Failure> {
        let is_new = self.session.is_none();
        if is_new {
            let pair = self.pair.take();
            let opening = Session::open(self.bus, &self.budget, self.config, pair);
            *self.session = Some(opening.await?);
        }
        let is_encrypted = self.session.as_ref().is_some_and(Session::is_encrypted);
        // The session is shared by all stores on the bus: another store may have allowed a plain session.
        if !is_encrypted && !self.config.unencrypted_session {
            return Err(Failure::not_encrypted());
        }
        if (is_new || !self.facts.is_session_known())
            && let Some(provider) = Provider::find(self.bus).await
        {
            self.facts.note_provider(&provider);
        }
        self.facts.note_session(is_encrypted);
        Ok(())
    }

    /// Completes the failure for a call without an answer: names the provider, and warns if a requested
    /// change may still take effect.
    pub(crate) async fn explain_silence(&self, failure: Failure) -> Failure {
        let known = Provider::find(self.bus).await.map(|provider| provider.explain_silence());
        let (failure, hint) = match known {
            Some((message, hint)) => (failure.with_message(message), hint),
            None => (failure, "See whether the keyring's daemon runs, and try again.".into()),
        };
        let warning =
            if self.has_requested_change { " The change may still take effect." } else { "" };
        failure.with_hint(hint.text(warning))
    }
}
