//! Messages: how one id may be written.

/// The id itself, and as others may write it: the angle brackets around a Message-ID are its punctuation (RFC 5322, 3.6.4), which some
/// providers leave out of their reports, as space around it is their header's. What is empty is no id, and found nowhere.
#[must_use]
pub fn spellings(id: &str) -> Vec<String> {
    let spelled = |id: &str| {
        let bare = id.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        vec![id.to_string(), bare.map_or_else(|| format!("<{id}>"), ToString::to_string)]
    };
    let trimmed = id.trim();
    if trimmed.is_empty() || trimmed == "<>" {
        return Vec::new();
    }
    if trimmed == id { spelled(id) } else { [spelled(id), spelled(trimmed)].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_with_brackets_or_without() {
        assert_eq!(spellings("<1@x>"), ["<1@x>", "1@x"]);
        assert_eq!(spellings("1@x"), ["1@x", "<1@x>"]);
        assert_eq!(spellings("<1@x"), ["<1@x", "<<1@x>"]);
        for id in ["", " ", "<>", " <> "] {
            assert_eq!(spellings(id), [""; 0], "{id:?}");
        }
        assert_eq!(spellings("<"), ["<", "<<>"]);
        assert_eq!(spellings(" <1@x>\n")[2..], ["<1@x>", "1@x"]);
    }
}
