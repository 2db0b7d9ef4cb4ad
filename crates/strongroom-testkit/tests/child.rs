//! Children of a test program: what they get, what they say, and how they end.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::env;

use strongroom_testkit::child::{self, Child};
use strongroom_testkit::{Sandbox, children};

children!(echoes, fails, prints, says_its_home);

/// Says what it is told, until there is nothing more.
fn echoes() {
    while let Some(line) = child::told() {
        child::say(&line);
    }
}

fn fails() {
    child::say("before");
    panic!("it fails");
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn prints() {
    println!("printed {}", env::var("ARGUMENT").unwrap());
}

fn says_its_home() {
    child::say(&env::home_dir().unwrap().display().to_string());
}

#[test]
fn a_child_is_told_lines_and_says_lines() {
    let mut child = Child::start(child::command("echoes"));
    child.tell("one");
    assert_eq!(child.next(), "one");
    child.tell("two");
    child.tell("three");
    assert_eq!(child.finish(), ["two", "three"]);
}

#[test]
fn a_child_that_fails_is_seen_to_fail() {
    let (said, succeeded) = Child::start(child::command("fails")).wait();
    assert_eq!((said, succeeded), (vec!["before".to_owned()], false));
    assert_eq!(child::output(&mut child::command("fails")).status.code(), Some(101));
}

#[test]
#[should_panic(expected = "the child failed")]
fn a_child_that_must_succeed_and_fails_fails_the_test() {
    Child::start(child::command("fails")).finish();
}

#[test]
#[should_panic(expected = "is not in")]
fn an_unknown_function_fails_the_test_with_the_names_of_those_that_there_are() {
    child::succeeds(&mut child::command("unknown"));
}

#[test]
fn a_killed_child_says_no_more() {
    let mut child = Child::start(child::command("echoes"));
    child.tell("one");
    assert_eq!(child.next(), "one");
    child.kill();
    assert_eq!(child.rest(), [""; 0]);
}

#[test]
fn arguments_are_variables_and_what_it_prints_is_captured() {
    let output = child::output(child::command("prints").env("ARGUMENT", "value"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("printed value"), "{output:?}");
}

#[test]
fn in_a_sandbox_it_has_the_home_of_the_sandbox() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(child::program());
    child::enter(&mut command, "says_its_home");
    assert_eq!(Child::start(command).finish(), [sandbox.home().display().to_string()]);
}
