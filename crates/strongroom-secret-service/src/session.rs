//! Sessions, in which values cross the bus.

use std::time::Duration;

use strongroom_core::{ErrorKind, ExposeSecret, SecretBytes, Warning, armor, secret_copy};
use zbus::{ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

use crate::Config;
use crate::budget::Budget;
use crate::bus::Bus;
use crate::dh::{Agreement, KeyPair, SessionKey};
use crate::error::{Failure, Retry};
use crate::process_lock::{ExclusiveStep, ProcessLock};
use crate::protocol::{
    ALGORITHM_DH, ALGORITHM_PLAIN, CONTENT_TYPE, SERVICE, SERVICE_PATH, SESSION, WireSecret,
};

/// The number of key pairs to try. About 1 in 128 is unlucky with KWallet 5.
const KEY_PAIRS: usize = 6;
/// The longest wait for another process that opens a session. A process that takes longer is stopped or
/// hangs.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// A session with the process that serves secrets.
pub(crate) struct Session {
    path: OwnedObjectPath,
    key: Option<SessionKey>,
}

impl Session {
    /// Opens an encrypted session; a plain session if the provider does not encrypt and the caller allows
    /// that.
    pub(crate) async fn open(
        bus: &mut Bus,
        budget: &Budget,
        config: &Config,
        mut first: Option<KeyPair>,
    ) -> Result<Self, Failure> {
        // At least half of the time is left for opening the session, which goes on without the lock.
        let wait = LOCK_WAIT.min(budget.left() / 2);
        let _lock =
            ProcessLock::acquire(ExclusiveStep::OpenSession, config.lock_dir().as_deref(), wait);
        for _ in 0..KEY_PAIRS {
            let pair = first.take().map_or_else(KeyPair::generate, Ok)?;
            match Self::open_encrypted(bus, budget, pair).await? {
                OpenOutcome::Session(session) => return Ok(session),
                OpenOutcome::Unlucky(path) => close(bus, budget, &path).await?,
                OpenOutcome::NotSupported if config.unencrypted_session => {
                    return Self::open_plain(bus, budget).await;
                }
                OpenOutcome::NotSupported => return Err(Failure::not_encrypted()),
            }
        }
        Err(Failure::new(ErrorKind::Other)
            .with_message("no encrypted session could be agreed on with the Secret Service"))
    }

    /// Encodes a value and encrypts it for the bus. With `keeps_lines`, text of several lines is not encoded.
    pub(crate) fn seal(&self, value: &[u8], keeps_lines: bool) -> Result<WireSecret, Failure> {
        let text = match keeps_lines && armor::is_text(value) {
            true => secret_copy(value),
            false => armor::encode(value),
        };
        let (parameters, bytes) = match &self.key {
            Some(key) => key.encrypt(text.expose_secret())?,
            None => (Vec::new(), text.expose_secret().to_vec()),
        };
        Ok((self.path.clone(), parameters, bytes, CONTENT_TYPE.to_owned()))
    }

    /// Decrypts a value from the bus and decodes it; [`Content::Empty`] if there are no bytes.
    ///
    /// An encrypted answer that does not decrypt was made for another key, so the operation is worth another
    /// session. A stored value is never empty (see [`armor`]) unless another program wrote it.
    pub(crate) fn unseal(&self, secret: WireSecret) -> Result<Content, Failure> {
        let (_, parameters, bytes, _) = secret;
        let stored = match &self.key {
            None => bytes,
            Some(key) => key.decrypt(&parameters, &bytes).ok_or_else(|| {
                Failure::new(ErrorKind::Corrupt)
                    .with_message("the Secret Service's answer does not decrypt")
                    .with_hint("Restart the Secret Service and try again. Nothing was changed.")
                    .with_retry(Retry::Session)
            })?,
        };
        if stored.is_empty() {
            return Ok(Content::Empty);
        }
        Ok(Content::Value(armor::decode(stored)))
    }

    /// Returns whether the session encrypts values.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.key.is_some()
    }

    /// Returns the path of the session's object.
    pub(crate) fn path(&self) -> &ObjectPath<'_> {
        &self.path
    }

    async fn open_encrypted(
        bus: &mut Bus,
        budget: &Budget,
        pair: KeyPair,
    ) -> Result<OpenOutcome, Failure> {
        let public = Variant::from(pair.public().as_slice());
        let (theirs, path) = match open_session(bus, budget, ALGORITHM_DH, public).await {
            Ok(opened) => opened,
            Err(failure) if failure.kind() == ErrorKind::Unsupported => {
                return Ok(OpenOutcome::NotSupported);
            }
            Err(failure) => return Err(failure),
        };
        let theirs = Vec::<u8>::try_from(theirs).unwrap_or_default();
        Ok(match pair.agree(&theirs) {
            Agreement::Key(key) => OpenOutcome::Session(Self { path, key: Some(key) }),
            Agreement::Unlucky | Agreement::Refused => OpenOutcome::Unlucky(path),
        })
    }

    async fn open_plain(bus: &mut Bus, budget: &Budget) -> Result<Self, Failure> {
        tracing::warn!("{}", Warning::SessionNotEncrypted);
        let nothing = Variant::from("");
        let (_, path) = open_session(bus, budget, ALGORITHM_PLAIN, nothing).await?;
        Ok(Self { path, key: None })
    }
}

/// The content of an item.
pub(crate) enum Content {
    /// The value.
    Value(SecretBytes),
    /// No bytes, which this library never stores.
    Empty,
}

enum OpenOutcome {
    Session(Session),
    Unlucky(OwnedObjectPath),
    /// The provider reported that it doesn't have the algorithm. No other error leads to a session without
    /// encryption, since it may be temporary.
    NotSupported,
}

async fn open_session(
    bus: &mut Bus,
    budget: &Budget,
    algorithm: &str,
    input: Variant<'_>,
) -> Result<(OwnedVariant, OwnedObjectPath), Failure> {
    let path = ObjectPath::from_static_str(SERVICE_PATH)?;
    bus.call(budget, &path, (SERVICE, "OpenSession"), &(algorithm, input)).await
}

async fn close(bus: &mut Bus, budget: &Budget, path: &ObjectPath<'_>) -> Result<(), Failure> {
    bus.call(budget, path, (SESSION, "Close"), &()).await
}
