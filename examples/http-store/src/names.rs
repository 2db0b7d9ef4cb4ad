//! The paths of entries on the server: each name is one segment, percent-encoded.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use strongroom::store::{EntryName, ServiceName};

/// The escaped characters: all but letters and digits of ASCII, `-` and `_`. A dot is escaped, too, so that no name means the
/// parent directory (`..`).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Returns the path of a service's list: `/v1/SERVICE`.
pub(crate) fn service_path(service: &ServiceName) -> String {
    format!("/v1/{}", utf8_percent_encode(service.as_str(), ESCAPED))
}

/// Returns the path of an entry: `/v1/SERVICE/USER`.
pub(crate) fn entry_path(entry: &EntryName) -> String {
    let user = utf8_percent_encode(entry.user().as_str(), ESCAPED);
    format!("{}/{user}", service_path(entry.service()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_and_comes_back_as_it_was() {
        for name in ["a", "..", "a/b", "%2F", "a?b#c", "é", "e\u{301}", " ", "a\nb"] {
            let path = entry_path(&EntryName::new("s", name).expect("the name is valid"));
            let segment = path.strip_prefix("/v1/s/").expect("it lies below its service");
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte);
            assert!(segment.bytes().all(is_plain), "{segment}");
            let decoded = percent_encoding::percent_decode_str(segment).decode_utf8();
            assert_eq!(decoded.expect("it is UTF-8"), name);
        }
    }
}
