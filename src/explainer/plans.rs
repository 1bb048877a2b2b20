//! The plans that an explainer keeps for its next batches.

use std::sync::Arc;

use super::device::Device;
use super::drawing::{Drawing, Scene};
use super::how::How;
use super::recipe::{Built, Recipe};
use crate::cam::Method;
use crate::error::Result;
use crate::gpu::{Session, Weights};
use crate::graph::NodeId;
use crate::model::Model;
use crate::plan::Plan;

/// How many plans are kept, by default.
const KEPT: usize = 4;

/// A batch's plan.
pub struct Prepared {
    pub recipe: Recipe,
    pub built: Built,
    pub session: Option<Arc<Session>>,
}

impl Prepared {
    /// The methods of an image's maps with their places in the batch, class by class.
    pub fn places(&self, image: usize) -> impl Iterator<Item = (Method, usize)> {
        let of_class = move |class| self.built.maps.iter().map(move |place| (place.method, place.of(image, class)));
        (0..self.recipe.maps).flat_map(of_class)
    }
}

/// Overlays on photos of certain sizes.
pub struct Picture {
    /// The batch whose maps are drawn.
    pub of: Arc<Prepared>,
    pub scene: Scene,
    pub drawing: Drawing,
    pub session: Option<Session>,
}

/// The session that runs last for a batch, and with it the whole batch: that of the overlays, if any are drawn. None on
/// the CPU.
pub fn last<'a>(prepared: &'a Prepared, picture: Option<&'a Picture>) -> Option<&'a Session> {
    picture.map_or(prepared.session.as_deref(), |picture| picture.session.as_ref())
}

/// Returns the kept one that is wanted, if there is one. It becomes the most recently used.
fn recall<T>(kept: &mut [Arc<T>], is_wanted: impl Fn(&T) -> bool) -> Option<Arc<T>> {
    let at = kept.iter().position(|one| is_wanted(one))?;
    kept[at..].rotate_left(1);
    kept.last().cloned()
}

/// What all plans of an explainer depend on.
pub struct Wanted<'a> {
    pub model: &'a Model,
    pub device: &'a Device,
    pub how: &'a How,
}

/// Plans with their memory, and the model's weights on the device.
pub struct Plans {
    weights: Weights,
    /// The most recently used one is last.
    batches: Vec<Arc<Prepared>>,
    /// Overlays drawn after one of these batches. The most recently used one is last.
    pictures: Vec<Arc<Picture>>,
    kept: usize,
    /// The overlays of the latest batch, if it has any. Its maps and photos are still on the device.
    pub drawn: Option<Arc<Picture>>,
}

impl Default for Plans {
    fn default() -> Self {
        Self { weights: Weights::default(), batches: vec![], pictures: vec![], kept: KEPT, drawn: None }
    }
}

impl Plans {
    /// None, of as many, for another device.
    pub fn renewed(&self) -> Self {
        Self { kept: self.kept, ..Self::default() }
    }

    /// Keeps at most so many plans from now on, and at least one.
    pub fn keep(&mut self, plans: usize) {
        self.kept = plans.max(1);
    }

    /// Drops all plans, but not the weights, and returns whether there were any.
    pub fn forget(&mut self) -> bool {
        self.pictures.clear();
        self.drawn = None;
        !std::mem::take(&mut self.batches).is_empty()
    }

    /// Drops the plan of one batch.
    pub fn drop_batch(&mut self, prepared: &Arc<Prepared>) {
        self.batches.retain(|batch| !Arc::ptr_eq(batch, prepared));
        self.pictures.retain(|picture| !Arc::ptr_eq(&picture.of, prepared));
    }

    /// The most recently used plan.
    pub fn latest(&self) -> Option<&Prepared> {
        self.batches.last().map(|prepared| &**prepared)
    }

    /// Returns the plan for this kind of batch, and prepares it if there is none yet.
    pub async fn batch(&mut self, wanted: &Wanted<'_>, recipe: Recipe) -> Result<Arc<Prepared>> {
        if let Some(prepared) = recall(&mut self.batches, |p| p.recipe == recipe) {
            return Ok(prepared);
        }
        if self.batches.len() >= self.kept {
            self.drop_batch(&self.batches[0].clone());
        }
        let built = recipe.build(wanted.model, wanted.how)?;
        let session = match wanted.device {
            #[cfg(not(target_arch = "wasm32"))]
            Device::Cpu => None,
            Device::Gpu(gpu) => {
                let kept = if recipe.draws { vec![built.heatmap] } else { vec![] };
                let plan = Plan::keeping(&built.graph, gpu.profile(), &built.outputs, &kept);
                Some(Arc::new(Session::new(gpu, &mut self.weights, &built.graph, &plan).await?))
            }
        };
        let prepared = Arc::new(Prepared { recipe, built, session });
        self.batches.push(prepared.clone());
        Ok(prepared)
    }

    /// Returns the overlays of this scene after a batch, and prepares them if there are none yet.
    pub async fn picture(&mut self, wanted: &Wanted<'_>, of: &Arc<Prepared>, scene: Scene) -> Result<Arc<Picture>> {
        if let Some(picture) = recall(&mut self.pictures, |p| Arc::ptr_eq(&p.of, of) && p.scene == scene) {
            return Ok(picture);
        }
        if self.pictures.len() >= self.kept {
            self.pictures.remove(0);
        }
        let drawing = scene.build(&wanted.model.preprocess, of.built.graph.shape(of.built.heatmap))?;
        let session = match (wanted.device, &of.session) {
            (Device::Gpu(gpu), Some(first)) => {
                let heatmaps = [drawing.heatmap, of.built.heatmap];
                // Maps and photos stay, to be drawn again.
                let kept: Vec<NodeId> = [drawing.heatmap].into_iter().chain(drawing.drawn.photos()).collect();
                let plan = Plan::keeping(&drawing.graph, gpu.profile(), &drawing.drawn.outputs, &kept);
                Some(Session::following(gpu, first.clone(), &drawing.graph, &plan, heatmaps).await?)
            }
            _ => None,
        };
        let picture = Arc::new(Picture { of: of.clone(), scene, drawing, session });
        self.pictures.push(picture.clone());
        Ok(picture)
    }
}
