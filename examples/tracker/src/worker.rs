//! The thread for work that may take long: the store and the network.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use strongroom::SecretString;
use strongroom::keys::PassphraseRequest;
use strongroom_cli::Kit;

use crate::clockify::Clockify;
use crate::entries::Entry;
use crate::key::{KeyStatus, Vault};

/// The interval between checks for changes of the vault.
const TICK: Duration = Duration::from_millis(250);

/// The handle to the thread that owns the vault.
pub(crate) struct Worker {
    requests: Sender<Request>,
    news: Receiver<News>,
}

/// A request to the worker.
#[derive(Debug)]
pub(crate) enum Request {
    /// Read the store again.
    Look,
    /// Send the entry with this number to Clockify.
    Send(usize, Entry),
}

/// A message from the worker.
pub(crate) enum News {
    Key(KeyStatus),
    /// The result of sending the entry with this number. The error is a message for the user.
    Sent(usize, Result<(), String>),
    /// The passphrase of the encrypted file is needed. The worker waits for the answer.
    Passphrase(PassphraseRequest, Sender<Option<SecretString>>),
}

impl Worker {
    /// Starts the worker, which looks for the key first.
    pub(crate) fn start(kit: &Kit, clockify: Clockify) -> Self {
        let ((requests, asked), (tell, news)) = (mpsc::channel(), mpsc::channel());
        let questions = tell.clone();
        let vault = Vault::new(kit, move |request| {
            let (answer, answered) = mpsc::channel();
            questions.send(News::Passphrase(request.clone(), answer)).ok();
            // When the tracker ends, the channel closes without an answer.
            Ok(answered.recv().ok().flatten())
        });
        thread::spawn(move || work(vault, &clockify, &asked, &tell));
        Self { requests, news }
    }

    pub(crate) fn ask(&self, request: Request) {
        // If the worker has ended, `news` reports it.
        self.requests.send(request).ok();
    }

    /// Returns the next message, if there is one. Fails if the worker has ended, which must not happen.
    pub(crate) fn news(&self) -> anyhow::Result<Option<News>> {
        match self.news.try_recv() {
            Ok(news) => Ok(Some(news)),
            Err(mpsc::TryRecvError::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn work(mut vault: Vault, clockify: &Clockify, asked: &Receiver<Request>, tell: &Sender<News>) {
    let mut news = Some(News::Key(vault.status()));
    loop {
        if news.take().is_some_and(|news| tell.send(news).is_err()) {
            return;
        }
        news = match asked.recv_timeout(TICK) {
            Ok(Request::Look) => Some(News::Key(vault.look_again())),
            Ok(Request::Send(number, entry)) => {
                Some(News::Sent(number, send(&entry, &mut vault, clockify)))
            }
            Err(RecvTimeoutError::Timeout) => vault.changed().map(News::Key),
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

fn send(entry: &Entry, vault: &mut Vault, clockify: &Clockify) -> Result<(), String> {
    match vault.key() {
        Ok(Some(key)) => clockify.add(entry, &key),
        Ok(None) => Err("There is no key to Clockify yet: `tracker setup` asks for it.".to_owned()),
        Err(error) => Err(format!("The key to Clockify can't be used: {}.", error.problem())),
    }
}
