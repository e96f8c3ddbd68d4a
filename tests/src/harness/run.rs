//! The engine at work on a case, by its public face.

use std::sync::Arc;

use dsl::ir::RuleSet;
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::plan::Plan;
use engine::run::Run;
use engine::state::RunTally;

use super::drive::Fed;
use super::frame;
use crate::generate::Case;
use crate::reference::RefAlert;

/// What the engine says of a case: its alerts as the reference writes them, and its counts.
#[must_use]
pub fn engine_answer(case: &Case, rules: &RuleSet) -> (Vec<RefAlert>, RunTally) {
    run(rules, limits(case), case.block, &fed(case))
}

/// Its sources as they are written.
pub(super) fn fed(case: &Case) -> Vec<Fed> {
    let written = case.sources.iter().zip(frame(case).bytes);
    written.map(|(source, bytes)| (source.name.clone(), source.cluster.clone(), bytes)).collect()
}

pub(super) fn limits(case: &Case) -> Limits {
    Limits {
        lateness: case.settings.lateness,
        request_memory: case.settings.request_memory,
        ..Limits::default()
    }
}

/// What the engine says of sources, each with its name, its cluster and its bytes.
#[must_use]
pub fn run(
    rules: &RuleSet,
    limits: Limits,
    block_bytes: usize,
    sources: &[Fed],
) -> (Vec<RefAlert>, RunTally) {
    let mut run = Run::new(Arc::new(Plan::new(rules, limits)), limits).block_bytes(block_bytes);
    for (name, cluster, bytes) in sources {
        let info = SourceInfo { name: name.as_str().into(), cluster: cluster.as_deref().map(Into::into) };
        run.add(info, bytes);
    }
    let answer = run.finish();
    (answer.alerts.iter().map(plain).collect(), answer.tally)
}

pub(crate) fn plain(alert: &engine::alert::Alert) -> RefAlert {
    let mut notes: Vec<String> = alert.notes.iter().map(|note| (*note).to_owned()).collect();
    notes.sort();
    RefAlert {
        time: alert.time,
        rule: alert.rule.name.to_string(),
        id: alert.id_text(),
        key: alert.key.iter().map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect(),
        count: alert.count,
        window: alert.window,
        values: alert.values.iter().map(|(text, value)| (text.to_string(), format!("{value:?}"))).collect(),
        message: alert.message.clone(),
        suppressed: alert.suppressed,
        events: alert.events.iter().map(|event| hex(&event.meta.request.0)).collect(),
        notes,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
