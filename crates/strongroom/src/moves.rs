//! The results of [`Config::move_to`](crate::Config::move_to).

pub use crate::lifecycle::relocate::{MoveStep, Moved};
