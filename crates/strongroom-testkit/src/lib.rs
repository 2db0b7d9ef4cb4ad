//! Private buses, real providers and a scripted Secret Service for Strongroom's tests.

pub mod scripted;
