//! Typed rows: the output of tmux in a frame that no value can forge.
//!
//! U+241F ends the head of a field and U+241E a record. They pass through every tmux from 3.2a to 3.8, in every locale,
//! with `tmux -u`; tab and 0x1f do not. A title, a path or a session name may contain these characters too, so each
//! call puts a short random word before every separator. Text that was written before the call cannot contain that
//! word.

use crate::id::SeshId;

/// Declares a struct of expanded formats. Each field is declared with its format, so that no field can read the value
/// of another. `FORMATS` contains the formats in the order in which `read` expects their values. A missing value reads
/// as the empty string.
macro_rules! formats {
    (
        $(#[$about:meta])*
        $visible:vis struct $name:ident {
            $($(#[$doc:meta])* $field:ident = $format:expr,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default)]
        $visible struct $name<'a> {
            $($(#[$doc])* $visible $field: &'a str,)+
        }

        impl<'a> $name<'a> {
            /// The formats of the fields.
            $visible const FORMATS: &'static [&'static str] = &[$($format),+];

            /// Reads the values of the formats.
            $visible fn read(values: impl IntoIterator<Item = &'a str>) -> Self {
                let mut values = values.into_iter();
                Self {
                    $($field: values.next().unwrap_or_default(),)+
                }
            }
        }
    };
}
pub(crate) use formats;

const FIELD: char = '\u{241f}';
const RECORD: char = '\u{241e}';

/// The separators of one call.
#[derive(Clone, Debug)]
pub struct Frame {
    field: String,
    record: String,
}

impl Default for Frame {
    fn default() -> Self {
        Self::new()
    }
}

impl Frame {
    #[must_use]
    pub fn new() -> Self {
        // The word starts with an ASCII character: a printed line that starts with a zero-width character kills the
        // server of a client without UTF-8. It does not start with a letter: tmux 3.4 prints a `$` before a letter as
        // `\$`, and a name may end with `$`.
        let word = format!("0{}", &SeshId::random().simple()[..5]);
        Self {
            field: format!("{word}{FIELD}"),
            record: format!("{word}{RECORD}"),
        }
    }

    /// Returns the tmux format that prints these formats as one record. Each of them may expand to any text.
    #[must_use]
    pub fn format<S: AsRef<str>>(&self, fields: impl IntoIterator<Item = S>) -> String {
        self.format_with(std::iter::empty::<&str>(), fields)
    }

    /// Like [`Frame::format`], with fields before them that never contain a separator: numbers, ids and stored values,
    /// which are encoded. These are framed by the separator alone, which halves the cost of a large answer.
    #[must_use]
    pub fn format_with<O: AsRef<str>, S: AsRef<str>>(
        &self,
        own: impl IntoIterator<Item = O>,
        foreign: impl IntoIterator<Item = S>,
    ) -> String {
        let mut format = self.field.clone();
        for field in own {
            format.push_str(field.as_ref());
            format.push(FIELD);
        }
        for field in foreign {
            format.push_str(&self.field);
            format.push_str(field.as_ref());
        }
        format.push_str(&self.record);
        format
    }

    /// Returns the records in an output of tmux, and what was printed after the last of them.
    #[must_use]
    pub fn read<'a>(&self, output: &'a str) -> (Vec<Vec<&'a str>>, &'a str) {
        let mut rest = output;
        let mut rows = Vec::new();
        for (row, after) in self.sections(output) {
            rest = after;
            rows.push(row);
        }
        (rows, rest)
    }

    /// Returns the records in an output of tmux, each with what was printed between it and the next.
    pub fn sections<'a>(&self, output: &'a str) -> impl Iterator<Item = (Vec<&'a str>, &'a str)> {
        let mut next = output.split_once(self.record.as_str());
        let mut width = 0;
        std::iter::from_fn(move || {
            let (record, after) = next?;
            let mut parts = record.split(self.field.as_str());
            // The text before the record belongs to the previous one.
            parts.next();
            // The rows of a list have the same number of fields. Reserving space for them makes long lists faster to
            // read.
            let mut row = Vec::with_capacity(width);
            row.extend(parts.next().unwrap_or("").split_terminator(FIELD));
            row.extend(parts);
            width = row.len();
            let rest = after.strip_prefix('\n').unwrap_or(after);
            next = rest.split_once(self.record.as_str());
            let text = match next {
                Some((record, _)) => record.split(self.field.as_str()).next().unwrap_or(""),
                None => rest,
            };
            Some((row, text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn own_and_foreign_values_round_trip(own in prop::collection::vec("[a-z %]*", 0..4), foreign in prop::collection::vec(any::<String>(), 0..4)) {
            let frame = Frame::new();
            let output = frame.format_with(&own, &foreign);
            let (records, _) = frame.read(&output);
            let all: Vec<String> = own.into_iter().chain(foreign).collect();
            prop_assert_eq!(records, [all]);
        }

        #[test]
        fn any_value_round_trips(rows in prop::collection::vec(prop::collection::vec(any::<String>(), 3), 0..5), rest in "[a-z\n]*") {
            let frame = Frame::new();
            let mut output = String::new();
            for row in &rows {
                output.push_str(&frame.format(row));
                output.push('\n');
            }
            output.push_str(&rest);
            let (records, after) = frame.read(&output);
            prop_assert_eq!(records, rows);
            prop_assert_eq!(after, rest);
        }
    }

    formats! {
        struct Two {
            first = "#{first}",
            second = "#{second}",
        }
    }

    #[test]
    fn each_field_reads_its_own_format() {
        assert_eq!(Two::FORMATS, ["#{first}", "#{second}"]);
        let two = Two::read(Two::FORMATS.iter().copied());
        assert_eq!((two.first, two.second), ("#{first}", "#{second}"));
        assert_eq!(Two::read(["x"]).second, "");
    }

    #[test]
    fn separators_of_another_call_are_text() {
        let other = Frame::new().format(["fake"]);
        let frame = Frame::new();
        let output = frame.format([other.as_str(), "b"]);
        assert_eq!(frame.read(&output).0, [[other.as_str(), "b"]]);
    }
}
