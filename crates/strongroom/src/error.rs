//! The parts of an [`Error`](crate::Error): its operation, the reason of an `Unsupported`, the commands that it advises.

pub use strongroom_core::{AdvisedCommand, Operation, ParseTimestampError, Reason};
