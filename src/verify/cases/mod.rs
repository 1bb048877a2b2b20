//! The built-in cases. Together they use every operation, forward and backward, and every shader with and without
//! each define that plans set. A test checks this.

mod chains;
mod networks;
mod ops;
mod tail;

use super::case::Case;
use crate::error::Result;

/// All cases.
///
/// # Errors
/// None, unless the library was built from damaged files.
pub fn all() -> Result<Vec<Case>> {
    Ok([ops::cases(), chains::cases(), tail::cases(), networks::cases()?].into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;
    use crate::kernels::preprocess;
    use crate::plan::Plan;
    use crate::verify::variants::variants;

    /// Shaders with each set of defines that the cases use in any variant.
    fn asked() -> BTreeMap<&'static str, BTreeSet<BTreeSet<&'static str>>> {
        let (cases, mut asked) = (all().unwrap(), BTreeMap::<_, BTreeSet<_>>::new());
        for variant in variants(Some, None, true, true) {
            for case in cases.iter().filter(|case| variant.scope.contains(&case.scope)) {
                let plan = Plan::new(&case.graph, &(case.force)(variant.profile.clone()), &case.outputs());
                for dispatch in plan.dispatches {
                    let names = dispatch.defines.iter().map(|(name, _)| *name).collect();
                    asked.entry(dispatch.shader).or_default().insert(names);
                }
            }
        }
        asked
    }

    /// A shader's source together with its imports.
    fn text(folder: &Path, path: &str) -> String {
        let own = std::fs::read_to_string(folder.join(format!("{path}.wgsl"))).unwrap();
        let imports = own.lines().filter_map(|line| line.strip_prefix("#import ")?.split(' ').next());
        imports.map(|file| text(folder, &format!("shared/{file}"))).collect::<String>() + &own
    }

    /// Defines that no plan of the cases sets. Either an imported file has them for other shaders, or they stand for
    /// matrix units, which do not compute in f32.
    const NEVER: [(&str, &[&str]); 7] = [
        ("conv_pool", &["ADD", "SLOPE"]),
        ("conv_shared", &["MATRIX", "TEXTURE"]),
        ("min_max", &["ANCHORED", "CORNERS", "CUBIC", "NEAREST"]),
        ("pointwise", &["THREE"]),
        ("pointwise_shared", &["MATRIX", "TEXTURE", "THREE"]),
        ("separable", &["SLOPE", "THREE"]),
        ("spread", &["ADD"]),
    ];

    /// Defines that all plans set. An imported file can do without them, for other shaders.
    const ALWAYS: [(&str, &str); 2] = [("eigenvector", "COOPERATIVE"), ("percentile", "COOPERATIVE")];

    /// Every shader runs, except the one that only measures time, with each of its defines both set and unset, except
    /// those in `NEVER` and `ALWAYS`.
    #[test]
    fn every_shader_is_asked_for_in_all_its_forms() {
        let (asked, folder) = (asked(), Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders"));
        let mut missing = vec![];
        for shader in preprocess::shaders().filter(|shader| *shader != "peak") {
            let Some(forms) = asked.get(shader) else {
                missing.push(shader.to_owned());
                continue;
            };
            let text = text(&folder, shader);
            let names: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("#ifdef ")).collect();
            let never = NEVER.iter().find(|(of, _)| *of == shader).map_or(&[][..], |(_, names)| names);
            for name in names.iter().copied() {
                let with = forms.iter().any(|form| form.contains(name));
                let without = forms.iter().any(|form| !form.contains(name));
                if with == never.contains(&name) {
                    missing.push(format!("{shader} with {name}"));
                }
                if without == ALWAYS.contains(&(shader, name)) {
                    missing.push(format!("{shader} without {name}"));
                }
            }
        }
        assert_eq!(missing, [""; 0]);
    }
}
