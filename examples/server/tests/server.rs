//! The server as a process, on real stores, against an upstream that gives tokens.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod support;

use std::time::Duration;

use strongroom_testkit::scripted::{Script, ScriptedService};
use strongroom_testkit::{Bus, PATIENCE, Sandbox, wait_until};
use support::upstream::Fault;
use support::{
    Machine, Server, short_lived_upstream, slow_upstream, tells, upstream, without_storage,
};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_serves_for_many_requests() {
    for (machine, _keyring) in Machine::all() {
        let upstream = upstream().await;
        let server = machine.serve(&upstream).await;
        for _ in 0..5 {
            assert_eq!(server.get("/").await, (200, r#"{"tokens":1}"#.to_owned()));
        }
        assert_eq!(upstream.asked_for_tokens(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_refreshed_before_it_expires() {
    let upstream = short_lived_upstream(Duration::from_secs(31)).await;
    let machine = Machine::with_key_file();
    let server = machine.serve(&upstream).await;
    let until_refreshed = async {
        while upstream.asked_for_tokens() < 2 {
            assert_eq!(server.get("/").await.0, 200);
        }
    };
    timeout(PATIENCE, until_refreshed).await.expect("its second token");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_refresh_once_between_them() {
    for (machine, _keyring) in Machine::all() {
        let upstream = slow_upstream(Duration::from_millis(300)).await;
        let servers = [machine.serve(&upstream).await, machine.serve(&upstream).await];
        all_answer(&servers).await;
        assert_eq!(upstream.asked_for_tokens(), 1);
        // Both meet a token that was good a moment ago.
        upstream.revoke();
        all_answer(&servers).await;
        assert_eq!(upstream.asked_for_tokens(), 2);
    }
}

/// Asks all of them several things at once.
async fn all_answer(servers: &[Server]) {
    let asked = (0..4).flat_map(|_| servers.iter().map(|server| server.start_to_get("/")));
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().0, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_upstream_is_a_502_that_tells_no_secret() {
    let upstream = upstream().await;
    let machine = Machine::with_key_file();
    let server = machine.serve(&upstream).await;
    for (fault, error) in [
        (Fault::RefusesToken, "upstream_refused"),
        (Fault::GarblesToken, "upstream_unusable"),
        (Fault::FailsData, "upstream_refused"),
    ] {
        upstream.set_fault(fault);
        assert_eq!(server.get("/").await, (502, format!(r#"{{"error":"{error}"}}"#)), "{fault:?}");
    }
    upstream.set_fault(Fault::None);
    assert_eq!(server.get("/").await.0, 200);
    let log = server.log();
    for text in ["401 Unauthorized", "500 Internal Server Error", "can't be used", "store another"]
    {
        assert!(log.contains(text), "no \"{text}\" in: {log}");
    }
    assert!(!tells(&log), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_away_is_a_502() {
    let machine = Machine::with_key_file();
    machine.set_up().await;
    // Nothing listens on port 1.
    let server = Server::start_at(machine.command(), "http://127.0.0.1:1");
    assert_eq!(server.get("/").await, (502, r#"{"error":"upstream_unreachable"}"#.to_owned()));
    server.logs("refused");
    assert_eq!(server.get("/health").await.0, 200, "it is not the server's fault");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_named_with_the_command_and_seen_once_it_is_stored() {
    const COMMAND: &str = "strongroom --service example-server setup CLIENT_SECRET";

    for (machine, _keyring) in Machine::all() {
        let upstream = upstream().await;
        let server = Server::start(machine.command(), &upstream);
        assert!(server.log().contains(COMMAND), "{}", server.log());
        let (status, health) = server.get("/health").await;
        assert!(status == 503 && health.contains(COMMAND), "{status} {health}");
        assert_eq!(server.get("/").await, (503, r#"{"error":"not_set_up"}"#.to_owned()));
        assert_eq!(upstream.asked_for_tokens(), 0);
        machine.set_up().await;
        assert_eq!(server.get("/").await.0, 200, "without a restart");
        let (status, health) = server.get("/health").await;
        assert!(status == 200 && health.contains(r#""problem":null"#), "{status} {health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_does_not_last_is_warned_of() {
    // None is named, and none is there but the kernel's.
    for (backend, end) in [("", "this machine restarts"), ("memory", "this server ends")] {
        let upstream = upstream().await;
        let server = Server::start(without_storage(&Sandbox::new(), backend), &upstream);
        let health = server.get("/health").await.1;
        for said in [&server.log(), &health] {
            assert!(said.contains(&format!("are gone when {end}")), "{said}");
        }
        assert!(health.contains(r#""is_persistent":false"#), "{health}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_that_lasts_is_not_warned_of() {
    for (machine, _keyring) in Machine::all() {
        let upstream = upstream().await;
        let server = machine.serve(&upstream).await;
        let health = server.get("/health").await.1;
        assert!(health.contains(r#""is_persistent":true,"warning":null"#), "{health}");
        assert!(!server.log().contains("WARN"), "{}", server.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_shows_no_secret() {
    let bus = Bus::start(&Sandbox::new());
    let _service = ScriptedService::start(bus.address(), Script::default()).unwrap();
    let upstream = upstream().await;
    let machine = Machine::Bus(bus);
    let server = machine.serve(&upstream).await;
    assert_eq!(server.get("/").await.0, 200);
    upstream.revoke();
    assert_eq!(server.get("/").await.0, 200);
    server.terminate();
    let (_, log) = server.ended();
    assert!(log.contains(" DEBUG ") || log.contains(" TRACE "), "it does log: {log}");
    assert!(!tells(&log), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_ends_the_start_with_advice() {
    let Some((machine, keyring)) = Machine::with_keyring() else { return };
    machine.set_up().await;
    keyring.lock();
    let mut command = machine.command();
    let output = command.args(["--upstream", "http://127.0.0.1:1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is locked") && said.contains("nlock"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_finishes_what_is_under_way() {
    let upstream = slow_upstream(Duration::from_millis(500)).await;
    let machine = Machine::with_key_file();
    let server = machine.serve(&upstream).await;
    let answer = server.start_to_get("/");
    wait_until("the request is under way", PATIENCE, || upstream.asked_for_data() == 1);
    server.terminate();
    let (status, log) = server.ended();
    assert!(status.success() && log.contains("stopping"), "{status}: {log}");
    assert_eq!(answer.await.unwrap().0, 200);
}

#[test]
fn an_upstream_without_encryption_is_refused() {
    let mut command = without_storage(&Sandbox::new(), "memory");
    let output = command.args(["--upstream", "http://api.example.com"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("take https"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
