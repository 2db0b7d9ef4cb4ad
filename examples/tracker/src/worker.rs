//! What may take long: the store and the network, on a thread of their own.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use strongroom::SecretString;
use strongroom::keys::PassphraseRequest;
use strongroom_cli::Kit;

use crate::clockify::Clockify;
use crate::entries::Entry;
use crate::key::{KeyStatus, Vault};

/// How often it looks whether the vault was changed.
const TICK: Duration = Duration::from_millis(250);

/// The thread that holds the vault, as its user sees it.
pub(crate) struct Worker {
    requests: Sender<Request>,
    news: Receiver<News>,
}

/// What it is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Read the store again.
    Look,
    /// Send the entry of this number to Clockify.
    Send(usize, Entry),
}

/// What it tells.
pub(crate) enum News {
    Key(KeyStatus),
    /// The entry of this number has reached Clockify, or why it has not.
    Sent(usize, Result<(), String>),
    /// The passphrase of the encrypted file is needed. It waits for the answer.
    Passphrase(PassphraseRequest, Sender<Option<SecretString>>),
}

impl Worker {
    /// Starts it, and it looks for the key.
    pub(crate) fn start(kit: &Kit, clockify: Clockify) -> Self {
        let ((requests, asked), (tell, news)) = (mpsc::channel(), mpsc::channel());
        let questions = tell.clone();
        let vault = Vault::new(kit, move |request| {
            let (answer, answered) = mpsc::channel();
            questions.send(News::Passphrase(request.clone(), answer)).ok();
            // Nobody answers once the tracker ends.
            Ok(answered.recv().ok().flatten())
        });
        thread::spawn(move || work(vault, &clockify, &asked, &tell));
        Self { requests, news }
    }

    pub(crate) fn ask(&self, request: Request) {
        // One that has ended is found out by `news`.
        self.requests.send(request).ok();
    }

    /// The next news, if there are any. An error is a thread that has ended, which it must not.
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
