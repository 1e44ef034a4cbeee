//! Generated names for seshes: short, and easy to read aloud and to type.

use crate::id::{Name, SeshId};

const FIRST: [&str; 32] = [
    "amber", "bold", "brisk", "calm", "clear", "coral", "crisp", "early", "fair", "fleet", "fond",
    "fresh", "glad", "green", "happy", "jolly", "keen", "kind", "late", "light", "lucky", "mild",
    "neat", "plain", "proud", "quick", "quiet", "rapid", "sharp", "swift", "warm", "wise",
];

const SECOND: [&str; 64] = [
    "ant", "bat", "bear", "bee", "bird", "boar", "carp", "cat", "clam", "cod", "colt", "cow",
    "crab", "crane", "crow", "deer", "dove", "duck", "eel", "elk", "emu", "finch", "fox", "frog",
    "gnu", "goat", "goose", "gull", "hare", "hawk", "hen", "heron", "ibis", "jay", "kite", "koi",
    "lark", "lion", "lynx", "mole", "moth", "mouse", "newt", "otter", "owl", "pike", "pony", "pug",
    "puma", "quail", "ram", "raven", "robin", "seal", "shrew", "skunk", "swan", "tern", "toad",
    "trout", "wasp", "wolf", "wren", "yak",
];

/// Returns the name that follows from an identity. `again` is the number of names that were tried before. They add a
/// number to the name, since there are few words.
pub(crate) fn name(id: SeshId, again: usize) -> Name {
    let bytes = id.bytes();
    let pick = |words: &[&'static str], at: usize| words[usize::from(bytes[at]) % words.len()];
    let mut name = format!("{}-{}", pick(&FIRST, 0), pick(&SECOND, 1));
    if again > 0 {
        name.push_str(&format!("-{}", again + 1));
    }
    name.parse()
        .expect("words and a number are a name: the test tries them all")
}

/// Returns a name for an agent that is adopted: its kind and the last part of its folder, as in `claude-api-2`. `again`
/// is the number of names that were tried before.
pub(crate) fn name_of_agent(id: SeshId, kind: &str, folder: &str, again: usize) -> Name {
    /// The maximum number of characters of the folder. Longer names are hard to type.
    const MAX_FOLDER: usize = 24;
    let last = folder.rsplit('/').next().unwrap_or("");
    let last: String = last.chars().take(MAX_FOLDER).collect();
    let number = (again > 0).then(|| (again + 1).to_string());
    // A user's manifest may define a kind with a `:` in its name, and a generated name contains none.
    let kind = kind.replace(':', "-");
    let words: Vec<&str> = [kind.as_str()]
        .into_iter()
        .chain(last.split(|c: char| !c.is_alphanumeric()))
        .chain(number.as_deref())
        .filter(|word| !word.is_empty())
        .collect();
    words.join("-").parse().unwrap_or_else(|_| name(id, again))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::{assert_eq, assert_ne};

    use super::*;

    #[test]
    fn every_combination_is_a_name() {
        for first in FIRST {
            for second in SECOND {
                assert!(format!("{first}-{second}-99").parse::<Name>().is_ok());
            }
        }
    }

    #[test]
    fn an_agent_is_named_after_its_folder() {
        let cases = [
            ("/home/a/api", 0, "claude-api"),
            ("/home/a/api", 1, "claude-api-2"),
            ("/home/a/#(touch x); \n", 0, "claude-touch-x"),
            ("/", 0, "claude"),
            ("/größe", 0, "claude-größe"),
            ("", 2, "claude-3"),
        ];
        for (folder, again, name) in cases {
            let made = name_of_agent(SeshId::random(), "claude", folder, again);
            assert_eq!(made.as_str(), name, "{folder:?}");
        }
    }

    #[test]
    fn a_generated_name_holds_no_colon() {
        let made = name_of_agent(SeshId::random(), "my:kind", "/home/a:b", 0);
        assert_eq!(made.as_str(), "my-kind-a-b");
    }

    #[test]
    fn another_try_gives_another_name() {
        let id = SeshId::random();
        assert_ne!(name(id, 0), name(id, 1));
    }
}
