//! No command opens a connection: they run where the system refuses sockets, and a process that asks for one dies.
#![cfg(target_os = "linux")]
mod common;

use std::{collections::BTreeMap, net::TcpStream, path::Path, process::Command, thread};

use common::{Run, reflexe, run};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// `socket` of this machine's kernel; nothing else makes a descriptor that reaches another machine.
#[cfg(target_arch = "x86_64")]
const SOCKET: i64 = 41;
#[cfg(target_arch = "aarch64")]
const SOCKET: i64 = 198;

fn without_sockets(action: SeccompAction) -> BpfProgram {
    let arch: TargetArch = std::env::consts::ARCH.try_into().expect("a known processor");
    let filter = SeccompFilter::new(BTreeMap::from([(SOCKET, vec![])]), SeccompAction::Allow, action, arch);
    filter.expect("a filter").try_into().expect("a program")
}

/// Runs a command from a thread that the system keeps from sockets; what it starts inherits that.
fn denied(mut command: Command) -> Run {
    let filter = without_sockets(SeccompAction::KillProcess);
    let work = thread::spawn(move || {
        apply_filter(&filter).expect("the system takes the filter");
        run(&mut command)
    });
    work.join().expect("the command ended by itself: it asked for no socket")
}

#[test]
fn the_system_refuses_sockets_here() {
    let filter = without_sockets(SeccompAction::Errno(1));
    let asked = thread::spawn(move || {
        apply_filter(&filter).expect("the system takes the filter");
        TcpStream::connect("192.0.2.1:443").map(drop)
    });
    let error = asked.join().expect("it ran").expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

#[test]
fn a_whole_case_is_worked_without_a_socket() {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let go = |args: &[&str]| {
        let mut command = reflexe();
        command.env("REFLEXE_HOME", at("home")).env("REFLEXE_ME", "A. Martin");
        command.args(args);
        let done = denied(command);
        assert!(done.code < 2, "{args:?}: {}{}", done.out, done.err);
        done.out
    };
    let (case, pack, tenant) = (at("case"), at("pack"), at("tenant"));
    go(&["simulate", "aitm-admin", &tenant, "--users", "30", "--days", "30", "--events", "400"]);
    go(&["prepare", "new", &pack]);
    go(&["prepare", "check", &pack]);
    go(&["prepare", "print", &pack, "--out", &at("kit")]);
    go(&["qualify", &format!("{tenant}/evidence"), "--case", &case, "--prepared", &pack]);
    go(&["journal", "--case", &case, "add", "14:32 Dupont called the provider"]);
    go(&["answer", "V.T3", "confirmed: adm@example.com", "--because", "seen", "--case", &case]);
    for view in
        [&["severity"][..], &["steps"], &["clocks"], &["contacts"], &["triage"], &["check"], &["report"], &["query", "select 1"]]
    {
        go(&[view, &["--case", &case]].concat());
    }
    for format in ["csv", "xlsx", "jsonl", "html"] {
        let out = at(&format!("journal.{format}"));
        go(&["journal", "--case", &case, "export", "--format", format, "--out", &out]);
        assert!(Path::new(&out).is_file(), "{out}");
    }
    go(&["case", "verify", &case]);
    go(&["glossary", "token"]);
    go(&["attacks", "T1114.003"]);
}
