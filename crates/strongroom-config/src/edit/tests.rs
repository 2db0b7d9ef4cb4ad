//! Changes in each format, and what they leave alone.

use super::*;

mod properties;

fn removed(format: Format, text: &str, paths: &[&str]) -> Result<String, Flaw> {
    with(format, text, paths, Change::Removal)
}

fn with(format: Format, text: &str, paths: &[&str], change: Change<'_>) -> Result<String, Flaw> {
    let document = format.parse(text).unwrap();
    let number = |path: &&str| document.find(&path.parse().unwrap()).unwrap();
    let changes: Vec<_> = paths.iter().map(|path| (number(path), change)).collect();
    apply_changes(format, text, &document, &changes).map(|new| new.to_string())
}

fn replaced(format: Format, text: &str, paths: &[&str]) -> String {
    with(format, text, paths, Change::Text("new")).unwrap()
}

fn marked(format: Format, text: &str, path: &str) -> String {
    set_text(format, text, &path.parse().unwrap(), "on").unwrap().to_string()
}

#[test]
fn a_value_is_replaced_and_nothing_else() {
    assert_eq!(
        replaced(Format::Json, "{ \"a\" : 'x' }".replace('\'', "\"").as_str(), &["a"]),
        "{ \"a\" : \"new\" }"
    );
    assert_eq!(
        replaced(Format::Toml, "\u{feff}a='''\r\nx'''# c\r\n", &["a"]),
        "\u{feff}a=\"new\"# c\r\n"
    );
    assert_eq!(
        replaced(Format::Yaml, "a: |-  # c\n  x\n  y\n\nb: 1\n", &["a"]),
        "a: \"new\"  # c\n\nb: 1\n"
    );
    assert_eq!(
        replaced(Format::Yaml, "- a: x # c\n  b: 'y'\n", &["0.a", "0.b"]),
        "- a: new # c\n  b: 'new'\n"
    );
    assert_eq!(
        replaced(Format::Env, "export A=x # c\nB=\nC='y'", &["A", "B", "C"]),
        "export A=new # c\nB=new\nC='new'"
    );
}

#[test]
fn an_entry_goes_with_its_line_or_comma_and_comments_stay() {
    for (format, text, paths, expected) in [
        (Format::Json, r#"{"a": 1, "b": 2, "c": 3}"#, &["a"][..], r#"{"b": 2, "c": 3}"#),
        (Format::Json, r#"{"a": 1, "b": 2, "c": 3}"#, &["c"], r#"{"a": 1, "b": 2}"#),
        (Format::Json, r#"{"a": 1, "b": 2, "c": 3}"#, &["b", "c"], r#"{"a": 1 }"#),
        (Format::Json, r#"{"a": 1}"#, &["a"], "{}"),
        (Format::Json, "{\n  \"a\": 1,\n  \"b\": 2\n}\n", &["a"], "{\n  \"b\": 2\n}\n"),
        (
            Format::Json,
            "{\r\n  \"a\": 1, // x\r\n  \"b\": 2 // y\r\n}",
            &["b"],
            "{\r\n  \"a\": 1 // x\r\n  // y\r\n}",
        ),
        (Format::Json, "{\n  \"a\": 1, // x\n  \"b\": 2,\n}", &["a"], "{\n  // x\n  \"b\": 2,\n}"),
        (Format::Toml, "a = 1\nb = 2 # c\n[t]\nd.e = 3", &["b"], "a = 1\n# c\n[t]\nd.e = 3"),
        (Format::Toml, "a = 1\n[t]\nd.e = 3\n", &["t.d.e"], "a = 1\n[t]\n"),
        (Format::Toml, "t = { a = 1, b.c = 2 }\n", &["t.b.c"], "t = { a = 1 }\n"),
        (Format::Yaml, "# x\na: 1 # y\nb: 2\n", &["a"], "# x\n# y\nb: 2\n"),
        (Format::Yaml, "a: | # x\n  1\nb: 2\n", &["a"], "# x\nb: 2\n"),
        (Format::Yaml, "- a: 1\n  b: 2\n", &["0.a"], "- b: 2\n"),
        (Format::Yaml, "t:\n  a: 1\n", &["t.a"], "t:\n  {}\n"),
        (Format::Yaml, "t:\n  a: 1\n  b: 2\nc: 3\n", &["t.a", "t.b"], "t:\n  {}\nc: 3\n"),
        (Format::Yaml, "{a: 1, b: 2}\n", &["a"], "{b: 2}\n"),
        (Format::Env, "A=1\n\n# c\nexport B='2\n3'\nC=4", &["B", "C"], "A=1\n\n# c\n"),
    ] {
        assert_eq!(removed(format, text, paths).unwrap(), expected, "{text}");
    }
}

#[test]
fn an_item_of_a_list_does_not_go() {
    assert_eq!(removed(Format::Json, "[1, 2]", &["0"]).unwrap_err().at, 1);
    assert_eq!(removed(Format::Yaml, "a:\n - x\n", &["a.0"]).unwrap_err().at, 6);
}

#[test]
fn a_new_entry_stands_behind_the_others() {
    for (format, text, path, expected) in [
        (Format::Json, "{}", "m", r#"{"m": "on"}"#),
        (Format::Json, r#"{"a": 1 }"#, "m", r#"{"a": 1, "m": "on" }"#),
        (Format::Json, "{\n\t\"a\": 1 // c\n}", "m", "{\n\t\"a\": 1, // c\n\t\"m\": \"on\"\n}"),
        (
            Format::Json,
            "{\r\n  \"a\": 1, // c\r\n}",
            "m",
            "{\r\n  \"a\": 1, // c\r\n  \"m\": \"on\",\r\n}",
        ),
        (Format::Json, r#"{"a": {"b": 1}}"#, "a.m", r#"{"a": {"b": 1, "m": "on"}}"#),
        (Format::Json, r#"{"m": "off"}"#, "m", r#"{"m": "on"}"#),
        (Format::Json, r#"{"m": null}"#, "m", r#"{"m": "on"}"#),
        (Format::Toml, "a = 1 # c\n\n[t]\nb = 2\n", "m", "a = 1 # c\nm = \"on\"\n\n[t]\nb = 2\n"),
        (Format::Toml, "\u{feff}[t]\r\nb = 2", "m", "\u{feff}m = \"on\"\r\n\r\n[t]\r\nb = 2"),
        (Format::Toml, "[t]\nb = 2\n[u]\n", "t.m", "[t]\nb = 2\nm = \"on\"\n[u]\n"),
        (Format::Toml, "[t] # c\n[u]\n", "t.m", "[t] # c\nm = \"on\"\n[u]\n"),
        (Format::Toml, "t = { a = 1 }\n", "t.m", "t = { a = 1, m = \"on\" }\n"),
        (Format::Toml, "", "m", "m = \"on\"\n"),
        (Format::Yaml, "a: 1 # c\n", "m", "a: 1 # c\nm: \"on\"\n"),
        (Format::Yaml, "a:\n  b:\n    c: 1\n", "a.m", "a:\n  b:\n    c: 1\n  m: \"on\"\n"),
        (Format::Yaml, "- a: |\n    x\n- b", "0.m", "- a: |\n    x\n  m: \"on\"\n- b"),
        (Format::Yaml, "a: {b: 1}\n", "a.m", "a: {b: 1, m: \"on\"}\n"),
        (Format::Env, "A=1", "M", "A=1\nM=on"),
        (Format::Env, "A=1 # c\r\n# d\r\n", "M", "A=1 # c\r\nM=on\r\n# d\r\n"),
    ] {
        assert_eq!(marked(format, text, path), expected, "{text}");
    }
}

#[test]
fn a_new_entry_has_no_place_where_its_group_is_not() {
    for (format, text, path) in [
        (Format::Json, "[]", "m"),
        (Format::Json, "{}", "a.m"),
        (Format::Yaml, "", "m"),
        (Format::Env, "", "a.m"),
    ] {
        assert!(set_text(format, text, &path.parse().unwrap(), "on").is_err(), "{text}");
    }
}
