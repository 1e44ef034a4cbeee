//! `picture`: a screen as `tmux capture-pane -e -p` writes it, from stdin, as an SVG picture to stdout. For `bin/pictures`.

use std::io::{Read, Write};

use anstyle_svg::{Term, WIN10_CONSOLE};

fn main() -> std::io::Result<()> {
    let mut screen = String::new();
    std::io::stdin().read_to_string(&mut screen)?;
    let term = Term::new().palette(WIN10_CONSOLE);
    std::io::stdout().write_all(term.render_svg(screen.trim_end_matches('\n')).as_bytes())
}
