//! How Exchange names somebody: by address, object id, security identifier, legacy name, path or alias. One form for all that can be
//! brought to one, so that a person is found under whatever name a record gives.

/// The name in its shortest form, lower case: the object id behind a security identifier of the cloud, the alias behind a legacy name,
/// the last part of a path, the address behind its kind. What has no such form stays as it is.
pub(crate) fn exchange_name(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('"').trim();
    let lower = text.to_lowercase();
    let named = if let Some(id) = lower.strip_prefix("s-1-12-1-").and_then(object_id) {
        id
    } else if lower.starts_with("/o=") || lower.starts_with("ex:/o=") {
        legacy(lower.rsplit("/cn=").next().unwrap_or_default()).to_owned()
    } else {
        let kind = ["smtp:", "sip:", "ex:"].iter().find_map(|k| lower.strip_prefix(k)).unwrap_or(&lower);
        kind.rsplit('/').next().unwrap_or_default().trim().to_owned()
    };
    (!named.is_empty()).then_some(named)
}

/// The object id of which a cloud account's security identifier is made: its four numbers are the id's sixteen bytes.
fn object_id(numbers: &str) -> Option<String> {
    let parts: Vec<u32> = numbers.split('-').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d] = parts[..] else { return None };
    let ([e, f, g, h], [i, j, k, l]) = (c.to_le_bytes(), d.to_le_bytes());
    Some(format!("{a:08x}-{:04x}-{:04x}-{e:02x}{f:02x}-{g:02x}{h:02x}{i:02x}{j:02x}{k:02x}{l:02x}", b & 0xffff, b >> 16))
}

/// The alias in the last part of a legacy name: `<32 hexadecimal digits>-alias`, else the whole part.
fn legacy(part: &str) -> &str {
    match part.split_once('-') {
        Some((digits, alias)) if digits.len() == 32 && digits.bytes().all(|c| c.is_ascii_hexdigit()) && !alias.is_empty() => {
            alias
        }
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_every_name() {
        for (text, want) in [
            ("SMTP:Ann@Example.com", "ann@example.com"),
            ("EURP01.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/x.onmicrosoft.com/ann", "ann"),
            ("/o=ExchangeLabs/ou=Exchange Administrative Group (X)/cn=Recipients/cn=0123456789abcdef0123456789abcdef-ann", "ann"),
            ("/o=ExchangeLabs/ou=First/cn=Recipients/cn=ann-marie", "ann-marie"),
            ("S-1-12-1-1943430372-1249052806-2496021943-3034400218", "73d664e4-0886-4a73-b745-c694da45ddb4"),
            ("S-1-5-21-1-2-3-1104", "s-1-5-21-1-2-3-1104"),
            ("S-1-12-1-1-2-3", "s-1-12-1-1-2-3"),
            ("Ann Smith", "ann smith"),
        ] {
            assert_eq!(exchange_name(text).as_deref(), Some(want), "{text}");
        }
        assert_eq!(exchange_name("  "), None);
        assert_eq!(exchange_name("x/"), None);
    }
}
