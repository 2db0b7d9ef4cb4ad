//! Finding the secrets of a file: those that rules name, references, and values that are recognised.

use std::collections::BTreeSet;

use strongroom::ExposeSecret;

use crate::Format;
use crate::document::Document;
use crate::export;
use crate::file_secret::{FileSecret, FoundBy};
use crate::flaw::Flaw;
use crate::naming;
use crate::recognition::{self, Evidence};
use crate::reference::referenced;
use crate::rules::{Rule, Rules};

/// Returns all secrets of a text, first in the order of the rules, then in the order of the text.
///
/// # Errors
///
/// A flaw at a broken record, if the text is an export.
pub(crate) fn find_secrets(
    format: Format,
    text: &str,
    document: &Document,
    rules: &Rules,
) -> Result<Vec<FileSecret>, Flaw> {
    if let Some(secrets) = export::exported_secrets(format, text, document, rules)? {
        return Ok(secrets);
    }
    let mut paths = BTreeSet::new();
    let mut secrets = Vec::new();
    for rule in &rules.rules {
        // Of two rules for the same path, the first applies.
        if paths.insert(&rule.path) {
            secrets.push(secret_of_rule(text, document, rule, rules));
        }
    }
    for (number, node) in document.nodes.iter().enumerate() {
        // A rule also decides about a value that doesn't look like a secret, and about its name.
        if !paths.contains(&node.path) {
            secrets.extend(secret_without_rule(text, document, number, rules));
        }
    }
    Ok(secrets)
}

fn secret_of_rule(text: &str, document: &Document, rule: &Rule, rules: &Rules) -> FileSecret {
    let leave = rule.leave.unwrap_or(rules.leave);
    let secret = FileSecret::new(rule.path.clone(), rule.key.clone(), leave, FoundBy::Rule)
        .with_provider(rule.provider.clone());
    match document.find(&rule.path) {
        Some(number) => secret.at_node(text, document, number),
        None => secret,
    }
}

/// Returns a value that no rule names, if it is a reference, or is recognised as a secret.
fn secret_without_rule(
    text: &str,
    document: &Document,
    number: usize,
    rules: &Rules,
) -> Option<FileSecret> {
    let node = &document.nodes[number];
    let value = node.text()?.expose_secret();
    let evidence = match referenced(value) {
        Some(_) => Evidence { found_by: FoundBy::Reference, provider: None },
        None if rules.detects => recognition::evidence(node.path.last(), value)?,
        None => return None,
    };
    let key = naming::key_for(&node.path);
    let secret = FileSecret::new(node.path.clone(), key, rules.leave, evidence.found_by)
        .with_provider(evidence.provider.map(str::to_owned));
    Some(secret.at_node(text, document, number))
}
