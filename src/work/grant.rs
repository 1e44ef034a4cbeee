//! The identity of a grant.

use serde::{Deserialize, Serialize};

/// The identity of one grant: of one claim of one sesh on one item. A new grant is made when an item is claimed or taken
/// over, so that a former holder never has the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrantId(uuid::Uuid);

impl GrantId {
    /// Returns a new grant.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl std::fmt::Display for GrantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
