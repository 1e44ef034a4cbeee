//! Presses the keys that interrupt an agent, with a pause between two of them.

use std::slice;
use std::time::Duration;

use crate::error::Result;

/// The time between two keys. Two Escapes at once are Alt and Escape for opencode 1.18.33.
const BETWEEN_KEYS: Duration = Duration::from_millis(300);

/// Presses one key after the other while the agent is busy. `press` presses a key and returns whether it did; the rest is
/// left out if it did not. Returns whether all that were needed were pressed.
///
/// # Errors
/// Those of `press` and `is_busy`.
pub fn press_each(
    keys: &[String],
    mut is_busy: impl FnMut() -> Result<bool>,
    mut press: impl FnMut(&[String]) -> Result<bool>,
) -> Result<bool> {
    for (at, key) in keys.iter().enumerate() {
        if at > 0 {
            std::thread::sleep(BETWEEN_KEYS); // why: see BETWEEN_KEYS.
            if !is_busy()? {
                break;
            }
        }
        if !press(slice::from_ref(key))? {
            return Ok(false);
        }
    }
    Ok(true)
}
