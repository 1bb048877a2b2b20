//! Requests that contradict themselves or the model.

use super::how::How;
use super::tap::Tap;
use crate::cam::{At, Compat, Fusion, Method, Normalise, Passes, Row, Score, Target};
use crate::error::{Error, Result};
use crate::graph::{Graph, MOST_ROWS};
use crate::model::{Model, Scores};

/// The most images that gradients are averaged over. Each has its passes in the plan.
const MOST_SAMPLES: usize = 1000;

/// Fails if what is asked for cannot be.
pub fn check(model: &Model, how: &How, draws: bool) -> Result<()> {
    target_of(model, &how.target)?;
    methods(model, how)?;
    effects(how)?;
    library(how)?;
    if draws && how.normalise == Normalise::None {
        return fail("raw values cannot be drawn; save them as tensors, or normalise the map".into());
    }
    if draws && how.compat == Compat::Captum {
        return fail("captum does not scale maps, so they cannot be drawn; save them with --save-tensors".into());
    }
    Ok(())
}

fn fail(reason: String) -> Result<()> {
    Err(Error::Request(reason))
}

/// Fails if the model does not give the target.
fn target_of(model: &Model, target: &Target) -> Result<()> {
    if model.scores() == Scores::None && target.score != Score::Logit {
        return fail("the model's scores mean no probabilities; explain the logit, or name --scores".into());
    }
    for (classes, how) in [(&target.with, "with others"), (&target.against, "against")] {
        if let Some(class) = classes.iter().find(|class| **class >= model.classes()) {
            let last = model.classes() - 1;
            return fail(format!("there is no class {class} to explain {how}; the model's classes are 0 to {last}"));
        }
    }
    let all: Vec<usize> = target.with.iter().chain(&target.against).copied().collect();
    match all.iter().enumerate().find(|(i, class)| all[..*i].contains(class)) {
        Some((_, class)) => fail(format!("class {class} is named twice in what is explained; name it once")),
        None => Ok(()),
    }
}

/// Fails if methods contradict what else is asked for.
fn methods(model: &Model, how: &How) -> Result<()> {
    let has = |wanted: fn(&Row) -> bool| how.methods.iter().find(|method| wanted(method.row()));
    let is_long = |row: &Row| matches!(row.passes, Passes::Path | Passes::Noise(_));
    if let Some(method) = has(is_long).filter(|_| how.sampling.samples > Some(MOST_SAMPLES)) {
        return fail(format!("{} takes at most {MOST_SAMPLES} samples; name fewer", method.name()));
    }
    if let Some(method) = has(|row| matches!(row.passes, Passes::Noise(_))).filter(|_| how.sampling.noise == 0.0) {
        return fail(format!("{} averages over noise, and there is none; let --noise be above 0", method.name()));
    }
    if let Some(method) = has(|row| row.fusion == Fusion::Product).filter(|_| how.layers.len() < 2) {
        return fail(format!("{} multiplies the maps of several layers; name more than one", method.name()));
    }
    if let Some(method) = has(|row| row.passes == Passes::Closest) {
        if how.target != Target::default() {
            let options = "--target, --negative, --with and --against";
            return fail(format!("{} has its own target; leave {options} out", method.name()));
        }
        if model.classes() < 2 {
            return fail(format!("{} compares classes, and there is one; take gradcam", method.name()));
        }
    }
    if let Some(method) = has(|row| matches!(row.passes, Passes::Masked(_))).filter(|_| how.target.score.is_logarithm())
    {
        return fail(format!("{} compares scores; let --target be logit or probability", method.name()));
    }
    if how.similar_to.is_some() {
        let of_scores = |row: &Row| matches!(row.passes, Passes::Masked(_) | Passes::Closest | Passes::Classifier);
        if let Some(method) = has(of_scores) {
            return fail(format!(
                "{} needs class scores, so it cannot explain a similarity; take another",
                method.name()
            ));
        }
        if how.target != Target::default() {
            let options = "--target, --negative, --with and --against";
            return fail(format!("a similarity is no number of a class; leave {options} out"));
        }
    }
    Ok(())
}

/// Fails if something that is asked for would change nothing.
fn effects(how: &How) -> Result<()> {
    use Method::*;
    let explains = how.target != Target::default() || how.similar_to.is_some();
    if let Some(method) = how.methods.iter().find(|method| explains && !method.is_of_class()) {
        let options = "--target, --negative, --with, --against and --similar-to";
        return fail(format!("{} shows the same whatever is explained; leave {options} out", method.name()));
    }
    let without_sign =
        [Saliency, SmoothGrad, SmoothGradSquared, VarGrad, FullGrad, EigenGradCam, SegEigenCam, AblationCam];
    if let Some(method) = how.methods.iter().find(|method| how.target.negative && without_sign.contains(method)) {
        return fail(format!("{} is the same for the negative; leave --negative out", method.name()));
    }
    let at_layers = || how.methods.iter().filter(|method| method.row().at == At::Layers);
    if how.before_activation && at_layers().next().is_none() {
        return fail("only layers have an activation before which to look; leave --tap out".into());
    }
    let without_sum = [EigenCam, KpcaCam, EigenGradCam, SegEigenCam, ReciproCam, ActivationMap];
    if how.smoothing.eigen && at_layers().all(|method| without_sum.contains(method)) {
        let names: Vec<&str> = how.methods.iter().map(|method| method.name()).collect();
        return fail(format!("{} adds up no channels of a layer; leave --eigen-smooth out", names.join(", ")));
    }
    Ok(())
}

/// Fails if the library that is followed does not have what is asked for.
fn library(how: &How) -> Result<()> {
    let How { methods, layers, compat, .. } = how;
    let name = serde_json::to_value(compat).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    if let Some(method) = methods.iter().find(|method| !has(*compat, **method)) {
        return fail(format!("{name}'s {} is not followed; leave --compat out", method.name()));
    }
    if matches!(compat, Compat::None | Compat::PytorchGradCam) {
        return Ok(());
    }
    if how.normalise != Normalise::MinMax {
        return fail(format!("{name} scales maps in its own way; leave --normalise out"));
    }
    if how.smoothing != Default::default() {
        return fail(format!("{name} has no smoothing; leave --aug-smooth and --eigen-smooth out"));
    }
    if *compat != Compat::TorchCam && layers.len() > 1 {
        return fail(format!("{name} explains at one layer at a time; name one"));
    }
    if layers.len() > 1 && methods.len() > 1 {
        return fail(format!("{name} fuses layers for one method at a time; name one"));
    }
    Ok(())
}

/// Whether the library has the method, and computes it by a formula that is known here.
fn has(compat: Compat, method: Method) -> bool {
    use Method::*;
    let of_torchcam = [Cam, GradCam, GradCamPlusPlus, XGradCam, LayerCam];
    let at_layers_of_captum = [GradCam, HiResCam];
    let at_pixels_of_captum = [Saliency, InputXGradient, GuidedBackprop, DeconvNet, IntegratedGradients, Occlusion];
    match compat {
        Compat::None => true,
        Compat::PytorchGradCam => {
            let others = [Cam, SmoothGradCamPlusPlus, ReciproCam, ActivationMap];
            method == FullGrad || !method.is_of_pixels() && !others.contains(&method)
        }
        Compat::TorchCam => of_torchcam.contains(&method),
        Compat::Captum => at_layers_of_captum.contains(&method) || at_pixels_of_captum.contains(&method),
        Compat::TfKerasVis => [GradCam, GradCamPlusPlus, LayerCam].contains(&method),
    }
}

/// Fails if a layer is too large for a principal component that is asked for.
pub fn principal(graph: &Graph, how: &How, taps: &[Tap]) -> Result<()> {
    use Method::*;
    let is_principal = |method: &&Method| [EigenCam, EigenGradCam, SegEigenCam, KpcaCam].contains(method);
    let method = how.methods.iter().find(is_principal).map(|method| method.name());
    let Some(name) = method.or(how.smoothing.eigen.then_some("--eigen-smooth")) else { return Ok(()) };
    for (path, tap) in how.layers.iter().zip(taps.iter().filter(|tap| tap.at == At::Layers)) {
        let [_, c, h, w] = graph.shape(tap.node);
        let rows = if how.methods.contains(&KpcaCam) { h * w } else { c.min(h * w) };
        if rows > MOST_ROWS {
            let size = format!("{c} × {h} × {w}");
            return fail(format!(
                "{name} takes at most {MOST_ROWS} pixels; layer '{path}' is {size}, so name a later one"
            ));
        }
    }
    Ok(())
}
