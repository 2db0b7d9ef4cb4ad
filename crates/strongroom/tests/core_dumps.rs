//! After `lock()`, and after a manager is gone, a core dump holds no value and no part of one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::env;
use std::fs;
use std::hash::BuildHasher;
use std::process::{Command, Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use futures_lite::future::block_on;
use strongroom::{
    Backend, Config, ExposeSecret, KeyringStore, Secret, SecretKey, SecretManager, SecretString,
    blocking,
};
use strongroom_testkit::child::{self, Child, say, told};
use strongroom_testkit::{Sandbox, children, provider_or_skip, unused_name};
use support::site::Site;
use support::{builder, gnome_keyring, on};

/// What the test tells its other process: the vault, and what its values are made of.
const BACKEND: &str = "STRONGROOM_TEST_BACKEND";
const SERVICE: &str = "STRONGROOM_TEST_SERVICE";
const SEED: &str = "STRONGROOM_TEST_SEED";

/// The length of each value. The long ones outgrow any first guess at a buffer's size.
const LENGTHS: [usize; 8] = [40, 44, 48, 100, 500, 1000, 3001, 6002];

/// A value that stands nowhere before this is called: neither in this program nor in what it was
/// started with. Letters and digits, which a search can tell from everything else in memory.
fn value(seed: u64, number: usize) -> SecretString {
    const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut state = seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut text = String::with_capacity(LENGTHS[number]);
    for _ in 0..LENGTHS[number] {
        // Xorshift64*.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let index = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        text.push(char::from(ALPHABET[index as usize % ALPHABET.len()]));
    }
    // As long as its capacity, it is not moved.
    text.into()
}

#[test]
fn a_core_dump_holds_no_value_of_a_locked_vault_on_gnome_keyring() {
    if !provider_or_skip("gcore") {
        return;
    }
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let keeper = Keeper::start("app", on(&bus), bus.sandbox(), bus.command(child::program()));
    forgets(keeper);
}

#[test]
fn a_core_dump_holds_no_value_of_a_locked_vault_on_keyutils() {
    if !provider_or_skip("gcore") {
        return;
    }
    let (service, sandbox) = (unused_name("core-dumps"), Sandbox::new());
    let config = Config::new("").backend(Backend::Keyutils);
    let purging = builder(&service, config.clone(), &sandbox).open_blocking().unwrap();
    let _purged = support::Purged(&purging);
    let command = sandbox.command(child::program());
    forgets(Keeper::start(&service, config, &sandbox, command));
}

#[test]
fn a_core_dump_holds_no_value_of_a_dropped_vault() {
    if !provider_or_skip("gcore") {
        return;
    }
    let (service, sandbox) = (unused_name("core-dumps"), Sandbox::new());
    let config = Config::new("").backend(Backend::Keyutils);
    let purging = builder(&service, config.clone(), &sandbox).open_blocking().unwrap();
    let _purged = support::Purged(&purging);
    let mut keeper = Keeper::start(&service, config, &sandbox, sandbox.command(child::program()));
    assert!(!keeper.values_after("used").is_empty(), "the search finds what is there");
    for deed in ["locked", "used again", "locked again", "little", "locked at last"] {
        keeper.goes_on_after(deed);
    }
    assert_eq!(keeper.values_after("dropped"), Vec::<String>::new());
}

#[cfg(feature = "sealed")]
#[test]
fn a_core_dump_holds_neither_value_nor_key_of_a_sealed_vault_on_gnome_keyring() {
    if !provider_or_skip("gcore") {
        return;
    }
    let Some((bus, _keyring)) = gnome_keyring() else { return };
    let site = Site::on_bus(&bus, strongroom::Layout::Sealed);
    let keeper = Keeper::at(&site, bus.sandbox());
    keeps_nothing(keeper, || {
        let store = strongroom::store::choose_unbound(&on(&bus)).unwrap();
        let entry = store.store().get_bytes("app", "vault").unwrap().unwrap();
        let entry = String::from_utf8(entry.expose_secret().to_vec()).unwrap();
        entry.split('"').find(|part| part.starts_with(KEY)).unwrap().to_owned()
    });
}

#[cfg(feature = "sealed")]
#[test]
fn a_core_dump_holds_neither_value_nor_key_of_an_encrypted_file() {
    if !provider_or_skip("gcore") {
        return;
    }
    let sandbox = Sandbox::new();
    let site = Site::in_file(&sandbox);
    let keeper = Keeper::at(&site, &sandbox);
    keeps_nothing(keeper, || fs::read_to_string(support::site::key_file(&sandbox)).unwrap());
}

/// What a key starts with as text.
#[cfg(feature = "sealed")]
const KEY: &str = "strongroom-key-1:";

/// A sealed vault's values are opened one by one and wiped after use, locked or not.
#[cfg(feature = "sealed")]
fn keeps_nothing(mut keeper: Keeper, key: impl Fn() -> String) {
    let deeds = ["used", "locked", "used again", "locked again", "little", "locked at last"];
    for (number, deed) in deeds.into_iter().chain(["dropped"]).enumerate() {
        assert_eq!(keeper.child.next(), deed);
        if number == 0 {
            keeper.traces.add_key(&key());
            assert!(!keeper.traces.in_core(key().as_bytes()).is_empty(), "the search finds it");
        }
        assert_eq!(keeper.finds(), Vec::<String>::new(), "{deed}");
    }
}

fn forgets(mut keeper: Keeper) {
    for [used, locked] in
        [["used", "locked"], ["used again", "locked again"], ["little", "locked at last"]]
    {
        assert!(!keeper.values_after(used).is_empty(), "the search finds what is there: {used}");
        assert_eq!(keeper.values_after(locked), Vec::<String>::new(), "{locked}");
    }
    assert_eq!(keeper.values_after("dropped"), Vec::<String>::new());
}

/// A process that has a vault and says when to look at it.
struct Keeper {
    child: Child,
    traces: Traces,
    sandbox: Sandbox,
}

impl Keeper {
    fn start(service: &str, config: Config, sandbox: &Sandbox, mut command: Command) -> Self {
        let seed = RandomState::new().hash_one(service);
        let backend = builder(service, config, sandbox).open_blocking().unwrap().backend();
        command.env(SERVICE, service).env(BACKEND, backend.to_string()).env(SEED, seed.to_string());
        child::enter(&mut command, "keeper");
        Self { child: Child::start(command), traces: Traces::of(seed), sandbox: sandbox.clone() }
    }

    /// One whose vault is at this site.
    #[cfg(feature = "sealed")]
    fn at(site: &Site<'_>, sandbox: &Sandbox) -> Self {
        let seed = RandomState::new().hash_one(0);
        let mut command = site.command();
        command.env(SEED, seed.to_string());
        child::enter(&mut command, "keeper");
        Self { child: Child::start(command), traces: Traces::of(seed), sandbox: sandbox.clone() }
    }

    /// Where a core dump holds values, or parts of them, after it has done this.
    fn values_after(&mut self, deed: &str) -> Vec<String> {
        assert_eq!(self.child.next(), deed);
        self.finds()
    }

    /// The same now, before it goes on.
    fn finds(&mut self) -> Vec<String> {
        let core = core_dump(self.child.id(), &self.sandbox);
        self.child.tell("go on");
        self.traces.in_core(&core)
    }

    fn goes_on_after(&mut self, deed: &str) {
        assert_eq!(self.child.next(), deed);
        self.child.tell("go on");
    }
}

fn core_dump(process: u32, sandbox: &Sandbox) -> Vec<u8> {
    let path = sandbox.path().join("core");
    let mut gcore = Command::new("gcore");
    gcore.arg("-o").arg(&path).arg(process.to_string()).stdin(Stdio::null());
    let output = gcore.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = format!("{}.{process}", path.display());
    let core = fs::read(&file).unwrap();
    fs::remove_file(file).unwrap();
    core
}

/// How much of a value must be found in one piece to be a trace of it.
///
/// What was freed and not wiped has lost its first 16 bytes to the allocator, and what stands in a
/// cipher's registers is 16 bytes long, at any place in the value. So every piece of a value counts,
/// not its start alone.
const PIECE: usize = 12;
/// Where pieces are looked for. 15 bytes in a row hold a piece that starts at such an address.
const STEP: usize = 4;
const PAGE: usize = 4096;

/// All pieces of the values as they are, and of their base64 in all three alignments.
struct Traces {
    pieces: HashSet<[u8; PIECE]>,
    /// Whether a piece starts with this byte, which is soon looked up.
    starts: [bool; 256],
}

impl Traces {
    fn of(seed: u64) -> Self {
        let mut traces = Self { pieces: HashSet::new(), starts: [false; 256] };
        for number in 0..LENGTHS.len() {
            let value = value(seed, number);
            let bytes = value.expose_secret().as_bytes();
            let encoded = (0..3).map(|skipped| STANDARD_NO_PAD.encode(&bytes[skipped..]));
            for form in encoded.map(String::into_bytes).chain([bytes.to_vec()]) {
                traces.add(&form);
            }
        }
        traces
    }

    /// A sealing key's digits, and the bytes that they stand for.
    #[cfg(feature = "sealed")]
    fn add_key(&mut self, text: &str) {
        let digits = text.trim_end().strip_prefix(KEY).unwrap();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        self.add(digits.as_bytes());
        self.add(&(0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>());
    }

    fn add(&mut self, form: &[u8]) {
        for piece in form.windows(PIECE).filter_map(<[u8]>::first_chunk) {
            self.starts[usize::from(piece[0])] = true;
            self.pieces.insert(*piece);
        }
    }

    /// Where in a core there are pieces; nothing of what they are.
    fn in_core(&self, core: &[u8]) -> Vec<String> {
        // Most of a core is memory that was never used.
        let pages = (0..core.len()).step_by(PAGE);
        let used = pages.map(|page| page..core.len().min(page + PAGE));
        let used = used.filter(|page| core[page.clone()] != [0; PAGE][..page.len()]);
        let found: Vec<_> =
            used.flat_map(|page| page.step_by(STEP)).filter(|at| self.is_at(core, *at)).collect();
        let runs = found.chunk_by(|one, next| next - one <= PIECE + STEP);
        runs.map(|run| format!("{} bytes at {:#x}", run.len() * STEP, run[0])).collect()
    }

    fn is_at(&self, core: &[u8], at: usize) -> bool {
        let piece = core[at..].first_chunk();
        piece.is_some_and(|piece| self.starts[usize::from(piece[0])] && self.pieces.contains(piece))
    }
}

children!(keeper);

/// Has values in memory, and says when to look at it.
fn keeper() {
    let backend: Backend = env::var(BACKEND).unwrap().parse().unwrap();
    let seed = env::var(SEED).unwrap().parse().unwrap();
    let secrets = match env::var(SERVICE) {
        Ok(service) => Config::new(service).backend(backend),
        Err(_) => Site::of_environment(),
    };
    let secrets = block_on(secrets.open()).unwrap();
    block_on(uses(&secrets, seed)).unwrap();
    blocks(&secrets.blocking(), seed).unwrap();
    #[cfg(feature = "backup")]
    backs_up(&secrets.blocking()).unwrap();
    pause("used");
    secrets.forget();
    pause("locked");
    assert!(block_on(secrets.get_value("1")).unwrap().is_some());
    pause("used again");
    secrets.forget();
    pause("locked again");
    for name in ["0", "4", "5"] {
        assert!(block_on(secrets.delete(name)).unwrap());
    }
    secrets.forget();
    assert!(block_on(secrets.get_value("1")).unwrap().is_some());
    pause("little");
    secrets.forget();
    pause("locked at last");
    block_on(secrets.set("0", &Secret::new(value(seed, 7)))).unwrap();
    assert!(block_on(secrets.get_value("0")).unwrap().is_some());
    drop(secrets);
    pause("dropped");
}

fn pause(after: &str) {
    say(after);
    told();
}

async fn uses(secrets: &SecretManager, seed: u64) -> strongroom::Result<()> {
    let key = |number: usize| SecretKey::new(number.to_string());
    secrets.set(&key(0), &Secret::new(value(seed, 0))).await?;
    secrets.set_api_key("1", value(seed, 1), Some("provider")).await?;
    secrets.update_value("1", value(seed, 2)).await?;
    secrets.update(&key(0), move |_| Some(Secret::new(value(seed, 3)))).await?;
    let fill = |batch: &mut strongroom::Batch| {
        batch.set(key(4), Secret::new(value(seed, 4))).set(key(5), Secret::new(value(seed, 5)));
    };
    secrets.batch(fill).await?;
    assert!(secrets.get(&key(0)).await?.is_some() && secrets.get_value("5").await?.is_some());
    assert!(secrets.delete(&key(0)).await?);
    Ok(())
}

fn blocks(secrets: &blocking::SecretManager, seed: u64) -> strongroom::Result<()> {
    let key = |number: usize| SecretKey::new(number.to_string());
    secrets.set(key(0), &Secret::new(value(seed, 6)))?;
    secrets.update(key(0), |old| old)?;
    secrets.update_value("0", value(seed, 7))?;
    assert!(secrets.get(key(0))?.is_some() && secrets.exists(key(4))?);
    assert_eq!(secrets.list()?.len(), 4);
    Ok(())
}

/// A backup is made, opened, and has to be restored.
#[cfg(feature = "backup")]
fn backs_up(secrets: &blocking::SecretManager) -> strongroom::Result<()> {
    use strongroom::backup::{Backup, Protection, RestoreMode, Unlock};

    let recipient = "age1wlh70c8kejj5zsquxyxwxdwj2ekahj8h86zldx3wcsjq3n3ezenspwr0vc";
    let key = "AGE-SECRET-KEY-1YRC9TDQXYRF8GH5C0M3P9EY7YM6FQMLAHJLY78JLEDJ55T3S9K6SES5CLA";
    let file = secrets.backup(&Protection::recipients([recipient])?)?;
    let unlock = Unlock::new().with_identities(&SecretString::from(key))?;
    let backup = Backup::open_blocking(&file.text, &unlock)?;
    assert!(secrets.delete("0")?);
    secrets.restore(&backup, &secrets.plan_restore(&backup, RestoreMode::Replace)?)
}
