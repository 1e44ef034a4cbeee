//! The scripts of `plugin/doc/recipes.md` print what it says.

use std::path::Path;

use pretty_assertions::assert_eq;

use crate::support::{Server, helpers, say};

#[test]
fn every_recipe_prints_what_it_says() {
    all_print_what_they_say(Path::new("/bin/sh"));
}

/// zsh splits no unquoted variable into words.
#[test]
fn every_recipe_works_in_zsh_too() {
    match which::which("zsh") {
        Ok(zsh) => all_print_what_they_say(&zsh),
        Err(_) => say("left out: there is no zsh"),
    }
}

fn all_print_what_they_say(shell: &Path) {
    let page = include_str!("../../plugin/doc/recipes.md");
    let mut blocks = page.split("```").skip(1).step_by(2);
    let mut recipes = 0;
    while let (Some(script), Some(says)) = (blocks.next(), blocks.next()) {
        let script = script.strip_prefix("sh\n").expect("a script");
        let says = says.strip_prefix("text\n").expect("what it prints");
        recipes += 1;
        let server = Server::start();
        std::fs::write(server.path("recipe"), script).expect("a file");
        let pid = server.tmux(["display-message", "-p", "#{pid}"]);
        // The tmux of the server, whichever that is.
        let path = std::env::var("PATH").expect("a PATH");
        let path = format!("{}:{path}", helpers().display());
        let said = server
            .call(shell)
            .args(["-eu", "recipe"])
            .folder(server.folder())
            .env("PATH", path)
            .env(
                "TMUX",
                format!("{},{},0", server.path("s").display(), pid.trim_end()),
            )
            .ok();
        // How long something took is another matter.
        let timeless = |text: &str| {
            ["1s <", "2s <", "3s <"]
                .iter()
                .fold(text.to_string(), |text, time| text.replace(time, "0s <"))
        };
        assert_eq!(timeless(said.text()), says, "{script}");
    }
    assert_eq!(recipes, 5);
}
