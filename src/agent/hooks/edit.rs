//! Putting something into a text of JSON and taking it out again, with every other byte left where it is: comments,
//! indentation, line ends, commas at the end.
//!
//! What is put in stands behind what is there, and what is around it when it is taken out says what came with it:
//! its comma, the blanks before it, and the lists and objects that were made for it. Those are told from empty ones
//! that were there before by a sign: into such a one it is put without a blank.

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// What is wrong with a text, and where: line and column count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

/// The value in a text. `None` where there is none: nothing but blanks and comments.
pub(super) fn parse(text: &str) -> Result<Option<Value<'_>>, Refusal> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    parse_to_ast(text, &CollectOptions::default(), &options)
        .map(|parsed| parsed.value)
        .map_err(|error| Refusal {
            line: error.line_display(),
            column: error.column_display(),
            what: error.kind().to_string(),
        })
}

/// A refusal of what stands at a place of the text.
pub(super) fn refuse(text: &str, at: usize, what: impl Into<String>) -> Refusal {
    let before = &text[..at.min(text.len())];
    let line = before.rsplit('\n').next().unwrap_or("");
    Refusal {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        what: what.into(),
    }
}

/// An object or a list: what is in it.
pub(super) struct Container {
    range: Range,
    children: Vec<Range>,
}

impl From<&Object<'_>> for Container {
    fn from(object: &Object<'_>) -> Self {
        Self {
            range: object.range(),
            children: object.properties.iter().map(Ranged::range).collect(),
        }
    }
}

impl From<&Array<'_>> for Container {
    fn from(array: &Array<'_>) -> Self {
        Self {
            range: array.range(),
            children: array.elements.iter().map(Ranged::range).collect(),
        }
    }
}

/// How a text is laid out.
pub(super) struct Layout {
    unit: String,
    newline: &'static str,
}

impl Layout {
    /// That of a text whose value is this object.
    pub(super) fn of(text: &str, root: Option<&Object<'_>>) -> Self {
        let first = root.and_then(|root| root.properties.first());
        let unit = first.and_then(|first| own_line(text, first.start()));
        let newline = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        Self {
            unit: unit.filter(|unit| !unit.is_empty()).unwrap_or("  ").into(),
            newline,
        }
    }

    /// A list or an object of these, one a line, below lines that are indented so.
    pub(super) fn lines(
        &self,
        [open, close]: [char; 2],
        items: impl IntoIterator<Item = String>,
        indent: &str,
    ) -> String {
        let newline = self.newline;
        let unit = &self.unit;
        let items: Vec<String> = items
            .into_iter()
            .map(|item| format!("{newline}{indent}{unit}{item}"))
            .collect();
        format!("{open}{}{newline}{indent}{close}", items.join(","))
    }

    /// The indentation of what is in something that is indented so.
    pub(super) fn deeper(&self, indent: &str) -> String {
        format!("{indent}{}", self.unit)
    }

    pub(super) fn newline(&self) -> &'static str {
        self.newline
    }

    /// Puts something into a container, behind what is there. `render` gives its text, for the indentation of its line.
    pub(super) fn put(
        &self,
        text: &mut String,
        container: &Container,
        is_root: bool,
        render: impl Fn(&str) -> String,
    ) {
        let Range { start, end } = container.range;
        let outer = indent(text, start).to_string();
        let inner = self.deeper(&outer);
        let newline = self.newline;
        let Some(last) = container.children.last() else {
            // The sign that the container was there before; an empty root needs none, it is known from elsewhere.
            let made = if is_root {
                format!("{newline}{inner}{}{newline}{outer}", render(&inner))
            } else {
                render(&outer)
            };
            text.insert_str(start + 1, &made);
            return;
        };
        let inner = own_line(text, last.start).map_or(inner, Into::into);
        let comma = comma(text, last.end, end - 1);
        let behind = comma.map_or(last.end, |comma| comma + 1);
        let behind = behind + note(&text[behind..end - 1]);
        // Where a comma stands behind the last one, it does behind this one.
        let after = if comma.is_some() { "," } else { "" };
        text.insert_str(
            behind,
            &format!("{newline}{inner}{}{after}", render(&inner)),
        );
        if comma.is_none() {
            text.insert(last.end, ',');
        }
    }
}

/// Takes the child of a container out, which is the last of `ways` by its number, and what was made for it. Each of
/// `ways` is inside the one before it.
pub(super) fn take(text: &mut String, ways: &[(Container, usize)]) {
    let Some(((container, at), above)) = ways.split_last() else {
        return;
    };
    let Range { start, end } = container.range;
    let child = container.children[*at];
    let blank = start + 1 + text[start + 1..child.start].trim_end().len();
    let next = comma(text, child.end, end - 1);
    let previous = at.checked_sub(1).map(|at| container.children[at].end);
    let alone = next.is_none() && previous.is_none();
    if alone && blank < child.start && !above.is_empty() {
        let rest = [&text[start + 1..blank], &text[child.end..end - 1]];
        if rest.iter().all(|rest| rest.trim().is_empty()) {
            return take(text, above);
        }
    }
    let before = previous.and_then(|previous| comma(text, previous, child.start));
    // From behind, so that places stay what they are.
    if let Some(comma) = next {
        text.remove(comma);
    }
    text.replace_range(blank..child.end, "");
    if let (None, Some(comma)) = (next, before) {
        text.remove(comma);
    }
}

/// The indentation of the line that a place is on.
fn indent(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let rest = &text[line..];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
}

/// The indentation of what stands at a place, if nothing else stands before it on its line.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')? + 1;
    let before = &text[line..at];
    before
        .trim_matches([' ', '\t'])
        .is_empty()
        .then_some(before)
}

/// Where the comma is between two places with nothing but blanks and comments.
fn comma(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    while at < to {
        let rest = &text[at..to];
        at += match rest.chars().next()? {
            ',' => return Some(at),
            '/' => comment(rest),
            c => c.len_utf8(),
        };
    }
    None
}

/// The length of the comment that a text starts with, without the end of its line.
fn comment(text: &str) -> usize {
    let end = if text.starts_with("/*") {
        text.find("*/").map(|end| end + 2)
    } else {
        text.find(['\r', '\n'])
    };
    end.unwrap_or(text.len())
}

/// The length of blanks and comments up to the end of the last comment on this line.
fn note(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let behind = &rest[blanks..];
        if !behind.starts_with("//") && !behind.starts_with("/*") {
            return end;
        }
        let length = comment(behind);
        if behind[..length].contains('\n') {
            return end;
        }
        end += blanks + length;
    }
}
