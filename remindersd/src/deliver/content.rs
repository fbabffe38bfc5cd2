//! A message as it goes over the wire.

use std::fmt::{Display, Formatter, Result, Write};

/// With its end, in one write. Lettre writes the end apart: Nagle's algorithm keeps that until the message was acknowledged, which the other side puts off for
/// 40 ms, and no connection sends more than 25 messages a second.
pub struct Content<'a>(pub &'a str);

impl Display for Content<'_> {
    fn fmt(&self, formatter: &mut Formatter) -> Result {
        for line in self.0.split_inclusive('\n') {
            // RFC 5321, 4.5.2: a full stop that is alone in its line would be the end.
            if line.starts_with('.') {
                formatter.write_char('.')?;
            }
            formatter.write_str(line)?;
        }
        formatter.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_message_ends_it_and_none_is_lost() {
        for (message, sent) in [
            ("a\r\nb\r\n", "a\r\nb\r\n.\r\n"),
            ("a\r\n.\r\nMAIL FROM:<x>\r\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"),
            (".a\r\n..\r\nb.", "..a\r\n...\r\nb.\r\n.\r\n"),
            ("", "\r\n.\r\n"),
        ] {
            assert_eq!(Content(message).to_string(), sent);
        }
    }
}
