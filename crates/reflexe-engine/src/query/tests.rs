//! A person's SQL reads, and nothing else; what it prints obeys nobody.
use std::{collections::BTreeMap, fs};

use super::*;
use crate::Options;

fn session() -> Session {
    Session::open(BTreeMap::new(), &Options { threads: 2, ..Options::default() }).unwrap()
}

fn run(session: &Session, sql: &str, format: Format) -> Result<String, EngineError> {
    let mut out = Vec::new();
    print(session, sql, format, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn refused(error: &EngineError) -> bool {
    matches!(error, EngineError::Refused(_))
}

#[test]
fn nothing_is_written_and_no_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret.csv");
    fs::write(&secret, "a,b\nsecret,2\n").unwrap();
    let (secret, target) = (secret.display(), dir.path().join("target.csv"));
    let file = target.display();
    let session = session();
    for sql in [
        format!("copy (select 1) to '{file}' stored as csv"),
        format!("copy ual_event to '{file}'"),
        format!("explain analyze copy (select 1) to '{file}' stored as csv"),
        format!("explain copy (select 1) to '{file}' stored as csv"),
        format!("create external table x stored as csv location '{secret}'"),
        "create table x as select 1".into(),
        "create view x as select 1".into(),
        "create schema x".into(),
        "drop view ual_event".into(),
        "drop table stored.ual_event".into(),
        "insert into ref.application values (1)".into(),
        "insert into stored.coverage select * from stored.coverage".into(),
        "explain analyze insert into stored.coverage select * from stored.coverage".into(),
        "delete from stored.coverage".into(),
        "update stored.coverage set complete = true".into(),
        "truncate table stored.coverage".into(),
        "set datafusion.execution.batch_size = 1".into(),
        "reset datafusion.execution.batch_size".into(),
        "select 1 as a into x".into(),
        "prepare p as select 1".into(),
        "execute p".into(),
        "deallocate p".into(),
        "begin".into(),
        "select 1; select 2".into(),
        format!("select * from '{secret}'"),
        format!("select * from \"{secret}\""),
        format!("select * from 'file://{secret}'"),
        "select * from 'http://192.0.2.1/x.csv'".into(),
        format!("select * from read_csv('{secret}')"),
        format!("with x as (select * from '{secret}') select * from x"),
    ] {
        let error = run(&session, &sql, Format::Csv).map(|out| panic!("{sql}: {out}")).unwrap_err();
        assert!(!error.to_string().contains("secret,2"), "{sql}: {error}");
        assert!(!target.exists(), "{sql}");
    }
    for write in [
        "create view x as select 1",
        "set datafusion.execution.batch_size = 1",
        "insert into stored.coverage select * from stored.coverage",
    ] {
        let error = run(&session, write, Format::Csv).unwrap_err();
        assert!(refused(&error), "{write}: {error}");
    }
    // Nothing was changed by the tries, and reading in every form goes on.
    for sql in [
        "select count(*) from ual_event",
        "explain select 1",
        "explain analyze select 1",
        "show tables",
        "describe ual_event",
        "values (1)",
        "with x as (select 1 as a) select * from x",
    ] {
        run(&session, sql, Format::Table).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

#[test]
fn deep_statements_end_in_a_sentence() {
    let session = session();
    let many = |part: &str, n: usize| part.repeat(n);
    for sql in [
        format!("select 1{}", many("+1", 20_000)),
        format!("select 1{}", many("+1", 60_000)),
        format!("explain select 1{}", many("+1", 20_000)),
        format!("copy (select 1{}) to 'x.csv'", many("+1", 20_000)),
        format!("select {}1{}", many("(", 20_000), many(")", 20_000)),
        format!("select {}true", many("not ", 20_000)),
        format!("select {}1", many("- ", 20_000)),
        format!("select {}1{}", many("abs(", 5_000), many(")", 5_000)),
        format!("select {}1{}", many("(select ", 5_000), many(")", 5_000)),
        format!("select '{}'", many("x", 200_000)),
    ] {
        let error = run(&session, &sql, Format::Json).map(|_| panic!("{}", &sql[..40])).unwrap_err().to_string();
        assert!(error.len() < 500, "{error}");
    }
    let error = run(&session, &format!("select 1{}", many("+1", 20_000)), Format::Json).unwrap_err();
    assert!(refused(&error), "{error}");
    // What stays below the bound is answered.
    let sum = format!("select 1{} as n", many("+1", 900));
    assert_eq!(run(&session, &sum, Format::Json).unwrap(), "{\"n\":901}\n");
    let union = format!("select count(*) as n from (select 1{})", many(" union all select 1", 900));
    assert_eq!(run(&session, &union, Format::Json).unwrap(), "{\"n\":901}\n");
    let list = format!("select 7 in (1{}) as n", many(",2", 20_000));
    assert_eq!(run(&session, &list, Format::Json).unwrap(), "{\"n\":false}\n");
}

#[test]
fn hostile_cells_obey_nobody() {
    let session = session();
    let sql = "select '\u{202e}x\u{9b}31m\u{1b}[2J' as a, '=cmd|''/c calc''!A1' as b, ' \u{200b}=1' as c, -5 as d, '-5' as e, 'x
y' as f";
    let table = run(&session, sql, Format::Table).unwrap();
    assert!(!table.chars().any(|c| say::hidden(c) && c != '\n'), "{table}");
    assert!(table.contains("‹U+202E›x‹U+009B›31m‹U+001B›[2J"), "{table}");
    let csv = run(&session, sql, Format::Csv).unwrap();
    assert_eq!(csv, "a,b,c,d,e,f\n‹U+202E›x‹U+009B›31m‹U+001B›[2J,'=cmd|'/c calc'!A1,' ‹U+200B›=1,-5,'-5,x‹U+000A›y\n");
    let json = run(&session, sql, Format::Json).unwrap();
    assert!(json.is_ascii(), "{json}");
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&read["a"], &read["d"]), (&"\u{202e}x\u{9b}31m\u{1b}[2J".into(), &(-5).into()), "whoever parses it gets it back");
}

#[test]
fn an_output_that_fails_ends_the_query() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for format in [Format::Table, Format::Csv, Format::Json] {
        let error = print(&session(), "select 1 as a", format, &mut Full).unwrap_err();
        assert!(matches!(&error, EngineError::Output(e) if e.kind() == std::io::ErrorKind::StorageFull), "{error}");
    }
}
