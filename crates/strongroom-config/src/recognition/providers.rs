//! The forms of well-known providers' keys.
//!
//! A form is listed if the provider documents it, or if its keys have had it for years, and only if the value alone is a
//! secret. The id of an AWS access key, for instance, is not.

/// The form of a provider's keys: a prefix and a minimal length.
struct Shape {
    provider: &'static str,
    prefix: &'static str,
    /// The length of the shortest key, in bytes.
    min_len: usize,
}

/// Returns the provider whose keys have the form of this text.
pub(crate) fn provider_of(text: &str) -> Option<&'static str> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    SHAPES.iter().find(|shape| shape.matches(text)).map(|shape| shape.provider)
}

/// Returns whether a text is a private key in the textual encoding of RFC 7468.
pub(crate) fn is_private_key(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    first.starts_with("-----BEGIN ") && first.trim_end().ends_with("PRIVATE KEY-----")
}

impl Shape {
    fn matches(&self, text: &str) -> bool {
        text.len() >= self.min_len && text.starts_with(self.prefix)
    }
}

const fn shape(provider: &'static str, prefix: &'static str, min_len: usize) -> Shape {
    Shape { provider, prefix, min_len }
}

/// The known forms. If two match, the first applies. Their sources:
///
/// - github: <https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>
/// - gitlab: <https://docs.gitlab.com/security/tokens/#token-prefixes>
/// - slack: <https://docs.slack.dev/authentication/tokens>
/// - stripe: <https://docs.stripe.com/keys>
/// - npm: <https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/>
/// - age: <https://age-encryption.org/v1>
/// - the remaining forms, and the lengths: the rules of gitleaks,
///   <https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml>
const SHAPES: &[Shape] = &[
    shape("age", "AGE-SECRET-KEY-1", 74),
    // Before OpenAI, which has a prefix of this prefix.
    shape("anthropic", "sk-ant-", 40),
    shape("digitalocean", "dop_v1_", 71),
    shape("github", "ghp_", 40),
    shape("github", "gho_", 40),
    shape("github", "ghu_", 40),
    shape("github", "ghs_", 40),
    shape("github", "ghr_", 40),
    shape("github", "github_pat_", 82),
    shape("gitlab", "glpat-", 26),
    shape("google", "AIza", 39),
    shape("huggingface", "hf_", 37),
    shape("npm", "npm_", 40),
    shape("openai", "sk-", 40),
    shape("pypi", "pypi-AgE", 50),
    shape("sendgrid", "SG.", 69),
    shape("shopify", "shpat_", 38),
    shape("slack", "xapp-", 30),
    shape("slack", "xoxb-", 30),
    shape("slack", "xoxp-", 30),
    shape("stripe", "rk_live_", 18),
    shape("stripe", "sk_live_", 18),
    shape("stripe", "sk_test_", 18),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Such a value, with nothing behind its start that could be one.
    fn fake(start: &str, len: usize) -> String {
        format!("{start:0<len$}")
    }

    #[test]
    fn each_form_is_known_and_shorter_ones_are_not() {
        for Shape { provider, prefix, min_len } in SHAPES {
            assert_eq!(provider_of(&fake(prefix, *min_len)), Some(*provider), "{prefix}");
            assert_eq!(provider_of(&fake(prefix, *min_len - 1)), None, "{prefix}");
        }
        assert_eq!(provider_of(&fake("sk-a b", 60)), None);
    }

    #[test]
    fn a_private_key_is_known_by_its_first_line() {
        for kind in ["", "RSA ", "OPENSSH "] {
            assert!(is_private_key(&format!("-----BEGIN {kind}PRIVATE KEY-----\nAAAA\n")));
        }
        assert!(!is_private_key("-----BEGIN PUBLIC KEY-----\n"));
    }
}
