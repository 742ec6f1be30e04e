//! What to do now, in order. The list is short; one step whole shows its facts and its commands, and the journal then says that they
//! were shown. What a person says of a step is an entry.
use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Result;
use jiff::{Timestamp, Zoned};
use reflexe_case::journal::Draft;
use reflexe_fiche::{
    command::ShownCommand,
    interview::who_text,
    question::Who,
    response::{
        def::TargetKind,
        facts::{Facts, Tri},
    },
    say::clean,
    steps::{self, PlanInput, PlannedStep, StepState, Target},
};
use reflexe_model::{Kind, Lang, Payload, Status, Text};
use serde_json::{Value, json};

use super::{
    Said, facts,
    lines::{Lines, moment},
    wrong,
};
use crate::{cli::JudgeArgs, desk::Desk};

/// Targets named in the list.
const NAMED: usize = 5;
/// Targets of one step whose commands are shown at once.
const TARGETS: usize = 20;

pub fn run(desk: &mut Desk, said: Said, judge: &JudgeArgs, json: bool) -> Result<ExitCode> {
    let answer = desk.answer(judge)?;
    let facts = facts(desk, &answer);
    let Some(id) = &said.step else { return list(desk, &facts, json) };
    let Some(def) = desk.response.steps.iter().find(|s| s.id.eq_ignore_ascii_case(id)) else {
        let ids: Vec<&str> = desk.response.steps.iter().map(|s| s.id.as_str()).collect();
        let (id, ids) = (clean(id), ids.join(", "));
        return wrong(&match desk.lang {
            Lang::Fr => format!("{id} : pas d’étape de ce nom. Étapes : {ids}."),
            Lang::En => format!("{id}: no such step. Steps: {ids}."),
        });
    };
    let id = def.id.clone();
    if said.status.is_some() || said.owner.is_some() || said.due.is_some() || said.effect.is_some() {
        return write(desk, &id, &said, &facts, json);
    }
    whole(desk, &id, said.target.as_deref(), &facts, json)
}

fn input<'a>(desk: &'a Desk, facts: &'a Facts) -> PlanInput<'a> {
    PlanInput { response: &desk.response, facts, entries: &desk.entries }
}

// The list.

fn list(desk: &Desk, facts: &Facts, json: bool) -> Result<ExitCode> {
    let plan = steps::plan(&input(desk, facts));
    let routes = steps::routes(&desk.response, facts);
    let lang = desk.lang;
    if json {
        let golden: Vec<Text> = desk.response.golden.iter().map(|n| n.text()).collect();
        let steps: Vec<Value> = plan.iter().map(|s| as_json(s, facts, None)).collect();
        let routes: Vec<Value> = routes
            .iter()
            .map(|(r, needed, because)| {
                json!({ "id": r.id, "title": r.title, "why": r.why, "reference": r.reference, "url": r.url, "as_of": r.as_of,
                        "verified": r.verified, "needed": tri(*needed), "because": because })
            })
            .collect();
        let all = json!({ "schema": "reflexe.steps/1", "golden": golden, "steps": steps, "routes": routes });
        crate::out::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = Lines::default();
    out.title(desk.pick("RÈGLES D’OR", "GOLDEN RULES"));
    for (n, rule) in desk.response.golden.iter().enumerate() {
        out.say(&format!("  {}. ", n + 1), desk.say(&rule.text()));
    }
    out.title(desk.pick("À FAIRE, DANS CET ORDRE", "TO DO, IN THIS ORDER"));
    for step in &plan {
        brief(&mut out, desk, facts, step);
    }
    if !routes.is_empty() {
        out.title(desk.pick("AUTRES FICHES", "OTHER SHEETS"));
        for (route, needed, because) in &routes {
            let maybe = if *needed == Tri::Maybe { desk.pick(" (peut-être)", " (maybe)") } else { "" };
            out.say("  → ", &format!("{}{maybe}", desk.say(&route.title)));
            let mut more = vec![desk.say(&route.why).to_owned()];
            more.extend(Some(reasons(because, lang)).filter(|r| !r.is_empty()));
            more.extend([&route.reference, &route.url].into_iter().filter(|t| !t.is_empty()).cloned());
            if !route.verified {
                more.push(desk.pick("à vérifier", "to be verified").to_owned());
            }
            out.say("      ", &more.join(" · "));
        }
    }
    let left = desk.response.steps.len() - plan.len();
    let case = desk.case_option();
    out.gap();
    let first = plan.first().map_or("N.00", |s| s.def.id.as_str());
    out.say(
        "",
        &match lang {
            Lang::Fr => format!(
                "Une étape entière, avec ses faits et ses commandes : reflexe steps{case} {first} · dire où elle en est : reflexe steps{case} {first} done --owner NOM"
            ),
            Lang::En => format!(
                "One step whole, with its facts and commands: reflexe steps{case} {first} · say how far it is: reflexe steps{case} {first} done --owner NAME"
            ),
        },
    );
    if left > 0 {
        out.say(
            "",
            &match lang {
                Lang::Fr => format!("{left} étapes ne sont pas listées : rien de connu ne les demande aujourd’hui."),
                Lang::En => format!("{left} steps are not listed: nothing known asks for them today."),
            },
        );
    }
    out!("{}", out.text());
    Ok(ExitCode::SUCCESS)
}

fn brief(out: &mut Lines, desk: &Desk, facts: &Facts, step: &PlannedStep<'_>) {
    let lang = desk.lang;
    let indent = " ".repeat(10);
    let urgent = if step.def.urgent { desk.pick("TOUT DE SUITE · ", "AT ONCE · ") } else { "" };
    out.gap();
    out.say(&format!("{} {:5} ", mark(step.state.status), step.def.id), &format!("{urgent}{}", desk.say(&step.def.title)));
    out.say(&indent, &needed(step, lang));
    out.say(&indent, desk.say(&step.def.why));
    if !step.targets.is_empty() {
        let shown: Vec<String> = step.targets.iter().take(NAMED).map(|t| target(t, facts, lang)).collect();
        let more = step.targets.len().saturating_sub(NAMED);
        let more = match (more, lang) {
            (0, _) => String::new(),
            (n, Lang::Fr) => format!(" et {n} de plus"),
            (n, Lang::En) => format!(" and {n} more"),
        };
        out.say(&indent, &format!("{}{more}", shown.join(", ")));
    }
    let state = state(desk, &step.state);
    if !state.is_empty() {
        out.say(&indent, &state);
    }
    let told: Vec<String> = [
        count(step.def.facts.len(), desk.pick("fait à savoir", "fact to know"), desk.pick("faits à savoir", "facts to know")),
        count(step.def.commands.len(), desk.pick("commande", "command"), desk.pick("commandes", "commands")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !told.is_empty() {
        let colon = desk.pick(" :", ":");
        out.say(&indent, &format!("{}{colon} reflexe steps{} {}", told.join(", "), desk.case_option(), step.def.id));
    }
}

/// `1 fact`, `3 facts`; nothing for none.
fn count(n: usize, one: &str, many: &str) -> Option<String> {
    (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }))
}

fn needed(step: &PlannedStep<'_>, lang: Lang) -> String {
    let word = match (step.needed, lang) {
        (Tri::Yes, Lang::Fr) => "Nécessaire",
        (Tri::Yes, Lang::En) => "Needed",
        (Tri::Maybe, Lang::Fr) => "Peut-être",
        (Tri::Maybe, Lang::En) => "Maybe",
        (Tri::No, Lang::Fr) => "Rien de connu ne la demande",
        (Tri::No, Lang::En) => "Nothing known asks for it",
    };
    let colon = if lang == Lang::Fr { " :" } else { ":" };
    let who = step.def.roles.iter().map(|r| role(r, lang)).collect::<Vec<_>>().join(", ");
    let by = if lang == Lang::Fr { "par" } else { "by" };
    let why = reasons(&step.because, lang);
    if why.is_empty() { format!("{word} · {by} {who}") } else { format!("{word}{colon} {why} · {by}{colon} {who}") }
}

fn role(code: &str, lang: Lang) -> String {
    let who: Option<Who> = serde_json::from_value(code.into()).ok();
    who.map_or_else(|| code.to_owned(), |w| who_text(w).get(lang).to_owned())
}

fn reasons(because: &[Text], lang: Lang) -> String {
    let joint = if lang == Lang::Fr { " ; " } else { "; " };
    because.iter().map(|t| clean(t.get(lang))).collect::<Vec<_>>().join(joint)
}

fn target(t: &Target, facts: &Facts, lang: Lang) -> String {
    let doubt = match (t.certain, lang) {
        (true, _) => "",
        (false, Lang::Fr) => " (soupçonné)",
        (false, Lang::En) => " (suspected)",
    };
    let state = t.state.status.map(|s| format!(" {}", mark(Some(s)))).unwrap_or_default();
    format!("{}{doubt}{state}", facts.shown(&t.value))
}

fn mark(status: Option<Status>) -> &'static str {
    match status {
        None | Some(Status::Planned) => "[ ]",
        Some(Status::Doing) => "[~]",
        Some(Status::Done) => "[x]",
        Some(Status::Failed) => "[!]",
        Some(Status::Cancelled) => "[-]",
    }
}

fn status_word(status: Status, lang: Lang) -> &'static str {
    let (fr, en) = match status {
        Status::Planned => ("prévu", "planned"),
        Status::Doing => ("en cours", "doing"),
        Status::Done => ("fait", "done"),
        Status::Failed => ("échoué", "failed"),
        Status::Cancelled => ("abandonné", "cancelled"),
    };
    if lang == Lang::Fr { fr } else { en }
}

/// State, owner, due time, effect; empty when nobody said anything.
fn state(desk: &Desk, s: &StepState) -> String {
    let lang = desk.lang;
    let mut parts: Vec<String> = s.status.map(|s| status_word(s, lang).to_owned()).into_iter().collect();
    parts.extend(s.owner.as_ref().map(|o| clean(o)));
    if let Some(due) = &s.due {
        let at = due.parse::<Timestamp>().ok().map(|t| t.to_zoned(desk.zone.clone()));
        let late = at.as_ref().is_some_and(|z| z.timestamp() < desk.now())
            && !matches!(s.status, Some(Status::Done | Status::Cancelled));
        let shown = at.map_or_else(|| clean(due), |z: Zoned| moment(&z, lang));
        let late = if late { desk.pick(" (dépassé)", " (overdue)") } else { "" };
        parts.push(format!("{} {shown}{late}", desk.pick("pour", "due")));
    }
    parts.extend(s.effect.as_ref().map(|e| format!("{} {}", desk.pick("effet :", "effect:"), clean(e))));
    if s.conflict {
        parts.push(
            desk.pick("avis contraires, le moins avancé est montré", "people disagree, the least advanced is shown").to_owned(),
        );
    }
    parts.join(" · ")
}

// One step whole.

fn whole(desk: &mut Desk, id: &str, only: Option<&str>, facts: &Facts, json: bool) -> Result<ExitCode> {
    let lang = desk.lang;
    let Some(mut step) = steps::one(id, &input(desk, facts)) else { return wrong(id) };
    if let Some(only) = only {
        step.targets.retain(|t| t.value.eq_ignore_ascii_case(only));
        if step.targets.is_empty() {
            return wrong(&unknown_target(id, only, lang));
        }
    }
    let all = step.targets.len();
    let (told, shown) = if json {
        (reflexe_report::json(&as_json(&step, facts, Some(lang)))?, all)
    } else {
        step.targets.truncate(TARGETS);
        (page(desk, facts, &step, all), step.targets.len())
    };
    let commands: Vec<&str> = step.def.commands.iter().map(String::as_str).collect();
    let fact = (!commands.is_empty()).then(|| {
        let values: Vec<&str> = step.targets.iter().take(shown).map(|t| t.value.as_str()).collect();
        let title = Text::new(format!("{id} : commandes montrées"), format!("{id}: commands shown"));
        let told =
            [("step", id.to_owned()), ("commands", commands.join(" ")), ("targets", values.join(" ")), ("to", desk.me.clone())];
        let told: BTreeMap<String, String> = told.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
        let mut draft = Draft::fact(Kind::System, "command_shown", &title, told, desk.now());
        draft.content.links = vec![id.to_owned()];
        draft
    });
    out!("{told}");
    // The commands are needed now; that the journal could not say so is told beside them.
    if let Some(draft) = fact
        && let Err(error) = desk.journal.add(&draft)
    {
        errln!("{}", error.text().get(lang));
    }
    Ok(ExitCode::SUCCESS)
}

fn page(desk: &Desk, facts: &Facts, step: &PlannedStep<'_>, all: usize) -> String {
    let lang = desk.lang;
    let mut out = Lines::default();
    let urgent = if step.def.urgent { desk.pick("TOUT DE SUITE · ", "AT ONCE · ") } else { "" };
    out.say(&format!("{} {}  ", mark(step.state.status), step.def.id), &format!("{urgent}{}", desk.say(&step.def.title)));
    out.say("    ", &needed(step, lang));
    let state_told = state(desk, &step.state);
    if !state_told.is_empty() {
        out.say("    ", &state_told);
    }
    out.gap();
    out.say(desk.pick("Pourquoi     ", "Why          "), desk.say(&step.def.why));
    out.say(desk.pick("On voit      ", "One sees     "), desk.say(&step.def.verify));
    out.say(desk.pick("Pour revenir ", "To take back "), desk.say(&step.def.undo));
    if !step.def.facts.is_empty() {
        out.title(desk.pick("À SAVOIR", "TO KNOW"));
        for fact in &step.def.facts {
            out.say("  · ", desk.say(&fact.text()));
        }
    }
    if !step.targets.is_empty() {
        out.title(desk.pick("SUR QUOI", "ON WHAT"));
        for t in &step.targets {
            let told = state(desk, &t.state);
            let told = if told.is_empty() { String::new() } else { format!(" · {told}") };
            let because = t.because.iter().take(3).map(|b| clean(b)).collect::<Vec<_>>().join(", ");
            let doubt = if t.certain { "" } else { desk.pick(" · soupçonné", " · suspected") };
            out.say(
                &format!("  {} ", mark(t.state.status)),
                &format!("{} {}{doubt}{told} · {because}", kind(t.kind, lang), facts.shown(&t.value)),
            );
        }
        if all > step.targets.len() {
            let (n, case) = (all - step.targets.len(), desk.case_option());
            let id = &step.def.id;
            out.say(
                "  ",
                &match lang {
                    Lang::Fr => format!("… et {n} de plus : reflexe steps{case} {id} --target NOM, ou --json pour tout."),
                    Lang::En => format!("… and {n} more: reflexe steps{case} {id} --target NAME, or --json for all."),
                },
            );
        }
    }
    let of = |n: usize| -> Vec<&ShownCommand> {
        if step.targets.is_empty() {
            step.commands.get(n).into_iter().collect()
        } else {
            step.targets.iter().filter_map(|t| t.commands.get(n)).collect()
        }
    };
    if !step.def.commands.is_empty() {
        out.title(desk.pick(
            "COMMANDES À COPIER : reflexe n’en lance aucune. Relisez chaque valeur avant.",
            "COMMANDS TO COPY: reflexe runs none. Read every value first.",
        ));
        // All targets of one command together: they are blocked together, then reset together.
        for n in 0..step.def.commands.len() {
            command(&mut out, desk, &of(n));
        }
    }
    out.text()
}

fn command(out: &mut Lines, desk: &Desk, all: &[&ShownCommand]) {
    let Some(first) = all.first() else { return };
    let unverified = if first.verified { "" } else { desk.pick("  [à vérifier]", "  [to be verified]") };
    out.gap();
    out.say("  ▸ ", &format!("{}{unverified}", desk.say(&first.title)));
    out.say(desk.pick("    Droit     ", "    Right   "), desk.say(&first.privilege));
    if let Some(note) = &first.note {
        out.say(desk.pick("    Attention ", "    Careful "), desk.say(note));
    }
    let mut seen: Vec<&str> = Vec::new();
    for one in all {
        let text = desk.say(&one.lines);
        // What names no target is the same for all of them.
        if !seen.contains(&text) {
            seen.push(text);
            out.whole(6, text);
        }
        for why in &one.refused {
            out.say("      ! ", desk.say(why));
        }
    }
    out.whole(4, desk.pick("Vérifier", "Verify"));
    let mut seen: Vec<&str> = Vec::new();
    for one in all {
        let text = desk.say(&one.verify);
        if !seen.contains(&text) {
            seen.push(text);
            out.whole(6, text);
        }
    }
    out.say(desk.pick("    Revenir   ", "    Undo    "), desk.say(&first.undo));
}

fn kind(kind: TargetKind, lang: Lang) -> &'static str {
    let (fr, en) = match kind {
        TargetKind::User => ("compte", "account"),
        TargetKind::App => ("application", "application"),
        TargetKind::Device => ("appareil", "device"),
        TargetKind::Mailbox => ("boîte", "mailbox"),
        TargetKind::Rule => ("règle", "rule"),
        TargetKind::Domain => ("domaine", "domain"),
        TargetKind::Address => ("adresse", "address"),
    };
    if lang == Lang::Fr { fr } else { en }
}

// What a person says.

fn write(desk: &mut Desk, id: &str, said: &Said, facts: &Facts, json: bool) -> Result<ExitCode> {
    let lang = desk.lang;
    let Some(step) = steps::one(id, &input(desk, facts)) else { return wrong(id) };
    // A name that is typed in another case is the one that was found.
    let target = match &said.target {
        None => None,
        Some(_) if step.def.targets.is_empty() => {
            return wrong(&match lang {
                Lang::Fr => format!("{id} se fait une fois pour tout : sans --target."),
                Lang::En => format!("{id} is done once for all: without --target."),
            });
        }
        Some(t) => match step.targets.iter().find(|known| known.value.eq_ignore_ascii_case(t.trim())) {
            Some(known) => Some(known.value.clone()),
            None => {
                errln!("{}", unknown_target(id, t, lang));
                match lang {
                    Lang::Fr => errln!("L’état est noté tout de même."),
                    Lang::En => errln!("The state is noted all the same."),
                }
                Some(t.trim().to_owned())
            }
        },
    };
    let before = match &target {
        None => steps::states(&desk.entries).remove(&(id.to_owned(), None)).unwrap_or_default(),
        Some(t) => step.targets.iter().find(|known| known.value == *t).map(|k| k.state.clone()).unwrap_or_default(),
    };
    let status = match said.status.as_deref().map(status_of) {
        None => before.status.unwrap_or(Status::Planned),
        Some(Some(status)) => status,
        Some(None) => {
            let word = clean(said.status.as_deref().unwrap_or_default());
            return wrong(&match lang {
                Lang::Fr => format!(
                    "{word} : cet état n’existe pas. États : prévu (planned), en cours (doing), fait (done), échoué (failed), abandonné (cancelled)."
                ),
                Lang::En => format!("{word}: there is no such state. States: planned, doing, done, failed, cancelled."),
            });
        }
    };
    let due = match &said.due {
        None => before.due,
        Some(text) => match desk.moment(text) {
            Ok(when) => Some(when.start),
            Err(error) => return wrong(&error.to_string()),
        },
    };
    if let (Some(text), Some(at)) = (&said.due, due.as_ref().and_then(|d| d.parse::<Timestamp>().ok()))
        && at < desk.now()
    {
        let at = moment(&at.to_zoned(desk.zone.clone()), lang);
        match lang {
            Lang::Fr => {
                errln!("« {} » est lu {at} : c’est déjà passé. Précisez le jour si besoin (23/11 09:00).", clean(text))
            }
            Lang::En => {
                errln!("“{}” is read as {at}: that is past already. Say the day if needed (23/11 09:00).", clean(text))
            }
        }
    }
    let about = target.as_ref().map(|t| format!(", {t}")).unwrap_or_default();
    let title = desk.say(&step.def.title);
    let text = match lang {
        Lang::Fr => format!("{id}{about} : {} ({title})", status_word(status, lang)),
        Lang::En => format!("{id}{about}: {} ({title})", status_word(status, lang)),
    };
    let mut draft = desk.draft(Kind::Action, &text).with(&Payload::Step { step: id.to_owned(), target: target.clone() });
    let content = &mut draft.content;
    content.status = Some(status);
    content.assignee = said.owner.clone().or(before.owner);
    content.due = due;
    content.effect = said.effect.clone().or(before.effect);
    content.targets = target.iter().cloned().collect();
    content.links = vec![id.to_owned()];
    let entry = desk.journal.add(&draft)?;
    desk.reload()?;
    let key = (id.to_owned(), target.clone());
    let now = steps::states(&desk.entries).remove(&key).unwrap_or_default();
    if json {
        let told = json!({ "step": id, "target": target, "state": state_json(&now), "entry": entry.header.entry_id });
        crate::out::json(&told)?;
    } else {
        let target = target.map(|t| format!(" {}", clean(&t))).unwrap_or_default();
        outln!("{} {id}{target} · {}", mark(now.status), state(desk, &now));
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown_target(id: &str, target: &str, lang: Lang) -> String {
    let target = clean(target);
    match lang {
        Lang::Fr => format!("{target} n’est pas parmi ce que {id} concerne d’après les preuves et les réponses."),
        Lang::En => format!("{target} is not among what {id} is about by the evidence and the answers."),
    }
}

/// A state as it is typed, in either language.
fn status_of(word: &str) -> Option<Status> {
    Some(match word.trim().to_lowercase().as_str() {
        "planned" | "prévu" | "prevu" | "prévue" | "planifié" | "planifie" | "à faire" => Status::Planned,
        "doing" | "en cours" | "en-cours" | "encours" => Status::Doing,
        "done" | "fait" | "faite" => Status::Done,
        "failed" | "échoué" | "echoue" | "échec" | "echec" => Status::Failed,
        "cancelled" | "canceled" | "abandonné" | "abandonne" | "annulé" | "annule" => Status::Cancelled,
        _ => return None,
    })
}

// For programs.

fn tri(value: Tri) -> &'static str {
    match value {
        Tri::Yes => "yes",
        Tri::Maybe => "maybe",
        Tri::No => "no",
    }
}

fn state_json(s: &StepState) -> Value {
    json!({ "status": s.status, "owner": s.owner, "due": s.due, "effect": s.effect, "conflict": s.conflict, "entries": s.entries })
}

/// A step; with its commands where it is shown whole.
fn as_json(step: &PlannedStep<'_>, facts: &Facts, whole: Option<Lang>) -> Value {
    let def = step.def;
    let notes: Vec<Value> = def.facts.iter().map(|n| json!({ "fr": n.fr, "en": n.en, "verified": n.verified })).collect();
    let commands = |all: &[ShownCommand]| -> Value {
        if whole.is_none() {
            return json!(def.commands);
        }
        let told = all.iter().map(|c| {
            json!({ "id": c.id, "title": c.title, "module": c.module, "graph": c.graph, "privilege": c.privilege, "lines": c.lines,
                    "verify": c.verify, "undo": c.undo, "note": c.note, "complete": c.complete, "refused": c.refused,
                    "verified": c.verified })
        });
        told.collect()
    };
    let targets: Vec<Value> = step
        .targets
        .iter()
        .map(|t| {
            let mut told = json!({ "kind": t.kind, "value": t.value, "name": facts.names.get(&t.value.to_lowercase()), "certain": t.certain, "because": t.because, "state": state_json(&t.state) });
            if whole.is_some() {
                told["commands"] = commands(&t.commands);
            }
            told
        })
        .collect();
    json!({
        "id": def.id, "title": def.title, "why": def.why, "needed": tri(step.needed), "because": step.because, "urgent": def.urgent,
        "roles": def.roles, "facts": notes, "verify": def.verify, "undo": def.undo, "state": state_json(&step.state),
        "targets": targets, "commands": commands(&step.commands),
    })
}
