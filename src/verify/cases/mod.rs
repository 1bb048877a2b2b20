//! The built-in cases. Together they use every operation, forward and backward, and every shader with all that can be defined
//! for it; the tests see to that.

mod chains;
mod networks;
mod ops;
mod tail;

use super::case::Case;
use crate::error::Result;

/// All of them.
///
/// # Errors
/// Those of a damaged library.
pub fn all() -> Result<Vec<Case>> {
    Ok([ops::cases(), chains::cases(), tail::cases(), networks::cases()?].into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::plan::Plan;
    use crate::verify::variants::variants;

    #[test]
    fn census() {
        let cases = all().unwrap();
        let mut seen = BTreeSet::new();
        for variant in variants(Some, None) {
            let mut by: BTreeMap<&str, usize> = BTreeMap::new();
            let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
            for case in &cases {
                let plan = Plan::new(&case.graph, &(case.force)(variant.profile.clone()), &case.outputs());
                for d in plan.dispatches {
                    if seen.insert((d.shader, d.defines.clone())) {
                        *by.entry(d.shader).or_default() += 1;
                        names.entry(d.shader).or_default().insert(format!("{}: {:?}", case.name, d.defines));
                    }
                }
            }
            println!("{}: {} {:?}", variant.name, by.values().sum::<usize>(), by);
            if std::env::var_os("LONG").is_some() {
                println!("{names:#?}");
            }
        }
    }
}
