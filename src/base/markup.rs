//! Texts in HTML, XML and what is like them.

/// The same text between tags and within quotes.
pub fn escape_attribute(text: &str) -> String {
    escape_markup(text).replace('"', "&quot;").replace('\'', "&#39;")
}

/// The same text where tags and entities have a meaning; quotes stay, so not within an attribute.
pub fn escape_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_a_tag_or_ends_an_attribute() {
        assert_eq!(escape_attribute("<a href='x' b=\"y\">&"), "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;");
        assert_eq!(escape_markup("it's <1>"), "it's &lt;1&gt;");
    }
}
