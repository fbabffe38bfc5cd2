//! What a mail server answers, read as its bytes come. Pure: each byte is looked at once, and no more is kept than an answer may have.
//!
//! The three digits decide. Of the text nothing is expected: it may be left away, in any encoding, and long.

/// As much as an answer may have, with all its lines.
const LONGEST: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: u16,
    /// The text of each line.
    pub lines: Vec<String>,
}

impl Answer {
    /// On one line; an enhanced code that each line repeats stands there once.
    pub fn text(&self) -> String {
        let repeated = self.lines.first().and_then(|line| enhanced(line));
        let mut text = String::new();
        for line in &self.lines {
            let line = match repeated.and_then(|code| line.strip_prefix(code)) {
                Some(rest) if !text.is_empty() => rest.trim_start(),
                _ => line,
            };
            if !text.is_empty() && !line.is_empty() {
                text.push(' ');
            }
            text.push_str(line);
        }
        text
    }
}

/// The enhanced status code (RFC 3463) that a text begins with.
pub fn enhanced(text: &str) -> Option<&str> {
    let first = text.split_whitespace().next()?;
    let is_one = first.len() < 12
        && first.contains('.')
        && first.chars().all(|character| character.is_ascii_digit() || character == '.');
    is_one.then_some(first)
}

/// An answer that is coming.
#[derive(Default)]
pub struct Reading {
    bytes: Vec<u8>,
    /// Where the line begins that is not whole yet.
    line: usize,
}

impl Reading {
    /// Of what came, as much as belongs to the answer; once that is whole, it and how much that was.
    pub fn take(&mut self, came: &[u8]) -> Result<Option<(Answer, usize)>, &'static str> {
        let mut taken = 0;
        for part in came.split_inclusive(|byte| *byte == b'\n') {
            if self.bytes.len() + part.len() > LONGEST {
                self.bytes.extend_from_slice(&part[..LONGEST - self.bytes.len()]);
                return Err("an answer without end");
            }
            self.bytes.extend_from_slice(part);
            taken += part.len();
            if part.ends_with(b"\n") {
                let line = Line::of(&self.bytes[self.line..]).ok_or(NONE)?;
                if line.is_last {
                    return Ok(Some((self.so_far().ok_or(NONE)?, taken)));
                }
                self.line = self.bytes.len();
            }
        }
        Ok(None)
    }

    /// As far as it came: its digits are said first.
    pub fn so_far(&self) -> Option<Answer> {
        let lines: Vec<Line> = self.bytes.split(|byte| *byte == b'\n').map_while(Line::of).collect();
        let code = lines.last()?.code;
        Some(Answer { code, lines: lines.iter().map(|line| String::from_utf8_lossy(line.text).into_owned()).collect() })
    }

    /// What came, whatever it is.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

const NONE: &str = "no answer that SMTP knows";

struct Line<'a> {
    code: u16,
    is_last: bool,
    text: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let (digits, rest) = line.split_at_checked(3)?;
        if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (is_last, text) = match rest.first() {
            // Four digits are another number.
            Some(b'0'..=b'9') => return None,
            Some(b'-') => (false, &rest[1..]),
            _ => (true, rest),
        };
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        Some(Self { code, is_last, text: text.trim_ascii() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<(Answer, usize)>, &'static str> {
        Reading::default().take(bytes)
    }

    fn answer(code: u16, lines: &[&str]) -> Answer {
        Answer { code, lines: lines.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn the_digits_decide() {
        for (bytes, code, lines) in [
            (&b"250\r\n"[..], 250, &[""][..]),
            (b"250 \r\n", 250, &[""]),
            (b"250\n", 250, &[""]),
            (b"250 2.0.0 Ok\r\n", 250, &["2.0.0 Ok"]),
            (b"250\tok\r\n", 250, &["ok"]),
            (b"550 5.1.1 Usu\xe1rio\r\n", 550, &["5.1.1 Usu\u{fffd}rio"]),
            (b"250-one\r\n250-\r\n250 three\r\n", 250, &["one", "", "three"]),
            (b"250-one\n250\n", 250, &["one", ""]),
        ] {
            assert_eq!(read(bytes), Ok(Some((answer(code, lines), bytes.len()))), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_begins_with_no_code_is_none() {
        for bytes in [&b"\r\n"[..], b"ok\r\n", b"25\r\n", b"2500 ok\r\n", b" 250 ok\r\n", b"999 x\r\n", b"150 x\r\n"] {
            assert_eq!(read(bytes), Err(NONE), "{}", bytes.escape_ascii());
        }
        assert_eq!(read(b"250-one\r\ntwo\r\n250 three\r\n"), Err(NONE));
    }

    #[test]
    fn what_follows_is_not_part_of_it() {
        assert_eq!(read(b"220 go\r\n250 injected\r\n"), Ok(Some((answer(220, &["go"]), 8))));
    }

    #[test]
    fn its_beginning_says_what_it_will_be() {
        for (bytes, code) in [
            (&b"250 accepted for deli"[..], Some(250)),
            (b"250", Some(250)),
            (b"250-one\r\n25", Some(250)),
            (b"25", None),
            (b"", None),
        ] {
            let mut reading = Reading::default();
            assert_eq!(reading.take(bytes), Ok(None));
            assert_eq!(reading.so_far().map(|answer| answer.code), code, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn one_without_end_is_read_to_a_bound_and_a_long_one_at_once() {
        for part in [&b"250 x"[..], b"250-x\r\n", b"x"] {
            let mut reading = Reading::default();
            let refused = (0..100_000).find(|_| reading.take(part).is_err());
            assert!(refused.is_some() && reading.bytes.len() <= LONGEST);
        }
        let long = [b"250-\r\n".repeat(10_000), b"250 ok\r\n".to_vec()].concat();
        let began = std::time::Instant::now();
        let mut reading = Reading::default();
        let whole = long.chunks(1).find_map(|byte| reading.take(byte).expect("an answer"));
        assert_eq!(whole.map(|(answer, _)| answer.lines.len()), Some(10_001));
        assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
    }

    #[test]
    fn an_enhanced_code_that_each_line_repeats_is_told_once() {
        let text = |lines: &[&str]| answer(550, lines).text();
        assert_eq!(text(&["5.7.25 no PTR", "5.7.25 record", "5.7.25"]), "5.7.25 no PTR record");
        assert_eq!(text(&["no", "", "such user"]), "no such user");
        assert_eq!(text(&[""]), "");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_they_come_and_no_further(
            bytes in proptest::collection::vec(prop_oneof![Just(b'2'), Just(b'5'), Just(b'-'), Just(b' '), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..200),
            step in 1_usize..7,
        ) {
            let whole = read(&bytes);
            let mut reading = Reading::default();
            let mut taken = 0;
            let mut parts = Ok(None);
            for part in bytes.chunks(step) {
                parts = reading.take(part);
                match &parts {
                    Ok(None) => taken += part.len(),
                    Ok(Some((_, of_it))) => { taken += of_it; break }
                    Err(_) => break,
                }
            }
            prop_assert_eq!(parts.map(|found| found.map(|(answer, _)| (answer, taken))), whole.clone());
            if let Ok(Some((answer, taken))) = whole {
                prop_assert!((200..600).contains(&answer.code) && taken <= bytes.len());
                prop_assert_eq!(bytes[taken - 1], b'\n');
                let _ = answer.text();
            }
        }
    }
}
