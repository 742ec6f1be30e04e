//! `reflexe check`: the checks with their verdicts, or some of them whole: what was asked, found and missing, and how it was
//! judged. Told from the judgement that is kept, so that it is the very one of the report.
use std::process::ExitCode;

use anyhow::{Result, bail};
use reflexe_case::Case;
use reflexe_evidence::obtain;
use reflexe_fiche::{
    Catalogue,
    catalogue::Check,
    def::{CheckDef, Need, Sign},
    say::clean,
};
use reflexe_model::{CheckResult, CoverageLevel, Finding, Lang, Text, Verdict};
use serde_json::{Value, json};

use crate::{assemble::JudgeOptions, commands, judged::Judged, respond::lines::Lines};

/// Rows of a finding that are listed in a terminal.
const ROWS: usize = 20;

/// Tells of the checks named by their ids or items; of every check, in one line each, when none is.
///
/// # Errors
/// When the case cannot be judged, or there is no such check.
pub fn run(case: &Case, ids: &[String], options: &JudgeOptions, again: bool, lang: Lang, json: bool) -> Result<ExitCode> {
    let catalogue = Catalogue::load()?;
    let named = named(&catalogue, ids, lang)?;
    let tenants = if again {
        commands::judged_anew(case, &catalogue, options, lang)
    } else {
        commands::judged(case, &catalogue, options, lang)
    }?;
    if json {
        let told: Vec<Value> = tenants.iter().map(|t| told(t, &named)).collect();
        crate::out::json(&json!({ "schema": "reflexe.checks/1", "tenants": told }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for tenant in &tenants {
        let mut out = Lines::default();
        if tenants.len() > 1 {
            out.title(&clean(tenant.case.tenant.id.as_deref().unwrap_or("?")));
        }
        if let Some(text) = reflexe_report::rests_on(&tenant.evidence, &tenant.unrecognised, lang) {
            out.say("⚠ ", &text);
        }
        if named.is_empty() {
            list(tenant, lang, &mut out);
        }
        for check in &named {
            if let Some(result) = tenant.checks.iter().find(|c| c.id == check.def.id) {
                whole(check, result, tenant, lang, &mut out);
            }
        }
        out!("{}", out.text());
    }
    Ok(ExitCode::SUCCESS)
}

/// The checks that some ids mean, each id being that of a check or of an item.
fn named<'c>(catalogue: &'c Catalogue, ids: &[String], lang: Lang) -> Result<Vec<&'c Check>> {
    let mut out: Vec<&Check> = Vec::new();
    for id in ids {
        let mut mine = catalogue.checks.iter().filter(|c| &c.def.id == id || c.def.items.contains(id)).peekable();
        if mine.peek().is_none() {
            match lang {
                Lang::Fr => bail!(
                    "{} : ni un contrôle ni un point de la fiche ; « reflexe checks » et « reflexe items » les listent",
                    clean(id)
                ),
                Lang::En => bail!(
                    "{}: neither a check nor an item of the sheet; “reflexe checks” and “reflexe items” list them",
                    clean(id)
                ),
            }
        }
        for check in mine {
            if out.iter().all(|known| known.def.id != check.def.id) {
                out.push(check);
            }
        }
    }
    Ok(out)
}

// In JSON.

fn told(tenant: &Judged, named: &[&Check]) -> Value {
    let checks: Vec<Value> = if named.is_empty() {
        tenant.checks.iter().map(|c| json!(c)).collect()
    } else {
        let of = |check: &&Check| tenant.checks.iter().find(|c| c.id == check.def.id).map(|c| whole_json(check, c, tenant));
        named.iter().filter_map(of).collect()
    };
    json!({ "tenant": tenant.case.tenant, "window": tenant.case.window, "checks": checks, "unrecognised": tenant.unrecognised })
}

fn whole_json(check: &Check, result: &CheckResult, tenant: &Judged) -> Value {
    let def = &check.def;
    let sign = |(name, s): (&String, &Sign)| {
        json!({ "name": name, "points": s.points, "verdict": s.verdict, "at_most": s.at_most, "weight": s.weight,
            "decisive": s.decisive, "text": { "fr": s.fr, "en": s.en } })
    };
    let j = &def.judge;
    let mut told = json!(result);
    told["items"] = json!(def.items);
    told["class"] = json!(def.class.as_str());
    told["weight"] = json!(def.weight);
    told["found"] = json!(findings(result, tenant));
    told["judge"] = json!({ "base": j.base, "weakness": j.weakness, "suspicious": j.suspicious, "compromise": j.compromise,
        "decisive": j.decisive, "only_if": j.only_if });
    told["signs"] = def.signs.iter().map(sign).collect();
    told["needs"] = def.needs.iter().map(|(table, need)| need_words(table, need)).collect();
    told["better_with"] = def.better_with.iter().map(|(table, need)| need_words(table, need)).collect();
    told["parameters"] = def.params.iter().map(|(name, p)| json!({ "name": name, "value": p.value, "why": p.why })).collect();
    told["sql"] = json!(check.sql);
    told
}

fn findings<'t>(result: &CheckResult, tenant: &'t Judged) -> Vec<&'t Finding> {
    tenant.findings.iter().filter(|f| f.check == result.id).collect()
}

// In words.

fn list(tenant: &Judged, lang: Lang, out: &mut Lines) {
    for check in &tenant.checks {
        let first = format!("{:34} {:10} ", check.id, reflexe_report::verdict_word(check.verdict, lang));
        out.say(&first, &format!("{} · {}", covered(check.coverage, lang), counted(check.findings, lang)));
    }
    let lost: Vec<_> = tenant.unrecognised.iter().filter(|u| !u.harmless).collect();
    if !lost.is_empty() {
        out.title(pick(lang, "Fichiers qui n’ont pas été lus :", "Files that were not read:"));
    }
    for file in lost {
        out.say("  ", &format!("{} — {}", clean(&file.path), reflexe_fiche::say::clean_whole(file.reason.get(lang))));
    }
}

fn whole(check: &Check, result: &CheckResult, tenant: &Judged, lang: Lang, out: &mut Lines) {
    let def = &check.def;
    out.title(&format!("{}  [{}]", def.id, def.items.join(", ")));
    out.say("  ", def.question.get(lang));
    let examined = match lang {
        Lang::Fr => format!("objets examinés : {}", result.examined),
        Lang::En => format!("things looked at: {}", result.examined),
    };
    let verdict = reflexe_report::verdict_word(result.verdict, lang);
    out.say("  ", &format!("{verdict} · {} · {} · {examined}", covered(result.coverage, lang), counted(result.findings, lang)));
    if let Some(error) = &result.error {
        out.say("  ! ", &reflexe_fiche::say::clean_whole(error));
    }
    missing(result, lang, out);
    for finding in findings(result, tenant) {
        out.gap();
        of_finding(finding, lang, out);
    }
    judged(def, lang, out);
    out.title("SQL");
    out.whole(2, check.sql.trim_end());
}

fn missing(result: &CheckResult, lang: Lang, out: &mut Lines) {
    if !result.missing_tables.is_empty() {
        out.say(pick(lang, "  Manque : ", "  Missing: "), &result.missing_tables.join(", "));
    }
    for reason in &result.reasons {
        out.say("    ! ", reason.get(lang));
    }
    for id in &result.missing {
        let title = obtain::by_id(id).map_or(id.as_str(), |o| o.title.get(lang));
        out.say("    → ", &format!("{title} [{id}]"));
    }
}

fn of_finding(finding: &Finding, lang: Lang, out: &mut Lines) {
    let verdict = reflexe_report::verdict_word(finding.verdict, lang);
    let decisive = if finding.decisive { pick(lang, " · décisif", " · decisive") } else { "" };
    out.say("  ", &format!("{verdict}{decisive} · {} [{}]", finding.text.get(lang), finding.id));
    for sign in &finding.signs {
        let points = sign.points.map(|p| format!("{p:+}")).unwrap_or_default();
        out.say(&format!("    {points:>4} "), sign.text.get(lang));
    }
    for row in finding.rows.iter().take(ROWS) {
        let line = pick(lang, "ligne", "line");
        let file = row.file.rsplit('/').next().unwrap_or(&row.file);
        out.whole(4, &format!("{}  {} {line} {}  {}", row.table, clean(file), row.line, clean(&row.locator)));
    }
    let left = finding.rows_total.saturating_sub(finding.rows.len().min(ROWS) as u64);
    if left > 0 {
        out.say("    … ", &format!("{left} {}", pick(lang, "lignes de plus", "rows more")));
    }
}

fn judged(def: &CheckDef, lang: Lang, out: &mut Lines) {
    out.title(pick(lang, "Comment c’est jugé", "How it is judged"));
    let j = &def.judge;
    let base = reflexe_report::verdict_word(j.base.unwrap_or(Verdict::Ok), lang);
    out.say("  ", &format!("{} {base}", pick(lang, "sans aucun signe :", "without any sign:")));
    for (verdict, points) in
        [(Verdict::Weakness, j.weakness), (Verdict::Suspicious, j.suspicious), (Verdict::Compromise, j.compromise)]
    {
        if let Some(points) = points {
            let word = reflexe_report::verdict_word(verdict, lang);
            out.say("  ", &format!("{word} {} {points} {}", pick(lang, "à partir de", "from"), pick(lang, "points", "points")));
        }
    }
    if let Some(points) = j.decisive {
        out.say("  ", &format!("{} {points} points", pick(lang, "décisif à partir de", "decisive from")));
    }
    if let Some(name) = &j.only_if {
        out.say(
            "  ",
            &format!("{} {name}", pick(lang, "les points ne comptent qu’avec le signe", "points count only with the sign")),
        );
    }
    for (name, sign) in &def.signs {
        out.say(&format!("  {name}: "), &of_sign(sign, lang));
    }
    for (title, needs) in [
        (pick(lang, "sans quoi pas de « ok » :", "without these no “ok”:"), &def.needs),
        (pick(lang, "rendent plus précis :", "sharpen it:"), &def.better_with),
    ] {
        let told: Vec<String> = needs.iter().map(|(table, need)| need_words(table, need)).collect();
        if !told.is_empty() {
            out.say("  ", &format!("{title} {}", told.join(", ")));
        }
    }
    for (name, parameter) in &def.params {
        out.say(&format!("  ${name} = {}: ", parameter.value), &parameter.why);
    }
}

fn of_sign(sign: &Sign, lang: Lang) -> String {
    let mut told: Vec<String> = Vec::new();
    told.extend(sign.points.map(|p| format!("{p:+}")));
    told.extend(sign.verdict.map(|v| reflexe_report::verdict_word(v, lang).to_owned()));
    let most = |v| format!("{} {}", pick(lang, "au plus", "at most"), reflexe_report::verdict_word(v, lang));
    told.extend(sign.at_most.map(most));
    if sign.decisive {
        told.push(pick(lang, "décisif", "decisive").to_owned());
    }
    let words = if lang == Lang::Fr { &sign.fr } else { &sign.en };
    told.extend(words.clone());
    told.join(" · ")
}

fn need_words(table: &str, need: &Need) -> String {
    let mut told = table.to_owned();
    if !need.operations.is_empty() {
        told.push_str(&format!(" ({})", need.operations.join(", ")));
    }
    need.or.iter().for_each(|other| told.push_str(&format!(" | {other}")));
    told
}

fn covered(coverage: CoverageLevel, lang: Lang) -> &'static str {
    let text = match coverage {
        CoverageLevel::Full => ("preuves complètes", "evidence complete"),
        CoverageLevel::Partial => ("preuves partielles", "evidence partial"),
        CoverageLevel::None => ("preuves absentes", "no evidence"),
    };
    pick(lang, text.0, text.1)
}

fn counted(findings: usize, lang: Lang) -> String {
    let text = Text::new(format!("faits : {findings}"), format!("findings: {findings}"));
    text.get(lang).to_owned()
}

fn pick(lang: Lang, fr: &'static str, en: &'static str) -> &'static str {
    if lang == Lang::Fr { fr } else { en }
}
