//! The HTML document that opens the page.

/// Returns an HTML document that opens the page by a link from [`Server::link`](crate::Server::link) or
/// [`Settings::link`](crate::Settings::link).
///
/// Write it into a file that only the user can read, and let the browser open that file. Other accounts of the machine see
/// the arguments of a program, and would see the link itself. The document sends the token in a form, so that the token is
/// not in the browser's history, either.
pub fn entry_page(link: &str) -> String {
    // A link has no token if the application admits requests itself.
    let (base, token) = link.split_once("#token=").unwrap_or((link, ""));
    let [base, token] = [base, token].map(escaped);
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Settings</title>\n\
         <form method=\"post\" action=\"{base}\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
         <button>Open the settings</button>\n</form>\n\
         <script>document.forms[0].submit()</script>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_in_a_field_and_in_no_address() {
        let page = entry_page("http://127.0.0.1:1/a\"b/#token=abc");
        assert!(page.contains("action=\"http://127.0.0.1:1/a&quot;b/\""), "{page}");
        assert!(page.contains("name=\"token\" value=\"abc\""), "{page}");
    }
}
