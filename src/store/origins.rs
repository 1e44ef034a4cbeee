//! From where clients were taken to a pane, so that they can go back when it closes.

use super::schema;
use crate::id::PaneId;

/// A place that a client showed: a session and a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) session: String,
    pub(crate) pane: String,
}

/// The places from which clients were taken to one pane, by the name of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins(Vec<(String, Origin)>);

impl Origins {
    /// Returns the format that expands to the stored value of a pane.
    #[must_use]
    pub(crate) fn format(pane: PaneId) -> String {
        format!("#{{{}}}", schema::origins(pane))
    }

    /// Parses a stored value. Malformed words are left out.
    #[must_use]
    pub(crate) fn read(text: &str) -> Self {
        let origin = |word: &str| {
            let (client, place) = word.rsplit_once('=')?;
            let (session, pane) = place.split_once(':')?;
            let origin = Origin {
                session: session.into(),
                pane: pane.into(),
            };
            Some((client.into(), origin))
        };
        Self(text.split(' ').filter_map(origin).collect())
    }

    /// Returns the value to store.
    #[must_use]
    pub(crate) fn value(&self) -> String {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(client, origin)| format!("{client}={}:{}", origin.session, origin.pane))
            .collect();
        words.join(" ")
    }

    /// Returns the origins with the origin of a client, which replaces an earlier one of the same client.
    #[must_use]
    pub(crate) fn with(mut self, client: &str, session: &str, pane: &str) -> Self {
        self.0.retain(|(name, _)| name != client);
        // The value has a space between its words.
        if !client.contains(' ') {
            let origin = Origin {
                session: session.into(),
                pane: pane.into(),
            };
            self.0.push((client.into(), origin));
        }
        self
    }

    /// Returns the origin of a client.
    #[must_use]
    pub(crate) fn of(&self, client: &str) -> Option<&Origin> {
        let own = self.0.iter().find(|(name, _)| name == client);
        own.map(|(_, origin)| origin)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_last_origin_of_a_client_counts() {
        let origins = Origins::read("/dev/pts/1=$0:%1 rubbish a=b=$2:%7")
            .with("/dev/pts/1", "$3", "%4")
            .with("a b", "$0", "%0");
        assert_eq!(origins.value(), "a=b=$2:%7 /dev/pts/1=$3:%4");
        let pane = |client| origins.of(client).map(|origin| origin.pane.as_str());
        assert_eq!(
            (pane("a=b"), pane("/dev/pts/1"), pane("c")),
            (Some("%7"), Some("%4"), None)
        );
    }
}
