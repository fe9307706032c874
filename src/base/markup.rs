//! Texts in HTML, XML and what is like them.

/// The same text where tags and entities have a meaning; quotes stay, so not within an attribute.
pub fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
