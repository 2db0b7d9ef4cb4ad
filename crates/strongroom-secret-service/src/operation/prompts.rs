//! Prompts of an operation: showing them, waiting for answers, and giving up in a way that the provider survives.

use std::time::Duration;

use strongroom_core::ErrorKind;
use zbus::OwnedObjectPath;

use super::OperationContext;
use crate::error::Failure;
use crate::prompt::{ShownPrompt, is_dismissal};
use crate::protocol::NO_OBJECT;
use crate::provider::{PROMPTER, Provider};

/// The time limit for dismissing a prompt that is given up.
const DISMISSAL: Duration = Duration::from_millis(200);

impl OperationContext<'_> {
    /// Shows a prompt and waits for its answer. Returns at once if the path stands for no prompt.
    pub(super) async fn show_prompt(&mut self, prompt: OwnedObjectPath) -> Result<(), Failure> {
        if prompt.as_str() == NO_OBJECT {
            return Ok(());
        }
        let prompt = ShownPrompt::show(self.bus, &self.budget, prompt).await?;
        self.wait_for(prompt).await
    }

    /// Waits for the prompt that an earlier operation left on the screen; false if there is none, or if it
    /// was completed meanwhile.
    pub(super) async fn wait_for_abandoned_prompt(&mut self) -> Result<bool, Failure> {
        let Some(mut prompt) = self.abandoned_prompt.take() else {
            return Ok(false);
        };
        // The answer of a completed prompt says nothing about the state after it, so the caller asks the
        // provider again.
        if prompt.is_completed().await {
            prompt.forget(&self.budget).await;
            return Ok(false);
        }
        self.wait_for(prompt).await.map(|()| true)
    }

    async fn wait_for(&mut self, mut prompt: ShownPrompt) -> Result<(), Failure> {
        let Some(completion) = self.budget.run_prompt(prompt.completion()).await else {
            return Err(self.give_up(prompt).await);
        };
        self.budget.restart();
        let completion = completion?;
        prompt.forget(&self.budget).await;
        if is_dismissal(&completion)? { Err(self.explain_dismissal().await) } else { Ok(()) }
    }

    /// Gives up a prompt that got no answer in time.
    ///
    /// The protocol's way is to dismiss it. gnome-keyring up to 50 aborts on that, and KWallet 5 leaves the
    /// dialog open and never completes another prompt. Their prompts stay for the user to answer, and the
    /// next operation waits for the same prompt instead of adding a second.
    async fn give_up(&mut self, prompt: ShownPrompt) -> Failure {
        let failure = Failure::new(ErrorKind::TimedOut);
        if Provider::find(self.bus).await.is_some_and(|provider| provider.breaks_on_dismissal()) {
            *self.abandoned_prompt = Some(prompt);
            return failure
                .with_message("nobody answered the keyring's prompt; it is still on the screen")
                .with_hint("Answer the prompt, or close it, and try again.");
        }
        let budget = self.budget.of(DISMISSAL);
        let dismissed = prompt.dismiss(self.bus, &budget).await;
        tracing::debug!(dismissed = dismissed.is_ok(), "gave up a prompt");
        prompt.forget(&budget).await;
        failure
            .with_message("nobody answered the keyring's prompt; it was dismissed")
            .with_hint("Try again and answer the prompt, or unlock the keyring first.")
    }

    /// Returns the failure for a dismissed prompt. gnome-keyring also reports "dismissed" if no program can
    /// show its prompts.
    async fn explain_dismissal(&mut self) -> Failure {
        let provider = Provider::find(self.bus).await;
        let needs_prompter = provider.is_some_and(|provider| provider.is_gnome_keyring());
        if needs_prompter && !self.bus.can_reach(&self.budget, PROMPTER).await {
            return Failure::new(ErrorKind::InteractionNotAllowed)
                .with_message("gnome-keyring found nobody on the session bus to show its prompt")
                .with_hint("Run it in a desktop session, or install gcr's prompter.");
        }
        Failure::new(ErrorKind::Dismissed)
    }
}
