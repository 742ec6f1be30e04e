//! Fills the sentences of `fiche/stages.toml`, `conclude.toml` and `conclusion/severity.toml`: `{name}` and `{name|one|many}`.
//!
//! One pass: a value is never read as a template. Values from the evidence go through [`crate::say::clean`] before they come here.
use reflexe_model::Lang;

/// A value of a template.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    /// Words.
    Word(String),
    /// A number, which also chooses between singular and plural.
    Count(usize),
}

/// Fills one template. A name that has no value stays as it is written: the tests look for braces.
pub(crate) fn fill(template: &str, lang: Lang, args: &[(&str, Arg)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|n| open + n) else {
            break;
        };
        out.push_str(&rest[..open]);
        let inside = &rest[open + 1..close];
        let (name, forms) = inside.split_once('|').map_or((inside, None), |(n, f)| (n, f.split_once('|')));
        match (args.iter().find(|(n, _)| *n == name).map(|(_, a)| a), forms) {
            (Some(Arg::Count(n)), Some((one, many))) => out.push_str(if singular(*n, lang) { one } else { many }),
            (Some(Arg::Count(n)), None) => out.push_str(&n.to_string()),
            (Some(Arg::Word(w)), None) => out.push_str(w),
            _ => out.push_str(&rest[open..=close]),
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

/// French: 0 and 1 are singular; English: 1 only.
fn singular(n: usize, lang: Lang) -> bool {
    n == 1 || (n == 0 && lang == Lang::Fr)
}

/// The first letter made upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_never_read_as_a_template() {
        let args = [("who", Arg::Word("{n}".into())), ("n", Arg::Count(2))];
        assert_eq!(fill("{who} {n} {n|fait|faits}", Lang::Fr, &args), "{n} 2 faits");
    }

    #[test]
    fn zero_is_singular_in_french_only() {
        let args = [("n", Arg::Count(0))];
        assert_eq!(fill("{n} {n|fait|faits}", Lang::Fr, &args), "0 fait");
        assert_eq!(fill("{n} {n|fact|facts}", Lang::En, &args), "0 facts");
    }

    #[test]
    fn an_unknown_name_stays_visible_and_an_open_brace_is_kept() {
        assert_eq!(fill("{x} a {", Lang::Fr, &[]), "{x} a {");
        assert_eq!(capital("été"), "Été");
    }
}
