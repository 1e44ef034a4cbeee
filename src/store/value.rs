//! The encoding of texts in tmux. Texts from outside are percent-encoded, so that they have no effect wherever they are
//! shown.
//!
//! These characters stay as they are: ASCII letters and digits, `_ - . / : @`, characters beyond ASCII that print
//! everywhere ([`prints`]), and the blank in texts. Each byte of any other character becomes `%XX`. Therefore no stored
//! value can end a quotation, be expanded as a format (`#`), be run by a shell, end a branch of a conditional (`,` `}`)
//! or be changed when tmux prints it: tmux 3.4 and 3.5a print control characters as octal, and 3.4 also prints `$x` as
//! `\$x`.

use crate::id::prints;

/// Encodes a text as one value.
#[must_use]
pub fn encode(text: &str) -> String {
    encode_bytes(text.as_bytes(), true)
}

/// Decodes a text: the inverse of [`encode`]. Bytes that are no UTF-8 become U+FFFD.
#[must_use]
pub fn decode(value: &str) -> String {
    if !value.contains('%') {
        return value.into();
    }
    String::from_utf8(decode_bytes(value))
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Encodes words as one value, with blanks between them and `+` for an empty word.
#[must_use]
pub fn encode_words<B: AsRef<[u8]>>(words: impl IntoIterator<Item = B>) -> String {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| match word.as_ref() {
            [] => "+".into(),
            bytes => encode_bytes(bytes, false),
        })
        .collect();
    words.join(" ")
}

/// Decodes words: the inverse of [`encode_words`], byte for byte.
#[must_use]
pub fn decode_words(value: &str) -> Vec<Vec<u8>> {
    value
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "+" => Vec::new(),
            word => decode_bytes(word),
        })
        .collect()
}

/// Encodes tags as one value: each tag occurs once and has a blank on both sides.
#[must_use]
pub fn encode_tags(tags: &[&str]) -> String {
    let mut unique: Vec<&str> = Vec::new();
    for tag in tags {
        if !unique.contains(tag) {
            unique.push(tag);
        }
    }
    if unique.is_empty() {
        String::new()
    } else {
        format!(" {} ", unique.join(" "))
    }
}

/// Encodes pairs of key and text as one value. Each pair is a blank and `k=v`, so that a pattern can find a key.
#[must_use]
pub fn encode_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!(" {key}={}", encode_bytes(value.as_bytes(), false)))
        .collect();
    pairs.concat()
}

/// Decodes pairs: the inverse of [`encode_pairs`].
#[must_use]
pub fn decode_pairs(value: &str) -> Vec<(String, String)> {
    value
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_string(), decode(value)))
        .collect()
}

/// Returns whether a text can be a stored value: it has only characters that one of the encodings here writes.
#[must_use]
pub fn is_stored(text: &str) -> bool {
    text.chars().all(|c| is_kept(c) || " %+=".contains(c))
}

fn encode_bytes(bytes: &[u8], keep_blanks: bool) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_kept(c) || (keep_blanks && c == ' ') {
                encoded.push(c);
            } else {
                escape(&mut encoded, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        escape(&mut encoded, chunk.invalid());
    }
    encoded
}

fn is_kept(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "_-./:@".contains(c)
    } else {
        prints(c)
    }
}

fn escape(encoded: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        encoded.push('%');
        encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
        encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn decode_bytes(value: &str) -> Vec<u8> {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| value.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_round_trip(text in any::<String>()) {
            prop_assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn words_round_trip(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)) {
            prop_assert_eq!(decode_words(&encode_words(&words)), words);
        }

        #[test]
        fn pairs_round_trip(pairs in prop::collection::vec(("[a-z_.-]{1,5}", any::<String>()), 0..5)) {
            let encoded = encode_pairs(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())));
            prop_assert_eq!(decode_pairs(&encoded), pairs);
        }

        #[test]
        fn an_encoded_text_has_no_special_characters(text in any::<String>()) {
            let is_special = |c: char| c.is_control() || "#$\\'\"`;{},~=&|<>()*?![]^+\u{241e}\u{241f}".contains(c);
            let encoded = encode(&text);
            prop_assert!(!encoded.contains(is_special), "{}", encoded);
        }
    }

    #[test]
    fn printable_characters_stay_readable() {
        assert_eq!(
            encode("fix the größe 🦀 of api/v2"),
            "fix the größe 🦀 of api/v2"
        );
        assert_eq!(encode("#(x); $y\n"), "%23%28x%29%3B %24y%0A");
        assert_eq!(encode_words(["a b", "", "c"]), "a%20b + c");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
