//! A prompt of the provider, and the signal of its answer.

use futures_lite::{StreamExt as _, future};
use zbus::message::{Message, Type as MessageType};
use zbus::{AsyncDrop as _, MatchRule, MessageStream, ObjectPath, OwnedObjectPath, OwnedVariant};

use crate::budget::Budget;
use crate::bus::Bus;
use crate::error::Failure;
use crate::protocol::PROMPT;

/// A prompt on the user's screen.
pub(crate) struct ShownPrompt {
    path: OwnedObjectPath,
    signals: MessageStream,
}

impl ShownPrompt {
    /// Shows a prompt.
    pub(crate) async fn show(
        bus: &mut Bus,
        budget: &Budget,
        path: OwnedObjectPath,
    ) -> Result<Self, Failure> {
        // Listens before the prompt appears, so that a quick answer is not missed.
        let signals = budget.run(listen(bus, &path)).await??;
        let prompt = Self { path, signals };
        match bus.call(budget, &prompt.path, (PROMPT, "Prompt"), &"").await {
            Ok(()) => Ok(prompt),
            Err(failure) => {
                prompt.forget(budget).await;
                Err(failure)
            }
        }
    }

    /// Waits for the signal of the answer, without a limit.
    pub(crate) async fn completion(&mut self) -> Result<Message, Failure> {
        let signal = self.signals.next().await;
        Ok(signal.ok_or_else(|| Failure::unexpected("a prompt by ending"))??)
    }

    /// Returns whether the signal of the answer has arrived.
    pub(crate) async fn is_completed(&mut self) -> bool {
        future::poll_once(self.signals.next()).await.is_some()
    }

    /// Asks the provider to close the prompt.
    pub(crate) async fn dismiss(&self, bus: &mut Bus, budget: &Budget) -> Result<(), Failure> {
        bus.call(budget, &self.path, (PROMPT, "Dismiss"), &()).await
    }

    /// Stops listening for the answer. A plain drop would keep the connection open.
    pub(crate) async fn forget(self, budget: &Budget) {
        // A failure is of no consequence: a bus that doesn't answer has nothing to forget.
        budget.run(self.signals.async_drop()).await.ok();
    }
}

/// Returns whether the signal of an answer says that the prompt was dismissed.
pub(crate) fn is_dismissal(completion: &Message) -> Result<bool, Failure> {
    let (is_dismissed, _): (bool, OwnedVariant) = completion
        .body()
        .deserialize()
        .map_err(|_| Failure::unexpected("a prompt with a strange result"))?;
    Ok(is_dismissed)
}

async fn listen(bus: &Bus, prompt: &ObjectPath<'_>) -> Result<MessageStream, Failure> {
    let mut rule = MatchRule::builder()
        .msg_type(MessageType::Signal)
        .interface(PROMPT)
        .member("Completed")
        .path(prompt);
    // Other programs on the bus can't answer a prompt.
    if let Some(owner) = bus.owner() {
        rule = rule.sender(owner);
    }
    Ok(MessageStream::for_match_rule(rule.build()?, bus.connection(), None).await?)
}
