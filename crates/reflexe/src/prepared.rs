//! What the organisation prepared, as the judging and the questions use it. A pack given once is copied into the case and used from
//! then on. A declaration lowers findings to information with the name of who declared it; it hides nothing.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use reflexe_case::{Case, journal::Written};
use reflexe_engine::{Inputs, grid::TextRow};
use reflexe_evidence::spec;
use reflexe_fiche::{
    conclude::Rules,
    pack::{Egress, Fault, Pack},
    response::Response,
    say::clean,
    triage::{Explained, Marks},
};
use reflexe_model::{AnswerValue, Finding, Lang, Text};

use crate::assemble;

/// Folder of the pack in a case.
pub const FOLDER: &str = "preparation";

/// A preparation pack, or none.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// The pack.
    pub pack: Option<Pack>,
    /// The day on which it is used: declarations may have ended.
    pub today: Option<Date>,
    /// The case that it was copied into: ranges too wide to write out are looked up in its evidence.
    case: Option<PathBuf>,
}

impl Prepared {
    /// The pack of a case, if it has one. Mistakes in it are told on the standard error; what is right is used.
    ///
    /// # Errors
    /// When the pack is there and cannot be read.
    pub fn of_case(dir: &Path, response: &Response, today: Date, lang: Lang) -> Result<Self> {
        let folder = dir.join(FOLDER);
        if !folder.is_dir() {
            return Ok(Self { today: Some(today), ..Self::default() });
        }
        if let Some(file) = forged(dir, &folder)? {
            match lang {
                Lang::Fr => errln!(
                    "{file} a été modifié hors de reflexe : ce qui a été préparé n’est pas pris en compte. Redonnez le dossier de préparation avec --prepared."
                ),
                Lang::En => errln!(
                    "{file} was changed outside reflexe: what was prepared does not count. Give the preparation pack again with --prepared."
                ),
            }
            return Ok(Self { today: Some(today), ..Self::default() });
        }
        let (pack, faults) = Pack::load(&folder, response).map_err(|e| anyhow::anyhow!(e.text().get(lang).to_owned()))?;
        for Fault { file, line, text } in &faults {
            let line = line.map(|n| format!(":{n}")).unwrap_or_default();
            errln!("{file}{line}: {}", text.get(lang));
        }
        Ok(Self { pack: Some(pack), today: Some(today), case: Some(dir.to_owned()) })
    }

    /// The organisation's own exits.
    fn egress(&self) -> Egress {
        match (&self.pack, self.today) {
            (Some(pack), Some(today)) => pack.egress(today),
            _ => Egress::default(),
        }
    }

    /// Addresses of the organisation's own exits, one by one, as the checks match them. Of a range too wide to write out, those
    /// that the evidence names. Where the evidence cannot be asked the range is left out and told: a finding too many, none too few.
    fn exits(&self) -> Vec<String> {
        let egress = self.egress();
        let (mut out, wide) = egress.addresses();
        if wide.is_empty() {
            return out;
        }
        let Some(dir) = &self.case else { return out };
        match addresses(dir) {
            Ok(seen) => {
                let inside =
                    |ip: &String| ip.parse::<std::net::IpAddr>().is_ok_and(|ip| wide.iter().any(|net| net.contains(&ip)));
                out.extend(seen.into_iter().filter(inside));
            }
            Err(error) => {
                let list = wide.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                errln!("egress.csv: {list}: {error:#}");
            }
        }
        out
    }

    /// Sensitive people.
    pub fn vips(&self) -> Vec<String> {
        self.pack.as_ref().map(Pack::vips).unwrap_or_default()
    }

    /// The tables `input.*` of the checks.
    pub fn inputs(&self) -> Inputs {
        let row = |pairs: &[(&str, &str)]| -> TextRow { pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() };
        // A declaration about one check only is applied to that check's findings: see `dismiss`.
        let legit = self.legit().into_iter().filter(|l| l.checks.is_empty());
        Inputs {
            vip: self.vips().iter().map(|v| row(&[("principal", v)])).collect(),
            egress: self.exits().iter().map(|ip| row(&[("ip", ip)])).collect(),
            legit: legit.map(|l| row(&[("object", &l.object), ("claim", &l.claim), ("who", &l.who)])).collect(),
            answer: Vec::new(),
        }
    }

    fn legit(&self) -> Vec<reflexe_fiche::pack::Legit> {
        match (&self.pack, self.today) {
            (Some(pack), Some(today)) => pack.legit(today),
            _ => Vec::new(),
        }
    }

    /// Marks the findings that a declaration about their check explains.
    pub fn dismiss(&self, findings: &[Finding], marks: &mut Marks) {
        for said in &self.legit() {
            let speaks_of = |f: &&Finding| {
                let subject = f.subject.to_lowercase();
                if said.checks.is_empty() {
                    // The check took the declaration into account; what is added is the name of who declared it.
                    let taken = f.signs.iter().any(|s| s.name == "declared_legitimate");
                    taken && (subject == said.object || format!("{subject}/{}", f.key.to_lowercase()) == said.object)
                } else {
                    said.checks.contains(&f.check) && subject == said.object
                }
            };
            for f in findings.iter().filter(speaks_of) {
                let declared = Explained { who: said.who.clone(), why: format!("{FOLDER}: {}", said.claim), seen: None };
                marks.dismissed.entry(f.id.clone()).or_insert(declared);
            }
        }
    }

    /// From how many compromised accounts on the perimeter is extended: the pack's number, or its share of the accounts if that
    /// is more.
    pub fn many_accounts(&self, accounts: Option<u64>) -> usize {
        let usual = Rules::embedded().many_accounts();
        let Some(profile) = self.pack.as_ref().map(|p| &p.profile) else { return usual };
        let share = profile.extended_percent.zip(accounts).map_or(0, |(percent, n)| n * u64::from(percent) / 100);
        let number = profile.extended_accounts.map_or(usual, |n| n as usize);
        number.max(usize::try_from(share).unwrap_or(usize::MAX))
    }

    /// Answers that the pack proposes, given who holds a privileged role and the questions that findings propose an answer to.
    pub fn prefill(&self, privileged: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<(String, AnswerValue, Text)> {
        let Some(pack) = &self.pack else { return Vec::new() };
        let all = pack.prefill().into_iter().chain(pack.administrators(privileged, found));
        all.filter(|p| !p.choices_only).map(|p| (p.question, p.value, p.reason)).collect()
    }

    /// What of the pack the judging depends on, as one text.
    pub fn fingerprint(&self) -> String {
        let legit = self.legit().into_iter().map(|l| (l.object, l.claim, l.who, l.checks)).collect::<Vec<_>>();
        format!("{:?}", (self.vips(), self.egress().ranges, legit))
    }

    /// Statuses of the organisation, for steps and clocks.
    pub fn statuses(&self) -> BTreeMap<String, bool> {
        self.pack.as_ref().map(Pack::statuses).unwrap_or_default()
    }
}

/// A file of the pack that no device wrote into the case as it lies there: a declaration by nobody would whitewash anybody.
fn forged(dir: &Path, folder: &Path) -> Result<Option<String>> {
    let case = Case::open_for_reading(dir)?;
    let mut names: Vec<_> = fs::read_dir(folder).with_context(|| folder.display().to_string())?.flatten().collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for name in names {
        let file = format!("{FOLDER}/{}", name.file_name().to_string_lossy());
        if name.path().is_file() && case.written(&file)? == Written::Changed {
            return Ok(Some(clean(&file)));
        }
    }
    Ok(None)
}

/// Every address that the evidence of a case names.
fn addresses(dir: &Path) -> Result<BTreeSet<String>> {
    let case = Case::open_for_reading(dir)?;
    let session = assemble::session(&case, None, assemble::Limits::default(), Inputs::default())?;
    let mut out = BTreeSet::new();
    for table in spec::tables() {
        for column in table.columns.iter().map(|c| c.name.as_str()).filter(|c| matches!(*c, "ip" | "client_ip")) {
            out.extend(session.strings(&format!("select distinct {column} from {} where {column} is not null", table.name))?);
        }
    }
    Ok(out)
}

/// What a case takes of a pack: the profile and the tables, nothing else, where they differ from what it holds.
///
/// # Errors
/// When a file cannot be read.
pub fn adopt(pack: &Path, dir: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = dir.join(FOLDER);
    let mut written = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(pack).with_context(|| pack.display().to_string())?.flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries.into_iter().filter(|p| p.extension().is_some_and(|e| e == "toml" || e == "csv")) {
        let Some(name) = path.file_name() else { continue };
        let target = folder.join(name);
        let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
        if fs::read(&target).ok().as_ref() != Some(&bytes) {
            written.push((target, bytes));
        }
    }
    Ok(written)
}
