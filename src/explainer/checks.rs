//! Requests that contradict themselves or the model.

use super::how::How;
use crate::cam::{At, Compat, Fusion, Method, Normalise, Passes, Row, Score, Target};
use crate::error::{Error, Result};
use crate::model::{Model, Scores};

/// The most images that gradients are averaged over. Each has its passes in the plan.
const MOST_SAMPLES: usize = 1000;

/// Fails if what is asked for cannot be.
pub fn check(model: &Model, how: &How, draws: bool) -> Result<()> {
    target_of(model, &how.target)?;
    methods(how)?;
    library(how)?;
    if draws && how.normalise == Normalise::None {
        return Err(Error::Request("raw values cannot be drawn; leave overlays out, or normalise the map".into()));
    }
    if draws && how.compat == Compat::Captum {
        return Err(Error::Request("captum does not scale maps, so they cannot be drawn; leave overlays out".into()));
    }
    Ok(())
}

/// Fails if methods contradict what else is asked for.
fn methods(how: &How) -> Result<()> {
    let has = |wanted: fn(&Row) -> bool| how.methods.iter().find(|method| wanted(method.row()));
    let fail = |reason: String| Err(Error::Request(reason));
    if let Some(method) = has(|row| row.passes == Passes::Closest).filter(|_| how.target != Target::default()) {
        return fail(format!(
            "{} has its own target; leave --target, --negative, --with and --against out",
            method.name()
        ));
    }
    let is_long = |row: &Row| matches!(row.passes, Passes::Path | Passes::Noise(_));
    if let Some(method) = has(is_long).filter(|_| how.sampling.samples > Some(MOST_SAMPLES)) {
        return fail(format!("{} takes at most {MOST_SAMPLES} samples", method.name()));
    }
    if let Some(method) = has(|row| row.fusion == Fusion::Product).filter(|_| how.layers.len() < 2) {
        return fail(format!("{} multiplies the maps of several layers; name more than one", method.name()));
    }
    if let Some(method) =
        has(|row| matches!(row.passes, Passes::Masked(_) | Passes::Closest)).filter(|_| how.similar_to.is_some())
    {
        return fail(format!("{} compares class scores, so it cannot explain a similarity", method.name()));
    }
    if how.similar_to.is_some() && how.target != Target::default() {
        return fail(
            "a similarity is no number of a class; leave --target, --negative, --with and --against out".into(),
        );
    }
    if how.before_activation && has(|row| row.at == At::Layers).is_none() {
        return fail("only layers have an activation before which to look; leave --tap out".into());
    }
    if how.smoothing.eigen && has(|row| row.at == At::Layers).is_none() {
        return fail("only maps of a layer's channels can be smoothed by their principal component".into());
    }
    Ok(())
}

/// Fails if the model does not give the target.
fn target_of(model: &Model, target: &Target) -> Result<()> {
    if model.scores() == Scores::None && target.score != Score::Logit {
        return Err(Error::Request(
            "the model's scores mean no probabilities; explain the logit, or name --scores".into(),
        ));
    }
    for (classes, how) in [(&target.with, "with others"), (&target.against, "against")] {
        if let Some(class) = classes.iter().find(|class| **class >= model.classes()) {
            let last = model.classes() - 1;
            let reason = format!("there is no class {class} to explain {how}; the model's classes are 0 to {last}");
            return Err(Error::Request(reason));
        }
    }
    Ok(())
}

/// Fails if the library that is followed does not have what is asked for.
fn library(how: &How) -> Result<()> {
    let How { methods, layers, compat, .. } = how;
    let fail = |reason: String| Err(Error::Request(reason));
    let name = serde_json::to_value(compat).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    if let Some(method) = methods.iter().find(|method| !has(*compat, **method)) {
        return fail(format!("{name} has no {}, or computes another thing; leave --compat out", method.name()));
    }
    if !matches!(compat, Compat::None | Compat::PytorchGradCam) && how.normalise != Normalise::MinMax {
        return fail(format!("{name} scales maps in its own way; leave --normalise out"));
    }
    if matches!(compat, Compat::Captum | Compat::TfKerasVis) && layers.len() > 1 {
        return fail(format!("{name} explains at one layer at a time"));
    }
    if *compat == Compat::TorchCam && layers.len() > 1 && methods.len() > 1 {
        return fail(format!("{name} fuses layers for one method at a time"));
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
