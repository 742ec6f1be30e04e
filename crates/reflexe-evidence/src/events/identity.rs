//! Who acted, and under which key a record is known.

/// Whether the text is a GUID.
pub fn is_guid(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 36
        && b.iter().enumerate().all(|(i, c)| if matches!(i, 8 | 13 | 18 | 23) { *c == b'-' } else { c.is_ascii_hexdigit() })
}

/// Whether a text can be an id at all: neither a placeholder of somebody who redacted (`[REDACTED_ID]`, `<removed>`,
/// `ANONYMIZED`, `***`) nor one character repeated (zeros). What is no id must tie nothing to anything.
pub fn is_id(text: &str) -> bool {
    let text = text.trim();
    let within = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    // a message id stands in angle brackets too: `<x@host>`
    if within('[', ']') || (within('<', '>') && !text.contains('@')) {
        return false;
    }
    let mut signs = text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    let Some(first) = signs.next() else { return !text.is_ascii() };
    if text.len() > 1 && signs.all(|b| b == first) {
        return false;
    }
    // a word without a digit that says what was done to the id
    let said = ["redact", "anonym", "masked", "hidden", "removed", "withheld", "caviard"];
    !(text.len() <= 40
        && !text.bytes().any(|b| b.is_ascii_digit() || b == b'@')
        && said.iter().any(|word| contains_ignore_case(text, word)))
}

/// What a record is known by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keys {
    /// Its id together with what every copy of it says: second, operation, user. Ids that several records share (constant,
    /// redacted) fold nothing.
    pub record: u128,
    /// Its id alone; 0 if it has none.
    pub id: u128,
}

/// The keys of a record. One without id is known by its whole content.
pub fn record_keys(id: Option<&str>, time: Option<i64>, operation: &str, user: &str, content: &[u8]) -> Keys {
    let mut said = blake3::Hasher::new();
    let mut put = |part: &[u8]| {
        said.update(&(part.len() as u64).to_le_bytes());
        said.update(part);
    };
    // exports write fractions of a second or not
    put(&time.map_or(i64::MIN, |t| t.div_euclid(1_000_000)).to_le_bytes());
    put(operation.as_bytes());
    put(user.trim().to_lowercase().as_bytes());
    put(id.map_or(content, str::as_bytes));
    let low = |hasher: &blake3::Hasher| {
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(key)
    };
    Keys { record: low(&said), id: id.map_or(0, id_key) }
}

/// The key of an id: its digits if it is a GUID, else a hash.
fn id_key(id: &str) -> u128 {
    if is_guid(id) {
        let digits = id.bytes().filter(|c| *c != b'-');
        return digits.fold(0, |n, c| n << 4 | u128::from(char::from(c).to_digit(16).unwrap_or(0)));
    }
    let mut hasher = blake3::Hasher::new();
    for part in [b"id".as_slice(), id.as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    u128::from_le_bytes(key)
}

/// What the classes of actors are told from (`system`, `partner`, `app`, `guest`, `owner`, `delegate`, `admin`, `user`).
#[derive(Debug, Default)]
pub struct ActorFacts<'a> {
    /// His home is another tenant (`ActorContextId` beside `OrganizationId`).
    pub abroad: bool,
    /// He signs in.
    pub logon: bool,
    /// As logged.
    pub user_id: &'a str,
    /// Small letters, if it is a user principal name.
    pub upn: Option<&'a str>,
    /// `UserType`.
    pub user_type: Option<i32>,
    /// `LogonType`.
    pub logon_type: Option<i32>,
    /// `ExternalAccess`.
    pub external: Option<bool>,
    /// `OrganizationName`.
    pub organization: &'a str,
    /// `MailboxOwnerUPN`.
    pub owner: &'a str,
    /// An Exchange cmdlet was run.
    pub cmdlet: bool,
    /// On which object.
    pub object: &'a str,
    /// `operation_key`.
    pub operation: &'a str,
}

/// The class of an actor.
pub fn actor_class(f: &ActorFacts<'_>) -> &'static str {
    let external = f.external == Some(true);
    if matches!(f.user_type, Some(3 | 4)) || is_system(f.user_id) || (external && f.upn.is_none()) {
        return "system";
    }
    if f.abroad && f.upn.is_some() {
        return if f.logon { "guest" } else { "partner" };
    }
    let ours = |upn: &str| !f.organization.is_empty() && ends_with_domain(upn, f.organization);
    if f.user_type == Some(9) || (external && f.upn.is_some_and(|u| !ours(u))) {
        return "partner";
    }
    if matches!(f.user_type, Some(5 | 6)) || f.user_id.starts_with("ServicePrincipal_") {
        return "app";
    }
    if f.user_type == Some(10) || contains_ignore_case(f.user_id, "#ext#") {
        return "guest";
    }
    if f.upn.is_some_and(|u| u.eq_ignore_ascii_case(f.owner)) {
        return "owner";
    }
    match f.logon_type {
        Some(2) => return "delegate",
        Some(1 | 6) => return "admin",
        _ => {}
    }
    if f.cmdlet {
        // a canonical name ends in the alias: `…/contoso.example/c.martin\rule`
        let mailbox = f.object.rsplit('/').next().unwrap_or_default().split('\\').next().unwrap_or_default();
        let local = f.upn.and_then(|u| u.split('@').next()).unwrap_or_default();
        if !local.is_empty() && (mailbox.eq_ignore_ascii_case(local) || f.upn.is_some_and(|u| mailbox.eq_ignore_ascii_case(u))) {
            return "owner";
        }
        // everybody runs these on their own mailbox, whose canonical name need not look like their account
        let own = [
            "inboxrule",
            "sweeprule",
            "mailboxmessageconfiguration",
            "mailboxautoreplyconfiguration",
            "mailboxcalendarconfiguration",
        ];
        if !own.iter().any(|o| f.operation.contains(o)) {
            return "admin";
        }
    }
    "user"
}

fn is_system(user: &str) -> bool {
    let starts = |p: &str| user.get(..p.len()).is_some_and(|head| head.eq_ignore_ascii_case(p));
    starts("NT AUTHORITY\\")
        || starts("NT SERVICE\\")
        || user == "S-1-5-18"
        || starts("Microsoft\\ServiceOperator")
        || starts("SpoolsProvisioning-")
        || user.eq_ignore_ascii_case("app@sharepoint")
        || user.eq_ignore_ascii_case("SHAREPOINT\\system")
        || (user.contains('@') && ends_ignore_case(user, ".prod.outlook.com"))
}

fn ends_ignore_case(text: &str, end: &str) -> bool {
    text.len() >= end.len() && text.as_bytes()[text.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

fn ends_with_domain(upn: &str, domain: &str) -> bool {
    upn.rsplit('@').next().is_some_and(|d| d.eq_ignore_ascii_case(domain))
}

fn contains_ignore_case(text: &str, small: &str) -> bool {
    text.len() >= small.len() && text.as_bytes().windows(small.len()).any(|w| w.eq_ignore_ascii_case(small.as_bytes()))
}

/// A user principal name in small letters, if the text is one.
pub fn upn_of(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    // bytes, not characters: this runs for every record
    let stray = |b: u8| matches!(b, b' ' | b'\\' | b'|' | b'/' | b';');
    let fits = !local.is_empty() && domain.bytes().any(|b| b == b'.') && !text.bytes().any(stray);
    (fits && !is_system(text)).then(|| if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_a_key_and_records_that_share_an_id_do_not() {
        let guid = "f12c6c27-8688-4074-edbf-08d91a41cb3b";
        let key = |id, time, operation, user, content: &str| record_keys(id, time, operation, user, content.as_bytes());
        let first = key(Some(guid), Some(1_000_000), "send", "a@example.com", "x");
        assert_eq!(first.id, 0xf12c_6c27_8688_4074_edbf_08d9_1a41_cb3b);
        assert_eq!(first, key(Some(guid), Some(1_999_999), "send", "A@example.com ", "another wrapping"));
        for other in [
            key(Some(guid), Some(2_000_000), "send", "a@example.com", "x"),
            key(Some(guid), Some(1_000_000), "create", "a@example.com", "x"),
            key(Some(guid), Some(1_000_000), "send", "b@example.com", "x"),
            key(None, Some(1_000_000), "send", "a@example.com", "x"),
        ] {
            assert_ne!(first.record, other.record);
        }
        let bare = key(None, Some(1), "send", "a@example.com", "x");
        assert_eq!(bare, key(None, Some(1), "send", "a@example.com", "x"), "a whole repeat");
        assert_ne!(bare.record, key(None, Some(1), "send", "a@example.com", "y").record);
        assert_eq!(bare.id, 0);
    }

    #[test]
    fn placeholders_are_no_ids() {
        for text in [
            "[REDACTED_ID]",
            "[removed]",
            "<redacted>",
            "REDACTED",
            "ANONYMIZED",
            "***",
            "",
            " ",
            "00000000-0000-0000-0000-000000000000",
            "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "id hidden",
        ] {
            assert!(!is_id(text), "{text}");
        }
        for text in [
            "f12c6c27-8688-4074-edbf-08d91a41cb3b",
            "Directory_10065ffb-8199-48bc-8ff5-912cb5b8295a_AUMVX_13992832",
            "<CAM1@mail.example.com>",
            "a",
            "7",
            "session-removed-20260102",
        ] {
            assert!(is_id(text), "{text}");
        }
    }

    #[test]
    fn classes() {
        let class = |f: ActorFacts<'_>| actor_class(&f);
        let upn = Some("joey@contoso.example");
        assert_eq!(
            class(ActorFacts { user_id: "NT AUTHORITY\\SYSTEM (w3wp)", user_type: Some(2), ..Default::default() }),
            "system"
        );
        assert_eq!(class(ActorFacts { user_id: "x@AB.PROD.OUTLOOK.COM", ..Default::default() }), "system");
        assert_eq!(
            class(ActorFacts {
                user_id: "msp@partner.example",
                upn: Some("msp@partner.example"),
                external: Some(true),
                organization: "contoso.example",
                ..Default::default()
            }),
            "partner"
        );
        let abroad = ActorFacts { user_id: "joey@contoso.example", upn, abroad: true, ..Default::default() };
        assert_eq!(class(ActorFacts { logon: true, ..abroad }), "guest");
        assert_eq!(class(abroad), "partner");
        assert_eq!(class(ActorFacts { user_id: "ServicePrincipal_1", ..Default::default() }), "app");
        assert_eq!(class(ActorFacts { user_id: "a_b.example#EXT#@contoso.example", ..Default::default() }), "guest");
        assert_eq!(
            class(ActorFacts { user_id: "joey@contoso.example", upn, owner: "Joey@contoso.example", ..Default::default() }),
            "owner"
        );
        assert_eq!(
            class(ActorFacts {
                user_id: "joey@contoso.example",
                upn,
                owner: "b@contoso.example",
                logon_type: Some(2),
                ..Default::default()
            }),
            "delegate"
        );
        assert_eq!(
            class(ActorFacts {
                user_id: "joey@contoso.example",
                upn,
                cmdlet: true,
                object: "EURP/contoso.example/joey\\rule",
                operation: "new-inboxrule",
                ..Default::default()
            }),
            "owner"
        );
        assert_eq!(
            class(ActorFacts {
                user_id: "joey@contoso.example",
                upn,
                cmdlet: true,
                object: "EURP/contoso.example/other",
                operation: "set-mailbox",
                ..Default::default()
            }),
            "admin"
        );
        assert_eq!(
            class(ActorFacts {
                user_id: "joey@contoso.example",
                upn,
                cmdlet: true,
                object: "EURP/contoso.example/other\\r",
                operation: "new-inboxrule",
                ..Default::default()
            }),
            "user"
        );
    }

    #[test]
    fn user_principal_names() {
        assert_eq!(upn_of("GradyA@Contoso.Example").as_deref(), Some("gradya@contoso.example"));
        for text in
            ["app@sharepoint", "NT AUTHORITY\\SYSTEM (x@y.z)", "i:0h.f|membership|1003@live.com", "Certificate", "18ed3507@"]
        {
            assert_eq!(upn_of(text), None, "{text}");
        }
    }
}
