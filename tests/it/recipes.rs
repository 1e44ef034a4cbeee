//! The scripts of `plugin/doc/recipes.md` and of the skill print what those say.

use std::path::Path;

use pretty_assertions::assert_eq;

use crate::support::{Server, helpers, say};

const RECIPES: &str = include_str!("../../plugin/doc/recipes.md");
const SKILL: &str = include_str!("../../plugin/skill/SKILL.md");

#[test]
fn every_recipe_prints_what_it_says() {
    assert_eq!(run_all(Path::new("/bin/sh"), RECIPES), 5);
}

#[test]
fn every_recipe_works_in_bash_too() {
    in_shell("bash", RECIPES);
}

/// zsh splits no unquoted variable into words.
#[test]
fn every_recipe_works_in_zsh_too() {
    in_shell("zsh", RECIPES);
}

#[test]
fn every_example_of_the_skill_prints_what_it_says() {
    assert_eq!(run_all(Path::new("/bin/sh"), SKILL), 4);
}

#[test]
fn every_example_of_the_skill_works_in_bash_and_zsh_too() {
    in_shell("bash", SKILL);
    in_shell("zsh", SKILL);
}

fn in_shell(shell: &str, page: &str) {
    match which::which(shell) {
        Ok(shell) => drop(run_all(&shell, page)),
        Err(_) => say(&format!("left out: there is no {shell}")),
    }
}

/// Runs the scripts of a page, each on a server of its own, and returns their number.
fn run_all(shell: &Path, page: &str) -> usize {
    let mut blocks = page.split("```").skip(1).step_by(2);
    let mut scripts = 0;
    while let (Some(script), Some(says)) = (blocks.next(), blocks.next()) {
        let script = script.strip_prefix("sh\n").expect("a script");
        let says = says.strip_prefix("text\n").expect("what it prints");
        scripts += 1;
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
    scripts
}
