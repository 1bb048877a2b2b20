//! The library's main interface: photos in, explanations out, on the GPU or on the CPU.

mod begin;
mod checks;
#[cfg(not(target_arch = "wasm32"))]
mod cpu;
mod device;
pub(crate) mod drawing;
pub(crate) mod how;
mod masked;
mod operands;
mod pending;
mod plans;
mod profile;
pub(crate) mod recipe;
mod request;
mod result;
mod sampled;
mod smoothed;
mod tap;

pub use device::Device;
pub use pending::Pending;
pub use profile::{LayerTime, Stage};
pub use request::{Classes, Images, Outputs, Style};
pub use result::{Batch, Explanation, Heatmap, Map, Overlay, Prediction};

use std::sync::Arc;

use crate::cam::{At, Compat, Fusion, Method, Normalise, Sampling, Smoothing, Target};
use crate::error::{Error, Result};
use crate::gpu::{Given, Stats};
use crate::kernels::Profile;
use crate::model::{Model, Network};
#[cfg(not(target_arch = "wasm32"))]
use crate::picture::Photo;
use crate::plan::Plan;
#[cfg(not(target_arch = "wasm32"))]
use cpu::on_cpu;
use drawing::Scene;
use how::How;
use pending::Work;
use plans::{Picture, Plans, Prepared, Wanted, last};
use recipe::{Built, Recipe};

/// Explains a model's decisions.
///
/// ```no_run
/// use gradcam::{Classes, Device, Explainer, Model, ModelOptions, Photo};
///
/// # fn main() -> gradcam::Result<()> {
/// let mut explainer = Explainer::new(Model::open("resnet50.safetensors", &ModelOptions::default())?, Device::gpu()?);
/// let explanation = explainer.explain_photo(&Photo::open("cat.jpg")?, Classes::Top(1))?;
/// let heatmap = &explanation.heatmaps[0];
/// println!("{} {:.3}", heatmap.prediction.label, heatmap.prediction.probability);
/// heatmap.save_overlay("cat.gradcam.png")?;
/// # Ok(())
/// # }
/// ```
pub struct Explainer {
    model: Arc<Model>,
    device: Device,
    how: How,
    plans: Plans,
}

impl Explainer {
    /// Explains `model` on `device`, with Grad-CAM at the model's default layer.
    pub fn new(model: Model, device: Device) -> Self {
        let how = How::at(vec![model.default_layer().to_owned()]);
        Self { model: Arc::new(model), device, how, plans: Plans::default() }
    }

    /// Explains at another layer: a module path, see [`Model::layers`].
    ///
    /// # Errors
    /// As [`Explainer::set_layers`].
    pub fn with_layer(self, path: &str) -> Result<Self> {
        self.with_layers(&[path])
    }

    /// Explains at several layers.
    ///
    /// # Errors
    /// As [`Explainer::set_layers`].
    pub fn with_layers(mut self, paths: &[&str]) -> Result<Self> {
        self.set_layers(paths)?;
        Ok(self)
    }

    /// Explains at one layer, or at several. The heat maps of several layers are fused by the mean, and there is no raw
    /// map.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar paths; [`Error::Request`] if the class scores do not depend on a layer, or no
    /// path is given. On an error the layers do not change.
    pub fn set_layers(&mut self, paths: &[&str]) -> Result<()> {
        let network = self.network()?;
        let needed = network.graph.needed(&[network.logits]);
        for path in paths {
            let node = network.layer(path)?;
            if !needed[node] || node == network.logits {
                let reason = "the class scores cannot be explained at layer";
                return Err(Error::Request(format!("{reason} '{path}'; choose one before the classifier")));
            }
        }
        if paths.is_empty() {
            return Err(Error::Request("no layer is named".into()));
        }
        if let Some((_, path)) = paths.iter().enumerate().find(|(i, path)| paths[..*i].contains(path)) {
            return Err(Error::Request(format!("layer '{path}' is named twice; name it once")));
        }
        self.change(|how| how.layers = paths.iter().map(|p| (*p).to_owned()).collect());
        Ok(())
    }

    /// Explains with another method.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        self.with_methods(&[method])
    }

    /// Explains with several methods. They share one forward pass, and the backward pass of their rule. Each class then has a map
    /// by each method, in this order.
    #[must_use]
    pub fn with_methods(mut self, methods: &[Method]) -> Self {
        self.set_methods(methods);
        self
    }

    /// Explains with these methods from now on; with Grad-CAM if none is named.
    pub fn set_methods(&mut self, methods: &[Method]) {
        let usual = [Method::default()];
        self.change(|how| how.methods = if methods.is_empty() { &usual } else { methods }.to_vec());
    }

    /// Explains another number than the logit of a class.
    #[must_use]
    pub fn with_target(mut self, target: Target) -> Self {
        self.set_target(target);
        self
    }

    /// Explains another number from now on.
    pub fn set_target(&mut self, target: Target) {
        self.change(|how| how.target = target);
    }

    /// Explains what makes images similar to another one, whose [`Explanation::embedding`] is given, and no class: the cosine
    /// of the embeddings. `None` explains classes again.
    #[must_use]
    pub fn with_similar_to(mut self, embedding: Option<&[f32]>) -> Self {
        self.set_similar_to(embedding);
        self
    }

    /// Explains another image's embedding from now on, or classes again.
    pub fn set_similar_to(&mut self, embedding: Option<&[f32]>) {
        self.change(|how| how.similar_to = embedding.map(Arc::from));
    }

    /// Scales maps in another way.
    #[must_use]
    pub fn with_normalise(mut self, normalise: Normalise) -> Self {
        self.set_normalise(normalise);
        self
    }

    /// Scales maps in another way from now on.
    pub fn set_normalise(&mut self, normalise: Normalise) {
        self.change(|how| how.normalise = normalise);
    }

    /// Averages gradients in another way, for methods that do so.
    #[must_use]
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.set_sampling(sampling);
        self
    }

    /// Averages gradients in another way from now on.
    pub fn set_sampling(&mut self, sampling: Sampling) {
        self.change(|how| how.sampling = sampling);
    }

    /// Makes maps smoother.
    #[must_use]
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> Self {
        self.set_smoothing(smoothing);
        self
    }

    /// Makes maps smoother, or as they are, from now on.
    pub fn set_smoothing(&mut self, smoothing: Smoothing) {
        self.change(|how| how.smoothing = smoothing);
    }

    /// Follows another library's steps.
    #[must_use]
    pub fn with_compat(mut self, compat: Compat) -> Self {
        self.set_compat(compat);
        self
    }

    /// Follows another library's steps from now on.
    pub fn set_compat(&mut self, compat: Compat) {
        self.change(|how| how.compat = compat);
    }

    /// Looks at layers before the activation that they end in, or after it as usual.
    #[must_use]
    pub fn with_before_activation(mut self, before: bool) -> Self {
        self.set_before_activation(before);
        self
    }

    /// Looks at layers before or after their activation from now on.
    pub fn set_before_activation(&mut self, before: bool) {
        self.change(|how| how.before_activation = before);
    }

    /// Explains in another way. If it is another one, there are no plans for it yet.
    fn change(&mut self, change: impl FnOnce(&mut How)) {
        let before = self.how.clone();
        change(&mut self.how);
        if self.how != before {
            self.plans.forget();
        }
    }

    /// Keeps the plans of the latest `plans` kinds of batch, with their memory. The default is four.
    pub fn with_kept_plans(mut self, plans: usize) -> Self {
        self.plans.keep(plans);
        self
    }

    /// Drops the kept plans, and returns whether there were any. After [`Error::OutOfMemory`] they may hold the missing
    /// memory. Pending batches keep theirs.
    pub fn forget_plans(&mut self) -> bool {
        self.plans.forget()
    }

    /// Continues on another device.
    pub fn on(self, device: Device) -> Self {
        Self { device, plans: self.plans.renewed(), ..self }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The methods.
    pub fn methods(&self) -> &[Method] {
        &self.how.methods
    }

    /// Module paths of the target layers.
    pub fn layers(&self) -> &[String] {
        &self.how.layers
    }

    /// The network, built for one image of the model's own size. See [`Model::layers`] for its paths and shapes.
    ///
    /// # Errors
    /// None for a model that was loaded.
    #[doc(hidden)] // for the tests
    pub fn network(&self) -> Result<Network> {
        self.model.own_network()
    }

    /// Explains one photo, with an overlay and a heat map for each class.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn explain_photo(&mut self, photo: &Photo, classes: Classes) -> Result<Explanation> {
        let outputs = Outputs { predictions: 3, heatmap: true, overlay: Some(Style::default()), ..Outputs::default() };
        let batch = self.explain(Images::Photos(std::slice::from_ref(photo)), &classes, &outputs)?;
        batch.explanations.into_iter().next().ok_or_else(|| Error::Request("nothing to explain".into()))
    }

    /// Explains a batch of images: one submission and one readback.
    ///
    /// # Errors
    /// [`Error::Request`] if classes, images and outputs contradict each other, [`Error::OutOfMemory`],
    /// [`Error::DeviceLost`], [`Error::TimedOut`] or [`Error::Device`] if the device fails.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn explain(&mut self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Batch> {
        pollster::block_on(self.explain_async(images, classes, outputs))
    }

    /// [`Explainer::explain`] for callers that must not block, such as a browser's page.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_async(&mut self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Batch> {
        let pending = self.submit(images, classes, outputs).await?;
        pending.finish().await
    }

    /// Submits a batch to the device and returns, so that the next one can be prepared meanwhile. Two or three pending
    /// batches keep the device busy. On the CPU the batch is computed at once.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn submit(&mut self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Pending> {
        let outputs = Outputs { raw: outputs.raw && self.has_raw(), ..*outputs };
        // Timestamps surround the plan. They are not a part of it.
        let recipe = Recipe::new(&self.model, images, classes, &outputs.clock(false))?;
        let requests = recipe.requests(&self.model, &self.how.target, classes)?;
        let Self { model, device, how, plans } = self;
        plans.drawn = None;
        let wanted = Wanted { model, device, how };
        let prepared = plans.batch(&wanted, recipe).await?;
        let inputs = prepared.built.inputs(model, images, &requests)?;
        let inputs: Vec<Given> = inputs.iter().map(|(id, bytes)| (*id, &**bytes)).collect();
        let colours = outputs.overlay.map(Style::colours).unwrap_or_default();
        let (picture, drawn) = match (images, outputs.overlay) {
            (Images::Photos(photos), Some(_)) => {
                photos.iter().try_for_each(|photo| photo.shown().map(drop))?;
                let maps = (0..photos.len()).map(|image| prepared.places(image).map(|(_, place)| place).collect());
                let scene = Scene::new(photos, maps.collect(), how);
                let picture = plans.picture(&wanted, &prepared, scene).await?;
                let drawn = picture.drawing.drawn.inputs(bytemuck::cast_slice(&colours), photos);
                (Some(picture), drawn)
            }
            _ => (None, vec![]),
        };
        let work = match (&*device, last(&prepared, picture.as_deref())) {
            (Device::Gpu(gpu), Some(session)) => {
                let gpu = gpu.clone();
                let submitted = session.submit_all(&gpu, &[&inputs, &drawn], outputs.clock).await;
                submitted.map(|run| Work::Submitted(gpu, run))
            }
            #[cfg(not(target_arch = "wasm32"))]
            _ => on_cpu(&prepared.built, &inputs, picture.as_ref().map(|p| (&p.drawing, &*drawn))).map(Work::Done),
            #[cfg(target_arch = "wasm32")]
            _ => unreachable!("a browser computes on its GPU"),
        };
        if work.as_ref().is_err_and(Error::is_memory) {
            // A plan without memory for its inputs would only take memory from others.
            plans.drop_batch(&prepared);
        }
        let work = work?;
        plans.drawn = picture.clone();
        Ok(Pending { model: model.clone(), prepared, picture, work })
    }

    /// Draws the overlays of the latest batch in another style, for each photo map by map. Maps and photos are still on the
    /// device: an overlay is one dispatch, and nothing else is computed.
    ///
    /// # Errors
    /// [`Error::Request`] if the latest batch had no overlays, or was computed on the CPU; otherwise as
    /// [`Explainer::explain`].
    pub async fn redraw(&self, style: Style) -> Result<(Vec<Vec<Overlay>>, Stats)> {
        let on_device = (&self.device, self.plans.drawn.as_deref());
        let (Device::Gpu(gpu), Some(Picture { scene, drawing, session: Some(session), .. })) = on_device else {
            let reason = "there is no overlay on a device to draw again; explain a photo there, with an overlay, first";
            return Err(Error::Request(reason.into()));
        };
        let colours = style.colours();
        let draw = |values: &[&[u8]], stats| (result::overlays(scene, values.iter().copied()), stats);
        let run = session.submit_again(gpu, (drawing.drawn.colours, bytemuck::cast_slice(&colours))).await?;
        session.finish(gpu, run, &mut |_, _| (), draw).await
    }

    /// Whether raw maps have one size, and are of one layer.
    fn has_raw(&self) -> bool {
        let mut kinds = self.how.methods.iter().map(|method| method.row().kind());
        let Some(first @ (at, fusion)) = kinds.next() else { return false };
        let is_one = at == At::Pixels || self.how.layers.len() == 1 && fusion != Fusion::Product;
        is_one && kinds.all(|kind| kind == first)
    }

    /// The layers of the latest batch's network, backward pass and tail, with the time of their kernels.
    ///
    /// # Errors
    /// [`Error::Request`] if nothing was explained on a GPU yet, [`Error::Device`] if the device has no clock.
    pub async fn time(&self) -> Result<Vec<LayerTime>> {
        match (&self.device, self.plans.latest()) {
            (Device::Gpu(gpu), Some(Prepared { built, session: Some(session), .. })) => {
                Ok(profile::layers(built, &session.time(gpu, 1).await?))
            }
            _ => Err(Error::Request("nothing was explained on a GPU yet".into())),
        }
    }

    /// Multiply-adds of the latest batch's network and backward pass by definition, whatever the algorithm. `None` if
    /// nothing was explained yet.
    pub fn multiply_adds(&self) -> Option<u64> {
        let Built { graph, outputs, .. } = &self.plans.latest()?.built;
        let needed = graph.needed(outputs);
        Some((0..graph.nodes.len()).filter(|&id| needed[id]).map(|id| graph.multiply_adds(id)).sum())
    }

    /// Checks whether such a batch can be explained, without computing it.
    ///
    /// # Errors
    /// [`Error::Request`] if classes, images and outputs contradict each other, [`Error::Graph`] if the images are too small for
    /// the network.
    pub fn check(&self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<()> {
        self.build(images, classes, outputs).map(drop)
    }

    /// The plan of such a batch on a device with this profile.
    ///
    /// # Errors
    /// [`Error::Request`] if classes, images and outputs contradict each other.
    #[doc(hidden)] // for `Gpu::tune` and the tests
    pub fn plan(&self, images: Images<'_>, classes: &Classes, outputs: &Outputs, profile: &Profile) -> Result<Plan> {
        let built = self.build(images, classes, outputs)?;
        Ok(Plan::new(&built.graph, profile, &built.outputs))
    }

    fn build(&self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Built> {
        Recipe::new(&self.model, images, classes, outputs)?.build(&self.model, &self.how)
    }
}
