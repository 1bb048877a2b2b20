//! What is measured on a device, once: which profile suits it, and which register tiles. Remembered in the user's cache
//! folder for each adapter, driver and version of the shaders.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::device::Gpu;
use super::session::{Session, Weights};
use crate::error::Result;
use crate::graph::{Conv2d, Graph, Kind, NodeId, Op, Param, Window};
use crate::kernels::{Class, Product, Profile, Tile, Tuned, preprocess};
use crate::picture::write_atomically;
use crate::plan::Plan;

/// A candidate this many times slower than the best is not measured again.
const HOPELESS: f64 = 3.0;
/// Measurements of a candidate, of which the least counts.
const RUNS: usize = 12;

/// What was found on a device.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Verdict {
    profile: String,
    #[serde(default)]
    tuned: BTreeMap<String, Tuned>,
}

/// Work that is timed.
struct Probe {
    session: Session,
    input: NodeId,
    zeros: Vec<u8>,
}

impl Probe {
    async fn run(&self, gpu: &Gpu) -> Result<()> {
        self.session.run(gpu, &[(self.input, &self.zeros)]).await.map(drop)
    }
}

/// Verdicts by adapter, driver and version of the shaders.
type Verdicts = BTreeMap<String, Verdict>;

impl Gpu {
    /// Takes the profile that is wanted, or else the one that is remembered for this device, or else measures and
    /// remembers which suits it best; with the tiles that were measured for it, if any were.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device cannot run the one that is wanted.
    pub(super) async fn choose_profile(&mut self, wanted: Option<Profile>) -> Result<()> {
        let mut verdict = self.recall();
        let remembered = || Profile::named(&verdict.profile).ok().and_then(|p| self.fitting(p));
        self.profile = match wanted {
            Some(profile) => {
                let name = profile.name;
                let lacks = || format!("has no subgroups of one size, which '{name}' needs; choose another --variant");
                self.fitting(profile).ok_or_else(|| self.error(lacks()))?
            }
            None => match remembered() {
                Some(profile) => profile,
                None => {
                    let best = self.fastest_profile().await;
                    verdict.profile = best.name.to_owned();
                    self.remember(verdict.clone());
                    best
                }
            },
        };
        self.profile.tuned = verdict.tuned.remove(self.profile.name).map(Arc::new);
        Ok(())
    }

    /// The profile as this device can run it.
    pub(crate) fn fitting(&self, profile: Profile) -> Option<Profile> {
        let subgroup = profile.subgroup.and(self.info().subgroup);
        let limits = &self.limits;
        let most = [limits.max_storage_buffers_per_shader_stage, limits.max_storage_textures_per_shader_stage];
        let operands = profile.operands.min(most[usize::from(profile.texture)]);
        (profile.subgroup.is_some() == subgroup.is_some()).then_some(Profile { subgroup, operands, ..profile })
    }

    /// Runs three 1×1 convolutions in every profile, in turn, because machines drift. Where buffers are hopeless, macro
    /// tiles in buffers are not tried: to compile their kernels may take longer than all the rest.
    async fn fastest_profile(&mut self) -> Profile {
        let product = Product { groups: 1, out_blocks: 32, pixels: 28 * 28, steps: 32 };
        let mut candidates: Vec<(f64, Profile, Probe)> = vec![];
        let mut best = f64::INFINITY;
        let mut hopeless = false;
        for profile in [Profile::TEXTURES_SUBGROUP, Profile::TEXTURES, Profile::BUFFERS, Profile::BUFFERS_SHARED] {
            let Some(profile) = self.fitting(profile).filter(|p| p.shared.is_empty() || !hopeless) else { continue };
            self.profile = profile.clone();
            let Ok(probe) = self.probe(&product, 3).await else { continue };
            let Ok(seconds) = self.timed(&probe).await else { continue };
            hopeless = seconds > HOPELESS * best;
            best = best.min(seconds);
            candidates.push((seconds, profile, probe));
        }
        candidates.retain(|(seconds, ..)| *seconds <= HOPELESS * best);
        for _ in 1..RUNS {
            for (least, _, probe) in &mut candidates {
                *least = least.min(self.timed(probe).await.unwrap_or(f64::INFINITY));
            }
        }
        let fastest = candidates.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        fastest.map_or(Profile::BUFFERS, |(_, profile, _)| profile)
    }

    /// Measures every tile for the products of these plans, takes the best ones, and remembers them. `report` is told
    /// how many classes of products there are, and each as it is done.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device fails.
    pub async fn tune(&mut self, plans: &[Plan], mut report: impl FnMut(usize, usize)) -> Result<Tuned> {
        let products = plans.iter().flat_map(|p| &p.dispatches).filter_map(|d| d.product);
        let mut classes: BTreeMap<Class, Product> = BTreeMap::new();
        for product in products {
            classes.entry(Class::of(&product)).or_insert(product);
        }
        let mut verdict = self.recall();
        let untuned = self.profile.clone();
        let mut tuned = Tuned::default();
        for (done, (class, product)) in classes.iter().enumerate() {
            report(done, classes.len());
            let mut best: Option<(f64, Tile)> = None;
            for tile in Product::tiles(&untuned) {
                let forced = Tuned(vec![(*class, tile)]);
                self.profile = Profile { tuned: Some(Arc::new(forced)), ..untuned.clone() };
                let least = best.map_or(f64::INFINITY, |b| b.0);
                let probe = self.probe(product, 1).await?;
                let mut seconds = f64::INFINITY;
                for _ in 0..RUNS {
                    seconds = seconds.min(self.timed(&probe).await?);
                    if seconds > HOPELESS * least {
                        break;
                    }
                }
                if seconds < least {
                    best = Some((seconds, tile));
                }
            }
            tuned.0.extend(best.map(|(_, tile)| (*class, tile)));
        }
        report(classes.len(), classes.len());
        verdict.tuned.insert(untuned.name.to_owned(), tuned.clone());
        self.remember(verdict);
        self.profile = Profile { tuned: Some(Arc::new(tuned.clone())), ..untuned };
        Ok(tuned)
    }

    /// `layers` 1×1 convolutions of this product in the profile in use, after a first run, which may compile.
    async fn probe(&self, product: &Product, layers: usize) -> Result<Probe> {
        let mut graph = Graph::default();
        let [input, out] = [product.steps, product.out_blocks].map(|blocks| product.groups * blocks * 4);
        let values = graph.input(Kind::Plain, [1, 4, 1, product.pixels]);
        let mut x = graph.push(Op::Pack, &[values])?;
        for layer in 0..layers {
            // The first takes the channels that it needs from nothing: what they hold does not matter.
            let start = Op::SliceGrad { start: 0, channels: input };
            x = if layer == 0 { graph.push(start, &[x])? } else { x };
            let shape = vec![out, input / product.groups, 1, 1];
            let zeros = vec![0.0; shape.iter().product()].into();
            let weight = graph.param(Param::new(format!("weight {product:?}"), shape, zeros));
            let window = Window::square(1, 1, 0);
            let conv = Conv2d { weight, bias: None, out_channels: out, window, groups: product.groups };
            x = graph.push(Op::Conv2d(conv), &[x])?;
        }
        let mean = graph.push(Op::Mean, &[x])?;
        let output = graph.push(Op::Unpack, &[mean])?;
        let mut plan = Plan::new(&graph, &self.profile, &[output]);
        // Alone: nothing else has to be compiled, and memory is zero.
        plan.dispatches.retain(|dispatch| dispatch.product.is_some());
        let session = Session::new(self, &mut Weights::default(), &graph, &plan).await?;
        let probe = Probe { session, input: values, zeros: vec![0; 16 * product.pixels] };
        probe.run(self).await?;
        Ok(probe)
    }

    /// Seconds of a probe by the device's clock, or of the whole run where it has none.
    async fn timed(&self, probe: &Probe) -> Result<f64> {
        if let Ok(timed) = probe.session.time(self).await {
            return Ok(timed.iter().map(|t| t.seconds).sum());
        }
        let start = std::time::Instant::now();
        probe.run(self).await?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// What distinguishes this device: another driver or other shaders may have another verdict.
    fn key(&self) -> String {
        let info = self.info();
        format!("{} | {:?} | {} | {:016x}", info.name, info.backend, info.driver, preprocess::fingerprint())
    }

    fn recall(&self) -> Verdict {
        verdicts().remove(&self.key()).unwrap_or_default()
    }

    /// Remembers a verdict; where the folder cannot be written, the next process measures again.
    fn remember(&self, verdict: Verdict) {
        let Some(path) = file() else { return };
        let mut all = verdicts();
        all.insert(self.key(), verdict);
        drop(path.parent().map(std::fs::create_dir_all));
        drop(write_atomically(&path, |out| Ok(serde_json::to_writer_pretty(out, &all)?)));
    }
}

/// All verdicts; none if there is no file yet, or a damaged one.
fn verdicts() -> Verdicts {
    let text = file().and_then(|path| std::fs::read(path).ok());
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// `GRADCAM_CACHE`, or a folder of the system's for caches.
fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("GRADCAM_CACHE").map(PathBuf::from);
    folder.or_else(|| dirs::cache_dir().map(|caches| caches.join("gradcam"))).map(|folder| folder.join("devices.json"))
}
