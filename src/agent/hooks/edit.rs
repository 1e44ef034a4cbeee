//! Inserts something into a JSON text and removes it again, and leaves every other byte as it is: comments,
//! indentation, line ends, trailing commas.
//!
//! An insertion follows what is already there. A removal recognizes from the surrounding text what the insertion added:
//! the comma, the blanks before it, and the lists and objects that were created for it. A container that existed before
//! and was empty is recognized because an insertion into it adds no blank.

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// What is wrong with a text, and where. `line` and `column` count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

/// Parses the value in a text. Returns `None` if the text holds only blanks and comments.
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

/// Returns a refusal that points to a byte offset of the text.
pub(super) fn refusal_at(text: &str, at: usize, what: impl Into<String>) -> Refusal {
    let before = &text[..at.min(text.len())];
    let line = before.rsplit('\n').next().unwrap_or("");
    Refusal {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        what: what.into(),
    }
}

/// The ranges of an object or a list and of its children.
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

/// The indentation and the line ends of a text.
pub(super) struct Layout {
    unit: String,
    newline: &'static str,
}

impl Layout {
    /// Returns the layout of a text whose value is this object.
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

    /// Returns a list or an object with one item per line, for a line with this indentation.
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

    /// Returns the indentation one level below `indent`.
    pub(super) fn deeper(&self, indent: &str) -> String {
        format!("{indent}{}", self.unit)
    }

    pub(super) fn newline(&self) -> &'static str {
        self.newline
    }

    /// Inserts an item into a container, after its last child. `render` returns the item's text for the indentation of
    /// its line.
    pub(super) fn insert(
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
            // Without a blank, the container counts as one that existed before. The root needs no such sign, because
            // the caller knows whether the file existed.
            let inserted = if is_root {
                format!("{newline}{inner}{}{newline}{outer}", render(&inner))
            } else {
                render(&outer)
            };
            text.insert_str(start + 1, &inserted);
            return;
        };
        let inner = own_line(text, last.start).map_or(inner, Into::into);
        let comma = find_comma(text, last.end, end - 1);
        let behind = comma.map_or(last.end, |comma| comma + 1);
        let behind = behind + comments_length(&text[behind..end - 1]);
        // If a comma follows the last child, a comma follows the new one too.
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

/// Removes a child, and the containers that were created for it. The last entry of `path` is the child's container with
/// the child's index; each entry is inside the one before it.
pub(super) fn remove_child(text: &mut String, path: &[(Container, usize)]) {
    let Some(((container, at), above)) = path.split_last() else {
        return;
    };
    let Range { start, end } = container.range;
    let child = container.children[*at];
    let blank = start + 1 + text[start + 1..child.start].trim_end().len();
    let next = find_comma(text, child.end, end - 1);
    let previous = at.checked_sub(1).map(|at| container.children[at].end);
    let alone = next.is_none() && previous.is_none();
    if alone && blank < child.start && !above.is_empty() {
        let rest = [&text[start + 1..blank], &text[child.end..end - 1]];
        if rest.iter().all(|rest| rest.trim().is_empty()) {
            return remove_child(text, above);
        }
    }
    let before = previous.and_then(|previous| find_comma(text, previous, child.start));
    // The removals run from the end to the start, so that the offsets stay valid.
    if let Some(comma) = next {
        text.remove(comma);
    }
    text.replace_range(blank..child.end, "");
    if let (None, Some(comma)) = (next, before) {
        text.remove(comma);
    }
}

/// Returns the indentation of the line that holds an offset.
fn indent(text: &str, at: usize) -> &str {
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let rest = &text[line..];
    &rest[..rest.len() - rest.trim_start_matches([' ', '\t']).len()]
}

/// Returns the indentation before an offset, if nothing else precedes it on its line.
fn own_line(text: &str, at: usize) -> Option<&str> {
    let line = text[..at].rfind('\n')? + 1;
    let before = &text[line..at];
    before
        .trim_matches([' ', '\t'])
        .is_empty()
        .then_some(before)
}

/// Returns the offset of the comma between two offsets that have only blanks and comments between them.
fn find_comma(text: &str, from: usize, to: usize) -> Option<usize> {
    let mut at = from;
    while at < to {
        let rest = &text[at..to];
        at += match rest.chars().next()? {
            ',' => return Some(at),
            '/' => comment_length(rest),
            c => c.len_utf8(),
        };
    }
    None
}

/// Returns the length of the comment at the start of a text, without the end of its line.
fn comment_length(text: &str) -> usize {
    let end = if text.starts_with("/*") {
        text.find("*/").map(|end| end + 2)
    } else {
        text.find(['\r', '\n'])
    };
    end.unwrap_or(text.len())
}

/// Returns the length of the blanks and comments up to the end of the last comment on this line.
fn comments_length(text: &str) -> usize {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let behind = &rest[blanks..];
        if !behind.starts_with("//") && !behind.starts_with("/*") {
            return end;
        }
        let length = comment_length(behind);
        if behind[..length].contains('\n') {
            return end;
        }
        end += blanks + length;
    }
}
