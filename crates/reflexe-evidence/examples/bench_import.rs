//! Measures an import: `bench_import gen FILE MEGABYTES` writes a unified audit log (JSON lines) of a fictional tenant, always
//! the same for a size; `bench_import import FILE OUT_DIR [THREADS]` imports it and prints times and accounting.
#![allow(clippy::print_stdout, reason = "a measuring tool speaks to its user")]
use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use reflexe_evidence::{
    dedup::DedupIndex,
    import::{FileInput, ImportContext, Outcome, import_file},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["gen", file, megabytes] => generate(Path::new(file), megabytes.parse::<u64>()? * 1_000_000),
        ["import", file, out] => import(Path::new(file), Path::new(out), 2),
        ["import", file, out, threads] => import(Path::new(file), Path::new(out), threads.parse()?),
        _ => Err("usage: bench_import gen FILE MEGABYTES | import FILE OUT_DIR [THREADS]".into()),
    }
}

fn import(file: &Path, out: &Path, threads: usize) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(out)?;
    let start = Instant::now();
    let mut dedup = DedupIndex::open(&out.join("index"))?;
    let shown = file.display().to_string();
    let input = FileInput { path: file, shown_path: &shown, file_no: 1 };
    let mut ctx = ImportContext { out_dir: out, dedup: &mut dedup, now: jiff::Timestamp::now(), threads, progress: &|_| {} };
    let outcome = import_file(&input, &mut ctx)?;
    let imported = start.elapsed();
    dedup.flush()?;
    let flushed = start.elapsed();
    match outcome {
        Outcome::Recognised(report) => {
            for source in &report.sources {
                println!("{} {:?} {:?}", source.source, source.rows, source.tables);
            }
            let rate = report.size as f64 / imported.as_secs_f64() / 1e6;
            println!("{} bytes, BLAKE3 {}", report.size, report.blake3);
            println!(
                "import {:.3} s ({rate:.0} MB/s), index {:.3} s",
                imported.as_secs_f64(),
                (flushed - imported).as_secs_f64()
            );
        }
        Outcome::Unrecognised { reason, .. } => println!("not recognised: {}", reason.en),
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmHWM")).for_each(|l| println!("{l}"));
    }
    Ok(())
}

/// A small generator of numbers, so that a size always gives the same file.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn guid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff)
    }
}

/// Writes about `bytes` bytes: 42 % mail reads, 28 % file operations, 23 % logons, the rest mail, administration and a few
/// changes of rules and applications; 2 000 people, 90 days.
fn generate(file: &Path, bytes: u64) -> Result<(), Box<dyn std::error::Error>> {
    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    let mut out = BufWriter::with_capacity(1 << 20, fs::File::create(file)?);
    let mut r = Random(7);
    let sessions: Vec<String> = (0..8000).map(|_| r.guid()).collect();
    let guids: Vec<String> = (0..2000).map(|_| r.guid()).collect();
    let (mut written, mut n) = (0, 0_u64);
    while written < bytes {
        let person = r.below(2000) as usize;
        let upn = format!("prénom.nom{person}@example.com").replace('é', "e");
        let second = n * 7_776_000 / (bytes / 1800).max(1);
        let (day, clock) = (second / 86_400, second % 86_400);
        let time = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}",
            1 + day / 30 % 12,
            1 + day % 28,
            clock / 3600,
            clock / 60 % 60,
            clock % 60
        );
        let ip = format!("{}.{}.{}", ["192.0.2", "198.51.100", "203.0.113"][person % 3], person % 250, 1024 + r.below(60000))
            .replacen('.', ".", 3);
        let ip = ip.rsplit_once('.').map_or(ip.clone(), |(host, port)| format!("{host}:{port}"));
        let (id, session, guid) = (r.guid(), &sessions[person * 4 + r.below(4) as usize], &guids[person]);
        let head = |operation: &str, record_type: u32, status: &str, workload: &str| {
            format!(
                "{{\"CreationTime\":\"{time}\",\"Id\":\"{id}\",\"Operation\":\"{operation}\",\"OrganizationId\":\"{TENANT}\",\"RecordType\":{record_type},\"ResultStatus\":\"{status}\",\"UserKey\":\"1003200{person:09X}\",\"UserType\":0,\"Version\":1,\"Workload\":\"{workload}\","
            )
        };
        let line = match r.below(1000) {
            0..420 => {
                let mut items = String::new();
                for i in 0..8 + r.below(4) {
                    let comma = if i > 0 { "," } else { "" };
                    items += &format!(
                        "{comma}{{\"InternetMessageId\":\"<{:016X}{:016X}@mail.example.com>\",\"SizeInBytes\":{}}}",
                        r.next(),
                        r.next(),
                        2000 + r.below(90_000)
                    );
                }
                format!(
                    "{}\"ClientIP\":\"{ip}\",\"UserId\":\"{upn}\",\"AppId\":\"00000002-0000-0ff1-ce00-000000000000\",\"ClientAppId\":\"27922004-5251-4030-b22d-91ecd9a37ea4\",\"ClientIPAddress\":\"{ip}\",\"ClientInfoString\":\"Client=REST;Client=RESTSystem;;\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"LogonUserSid\":\"S-1-5-21-1000-2000-3000-{person}\",\"MailboxGuid\":\"{guid}\",\"MailboxOwnerSid\":\"S-1-5-21-1000-2000-3000-{person}\",\"MailboxOwnerUPN\":\"{upn}\",\"OperationProperties\":[{{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"}},{{\"Name\":\"IsThrottled\",\"Value\":\"False\"}}],\"OrganizationName\":\"example.onmicrosoft.com\",\"OriginatingServer\":\"PAXP190MB0001 (15.20.8000.000)\\r\\n\",\"SessionId\":\"{session}\",\"AppAccessContext\":{{\"AADSessionId\":\"{session}\",\"UniqueTokenId\":\"{}\"}},\"Folders\":[{{\"FolderItems\":[{items}],\"Id\":\"LgAAAAD{:016X}\",\"Path\":\"\\\\Bo\u{ee}te de r\u{e9}ception\"}}],\"OperationCount\":{}}}",
                    head("MailItemsAccessed", 50, "Succeeded", "Exchange"),
                    &session[..22],
                    r.next(),
                    8 + r.below(4)
                )
            }
            420..700 => format!(
                "{}\"ClientIP\":\"{}\",\"UserId\":\"{upn}\",\"CorrelationId\":\"{}\",\"EventSource\":\"SharePoint\",\"ItemType\":\"File\",\"ListId\":\"{guid}\",\"ListItemUniqueId\":\"{}\",\"Site\":\"{guid}\",\"UserAgent\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0\",\"WebId\":\"{guid}\",\"DeviceDisplayName\":\"\",\"FileSizeBytes\":{},\"HighPriorityMediaProcessing\":false,\"SourceFileExtension\":\"docx\",\"SiteUrl\":\"https://example.sharepoint.com/sites/equipe{}/\",\"SourceFileName\":\"Compte rendu {}.docx\",\"SourceRelativeUrl\":\"Documents partages/{}\",\"ObjectId\":\"https://example.sharepoint.com/sites/equipe{}/Documents partages/Compte rendu {}.docx\",\"AppAccessContext\":{{\"AADSessionId\":\"{session}\",\"ClientAppId\":\"08e18876-6177-487e-b8b5-cf950c1e598c\",\"ClientAppName\":\"SharePoint Online Web Client\",\"CorrelationId\":\"{guid}\",\"UniqueTokenId\":\"{}\"}}}}",
                head(
                    ["FileAccessed", "FileDownloaded", "FileModified", "FilePreviewed"][r.below(4) as usize],
                    6,
                    "",
                    "SharePoint"
                )
                .replace("\"ResultStatus\":\"\",", ""),
                ip.split(':').next().unwrap_or_default(),
                id,
                id,
                r.below(5_000_000),
                person % 60,
                r.below(40_000),
                r.below(300),
                person % 60,
                r.below(40_000),
                &session[..22]
            ),
            700..930 => {
                let failed = r.below(6) == 0;
                format!(
                    "{}\"ClientIP\":\"{}\",\"ObjectId\":\"00000003-0000-0000-c000-000000000000\",\"UserId\":\"{upn}\",\"AzureActiveDirectoryEventType\":1,\"ExtendedProperties\":[{{\"Name\":\"ResultStatusDetail\",\"Value\":\"Success\"}},{{\"Name\":\"UserAgent\",\"Value\":\"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36\"}},{{\"Name\":\"RequestType\",\"Value\":\"OAuth2:Authorize\"}}],\"ModifiedProperties\":[],\"Actor\":[{{\"ID\":\"{guid}\",\"Type\":0}},{{\"ID\":\"{upn}\",\"Type\":5}}],\"ActorContextId\":\"{TENANT}\",\"ActorIpAddress\":\"{}\",\"InterSystemsId\":\"{}\",\"IntraSystemId\":\"{id}\",\"SupportTicketId\":\"\",\"Target\":[{{\"ID\":\"00000003-0000-0000-c000-000000000000\",\"Type\":0}}],\"TargetContextId\":\"{TENANT}\",\"ApplicationId\":\"4765445b-32c6-49b0-83e6-1d93765276ca\",\"DeviceProperties\":[{{\"Name\":\"OS\",\"Value\":\"Windows10\"}},{{\"Name\":\"BrowserType\",\"Value\":\"Chrome\"}},{{\"Name\":\"IsCompliantAndManaged\",\"Value\":\"False\"}},{{\"Name\":\"SessionId\",\"Value\":\"{session}\"}}],\"ErrorNumber\":\"{}\"{}}}",
                    head(if failed { "UserLoginFailed" } else { "UserLoggedIn" }, 15, "Success", "AzureActiveDirectory"),
                    ip.split(':').next().unwrap_or_default(),
                    ip.split(':').next().unwrap_or_default(),
                    r.guid(),
                    if failed { "50126" } else { "0" },
                    if failed { ",\"LogonError\":\"InvalidUserNameOrPassword\"" } else { "" }
                )
            }
            930..997 => format!(
                "{}\"ClientIP\":\"{ip}\",\"UserId\":\"{upn}\",\"ClientIPAddress\":\"{ip}\",\"ClientInfoString\":\"Client=OWA;Action=ViaProxy\",\"ExternalAccess\":false,\"InternalLogonType\":0,\"LogonType\":0,\"MailboxGuid\":\"{guid}\",\"MailboxOwnerUPN\":\"{upn}\",\"OrganizationName\":\"example.onmicrosoft.com\",\"SessionId\":\"{session}\",\"Item\":{{\"Id\":\"RgAAAAD\",\"InternetMessageId\":\"<{:016x}@mail.example.com>\",\"ParentFolder\":{{\"Id\":\"LgAA\",\"Path\":\"\\\\Sent Items\"}},\"Subject\":\"R\u{e9}union n\u{b0} {} \\\"projet\\\"\"}}}}",
                head("Send", 2, "Succeeded", "Exchange"),
                r.next(),
                r.below(5000)
            ),
            997..999 => format!(
                "{}\"ClientIP\":\"{ip}\",\"ObjectId\":\"EURP190A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/example.onmicrosoft.com/p{person}\\\\regle\",\"UserId\":\"{upn}\",\"AppId\":\"\",\"ClientAppId\":\"\",\"ExternalAccess\":false,\"OrganizationName\":\"example.onmicrosoft.com\",\"OriginatingServer\":\"PAXP190MB0001\",\"Parameters\":[{{\"Name\":\"Name\",\"Value\":\"regle\"}},{{\"Name\":\"MoveToFolder\",\"Value\":\"Archive\"}},{{\"Name\":\"From\",\"Value\":\"lettre@example.org\"}},{{\"Name\":\"StopProcessingRules\",\"Value\":\"True\"}}],\"SessionId\":\"{session}\"}}",
                head("New-InboxRule", 1, "True", "Exchange")
            ),
            _ => format!(
                "{}\"ObjectId\":\"{guid}\",\"UserId\":\"{upn}\",\"AzureActiveDirectoryEventType\":1,\"ExtendedProperties\":[{{\"Name\":\"additionalDetails\",\"Value\":\"{{\\\"User-Agent\\\":\\\"Mozilla/5.0\\\"}}\"}},{{\"Name\":\"extendedAuditEventCategory\",\"Value\":\"Role\"}}],\"ModifiedProperties\":[{{\"Name\":\"Role.DisplayName\",\"NewValue\":\"User Administrator\",\"OldValue\":\"\"}},{{\"Name\":\"Role.TemplateId\",\"NewValue\":\"fe930be7-5e62-47db-91af-98c3a49a38b1\",\"OldValue\":\"\"}}],\"Actor\":[{{\"ID\":\"{upn}\",\"Type\":5}},{{\"ID\":\"User_{guid}\",\"Type\":2}},{{\"ID\":\"{guid}\",\"Type\":2}},{{\"ID\":\"User\",\"Type\":2}}],\"ActorContextId\":\"{TENANT}\",\"InterSystemsId\":\"{}\",\"IntraSystemId\":\"{}\",\"SupportTicketId\":\"\",\"Target\":[{{\"ID\":\"User_{guid}\",\"Type\":2}},{{\"ID\":\"{upn}\",\"Type\":5}}],\"TargetContextId\":\"{TENANT}\"}}",
                head("Add member to role.", 8, "Success", "AzureActiveDirectory"),
                r.guid(),
                r.guid()
            ),
        };
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
        written += line.len() as u64 + 1;
        n += 1;
    }
    out.flush()?;
    println!("{written} bytes, {n} records");
    Ok(())
}
