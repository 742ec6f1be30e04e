//! Functions that checks may call in SQL: what plain SQL cannot say about addresses, names and consents.
//!
//! Lists (free mail services, words) come from `evidence/reference`; `is_external` closes over the tenant's own domains.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use aho_corasick::AhoCorasick;
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanBuilder, ListBuilder, StringBuilder},
    datatypes::{DataType, Field, Int64Type},
};
use datafusion::{
    common::Result,
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
    prelude::SessionContext,
};
use reflexe_model::Place;

use crate::{documents, exchange::exchange_name, targets::target_of};

/// A domain for which the tenant receives mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnDomain {
    /// Lower case.
    pub name: String,
    /// Whether its sub-domains count.
    pub sub_domains: bool,
}

/// Registers every function. `own` empty means that nobody knows the tenant's domains: `is_external` is then NULL, but for
/// free mail services.
pub fn register(ctx: &SessionContext, own: Vec<OwnDomain>) {
    let text = DataType::Utf8;
    let list = DataType::List(Field::new("item", DataType::Utf8, true).into());
    let udf = |name: &str, args: Vec<DataType>, ret: &DataType, f: Body| {
        ctx.register_udf(make(name, args, ret.clone(), f));
    };
    udf("addresses", vec![text.clone()], &list, Arc::new(|a| texts_to_list(&a[0], addresses)));
    udf("odd_name", vec![text.clone()], &DataType::Boolean, Arc::new(|a| texts_to_bool(&a[0], |t| Some(odd_name(t)))));
    udf("exchange_name", vec![text.clone()], &text, Arc::new(|a| texts_to_text(&a[0], exchange_name)));
    udf("skeleton", vec![text.clone()], &text, Arc::new(|a| texts_to_text(&a[0], |t| Some(skeleton(t)))));
    udf("is_freemail", vec![text.clone()], &DataType::Boolean, Arc::new(|a| texts_to_bool(&a[0], |t| Some(is_freemail(t)))));
    udf("is_external", vec![text.clone()], &DataType::Boolean, Arc::new(move |a| texts_to_bool(&a[0], |t| is_external(t, &own))));
    udf("json_texts", vec![text.clone(), text.clone()], &list, Arc::new(|a| two_texts_to_list(a, documents::texts_at)));
    udf("json_changes", vec![text.clone(), text.clone()], &list, Arc::new(|a| two_texts_to_list(a, documents::changes)));
    udf(
        "has_word",
        vec![text.clone(), text.clone()],
        &DataType::Boolean,
        Arc::new(|a| {
            let (texts, lists) = (a[0].as_string::<i32>(), a[1].as_string::<i32>());
            let mut out = BooleanBuilder::new();
            for i in 0..texts.len() {
                let known = texts.is_valid(i) && lists.is_valid(i);
                out.append_option(known.then(|| has_word(texts.value(i), lists.value(i))));
            }
            Arc::new(out.finish())
        }),
    );
    udf(
        "consent_scopes",
        vec![text.clone(), text.clone()],
        &list,
        Arc::new(|a| {
            let kinds = a[1].as_string::<i32>();
            let texts = a[0].as_string::<i32>();
            let mut out = ListBuilder::new(StringBuilder::new());
            for i in 0..texts.len() {
                if texts.is_null(i) || kinds.is_null(i) {
                    out.append_null();
                } else {
                    out.append_value(consent_scopes(texts.value(i), kinds.value(i)).into_iter().map(Some));
                }
            }
            Arc::new(out.finish())
        }),
    );
    udf(
        "target_of",
        vec![text.clone(), text.clone(), text.clone()],
        &text,
        Arc::new(|a| {
            let (targets, kinds, fields) = (a[0].as_string::<i32>(), a[1].as_string::<i32>(), a[2].as_string::<i32>());
            let mut out = StringBuilder::new();
            for i in 0..targets.len() {
                let known = targets.is_valid(i) && kinds.is_valid(i) && fields.is_valid(i);
                out.append_option(known.then(|| target_of(targets.value(i), kinds.value(i), fields.value(i))).flatten());
            }
            Arc::new(out.finish())
        }),
    );
    udf(
        "ip_prefix",
        vec![text.clone(), DataType::Int64],
        &text,
        Arc::new(|a| {
            let (ips, bits) = (a[0].as_string::<i32>(), a[1].as_primitive::<Int64Type>());
            let mut out = StringBuilder::new();
            for i in 0..ips.len() {
                let known = ips.is_valid(i) && bits.is_valid(i);
                out.append_option(known.then(|| ip_prefix(ips.value(i), bits.value(i))).flatten());
            }
            Arc::new(out.finish())
        }),
    );
}

/// Registers `locator(evidence_id, member, offset, length, line, pointer)`: the views of the tables show it, so it comes first.
pub fn register_locator(ctx: &SessionContext) {
    let (text, number) = (DataType::Utf8, DataType::Int64);
    let arguments = vec![text.clone(), text.clone(), number.clone(), number.clone(), number, text.clone()];
    ctx.register_udf(make("locator", arguments, text, Arc::new(|a| locators(a))));
}

fn locators(a: &[ArrayRef]) -> ArrayRef {
    let [evidence, member, pointer] = [&a[0], &a[1], &a[5]].map(|c| c.as_string::<i32>());
    let [offset, length, line] = [&a[2], &a[3], &a[4]].map(|c| c.as_primitive::<Int64Type>());
    let mut out = StringBuilder::new();
    for i in 0..evidence.len() {
        let number = |c: &arrow::array::Int64Array| c.is_valid(i).then(|| u64::try_from(c.value(i)).ok()).flatten();
        let text = |c: &arrow::array::StringArray| c.is_valid(i).then(|| c.value(i).to_owned());
        let place = || {
            Some(Place {
                evidence_id: text(evidence)?,
                member: text(member),
                offset: number(offset)?,
                length: number(length)?,
                line: number(line)?,
                pointer: text(pointer),
            })
        };
        out.append_option(place().map(|p| p.to_string()));
    }
    Arc::new(out.finish())
}

type Body = Arc<dyn Fn(&[ArrayRef]) -> ArrayRef + Send + Sync>;

fn make(name: &str, args: Vec<DataType>, ret: DataType, body: Body) -> ScalarUDF {
    create_udf(
        name,
        args,
        ret,
        Volatility::Immutable,
        Arc::new(move |values: &[ColumnarValue]| -> Result<ColumnarValue> {
            let arrays = ColumnarValue::values_to_arrays(values)?;
            let scalar = values.iter().all(|v| matches!(v, ColumnarValue::Scalar(_)));
            let out = body(&arrays);
            if scalar {
                Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&out, 0)?))
            } else {
                Ok(ColumnarValue::Array(out))
            }
        }),
    )
}

fn texts_to_bool(a: &ArrayRef, f: impl Fn(&str) -> Option<bool>) -> ArrayRef {
    let mut out = BooleanBuilder::new();
    for value in a.as_string::<i32>() {
        out.append_option(value.and_then(&f));
    }
    Arc::new(out.finish())
}

fn texts_to_text(a: &ArrayRef, f: impl Fn(&str) -> Option<String>) -> ArrayRef {
    let mut out = StringBuilder::new();
    for value in a.as_string::<i32>() {
        out.append_option(value.and_then(&f));
    }
    Arc::new(out.finish())
}

fn texts_to_list(a: &ArrayRef, f: impl Fn(&str) -> Vec<String>) -> ArrayRef {
    let mut out = ListBuilder::new(StringBuilder::new());
    for value in a.as_string::<i32>() {
        match value {
            Some(text) => out.append_value(f(text).into_iter().map(Some)),
            None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

fn two_texts_to_list(a: &[ArrayRef], f: impl Fn(&str, &str) -> Option<Vec<String>>) -> ArrayRef {
    let (first, second) = (a[0].as_string::<i32>(), a[1].as_string::<i32>());
    let mut out = ListBuilder::new(StringBuilder::new());
    for i in 0..first.len() {
        let known = first.is_valid(i) && second.is_valid(i);
        match known.then(|| f(first.value(i), second.value(i))).flatten() {
            Some(texts) => out.append_value(texts.into_iter().map(Some)),
            None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

/// SMTP addresses out of any Exchange or JSON value, lower case, sorted, each once.
pub fn addresses(text: &str) -> Vec<String> {
    let local = |c: char| c.is_ascii_alphanumeric() || "._%+'-#=&!$*/?^`{|}~".contains(c);
    let domain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut out = BTreeSet::new();
    for (at, _) in text.match_indices('@') {
        let before = &text[..at];
        // A quote or a bracket is no part of an address here: values are JSON texts.
        let start = before
            .rfind(|c: char| !local(c) || "{}'`|".contains(c))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        let after = &text[at + 1..];
        let end = after.find(|c: char| !domain(c)).unwrap_or(after.len());
        let host = after[..end].trim_matches(['.', '-']);
        let name = before[start..].trim_start_matches(['.', '/', '=', '*', '?', '&', '!', '$', '^', '~']);
        let top = host.rsplit('.').next().unwrap_or_default();
        if !name.is_empty() && host.contains('.') && top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic()) {
            out.insert(format!("{name}@{host}").to_lowercase());
        }
    }
    out.into_iter().collect()
}

/// Lower case without accents: how words are compared.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .map(|c| match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
            'ç' => 'c',
            'è' | 'é' | 'ê' | 'ë' => 'e',
            'ì' | 'í' | 'î' | 'ï' => 'i',
            'ñ' => 'n',
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
            'ù' | 'ú' | 'û' | 'ü' => 'u',
            'ý' | 'ÿ' => 'y',
            '’' => '\'',
            _ => c,
        })
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .collect()
}

/// Column of a shipped reference file as a set, lower case.
fn reference(file: &str, column: &str) -> Vec<BTreeMap<String, String>> {
    crate::reference::rows(file).into_iter().filter(|r| r.contains_key(column)).collect()
}

/// Words of a list and what finds all of them in one pass over a text.
struct Words {
    finder: AhoCorasick,
    /// Of each word: short, so that it counts on borders only.
    short: Vec<bool>,
}

fn word_lists() -> &'static BTreeMap<String, Words> {
    static LISTS: OnceLock<BTreeMap<String, Words>> = OnceLock::new();
    LISTS.get_or_init(|| {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in reference("word", "list") {
            if let (Some(list), Some(word)) = (row.get("list"), row.get("word")) {
                lists.entry(list.clone()).or_default().push(fold(word));
            }
        }
        let ready = |words: Vec<String>| Words {
            finder: AhoCorasick::new(&words)
                .expect("a list that is part of the binary is far below the millions of states allowed"),
            short: words.iter().map(|w| w.chars().count() <= 4).collect(),
        };
        lists.into_iter().map(|(list, words)| (list, ready(words))).collect()
    })
}

/// Whether a text holds a word of a list; words of four letters and fewer only on borders (`rib` is not in `distribution`).
pub fn has_word(text: &str, list: &str) -> bool {
    let folded = fold(text);
    let alnum = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    word_lists().get(list).is_some_and(|words| {
        words.finder.find_overlapping_iter(&folded).any(|hit| {
            !words.short[hit.pattern().as_usize()]
                || (!alnum(folded[..hit.start()].chars().next_back()) && !alnum(folded[hit.end()..].chars().next()))
        })
    })
}

/// Whether a name is one that nobody gives in earnest: blank, one or two characters, no letter nor digit, one character
/// repeated. Two different capital letters are an abbreviation (HR, IT).
pub fn odd_name(text: &str) -> bool {
    let t = text.trim();
    let mut chars = t.chars();
    let first = chars.next();
    if let (2, Some(a), Some(b)) = (t.chars().count(), first, t.chars().nth(1))
        && a.is_uppercase()
        && b.is_uppercase()
    {
        return a == b;
    }
    t.chars().count() <= 2 || !t.chars().any(char::is_alphanumeric) || chars.all(|c| Some(c) == first)
}

/// What a reader takes a name for: confusable letters made one, invisible characters dropped, `rn` read as `m`.
pub fn skeleton(text: &str) -> String {
    let mapped: String = fold(text)
        .chars()
        .filter_map(|c| match c {
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => None,
            '0' | 'о' | 'ο' => Some('o'),
            '1' | '|' | 'і' | 'ı' | 'ӏ' => Some('l'),
            'а' | 'α' => Some('a'),
            'е' => Some('e'),
            'р' | 'ρ' => Some('p'),
            'с' => Some('c'),
            'х' => Some('x'),
            'ѕ' => Some('s'),
            'у' => Some('y'),
            'ԁ' => Some('d'),
            'һ' => Some('h'),
            c => Some(c),
        })
        .collect();
    let mapped = mapped.replace("rn", "m").replace("vv", "w").replace("cl", "d");
    mapped.chars().filter(|c| !c.is_whitespace() && *c != '\u{a0}').map(|c| if c == 'i' { 'l' } else { c }).collect()
}

/// Whether an address is at a free mail service.
pub fn is_freemail(address: &str) -> bool {
    static DOMAINS: OnceLock<BTreeSet<String>> = OnceLock::new();
    let domains =
        DOMAINS.get_or_init(|| reference("freemail", "domain").into_iter().filter_map(|r| r.get("domain").cloned()).collect());
    address.rsplit('@').next().is_some_and(|d| domains.contains(&d.trim().to_lowercase()))
}

/// Whether an address lies outside the tenant's domains; NULL when they are not known. A free mail service is outside
/// whatever is known, unless the tenant has declared that domain.
pub fn is_external(address: &str, own: &[OwnDomain]) -> Option<bool> {
    let domain = address.rsplit('@').next()?.trim().to_lowercase();
    if own.iter().any(|o| domain == o.name || (o.sub_domains && domain.ends_with(&format!(".{}", o.name)))) {
        return Some(false);
    }
    (!own.is_empty() || is_freemail(address)).then_some(true)
}

/// Scopes granted by the text of a consent (`[[…]] => [[… ConsentType: X, Scope: a b …]]`), of one consent type or `any`.
pub fn consent_scopes(text: &str, consent_type: &str) -> Vec<String> {
    let after = text.rsplit("=>").next().unwrap_or_default();
    let mut out = BTreeSet::new();
    for part in after.split("ConsentType:").skip(1) {
        let kind = part.trim_start().split([',', ']']).next().unwrap_or_default().trim();
        let scopes = part.split_once("Scope:").map_or("", |(_, s)| s.split([']', ',']).next().unwrap_or_default());
        if consent_type == "any" || kind == consent_type {
            out.extend(scopes.split_whitespace().map(str::to_owned));
        }
    }
    out.into_iter().collect()
}

/// The network of an address at a prefix length, as text; IPv6 addresses use `bits + 32` (a /24 of IPv4 compares to a /56).
pub fn ip_prefix(ip: &str, bits: i64) -> Option<String> {
    use std::net::IpAddr;
    let bits = u32::try_from(bits).ok()?;
    match ip.parse().ok()? {
        IpAddr::V4(v4) => {
            let keep = bits.min(32);
            let mask = if keep == 0 { 0 } else { u32::MAX << (32 - keep) };
            Some(format!("{}/{keep}", std::net::Ipv4Addr::from(u32::from(v4) & mask)))
        }
        IpAddr::V6(v6) => {
            let keep = (bits + 32).min(128);
            let mask = if keep == 0 { 0 } else { u128::MAX << (128 - keep) };
            Some(format!("{}/{keep}", std::net::Ipv6Addr::from(u128::from(v6) & mask)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_out_of_any_wrapping() {
        assert_eq!(addresses("smtp:A.B@Example.com;\"x\" [SMTP:c@example.org]"), ["a.b@example.com", "c@example.org"]);
        assert_eq!(addresses(r#"[{"Recipients":["d@example.net"]}]"#), ["d@example.net"]);
        assert!(addresses("EX:/o=ExchangeLabs/cn=Recipients").is_empty());
        assert!(addresses("@").is_empty() && addresses("a@b").is_empty());
    }

    #[test]
    fn short_words_need_borders() {
        assert!(has_word("Nouveau RIB joint", "fin") && !has_word("distribution", "fin"));
        assert!(has_word("Réglement en retard", "fin") && has_word("votre mot de passe", "sec"));
    }

    #[test]
    fn look_alikes_share_a_skeleton() {
        assert_eq!(skeleton("rnicrosoft"), skeleton("Microsoft"));
        assert_eq!(skeleton("Micr\u{200b}osоft"), skeleton("microsoft"));
        assert_ne!(skeleton("Contoso"), skeleton("Microsoft"));
    }

    #[test]
    fn odd_names() {
        assert!(odd_name(".") && odd_name("  ") && odd_name("....") && odd_name("--;") && !odd_name("Factures"));
        assert!(!odd_name("RH") && odd_name("XX") && odd_name("Rh") && odd_name("a1"));
    }

    #[test]
    fn consents_are_read_on_the_right_side() {
        let text =
            "[] => [[Id: a, ClientId: b, PrincipalId: , ResourceId: c, ConsentType: AllPrincipals, Scope:  openid Mail.Read]]; ";
        assert_eq!(consent_scopes(text, "AllPrincipals"), ["Mail.Read", "openid"]);
        assert!(consent_scopes(text, "Principal").is_empty());
    }

    #[test]
    fn outside_is_unknown_without_domains() {
        assert_eq!(is_external("a@example.com", &[]), None);
        assert_eq!(is_external("a@gmail.com", &[]), Some(true));
        let own = [OwnDomain { name: "example.com".into(), sub_domains: true }];
        assert_eq!(is_external("a@mail.example.com", &own), Some(false));
        assert_eq!(is_external("a@example.org", &own), Some(true));
        assert_eq!(is_external("a@notexample.com", &own), Some(true));
        let declared = [OwnDomain { name: "gmail.com".into(), sub_domains: false }];
        assert_eq!(is_external("a@gmail.com", &declared), Some(false));
    }

    #[test]
    fn prefixes() {
        assert_eq!(ip_prefix("192.0.2.77", 24).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(ip_prefix("2001:db8:1:2::9", 24).as_deref(), Some("2001:db8:1::/56"));
        assert_eq!(ip_prefix("nonsense", 24), None);
    }
}
