//! Hard mixes: evidence that is large in one direction, as an attacker or an unlucky export makes it. They tell no story; they
//! show that judging ends, in the memory that it was given. `simulate hard-… OUT --events N`.
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use crate::{
    Error, Summary,
    text::{DAY, Iso, Seconds},
};

/// A mix: its name as a scenario, and the record that stands at a place.
struct Mix {
    name: &'static str,
    record: fn(u64, Seconds) -> String,
    /// Each record in a file of its own.
    apart: bool,
}

const TENANT: &str = "2f0b8c1e-7d34-4a56-9c21-0d9e5b6a7f10";

const MIXES: [Mix; 6] = [
    Mix { name: "hard-one-account", record: |n, end| refused(n, end - 600 + (n % 600) as i64, 1, "203.0.113.9"), apart: false },
    Mix {
        name: "hard-one-address",
        record: |n, end| refused(n, end - 3500 + (n % 3500) as i64, n % 60_000, "203.0.113.9"),
        apart: false,
    },
    Mix {
        name: "hard-many-addresses",
        record: |n, end| {
            refused(
                n,
                end - DAY + (n / 20 % 80_000 + n % 20 * 60) as i64,
                n % 20,
                &format!("198.18.{}.{}", n / 20 / 250 % 250, n / 20 % 250),
            )
        },
        apart: false,
    },
    Mix { name: "hard-one-mailbox", record: |n, end| rule(n, end - DAY + (n % 80_000) as i64), apart: false },
    Mix { name: "hard-rights", record: |n, end| right(n, end - DAY + (n % 80_000) as i64), apart: false },
    Mix { name: "hard-small-files", record: |n, end| right(n, end - DAY + (n % 80_000) as i64), apart: true },
];

/// Writes a mix of `rows` records into `evidence`, if one has this name; says whether.
pub(crate) fn write(name: &str, rows: u64, end: Seconds, evidence: &Path) -> Result<bool, Error> {
    let Some(mix) = MIXES.iter().find(|m| m.name == name) else { return Ok(false) };
    fs::create_dir_all(evidence).map_err(|e| Error::write(evidence, e))?;
    if mix.apart {
        for n in 0..rows {
            let path = evidence.join(format!("{n:06}.json"));
            fs::write(&path, (mix.record)(n, end)).map_err(|e| Error::write(&path, e))?;
        }
        return Ok(true);
    }
    let path = evidence.join("records.jsonl");
    let failed = |e| Error::write(&path, e);
    let mut out = BufWriter::new(File::create(&path).map_err(failed)?);
    for n in 0..rows {
        writeln!(out, "{}", (mix.record)(n, end)).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    Ok(true)
}

/// What was written: there is no truth to tell.
pub(crate) fn summary(name: &str, rows: u64, out: &Path) -> Summary {
    let sign_ins = if name.contains("account") || name.contains("address") { rows } else { 0 };
    let apart = MIXES.iter().any(|m| m.name == name && m.apart);
    let ual_records = rows - sign_ins;
    let ual_files = if apart { rows } else { ual_records.min(1) };
    Summary {
        evidence: out.join("evidence"),
        truth: out.join("evidence"),
        tenant_id: TENANT.to_owned(),
        ual_records,
        ual_repeated: 0,
        ual_files,
        sign_ins,
        directory_audits: 0,
        steps: 0,
    }
}

fn refused(n: u64, at: Seconds, user: u64, ip: &str) -> String {
    format!(
        r#"{{"id":"{n:08x}-7847-431a-9df4-34eac50f9a93","createdDateTime":"{}Z","userDisplayName":"u{user}","userPrincipalName":"u{user}@example.com","userId":"00900cd9-bd40-4a22-a251-{user:012x}","appId":"00000002-0000-0ff1-ce00-000000000000","appDisplayName":"Office 365 Exchange Online","ipAddress":"{ip}","clientAppUsed":"Browser","correlationId":"{n:08x}-d8e6-4665-8cef-66a91b9f5b69","conditionalAccessStatus":"notApplied","isInteractive":true,"resourceDisplayName":"Microsoft Graph","resourceTenantId":"{TENANT}","homeTenantId":"{TENANT}","signInEventTypes":["interactiveUser"],"status":{{"errorCode":50126,"failureReason":"Invalid username or password.","additionalDetails":null}},"deviceDetail":{{"deviceId":"","browser":"Chrome 121","operatingSystem":"Windows10"}},"location":{{"city":"Paris","state":"","countryOrRegion":"FR"}},"autonomousSystemNumber":64500}}"#,
        Iso(at)
    )
}

fn audited(n: u64, at: Seconds, user: &str, operation: &str, object: &str, parameters: &str) -> String {
    format!(
        r#"{{"CreationTime":"{}","Id":"{n:08x}-f595-4b15-8fea-8c5f87c34dd5","Operation":"{operation}","OrganizationId":"{TENANT}","RecordType":1,"ResultStatus":"True","UserKey":"{user}","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"198.51.100.7","UserId":"{user}@example.com","ObjectId":"{object}","Parameters":[{parameters}]}}"#,
        Iso(at)
    )
}

fn rule(n: u64, at: Seconds) -> String {
    let parameters = format!(
        r#"{{"Name":"Name","Value":"r{n}"}},{{"Name":"SubjectOrBodyContainsWords","Value":"invoice;password"}},{{"Name":"MoveToFolder","Value":"RSS Feeds"}},{{"Name":"ForwardTo","Value":"x{n}@example.net"}},{{"Name":"MarkAsRead","Value":"True"}}"#
    );
    audited(n, at, "anna", "New-InboxRule", &format!(r"anna\\r{n}"), &parameters)
}

fn right(n: u64, at: Seconds) -> String {
    let parameters = format!(
        r#"{{"Name":"Identity","Value":"u{n}"}},{{"Name":"User","Value":"v{}"}},{{"Name":"AccessRights","Value":"FullAccess"}}"#,
        n % 50
    );
    audited(n, at, "adm", "Add-MailboxPermission", &format!("u{n}"), &parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mix_writes_as_many_records_as_asked_all_of_them_json() {
        for mix in MIXES {
            let folder = std::env::temp_dir().join(format!("reflexe-{}-{}", mix.name, std::process::id()));
            assert!(write(mix.name, 7, 1_774_980_000, &folder).expect("written"));
            let texts =
                fs::read_dir(&folder).expect("a folder").map(|e| fs::read_to_string(e.expect("a file").path()).expect("a text"));
            let lines: Vec<String> = texts.flat_map(|t| t.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
            assert_eq!(lines.len(), 7, "{}", mix.name);
            assert!(lines.iter().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()), "{}", mix.name);
            fs::remove_dir_all(&folder).expect("gone");
        }
        assert!(!write("clean", 7, 0, Path::new("/nowhere")).expect("no mix"));
    }
}
