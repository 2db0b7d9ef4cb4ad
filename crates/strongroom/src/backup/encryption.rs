//! The encryption of a backup as an `age` file, and the errors of a file that does not open.

use std::io::{self, BufReader, Read, Write as _};
use std::{hint, iter};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor};
use strongroom_core::advice::{Advice, Sentence};
use strongroom_core::{
    Error, ErrorKind, ExposeSecret, Operation, Result, SecretBytes, SecretString, secret_copy,
};
use zeroize::Zeroizing;

use super::access::{Protected, Unlock};

/// The largest file that is read, in bytes. It holds more than a million secrets of usual size.
pub(super) const LARGEST: usize = 256 << 20;

/// The work that a passphrase takes: 2^18 steps of scrypt, a second and 256 MiB of memory, as in the `age`
/// program. It is not measured, because a busy machine would choose less.
const WORK: u8 = 18;

/// The most work that a caller can allow: 16 times as much, as in the `age` program.
pub(super) const MOST_WORK: u8 = 22;

/// The beginning of every age file, when it is not encoded as text.
const MAGIC: &[u8] = b"age-encryption.org/";

/// The beginning of an age file that is encoded as text.
const ARMOR: &[u8] = b"-----BEGIN AGE";

/// The longest header that is read, in bytes, which is enough for hundreds of recipients. age parses the
/// header anew for each of its lines.
const LONGEST_HEADER: usize = 64 << 10;

/// Encrypts a document and encodes the result as text.
pub(super) fn encrypt(json: &SecretBytes, protection: &Protected) -> Result<String> {
    let encryptor = match protection {
        Protected::Recipients(recipients) => {
            Encryptor::with_recipients(recipients.iter().map(|it| it as &dyn age::Recipient))
        }
        Protected::Passphrase(passphrase) => {
            let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
            recipient.set_work_factor(WORK);
            Encryptor::with_recipients([&recipient as &dyn age::Recipient].into_iter())
        }
    };
    let encryptor = encryptor.map_err(|error| failed(error.into()))?;
    let text = written(encryptor, json.expose_secret());
    overwrite_buffers(json.expose_secret().len());
    text.map_err(|error| failed(error.into()))
}

fn written(encryptor: Encryptor, json: &[u8]) -> io::Result<String> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(json)?;
    let text = writer.finish()?.finish()?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// Returns the work that the file's passphrase takes, as the base-2 logarithm of its steps, or `None` if a
/// key opens the file.
pub(super) fn passphrase_work(file: &[u8]) -> Result<Option<u8>> {
    let decryptor = open(file)?;
    if !decryptor.is_scrypt() {
        return Ok(None);
    }
    // age compares the work with the limit before it begins, so the error tells the work without doing it.
    let mut identity = age::scrypt::Identity::new(SecretString::from("none"));
    identity.set_max_work_factor(0);
    match decryptor.decrypt(iter::once(&identity as &dyn age::Identity)) {
        Err(DecryptError::ExcessiveWork { required, .. }) => Ok(Some(required)),
        Err(error) => Err(refused(error, 0)),
        Ok(_) => Ok(Some(0)),
    }
}

/// Decrypts a file, encoded as text or not.
pub(super) fn decrypt(file: &[u8], unlock: &Unlock) -> Result<SecretBytes> {
    let decryptor = open(file)?;
    let allowed = unlock.max_work_factor.unwrap_or(WORK).min(MOST_WORK);
    let passphrase = unlock.passphrase.as_ref().map(|passphrase| {
        let mut identity = age::scrypt::Identity::new(passphrase.clone());
        identity.set_max_work_factor(allowed);
        identity
    });
    if decryptor.is_scrypt() && passphrase.is_none() {
        return Err(wrong_key("the backup takes a passphrase, and there is none"));
    }
    if !decryptor.is_scrypt() && unlock.identities.is_empty() {
        return Err(wrong_key("the backup takes the key of a recipient, and there is none"));
    }
    let keys = unlock.identities.iter().map(|it| it as &dyn age::Identity);
    let passphrase = passphrase.iter().map(|it| it as &dyn age::Identity);
    let json = read(decryptor, passphrase.chain(keys), file.len(), allowed);
    let len = json.as_ref().map_or(file.len(), |json| json.expose_secret().len());
    overwrite_buffers(len);
    json
}

type File<'a> = ArmoredReader<BufReader<&'a [u8]>>;

/// Reads the decrypted document, which is at most `most` bytes long: no longer than the encrypted file.
fn read<'a>(
    decryptor: Decryptor<File<'_>>,
    identities: impl Iterator<Item = &'a dyn age::Identity>,
    most: usize,
    allowed: u8,
) -> Result<SecretBytes> {
    let mut reader = decryptor.decrypt(identities).map_err(|error| refused(error, allowed))?;
    // A buffer of the full length never moves, so that no copy of the values is left behind.
    let mut json = Zeroizing::new(vec![0; most]);
    let mut len = 0;
    loop {
        match reader.read(&mut json[len..]) {
            Ok(0) => return Ok(secret_copy(&json[..len])),
            Ok(count) => len += count,
            Err(error) => return Err(damaged(&error, len)),
        }
    }
}

/// Overwrites the memory that age has left behind. age leaves a part of the plaintext in memory that it
/// frees, and the cipher leaves parts of it on the stack. Neither can be wiped from here, but the same work
/// on zeros overwrites both.
fn overwrite_buffers(len: usize) {
    // age works in pieces of this length, each in the memory of the piece before.
    const PIECE: usize = 64 << 10;
    let zeros = vec![0; if len <= PIECE { len } else { PIECE + len % PIECE }];
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public();
    let encryptor = Encryptor::with_recipients([&recipient as &dyn age::Recipient].into_iter());
    let text = encryptor.ok().and_then(|encryptor| written(encryptor, &zeros).ok());
    let opened = text.as_ref().and_then(|text| open(text.as_bytes()).ok());
    if let Some(opened) = opened {
        let key: &dyn age::Identity = &key;
        hint::black_box(read(opened, iter::once(key), zeros.len(), 0).ok());
    }
}

fn open(file: &[u8]) -> Result<Decryptor<File<'_>>> {
    if file.len() > LARGEST {
        return Err(Error::new(ErrorKind::TooLarge, Operation::Restore)
            .with_message(format!("the file has more than {} MiB", LARGEST >> 20))
            .with_hint("No backup is that large. Check the path."));
    }
    // Pasted text may begin with empty lines.
    let file = file.trim_ascii_start();
    check_header(file)?;
    Decryptor::new_buffered(ArmoredReader::new(file)).map_err(|error| refused(error, 0))
}

/// Checks the length of the header before it is parsed, because parsing a long header takes long.
fn check_header(file: &[u8]) -> Result<()> {
    let mut start = Vec::new();
    // Text that can't be decoded is an error later, when the whole file is read.
    let _ = ArmoredReader::new(file).take(LONGEST_HEADER as u64).read_to_end(&mut start);
    let is_text = file.starts_with(ARMOR);
    if !is_text && !start.starts_with(MAGIC) {
        return Err(Error::new(ErrorKind::Corrupt, Operation::Restore)
            .with_message("the file is no backup: it is no age file")
            .with_hint("Nothing was changed. Name the file that `backup` wrote."));
    }
    let has_end = start.windows(4).any(|part| part == b"\n---");
    if start.len() < LONGEST_HEADER || has_end {
        return Ok(());
    }
    Err(corrupt("its header is longer than any backup's"))
}

/// Returns the error for a file that does not open.
fn refused(error: DecryptError, allowed: u8) -> Error {
    match error {
        DecryptError::DecryptionFailed => wrong_key("the passphrase is wrong"),
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => {
            wrong_key("the backup was made for other keys")
        }
        DecryptError::ExcessiveWork { required, .. } => too_much_work(required, allowed),
        DecryptError::InvalidMac => corrupt("its header was changed"),
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            corrupt("it ends too early")
        }
        _ => corrupt("it is not an age file, or its beginning is damaged"),
    }
}

/// Returns the error for a passphrase that takes more work than the caller allowed. A step takes 1 KiB of
/// memory.
fn too_much_work(required: u8, allowed: u8) -> Error {
    let memory = match required {
        ..20 => format!("{} MiB", 1_u64 << required.saturating_sub(10)),
        20..60 => format!("{} GiB", 1_u64 << (required - 20)),
        _ => "no machine's".to_owned(),
    };
    let message = format!(
        "its passphrase takes 2^{required} steps of work, with {memory} of memory, and 2^{allowed} are allowed"
    );
    let advice = match required {
        ..=MOST_WORK => Advice::from(
            "Nothing was tried. If you know where the file comes from, allow more work.",
        )
        .and(Sentence::default().option(format!("--max-work-factor {required}")).text(" does so.")),
        _ => "Nothing was tried. Distrust the file, or open it with `rage -d` and encrypt it anew."
            .into(),
    };
    Error::new(ErrorKind::Unsupported, Operation::Restore).with_message(message).with_advice(advice)
}

/// Returns the error for a file that opens but can't be read to its end.
fn damaged(error: &io::Error, readable: usize) -> Error {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early",
        _ => "it was changed, or cut off",
    };
    corrupt(&format!("{what}, after {readable} bytes that can be read"))
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, Operation::Restore)
        .with_message(format!("the file is damaged: {what}"))
        .with_hint("Nothing was changed. Try another copy of the file, or an older backup.")
}

fn wrong_key(what: &str) -> Error {
    Error::new(ErrorKind::WrongKey, Operation::Restore)
        .with_message(what)
        .with_hint("Nothing was changed. Use the passphrase or a key that the backup was made for.")
}

fn failed(cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::new(ErrorKind::Other, Operation::Backup)
        .with_message("encrypting failed")
        .with_source(cause)
}
