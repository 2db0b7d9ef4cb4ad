//! The application in a real window, and what it talks to.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod app;
pub(crate) mod server;
pub(crate) mod webdriver;
