//! Checks that a device computes correctly: built-in cases, compared with the CPU reference and with PyTorch's
//! values.

mod blame;
mod case;
mod cases;
mod faults;
#[doc(hidden)] // for the tests, which build graphs like those of the cases
pub mod net;
mod variants;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::gpu::{AdapterInfo, Gpu, GpuOptions, Session, Weights};
use crate::kernels::{Profile, preprocess};
use crate::plan::{Plan, ZERO_TEXEL};
use crate::reference::Value;
use case::value;
use variants::{Scope, Variant};

#[doc(hidden)] // for the tests
pub use case::Case;
pub use case::Stage;

/// Names of all shaders.
pub fn shaders() -> impl Iterator<Item = &'static str> {
    preprocess::shaders()
}

/// The most workgroups along the first dimension of a dispatch, for all cases but networks. Most dispatches need more
/// and so use several rows; without this limit only large dispatches do.
const ACROSS: u32 = 5;

/// One case in one variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The variant's name.
    pub variant: String,
    /// The case's name.
    pub case: String,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.variant, self.case)
    }
}

/// The result of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// The greatest error per stage, in the stage's unit.
    pub errors: BTreeMap<Stage, f64>,
    /// Duration, including the compilation of kernels.
    pub seconds: f64,
    /// The failure; none if all values agree.
    pub failure: Option<Failure>,
}

/// What is wrong in a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The reason, in a sentence.
    pub reason: String,
    /// The shaders of the first dispatch that disagrees with the CPU reference. None if each dispatch agrees on its
    /// own, or if nothing was dispatched.
    pub kernel: Option<String>,
    /// The known fault of the driver that explains the failure, with its link.
    pub known: Option<String>,
}

/// All runs for one device.
pub struct Verification {
    /// How to open the device; none for the CPU.
    options: Option<GpuOptions>,
    info: Option<AdapterInfo>,
    /// None after an error: the next run opens the device again.
    gpu: Option<Gpu>,
    cases: Vec<Case>,
    variants: Vec<Variant>,
    /// Index of the variant, index of the case.
    runs: Vec<[usize; 2]>,
    /// The CPU reference's values of a case's outputs, computed on first use.
    truths: HashMap<usize, Vec<Value>>,
}

impl Verification {
    /// Runs for the adapter that `options` select. If they name a profile, only its variants run, else all.
    ///
    /// # Errors
    /// As [`Gpu::open`], and if the library was built from damaged files.
    pub fn on_gpu(options: GpuOptions) -> Result<Self> {
        let only = options.profile.as_ref().map(|profile| profile.name);
        // A fixed profile avoids a measurement; all variants run anyway.
        let options = GpuOptions { profile: options.profile.or(Some(Profile::BUFFERS)), ..options };
        let gpu = pollster::block_on(Gpu::open(&options))?;
        let stores = pollster::block_on(Gpu::open(&GpuOptions { half_weights: true, ..options.clone() })).is_ok();
        let variants = variants::variants(|profile| gpu.fitting(profile), only, stores, gpu.info().f16);
        let cases = cases::all()?;
        let mut runs = vec![];
        // A case runs once if several variants give it the same dispatches.
        let mut seen = HashSet::new();
        for (v, variant) in variants.iter().enumerate() {
            for (c, case) in cases.iter().enumerate().filter(|(_, case)| variant.scope.contains(&case.scope)) {
                let plan = Plan::new(&case.graph, &(case.force)(variant.profile.clone()), &case.outputs());
                if seen.insert((c, format!("{:?}", plan.dispatches))) {
                    runs.push([v, c]);
                }
            }
        }
        let info = Some(gpu.info().clone());
        Ok(Self { options: Some(options), info, gpu: Some(gpu), cases, variants, runs, truths: HashMap::new() })
    }

    /// Runs for the CPU: the reference is compared with PyTorch's values.
    ///
    /// # Errors
    /// None, unless the library was built from damaged files.
    pub fn on_cpu() -> Result<Self> {
        let mut cases = cases::all()?;
        cases.retain(|case| case.checks.iter().any(|check| check.pytorch.is_some()));
        let variants = vec![Variant {
            name: "f64 loops".into(),
            profile: Profile::BUFFERS,
            scope: Scope::Networks..=Scope::Networks,
        }];
        let runs = (0..cases.len()).map(|c| [0, c]).collect();
        Ok(Self { options: None, info: None, gpu: None, cases, variants, runs, truths: HashMap::new() })
    }

    /// The adapter; none for the CPU.
    pub fn info(&self) -> Option<&AdapterInfo> {
        self.info.as_ref()
    }

    /// All runs in order.
    pub fn runs(&self) -> Vec<Run> {
        let run =
            |&[v, c]: &[usize; 2]| Run { variant: self.variants[v].name.clone(), case: self.cases[c].name.clone() };
        self.runs.iter().map(run).collect()
    }

    /// With a software driver, two processes share the runs. Returns which of the two does this one. Variants without
    /// common kernels are in different parts.
    pub fn part(&self, run: usize) -> usize {
        let [v, _] = self.runs[run];
        let software = self.info.as_ref().is_some_and(|info| info.software);
        usize::from(software && self.variants[v].profile.texture)
    }

    /// Whether a run uses a shader of this name.
    pub fn uses(&self, run: usize, shader: &str) -> bool {
        let [v, c] = self.runs[run];
        self.plan(v, c).dispatches.iter().any(|dispatch| dispatch.shader == shader)
    }

    /// The plan of a case. For all cases but networks, each value gets its own memory, so that a kernel which writes
    /// past its value is detected. Networks share memory as in normal use.
    fn plan(&self, v: usize, c: usize) -> Plan {
        let case = &self.cases[c];
        let plan = Plan::new(&case.graph, &(case.force)(self.variants[v].profile.clone()), &case.outputs());
        if case.scope == Scope::Networks { plan } else { plan.apart(ZERO_TEXEL) }
    }

    /// Executes a run. Errors become part of the outcome.
    pub fn run(&mut self, run: usize) -> Outcome {
        let [v, c] = self.runs[run];
        let start = Instant::now();
        let mut outcome =
            Outcome { run: self.runs()[run].clone(), errors: BTreeMap::new(), seconds: 0.0, failure: None };
        if let Err(error) = self.attempt(v, c, &mut outcome) {
            // The device may be unusable.
            self.gpu = None;
            outcome.failure = Some(Failure { reason: error.to_string(), kernel: None, known: None });
        }
        if let (Some(failure), Some(info)) = (&mut outcome.failure, &self.info) {
            failure.known = faults::known(info, failure.kernel.as_ref().unwrap_or(&failure.reason));
        }
        outcome.seconds = start.elapsed().as_secs_f64();
        outcome
    }

    fn attempt(&mut self, v: usize, c: usize, outcome: &mut Outcome) -> Result<()> {
        let plan = self.plan(v, c);
        let case = &self.cases[c];
        let truth = self.truths.entry(c).or_insert_with(|| case.truth(&case.outputs()));
        let Some(options) = &self.options else {
            outcome.note(case, &case.errors(truth, None));
            return Ok(());
        };
        if self.gpu.is_none() {
            self.gpu = Some(pollster::block_on(Gpu::open(options))?);
        }
        let Some(gpu) = &mut self.gpu else { unreachable!("it was just opened") };
        let apart = case.scope < Scope::Networks;
        gpu.set_profile(self.variants[v].profile.clone(), apart.then_some(ACROSS));
        let session = pollster::block_on(Session::new(gpu, &mut Weights::default(), &case.graph, &plan))?;
        if apart {
            session.blank(gpu, &plan);
        }
        let inputs: Vec<_> = case.inputs.iter().map(|(id, bytes)| (*id, &bytes[..])).collect();
        let (found, _) = pollster::block_on(session.run(gpu, &inputs))?;
        let kinds = case.checks.iter().map(|check| case.graph.nodes[check.node].ty.kind);
        let found: Vec<Value> = kinds.zip(&found).map(|(kind, bytes)| value(kind, bytes)).collect();
        outcome.note(case, &case.errors(&found, Some(truth)));
        if let Some(failure) = &mut outcome.failure {
            failure.kernel = blame::blame(gpu, &session, &plan, case)?;
        } else if apart && let Some(value) = pollster::block_on(session.spilled(gpu, &plan))? {
            let kernel = Some(blame::shaders(&plan, value));
            outcome.failure = Some(Failure { reason: "writes past a value".into(), kernel, known: None });
        }
        Ok(())
    }
}

impl Outcome {
    /// Records the errors of a case's checks, and the first failure.
    fn note(&mut self, case: &Case, errors: &[f64]) {
        for (check, &error) in case.checks.iter().zip(errors) {
            let worst = self.errors.entry(check.stage).or_default();
            *worst = worst.max(error);
            if error > check.tolerance {
                let reason = format!("{} off by {error:.1e}, more than {:.0e}", check.stage.name(), check.tolerance);
                self.failure.get_or_insert(Failure { reason, kernel: None, known: None });
            }
        }
    }

    /// The outcome of a run that ended its process or did not end.
    pub fn broken(run: Run, reason: String) -> Self {
        let failure = Some(Failure { reason, kernel: None, known: None });
        Self { run, errors: BTreeMap::new(), seconds: 0.0, failure }
    }
}
