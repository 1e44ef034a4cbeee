//! The picker for a client without UTF-8, to which tmux shows any other character than ASCII as `_`.

use ratatui::buffer::Buffer;

/// The signs that the picker draws, and those that programs draw in the preview, with what is shown in their place.
const SIGNS: [(&str, &[&str]); 9] = [
    ("-", &["─", "━", "═", "·", "•"]),
    ("|", &["│", "┃", "║", "▌", "▎"]),
    (
        "+",
        &[
            "┌", "┐", "└", "┘", "├", "┤", "┬", "┴", "┼", "╭", "╮", "╯", "╰",
        ],
    ),
    (">", &["›", "❯", "→"]),
    (".", &["…"]),
    ("*", &["✓", "●", "✻", "⏺"]),
    ("$", &["⏎"]),
    ("!", &["◆", "⚠"]),
    ("o", &["○", "◌"]),
];

/// Replaces these signs in what was drawn. All of them are one column wide, and so is what replaces them.
pub(super) fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().is_ascii() {
            continue;
        }
        let found = SIGNS
            .iter()
            .find(|(_, signs)| signs.contains(&cell.symbol()));
        if let Some((ascii, _)) = found {
            cell.set_symbol(ascii);
        }
    }
}
