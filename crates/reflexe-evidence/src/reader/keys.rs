//! The members that the event readers want, under every spelling that the sources use, found without comparing names one
//! by one.
use std::{collections::HashMap, sync::OnceLock};

use super::{
    scan::{self, Stop},
    value::Raw,
};
use crate::events::is_id;

macro_rules! keys {
    ($($name:ident $(= $($alias:literal)|+)?;)*) => {
        /// A member that some event reader wants.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "Microsoft's own names")]
        pub enum Key { $($name),* }

        /// Every key with its spellings: its own name with a capital or a small first letter, and those listed here.
        const SPELLINGS: &[(Key, &str, &[&str])] = &[$((Key::$name, stringify!($name), &[$($($alias),+)?])),*];
    };
}

keys! {
    // unified audit log
    Id; CreationTime; Operation; OrganizationId; RecordType = "auditLogRecordType" | "AuditLogRecordType"; ResultStatus; UserKey; UserType;
    Workload = "OfficeWorkload" | "service" | "Service"; ClientIP = "clientIp" | "ClientIp"; ObjectId = "OfficeObjectId"; UserId;
    ActorIpAddress; ClientIPAddress = "Client_IPAddress"; AppId; ClientAppId; ExternalAccess; OrganizationName; Parameters; SessionId;
    AppAccessContext; ActorContextId; ExtendedProperties; ModifiedProperties; DeviceProperties; OperationProperties; Actor; Target; InterSystemsId;
    IntraSystemId; ApplicationId; ErrorNumber; LogonError; LogonType = "Logon_Type"; MailboxOwnerUPN; MailboxGuid; ClientInfoString;
    OperationCount; AffectedItems; Item; Folder; Folders; DestFolder; SiteUrl = "Site_Url"; SourceFileName; TargetUserOrGroupName;
    TargetUserOrGroupType; UniqueSharingId; UserAgent; DeviceId; Members; TeamName; Data; Name; Severity; AlertId; AlertEntityId;
    EntityType; Source; Comments; ActorInfoString; EventData; CommunicationType; ParticipantInfo; SendAsUserSmtp; SendOnBehalfOfUserSmtp;
    SendonBehalfOfUserSmtp; ItemName; PolicyId; AlertType; ChatThreadId; MessageURLs; UniqueTokenId; OfficeId; IsManagedDevice;
    FileSizeBytes; NonPIIParameters;
    // what wraps a record
    AuditData = "RawEventData"; CreationDate; UserIds; Operations; Identity; RecordId; ResultIndex; ResultCount; Properties; Category;
    Time; TenantId; CallerIpAddress; ActionType; Raw_ = "_raw"; ContentUri; Error;
    // sign-ins
    CreatedDateTime; UserDisplayName; UserPrincipalName; AppDisplayName; IpAddress = "IPAddress" | "ipaddress"; ClientAppUsed;
    CorrelationId; ConditionalAccessStatus; IsInteractive; RiskDetail; RiskLevelAggregated; RiskLevelDuringSignIn; RiskState;
    RiskEventTypes = "riskEventTypes_v2" | "RiskEventTypesV2" | "RiskEventTypes_V2"; ResourceDisplayName; ResourceId; ResourceIdentity;
    ResourceTenantId; HomeTenantId; ServicePrincipalId; ServicePrincipalName; Status; DeviceDetail; Location; LocationDetails;
    SignInEventTypes; AuthenticationRequirement; AuthenticationDetails; AuthenticationProtocol; IncomingTokenType; OriginalTransferMethod;
    CrossTenantAccessType; AutonomousSystemNumber; UniqueTokenIdentifier; ServicePrincipalCredentialKeyId;
    ServicePrincipalCredentialThumbprint; IpAddressFromResourceProvider = "IPAddressFromResourceProvider"; FlaggedForReview; MfaDetail;
    ResultType; ResultDescription; TimeGenerated; AadTenantId = "AADTenantId"; Type; RiskEventType; AccountEnabled;
    ManagedServiceIdentity; AuthenticationMethodsUsed;
    // directory audits
    ActivityDateTime; ActivityDisplayName; LoggedByService; OperationType = "AADOperationType"; Result; ResultReason; InitiatedBy;
    TargetResources; AdditionalDetails; OperationName;
    // cells of portal downloads that have no member of the same meaning
    CountryOrRegion; City; State; Browser; OperatingSystem; DeviceName; IsCompliant; IsManaged; TrustType; FailureReason;
    SignInErrorCode; MfaResult; MfaMethod;
}

/// Number of keys.
const COUNT: usize = SPELLINGS.len();
/// Slots of the table of names; a power of two, several times the number of names.
const TABLE: usize = 2048;

struct Names {
    table: Vec<Option<(&'static str, Key)>>,
    by_normal: HashMap<String, Key>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names { table: vec![None; TABLE], by_normal: HashMap::new() };
        for (key, name, aliases) in SPELLINGS {
            let small: &'static str = Box::leak(first_small(name).into_boxed_str());
            for spelling in [*name, small].into_iter().chain(aliases.iter().copied()) {
                let mut slot = hash(spelling.as_bytes());
                while let Some((taken, _)) = names.table[slot] {
                    if taken == spelling {
                        break;
                    }
                    slot = (slot + 1) % TABLE;
                }
                names.table[slot] = Some((spelling, *key));
                names.by_normal.entry(normal(spelling)).or_insert(*key);
            }
        }
        names
    })
}

fn first_small(name: &str) -> String {
    let (head, tail) = name.split_at(1);
    head.to_ascii_lowercase() + tail
}

#[inline]
fn hash(name: &[u8]) -> usize {
    // names differ in length, ends and middle: that is enough to keep the table almost free of collisions
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return 0 };
    let n = name.len();
    let mix =
        u32::from(first) ^ u32::from(name[n / 2]) << 5 ^ u32::from(last) << 10 ^ u32::from(name[n / 3]) << 15 ^ (n as u32) << 20;
    (mix.wrapping_mul(0x9e37_79b1) >> 21) as usize
}

/// The key of a member's name.
#[cfg(test)]
fn key_of(name: &[u8]) -> Option<Key> {
    find(&names().table, name)
}

#[inline]
fn find(table: &[Option<(&'static str, Key)>], name: &[u8]) -> Option<Key> {
    let mut slot = hash(name);
    while let Some((spelling, key)) = table[slot] {
        if spelling.as_bytes() == name {
            return Some(key);
        }
        slot = (slot + 1) % TABLE;
    }
    None
}

/// The key of a column's title in a CSV file: case, blanks, accents and punctuation do not matter.
pub fn key_of_title(title: &str) -> Option<Key> {
    names().by_normal.get(&normal(title)).copied()
}

/// A title reduced to what identifies it: small letters and digits, without accents.
pub fn normal(title: &str) -> String {
    let plain = |c: char| match c {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' | 'ì' => 'i',
        'ô' | 'ö' | 'ò' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        c => c,
    };
    title.chars().flat_map(char::to_lowercase).map(plain).filter(char::is_ascii_alphanumeric).collect()
}

/// Where the wanted members of a record lie in its text.
#[derive(Debug, Clone)]
pub struct Slots {
    ranges: [(u32, u32); COUNT],
}

impl Default for Slots {
    fn default() -> Self {
        Self { ranges: [(0, 0); COUNT] }
    }
}

impl Slots {
    /// Finds the wanted members of the object at `at`; ranges count from there. Returns the index after the object. What
    /// was found before a damage stays found.
    ///
    /// # Errors
    /// When the object does not end or is not one.
    #[inline]
    pub fn scan(&mut self, bytes: &[u8], at: usize) -> Result<usize, Stop> {
        self.ranges = [(0, 0); COUNT];
        let ranges = &mut self.ranges;
        let table = &names().table;
        scan::object(bytes, at, |key, a, z| {
            // a name met twice: the last one counts, as in every JSON reader
            if let Some(key) = find(table, key) {
                ranges[key as usize] = ((a - at) as u32, (z - at) as u32);
            }
        })
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ranges = [(0, 0); COUNT];
    }

    /// Places a member by hand (CSV cells). An empty range is none.
    pub fn set(&mut self, key: Key, start: usize, end: usize) {
        if self.ranges[key as usize].1 == 0 {
            self.ranges[key as usize] = (start as u32, end as u32);
        }
    }

    /// Moves every range (a text is read in place of a part of another).
    pub fn has(&self, key: Key) -> bool {
        self.ranges[key as usize].1 != 0
    }
}

/// A record: its text and where its members lie.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// JSON object, or the cells of a CSV row one after another.
    pub text: &'a str,
    /// Where the members lie in it.
    pub slots: &'a Slots,
    /// Whether the members are CSV cells.
    pub plain: bool,
}

impl<'a> Object<'a> {
    /// A member, unless it is absent.
    #[inline]
    pub fn get(&self, key: Key) -> Option<Raw<'a>> {
        let (start, end) = self.slots.ranges[key as usize];
        if end == 0 {
            return None;
        }
        self.text.get(start as usize..end as usize).map(|raw| Raw { raw, plain: self.plain })
    }

    /// A member's text, unless it is absent, null or empty.
    #[inline]
    pub fn text(&self, key: Key) -> Option<std::borrow::Cow<'a, str>> {
        self.get(key).and_then(Raw::text)
    }

    /// The first member of several that has a text.
    pub fn first(&self, keys: &[Key]) -> Option<std::borrow::Cow<'a, str>> {
        keys.iter().find_map(|k| self.text(*k))
    }

    /// A member's text where it can be an id ([`is_id`]): what somebody put in an id's place ties nothing to anything.
    #[inline]
    pub fn id(&self, key: Key) -> Option<std::borrow::Cow<'a, str>> {
        self.text(key).filter(|text| is_id(text))
    }

    /// The first member of several that is an id.
    pub fn first_id(&self, keys: &[Key]) -> Option<std::borrow::Cow<'a, str>> {
        keys.iter().find_map(|k| self.id(*k))
    }

    /// Whether the member is there and not null.
    #[inline]
    pub fn has(&self, key: Key) -> bool {
        self.get(key).is_some_and(|v| v.plain || v.raw != "null")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found() {
        for (key, name, aliases) in SPELLINGS {
            assert_eq!(key_of(name.as_bytes()), Some(*key), "{name}");
            assert_eq!(key_of(first_small(name).as_bytes()), Some(*key), "{name}");
            for alias in *aliases {
                assert_eq!(key_of(alias.as_bytes()), Some(*key), "{alias}");
            }
        }
        assert_eq!(key_of(b"Nonsense"), None);
        assert_eq!(key_of(b""), None);
        assert_eq!(key_of_title("Creation Time"), Some(Key::CreationTime));
    }

    #[test]
    fn the_table_of_names_is_nearly_free_of_collisions() {
        let taken = names().table.iter().flatten().count();
        let home = names().table.iter().enumerate().filter(|(i, s)| s.is_some_and(|(n, _)| hash(n.as_bytes()) == *i)).count();
        assert!(home * 100 >= taken * 80, "{home} of {taken} names at home");
    }

    #[test]
    fn finds_members() {
        let text = r#"{"Id":"x","Other":{"Id":"y"},"operation":null,"UserId":""}"#;
        let mut slots = Slots::default();
        assert_eq!(slots.scan(text.as_bytes(), 0), Ok(text.len()));
        let object = Object { text, slots: &slots, plain: false };
        assert_eq!(object.text(Key::Id).as_deref(), Some("x"));
        assert!(!object.has(Key::Operation) && object.get(Key::Operation).is_some());
        assert_eq!(object.text(Key::UserId), None);
        assert!(object.get(Key::Workload).is_none());
    }
}
