//! Admission: tokens that work once, and the sessions that they are exchanged for.

mod random;
mod refusals;
mod session;
mod sessions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_lite::future::or;
use strongroom::{Result, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub(crate) use random::{random, random_bytes};
use refusals::Refusals;
pub(crate) use session::Session;
use sessions::Sessions;

/// Tokens and sessions. They exist only in memory, and end with the process.
pub(crate) struct Access {
    /// The sessions. `None` if the application admits requests itself.
    sessions: Option<Mutex<Sessions>>,
    is_closed: watch::Sender<bool>,
    refusals: Mutex<Refusals>,
}

/// The error for a request that needs a session, and has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSession;

impl Access {
    /// Admits requests by token and session. Both end when they are not used for the time `idle`.
    pub(crate) fn by_token(idle: Duration) -> Self {
        Self::new(Some(Mutex::new(Sessions::new(idle))))
    }

    /// Admits every request. The application has checked it already.
    pub(crate) fn by_application() -> Self {
        Self::new(None)
    }

    fn new(sessions: Option<Mutex<Sessions>>) -> Self {
        Self { sessions, is_closed: watch::Sender::new(false), refusals: Mutex::default() }
    }

    /// Returns a new token, which replaces a token that was not used yet. `None` if no token is needed.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub(crate) fn mint(&self) -> Result<Option<SecretString>> {
        let Some(mut sessions) = self.lock() else { return Ok(None) };
        sessions.mint(Instant::now()).map(Some)
    }

    /// Exchanges the token for a new session. `None` if the token is wrong, was used, or is too old.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub(crate) fn exchange(&self, token: &str) -> Result<Option<Arc<Session>>> {
        let now = Instant::now();
        let session = match self.lock() {
            Some(mut sessions) => sessions.exchange(token, now)?,
            None => None,
        };
        if session.is_none() {
            self.refusals.lock().unwrap_or_else(PoisonError::into_inner).note(now);
        }
        Ok(session)
    }

    /// Returns the session of this bearer. `None` if the application admits requests itself. If `is_use` is set, the
    /// session's idle time starts again.
    ///
    /// # Errors
    ///
    /// [`NoSession`] if no session has this bearer.
    pub(crate) fn admit(
        &self,
        bearer: Option<&str>,
        is_use: bool,
    ) -> Result<Option<Arc<Session>>, NoSession> {
        let Some(mut sessions) = self.lock() else { return Ok(None) };
        let session = sessions.admit(bearer.ok_or(NoSession)?, is_use, Instant::now());
        session.map(Some).ok_or(NoSession)
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &Session) {
        if let Some(mut sessions) = self.lock() {
            sessions.end(session);
        }
        // Wakes the tasks that wait for the end of a session.
        self.is_closed.send_modify(|_| {});
    }

    /// Ends all sessions and the token, for good.
    pub(crate) fn close(&self) {
        if let Some(mut sessions) = self.lock() {
            sessions.close();
        }
        self.is_closed.send_replace(true);
    }

    /// Waits until a session has ended.
    pub(crate) async fn ended(&self, session: Option<&Session>) {
        self.wait(|sessions, now| sessions.lives_until(session?, now)).await;
    }

    /// Waits until there is neither a session nor a token.
    pub(crate) async fn abandoned(&self) {
        self.wait(Sessions::used_until).await;
    }

    /// Waits until `until` returns `None`, or until everything was closed. Asks again at the returned time, and after each
    /// change.
    async fn wait(&self, until: impl Fn(&Sessions, Instant) -> Option<Instant>) {
        let mut closed = self.is_closed.subscribe();
        while !*closed.borrow_and_update() {
            let deadline = self.lock().map(|sessions| until(&sessions, Instant::now()));
            // This can't fail: the sender lives as long as `self`.
            let change = async { drop(closed.changed().await) };
            match deadline {
                // Without sessions, only closing ends the wait.
                None => change.await,
                Some(None) => return,
                Some(Some(deadline)) => or(sleep_until(deadline), change).await,
            }
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Sessions>> {
        Some(self.sessions.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
