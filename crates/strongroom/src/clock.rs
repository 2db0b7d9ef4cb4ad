//! The clock that expiry and timestamps go by.

use std::sync::Arc;

use strongroom_core::Timestamp;

/// Returns the current time, as the application sees it.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns a time as a part of a file's name: `20261231T180000Z`.
pub(crate) fn file_stamp(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.to_string().replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_file_name_has_neither_a_colon_nor_a_fraction() {
        let time: Timestamp = "2026-12-31T18:00:09.5Z".parse().unwrap();
        assert_eq!(file_stamp(time), "20261231T180009Z");
    }
}
