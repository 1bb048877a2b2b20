//! Measurements on a device: which profile suits it, and which tiles.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use web_time::Instant;

use super::device::Gpu;
use super::session::Session;
use super::verdict::Verdict;
use super::weights::Weights;
use crate::error::Result;
use crate::graph::{Conv2d, Graph, Kind, NodeId, Op, Param, Window};
use crate::kernels::{Class, Product, Profile, Tile, Tuned};
use crate::plan::Plan;

/// A candidate this many times slower than the best is not measured again.
const HOPELESS: f64 = 3.0;
/// Measurements of a candidate. The shortest one counts.
const RUNS: usize = 12;
/// Approximate duration of a measured dispatch with its repetitions, in seconds.
const BURST: f64 = 1e-3;
/// The same of a profile's probe, where the device has a clock and where it has none. A browser's clock counts in steps of
/// 0.1 ms, and without one each measurement also has the way to the device and back.
const PROFILE_BURSTS: [f64; 2] = [4e-3, 20e-3];
/// The coarsest step of a device's clock, in seconds.
const STEP: f64 = 1e-4;
/// Most repetitions of a profile's probe.
const REPETITIONS: u32 = 1024;
/// A measurement has settled when it has not improved for this long.
const SETTLED: Duration = Duration::from_millis(15);

/// The time of a product with a tile.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The product.
    pub product: Product,
    /// The tile it was computed with.
    pub tile: Tile,
    /// The shortest of a few runs. A hopeless tile has only its first ones.
    pub seconds: f64,
    /// The predicted cost, in the profile's unit.
    pub estimate: f64,
}

/// A workload to time.
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

impl Gpu {
    /// Chooses the profile: the wanted one, else the best one known, else the best one by measurement. It gets the
    /// tiles that were measured for it, if any.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device cannot run the wanted one.
    pub(super) async fn choose_profile(&mut self, wanted: Option<Profile>) -> Result<()> {
        let known = |gpu: &Self| Profile::named(&gpu.verdict.profile).ok().and_then(|p| gpu.fitting(p));
        let chosen = match wanted {
            Some(profile) => {
                let name = profile.name;
                let lacks = || format!("has no subgroups of one size, which '{name}' needs; choose another --variant");
                self.fitting(profile).ok_or_else(|| self.error(lacks()))?
            }
            None => {
                // A browser's driver on the CPU compiles the candidates for seconds, and on all that were tried this one won.
                let is_slow = cfg!(target_arch = "wasm32") && self.info().software;
                let usual = self.fitting(Profile::TEXTURES).filter(|_| is_slow);
                if known(self).or(usual.clone()).is_none() {
                    self.measure_profiles().await?;
                }
                known(self).or(usual).unwrap_or(Profile::BUFFERS)
            }
        };
        let tuned = self.verdict.tuned.get(chosen.name).cloned().map(Arc::new);
        self.profile = Profile { tuned, ..chosen };
        Ok(())
    }

    /// Names of the profiles that this device can run.
    pub fn variants(&self) -> Vec<&'static str> {
        Profile::ALL.into_iter().filter_map(|p| self.fitting(p)).map(|p| p.name).collect()
    }

    /// Measures which profile suits the device best, for its [`Gpu::verdict`]. The profile in use does not change.
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`], [`crate::Error::TimedOut`] or [`crate::Error::Device`] if the device can no longer
    /// be used afterwards.
    pub async fn measure_profiles(&mut self) -> Result<()> {
        let in_use = self.profile.clone();
        let (best, probed) = self.fastest_profile().await;
        self.profile = in_use;
        self.handle.check()?;
        self.verdict = Verdict { profile: best.name.to_owned(), probed, ..std::mem::take(&mut self.verdict) };
        Ok(())
    }

    /// The profile adapted to this device, or `None` if the device cannot run it.
    pub(crate) fn fitting(&self, profile: Profile) -> Option<Profile> {
        let subgroup = profile.subgroup.and(self.info().subgroup);
        let limits = &self.handle.limits;
        let most = [limits.max_storage_buffers_per_shader_stage, limits.max_storage_textures_per_shader_stage];
        let operands = profile.operands.min(most[usize::from(profile.texture)]);
        let storage = limits.max_compute_workgroup_storage_size;
        // Every lane of a subgroup must be present.
        let tiled = profile.tiled.next_multiple_of(subgroup.unwrap_or(1));
        let fitted = Profile { subgroup, operands, storage, tiled, ..profile };
        (fitted.subgroup.is_some() == profile.subgroup.is_some()).then_some(fitted)
    }

    /// Runs three 1×1 convolutions in every profile. The profiles take turns, because the speed of machines drifts. If
    /// buffers are hopeless, macro tiles in buffers are skipped: compiling their kernels may take longer than
    /// everything else. Also returns the seconds of each profile that was tried.
    async fn fastest_profile(&mut self) -> (Profile, BTreeMap<String, f64>) {
        let product = Product { groups: 1, out_blocks: 32, pixels: 28 * 28, steps: 32 };
        let mut candidates: Vec<(f64, Profile, Probe)> = vec![];
        let mut best = f64::INFINITY;
        let mut hopeless = false;
        for profile in [Profile::TEXTURES_SUBGROUP, Profile::TEXTURES, Profile::BUFFERS, Profile::BUFFERS_SHARED] {
            let Some(profile) = self.fitting(profile).filter(|p| p.shared.is_empty() || !hopeless) else { continue };
            self.profile = profile.clone();
            let Ok(probe) = self.probe(&product, 3).await else { continue };
            let Ok(seconds) = self.timed(&probe, 1).await else { continue };
            hopeless = seconds > HOPELESS * best.max(STEP);
            best = best.min(seconds);
            candidates.push((seconds, profile, probe));
        }
        let mut probed = BTreeMap::new();
        probed.extend(candidates.iter().map(|(seconds, profile, _)| (profile.name.to_owned(), *seconds)));
        candidates.retain(|(seconds, ..)| *seconds <= HOPELESS * best.max(STEP));
        let times = match candidates.iter().min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((.., fastest)) => self.repetitions(fastest).await,
            None => 1,
        };
        for (least, ..) in candidates.iter_mut().filter(|_| times > 1) {
            *least = f64::INFINITY;
        }
        for _ in 1..RUNS {
            for (least, _, probe) in &mut candidates {
                *least = least.min(self.timed(probe, times).await.unwrap_or(f64::INFINITY));
            }
        }
        probed.extend(candidates.iter().map(|(seconds, profile, _)| (profile.name.to_owned(), *seconds)));
        let fastest = candidates.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        (fastest.map_or(Profile::BUFFERS, |(_, profile, _)| profile), probed)
    }

    /// Measures every tile for the products of these plans and uses the best ones, also for its [`Gpu::verdict`].
    /// Returns all measurements. `report` receives the number of finished classes of products and the number of all
    /// classes.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device fails.
    #[doc(hidden)] // plans are internal; the program calls this
    pub async fn tune(&mut self, plans: &[Plan], mut report: impl FnMut(usize, usize)) -> Result<Vec<Measured>> {
        let products = plans.iter().flat_map(|p| &p.dispatches).filter_map(|d| d.product);
        let mut classes: BTreeMap<Class, Product> = BTreeMap::new();
        for product in products {
            classes.entry(Class::of(&product)).or_insert(product);
        }
        let untuned = self.profile.clone();
        let (mut tuned, mut measured) = (Tuned::default(), vec![]);
        for (done, (class, product)) in classes.iter().enumerate() {
            report(done, classes.len());
            let mut best: Option<(f64, Tile)> = None;
            for tile in Product::tiles(&untuned) {
                let forced = Tuned(vec![(*class, tile)]);
                self.profile = Profile { tuned: Some(Arc::new(forced)), ..untuned.clone() };
                let least = best.map_or(f64::INFINITY, |b| b.0);
                let probe = self.probe(product, 1).await?;
                let seconds = self.settled(&probe, least).await?;
                measured.push(Measured { product: *product, tile, seconds, estimate: product.cost(&untuned, tile) });
                if seconds < least {
                    best = Some((seconds, tile));
                }
            }
            tuned.0.extend(best.map(|(_, tile)| (*class, tile)));
        }
        report(classes.len(), classes.len());
        self.verdict.tuned.insert(untuned.name.to_owned(), tuned.clone());
        self.profile = Profile { tuned: Some(Arc::new(tuned)), ..untuned };
        Ok(measured)
    }

    /// Prepares `layers` 1×1 convolutions of this product with the profile in use, and runs them once, which may
    /// compile.
    async fn probe(&self, product: &Product, layers: usize) -> Result<Probe> {
        let mut graph = Graph::default();
        let [input, out] = [product.steps, product.out_blocks].map(|blocks| product.groups * blocks * 4);
        let values = graph.input(Kind::Plain, [1, 4, 1, product.pixels]);
        let mut x = graph.push(Op::Pack, &[values])?;
        for layer in 0..layers {
            // Widens the four input channels to the number that the first layer needs. Their values do not matter.
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
        // Only the products remain: nothing else has to be compiled, and memory is zero.
        plan.dispatches.retain(|dispatch| dispatch.product.is_some());
        let session = Session::new(self, &mut Weights::default(), &graph, &plan).await?;
        let probe = Probe { session, input: values, zeros: vec![0; 16 * product.pixels] };
        probe.run(self).await?;
        Ok(probe)
    }

    /// The shortest time of a probe, in seconds, once it has settled: devices raise their clocks under load. If the
    /// first runs are hopeless against `best`, no others are made.
    async fn settled(&self, probe: &Probe, best: f64) -> Result<f64> {
        let mut least = self.timed(probe, 1).await?;
        let times = (BURST / least).clamp(1.0, 64.0) as u32;
        let (mut runs, mut settled) = (1, Instant::now());
        while least <= HOPELESS * best && (runs < RUNS || settled.elapsed() < SETTLED) {
            let seconds = self.timed(probe, times).await?;
            if seconds < 0.98 * least {
                settled = Instant::now();
            }
            least = least.min(seconds);
            runs += 1;
        }
        Ok(least)
    }

    /// How often a profile's probe is repeated, so that a clock's step does not matter.
    async fn repetitions(&self, probe: &Probe) -> u32 {
        let burst = PROFILE_BURSTS[usize::from(!self.info().timestamps)];
        let mut times = 1;
        while times < REPETITIONS
            && self.timed(probe, times).await.is_ok_and(|seconds| seconds * f64::from(times) < burst)
        {
            times *= 4;
        }
        times
    }

    /// Seconds of a probe: the mean of `times` runs, by the device's clock if it has one. A clock that stands still is none.
    async fn timed(&self, probe: &Probe, times: u32) -> Result<f64> {
        if self.info().timestamps {
            let seconds = probe.session.time(self, times).await?.iter().map(|t| t.seconds).sum();
            if seconds > 0.0 {
                return Ok(seconds);
            }
        }
        probe.session.time_outside(self, times).await
    }
}
