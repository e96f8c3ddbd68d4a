//! Makes the table of Kubernetes' types: runs the generator once for each release, each on top of the one before.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The releases of which the table is the union, the oldest first.
const RELEASES: [&str; 9] = ["v1_29", "v1_30", "v1_31", "v1_32", "v1_33", "v1_34", "v1_35", "v1_36", "v1_37"];

/// Writes the table, or with `check` only compares it with the one that is there.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let target = root.join("dsl/src/schema/kubernetes.txt");
    let mut table = String::new();
    let mut before: Option<PathBuf> = None;
    for release in RELEASES {
        let mut command = Command::new("cargo");
        command.current_dir(root.join("xtask/schema")).args(["run", "--quiet", "--features", release, "--"]);
        let output = command.args(&before).output().map_err(|error| format!("cannot run cargo: {error}"))?;
        if !output.status.success() {
            return Err(format!("the generator failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        table = String::from_utf8(output.stdout).map_err(|_| "the generator printed no UTF-8".to_owned())?;
        let part = root.join("xtask/schema/target").join(release).with_extension("txt");
        std::fs::write(&part, &table).map_err(|error| format!("{}: {error}", part.display()))?;
        // The generator runs in its own folder.
        before = Some(PathBuf::from("target").join(release).with_extension("txt"));
    }
    let lines = table.lines().count();
    if check {
        let old =
            std::fs::read_to_string(&target).map_err(|error| format!("{}: {error}", target.display()))?;
        return if old == table {
            Ok(())
        } else {
            Err("kubernetes.txt is not what the generator makes".into())
        };
    }
    std::fs::write(&target, table).map_err(|error| format!("{}: {error}", target.display()))?;
    println!("{lines} lines");
    Ok(())
}
