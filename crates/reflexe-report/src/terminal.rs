//! The answer in the terminal: a screen and a half, the sentence first.
use std::{collections::BTreeSet, path::Path};

use reflexe_fiche::{severity, story::Stages};
use reflexe_model::{ActionState, Finding, Lang, Qualification, Story, StoryLevel, Text, Verdict};

use crate::{
    Obtains, evidence,
    show::{capital, day, one_line, span, visible, wrap},
    view::{act_high, open},
    words::Words,
};

/// Characters on a line.
const WIDTH: usize = 100;
/// Lines of an answer.
const HEIGHT: usize = 60;
/// Sources of which the period is told.
const PERIODS: usize = 5;
/// Stories told.
const STORIES: usize = 5;
/// Exports named.
const EXPORTS: usize = 4;
/// Times named of which a log proves nothing.
const REASONS: usize = 3;
/// Files named among those that were not recognised.
const PROBLEMS: usize = 3;
/// Notes of files.
const NOTES: usize = 4;

/// Colours by meaning; each goes with a mark and a word, so none is needed.
#[derive(Debug, Clone, Copy)]
enum Ink {
    Found,
    Doubt,
    Good,
    Quiet,
    Strong,
}

/// The answer as text. `report` is where the page was written; `colour` only on a terminal that wants it.
pub fn terminal(q: &Qualification, sentence: &Text, report: Option<&Path>, lang: Lang, colour: bool, obtains: Obtains) -> String {
    let mut t = Terminal { q, lang, w: Words(lang), colour, out: Vec::new() };
    t.head(sentence);
    t.actions();
    // The stories take what the other parts leave.
    let before = t.out.len();
    t.unknown(obtains);
    t.read(report);
    let after = t.out.split_off(before);
    t.stories(HEIGHT.saturating_sub(before + after.len() + 1));
    t.out.extend(after);
    let mut text = t.out.join("\n");
    text.push('\n');
    text
}

struct Terminal<'a> {
    q: &'a Qualification,
    lang: Lang,
    w: Words,
    colour: bool,
    out: Vec<String>,
}

impl Terminal<'_> {
    fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Found => "1;31",
            Ink::Doubt => "33",
            Ink::Good => "32",
            Ink::Quiet => "2",
            Ink::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A wrapped paragraph, every line indented.
    fn say(&mut self, indent: usize, text: &str) {
        for part in wrap(text, WIDTH - indent) {
            self.out.push(format!("{:indent$}{part}", ""));
        }
    }

    fn title(&mut self, text: &str) {
        self.out.push(String::new());
        let text = self.paint(Ink::Strong, text);
        self.out.push(text);
    }

    fn head(&mut self, sentence: &Text) {
        let range = &self.q.severity.proposed;
        let mark = if open(range) { "?" } else { SEVERITY[usize::from(range.low.clamp(1, 4)) - 1] };
        let ink = if range.low >= 3 { Ink::Found } else { Ink::Strong };
        for (n, part) in wrap(&visible(sentence.get(self.lang), 1000), WIDTH - 2).into_iter().enumerate() {
            let painted = self.paint(ink, &part);
            self.out.push(format!("{} {painted}", if n == 0 { mark } else { " " }));
        }
        let scale: Vec<String> = (1..=4)
            .map(|level| {
                let name = format!("{} {level} {}", SEVERITY[usize::from(level) - 1], severity::name(level).get(self.lang));
                if (range.low..=range.high).contains(&level) { format!("[{name}]") } else { name }
            })
            .collect();
        self.say(2, &scale.join("   "));
        if act_high(self.q) {
            self.say(2, self.w.act_high());
        }
        if let Some(said) = self.w.failed(&self.q.failures) {
            self.say(2, &said);
        }
        if let Some(text) = evidence::rests_on(&self.q.evidence, &self.q.unrecognised, self.lang) {
            let text = format!("⚠ {text}");
            for part in wrap(&text, WIDTH - 2) {
                let painted = self.paint(Ink::Doubt, &part);
                self.out.push(format!("  {painted}"));
            }
        }
        let case = &self.q.case;
        let mut about = vec![visible(&case.title, 60)];
        let domains: Vec<String> =
            case.tenant.domains.iter().filter(|d| **d != case.title).take(2).map(|d| visible(d, 40)).collect();
        if !domains.is_empty() {
            about.push(domains.join(", "));
        }
        about.extend(
            case.tenant
                .id
                .as_ref()
                .filter(|id| **id != case.title)
                .map(|id| format!("{}\u{a0}{}", self.w.tenant(), visible(id, 40))),
        );
        self.out.push(String::new());
        self.say(0, &about.join(" · "));
        let period = case.window.map_or_else(
            || self.w.no_period().to_owned(),
            |p| format!("{} → {} (UTC)", day(p.from, self.lang), day(p.to, self.lang)),
        );
        let since = case.since.map(|t| format!(" · {}{}{}", self.w.since(), self.w.colon(), span(Some(t), None, self.lang)));
        let line = format!("{}{}{period}{}", self.w.period(), self.w.colon(), since.unwrap_or_default());
        self.say(0, &line);
    }

    fn actions(&mut self) {
        self.title(self.w.t_actions());
        for action in &self.q.actions {
            let state = action.answer.unwrap_or(action.proposed);
            let (mark, ink) = state_mark(state);
            let title = one_line(&visible(action.title.get(self.lang), 200), 58);
            let word = match action.answer {
                Some(_) => format!("{} ({})", self.w.state(state), self.w.answered()),
                None => self.w.state(state).to_owned(),
            };
            let head = format!("  {} {}", self.paint(ink, &format!("{mark} {}", action.id)), self.paint(ink, &word));
            self.out.push(format!("{head} · {title}"));
            let reason = visible(action.reason.get(self.lang), 1000);
            if !reason.is_empty() {
                let text = self.paint(Ink::Quiet, &one_line(&reason, WIDTH - 8));
                self.out.push(format!("        {text}"));
            }
        }
    }

    fn stories(&mut self, room: usize) {
        let stories = &self.q.stories;
        self.title(&format!("{} ({})", self.w.t_stories(), stories.len()));
        if stories.is_empty() {
            self.say(2, self.w.no_story());
            return;
        }
        let shown = &stories[..stories.len().min(STORIES)];
        let more = stories.len() - shown.len();
        // Two lines a story and one for the rest; what remains tells acts, the first story's first.
        let mut acts_left = room.saturating_sub(1 + 2 * shown.len() + usize::from(more > 0));
        for (n, story) in shown.iter().enumerate() {
            let rest = shown.len() - n - 1;
            let share = if n == 0 { acts_left.saturating_sub(rest * 2).max(acts_left.min(2)) } else { acts_left / (rest + 1) };
            acts_left -= self.story(n + 1, story, share.min(6));
        }
        if more > 0 {
            self.say(2, &format!("{} {}{}{}.", self.w.t_and(), self.w.more_stories(more), self.w.semicolon(), self.w.t_whole()));
        }
    }

    /// Tells one story; returns how many lines its acts took.
    fn story(&mut self, n: usize, story: &Story, acts: usize) -> usize {
        let (mark, ink) = level_mark(story.level);
        let title = visible(story.title.get(self.lang), 200);
        let subject = visible(story.shown(), 120);
        let line = one_line(&format!("{title} · {subject}"), WIDTH - 8);
        self.out.push(format!("  {} {}", self.paint(ink, &format!("{n} {mark}")), self.paint(Ink::Strong, &line)));
        let stages = Stages::embedded();
        let words: Vec<String> = story.stages.iter().map(|s| stages.word(s).get(self.lang).to_owned()).collect();
        let mut facts = vec![format!("{}/100", story.score), self.w.level(story.level).to_owned()];
        facts.push(self.w.facts(story.findings.len()));
        facts.extend(Some(span(story.from, story.to, self.lang)).filter(|s| !s.is_empty()));
        facts.extend((!words.is_empty()).then(|| words.join(", ")));
        let line = one_line(&facts.join(" · "), WIDTH - 6);
        self.out.push(format!("      {}", self.paint(Ink::Quiet, &line)));
        let told: Vec<&Finding> = story.findings.iter().filter_map(|id| self.q.findings.iter().find(|f| f.id == *id)).collect();
        // The gravest acts, in the order of time.
        let mut gravest: Vec<usize> = (0..told.len()).collect();
        gravest.sort_by_key(|&i| (std::cmp::Reverse((told[i].verdict, told[i].decisive, told[i].weight)), i));
        gravest.truncate(acts);
        gravest.sort_unstable();
        let used = gravest.len();
        for i in gravest {
            let (mark, ink) = verdict_mark(told[i].verdict);
            let text = one_line(&visible(told[i].text.get(self.lang), 1000), WIDTH - 8);
            self.out.push(format!("      {} {text}", self.paint(ink, mark)));
        }
        used
    }

    fn unknown(&mut self, obtains: Obtains) {
        let items = &self.q.items;
        let open = items.iter().filter(|i| i.verdict == Verdict::Unknown).count();
        self.title(&format!("{} ({})", self.w.t_unknown(), self.w.unknown_items(open, items.len())));
        let exports = &self.q.exports[..self.q.exports.len().min(EXPORTS)];
        if exports.is_empty() && open == 0 {
            self.say(2, self.w.unknown_none());
        }
        // What no export brings: times that were not logged. Several checks have one reason.
        let reasons: BTreeSet<&Text> = self.q.checks.iter().flat_map(|c| &c.reasons).collect();
        let mut reasons: Vec<String> = reasons.into_iter().map(|r| visible(r.get(self.lang), 1000)).collect();
        reasons.sort_by_key(String::len); // what names nobody and no operation is the widest
        for reason in reasons.iter().take(REASONS) {
            self.say(2, reason);
        }
        for export in exports {
            let found = obtains(&export.obtain);
            let title = Some(export.title.get(self.lang)).filter(|t| !t.is_empty()).unwrap_or(&export.obtain);
            let minutes = format!("{}\u{a0}{}", export.minutes, self.w.min());
            let mut parts = vec![format!("{} ({minutes})", visible(title, 200))];
            if !export.settles.is_empty() {
                parts.push(format!("{} {}", self.w.settles(), export.settles.join(", ")));
            }
            if export.settles.is_empty() && !export.helps.is_empty() {
                parts.push(format!("{} {}", self.w.helps(), export.helps.join(", ")));
            }
            self.out.push(format!("  ? {}", one_line(&parts.join(" · "), WIDTH - 4)));
            if let Some(portal) =
                found.as_ref().and_then(|o| o.portal.as_ref()).map(|p| p.get(self.lang)).filter(|p| !p.is_empty())
            {
                for part in wrap(&visible(portal, 1000), WIDTH - 4).into_iter().take(3) {
                    let text = self.paint(Ink::Quiet, &part);
                    self.out.push(format!("    {text}"));
                }
            }
        }
        if let Some(question) = self.q.next_question.as_ref().and_then(|id| self.w.question(id)) {
            self.say(2, &format!("{}{}{question}", self.w.question_is(), self.w.colon()));
        }
    }

    fn read(&mut self, report: Option<&Path>) {
        self.title(self.w.t_read());
        let evidence = &self.q.evidence;
        if evidence.is_empty() {
            self.say(2, self.w.no_evidence());
        } else {
            let text = format!(
                "{}{}{}.",
                self.w.files(evidence::files(evidence)),
                self.w.colon(),
                self.w.accounting(evidence::total(evidence))
            );
            self.say(2, &text);
            for (source, from, to) in evidence::periods(evidence).into_iter().take(PERIODS) {
                self.say(2, &format!("{}{}{}", visible(source, 40), self.w.colon(), span(Some(from), Some(to), self.lang)));
            }
        }
        if !self.q.case.left_out.is_empty() {
            let tables: Vec<String> = self.q.case.left_out.iter().map(|(table, n)| format!("{n} {table}")).collect();
            self.say(2, &format!("{}{}{}.", self.w.t_left_out(), self.w.colon(), visible(&tables.join(", "), 300)));
        }
        let notes: Vec<(&str, &Text)> = evidence.iter().flat_map(|e| e.notes.iter().map(|n| (e.path.as_str(), n))).collect();
        for (path, note) in notes.iter().take(NOTES) {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            let text = format!("! {}{}{}", visible(name, 60), self.w.colon(), visible(note.get(self.lang), 1000));
            for part in wrap(&text, WIDTH - 2).into_iter().take(2) {
                self.out.push(format!("  {part}"));
            }
        }
        if notes.len() > NOTES {
            self.say(4, &format!("{} (reflexe case show)", self.w.more(notes.len() - NOTES)));
        }
        let (beside, problems): (Vec<_>, Vec<_>) = self.q.unrecognised.iter().partition(|u| u.harmless);
        for file in problems.iter().take(PROBLEMS) {
            let text = format!("? {}{}{}", visible(&file.path, 60), self.w.colon(), visible(file.reason.get(self.lang), 1000));
            self.out.push(format!("  {}", one_line(&text, WIDTH - 2)));
        }
        if problems.len() > PROBLEMS {
            let what = if problems.iter().any(|u| u.unread) { self.w.not_read_or() } else { self.w.unrecognised() };
            self.say(4, &format!("{} ({})", self.w.more(problems.len() - PROBLEMS), what.to_lowercase()));
        }
        if !beside.is_empty() {
            self.say(2, &format!("{}.", self.w.beside_n(beside.len())));
        }
        let others = &self.q.case.other_tenants;
        if !others.is_empty() {
            let mut names: Vec<String> = others.iter().take(3).map(|t| visible(t, 40)).collect();
            if others.len() > 3 {
                names.push(self.w.more(others.len() - 3));
            }
            self.say(2, &format!("{}{}{}.", self.w.other_tenants(), self.w.colon(), names.join(", ")));
        }
        if let Some(path) = report {
            self.out.push(String::new());
            // Never wrapped: it is copied whole.
            let line = format!("{}{}{}", self.w.t_report(), self.w.colon(), visible(&path.display().to_string(), 4096));
            self.out.push(capital(&line));
        }
    }
}

/// One shape for each severity.
const SEVERITY: [&str; 4] = ["●", "▲", "◆", "⬟"];

fn verdict_mark(v: Verdict) -> (&'static str, Ink) {
    match v {
        Verdict::Compromise => ("✚", Ink::Found),
        Verdict::Suspicious => ("✛", Ink::Doubt),
        Verdict::Weakness => ("□", Ink::Quiet),
        Verdict::Unknown => ("?", Ink::Quiet),
        Verdict::Info => ("i", Ink::Quiet),
        Verdict::Ok => ("○", Ink::Good),
    }
}

fn level_mark(level: StoryLevel) -> (&'static str, Ink) {
    match level {
        StoryLevel::Compromise => ("✚", Ink::Found),
        StoryLevel::Suspicion | StoryLevel::ToCheck => ("✛", Ink::Doubt),
    }
}

fn state_mark(state: ActionState) -> (&'static str, Ink) {
    match state {
        ActionState::Confirmed => ("✚", Ink::Found),
        ActionState::Suspected => ("✛", Ink::Doubt),
        ActionState::NotConfirmed | ActionState::Refuted => ("○", Ink::Good),
        ActionState::Unknown => ("?", Ink::Quiet),
    }
}
