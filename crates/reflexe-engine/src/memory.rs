//! How much memory queries may hold before they spill, and what is tried when a query does not fit.
use datafusion::{common::DataFusionError, execution::SessionStateBuilder, prelude::SessionContext};

use crate::EngineError;

/// Where nothing says how much memory is free.
const UNKNOWN: usize = 384 << 20;
/// Bounds of the share: below the first nothing can be sorted, above the second more memory makes no query faster.
const LEAST: usize = 96 << 20;
const MOST: usize = 448 << 20;

/// The share of the machine's free memory that queries may hold: a quarter, within bounds.
pub fn share_of_free() -> usize {
    free().map_or(UNKNOWN, |free| (free / 4).clamp(LEAST, MOST))
}

/// Free memory in bytes: the least of what the system has and what this process may take (cgroup version 2).
fn free() -> Option<usize> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let of_group = || Some(number("/sys/fs/cgroup/memory.max")?.saturating_sub(number("/sys/fs/cgroup/memory.current")?));
    let of_system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    [of_group(), of_system].into_iter().flatten().min()
}

fn available(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

/// Whether a query ended because it may hold no more memory.
pub(crate) fn is_exhausted(error: &EngineError) -> bool {
    matches!(error, EngineError::Query(e) if matches!(e.find_root(), DataFusionError::ResourcesExhausted(_)))
}

/// The same tables, for a query that did not fit: one partition, so that nothing is held twice; at last joins that sort
/// and spill instead of holding one side.
pub(crate) fn thrifty(ctx: &SessionContext, spilling_joins: bool) -> SessionContext {
    let state = ctx.state();
    // The catalogue is shared: a default one must not take its place.
    let mut config = state.config().clone().with_target_partitions(1).with_create_default_catalog_and_schema(false);
    config.options_mut().optimizer.prefer_hash_join = !spilling_joins;
    SessionContext::new_with_state(SessionStateBuilder::new_from_existing(state).with_config(config).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(available("MemTotal: 8000000 kB\nMemAvailable:    2048 kB\n"), Some(2 << 20));
        assert_eq!(available("MemTotal: 8000000 kB\n"), None);
        assert!((LEAST..=MOST).contains(&share_of_free()));
    }
}
