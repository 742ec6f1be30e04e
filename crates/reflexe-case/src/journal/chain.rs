//! How an entry is hashed and signed. Whoever wants to check a journal without reflexe needs this page only.
//!
//! - canonical form: JSON after RFC 8785, its texts in Unicode NFC, so that an entry that went through a system which
//!   composes letters otherwise still proves itself;
//! - `body_hash` = SHA-256(salt ‖ canonical content), the salt being 32 random bytes that a redaction destroys with the content;
//! - `hash` = SHA-256("reflexe-entry-v1" ‖ canonical header); the header names `body_hash`, the entry before, and the
//!   heads of the other chains;
//! - `signature` = Ed25519 over the 32 bytes of `hash`, by the key that the header names as `writer`.
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use reflexe_model::{Content, Entry, Header};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

/// What stands before the header in the hash: tells an entry of this version from anything else that is hashed.
pub const DOMAIN: &str = "reflexe-entry-v1";

/// The canonical form of a value.
///
/// # Errors
/// When it is no JSON (a map with keys that are no text, a number that is not finite).
pub fn canonical<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let value = composed(serde_json::to_value(value)?);
    serde_json_canonicalizer::to_string(&value)
}

fn composed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.nfc().collect()),
        Value::Array(list) => Value::Array(list.into_iter().map(composed).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(k, v)| (k.nfc().collect(), composed(v))).collect()),
        other => other,
    }
}

/// Hash of a header, lower-case hexadecimal.
///
/// # Errors
/// As [`canonical`].
pub fn entry_hash(header: &Header) -> Result<String, serde_json::Error> {
    let mut hasher = Sha256::new();
    hasher.update(DOMAIN);
    hasher.update(canonical(header)?);
    Ok(hex(&hasher.finalize()))
}

/// Hash of a content with its salt, lower-case hexadecimal.
///
/// # Errors
/// As [`canonical`].
pub fn body_hash(salt: &[u8], content: &Content) -> Result<String, serde_json::Error> {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(canonical(content)?);
    Ok(hex(&hasher.finalize()))
}

/// Signs a hash, given in hexadecimal; `None` if it is none.
pub fn sign(key: &SigningKey, hash: &str) -> Option<String> {
    Some(hex(&key.sign(&unhex(hash)?).to_bytes()))
}

/// Whether the signature of an entry is its writer's over its hash.
pub fn is_signed(entry: &Entry) -> bool {
    verifies(&entry.header.writer, &entry.hash, &entry.signature)
}

/// Whether a signature over a hash is that of a key; all three in hexadecimal.
pub fn verifies(key: &str, hash: &str, signature: &str) -> bool {
    let parts = || -> Option<bool> {
        let key: [u8; 32] = unhex(key)?.try_into().ok()?;
        let signature: [u8; 64] = unhex(signature)?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&key).ok()?;
        Some(key.verify_strict(&unhex(hash)?, &Signature::from_bytes(&signature)).is_ok())
    };
    parts().unwrap_or(false)
}

/// Whether the hash of an entry is that of its header.
pub fn is_hashed(entry: &Entry) -> bool {
    entry_hash(&entry.header).is_ok_and(|hash| hash == entry.hash)
}

/// Whether content and salt of an entry are those that its header names; `None` if they are gone.
pub fn body_holds(entry: &Entry) -> Option<bool> {
    match (&entry.salt, &entry.content) {
        (None, None) => None,
        (Some(salt), Some(content)) => {
            Some(unhex(salt).is_some_and(|salt| body_hash(&salt, content).is_ok_and(|h| h == entry.header.body_hash)))
        }
        _ => Some(false),
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of lower-case hexadecimal; `None` if it is none (one value has one writing).
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_rfc_8785_with_composed_texts() {
        let value = serde_json::json!({"b": 1.0, "a": "e\u{301}\u{20ac}\n", "\u{1f600}": [1e21, null], "\u{ffff}": true});
        assert_eq!(canonical(&value).unwrap(), "{\"a\":\"é€\\n\",\"b\":1,\"\u{1f600}\":[1e+21,null],\"\u{ffff}\":true}");
    }

    #[test]
    fn hexadecimal_has_one_writing() {
        assert_eq!(unhex("00ff").unwrap(), [0, 255]);
        assert_eq!(hex(&[0, 255]), "00ff");
        assert!(unhex("00FF").is_none() && unhex("0").is_none() && unhex("zz").is_none());
    }
}
