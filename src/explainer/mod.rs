//! The library's main interface: photos in, explanations out, on the GPU or on the CPU.

pub(crate) mod drawing;
mod profile;
pub(crate) mod recipe;
mod request;
mod result;

pub use profile::{LayerTime, Stage};
pub use request::{Classes, Images, Outputs, Style};
pub use result::{Batch, Explanation, Heatmap, Map, Overlay, Prediction};

use std::sync::Arc;

use crate::cam::Method;
use crate::error::{Error, Result};
use crate::gpu::{Gpu, GpuOptions, Run, Session, Stats, Weights};
use crate::graph::{Graph, Kind, NodeId};
use crate::kernels::Profile;
use crate::model::{Model, Network};
use crate::picture::Photo;
use crate::plan::Plan;
use crate::reference::{self, Value};
use drawing::{Drawing, Scene};
use recipe::{Built, Recipe};

/// Plans kept for later batches of the same shape, by default.
const KEPT_PLANS: usize = 4;

/// Where to compute.
#[derive(Clone)]
#[non_exhaustive]
pub enum Device {
    /// A GPU, or a driver that acts as one. Several explainers may share it.
    Gpu(Arc<Gpu>),
    /// Plain f64 loops, for machines without a graphics driver.
    Cpu,
}

impl Device {
    /// Opens the best adapter.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn gpu() -> Result<Self> {
        pollster::block_on(Gpu::open(&GpuOptions::default())).map(Self::from)
    }
}

impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Arc::new(gpu))
    }
}

/// Explains a model's decisions.
///
/// ```no_run
/// use gradcam::{Classes, Device, Explainer, Model, Photo};
///
/// # fn main() -> gradcam::Result<()> {
/// let mut explainer = Explainer::new(Model::open("resnet50.safetensors", None)?, Device::gpu()?);
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
    method: Method,
    layers: Vec<String>,
    weights: Weights,
    /// The most recently used one is last.
    plans: Vec<Arc<Prepared>>,
    /// Overlays drawn after one of these plans. The most recently used one is last.
    pictures: Vec<Arc<Picture>>,
    kept_plans: usize,
}

/// A pending batch, see [`Explainer::submit`]. It holds everything it needs, whatever happens to the explainer.
pub struct Pending {
    model: Arc<Model>,
    prepared: Arc<Prepared>,
    picture: Option<Arc<Picture>>,
    work: Work,
}

enum Work {
    Submitted(Arc<Gpu>, Run),
    Done(Vec<Vec<u8>>),
}

struct Prepared {
    recipe: Recipe,
    built: Built,
    session: Option<Arc<Session>>,
}

/// Overlays on photos of certain sizes, in certain colours.
struct Picture {
    /// The batch whose maps are drawn.
    of: Arc<Prepared>,
    scene: Scene,
    drawing: Drawing,
    session: Option<Session>,
}

impl Explainer {
    /// Explains `model` on `device`, with Grad-CAM at the model's default layer.
    pub fn new(model: Model, device: Device) -> Self {
        let layers = vec![model.default_layer().to_owned()];
        let (method, weights) = (Method::default(), Weights::default());
        let model = Arc::new(model);
        Self { model, device, method, layers, weights, plans: vec![], pictures: vec![], kept_plans: KEPT_PLANS }
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
        self.layers = paths.iter().map(|p| (*p).to_owned()).collect();
        self.forget_plans();
        Ok(())
    }

    /// Explains with another method.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.set_method(method);
        self
    }

    /// Explains with another method from now on.
    pub fn set_method(&mut self, method: Method) {
        self.method = method;
        self.forget_plans();
    }

    /// Keeps the plans of the latest `plans` kinds of batch, with their memory. The default is four.
    pub fn with_kept_plans(self, plans: usize) -> Self {
        Self { kept_plans: plans.max(1), ..self }
    }

    /// Drops the kept plans, and returns whether there were any. After [`Error::OutOfMemory`] they may hold the missing
    /// memory. Pending batches keep theirs.
    pub fn forget_plans(&mut self) -> bool {
        self.pictures.clear();
        !std::mem::take(&mut self.plans).is_empty()
    }

    /// Continues on another device.
    pub fn on(self, device: Device) -> Self {
        Self { device, weights: Weights::default(), plans: vec![], pictures: vec![], ..self }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Module paths of the target layers.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// The network, built for one image of the model's own size. See [`Model::layers`] for its paths and shapes.
    ///
    /// # Errors
    /// None for a model that was loaded.
    #[doc(hidden)] // for the tests
    pub fn network(&self) -> Result<Network> {
        let [h, w] = self.model.preprocess.size;
        self.model.network(Kind::Plain, [1, 3, h, w])
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
        let outputs = Outputs { raw: outputs.raw && self.layers.len() == 1, ..*outputs };
        // Timestamps surround the plan. They are not a part of it.
        let recipe = Recipe::new(&self.model, images, classes, &outputs.clock(false))?;
        let requests = recipe.requests(&self.model, classes)?;
        let scene = match (images, outputs.overlay) {
            (Images::Photos(photos), Some(style)) => Some((photos, Scene::new(photos, recipe.maps, style))),
            _ => None,
        };
        let prepared = self.prepare(recipe).await?;
        let inputs = prepared.built.inputs(&self.model, images, &requests);
        let inputs: Vec<Given> = inputs.iter().map(|(id, bytes)| (*id, &**bytes)).collect();
        let (picture, strips) = match scene {
            None => (None, vec![]),
            Some((photos, scene)) => {
                let picture = self.picture(&prepared, scene).await?;
                let strips = picture.drawing.drawn.inputs(photos);
                (Some(picture), strips)
            }
        };
        let last = picture.as_ref().map_or(prepared.session.as_deref(), |picture| picture.session.as_ref());
        let work = match (&self.device, last) {
            (Device::Gpu(gpu), Some(session)) => {
                let gpu = gpu.clone();
                let submitted = session.submit_all(&gpu, &[&inputs, &strips], outputs.clock).await;
                if matches!(submitted, Err(Error::OutOfMemory { .. })) {
                    // A plan without memory for its inputs would only take memory from others.
                    self.plans.pop();
                    self.pictures.retain(|picture| !Arc::ptr_eq(&picture.of, &prepared));
                }
                Work::Submitted(gpu, submitted?)
            }
            _ => Work::Done(on_cpu(&prepared.built, &inputs, picture.as_ref().map(|p| (&p.drawing, &*strips)))),
        };
        Ok(Pending { model: self.model.clone(), prepared, picture, work })
    }

    /// The layers of the latest batch's network, backward pass and tail, with the time of their kernels.
    ///
    /// # Errors
    /// [`Error::Request`] if nothing was explained on a GPU yet, [`Error::Device`] if the device has no clock.
    pub async fn time(&self) -> Result<Vec<LayerTime>> {
        match (&self.device, self.plans.last().map(|p| &**p)) {
            (Device::Gpu(gpu), Some(Prepared { built, session: Some(session), .. })) => {
                Ok(profile::layers(built, &session.time(gpu, 1).await?))
            }
            _ => Err(Error::Request("nothing was explained on a GPU yet".into())),
        }
    }

    /// Multiply-adds of the latest batch's network and backward pass by definition, whatever the algorithm. `None` if
    /// nothing was explained yet.
    pub fn multiply_adds(&self) -> Option<usize> {
        let Built { graph, outputs, .. } = &self.plans.last()?.built;
        let needed = graph.needed(outputs);
        Some((0..graph.nodes.len()).filter(|&id| needed[id]).map(|id| graph.multiply_adds(id)).sum())
    }

    /// Checks whether such a batch can be explained, without computing it.
    ///
    /// # Errors
    /// [`Error::Request`] if classes, images and outputs contradict each other, [`Error::Graph`] if the images are too small for
    /// the network.
    pub fn check(&self, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<()> {
        let recipe = Recipe::new(&self.model, images, classes, outputs)?;
        recipe.build(&self.model, self.method, &self.layers).map(drop)
    }

    /// The plan of such a batch on a device with this profile.
    ///
    /// # Errors
    /// [`Error::Request`] if classes, images and outputs contradict each other.
    #[doc(hidden)] // for `Gpu::tune` and the tests
    pub fn plan(&self, images: Images<'_>, classes: &Classes, outputs: &Outputs, profile: &Profile) -> Result<Plan> {
        let built =
            Recipe::new(&self.model, images, classes, outputs)?.build(&self.model, self.method, &self.layers)?;
        Ok(Plan::new(&built.graph, profile, &built.outputs))
    }

    /// Returns the plan for this kind of batch, and prepares it if there is none yet.
    async fn prepare(&mut self, recipe: Recipe) -> Result<Arc<Prepared>> {
        if let Some(at) = self.plans.iter().position(|p| p.recipe == recipe) {
            let prepared = self.plans.remove(at);
            self.plans.push(prepared.clone());
            return Ok(prepared);
        }
        if self.plans.len() >= self.kept_plans {
            let old = self.plans.remove(0);
            self.pictures.retain(|picture| !Arc::ptr_eq(&picture.of, &old));
        }
        let built = recipe.build(&self.model, self.method, &self.layers)?;
        let session = match &self.device {
            Device::Cpu => None,
            Device::Gpu(gpu) => {
                let kept = if recipe.draws { vec![built.heatmap] } else { vec![] };
                let plan = Plan::keeping(&built.graph, gpu.profile(), &built.outputs, &kept);
                Some(Arc::new(Session::new(gpu, &mut self.weights, &built.graph, &plan).await?))
            }
        };
        let prepared = Arc::new(Prepared { recipe, built, session });
        self.plans.push(prepared.clone());
        Ok(prepared)
    }

    /// Returns the overlays of this scene after a batch, and prepares them if there are none yet.
    async fn picture(&mut self, of: &Arc<Prepared>, scene: Scene) -> Result<Arc<Picture>> {
        if let Some(at) = self.pictures.iter().position(|p| Arc::ptr_eq(&p.of, of) && p.scene == scene) {
            let picture = self.pictures.remove(at);
            self.pictures.push(picture.clone());
            return Ok(picture);
        }
        if self.pictures.len() >= self.kept_plans {
            self.pictures.remove(0);
        }
        let drawing = scene.build(&self.model.preprocess, of.built.graph.shape(of.built.heatmap))?;
        let session = match (&self.device, &of.session) {
            (Device::Gpu(gpu), Some(first)) => {
                let heatmaps = [drawing.heatmap, of.built.heatmap];
                // The input is the other plan's kept value, so this plan keeps it too.
                let plan = Plan::keeping(&drawing.graph, gpu.profile(), &drawing.drawn.outputs, &[drawing.heatmap]);
                Some(Session::following(gpu, first.clone(), &drawing.graph, &plan, heatmaps).await?)
            }
            _ => None,
        };
        let picture = Arc::new(Picture { of: of.clone(), scene, drawing, session });
        self.pictures.push(picture.clone());
        Ok(picture)
    }
}

impl Pending {
    /// Waits for the batch.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`] or [`Error::Device`] if the device failed.
    pub async fn finish(self) -> Result<Batch> {
        let Self { model, prepared, picture, work } = self;
        let Prepared { recipe, built, session } = &*prepared;
        let photos = picture.as_ref().map_or(&[][..], |picture| &picture.scene.photos);
        let assemble =
            |values: &[&[u8]], stats| result::assemble(&model, recipe, photos, values, built.layer_size, stats);
        let last = picture.as_ref().map_or(session.as_deref(), |picture| picture.session.as_ref());
        match (work, last) {
            (Work::Submitted(gpu, run), Some(session)) => session.finish(&gpu, run, assemble).await,
            (Work::Submitted(..), None) => unreachable!("only a session submits"),
            (Work::Done(values), _) => {
                Ok(assemble(&values.iter().map(Vec::as_slice).collect::<Vec<_>>(), Stats::default()))
            }
        }
    }
}

/// The content of an input.
type Given<'a> = (NodeId, &'a [u8]);

/// Computes a batch, and the overlays after it, by the reference on the CPU. Takes and returns bytes, as the GPU does.
fn on_cpu(built: &Built, inputs: &[Given], drawing: Option<(&Drawing, &[Given])>) -> Vec<Vec<u8>> {
    let value = |graph: &Graph, (id, bytes): &Given| {
        let numbers =
            || bytes.chunks_exact(4).map(|b| f64::from(f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))).collect();
        let pixels = graph.nodes[*id].ty.kind == Kind::Pixels;
        (*id, if pixels { Value::Pixels(bytes.to_vec()) } else { Value::Numbers(numbers()) })
    };
    let bytes = |value| match value {
        Value::Numbers(numbers) => numbers.iter().flat_map(|v| (*v as f32).to_ne_bytes()).collect(),
        Value::Pixels(pixels) => pixels,
    };
    let given: Vec<_> = inputs.iter().map(|input| value(&built.graph, input)).collect();
    let wanted = [&built.outputs[..], &[built.heatmap]].concat();
    let mut values = reference::evaluate(&built.graph, &given, &wanted);
    let heatmap = values.pop().expect("as many values as were asked for");
    if let Some((Drawing { graph, heatmap: input, drawn }, strips)) = drawing {
        let strips = strips.iter().map(|strip| value(graph, strip));
        let given: Vec<_> = strips.chain([(*input, heatmap)]).collect();
        values.extend(reference::evaluate(graph, &given, &drawn.outputs));
    }
    values.into_iter().map(bytes).collect()
}
