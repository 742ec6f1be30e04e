//! Who acted, and under which key a record is known.

/// Whether the text is a GUID.
pub fn is_guid(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 36
        && b.iter().enumerate().all(|(i, c)| if matches!(i, 8 | 13 | 18 | 23) { *c == b'-' } else { c.is_ascii_hexdigit() })
}

/// The 128-bit key of a record: its id if that is a GUID, else a hash. An id that cannot be unique (zeroed, one repeated
/// digit, a word such as `ANONYMIZED`) is hashed with `time` and `operation`; without id, `content` is hashed.
pub fn record_key(id: Option<&str>, time: Option<i64>, operation: &str, content: &[u8]) -> u128 {
    let hash = |parts: &[&[u8]]| {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(key)
    };
    let Some(id) = id else { return hash(&[b"content", content]) };
    if is_guid(id) {
        let digits = || id.bytes().filter(|c| *c != b'-');
        let first = digits().next();
        if digits().any(|c| Some(c) != first) {
            return digits().fold(0, |n, c| n << 4 | u128::from(char::from(c).to_digit(16).unwrap_or(0)));
        }
    } else if id.len() >= 24 && id.bytes().filter(u8::is_ascii_digit).count() >= 8 {
        return hash(&[b"id", id.as_bytes()]);
    }
    let time = time.unwrap_or(i64::MIN).to_le_bytes();
    hash(&[b"weak", id.as_bytes(), &time, operation.as_bytes()])
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
    fn keys() {
        let guid = "f12c6c27-8688-4074-edbf-08d91a41cb3b";
        assert_eq!(record_key(Some(guid), None, "", b""), 0xf12c_6c27_8688_4074_edbf_08d9_1a41_cb3b);
        assert_eq!(record_key(Some(guid), Some(1), "x", b"y"), record_key(Some(&guid.to_uppercase()), None, "", b""));
        let zero = "00000000-0000-0000-0000-000000000000";
        assert_ne!(record_key(Some(zero), Some(1), "a", b""), record_key(Some(zero), Some(2), "a", b""));
        assert_ne!(record_key(Some("ANONYMIZED"), Some(1), "a", b""), record_key(Some("ANONYMIZED"), Some(1), "b", b""));
        let strong = "Directory_10065ffb-8199-48bc-8ff5-912cb5b8295a_AUMVX_13992832";
        assert_eq!(record_key(Some(strong), Some(1), "a", b""), record_key(Some(strong), Some(2), "b", b""));
        assert_ne!(record_key(None, None, "", b"a"), record_key(None, None, "", b"b"));
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
