//! Tokens and sessions with their times.

use std::sync::Arc;
use std::time::Duration;

use strongroom::{Result, SecretString};
use tokio::time::Instant;

use super::random;
use super::session::{Session, is_same};

/// The longest life of a session, even if it is used all the time.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// The largest number of sessions at a time. The least recently used session makes room for a new session.
const SESSIONS: usize = 16;

/// The token and the sessions of a page. The methods take the time as an argument, so that tests needn't wait.
pub(super) struct Sessions {
    idle: Duration,
    token: Option<Token>,
    /// The open sessions, the most recently used last.
    open: Vec<Open>,
}

struct Token {
    secret: SecretString,
    until: Instant,
}

struct Open {
    session: Arc<Session>,
    until: Instant,
    /// The time at which the session ends, even if it is used.
    end: Instant,
}

impl Sessions {
    pub(super) fn new(idle: Duration) -> Self {
        Self { idle, token: None, open: Vec::new() }
    }

    pub(super) fn mint(&mut self, now: Instant) -> Result<SecretString> {
        let secret = random::<32>()?;
        self.token = Some(Token { secret: secret.clone(), until: now + self.idle });
        Ok(secret)
    }

    pub(super) fn exchange(&mut self, token: &str, now: Instant) -> Result<Option<Arc<Session>>> {
        if !self.token.as_ref().is_some_and(|known| known.is(token, now)) {
            return Ok(None);
        }
        // Created first: without random bytes, the token stays valid.
        let session = Arc::new(Session::new()?);
        self.token = None;
        self.open.retain(|open| open.until > now);
        if self.open.len() == SESSIONS {
            self.open.remove(0);
        }
        let end = now + LIFE;
        let until = end.min(now + self.idle);
        self.open.push(Open { session: Arc::clone(&session), until, end });
        Ok(Some(session))
    }

    pub(super) fn admit(
        &mut self,
        bearer: &str,
        is_use: bool,
        now: Instant,
    ) -> Option<Arc<Session>> {
        let at = self.open.iter().position(|open| open.admits(bearer, now))?;
        let session = Arc::clone(&self.open[at].session);
        if is_use {
            let mut used = self.open.remove(at);
            used.until = used.end.min(now + self.idle);
            self.open.push(used);
        }
        Some(session)
    }

    pub(super) fn end(&mut self, session: &Session) {
        self.open.retain(|open| !open.holds(session));
    }

    pub(super) fn close(&mut self) {
        self.token = None;
        self.open.clear();
    }

    pub(super) fn lives_until(&self, session: &Session, now: Instant) -> Option<Instant> {
        let open = self.open.iter().find(|open| open.holds(session))?;
        Some(open.until).filter(|until| *until > now)
    }

    pub(super) fn used_until(&self, now: Instant) -> Option<Instant> {
        let tokens = self.token.iter().map(|token| token.until);
        let all = self.open.iter().map(|open| open.until).chain(tokens);
        all.filter(|until| *until > now).max()
    }
}

impl Token {
    fn is(&self, given: &str, now: Instant) -> bool {
        is_same(&self.secret, given) && self.until > now
    }
}

impl Open {
    /// Returns whether the session is open, and has this bearer.
    fn admits(&self, bearer: &str, now: Instant) -> bool {
        self.until > now && self.session.is(bearer)
    }

    fn holds(&self, session: &Session) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.session), session)
    }
}

#[cfg(test)]
mod tests {
    use strongroom::ExposeSecret as _;

    use super::*;

    const IDLE: Duration = Duration::from_secs(600);

    fn sessions() -> (Sessions, SecretString, Instant) {
        let now = Instant::now();
        let mut sessions = Sessions::new(IDLE);
        let token = sessions.mint(now).unwrap();
        (sessions, token, now)
    }

    /// The bearer of a new session.
    fn exchange(sessions: &mut Sessions, token: &str, now: Instant) -> Option<String> {
        let text = sessions.exchange(token, now).unwrap()?.to_text();
        Some(text.expose_secret().split_once('.').unwrap().0.to_owned())
    }

    #[test]
    fn a_token_works_once() {
        let (mut sessions, token, now) = sessions();
        let bearer = exchange(&mut sessions, token.expose_secret(), now).unwrap();
        assert!(sessions.admit(&bearer, false, now).is_some());
        assert_eq!(exchange(&mut sessions, token.expose_secret(), now), None);
        let is_session = sessions.admit(token.expose_secret(), false, now).is_some();
        assert!(!is_session, "a token is no session");
    }

    #[test]
    fn an_unused_token_is_replaced_and_ages() {
        let (mut sessions, first, now) = sessions();
        let second = sessions.mint(now).unwrap();
        assert_eq!(exchange(&mut sessions, first.expose_secret(), now), None);
        assert_eq!(exchange(&mut sessions, second.expose_secret(), now + IDLE), None);
    }

    #[test]
    fn wrong_tokens_are_no_hindrance_to_the_right_one() {
        let (mut sessions, token, now) = sessions();
        for _ in 0..1000 {
            assert_eq!(exchange(&mut sessions, "wrong", now), None);
        }
        assert!(exchange(&mut sessions, token.expose_secret(), now).is_some());
    }

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let (mut sessions, token, now) = sessions();
        let bearer = exchange(&mut sessions, token.expose_secret(), now).unwrap();
        let almost = now + IDLE - Duration::from_secs(1);
        assert!(sessions.admit(&bearer, true, almost).is_some());
        assert!(sessions.admit(&bearer, false, almost + IDLE - Duration::from_secs(1)).is_some());
        assert!(sessions.admit(&bearer, true, almost + IDLE).is_none());
        assert_eq!(sessions.used_until(almost + IDLE), None);
    }

    #[test]
    fn a_session_ends_after_twelve_hours_however_much_it_is_used() {
        let (mut sessions, token, now) = sessions();
        let bearer = exchange(&mut sessions, token.expose_secret(), now).unwrap();
        let minutes = |minutes: u64| now + Duration::from_secs(60 * minutes);
        for minute in 0..12 * 60 {
            assert!(sessions.admit(&bearer, true, minutes(minute)).is_some(), "{minute}");
        }
        assert!(sessions.admit(&bearer, true, minutes(12 * 60)).is_none());
        assert_eq!(sessions.used_until(minutes(12 * 60)), None);
    }

    #[test]
    fn the_session_that_was_used_least_recently_makes_room() {
        let (mut sessions, _, now) = sessions();
        let mut open = |_| {
            let token = sessions.mint(now).unwrap();
            exchange(&mut sessions, token.expose_secret(), now).unwrap()
        };
        let all: Vec<_> = (0..SESSIONS).map(&mut open).collect();
        assert!(sessions.admit(&all[0], true, now).is_some());
        let token = sessions.mint(now).unwrap();
        exchange(&mut sessions, token.expose_secret(), now).unwrap();
        assert!(sessions.admit(&all[0], false, now).is_some());
        assert!(sessions.admit(&all[1], false, now).is_none());
    }
}
