//! The one form in which JSON leaves the program: hidden characters of the evidence stand in it as escapes, so that a terminal
//! or an editor that shows it obeys none of them. Whoever parses it gets every character back.
use reflexe_fiche::say;
use serde::Serialize;

/// A document, over several lines, ended by one.
///
/// # Errors
/// When a value has no form in JSON.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(say::json(&serde_json::to_string_pretty(value)?) + "\n")
}

/// A document on one line, ended by it.
///
/// # Errors
/// When a value has no form in JSON.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(say::json(&serde_json::to_string(value)?) + "\n")
}
