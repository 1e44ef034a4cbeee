//! A table of texts that terminals, composers and agents treat in a special way. Each is delivered with proof, exactly
//! once and as it is, or refused before anything is typed.

/// Returns the texts with their names.
pub(super) fn all() -> Vec<(&'static str, String)> {
    let text = |text: &str| text.to_string();
    vec![
        ("ordinary", text("please look at the first file and report")),
        ("one letter", text("x")),
        ("paragraph of 300", paragraph(300)),
        ("paragraph of 420", paragraph(420)),
        ("paragraph of 560", paragraph(560)),
        ("paragraph of 700", paragraph(700)),
        ("paragraph of 780", paragraph(780)),
        ("paragraph of 900", paragraph(900)),
        ("one long word", "w0rd".repeat(110)),
        ("10 kB in one line", paragraph(10_000)),
        (
            "10 kB in lines",
            lines("line of a longer report, number", 290),
        ),
        ("two lines", text("the first line\nand the second one")),
        ("three lines", text("the first line\n\nafter an empty one")),
        ("twelve lines", lines("row", 12)),
        (
            "quoted lines",
            text("he wrote:\n> remove it\n> or keep it\nwhat now"),
        ),
        (
            "drawn line",
            text("above\n────────────────────────────────\nbelow"),
        ),
        (
            "whole composer",
            text("before\n────────────────────\n❯ \n────────────────────\n  ? for shortcuts"),
        ),
        (
            "scrolled edge",
            text("it shows ─── ↑ 5 more ─────────── at the top"),
        ),
        (
            "half blocks",
            text("▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄\n > mock\n▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀"),
        ),
        ("thick edge", text("┃ one\n┃ two\n╹▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀")),
        ("prompt mark first", text("❯ is what it shows")),
        ("prompt mark alone last", text("the last line is a mark\n›")),
        (
            "exclamation mark alone last",
            text("the last line is a mark\n!"),
        ),
        ("marks on lines", text("› one\n❯ two\n> three\n! four")),
        ("command mark first", text("!important: read this")),
        ("heading", text("# A heading\n\n- a point\n- another point")),
        ("file mark last", text("please read @nothing")),
        ("path first", text("/tmp/some/path is where it is")),
        (
            "question of a prompt",
            text("Do you want to proceed?\n❯ 1. Yes\n  2. No\n\nEsc to cancel"),
        ),
        ("busy row", text("• Working (3s • esc to interrupt)")),
        ("skin tones", text("looks good 👍🏽 and 👋🏿 go on")),
        ("joined family", text("the 👩‍👩‍👧‍👦 plan and 🏳️‍🌈 and 👩🏽‍💻")),
        ("new emoji", text("thanks 🩷 a lot 🫩 and 🪾 and 🇩🇪 and 1️⃣")),
        (
            "decomposed accents",
            text("open cafe\u{301}.txt and A\u{30a}ngstro\u{308}m now"),
        ),
        (
            "stacked marks",
            text("a\u{301}\u{323} and q\u{307}\u{323} and Z\u{351}\u{36b} here"),
        ),
        (
            "decomposed Hangul",
            text("open \u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.txt now"),
        ),
        (
            "Chinese and Japanese",
            text(
                "请检查这个项目里的所有文件，然后告诉我哪些测试失败了。日本語のテキストもここにあります。全部で四行くらいの長さになるはずです、たぶん。",
            ),
        ),
        ("right to left", text("שלום עולם و السلام عليكم and back")),
        ("tabs", text("a\tb\tc\n\tindented by a tab")),
        ("trailing backslash", text("it ends with \\")),
        (
            "trailing blanks",
            text("first line with blanks   \nlast line with blanks   "),
        ),
        (
            "code block",
            text("```rust\nfn main() {\n    println!(\"{}\", 1 + 1);\n}\n```\nexplain this"),
        ),
        (
            "shell signs",
            text("'\"`$(touch y)` #{pane_id} & | > ~/ :; %1 \\n {} [] !! ;"),
        ),
    ]
}

/// Returns one line of about so many characters in words.
fn paragraph(length: usize) -> String {
    let words = (1000..).map(|number| number.to_string());
    let words: Vec<String> = words.take(length.saturating_sub(4) / 5).collect();
    format!("say {}", words.join(" "))
}

fn lines(text: &str, count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|at| format!("{text} {at}")).collect();
    rows.join("\n")
}
