//! What a typed line means. Short forms first: one key for a choice, `?` for not knowing, Enter for what is proposed.
use reflexe_model::{Answer, AnswerValue, Approx, Basis, Confidence, DontKnow, Lang, Text};

use super::{Prompt, RESULT, SEVERITY, WORDS, choice_key, word};
use crate::{
    question::{QuestionDef, QuestionKind},
    severity::advice::is_reason,
    story::fill::{Arg, fill},
};

/// Upper end of a count that has none; small enough for every reader of JSON.
pub(super) const NO_LIMIT: u64 = u32::MAX as u64;

/// What was meant.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An answer.
    Answer(Box<Answer>),
    /// "I don't know": the reason is asked next ([`parse_reason`]).
    DontKnow,
    /// Later.
    Skip,
    /// Leave the interview; it resumes from the journal.
    Leave,
    /// How to find out.
    Help,
}

/// What a line means at a prompt.
///
/// # Errors
/// In the user's words: what was not understood and what can be typed.
pub fn parse(prompt: &Prompt, input: &str, lang: Lang) -> Result<Input, Text> {
    let q = &prompt.question;
    let line = input.trim();
    let answer = |value| Ok(Input::Answer(Box::new(value)));
    match line {
        "-" => return Ok(Input::Skip),
        "q" | "Q" => return Ok(Input::Leave),
        "h" | "H" => return Ok(Input::Help),
        "?" => return Ok(Input::DontKnow),
        _ => {}
    }
    if q.id == RESULT {
        let yes = line.is_empty() || line == "+" || fold(line) == fold(&choice_key("yes", lang));
        return if yes { answer(chosen(RESULT, &prompt.result_choice())) } else { Err(word("error", "reopen").clone()) };
    }
    if line.is_empty() || line == "+" {
        let accepted = prompt.proposal.as_ref().ok_or_else(|| word("error", "nothing_to_accept").clone())?.accept();
        // A severity is retained, not drawn from evidence.
        let accepted = Answer { accepted: accepted.accepted.filter(|d| !d.is_empty()), ..accepted };
        return answer(accepted);
    }
    let (line, confidence) = probably(line);
    let mut out = Answer { confidence, ..blank(&q.id) };
    out.value = Some(match q.kind {
        QuestionKind::Count => {
            let (count, approx) = count(line).ok_or_else(|| word("error", "count").clone())?;
            out.approx = approx;
            AnswerValue { count: Some(count), text: Some(line.to_owned()), ..AnswerValue::default() }
        }
        QuestionKind::List => listed(q, line),
        QuestionKind::Text => AnswerValue { text: Some(line.to_owned()), ..AnswerValue::default() },
        _ => choice(prompt, line, lang)?,
    });
    answer(out)
}

/// The answer "I don't know" with the reason typed, which may be left empty.
///
/// # Errors
/// In the user's words, when the line begins with none of the reasons' digits.
pub fn parse_reason(question: &str, input: &str) -> Result<Answer, Text> {
    let line = input.trim();
    let (digit, rest) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
    let detail = rest.trim_start_matches([' ', ':']).trim().to_owned();
    let why = match digit {
        "" => DontKnow::Unsaid,
        "1" => DontKnow::NoEvidence(detail),
        "2" => DontKnow::NoAccess(detail),
        "3" => DontKnow::NoTime,
        "4" => DontKnow::WaitingFor(detail),
        "5" => DontKnow::NotMyField(detail),
        "6" => DontKnow::Contradictory,
        _ => return Err(word("reason", "wrong").clone()),
    };
    Ok(Answer { dont_know: Some(why), ..blank(question) })
}

impl Prompt {
    /// The question asked after `?`.
    pub fn reason_question() -> &'static Text {
        word("reason", "ask")
    }

    fn result_choice(&self) -> String {
        self.result.first().map(|(_, choice)| choice.clone()).unwrap_or_default()
    }
}

fn blank(question: &str) -> Answer {
    Answer {
        question: question.to_owned(),
        value: None,
        approx: Approx::Exact,
        confidence: Confidence::High,
        basis: vec![Basis::Judgement],
        dont_know: None,
        not_applicable: None,
        comment: String::new(),
        accepted: None,
    }
}

pub(super) fn chosen(question: &str, choice: &str) -> Answer {
    Answer { value: Some(AnswerValue { choice: Some(choice.to_owned()), ..AnswerValue::default() }), ..blank(question) }
}

/// Lower case, without accents and typographic apostrophes: as people type in a hurry.
fn fold(text: &str) -> String {
    let plain = |c| match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        '’' => '\'',
        c => c,
    };
    text.trim().to_lowercase().chars().map(plain).collect()
}

/// "Probably yes": the rest of the line, and how sure.
fn probably(line: &str) -> (&str, Confidence) {
    const WORDS: [&str; 6] = ["probablement", "sans doute", "peut-etre", "probably", "maybe", "perhaps"];
    for word in WORDS {
        // Compared without accents, cut by characters: accents fold one to one.
        let n = word.chars().count();
        let head: String = line.chars().take(n).collect();
        let rest = line.char_indices().nth(n).map_or("", |(at, _)| &line[at..]);
        if fold(&head) == word && rest.starts_with(' ') {
            return (rest.trim_start(), Confidence::Low);
        }
    }
    (line, Confidence::High)
}

/// A count as an interval: `12`, `environ 30` (20–45), `au moins 5`, `au plus 5`, `10-20`.
fn count(line: &str) -> Option<((u64, u64), Approx)> {
    let text = fold(line);
    let after = |words: &[&str]| words.iter().find_map(|w| text.strip_prefix(w)).map(str::trim);
    let number = |t: &str| t.replace([' ', '\u{a0}', '\u{202f}'], "").parse::<u64>().ok().filter(|n| *n < NO_LIMIT);
    if let Some(n) = after(&["environ", "a peu pres", "vers", "about", "around", "~"]) {
        let n = number(n)?;
        return Some(((n * 2 / 3, n + n.div_ceil(2)), Approx::About));
    }
    if let Some(n) = after(&["au moins", "plus de", "at least", "more than", ">"]) {
        return Some(((number(n)?, NO_LIMIT), Approx::AtLeast));
    }
    if let Some(n) = after(&["au plus", "moins de", "at most", "less than", "<"]) {
        return Some(((0, number(n)?), Approx::AtMost));
    }
    if let Some((a, b)) = text.split_once(['-', '–']) {
        let (a, b) = (number(a)?, number(b)?);
        return (a <= b).then_some(((a, b), Approx::Range));
    }
    let n = number(&text)?;
    Some(((n, n), Approx::Exact))
}

/// Names and categories of a list; "none" in either language is the empty list.
fn listed(q: &QuestionDef, line: &str) -> AnswerValue {
    if ["aucun", "aucune", "aucuns", "rien", "none", "nothing", "non", "no", "0"].contains(&fold(line).as_str()) {
        return AnswerValue { list: Some(vec![]), ..AnswerValue::default() };
    }
    let (categories, names) = split(q, line);
    AnswerValue { list: Some(names), categories, ..AnswerValue::default() }
}

fn split(q: &QuestionDef, line: &str) -> (Vec<String>, Vec<String>) {
    let (mut categories, mut names) = (Vec::new(), Vec::new());
    for part in line.split([',', ';']).map(str::trim).filter(|p| !p.is_empty()) {
        let is = |code: &str, t: &Text| [code, &t.fr, &t.en].iter().any(|w| fold(w) == fold(part));
        match q.categories.iter().find(|(code, t)| is(code, t)) {
            Some((code, _)) => categories.push(code.clone()),
            None => names.push(part.to_owned()),
        }
    }
    (categories, names)
}

/// A choice, perhaps followed by names: `o`, `oui : a, b`, `confirmé privilégiée`, `2`.
fn choice(prompt: &Prompt, line: &str, lang: Lang) -> Result<AnswerValue, Text> {
    let q = &prompt.question;
    let choices = q.choices();
    let wrong = || {
        let args = [("keys", Arg::Word(super::keys(q, prompt.proposal.is_some(), lang)))];
        let one = |l| fill(word("error", "choice").get(l), l, &args);
        Text::new(one(Lang::Fr), one(Lang::En))
    };
    let (head, tail) = match line.split_once(':') {
        Some((head, tail)) if named(&choices, head, lang).is_some() => (head, tail),
        // The longest beginning that is a choice: labels have up to three words.
        _ => {
            let ends = line.match_indices(' ').map(|(at, _)| at).chain([line.len()]);
            let best = ends.filter(|at| named(&choices, &line[..*at], lang).is_some()).max();
            best.map(|at| line.split_at(at)).ok_or_else(wrong)?
        }
    };
    let choice = named(&choices, head, lang).ok_or_else(wrong)?;
    let tail = tail.trim().trim_start_matches(':').trim();
    let mut value = AnswerValue { choice: Some(choice.to_owned()), ..AnswerValue::default() };
    if q.id == SEVERITY {
        let level: u8 = choice.parse().map_err(|_| wrong())?;
        let (low, high) = (prompt.range.low, prompt.range.high);
        if !(low..=high).contains(&level) && !is_reason(tail) {
            let number = |n: u8| Arg::Count(usize::from(n));
            let args = [("level", number(level)), ("low", number(low)), ("high", number(high))];
            let one = |l| fill(word("error", "reason").get(l), l, &args);
            return Err(Text::new(one(Lang::Fr), one(Lang::En)));
        }
        value.text = (!tail.is_empty()).then(|| tail.to_owned());
        return Ok(value);
    }
    let (categories, names) = split(q, tail);
    value.categories = categories;
    if q.kind == QuestionKind::Tri {
        value.text = (!names.is_empty()).then(|| names.join(", "));
    } else {
        value.list = (!names.is_empty()).then_some(names);
    }
    if q.named && choices.first() == Some(&choice) && value.list.is_none() && value.text.is_none() {
        return Err(word("error", "name").clone());
    }
    Ok(value)
}

/// The choice that a word names: its key in this language, its label in either, or its code.
fn named<'a>(choices: &[&'a str], typed: &str, lang: Lang) -> Option<&'a str> {
    let typed = fold(typed);
    let key = |c: &&&str| fold(&choice_key(c, lang)) == typed;
    let label = |c: &&&str| {
        let labels = WORDS.choice.get(**c).map(|w| [fold(&w.label.fr), fold(&w.label.en)]);
        **c == typed || labels.is_some_and(|l| l.contains(&typed))
    };
    choices.iter().find(key).or_else(|| choices.iter().find(label)).copied()
}
