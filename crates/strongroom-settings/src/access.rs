//! Who is let in: a token that works once, and the session that it is exchanged for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_lite::future::or;
use strongroom::{Error, ErrorKind, ExposeSecret as _, Operation, Result, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

/// How wrong tokens are slowed down: so many in a row, then one for each interval.
const WRONG_TOKENS: u32 = 10;
pub(crate) const WRONG_TOKEN_INTERVAL: Duration = Duration::from_secs(6);

/// The most sessions at a time. The one that was used least recently makes room.
const SESSIONS: usize = 16;

/// Tokens and sessions. All of it is forgotten with the process.
pub(crate) struct Access {
    /// What a request needs; `None` where the application has let its user in already.
    sessions: Option<Mutex<Sessions>>,
    is_closed: watch::Sender<bool>,
    cookie: String,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is wrong, was used, or is too old.
    Wrong,
    /// Too many wrong ones came before it, so that it was not looked at.
    TooMany,
}

impl Access {
    /// Lets in by token; a token and a session end when they are not used for this long.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub(crate) fn by_token(idle: Duration) -> Result<Self> {
        Self::new(Some(Mutex::new(Sessions::new(idle))))
    }

    /// Lets everybody in: somebody else has checked who it is.
    ///
    /// # Errors
    ///
    /// As [`by_token`](Self::by_token).
    pub(crate) fn by_application() -> Result<Self> {
        Self::new(None)
    }

    fn new(sessions: Option<Mutex<Sessions>>) -> Result<Self> {
        // Browsers keep the cookies of all ports together: each page has a name of its own.
        let cookie = format!("strongroom-{}", random::<6>()?.expose_secret());
        Ok(Self { sessions, is_closed: watch::Sender::new(false), cookie })
    }

    /// The name of the session's cookie.
    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// A new token, in place of one that was not used; `None` where none is needed.
    ///
    /// # Errors
    ///
    /// `Io` if the system gives no random bytes.
    pub(crate) fn mint(&self) -> Result<Option<SecretString>> {
        let Some(mut sessions) = self.lock() else { return Ok(None) };
        sessions.mint(Instant::now()).map(Some)
    }

    /// Exchanges the token for a new session.
    ///
    /// # Errors
    ///
    /// [`Refused`], or `Io` if the system gives no random bytes.
    pub(crate) fn exchange(&self, token: &str) -> Result<Result<SecretString, Refused>> {
        let Some(mut sessions) = self.lock() else { return Ok(Err(Refused::Wrong)) };
        sessions.exchange(token, Instant::now())
    }

    /// Whether this is a session. Where its user did something, it lasts longer.
    pub(crate) fn admits(&self, session: Option<&str>, is_used: bool) -> bool {
        let Some(mut sessions) = self.lock() else { return true };
        session.is_some_and(|session| sessions.admits(session, is_used, Instant::now()))
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) {
        if let Some(mut sessions) = self.lock() {
            sessions.end(session);
        }
        // Wakes who waits for the end.
        self.is_closed.send_modify(|_| {});
    }

    /// Ends all sessions, and lets nobody in any more.
    pub(crate) fn close(&self) {
        if let Some(mut sessions) = self.lock() {
            sessions.close();
        }
        self.is_closed.send_replace(true);
    }

    /// Waits until a session has ended.
    pub(crate) async fn ended(&self, session: Option<&str>) {
        self.wait(|sessions, now| sessions.lives_until(session?, now)).await;
    }

    /// Waits until there is neither a session nor a token for one.
    pub(crate) async fn abandoned(&self) {
        self.wait(Sessions::used_until).await;
    }

    /// Waits until there is no time to wait for, or all of it was closed.
    async fn wait(&self, until: impl Fn(&Sessions, Instant) -> Option<Instant>) {
        let mut closed = self.is_closed.subscribe();
        while !*closed.borrow_and_update() {
            let deadline = self.lock().map(|sessions| until(&sessions, Instant::now()));
            // It can't fail: the sender lives as long as `self`.
            let change = async { drop(closed.changed().await) };
            match deadline {
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

/// What [`Access`] remembers. Times are given, so that tests needn't wait.
struct Sessions {
    idle: Duration,
    token: Option<Pass>,
    open: Vec<Pass>,
    wrong: u32,
    wrong_since: Option<Instant>,
}

/// A token or a session.
struct Pass {
    secret: SecretString,
    until: Instant,
}

impl Sessions {
    fn new(idle: Duration) -> Self {
        Self { idle, token: None, open: Vec::new(), wrong: 0, wrong_since: None }
    }

    fn mint(&mut self, now: Instant) -> Result<SecretString> {
        let secret = random::<32>()?;
        self.token = Some(Pass { secret: secret.clone(), until: now + self.idle });
        Ok(secret)
    }

    fn exchange(&mut self, token: &str, now: Instant) -> Result<Result<SecretString, Refused>> {
        self.forgive(now);
        if self.wrong >= WRONG_TOKENS {
            return Ok(Err(Refused::TooMany));
        }
        if !self.token.as_ref().is_some_and(|known| known.is(token, now)) {
            self.wrong += 1;
            return Ok(Err(Refused::Wrong));
        }
        let secret = random::<32>()?;
        self.token = None;
        self.open.retain(|session| session.until > now);
        if self.open.len() == SESSIONS {
            self.open.remove(0);
        }
        self.open.push(Pass { secret: secret.clone(), until: now + self.idle });
        Ok(Ok(secret))
    }

    /// Forgets one wrong token for each interval.
    fn forgive(&mut self, now: Instant) {
        let since = *self.wrong_since.get_or_insert(now);
        let intervals = (now - since).as_secs() / WRONG_TOKEN_INTERVAL.as_secs();
        let intervals = u32::try_from(intervals).unwrap_or(u32::MAX);
        self.wrong = self.wrong.saturating_sub(intervals);
        if self.wrong == 0 {
            self.wrong_since = Some(now);
        } else {
            self.wrong_since = Some(since + WRONG_TOKEN_INTERVAL * intervals);
        }
    }

    fn admits(&mut self, session: &str, is_used: bool, now: Instant) -> bool {
        let Some(at) = self.open.iter().position(|known| known.is(session, now)) else {
            return false;
        };
        if is_used {
            let mut used = self.open.remove(at);
            used.until = now + self.idle;
            self.open.push(used);
        }
        true
    }

    fn end(&mut self, session: &str) {
        self.open.retain(|known| !known.equals(session));
    }

    fn close(&mut self) {
        self.token = None;
        self.open.clear();
    }

    fn lives_until(&self, session: &str, now: Instant) -> Option<Instant> {
        self.open.iter().find(|known| known.is(session, now)).map(|known| known.until)
    }

    fn used_until(&self, now: Instant) -> Option<Instant> {
        let passes = self.open.iter().chain(&self.token);
        passes.map(|pass| pass.until).filter(|until| *until > now).max()
    }
}

impl Pass {
    fn is(&self, given: &str, now: Instant) -> bool {
        self.equals(given) && self.until > now
    }

    /// In a time that tells nothing but the length.
    fn equals(&self, given: &str) -> bool {
        self.secret.expose_secret().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// So many random bytes, in base64 for URLs.
fn random<const BYTES: usize>() -> Result<SecretString> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| {
        Error::new(ErrorKind::Io, Operation::Get)
            .with_message("the system gives no random bytes")
            .with_source(error)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.as_slice()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(600);

    fn sessions() -> (Sessions, SecretString, Instant) {
        let now = Instant::now();
        let mut sessions = Sessions::new(IDLE);
        let token = sessions.mint(now).unwrap();
        (sessions, token, now)
    }

    fn exchange(sessions: &mut Sessions, token: &str, now: Instant) -> Result<String, Refused> {
        let exchanged = sessions.exchange(token, now).unwrap();
        exchanged.map(|session| session.expose_secret().to_owned())
    }

    #[test]
    fn a_token_works_once() {
        let (mut sessions, token, now) = sessions();
        let session = exchange(&mut sessions, token.expose_secret(), now).unwrap();
        assert!(sessions.admits(&session, false, now));
        assert_eq!(exchange(&mut sessions, token.expose_secret(), now), Err(Refused::Wrong));
        assert!(!sessions.admits(token.expose_secret(), false, now), "a token is no session");
    }

    #[test]
    fn a_token_that_nobody_used_is_replaced_and_ages() {
        let (mut sessions, first, now) = sessions();
        let second = sessions.mint(now).unwrap();
        assert_eq!(exchange(&mut sessions, first.expose_secret(), now), Err(Refused::Wrong));
        let late = now + IDLE;
        assert_eq!(exchange(&mut sessions, second.expose_secret(), late), Err(Refused::Wrong));
    }

    #[test]
    fn a_session_lasts_while_its_user_does_something() {
        let (mut sessions, token, now) = sessions();
        let session = exchange(&mut sessions, token.expose_secret(), now).unwrap();
        let almost = now + IDLE - Duration::from_secs(1);
        assert!(sessions.admits(&session, true, almost));
        assert!(sessions.admits(&session, false, almost + IDLE - Duration::from_secs(1)));
        assert!(!sessions.admits(&session, true, almost + IDLE));
        assert_eq!(sessions.used_until(almost + IDLE), None);
    }

    #[test]
    fn after_many_wrong_tokens_the_right_one_waits_and_is_not_lost() {
        let (mut sessions, token, now) = sessions();
        let refused: Vec<_> =
            (0..1000).map(|_| exchange(&mut sessions, "wrong", now).unwrap_err()).collect();
        let looked_at = refused.iter().filter(|it| **it == Refused::Wrong).count();
        assert_eq!(looked_at, 10);
        assert_eq!(exchange(&mut sessions, token.expose_secret(), now), Err(Refused::TooMany));
        let later = now + WRONG_TOKEN_INTERVAL;
        assert!(exchange(&mut sessions, token.expose_secret(), later).is_ok());
    }

    #[test]
    fn wrong_tokens_stay_slow() {
        let (mut sessions, _, now) = sessions();
        let tries = (0..600).filter(|second| {
            let now = now + Duration::from_secs(*second);
            exchange(&mut sessions, "wrong", now) == Err(Refused::Wrong)
        });
        let looked_at = tries.count();
        assert!((100..=110).contains(&looked_at), "{looked_at}");
    }

    #[test]
    fn the_session_that_was_used_least_recently_makes_room() {
        let (mut sessions, _, now) = sessions();
        let mut open = |_| {
            let token = sessions.mint(now).unwrap();
            exchange(&mut sessions, token.expose_secret(), now).unwrap()
        };
        let all: Vec<_> = (0..SESSIONS).map(&mut open).collect();
        assert!(sessions.admits(&all[0], true, now));
        let token = sessions.mint(now).unwrap();
        exchange(&mut sessions, token.expose_secret(), now).unwrap();
        assert!(sessions.admits(&all[0], false, now) && !sessions.admits(&all[1], false, now));
    }
}
