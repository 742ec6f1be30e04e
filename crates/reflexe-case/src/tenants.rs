//! Whose evidence is whose. One tenant a case: each tenant is judged on its own files, and no join crosses.
//!
//! A file belongs to the tenant that most of its rows name. A file whose rows name none (a list of users, say) belongs
//! to the tenant of its neighbours: the nearest folder above it that holds files of a known tenant decides, if that is
//! one tenant only. So an export fetched later and dropped from elsewhere joins the only tenant of the case.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What is known of a file's tenant.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Evidence id.
    pub id: String,
    /// Absolute path at the time of the import.
    pub origin: PathBuf,
    /// Rows by tenant id; rows that name none under the empty string.
    pub tenants: BTreeMap<String, u64>,
    /// Domains that the file shows to be its tenant's own.
    pub domains: Vec<String>,
}

impl Provenance {
    /// The tenant that most rows name; of equals the first id.
    fn dominant(&self) -> Option<&str> {
        let named = self.tenants.iter().filter(|(id, rows)| !id.is_empty() && **rows > 0);
        named.max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0))).map(|(id, _)| id.as_str())
    }
}

/// A tenant that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseTenant {
    /// Directory id; none if no evidence names any, or if it cannot be told whose these files are.
    pub id: Option<String>,
    /// Evidence ids, in order of import.
    pub evidence: Vec<String>,
    /// Domains that its evidence shows to be its own.
    pub domains: Vec<String>,
}

/// The tenants of a case.
#[derive(Debug, Clone)]
pub struct Tenants {
    files: Vec<Provenance>,
    /// Tenant of each file, in the same order.
    of: Vec<Option<String>>,
}

impl Tenants {
    /// Decides the tenant of each file; `files` in order of import.
    pub fn new(files: Vec<Provenance>) -> Self {
        let mut by_folder: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
        for file in &files {
            if let Some(tenant) = file.dominant() {
                for folder in folders(&file.origin) {
                    by_folder.entry(folder).or_default().insert(tenant);
                }
            }
        }
        let neighbours = |file: &Provenance| {
            let known = folders(&file.origin).find_map(|folder| by_folder.get(folder))?;
            if known.len() == 1 { known.first().copied() } else { None }
        };
        let of = files.iter().map(|file| file.dominant().or_else(|| neighbours(file)).map(str::to_owned)).collect();
        Self { files, of }
    }

    /// The tenant of a file, and so of its rows that name none.
    pub fn default_of(&self, evidence_id: &str) -> Option<&str> {
        let position = self.files.iter().position(|f| f.id == evidence_id)?;
        self.of[position].as_deref()
    }

    /// The tenants to be judged, in the order in which the evidence first shows them: those that most rows of at least
    /// one file name; last, with no id, the files of which it cannot be told whose they are.
    pub fn judged(&self) -> Vec<CaseTenant> {
        let mut judged: Vec<CaseTenant> = Vec::new();
        for (file, tenant) in self.files.iter().zip(&self.of) {
            let position = judged.iter().position(|t| t.id == *tenant).unwrap_or_else(|| {
                judged.push(CaseTenant { id: tenant.clone(), evidence: Vec::new(), domains: Vec::new() });
                judged.len() - 1
            });
            judged[position].evidence.push(file.id.clone());
            judged[position].domains.extend(file.domains.iter().cloned());
        }
        for tenant in &mut judged {
            tenant.domains.sort();
            tenant.domains.dedup();
        }
        judged.sort_by_key(|t| t.id.is_none()); // stable
        judged
    }

    /// Every other tenant of which the case holds rows, seen from one that is judged.
    pub fn others(&self, tenant: Option<&str>) -> Vec<String> {
        let named = self.files.iter().flat_map(|f| f.tenants.iter()).filter(|(id, rows)| !id.is_empty() && **rows > 0);
        let all: BTreeSet<&str> = named.map(|(id, _)| id.as_str()).filter(|id| Some(*id) != tenant).collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

/// The folders above a file, nearest first; last the whole case (an empty path: there may be several drives).
fn folders(origin: &Path) -> impl Iterator<Item = &Path> {
    origin.ancestors().skip(1).filter(|p| !p.as_os_str().is_empty()).chain([Path::new("")])
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
    const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

    fn file(id: &str, origin: &str, tenants: &[(&str, u64)]) -> Provenance {
        let tenants = tenants.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect();
        Provenance { id: id.into(), origin: origin.into(), tenants, domains: vec![format!("{id}.example.com")] }
    }

    fn ids(tenants: &Tenants) -> Vec<(Option<String>, Vec<String>)> {
        tenants.judged().into_iter().map(|t| (t.id, t.evidence)).collect()
    }

    #[test]
    fn a_file_without_tenant_belongs_with_its_neighbours() {
        let tenants = Tenants::new(vec![
            file("e1", "/x/a/ual.csv", &[(A, 10), (B, 3), ("", 99)]),
            file("e2", "/x/b/deep/scuba.json", &[(B, 1)]),
            file("e3", "/x/b/users.json", &[("", 5)]),
            file("e4", "/x/groups.json", &[]),
        ]);
        assert_eq!(tenants.default_of("e1"), Some(A));
        assert_eq!(tenants.default_of("e3"), Some(B), "the folder b knows B only");
        assert_eq!(tenants.default_of("e4"), None, "the folder x knows both");
        assert_eq!(tenants.default_of("e9"), None);
        let expected = [(Some(A), vec!["e1"]), (Some(B), vec!["e2", "e3"]), (None, vec!["e4"])];
        let expected: Vec<_> =
            expected.into_iter().map(|(t, e)| (t.map(String::from), e.into_iter().map(String::from).collect())).collect();
        assert_eq!(ids(&tenants), expected);
        assert_eq!(tenants.judged()[1].domains, ["e2.example.com", "e3.example.com"]);
        assert_eq!(tenants.others(Some(A)), [B]);
    }

    #[test]
    fn a_tenant_that_is_nowhere_dominant_is_only_named() {
        let tenants = Tenants::new(vec![file("e1", "/x/ual.csv", &[(A, 10), (B, 3)])]);
        assert_eq!(ids(&tenants), [(Some(A.to_owned()), vec!["e1".to_owned()])]);
        assert_eq!(tenants.others(Some(A)), [B]);
    }

    #[test]
    fn an_export_dropped_later_from_elsewhere_joins_the_only_tenant() {
        let tenants = Tenants::new(vec![file("e1", "/x/ual.csv", &[(A, 1)]), file("e2", "/home/r/users.json", &[])]);
        assert_eq!(tenants.default_of("e2"), Some(A));
    }

    #[test]
    fn without_any_tenant_there_is_one_group() {
        let tenants = Tenants::new(vec![file("e1", "/x/users.json", &[]), file("e2", "/y/groups.json", &[("", 1)])]);
        assert_eq!(ids(&tenants), [(None, vec!["e1".to_owned(), "e2".to_owned()])]);
        assert!(tenants.others(None).is_empty());
    }

    #[test]
    fn of_equals_the_first_id_wins() {
        let tenants = Tenants::new(vec![file("e1", "/x/ual.csv", &[(B, 2), (A, 2)])]);
        assert_eq!(tenants.default_of("e1"), Some(A));
    }
}
