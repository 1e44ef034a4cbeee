//! The frames of the socket protocol: a header of 16 bytes (type, length, protocol version 8, pid) and a body. The
//! header is in host order. On little-endian machines it is the same from tmux 3.2a to 3.8.

use super::message;

const PROTOCOL: u32 = 8;
pub(super) const HEADER: usize = 16;
/// The length of the longest message, header included: `MAX_IMSGSIZE`.
const LONGEST: usize = 16_384;
/// The length of the longest body.
pub(super) const LONGEST_BODY: usize = LONGEST - HEADER;
/// tmux 3.6 and later set the top bit of the length if the message passes a file descriptor.
const WITH_DESCRIPTOR: u32 = 1 << 31;

/// Appends a message. Returns `None` if it is too long.
pub(super) fn append(bytes: &mut Vec<u8>, kind: u32, body: &[&[u8]]) -> Option<()> {
    let length = body.iter().map(|part| part.len()).sum::<usize>();
    if length > LONGEST_BODY {
        return None;
    }
    let length = u32::try_from(HEADER + length).ok()?;
    for number in [kind, length, PROTOCOL, std::process::id()] {
        bytes.extend(number.to_ne_bytes());
    }
    for part in body {
        bytes.extend_from_slice(part);
    }
    Some(())
}

/// The type of a message, its body, and the bytes after it.
type Imsg<'a> = (u32, &'a [u8], &'a [u8]);

/// Returns the first message, or `Some(None)` while it is not whole. Returns `None` for bytes that are not a message of
/// this protocol.
pub(super) fn first(bytes: &[u8]) -> Option<Option<Imsg<'_>>> {
    let Some((header, _)) = bytes.split_at_checked(HEADER) else {
        return Some(None);
    };
    let field = |at: usize| {
        header[at..at + 4]
            .try_into()
            .map(u32::from_ne_bytes)
            .unwrap_or_default()
    };
    let kind = field(0);
    let length = usize::try_from(field(4) & !WITH_DESCRIPTOR).ok()?;
    // The type comes first: a server of another protocol answers with its own version in the header.
    let is_known = kind == message::VERSION || field(8) & 0xff == PROTOCOL;
    if !is_known || !(HEADER..=LONGEST).contains(&length) {
        return None;
    }
    Some(
        bytes
            .split_at_checked(length)
            .map(|(message, after)| (kind, &message[HEADER..], after)),
    )
}

/// Returns the number at the start of a body, and the rest.
pub(super) fn split_number(body: &[u8]) -> Option<(i32, &[u8])> {
    let (number, rest) = body.split_first_chunk()?;
    Some((i32::from_ne_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_are_read_as_they_were_written(
            messages in prop::collection::vec((any::<u32>(), prop::collection::vec(any::<u8>(), 0..300)), 0..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            for (kind, body) in &messages {
                append(&mut bytes, *kind, &[body]).expect("a message that fits");
            }
            // Bytes that are still to come make no message and no error.
            let end = cut.index(bytes.len() + 1);
            let mut rest = &bytes[..end];
            let mut read = Vec::new();
            while let Some((kind, body, after)) = first(rest).expect("messages") {
                read.push((kind, body.to_vec()));
                rest = after;
            }
            prop_assert_eq!(&read[..], &messages[..read.len()]);
            prop_assert_eq!(first(rest), Some(None));
            prop_assert_eq!(end == bytes.len() && rest.is_empty(), read.len() == messages.len());
        }

        #[test]
        fn any_bytes_are_messages_or_not_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(Some((_, body, after))) = first(&bytes) {
                prop_assert_eq!(HEADER + body.len() + after.len(), bytes.len());
            }
        }
    }

    #[test]
    fn a_body_that_is_too_long_is_refused() {
        let mut bytes = Vec::new();
        assert_eq!(append(&mut bytes, 1, &[&vec![0; LONGEST_BODY + 1]]), None);
        assert_eq!(append(&mut bytes, 1, &[&vec![0; LONGEST_BODY]]), Some(()));
        assert_eq!(bytes.len(), LONGEST);
    }

    #[test]
    fn the_version_of_another_protocol_is_a_message() {
        let mut bytes = Vec::new();
        append(&mut bytes, message::VERSION, &[]).expect("a message");
        bytes[8] = 9;
        assert_eq!(
            first(&bytes),
            Some(Some((message::VERSION, &[][..], &[][..])))
        );
        bytes[..4].copy_from_slice(&message::EXIT.to_ne_bytes());
        assert_eq!(first(&bytes), None);
    }
}
