pub struct Screen;
impl Screen {
    pub fn parse(_: &str) -> Self {
        Self
    }
}
