use super::recognise::Living;
use super::state::Session;
pub struct Own {
    pub conversation: Option<String>,
    pub session: Option<Session>,
}
pub fn read(l: &Living<'_>, v: impl Fn(&str) -> Option<std::ffi::OsString>) -> Own {
    Own {
        conversation: super::conversation::id(l, v),
        session: None,
    }
}
