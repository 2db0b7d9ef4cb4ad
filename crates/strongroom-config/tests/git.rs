//! The answer about a tracked file equals git's own, and nothing that a repository names is run, fetched or waited for.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use strongroom_config::{ConfigFile, Exposure, Format, Prefer, Rules};
use strongroom_testkit::{PATIENCE, provider_or_skip};
use support::git::Git;
use support::{Home, VALUE, fifo};

/// The exposure of a file in git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Tracked,
    Maybe,
    /// The file is not tracked now.
    History,
    Nothing,
}

use Said::{History, Maybe, Nothing, Tracked};

fn looking(path: &Path) -> ConfigFile {
    ConfigFile::with_format(path, Format::Env, Rules::detecting())
}

fn said(path: &Path) -> Said {
    let exposures = looking(path).status(None).unwrap().exposures;
    let has = |is: fn(&Exposure) -> bool| exposures.iter().any(is);
    let found = [
        (Tracked, has(|it| *it == Exposure::TrackedByGit)),
        (Maybe, has(|it| *it == Exposure::MaybeTrackedByGit)),
        (History, has(|it| matches!(it, Exposure::HistoryNotSearched { .. }))),
    ];
    found.into_iter().find_map(|(said, is)| is.then_some(said)).unwrap_or(Nothing)
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("API_KEY={VALUE}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The commands that search the history, as they are to be pasted.
fn commands(path: &Path) -> Vec<String> {
    let exposures = looking(path).status(None).unwrap().exposures;
    let command = |exposure| match exposure {
        Exposure::HistoryNotSearched { command } => Some(command),
        _ => None,
    };
    exposures.into_iter().filter_map(command).collect()
}

/// Compares each file of a work tree with what git says. Returns how many were tracked, and how many not.
#[track_caller]
fn assert_as_git_says(git: &Git) -> [usize; 2] {
    let mut counts = [0; 2];
    for path in files(&git.directory) {
        let expected = git.tracks(&path).unwrap_or_else(|| panic!("git fails for {path:?}"));
        let seen = said(&path);
        assert_eq!(seen, if expected { Tracked } else { History }, "{path:?}");
        counts[usize::from(!expected)] += 1;
    }
    counts
}

/// All files below a directory, but for git's own.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.file_name() {
            Some(name) if name == ".git" => {}
            _ if path.is_symlink() => {}
            _ if path.is_dir() => files.extend(self::files(&path)),
            _ => files.push(path),
        }
    }
    files
}

#[test]
fn a_file_that_git_tracks_has_been_exposed() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let git = Git::init(home.path("repository"), &[]);
    let path = git.path("a/b/.env").tap(write);
    let file = looking(&path);
    let commands = commands(&path);
    assert!(commands[0].ends_with("log --all --oneline -- a/b/.env"), "{}", commands[0]);
    assert_eq!(file.status(None).unwrap().exposures.len(), 1);
    git.run(&["add", "a/b/.env"]);
    assert_eq!(file.status(None).unwrap().exposures, [Exposure::TrackedByGit]);
    fs::remove_dir_all(git.path(".git")).unwrap();
    fs::write(git.path(".git"), "gitdir: /nowhere").unwrap();
    assert_eq!(file.status(None).unwrap().exposures, [Exposure::MaybeTrackedByGit]);
}

/// Names that an index, a shell or a pattern could take for something else.
const NAMES: [&str; 16] = [
    ".env",
    "-n.env",
    ":(top).env",
    "*.env",
    "[a].env",
    "a b/c d.env",
    "a\nb.env",
    "back\\slash.env",
    "a/.env",
    "a.env",
    "a/b/c/.env",
    "\u{fc}/\u{e9}\u{1f600}.env",
    "A/.ENV",
    "quote\"'.env",
    "a-/.env",
    "a0/.env",
];

fn fill(git: &Git) {
    for name in NAMES {
        write(&git.path(name));
    }
    let long = format!("long/{}/{}/.env", "d".repeat(200), "e".repeat(250));
    write(&git.path(&long));
}

/// Takes every other file out of the index.
fn forget_some(git: &Git) {
    for path in files(&git.directory).iter().step_by(2) {
        let path = path.strip_prefix(&git.directory).unwrap().to_str().unwrap();
        git.run(&["--literal-pathspecs", "rm", "--quiet", "--cached", "--", path]);
    }
}

#[test]
fn each_version_of_the_index_says_what_git_says() {
    if !provider_or_skip("git") {
        return;
    }
    for format in ["sha1", "sha256"] {
        for version in ["2", "3", "4"] {
            let home = Home::new();
            let git = Git::init(home.path("r"), &["--object-format", format]);
            fill(&git);
            assert_eq!(assert_as_git_says(&git)[0], 0, "no index yet");
            git.commit();
            git.run(&["update-index", "--index-version", version]);
            assert_eq!(assert_as_git_says(&git), [NAMES.len() + 1, 0]);
            forget_some(&git);
            let counts = assert_as_git_says(&git);
            assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
            // Without a checksum, and with the table that lets git read it in parts.
            git.run(&["config", "index.skipHash", "true"]);
            git.run(&["config", "index.threads", "2"]);
            git.run(&["update-index", "--force-write-index"]);
            assert_eq!(assert_as_git_says(&git), counts);
        }
    }
}

#[test]
fn flags_of_an_entry_leave_the_file_tracked() {
    if !provider_or_skip("git") {
        return;
    }
    for version in ["2", "4"] {
        let home = Home::new();
        let git = Git::init(home.path("r"), &[]);
        for name in ["skipped.env", "assumed.env", "other.env"] {
            write(&git.path(name));
        }
        git.commit();
        git.run(&["update-index", "--index-version", version]);
        write(&git.path("intended.env"));
        write(&git.path("not.env"));
        git.run(&["add", "--intent-to-add", "intended.env"]);
        git.run(&["update-index", "--skip-worktree", "skipped.env"]);
        git.run(&["update-index", "--assume-unchanged", "assumed.env"]);
        assert_eq!(assert_as_git_says(&git), [4, 1]);
    }
}

#[test]
fn a_file_in_conflict_is_tracked() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let git = Git::init(home.path("r"), &[]);
    git.commit();
    git.run(&["branch", "other"]);
    write(&git.path(".env"));
    git.commit();
    git.run(&["checkout", "--quiet", "other"]);
    fs::write(git.path(".env"), format!("TOKEN={VALUE}\n")).unwrap();
    git.commit();
    assert!(!git.command(&["merge", "--quiet", "-"]).output().unwrap().status.success());
    fs::write(git.path(".env"), format!("TOKEN={VALUE}\n")).unwrap();
    write(&git.path("not.env"));
    assert_eq!(assert_as_git_says(&git), [1, 1]);
}

#[test]
fn a_split_index_says_what_git_says() {
    if !provider_or_skip("git") {
        return;
    }
    for (format, version) in [("sha1", "2"), ("sha1", "4"), ("sha256", "3")] {
        let home = Home::new();
        let git = Git::init(home.path("r"), &["--object-format", format]);
        fill(&git);
        for number in 0..120 {
            write(&git.path(&format!("many/{number}/.env")));
        }
        git.commit();
        git.run(&["update-index", "--index-version", version]);
        git.run(&["update-index", "--split-index"]);
        let shared = || {
            let names = fs::read_dir(git.path(".git")).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name.starts_with("sharedindex.")).collect::<Vec<_>>()
        };
        assert_eq!(shared().len(), 1);
        let all = assert_as_git_says(&git)[0];
        // Changed, deleted and added entries lie in the smaller part.
        fs::write(git.path("many/7/.env"), format!("TOKEN={VALUE}\n")).unwrap();
        git.run(&["add", "many/7/.env"]);
        for number in (30..120).step_by(3) {
            git.run(&["rm", "--quiet", "--cached", &format!("many/{number}/.env")]);
        }
        write(&git.path("new/.env"));
        git.run(&["add", "new/.env"]);
        assert_eq!(shared().len(), 1, "it is still split");
        assert_eq!(assert_as_git_says(&git), [all - 30 + 1, 30]);
        fs::remove_file(git.path(".git").join(&shared()[0])).unwrap();
        assert_eq!(said(&git.path("many/1/.env")), Maybe, "its larger part is gone");
        assert_eq!(said(&git.path("not.env").tap(write)), Maybe);
    }
}

/// Does something with a value, and returns it.
trait Tap: Sized {
    fn tap(self, act: impl FnOnce(&Path)) -> Self;
}

impl Tap for PathBuf {
    fn tap(self, act: impl FnOnce(&Path)) -> Self {
        act(&self);
        self
    }
}

/// A repository with a sparse index that has one entry for all of `b`.
fn sparse(home: &Home, format: &str) -> Git {
    let git = Git::init(home.path("r"), &["--object-format", format]);
    for name in ["a/f", "b/c/.env", ".env"] {
        write(&git.path(name));
    }
    git.commit();
    git.run(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
    git.run(&["sparse-checkout", "set", "a"]);
    git
}

#[test]
fn what_lies_in_a_directory_of_a_sparse_index_may_be_tracked() {
    if !provider_or_skip("git") {
        return;
    }
    for format in ["sha1", "sha256"] {
        let home = Home::new();
        let git = sparse(&home, format);
        write(&git.path("not.env"));
        write(&git.path("bb/.env"));
        for (name, expected) in [
            (".env", Tracked),
            ("a/f", Tracked),
            ("not.env", History),
            ("bb/.env", History),
            ("b/c/.env", Maybe),
            ("b/new.env", Maybe),
        ] {
            assert_eq!(said(&git.path(name).tap(write)), expected, "{name}");
        }
    }
}

#[test]
fn several_work_trees_and_submodules_have_an_index_each() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let (main, inner) = (Git::init(home.path("r"), &[]), Git::init(home.path("inner"), &[]));
    write(&inner.path("tracked.env"));
    inner.commit();
    write(&main.path("tracked.env"));
    main.commit();
    main.run(&["worktree", "add", "--quiet", "../other"]);
    let other = Git { directory: home.path("other") };
    write(&other.path("other.env"));
    other.commit();
    main.run(&["submodule", "--quiet", "add", "../inner", "sub"]);
    let sub = Git { directory: main.path("sub") };
    for git in [&main, &other, &sub] {
        write(&git.path("not.env"));
        write(&git.path("a/not.env"));
    }
    assert_eq!(assert_as_git_says(&other), [2, 2]);
    assert_eq!(assert_as_git_says(&sub), [1, 2]);
    assert_eq!(said(&main.path("other.env").tap(write)), History);
    // The main work tree's place is not that of the others. Each may have settings of its own.
    main.run(&["config", "core.worktree", ".."]);
    assert_eq!(assert_as_git_says(&other), [2, 2]);
    main.run(&["config", "--unset", "core.worktree"]);
    other.run(&["config", "extensions.worktreeConfig", "true"]);
    other.run(&["config", "--worktree", "core.sparseCheckout", "false"]);
    assert_eq!(assert_as_git_says(&other), [2, 2]);
    assert_eq!(commands(&sub.path("not.env")).len(), 2, "its own history and that around it");
}

#[test]
fn a_work_tree_can_lie_elsewhere() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let git = Git::init(home.path("r"), &[]);
    write(&git.path(".env"));
    write(&git.path("deep/a.env"));
    git.commit();
    git.run(&["config", "core.worktree", "../deep"]);
    write(&git.path("deep/.env"));
    for name in ["deep/.env", "deep/a.env"] {
        let expected = git.tracks(&git.path(name)).unwrap();
        assert_eq!(said(&git.path(name)), if expected { Tracked } else { History }, "{name}");
    }
    assert_eq!(said(&git.path(".env")), Maybe, "it is outside of the work tree");
}

#[test]
fn a_bare_repository_beside_its_work_trees_tracks_what_they_track() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let root = home.path("root");
    let git = Git::init(root.join(".bare"), &["--bare"]);
    fs::write(root.join(".git"), "gitdir: ./.bare\n").unwrap();
    git.run(&["worktree", "add", "--quiet", "--orphan", "-b", "main", "../main"]);
    let main = Git { directory: root.join("main") };
    write(&main.path("tracked.env"));
    main.commit();
    write(&main.path("not.env"));
    assert_eq!(assert_as_git_says(&main), [1, 1]);
    assert_eq!(commands(&main.path("not.env")).len(), 1, "it is one history");
    assert_eq!(said(&root.join(".env").tap(write)), History);
}

#[test]
fn a_repository_around_another_is_asked_too() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let outer = Git::init(home.path("outer"), &[]);
    let path = outer.path("inner/.env");
    write(&path);
    outer.commit();
    let inner = Git::init(outer.path("inner"), &[]);
    assert_eq!(inner.tracks(&path), Some(false));
    assert_eq!(said(&path), Tracked);
    // An empty `.git` is none, and git looks further up.
    fs::create_dir_all(outer.path("empty/.git")).unwrap();
    assert_eq!(said(&outer.path("empty/.env").tap(write)), History);
    assert_eq!(said(&home.path("outside.env").tap(write)), Nothing);
}

#[test]
fn random_histories_end_as_git_says() {
    if !provider_or_skip("git") {
        return;
    }
    for seed in 1..=12_u64 {
        let home = Home::new();
        let git = Git::init(home.path("r"), &[]);
        git.run(&["update-index", "--index-version", ["2", "3", "4"][seed as usize % 3]]);
        let mut random = seed;
        for _ in 0..40 {
            // Knuth's linear congruential generator.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let pick = |shift: u32, of: usize| (random >> shift) as usize % of;
            let name =
                format!("{}/{}.env", ["a", "a/b", "ab", "\u{fc}", "."][pick(33, 5)], pick(40, 4));
            let path = git.path(&name);
            let step: &[&str] = match pick(50, 9) {
                0..4 => {
                    write(&path);
                    &["add", "--force", &name]
                }
                4 => &["rm", "--quiet", "--cached", "--ignore-unmatch", &name],
                5 => &["add", "--intent-to-add", "--all"],
                6 => &["update-index", "--split-index"],
                7 => &["commit", "--quiet", "--allow-empty", "--all", "--message", "x"],
                _ => &["update-index", "--no-split-index"],
            };
            git.run(step);
            write(&path);
        }
        assert_as_git_says(&git);
    }
}

/// Makes all calls that check exposures, with a time limit.
fn looked_at(home: &Home, path: &Path) -> Said {
    let (sender, receiver) = mpsc::channel();
    let (builder, path) = (home.builder(), path.to_owned());
    write(&path);
    thread::spawn(move || {
        let file = looking(&path);
        let secrets = builder.clone().open_blocking().unwrap();
        file.plan(&secrets, Prefer::Ask).unwrap();
        let plan = file.plan_import(&secrets, Prefer::Ask).unwrap();
        file.import(&secrets, &plan, |_| {}).unwrap();
        let seen = said(&path);
        file.first_run(builder).unwrap();
        sender.send(seen).unwrap();
    });
    receiver.recv_timeout(PATIENCE).expect("nothing is waited for")
}

/// A program that leaves a trace, and the path of the trace.
fn trap(home: &Home) -> (String, PathBuf) {
    let (program, trace) = (home.path("trap"), home.path("trace"));
    fs::write(&program, format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\nexit 1\n", trace.display()))
        .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.to_str().unwrap().to_owned(), trace)
}

#[test]
fn a_sparse_index_whose_objects_have_to_be_fetched_fetches_nothing() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let (program, trace) = trap(&home);
    let git = sparse(&home, "sha1");
    let tree = git.run(&["rev-parse", "HEAD:b"]);
    fs::remove_file(git.path(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    for (key, value) in [
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://example.invalid/x"),
        ("core.sshCommand", &format!("{program} --")),
    ] {
        git.run(&["config", key, value]);
    }
    assert_eq!(looked_at(&home, &git.path("b/c/.env").tap(write)), Maybe);
    assert_eq!(looked_at(&home, &git.path("not.env").tap(write)), History);
    assert_eq!(looked_at(&home, &git.path(".env").tap(write)), Tracked);
    assert!(!trace.exists(), "{}", fs::read_to_string(&trace).unwrap());
    // git itself does what the trap is for.
    git.command(&["ls-files", "--error-unmatch", "x"]).output().unwrap();
    assert!(trace.exists());
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let (program, trace) = trap(&home);
    let git = Git::init(home.path("r"), &[]);
    write(&git.path("tracked.env"));
    git.commit();
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "diff.trap.textconv",
        "diff.trap.command",
        "filter.trap.clean",
        "filter.trap.smudge",
        "filter.trap.process",
        "gpg.program",
        "merge.trap.driver",
        "uploadpack.packObjectsHook",
    ] {
        git.run(&["config", key, &program]);
    }
    git.run(&["config", "core.hooksPath", home.path("hooks").to_str().unwrap()]);
    git.run(&["config", "alias.ls-files", &format!("!{program}")]);
    git.run(&["config", "include.path", "/dev/zero"]);
    fs::write(git.path(".gitattributes"), "* filter=trap diff=trap merge=trap\n").unwrap();
    for directory in [home.path("hooks"), git.path(".git/hooks")] {
        fs::create_dir_all(&directory).unwrap();
        for hook in ["post-index-change", "fsmonitor-watchman", "pre-auto-gc", "post-checkout"] {
            fs::copy(&program, directory.join(hook)).unwrap();
        }
    }
    assert_eq!(looked_at(&home, &git.path("not.env").tap(write)), History);
    assert_eq!(looked_at(&home, &git.path("tracked.env").tap(write)), Tracked);
    assert!(!trace.exists(), "{}", fs::read_to_string(&trace).unwrap());
}

/// A repository that tracks nothing, and a file in it.
fn plain(home: &Home) -> (Git, PathBuf) {
    let git = Git::init(home.path("r"), &[]);
    write(&git.path("tracked.env"));
    git.commit();
    let path = git.path(".env").tap(write);
    assert_eq!(said(&path), History);
    (git, path)
}

#[test]
fn what_is_no_plain_file_or_directory_is_neither_followed_nor_waited_for() {
    if !provider_or_skip("git") {
        return;
    }
    for name in [".git", ".git/index", ".git/config", ".git/commondir"] {
        for make in [
            fifo,
            |path: &Path| symlink("elsewhere", path).unwrap(),
            |path: &Path| {
                symlink("/dev/zero", path).unwrap();
            },
        ] {
            let home = Home::new();
            let (git, path) = plain(&home);
            let place = git.path(name);
            if place.exists() {
                fs::rename(&place, git.path("elsewhere")).unwrap();
                fs::copy(git.path("elsewhere"), place.with_file_name("elsewhere")).ok();
            }
            make(&place);
            assert_eq!(looked_at(&home, &path), Maybe, "{name}");
        }
    }
}

#[test]
fn an_index_that_cannot_be_read_may_have_the_file() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let (git, path) = plain(&home);
    let index = git.path(".git/index");
    let whole = fs::read(&index).unwrap();
    let damaged = (0..whole.len()).step_by(3).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    });
    let cut = (0..whole.len()).map(|len| whole[..len].to_vec());
    let long = [&whole[..], b"x"].concat();
    let version = [&b"DIRC\0\0\0\x05\0\0\0\0"[..], &[0; 20]].concat();
    let count = [&b"DIRC\0\0\0\x02\xff\xff\xff\xff"[..], &[0; 20]].concat();
    let mandatory = [&b"DIRC\0\0\0\x02\0\0\0\0newx\0\0\0\0"[..], &[0; 20]].concat();
    let others = [b"garbage".to_vec(), long, version, count, mandatory];
    for bytes in damaged.chain(cut).chain(others) {
        fs::write(&index, &bytes).unwrap();
        assert_eq!(said(&path), Maybe, "{bytes:?}");
    }
    let huge = fs::File::create(&index).unwrap();
    huge.set_len(1 << 40).unwrap();
    assert_eq!(looked_at(&home, &path), Maybe);
}

#[test]
fn what_a_repository_names_is_looked_for_on_plain_ways_alone() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let real = Git::init(home.path("real"), &[]);
    real.commit();
    symlink(home.path("real"), home.path("link")).unwrap();
    fs::create_dir(home.path("w")).unwrap();
    let path = home.path("w/.env").tap(write);
    for (text, expected) in [
        ("gitdir: ../real/.git\n", History),
        ("gitdir: ../link/.git\n", Maybe),
        ("gitdir: /nowhere\n", Maybe),
        ("gitdir: /proc/self/cwd\n", Maybe),
        ("gitdir: ../real/../real/.git\n", Maybe),
        ("gitdir: \n", Maybe),
        ("gitdir: .\n", Maybe),
        ("", Maybe),
        ("garbage", Maybe),
    ] {
        fs::write(home.path("w/.git"), text).unwrap();
        assert_eq!(looked_at(&home, &path), expected, "{text:?}");
    }
    fs::write(home.path("w/.git"), "gitdir: ../real/.git\n").unwrap();
    for (name, text) in [
        ("config", "[core\n"),
        ("config", "[core]\n\trepositoryformatversion = 7\n"),
        ("config", "[extensions]\n\tunheardOf = true\n"),
        ("config", "[core]\n\tworktree = ../../elsewhere\n"),
        ("commondir", "/proc\n"),
    ] {
        let place = home.path("real/.git").join(name);
        let before = fs::read(&place).ok();
        fs::write(&place, text).unwrap();
        assert_eq!(looked_at(&home, &path), Maybe, "{name}: {text}");
        match before {
            Some(before) => fs::write(&place, before).unwrap(),
            None => fs::remove_file(&place).unwrap(),
        }
    }
    assert_eq!(looked_at(&home, &path), History);
}

#[test]
fn a_repository_of_another_user_is_not_believed() {
    if !provider_or_skip("git") {
        return;
    }
    for name in [".git", ".git/index", ".git/config"] {
        let home = Home::new();
        let (git, path) = plain(&home);
        // Only root can give files away.
        if chown(git.path(name), Some(1234), None).is_ok() {
            assert_eq!(said(&path), Maybe, "{name}");
        }
    }
}

#[test]
fn an_entry_of_another_spelling_counts_where_it_is_the_same_file() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let git = Git::init(home.path("r"), &[]);
    for name in [".ENV", "d/.ENV", "E\u{301}.env"] {
        write(&git.path(name));
    }
    git.commit();
    for name in [".env", "D/.env", "\u{c9}.env"] {
        assert_eq!(said(&git.path(name).tap(write)), History, "{name} is another file");
    }
    // As on a file system that ignores case, both names are now those of one file.
    for (name, other) in [(".env", ".ENV"), ("\u{c9}.env", "E\u{301}.env")] {
        fs::remove_file(git.path(name)).unwrap();
        fs::hard_link(git.path(other), git.path(name)).unwrap();
        assert_eq!(said(&git.path(name)), Maybe, "{name}");
    }
}

#[test]
fn the_environment_of_git_is_not_looked_at() {
    if !provider_or_skip("git") {
        return;
    }
    let home = Home::new();
    let (git, path) = plain(&home);
    let program = std::env::current_exe().unwrap();
    let mut other = std::process::Command::new(program);
    other.args(["--exact", "says_what_is_known", "--ignored", "--nocapture"]);
    other.env("FILE", path).env("GIT_DIR", "/nowhere").env("GIT_WORK_TREE", "/");
    other.env("GIT_INDEX_FILE", "/dev/null").env("GIT_CEILING_DIRECTORIES", &git.directory);
    let output = other.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("says: History"), "{printed}");
}

#[test]
#[ignore = "run by another test, in an environment of its own"]
fn says_what_is_known() {
    let path = std::env::var_os("FILE").unwrap();
    std::io::Write::write_all(
        &mut std::io::stdout(),
        format!("\nsays: {:?}\n", said(Path::new(&path))).as_bytes(),
    )
    .unwrap();
}

#[test]
fn the_command_finds_what_was_committed_once() {
    if !provider_or_skip("git") {
        return;
    }
    for name in [".env", "a b/it's.env", "*.env", ":x.env", "-x.env", "sub/\u{e9}.env"] {
        let home = Home::new();
        let git = Git::init(home.path("a repository"), &[]);
        let path = git.path(name);
        write(&path);
        write(&git.path("other.env"));
        git.commit();
        git.run(&["--literal-pathspecs", "rm", "--quiet", "--cached", "--", name]);
        git.run(&["commit", "--quiet", "--message", "forgotten"]);
        fs::write(git.path("other.env"), "A=1\n").unwrap();
        git.run(&["commit", "--quiet", "--all", "--message", "other"]);
        let commands = commands(&path);
        assert_eq!(commands.len(), 1);
        let mut shell = git.shell(&commands[0]);
        let printed = String::from_utf8(shell.current_dir("/").output().unwrap().stdout).unwrap();
        assert_eq!(printed.lines().count(), 2, "{}: {printed}", commands[0]);
    }
}
