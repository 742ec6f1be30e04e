//! Queries end, and in the memory that they were given.
use std::collections::BTreeMap;

use reflexe_engine::{Options, Session};

fn session(memory: usize) -> Session {
    let options = Options { threads: 2, memory, only: Some(["signin".to_owned()].into()), ..Options::default() };
    Session::open(BTreeMap::new(), &options).expect("a session")
}

/// With these filters a query may wait for ever: see docs/adr/0007. The case itself (many refused sign-ins of one account) runs in
/// the tests of the binary.
#[test]
fn joins_do_not_filter_each_other() {
    let setting = "select value from information_schema.df_settings where name = 'datafusion.optimizer.enable_join_dynamic_filter_pushdown'";
    assert_eq!(session(64 << 20).strings(setting).expect("the setting"), ["false"]);
}
