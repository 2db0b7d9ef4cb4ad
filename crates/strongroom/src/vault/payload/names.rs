//! The names in a payload that can't be read.

use serde_json::Deserializer;

/// The text before a secret's name.
const FIELD: &[u8] = b"\"name\":";

/// Returns the names of the secrets in a damaged payload, as far as they can be read, in order.
///
/// No value is taken for a name: values are base64 and can't contain the quotes of a field's name.
pub(crate) fn readable_names(payload: &[u8]) -> Vec<String> {
    let starts = payload.windows(FIELD.len()).enumerate().filter(|(_, window)| *window == FIELD);
    let rests = starts.map(|(start, _)| &payload[start + FIELD.len()..]);
    let names = rests.filter_map(|rest| Deserializer::from_slice(rest).into_iter().next()?.ok());
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_what_is_left_of_a_vault() {
        let damaged = br#"{"strongroom":"vault","version":9,"secrets":[{"name":"A","value":"MQ=="},
            {"name":"B\u00e9 \"x\"","value":"M#","name":7},{"name":"C","#;
        assert_eq!(readable_names(damaged), ["A", "B\u{e9} \"x\"", "C"]);
        assert!(readable_names(b"{\"name\":").is_empty());
        assert!(readable_names(b"\xff\x00").is_empty());
    }
}
