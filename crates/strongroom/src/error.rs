//! The parts of an [`Error`](crate::Error): its operation, its reason, its advice.

pub use strongroom_core::{Operation, ParseTimestampError, Reason};
