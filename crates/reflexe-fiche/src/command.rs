//! Commands to show, never to run. A value goes in only if it is exactly what it must be; otherwise a placeholder stands in its
//! place, with the reason. The placeholder is no PowerShell, so that a command that lacks a value cannot be run by mistake.
use reflexe_model::{Lang, Text};

use crate::response::def::{CommandDef, TargetKind, ValueDef, ValueKind};

/// A command with its values in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCommand {
    /// Id of the command.
    pub id: String,
    /// What it does.
    pub title: Text,
    /// Module: `graph`, `exchange`, `teams`, `ad`.
    pub module: String,
    /// Method and path of Microsoft Graph.
    pub graph: Option<String>,
    /// Least privilege.
    pub privilege: Text,
    /// Lines to copy; placeholders follow the language.
    pub lines: Text,
    /// Command that shows the effect.
    pub verify: Text,
    /// How it is taken back.
    pub undo: Text,
    /// What prevents a mistake.
    pub note: Option<Text>,
    /// Whether every value stands in its place.
    pub complete: bool,
    /// Why a value was refused.
    pub refused: Vec<Text>,
    /// Whether the names were read in Microsoft's documentation; if not, show "to be verified".
    pub verified: bool,
}

/// A value offered to a command: the name of its place, and what the evidence says.
#[derive(Debug, Clone, Copy)]
pub struct Offered<'a> {
    /// What it names.
    pub kind: TargetKind,
    /// As found. Hostile.
    pub value: &'a str,
}

/// Builds a command from what is offered. Values that nobody offers, and those that do not validate, stay placeholders.
pub fn show(command: &CommandDef, offered: &[Offered<'_>]) -> ShownCommand {
    let mut refused = Vec::new();
    let mut complete = true;
    let mut places: Vec<(&str, Text)> = Vec::new();
    for value in &command.values {
        let found = offered.iter().find(|o| value.fills.contains(&o.kind));
        let place = match found.map(|o| quoted(value.kind, o.value)) {
            Some(Ok(text)) => Text::new(text.clone(), text),
            Some(Err(why)) => {
                refused.push(Text::new(
                    format!("{} : valeur refusée, {}", value.blank.fr, why.fr),
                    format!("{}: value refused, {}", value.blank.en, why.en),
                ));
                placeholder(value)
            }
            None => placeholder(value),
        };
        complete &= place.fr.starts_with('\'');
        places.push((&value.name, place));
    }
    let fill = |line: &str, lang: Lang| {
        line.split('%')
            .enumerate()
            .map(|(n, part)| match places.iter().find(|(name, _)| n % 2 == 1 && *name == part) {
                Some((_, place)) => place.get(lang),
                None => part,
            })
            .collect::<String>()
    };
    let both = |lines: &[&str]| {
        let of = |lang| lines.iter().map(|l| fill(l, lang)).collect::<Vec<_>>().join("\n");
        Text::new(of(Lang::Fr), of(Lang::En))
    };
    ShownCommand {
        id: command.id.clone(),
        title: command.title.clone(),
        module: command.module.clone(),
        graph: command.graph.clone(),
        privilege: command.privilege.clone(),
        lines: both(&command.lines.iter().map(String::as_str).collect::<Vec<_>>()),
        verify: both(&[&command.verify]),
        undo: command.undo.clone(),
        note: command.note.clone(),
        complete,
        refused,
        verified: command.verified,
    }
}

fn placeholder(value: &ValueDef) -> Text {
    Text::new(format!("<{}>", value.blank.fr), format!("<{}>", value.blank.en))
}

/// A value as a PowerShell string in single quotes, or why it is refused.
///
/// # Errors
/// A sentence to follow "value refused," that never repeats the raw value.
pub fn quoted(kind: ValueKind, value: &str) -> Result<String, Text> {
    let fits = match kind {
        ValueKind::Typed => return Err(Text::new("elle se tape au clavier", "it is typed at the keyboard")),
        ValueKind::Guid => is_guid(value),
        ValueKind::User | ValueKind::Mailbox => is_guid(value) || is_address(value),
        ValueKind::Smtp => is_address(value),
        ValueKind::Domain => is_domain(value),
        ValueKind::OpaqueId => {
            (8..=200).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        }
        ValueKind::Name => return name(value).map(|()| quote(value)),
    };
    if fits {
        return Ok(quote(value));
    }
    Err(match kind {
        ValueKind::Guid => Text::new("ce n'est pas un identifiant d'objet (GUID)", "it is no object id (GUID)"),
        ValueKind::Domain => Text::new("ce n'est pas un nom de domaine simple", "it is no plain domain name"),
        ValueKind::OpaqueId => Text::new("ce n'est pas un identifiant de Microsoft Graph", "it is no id of Microsoft Graph"),
        _ => Text::new(
            "ce n'est ni une adresse simple ni un identifiant d'objet ; prenez l'identifiant d'objet",
            "it is neither a plain address nor an object id; take the object id",
        ),
    })
}

/// Whether a name of a rule or policy may be shown inside quotes.
fn name(value: &str) -> Result<(), Text> {
    if value.trim().is_empty() {
        return Err(Text::new(
            "le nom est vide ; prenez l'identité donnée par la liste",
            "the name is empty; take the identity that the list gives",
        ));
    }
    if value.chars().count() > 256 {
        return Err(Text::new("le nom est trop long", "the name is too long"));
    }
    if value.contains('`') {
        return Err(Text::new("il contient un accent grave", "it contains a backtick"));
    }
    if let Some(c) = value.chars().find(|c| invisible(*c)) {
        return Err(Text::new(
            format!("il contient un caractère invisible (U+{:04X}) ; prenez l'identité donnée par la liste", c as u32),
            format!("it contains an invisible character (U+{:04X}); take the identity that the list gives", c as u32),
        ));
    }
    if value.starts_with(' ') || value.ends_with(' ') {
        return Err(Text::new("il commence ou finit par un blanc", "it begins or ends with a blank"));
    }
    Ok(())
}

/// Control, format, filler, bidirectional and tag characters, and every blank but the plain space.
fn invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// PowerShell reads all of these as a single quote; doubled, each stands for itself.
const QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

fn quote(value: &str) -> String {
    let mut out = String::from("'");
    for c in value.chars() {
        out.push(c);
        if QUOTES.contains(&c) {
            out.push(c);
        }
    }
    out.push('\'');
    out
}

/// `8-4-4-4-12` hexadecimal digits.
pub fn is_guid(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A plain e-mail address or user principal name: ASCII letters, digits and `. _ - + # '` before the `@`.
pub fn is_address(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    (1..=113).contains(&local.len())
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+#'".contains(&b))
        && !local.starts_with(['.', '-', '\''])
        && !local.ends_with('.')
        && is_domain(domain)
}

/// A domain of at least two labels of ASCII letters, digits and hyphens.
pub fn is_domain(value: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    value.len() <= 253 && value.contains('.') && value.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Response;

    const HOSTILE: [&str; 9] = [
        "a'; rm -rf / #@example.com",
        "a@example.com\nRemove-Item x",
        "a`b@example.com",
        "$(calc)@example.com",
        "a@example.com;x",
        "a b@example.com",
        "\"a\"@example.com",
        "a@exa\u{202e}mple.com",
        "a\u{2019};x@example.com",
    ];

    #[test]
    fn addresses_are_plain_or_refused() {
        for value in HOSTILE {
            for kind in
                [ValueKind::User, ValueKind::Smtp, ValueKind::Mailbox, ValueKind::Guid, ValueKind::Domain, ValueKind::OpaqueId]
            {
                let why = quoted(kind, value).expect_err(value);
                assert!(!why.fr.contains(value) && !why.en.contains(value), "never the raw value");
            }
        }
        assert_eq!(quoted(ValueKind::User, "sean.o'brien@example.com").unwrap(), "'sean.o''brien@example.com'");
        assert_eq!(quoted(ValueKind::User, "x_example.org#EXT#@example.com").unwrap(), "'x_example.org#EXT#@example.com'");
        assert!(quoted(ValueKind::Guid, "11111111-0000-4000-8000-000000000001").is_ok());
        assert!(quoted(ValueKind::Guid, "11111111-0000-4000-8000-00000000000g").is_err());
    }

    #[test]
    fn names_stay_inside_their_quotes() {
        assert_eq!(quoted(ValueKind::Name, "'; rm -rf / #").unwrap(), "'''; rm -rf / #'");
        assert_eq!(quoted(ValueKind::Name, "$(calc)").unwrap(), "'$(calc)'");
        assert_eq!(
            quoted(ValueKind::Name, "l\u{2019}envoi\u{2018}\u{201a}\u{201b}").unwrap(),
            "'l\u{2019}\u{2019}envoi\u{2018}\u{2018}\u{201a}\u{201a}\u{201b}\u{201b}'"
        );
        for bad in ["a\nb", "a\r", "a`n", "\u{200b}", "", "  ", " x", "a\u{2028}b", "a\u{1b}[0m", "a\u{a0}b"] {
            assert!(quoted(ValueKind::Name, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refused_value_leaves_a_placeholder_and_the_reason() {
        let all = Response::load().unwrap();
        let offered = [Offered { kind: TargetKind::User, value: "x'; rm@example.com" }];
        let shown = show(&all.commands["block-user"], &offered);
        assert_eq!(shown.lines.fr, "Update-MgUser -UserId <compte> -AccountEnabled:$false");
        assert!(!shown.complete && shown.refused.len() == 1);
        let offered = [Offered { kind: TargetKind::User, value: "ann@example.com" }];
        let shown = show(&all.commands["block-user"], &offered);
        assert_eq!(shown.lines.en, "Update-MgUser -UserId 'ann@example.com' -AccountEnabled:$false");
        assert!(shown.complete && shown.refused.is_empty());
    }

    #[test]
    fn a_password_is_never_inserted() {
        let all = Response::load().unwrap();
        let shown = show(&all.commands["reset-password"], &[Offered { kind: TargetKind::User, value: "ann@example.com" }]);
        assert!(shown.lines.en.contains("Password=<password typed by you>") && !shown.complete);
    }

    proptest::proptest! {
        /// Whatever the name, PowerShell reads back one string and exactly that name.
        #[test]
        fn quoting_reads_back(value in "\\PC{1,40}") {
            if let Ok(text) = quoted(ValueKind::Name, &value) {
                let inside: Vec<char> = text[1..text.len() - 1].chars().collect();
                let mut back = String::new();
                let mut n = 0;
                while n < inside.len() {
                    if QUOTES.contains(&inside[n]) {
                        proptest::prop_assert!(inside.get(n + 1).is_some_and(|c| QUOTES.contains(c)), "the string ends early");
                        n += 1;
                    }
                    back.push(inside[n]);
                    n += 1;
                }
                proptest::prop_assert_eq!(back, value);
            }
        }
    }
}
