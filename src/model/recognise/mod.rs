//! Finds the architecture that a file's tensors belong to, whatever stands before their names and whoever named them.
//!
//! The body, which is all before the classifier, decides: each of its tensors must be there. The classifier may be the
//! user's own. What lies outside the network does not matter.

mod dialects;
mod head;
mod outline;

use std::collections::BTreeSet;

use super::options::ModelOptions;
use super::weights::{Ending, Problem, Weights, fail};
use super::zoo::{Architecture, Library, architectures};
use crate::error::{Error, Result};
use crate::graph::{Activation, GlobalPool};
use dialects::{DIALECTS, Dialect};
use head::{Chain, chain};
use outline::{Outline, is_under};

/// Every entry of a config that an architecture or a dialect needs, with the only value that is followed.
pub fn needs() -> impl Iterator<Item = (&'static str, &'static str)> {
    architectures().map(|row| row.needs).chain(DIALECTS.iter().map(|dialect| dialect.needs)).flatten().copied()
}

/// The usual places of classifiers that stand beside the body.
const ROOTS: [&str; 12] =
    ["head.fc", "fc", "classifier", "last_linear", "head", "logits", "linear", "cls_head", "cls", "output", "out", "1"];

/// What a file's tensors are.
pub struct Recognised {
    pub architecture: &'static Architecture,
    /// The network's tensors under the architecture's names.
    pub weights: Weights,
    pub ending: Ending,
    /// Number of classes.
    pub classes: usize,
    /// Number of channels of the input.
    pub channels: usize,
    /// Entries of a config, with the only values that this network follows.
    pub needs: Vec<(&'static str, &'static str)>,
    /// What was assumed or left out, each in a line.
    pub remarks: Vec<String>,
}

/// A body that fits.
struct Body {
    architecture: &'static Architecture,
    outline: Outline,
    dialect: &'static Dialect,
    prefix: String,
    /// The tensors behind the prefix, under the architecture's names.
    view: Weights,
}

/// The architecture of whose tensors the largest share is there.
struct Near {
    architecture: &'static Architecture,
    share: f64,
    dialect: &'static Dialect,
    prefix: String,
}

/// The architecture of a name, perhaps in one of the libraries. Without a name, the only one whose body these tensors
/// are.
///
/// # Errors
/// [`Error::Weights`] if the name is not known, if the tensors do not fit (with those that are missing, misshapen or
/// unexpected), or if they fit several architectures.
pub fn recognise(
    weights: &Weights,
    named: Option<(&str, Option<Library>)>,
    ending: &Ending,
    options: &ModelOptions,
) -> Result<Recognised> {
    let what = weights.what();
    let (name, library) = named.map_or((None, None), |(name, library)| (Some(name), library));
    let candidates: Vec<&Architecture> = architectures().filter(|a| name.is_none_or(|n| n == a.name)).collect();
    if let (Some(name), true) = (name, candidates.is_empty()) {
        let error = Error::unknown("architecture", name, "gradcam models", architectures().map(|a| a.name));
        return Err(fail(what, error.to_string()));
    }
    if let Some(prefix) = options.prefix.as_deref().filter(|prefix| !weights.names().any(|n| n.starts_with(prefix))) {
        return Err(fail(what, format!("no tensor's name begins with '{prefix}'; choose another --prefix")));
    }
    let (mut bodies, nearest) = search(weights, &candidates, ending, options.prefix.as_deref());
    // The body of a small network may be a part of a large one's: the one that explains most is meant.
    let most = bodies.iter().map(|body| body.outline.body().len()).max().unwrap_or(0);
    bodies.retain(|body| body.outline.body().len() == most);
    let named = bodies.iter().any(|body| !body.architecture.family);
    bodies.retain(|body| !(named && body.architecture.family));
    let differing = |of: fn(&Body) -> &str| bodies.iter().map(of).collect::<BTreeSet<_>>();
    let names = differing(|body| body.architecture.name);
    if names.len() > 1 {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        return Err(fail(what, format!("the tensors fit several architectures: {names}; name one with --arch")));
    }
    let prefixes = differing(|body| &body.prefix);
    if prefixes.len() > 1 {
        let prefixes = prefixes.into_iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ");
        return Err(fail(what, format!("holds several such networks, named {prefixes}; name one with --prefix")));
    }
    // Both libraries may have the network, with modules that give other outputs.
    let meant = bodies.iter().position(|body| Some(body.architecture.library) == library).unwrap_or(0);
    match bodies.into_iter().nth(meant) {
        Some(body) => body.complete(weights, ending, options),
        None => Err(complain(weights, nearest, ending, name.is_some())),
    }
}

/// All bodies that fit, and the architecture that fits best if there are none.
fn search(
    weights: &Weights,
    candidates: &[&'static Architecture],
    ending: &Ending,
    wanted: Option<&str>,
) -> (Vec<Body>, Option<Near>) {
    let (mut bodies, mut nearest): (Vec<Body>, Option<Near>) = (vec![], None);
    let is_wanted = |prefix: &str| wanted.is_none_or(|w| w.trim_end_matches('.') == prefix.trim_end_matches('.'));
    let outlines = candidates.iter().filter_map(|a| Some((*a, Outline::of(a, 1, weights, ending).ok()?)));
    let outlines: Vec<(&Architecture, Outline)> = outlines.collect();
    let firsts: BTreeSet<&str> = outlines.iter().map(|(_, outline)| outline.first()).collect();
    for dialect in DIALECTS {
        let prefixes = prefixes(weights, dialect, &firsts);
        for (architecture, outline) in &outlines {
            // A family's first tensor depends on its kind.
            let own = prefixes.iter().filter(|(first, _)| architecture.family || *first == outline.first());
            let own: BTreeSet<&str> = own.map(|(_, prefix)| *prefix).filter(|prefix| is_wanted(prefix)).collect();
            let mut consider = |prefix: &str, outline: Outline, view: Weights| {
                let share = outline.share(architecture, &view);
                let prefix = prefix.to_owned();
                if share == 1.0 {
                    bodies.push(Body { architecture, outline, dialect, prefix, view });
                } else if nearest.as_ref().is_none_or(|best| best.share < share) {
                    nearest = Some(Near { architecture, share, dialect, prefix });
                }
            };
            for prefix in own {
                let view = view(weights, dialect, prefix);
                if let Ok(outline) = Outline::of(architecture, 1, &view, ending) {
                    consider(prefix, outline, view);
                }
            }
        }
        // Without its first tensor an architecture may still be the nearest.
        if bodies.is_empty() && dialect.name.is_empty() {
            for (architecture, outline) in &outlines {
                let share = outline.share(architecture, weights);
                if nearest.as_ref().is_none_or(|best| best.share < share) {
                    nearest = Some(Near { architecture, share, dialect, prefix: String::new() });
                }
            }
        }
    }
    (bodies, nearest)
}

/// The tensors behind a prefix, under the architectures' names.
fn view(weights: &Weights, dialect: &Dialect, prefix: &str) -> Weights {
    weights.renamed(|name| Some(dialect.translate(name.strip_prefix(prefix)?)))
}

/// What stands before tensors of these names in a dialect: pairs of a name and a prefix.
fn prefixes<'a>(weights: &'a Weights, dialect: &Dialect, firsts: &BTreeSet<&'a str>) -> BTreeSet<(&'a str, &'a str)> {
    let mut found = BTreeSet::new();
    for name in weights.names() {
        for at in starts(name) {
            if let Some(first) = firsts.get(&*dialect.translate(&name[at..])) {
                found.insert((*first, &name[..at]));
            }
        }
    }
    found
}

/// Where the parts of a module path begin.
fn starts(name: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1))
}

impl Body {
    /// Adds the classifier.
    fn complete(self, weights: &Weights, ending: &Ending, options: &ModelOptions) -> Result<Recognised> {
        let what = weights.what();
        let (mut ending, mut remarks) = (ending.clone(), vec![]);
        if !self.dialect.name.is_empty() {
            remarks.push(format!("the tensors have the names of {}", self.dialect.name));
        }
        let (classes, tensors) = match self.own_classes(&ending) {
            Some(classes) => (classes, self.view.clone()),
            None => self.users_head(weights, &mut ending, options, &mut remarks)?,
        };
        let Self { architecture, outline, prefix, dialect, .. } = self;
        let needs = [dialect.needs, architecture.needs].concat();
        let asked = outline.names();
        let belongs = |name: &str| asked.contains(name) || is_under(name, &outline.root);
        let network = tensors.renamed(|name| belongs(name).then(|| name.to_owned()));
        network.check_finite()?;

        let used: BTreeSet<&str> = network.names().filter_map(|name| network.original(name)).collect();
        let ignored = |name: &str| {
            let inner = name.strip_prefix(&*prefix).unwrap_or(name);
            architecture.ignored.iter().any(|beginning| inner.starts_with(beginning))
        };
        let outside = weights.names().filter(|name| !used.contains(name) && !ignored(name));
        let outside: Vec<String> = outside.map(str::to_owned).collect();
        if !outside.is_empty() {
            let some = format!("tensors outside the network: {}", some_of(&outside, 3));
            if options.strict {
                return Err(fail(what, format!("holds {some}; leave --strict out to ignore them")));
            }
            remarks.push(format!("ignores {some}"));
        }
        let channels = network.shape(outline.first()).map_or(3, |shape| shape[1]);
        Ok(Recognised { architecture, weights: network, ending, classes, channels, needs, remarks })
    }

    /// The number of classes, if the classifier is the architecture's own.
    fn own_classes(&self, ending: &Ending) -> Option<usize> {
        let &[classes, ..] = self.view.shape(&format!("{}.weight", self.architecture.classifier))? else { return None };
        let own = Outline::of(self.architecture, classes, &self.view, ending).ok()?;
        let fits = own.head().iter().all(|(name, shape)| self.view.fitting(name, shape).is_ok());
        let under = self.view.names().filter(|name| is_under(name, &self.outline.root)).count();
        (fits && under == own.head().len()).then_some(classes)
    }

    /// A classifier of the user's own: its number of classes, and the tensors with it at the classifier's place.
    fn users_head(
        &self,
        weights: &Weights,
        ending: &mut Ending,
        options: &ModelOptions,
        remarks: &mut Vec<String>,
    ) -> Result<(usize, Weights)> {
        let Self { architecture, outline, dialect, .. } = self;
        let refuse = |reason: String| fail(weights.what(), format!("fits {}, but {reason}", architecture.name));
        let (place, tensors) = self.place(weights);
        let activation = options.head_activation.unwrap_or(Activation::Relu);
        let chain = chain(&tensors, &outline.root, activation)
            .map_err(|reason| refuse(format!("its classifier '{place}' cannot be read: {reason}")))?;
        let Some(Chain { layers, features, classes, activations }) = chain else {
            return Err(refuse("holds no classifier; save the whole network".into()));
        };
        let fastai = ending.pool == GlobalPool::Average && dialect.name.contains("Sequential");
        if fastai && features == 2 * outline.features {
            ending.pool = GlobalPool::BothMaxFirst;
            remarks.push("the classifier takes twice the channels: fastai's AdaptiveConcatPool2d is assumed".into());
        } else if features != ending.pool.features(outline.features) {
            let gets = ending.pool.features(outline.features);
            return Err(refuse(format!("its classifier '{place}' takes {features} numbers instead of {gets}")));
        }
        if activations > 0 && options.head_activation.is_none() {
            remarks.push(format!("ReLU is assumed in the classifier '{place}'; --head-activation names another"));
        }
        ending.head = Some(layers);
        Ok((classes, tensors))
    }

    /// Where the classifier is, and the tensors with it at its own place. It may stand beside the body.
    fn place(&self, weights: &Weights) -> (String, Weights) {
        let Self { outline, prefix, view, .. } = self;
        let beside = |name: &&str| prefix.is_empty() || !name.starts_with(&**prefix);
        let is_own = view.names().any(|name| is_under(name, &outline.root));
        let found = ROOTS.iter().filter(|_| !is_own).find_map(|usual| {
            weights.names().filter(beside).find_map(|name| {
                let at = starts(name).find(|at| is_under(&name[*at..], usual))?;
                Some(&name[..at + usual.len()])
            })
        });
        let mut tensors = view.clone();
        if let Some(found) = found {
            tensors.extend(weights.renamed(|name| {
                Some(name).filter(beside)?.strip_prefix(found).map(|rest| format!("{}{rest}", outline.root))
            }));
        }
        (found.map_or_else(|| format!("{prefix}{}", outline.root), str::to_owned), tensors)
    }
}

fn complain(weights: &Weights, nearest: Option<Near>, ending: &Ending, is_named: bool) -> Error {
    let what = weights.what();
    let none = format!("the tensors are those of none of the {} architectures", architectures().count());
    let near = nearest.filter(|near| near.share >= 0.2 || is_named);
    let Some(Near { architecture, share, dialect, prefix }) = near else {
        return fail(what, format!("{none}; gradcam models lists them"));
    };
    let name = architecture.name;
    if share < 0.5 && !is_named {
        let share = share * 100.0;
        return fail(
            what,
            format!("{none}; {name}, the nearest, has {share:.0} % of its own; gradcam models lists them"),
        );
    }
    let view = view(weights, dialect, &prefix);
    let Ok(outline) = Outline::of(architecture, 1, &view, ending) else { return fail(what, none) };
    let (mut missing, mut misshapen, mut formats) = (vec![], vec![], vec![]);
    for problem in outline.problems(&view) {
        match problem {
            Problem::Missing(name) => missing.push(name),
            Problem::Misshapen(how) => misshapen.push(how),
            Problem::Format(format) => formats.push(format),
        }
    }
    let unexpected = outline.unexpected(architecture, &view);
    let unexpected = unexpected.iter().filter_map(|name| view.original(name)).map(str::to_owned).collect();
    let kinds = [
        ("missing", missing),
        ("of another shape", misshapen),
        ("neither f64, f32, f16 nor bf16", formats),
        ("unexpected", unexpected),
    ];
    let kinds = kinds.into_iter().filter(|(_, names)| !names.is_empty());
    let complaints: Vec<String> = kinds.map(|(kind, names)| format!("{kind}: {}", some_of(&names, 10))).collect();
    let nearest = if is_named { "" } else { ", the nearest architecture" };
    fail(what, format!("the tensors are not those of {name}{nearest}; {}", complaints.join("; ")))
}

/// The first names, and how many more there are.
fn some_of(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > most { format!("{shown} and {} more", names.len() - most) } else { shown }
}
