//! Measures one configuration on its device: prepares it, warms it up, and times it in bursts.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use gradcam::{Batch, Classes, Device, Error, Explainer, Images, LayerTime, Outputs, Result, Stage, memory};

use super::row::{Figures, Stages};
use crate::cli::synthetic;

/// The warm-up ends when the latest runs are not quicker than those before them by more than this share.
const STABLE: f64 = 0.02;
/// Number of runs in each of these two groups.
const COMPARED: usize = 3;
/// The warm-up takes at least this long, so that the device can raise its clocks.
const WARM: Duration = Duration::from_millis(200);
/// The warm-up takes at most this long.
const WARM_ENOUGH: Duration = Duration::from_secs(2);
/// A burst of quick runs goes on for this long.
const BURST: Duration = Duration::from_millis(20);
/// Maximum number of runs that a burst repeats to fill this time.
const BURST_RUNS: usize = 200;
/// Number of measurements by the device's clock, and how long they may take unless the time of each layer was asked
/// for.
const TIMINGS: usize = 7;
const TIMINGS_ENOUGH: Duration = Duration::from_secs(1);

/// Milliseconds of a run.
struct Sample {
    wall: f64,
    cpu: f64,
    /// Until the run was submitted.
    submit: f64,
}

/// A configuration that has run.
pub struct Subject {
    shape: [usize; 4],
    values: Vec<f32>,
    first: Sample,
    batch: Batch,
    warmup: usize,
    samples: Vec<Sample>,
}

impl Subject {
    /// Runs a batch of this shape for the first time, and then until it gets no quicker.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub fn prepare(explainer: &mut Explainer, shape: [usize; 4]) -> Result<Self> {
        let needed = shape.iter().product::<usize>() as u64 * size_of::<f32>() as u64;
        if let Some(free) = memory::free().filter(|free| needed > *free) {
            return Err(Error::Memory { what: "the images".into(), needed: needed >> 20, free: free >> 20 });
        }
        let values = synthetic::values(shape);
        let (first, batch) = run(explainer, shape, &values, false)?;
        let mut subject = Self { shape, values, first, batch, warmup: 1, samples: vec![] };
        let start = Instant::now();
        let mut walls = vec![];
        while start.elapsed() < WARM_ENOUGH && !(start.elapsed() > WARM && stable(&walls)) {
            walls.push(subject.run(explainer)?.wall);
            subject.warmup += 1;
        }
        Ok(subject)
    }

    fn run(&self, explainer: &mut Explainer) -> Result<Sample> {
        run(explainer, self.shape, &self.values, false).map(|(sample, _)| sample)
    }

    /// Measures at least `runs` runs. If other configurations ran since the last burst, one unmeasured run comes first.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub fn burst(&mut self, explainer: &mut Explainer, runs: usize, others: bool) -> Result<()> {
        if others {
            self.run(explainer)?;
            self.warmup += 1;
        }
        let start = Instant::now();
        let mut done = 0;
        while done < runs || (start.elapsed() < BURST && done < BURST_RUNS) {
            let sample = self.run(explainer)?;
            self.samples.push(sample);
            done += 1;
        }
        Ok(())
    }

    /// The figures, with the time of each layer if `kernels` is set. `peak` is the device's peak in GFLOP/s.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub fn figures(&self, explainer: &mut Explainer, peak: Option<f64>, kernels: bool) -> Result<Figures> {
        let images = self.shape[0] as f64;
        let [wall, cpu] = [|s: &Sample| s.wall, |s: &Sample| s.cpu]
            .map(|of| quartiles(self.samples.iter().map(of).collect()).map(|ms| ms / images));
        // Another batch may have been the latest one. The calls below refer to the latest.
        self.run(explainer)?;
        let multiply_adds = explainer.multiply_adds().unwrap_or(0) / self.shape[0] as u64;
        let gflops = multiply_adds as f64 * 2e-6 / wall[1];
        let (stages, layers) = match explainer.device() {
            Device::Gpu(gpu) if gpu.info().timestamps => {
                let layers = least_times(explainer, kernels)?;
                (Some(self.stages(explainer, &layers, wall[1])?), layers)
            }
            _ => (None, vec![]),
        };
        let stats = self.batch.stats;
        Ok(Figures {
            images_per_second: 1e3 / wall[1],
            ms_per_image: wall[1],
            ms_per_image_p25: wall[0],
            ms_per_image_p75: wall[2],
            cpu_ms_per_image: cpu[1],
            cpu_ms_per_image_p25: cpu[0],
            cpu_ms_per_image_p75: cpu[2],
            runs: self.samples.len(),
            warmup_runs: self.warmup,
            first_run_ms: self.first.wall,
            submissions: stats.submissions,
            readbacks: stats.readbacks,
            readback_bytes: stats.readback_bytes,
            gpu_bytes: stats.gpu_bytes,
            multiply_adds,
            gflops,
            peak_gflops: peak,
            peak_share: None,
            stages,
            layers: if kernels { layers } else { vec![] },
        })
    }

    /// Divides `ms` into the parts of a run: until the submission by the CPU's clock, on the device by its own clock,
    /// and the rest. The shares are those of the quickest of a few runs. The time on the device is divided in the
    /// proportions of its kernels in compute passes of their own, which take longer.
    fn stages(&self, explainer: &mut Explainer, layers: &[LayerTime], ms: f64) -> Result<Stages> {
        let mut quickest = [f64::INFINITY; 3];
        let start = Instant::now();
        for timing in 0..TIMINGS {
            if timing > 0 && start.elapsed() > TIMINGS_ENOUGH {
                break;
            }
            let (Sample { wall, submit, .. }, batch) = run(explainer, self.shape, &self.values, true)?;
            let device = batch.stats.device_ns.map_or(0.0, |[start, end]| end.saturating_sub(start) as f64 * 1e-6);
            // Some drivers do the work during the submission.
            let left = (wall - submit - device).max(0.0);
            let parts = [(wall - device - left).max(0.0), device, left];
            if parts.iter().sum::<f64>() < quickest.iter().sum() {
                quickest = parts;
            }
        }
        let whole: f64 = quickest.iter().sum();
        let [upload, device, readback] = quickest.map(|part| part / whole * ms);
        let all: f64 = layers.iter().map(|l| l.seconds).sum();
        let of = |stage| {
            // `sum` of no layers would be -0.
            layers.iter().filter(|l| l.stage == stage).fold(0.0, |sum, l| sum + l.seconds) / all * device
        };
        let [preprocess, forward] = [of(Stage::Preprocess), of(Stage::Forward)];
        let [backward, tail] = [of(Stage::Backward), of(Stage::Tail)];
        Ok(Stages { upload, preprocess, forward, backward, tail, readback })
    }
}

/// Explains the most probable class of each image, from normalised images in memory to heat maps in memory.
fn run(explainer: &mut Explainer, shape: [usize; 4], values: &[f32], clock: bool) -> Result<(Sample, Batch)> {
    let outputs = Outputs::default().heatmap(true).clock(clock);
    let milliseconds = |elapsed: Duration| elapsed.as_secs_f64() * 1e3;
    let (start, cpu) = (Instant::now(), ProcessTime::now());
    let images = Images::Tensor { shape, values };
    let pending = pollster::block_on(explainer.submit(images, &Classes::Top(1), &outputs))?;
    let submit = milliseconds(start.elapsed());
    let batch = pollster::block_on(pending.finish())?;
    Ok((Sample { wall: milliseconds(start.elapsed()), cpu: milliseconds(cpu.elapsed()), submit }, batch))
}

/// Whether the latest runs took about as long as those before them.
fn stable(walls: &[f64]) -> bool {
    let median = |from_end: usize| {
        let end = walls.len().checked_sub(from_end)?;
        Some(quartiles(walls[end.checked_sub(COMPARED)?..end].to_vec())[1])
    };
    matches!((median(COMPARED), median(0)), (Some(before), Some(now)) if now > before * (1.0 - STABLE))
}

/// The 25th percentile, the median and the 75th percentile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        let at = share * (values.len() - 1) as f64;
        let [below, above] = [at.floor(), at.ceil()].map(|i| values[i as usize]);
        below + (above - below) * at.fract()
    })
}

/// The shortest time of each layer in a few measurements: noise only adds time.
fn least_times(explainer: &Explainer, patiently: bool) -> Result<Vec<LayerTime>> {
    let time = || pollster::block_on(explainer.time());
    let start = Instant::now();
    let mut least = time()?;
    for _ in 1..TIMINGS {
        if !patiently && start.elapsed() > TIMINGS_ENOUGH {
            break;
        }
        for (layer, again) in least.iter_mut().zip(time()?) {
            layer.seconds = layer.seconds.min(again.seconds);
        }
    }
    Ok(least)
}

#[cfg(test)]
mod tests {
    use super::{quartiles, stable};

    #[test]
    fn quartiles_lie_between_values() {
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
        assert_eq!(quartiles((0..=8).rev().map(f64::from).collect()), [2.0, 4.0, 6.0]);
        assert_eq!(quartiles(vec![4.0, 1.0]), [1.75, 2.5, 3.25]);
    }

    #[test]
    fn warm_when_no_quicker() {
        assert!(!stable(&[5.0; 5]));
        assert!(stable(&[5.0; 6]));
        assert!(!stable(&[9.0, 8.0, 7.0, 6.0, 5.0, 5.0]));
        assert!(stable(&[9.0, 8.0, 7.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]));
        assert!(stable(&[5.0, 5.0, 5.0, 6.0, 6.0, 6.0]));
    }
}
