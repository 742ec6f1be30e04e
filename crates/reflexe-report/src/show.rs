//! How values are shown: hidden characters made visible, long strings cut, times, periods, wrapped lines.
use jiff::Timestamp;
use reflexe_fiche::say;
use reflexe_model::Lang;

/// Makes hidden characters visible; cuts at `limit` characters.
pub(crate) fn visible(text: &str, limit: usize) -> String {
    visible_cut(text, limit, &[]).0
}

/// The same, with the characters of `keep` left as they are; and whether something was cut.
pub(crate) fn visible_cut(text: &str, limit: usize, keep: &[char]) -> (String, bool) {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    for (n, c) in text.chars().enumerate() {
        if n == limit {
            out.push('…');
            return (out, true);
        }
        if keep.contains(&c) || !say::hidden(c) {
            out.push(c);
        } else {
            out.push_str(&say::clean(c.encode_utf8(&mut [0; 4])));
        }
    }
    (out, false)
}

/// A part of a shown string: plain, or the token of a hidden character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Whether it stands for a character that cannot be seen.
    pub token: bool,
    /// What is printed.
    pub text: String,
}

/// Splits a name at what deceives the eye, so that a page can set it apart: hidden characters, blanks at either end, letters
/// of another script inside a Latin word.
pub(crate) fn pieces(text: &str, limit: usize) -> Vec<Piece> {
    let shown = visible(&deceits(text), limit);
    let mut out = Vec::new();
    let mut rest = shown.as_str();
    while let Some(at) = rest.find("‹U+") {
        let Some(end) = rest[at..].find('›') else { break };
        if at > 0 {
            out.push(Piece { token: false, text: rest[..at].to_owned() });
        }
        out.push(Piece { token: true, text: rest[at + '‹'.len_utf8()..at + end].to_owned() });
        rest = &rest[at + end + '›'.len_utf8()..];
    }
    if !rest.is_empty() {
        out.push(Piece { token: false, text: rest.to_owned() });
    }
    out
}

/// Writes blanks at the ends and look-alike letters as tokens.
fn deceits(text: &str) -> String {
    let blank = |part: &str| "‹U+0020›".repeat(part.len());
    let start = text.trim_start_matches(' ');
    let middle = start.trim_end_matches(' ');
    let mut out = blank(&text[..text.len() - start.len()]);
    for word in middle.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let mixed = word.contains(|c: char| c.is_ascii_alphabetic());
        for c in word.chars() {
            // Greek and Cyrillic, whose letters pass for Latin ones.
            if mixed && matches!(c, '\u{370}'..='\u{52f}') && c.is_alphabetic() {
                out.push_str(&format!("‹U+{:04X} {c}›", c as u32));
            } else {
                out.push(c);
            }
        }
    }
    out + &blank(&start[middle.len()..])
}

const MONTHS: [(&str, &str); 12] = [
    ("janv.", "Jan"),
    ("févr.", "Feb"),
    ("mars", "Mar"),
    ("avr.", "Apr"),
    ("mai", "May"),
    ("juin", "Jun"),
    ("juil.", "Jul"),
    ("août", "Aug"),
    ("sept.", "Sep"),
    ("oct.", "Oct"),
    ("nov.", "Nov"),
    ("déc.", "Dec"),
];

/// A day in UTC: `17 nov. 2026`.
pub(crate) fn day(t: Timestamp, lang: Lang) -> String {
    let z = t.to_zoned(jiff::tz::TimeZone::UTC);
    // `month` is 1 to 12.
    let (fr, en) = MONTHS[usize::from(z.month().unsigned_abs()) - 1];
    format!("{} {} {}", z.day(), if lang == Lang::Fr { fr } else { en }, z.year())
}

/// A minute in UTC: `17 nov. 2026 15:07`.
pub(crate) fn minute(t: Timestamp, lang: Lang) -> String {
    format!("{} {}", day(t, lang), t.strftime("%H:%M"))
}

/// A second in UTC.
pub(crate) fn second(t: Timestamp, lang: Lang) -> String {
    format!("{} {}", day(t, lang), t.strftime("%H:%M:%S"))
}

/// A period, the day said once if it is one day; empty if nothing is dated.
pub(crate) fn span(from: Option<Timestamp>, to: Option<Timestamp>, lang: Lang) -> String {
    match (from.or(to), to.or(from)) {
        (Some(a), Some(b)) if minute(a, lang) == minute(b, lang) => minute(a, lang),
        (Some(a), Some(b)) if day(a, lang) == day(b, lang) => format!("{} → {}", minute(a, lang), b.strftime("%H:%M")),
        (Some(a), Some(b)) => format!("{} → {}", minute(a, lang), minute(b, lang)),
        _ => String::new(),
    }
}

/// Breaks a text into lines of at most `width` characters; a word longer than a line is broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.len();
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Cuts a text to one line of at most `width` characters.
pub(crate) fn one_line(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Splits a sentence where French typography forbids a new line (before `: ; ? ! »` and after `«`): the parts marked `true`
/// hold together. Nothing is replaced, so that a name copied from a sentence stays what the evidence writes.
pub(crate) fn joints(text: &str) -> Vec<(bool, &str)> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(' ') {
        let before = text[..at].chars().next_back();
        let after = text[at + 1..].chars().next();
        let range = if matches!(after, Some(':' | ';' | '?' | '!' | '»')) {
            at..at + 1 + after.map_or(0, char::len_utf8)
        } else if before == Some('«') {
            at - '«'.len_utf8()..at + 1
        } else {
            continue;
        };
        if range.start < start {
            continue;
        }
        out.push((false, &text[start..range.start]));
        out.push((true, &text[range.clone()]));
        start = range.end;
    }
    out.push((false, &text[start..]));
    out.retain(|(_, part)| !part.is_empty());
    out
}

/// The same sentence with a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_become_tokens() {
        let got = pieces("a\u{202e}b\u{ad}", 99);
        let words: Vec<(bool, &str)> = got.iter().map(|p| (p.token, p.text.as_str())).collect();
        assert_eq!(words, [(false, "a"), (true, "U+202E"), (false, "b"), (true, "U+00AD")]);
        let name: Vec<String> = pieces(" Micr\u{43e}soft Мир ", 99).into_iter().map(|p| p.text).collect();
        assert_eq!(name, ["U+0020", "Micr", "U+043E \u{43e}", "soft Мир", "U+0020"]);
        assert_eq!(visible("été\u{a0}!", 99), "été\u{a0}!");
        assert_eq!(visible(&"x".repeat(10_000), 50).chars().count(), 51);
        assert_eq!(visible_cut("a\nb\u{1b}", 9, &['\n']), ("a\nb‹U+001B›".to_owned(), false));
    }

    #[test]
    fn lines_are_never_longer_than_asked() {
        let text = format!("un deux trois {} quatre", "y".repeat(35));
        let lines = wrap(&text, 10);
        assert!(lines.iter().all(|l| l.chars().count() <= 10), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(one_line("abcdef", 4), "abc…");
    }

    #[test]
    fn joints_lose_nothing() {
        let text = "Application « X » : oui ; non ? « »";
        let parts = joints(text);
        assert_eq!(parts.iter().map(|p| p.1).collect::<String>(), text);
        let held: Vec<&str> = parts.iter().filter(|p| p.0).map(|p| p.1).collect();
        assert_eq!(held, ["« ", " »", " :", " ;", " ?", " »"]);
        assert_eq!(joints("plain"), [(false, "plain")]);
    }

    #[test]
    fn periods_say_the_day_once() {
        let t = |s: &str| s.parse::<Timestamp>().ok();
        let (a, b) = (t("2026-11-17T14:52:00Z"), t("2026-11-17T16:33:00Z"));
        assert_eq!(span(a, b, Lang::Fr), "17 nov. 2026 14:52 → 16:33");
        assert_eq!(span(a, a, Lang::En), "17 Nov 2026 14:52");
        assert_eq!(span(a, t("2026-11-18T00:00:00Z"), Lang::En), "17 Nov 2026 14:52 → 18 Nov 2026 00:00");
        assert_eq!(span(None, None, Lang::En), "");
    }
}
