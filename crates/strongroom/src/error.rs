//! The parts of an [`Error`](crate::Error): its operation, its reason, the commands that it advises.

pub use strongroom_core::{AdvisedCommand, Operation, ParseTimestampError, Reason};
