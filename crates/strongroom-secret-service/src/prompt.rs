//! Prompts: showing them, waiting for answers, and giving up in a way that the provider survives.

use futures_lite::{StreamExt as _, future};
use strongroom_core::ErrorKind;
use zbus::message::Type as MessageType;
use zbus::{AsyncDrop as _, MatchRule, MessageStream, ObjectPath, OwnedObjectPath, OwnedVariant};

use crate::budget::Budget;
use crate::bus::Bus;
use crate::error::Failure;
use crate::operation::Work;
use crate::protocol::{NO_OBJECT, PROMPT};
use crate::provider::{PROMPTER, Provider};

/// The time limit for dismissing a prompt that is given up.
const DISMISSAL: std::time::Duration = std::time::Duration::from_millis(200);

/// A prompt on the user's screen.
pub(crate) struct Shown {
    path: OwnedObjectPath,
    completed: MessageStream,
}

impl Work<'_> {
    /// Shows a prompt and waits for its answer. Returns at once if the path stands for no prompt.
    pub(crate) async fn ask(&mut self, prompt: OwnedObjectPath) -> Result<(), Failure> {
        if prompt.as_str() == NO_OBJECT {
            return Ok(());
        }
        let shown = Shown::show(self.bus, &self.budget, prompt).await?;
        self.wait_for(shown).await
    }

    /// Waits for the prompt that an earlier operation left on the screen; false if there is none, or if it
    /// was completed meanwhile.
    pub(crate) async fn wait_for_earlier_prompt(&mut self) -> Result<bool, Failure> {
        let Some(mut shown) = self.left_behind.take() else {
            return Ok(false);
        };
        // The answer of a completed prompt says nothing about the state after it, so the caller asks the
        // provider again.
        if future::poll_once(shown.completed.next()).await.is_some() {
            shown.forget(&self.budget).await;
            return Ok(false);
        }
        self.wait_for(shown).await.map(|()| true)
    }

    async fn wait_for(&mut self, mut shown: Shown) -> Result<(), Failure> {
        let Some(signal) = self.budget.run_prompt(shown.completed.next()).await else {
            return Err(self.give_up(shown).await);
        };
        self.budget.restart();
        let signal = signal.ok_or_else(|| Failure::unexpected("a prompt by ending"))??;
        shown.forget(&self.budget).await;
        let (dismissed, _): (bool, OwnedVariant) = signal
            .body()
            .deserialize()
            .map_err(|_| Failure::unexpected("a prompt with a strange result"))?;
        if dismissed { Err(self.explain_dismissal().await) } else { Ok(()) }
    }

    /// Gives up a prompt that got no answer in time.
    ///
    /// The protocol's way is to dismiss it. gnome-keyring up to 50 aborts on that, and KWallet 5 leaves the
    /// dialog open and never completes another prompt. Their prompts stay for the user to answer, and the
    /// next operation waits for the same prompt instead of adding a second.
    async fn give_up(&mut self, shown: Shown) -> Failure {
        let failure = Failure::new(ErrorKind::TimedOut);
        if Provider::find(self.bus).await.is_some_and(|provider| provider.breaks_on_dismissal()) {
            *self.left_behind = Some(shown);
            return failure
                .message("nobody answered the keyring's prompt; it is still on the screen")
                .hint("Answer the prompt, or close it, and try again.");
        }
        let budget = self.budget.of(DISMISSAL);
        let dismissal = self.bus.call(&budget, &shown.path, (PROMPT, "Dismiss"), &());
        let dismissed: Result<(), Failure> = dismissal.await;
        tracing::debug!(dismissed = dismissed.is_ok(), "gave up a prompt");
        shown.forget(&budget).await;
        failure
            .message("nobody answered the keyring's prompt; it was dismissed")
            .hint("Try again and answer the prompt, or unlock the keyring first.")
    }

    /// Returns the failure for a dismissed prompt. gnome-keyring also reports "dismissed" if no program can
    /// show its prompts.
    async fn explain_dismissal(&mut self) -> Failure {
        let provider = Provider::find(self.bus).await;
        let needs_prompter = provider.is_some_and(|provider| provider.is_gnome_keyring());
        if needs_prompter && !self.bus.can_reach(&self.budget, PROMPTER).await {
            return Failure::new(ErrorKind::InteractionNotAllowed)
                .message("gnome-keyring found nobody on the session bus to show its prompt")
                .hint("Run it in a desktop session, or install gcr's prompter.");
        }
        Failure::new(ErrorKind::Dismissed)
    }
}

impl Shown {
    /// Stops listening for the answer. A plain drop would keep the connection open.
    pub(crate) async fn forget(self, budget: &Budget) {
        // A failure is of no consequence: a bus that doesn't answer has nothing to forget.
        budget.run(self.completed.async_drop()).await.ok();
    }

    async fn show(bus: &mut Bus, budget: &Budget, path: OwnedObjectPath) -> Result<Self, Failure> {
        // Listens before the prompt appears, so that a quick answer is not missed.
        let completed = budget.run(listen(bus, &path)).await??;
        let shown = Self { path, completed };
        match bus.call(budget, &shown.path, (PROMPT, "Prompt"), &"").await {
            Ok(()) => Ok(shown),
            Err(failure) => {
                shown.forget(budget).await;
                Err(failure)
            }
        }
    }
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
