//! How likely the work on two items is to conflict.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::glob::{matches, meet};

/// How likely a conflict is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// No common path.
    #[default]
    None,
    /// Only files in common that many changes touch, and that a tool writes.
    Low,
    /// A common file.
    Medium,
    /// The changes conflict, or the registry says so.
    High,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Risk::None => "none",
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        })
    }
}

/// The globs of files that many changes touch: lock files, generated files, and declarations of types.
const SHARED: [&str; 16] = [
    "**/*.lock",
    "**/*.lockb",
    "**/package-lock.json",
    "**/npm-shrinkwrap.json",
    "**/pnpm-lock.yaml",
    "**/go.sum",
    "**/*.lockfile",
    "**/Package.resolved",
    "**/generated/**",
    "**/__generated__/**",
    "**/*.generated.*",
    "**/*.gen.*",
    "**/*_pb2.py",
    "**/*.pb.go",
    "**/*.snap",
    "**/*.d.ts",
];

/// Returns whether many changes touch this file.
#[must_use]
pub fn is_shared(path: &str) -> bool {
    // A declared path may be a glob. It means other files too, unless it is exactly one of the shared ones.
    let is_glob = path.contains(['*', '?']);
    let mut all = SHARED.iter();
    all.any(|shared| *shared == path || (!is_glob && matches(shared, path)))
}

/// Returns the risk of two sets of declared paths, which may be globs, with the first paths of either that the other one
/// has in common.
#[must_use]
pub fn of_paths(one: &[String], other: &[String]) -> (Risk, Vec<String>) {
    let mut risk = Risk::None;
    let mut common = Vec::new();
    for path in one {
        for theirs in other.iter().filter(|theirs| meet(path, theirs)) {
            let shared = is_shared(path) || is_shared(theirs);
            risk = risk.max(if shared { Risk::Low } else { Risk::Medium });
            // The one that says more.
            let shown = if path.contains('*') { theirs } else { path };
            if !common.contains(shown) {
                common.push(shown.clone());
            }
        }
    }
    (risk, common)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_risk_of_declared_paths() {
        let paths =
            |text: &str| -> Vec<String> { text.split_whitespace().map(Into::into).collect() };
        for (one, other, risk) in [
            ("src/a.rs", "src/b.rs", Risk::None),
            ("", "src/b.rs", Risk::None),
            ("src/a.rs Cargo.lock", "src/b.rs Cargo.lock", Risk::Low),
            ("api/types.d.ts", "api/*", Risk::Low),
            ("src/a.rs Cargo.lock", "src Cargo.lock", Risk::Medium),
            ("**", "docs/x.md", Risk::Medium),
        ] {
            assert_eq!(
                of_paths(&paths(one), &paths(other)).0,
                risk,
                "{one} {other}"
            );
            assert_eq!(
                of_paths(&paths(other), &paths(one)).0,
                risk,
                "{one} {other}"
            );
        }
        let common = of_paths(&paths("src/*.rs x"), &paths("src/a.rs y")).1;
        assert_eq!(common, ["src/a.rs"]);
    }
}
