//! Measures all configurations of a network in turn: the speed of machines drifts, and drift should affect all of them
//! alike.

use std::collections::VecDeque;

use gradcam::{Classes, Device, Explainer, Images, Method, Model, Outputs, Result};
use indicatif::ProgressBar;

use super::measure::Subject;
use super::places::Place;
use super::row::{Figures, Key, Row};
use crate::cli::synthetic;

/// Number of rounds over which the runs are spread.
pub const ROUNDS: usize = 5;

/// A configuration without its shape. It has one explainer, which keeps a plan for each shape.
pub struct Group<'a> {
    pub place: &'a Place,
    pub method: Method,
    pub layer: Option<&'a str>,
}

/// What to measure of a network.
pub struct Network<'a> {
    pub name: &'a str,
    pub model: Model,
    pub groups: Vec<Group<'a>>,
    /// `[n,3,h,w]` of the batches.
    pub shapes: Vec<[usize; 4]>,
    pub runs: usize,
    pub kernels: bool,
}

/// An explainer, with its device's peak in GFLOP/s.
struct Engine {
    explainer: Explainer,
    peak: Option<f64>,
}

impl Network<'_> {
    /// Checks that the layers can be explained and that the images are large enough.
    ///
    /// # Errors
    /// As [`Explainer::with_layer`] and [`Explainer::check`].
    pub fn check(&self) -> Result<()> {
        for group in &self.groups {
            let explainer = self.explainer(group)?;
            for &[_, channels, height, width] in &self.shapes {
                let shape = [1, channels, height, width];
                let images = Images::Tensor { shape, values: &synthetic::values(shape) };
                explainer.check(images, &Classes::Top(1), &Outputs::default())?;
            }
        }
        Ok(())
    }

    /// Number of progress steps of [`Network::measure`].
    pub fn steps(&self) -> usize {
        self.groups.len() * self.shapes.len() * (self.runs.min(ROUNDS) + 2)
    }

    /// Returns a row for each group and shape, in this order. As many configurations as memory allows are prepared,
    /// measured in turn, and dropped before the next ones. A failed one becomes a row with its error.
    pub fn measure(&self, bar: &ProgressBar) -> Vec<Row> {
        let mut rows: Vec<Option<Row>> = (0..self.groups.len() * self.shapes.len()).map(|_| None).collect();
        let mut waiting: VecDeque<usize> = (0..rows.len()).collect();
        while !waiting.is_empty() {
            let mut engines: Vec<Option<Engine>> = self.groups.iter().map(|_| None).collect();
            let mut ready: Vec<(usize, Subject)> = vec![];
            let mut later = VecDeque::new();
            while let Some(at) = waiting.pop_front() {
                bar.set_message(self.told(at));
                let (group, shape) = self.case(at);
                let prepared = self.engine(at, &mut engines).and_then(|e| Subject::prepare(&mut e.explainer, shape));
                match prepared {
                    Ok(subject) => ready.push((at, subject)),
                    Err(error) if error.is_memory() && !ready.is_empty() => {
                        later.push_back(at);
                        continue;
                    }
                    Err(error) => {
                        if error.is_final() {
                            // Everything prepared on this device has to be prepared again on another one.
                            let gone = |(other, _): &mut (usize, Subject)| self.case(*other).0 == group;
                            later.extend(ready.extract_if(.., gone).map(|(other, _)| other));
                        }
                        rows[at] = Some(self.row(at, Err(error)));
                        if ready.iter().all(|(other, _)| self.case(*other).0 != group) {
                            // Anything left of it would only take memory.
                            engines[group] = None;
                        }
                        bar.inc(self.runs.min(ROUNDS) as u64 + 1);
                    }
                }
                bar.inc(1);
            }
            for (at, outcome) in self.rounds(ready, &mut engines, bar) {
                rows[at] = Some(self.row(at, outcome));
            }
            waiting = later;
        }
        rows.into_iter().flatten().collect()
    }

    /// The engine of a configuration, opened at its first use.
    fn engine<'a>(&self, at: usize, engines: &'a mut [Option<Engine>]) -> Result<&'a mut Engine> {
        let (group, _) = self.case(at);
        match &mut engines[group] {
            Some(engine) => Ok(engine),
            none => Ok(none.insert(self.open(&self.groups[group])?)),
        }
    }

    fn explainer(&self, group: &Group) -> Result<Explainer> {
        let explainer = Explainer::new(self.model.clone(), Device::Cpu).with_method(group.method);
        match group.layer {
            Some(layer) => explainer.with_layer(layer),
            None => Ok(explainer),
        }
    }

    fn open(&self, group: &Group) -> Result<Engine> {
        let device = group.place.open()?;
        let peak = match &device {
            Device::Gpu(gpu) if gpu.info().timestamps => Some(pollster::block_on(gpu.peak())? * 2e-9),
            _ => None,
        };
        Ok(Engine { explainer: self.explainer(group)?.on(device).with_kept_plans(self.shapes.len()), peak })
    }

    /// Measures the prepared configurations in rounds. A failed one is not measured further.
    fn rounds(
        &self,
        mut ready: Vec<(usize, Subject)>,
        engines: &mut [Option<Engine>],
        bar: &ProgressBar,
    ) -> Vec<(usize, Result<Figures>)> {
        let rounds = self.runs.min(ROUNDS);
        let mut done = vec![];
        for round in 0..rounds {
            let runs = self.runs * (round + 1) / rounds - self.runs * round / rounds;
            let others = ready.len() > 1;
            let measured = |(at, mut subject): (usize, Subject)| {
                bar.set_message(self.told(at));
                let burst = |engine: &mut Engine| subject.burst(&mut engine.explainer, runs, others);
                let outcome = self.engine(at, engines).and_then(burst);
                bar.inc(1);
                match outcome {
                    Ok(()) => Some((at, subject)),
                    Err(error) => {
                        if error.is_final() {
                            engines[self.case(at).0] = None;
                        }
                        done.push((at, Err(error)));
                        None
                    }
                }
            };
            ready = ready.into_iter().filter_map(measured).collect();
        }
        for (at, subject) in ready {
            bar.set_message(self.told(at));
            let figures = |e: &mut Engine| subject.figures(&mut e.explainer, e.peak, self.kernels);
            done.push((at, self.engine(at, engines).and_then(figures)));
            bar.inc(1);
        }
        done
    }

    /// The group's index and the shape.
    fn case(&self, at: usize) -> (usize, [usize; 4]) {
        (at / self.shapes.len(), self.shapes[at % self.shapes.len()])
    }

    /// The text for the progress bar.
    fn told(&self, at: usize) -> String {
        let (group, [batch, _, height, width]) = self.case(at);
        format!("{} {height}×{width}, batch {batch}, {}", self.name, self.groups[group].place.variant)
    }

    fn row(&self, at: usize, outcome: Result<Figures>) -> Row {
        let (group, [batch, _, height, width]) = self.case(at);
        let Group { place, method, layer } = &self.groups[group];
        let key = Key {
            model: self.name.to_owned(),
            method: method.name().to_owned(),
            layer: layer.unwrap_or(self.model.default_layer()).to_owned(),
            height,
            width,
            batch,
            precision: place.precision().to_owned(),
            backend: place.backend.clone(),
            adapter: place.adapter.clone(),
            variant: place.variant.clone(),
        };
        let (figures, error) = match outcome {
            Ok(figures) => (Some(figures), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Row { key, driver: place.driver.clone(), software: place.software, error, figures }
    }
}
