//! The clock that expiry and timestamps go by.

use std::sync::Arc;

use strongroom_core::Timestamp;

/// Returns the current time, as the application sees it.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
