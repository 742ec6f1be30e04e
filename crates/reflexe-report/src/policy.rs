//! What a page may do: nothing but show itself. Its one style sheet is allowed by its SHA-256, so that no style of another hand,
//! sheet or attribute, is ever applied.
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Stands in `base.html` where the digest goes.
const PLACE: &str = "STYLE-SHEET-DIGEST";

/// Writes the digest of the page's style sheet into its policy.
pub(crate) fn sealed(page: &str) -> String {
    // The head holds escaped text only before the sheet, so that the first `<style>` is the template's own.
    let sheet = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(sheet, _)| sheet);
    page.replacen(PLACE, &format!("sha256-{}", base64(&Sha256::digest(sheet.as_bytes()))), 1)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for part in bytes.chunks(3) {
        let word = (0..3).fold(0usize, |word, i| (word << 8) | usize::from(part.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = if i <= part.len() { char::from(DIGITS[(word >> (18 - 6 * i)) & 63]) } else { '=' };
            let _ = out.write_char(digit); // a string takes everything
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        let page = sealed("<meta content=\"style-src 'STYLE-SHEET-DIGEST'\"><style>abc</style><p>STYLE-SHEET-DIGEST");
        assert!(page.starts_with("<meta content=\"style-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='\">"), "{page}");
        assert!(page.ends_with("<p>STYLE-SHEET-DIGEST"), "what evidence says is left as it is");
    }
}
