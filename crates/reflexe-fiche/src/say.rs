//! Templates of sentences. One pass: a value is never read as a template, and what is invisible in it is made visible.
use std::collections::BTreeMap;

use jiff::Timestamp;
use reflexe_model::{Lang, Text};

use crate::{
    def::CheckDef,
    judge::{Judged, signs_of},
    value::{Value, Values},
};

/// Longest shown value, in characters.
const LONGEST: usize = 120;

/// The sentence of a judged row, in both languages.
pub fn sentence(check: &CheckDef, judged: &Judged) -> Text {
    Text::new(word(check, judged, Lang::Fr), word(check, judged, Lang::En))
}

/// The words of one sign, with the values of the row in them.
pub fn sign_text(check: &CheckDef, judged: &Judged, name: &str) -> Option<Text> {
    let (_, sign) = signs_of(check).into_iter().find(|(n, _)| *n == name)?;
    let (fr, en) = (sign.fr.as_ref()?, sign.en.as_ref()?);
    let fill = |template: &str, lang| Filler { check, judged, lang, signs: &[] }.fill(template);
    Some(Text::new(fill(fr, Lang::Fr), fill(en, Lang::En)))
}

/// The points that a sign counts for, if it counts.
pub fn points_of(check: &CheckDef, judged: &Judged, name: &str) -> Option<i64> {
    check.signs.get(name)?.points.filter(|_| judged.weighed.counted.iter().any(|n| n == name))
}

fn word(check: &CheckDef, judged: &Judged, lang: Lang) -> String {
    if judged.weighed.verdict == reflexe_model::Verdict::Unknown && judged.weighed.could_be.is_some() {
        // Never the template of a finding: its numbers would be guesses. (An unknown that a sign declares has words of its own.)
        let doubts: Vec<String> =
            judged.weighed.open.iter().filter_map(|n| sign_text(check, judged, n)).map(|t| t.get(lang).to_owned()).collect();
        let subject = clean(&judged.folded.subject);
        let missing = judged.weighed.missing.iter().cloned().collect::<Vec<_>>().join(", ");
        let doubts = list(&doubts, lang);
        return match lang {
            Lang::Fr => format!("{subject} : impossible de dire si {doubts} (manque : {missing})."),
            Lang::En => format!("{subject}: cannot tell whether {doubts} (missing: {missing})."),
        };
    }
    let Some(template) = check.template(&judged.folded.say) else { return clean(&judged.folded.subject) };
    let signs: Vec<String> = judged
        .weighed
        .on
        .iter()
        .filter_map(|n| {
            let text = sign_text(check, judged, n)?;
            let points = points_of(check, judged, n).map(|p| format!(" ({p:+})")).unwrap_or_default();
            Some(format!("{}{points}", text.get(lang)))
        })
        .collect();
    Filler { check, judged, lang, signs: &signs }.fill(template.get(lang))
}

/// Fills one template for one row.
struct Filler<'a> {
    check: &'a CheckDef,
    judged: &'a Judged,
    lang: Lang,
    signs: &'a [String],
}

impl Filler<'_> {
    fn fill(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '[']) {
            out.push_str(&rest[..at]);
            let tail = &rest[at..];
            let close = if tail.starts_with('{') { '}' } else { ']' };
            let Some(end) = tail.find(close) else {
                out.push_str(tail);
                return out;
            };
            let inside = &tail[1..end];
            if close == '}' {
                out.push_str(&self.one(inside));
            } else if crate::def::placeholders(inside).iter().all(|c| self.known(c)) {
                // A bracketed part is left out when a value in it is unknown.
                out.push_str(&self.fill(inside));
            }
            rest = &tail[end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn known(&self, column: &str) -> bool {
        matches!(column, "subject" | "key" | "signs") || self.judged.folded.values.get(column).is_some_and(|v| !v.is_empty())
    }

    fn one(&self, inside: &str) -> String {
        let f = &self.judged.folded;
        if let Some((column, forms)) = inside.split_once('|') {
            let (one, many) = forms.split_once('|').unwrap_or((forms, forms));
            let n = match f.values.get(column) {
                Some(values) if values.len() == 1 => values.first().and_then(Value::as_int).unwrap_or(1),
                Some(values) => i64::try_from(values.len()).unwrap_or(i64::MAX),
                None => 0,
            };
            // French: 0 and 1 are singular; English: 1 only.
            let singular = if self.lang == Lang::Fr { n <= 1 } else { n == 1 };
            return (if singular { one } else { many }).to_owned();
        }
        let (column, words) = inside.split_once(':').map_or((inside, None), |(c, w)| (c, Some(w)));
        match column {
            "subject" => return clean(&f.subject),
            "key" => return clean(&f.key),
            "signs" if self.signs.is_empty() => {
                return (if self.lang == Lang::Fr { "aucun signe" } else { "no sign" }).to_owned();
            }
            "signs" => return self.signs.join("; ").replace("; ", if self.lang == Lang::Fr { " ; " } else { "; " }),
            _ => {}
        }
        let Some(values) = f.values.get(column).filter(|v| !v.is_empty()) else {
            return (if self.lang == Lang::Fr { "inconnu" } else { "unknown" }).to_owned();
        };
        let table: Option<&BTreeMap<String, Text>> = words.and_then(|w| self.check.words.get(w));
        show(values, table, self.lang)
    }
}

fn show(values: &Values, words: Option<&BTreeMap<String, Text>>, lang: Lang) -> String {
    let shown: Vec<String> = values
        .iter()
        .map(|v| match (v, words) {
            (Value::Text(code), Some(words)) => words.get(code).map_or_else(|| clean(code), |t| t.get(lang).to_owned()),
            _ => show_one(v, lang),
        })
        .collect();
    list(&shown, lang)
}

fn show_one(value: &Value, lang: Lang) -> String {
    match value {
        Value::Bool(true) => (if lang == Lang::Fr { "oui" } else { "yes" }).to_owned(),
        Value::Bool(false) => (if lang == Lang::Fr { "non" } else { "no" }).to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Milli(n) if n % 1000 == 0 => (n / 1000).to_string(),
        #[allow(clippy::cast_precision_loss)] // shown with three decimals
        Value::Milli(n) => format!("{}", *n as f64 / 1000.0),
        Value::Time(t) => time(*t, lang),
        Value::Text(t) => clean(t),
    }
}

/// An instant as it is shown: the reader's usual order, always with UTC.
pub fn time(t: Timestamp, lang: Lang) -> String {
    let pattern = if lang == Lang::Fr { "%d/%m/%Y %H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    t.strftime(pattern).to_string()
}

/// At most five members, then how many more.
pub fn list(items: &[String], lang: Lang) -> String {
    let (and, more) = if lang == Lang::Fr { (" et ", "de plus") } else { (" and ", "more") };
    match items {
        [] => (if lang == Lang::Fr { "aucun" } else { "none" }).to_owned(),
        [one] => one.clone(),
        _ if items.len() > 5 => format!("{}{and}{} {more}", items[..5].join(", "), items.len() - 5),
        [start @ .., last] => format!("{}{and}{last}", start.join(", ")),
    }
}

/// Makes control, bidirectional and zero-width characters visible and cuts what is too long: every string of the evidence
/// was chosen by an attacker.
pub fn clean(text: &str) -> String {
    let out = clean_whole(text);
    if out.chars().count() > LONGEST {
        return out.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    out
}

/// The same, at any length: for text of our own that may hold a value.
pub fn clean_whole(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if hidden(c) {
            out.push_str(&format!("‹U+{:04X}›", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// A JSON text with its hidden characters as escapes: they stand in strings only, where an escape means the same.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // The line breaks and indents of the text itself; serde_json escapes those of a string.
        if !hidden(c) || matches!(c, '\n' | '\t' | '\r') {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// A text for a cell of a spreadsheet, with an apostrophe before it if it could be taken for a formula.
pub fn defused(text: &str) -> String {
    let skipped = |c: char| matches!(c, ' ' | '"' | '\'' | '\u{a0}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let first = text.chars().find(|c| !skipped(*c));
    let runs = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '|' | '＝' | '＋' | '－' | '＠' | '｜');
    // A control character at the beginning is skipped by some spreadsheets.
    if first.is_some_and(|c| runs(c) || c.is_control()) { format!("'{text}") } else { text.to_owned() }
}

/// Characters without a shape of their own: controls, marks of direction, zero-width characters, soft hyphen, fillers, line and
/// paragraph separators, variation selectors, tags. The no-break spaces of our own words are not among them.
pub fn hidden(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_show_and_length_is_bounded() {
        assert_eq!(clean("a\u{200b}b\u{202e}"), "a‹U+200B›b‹U+202E›");
        assert_eq!(clean("a\u{ad}\u{e0041}\u{2028}\u{fe0f}"), "a‹U+00AD›‹U+E0041›‹U+2028›‹U+FE0F›");
        assert_eq!(clean("é\u{a0}\u{202f}œ日"), "é\u{a0}\u{202f}œ日");
        assert_eq!(clean(&"x".repeat(500)).chars().count(), LONGEST);
    }

    #[test]
    fn json_keeps_its_meaning_and_hides_nothing() {
        let value = serde_json::json!({ "a\u{9b}31m": "\u{202e}x\u{e0041}\u{7f}\n\u{1b}é" });
        let text = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| hidden(c) && c != '\n'), "{text}");
        assert!(text.contains("\\u202ex\\udb40\\udc41\\u007f") && text.contains('é'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn formulas_are_defused_and_nothing_else_is_touched() {
        for formula in [
            "=cmd|'/c calc'!A1",
            "@SUM(1)",
            "+33612345678",
            "\t=1",
            "＝1",
            " \u{200b}=1",
            "\"=1",
            "-1",
            "|x",
            "\n=1",
            "\u{feff}=1",
            "\u{0}=1",
        ] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for text in ["appel", "a=1", "1-2", "", "été", "«=»"] {
            assert_eq!(defused(text), text);
        }
    }

    #[test]
    fn lists_stop_at_five() {
        let items: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(list(&items, Lang::Fr), "1, 2, 3, 4, 5 et 2 de plus");
        assert_eq!(list(&items[..2], Lang::En), "1 and 2");
    }
}
