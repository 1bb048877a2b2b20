//! Whether a device computes what it should: built-in cases against the CPU truth, and against what PyTorch found.

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

/// Workgroups along the first dimension of small cases' dispatches: too few for most, which take several rows, as only large work
/// does elsewhere.
const ACROSS: u32 = 5;

/// A case in a variant.
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

/// What a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What ran.
    #[serde(flatten)]
    pub run: Run,
    /// The greatest error of each stage, in the stage's unit.
    pub errors: BTreeMap<Stage, f64>,
    /// How long it took, with the compilation of its kernels.
    pub seconds: f64,
    /// What is wrong; nothing where all agrees.
    pub failure: Option<Failure>,
}

/// What is wrong with a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// In a sentence.
    pub reason: String,
    /// The shaders of the first dispatch that disagrees with the CPU truth; none if each of them agrees by itself, or there was
    /// no dispatch.
    pub kernel: Option<String>,
    /// The known fault of the driver, if it is one, with its link.
    pub known: Option<String>,
}

/// All that one device is asked.
pub struct Verification {
    /// How to open the device; none for the CPU.
    options: Option<GpuOptions>,
    info: Option<AdapterInfo>,
    /// None after a failure, for the next run to open it again.
    gpu: Option<Gpu>,
    cases: Vec<Case>,
    variants: Vec<Variant>,
    /// Indices of variant and case.
    runs: Vec<[usize; 2]>,
    /// Values of a case's outputs, once they are needed.
    truths: HashMap<usize, Vec<Value>>,
}

impl Verification {
    /// For the adapter that the options ask for, in all variants or, if they name a profile, in that one.
    ///
    /// # Errors
    /// As [`Gpu::open`]; those of a damaged library.
    pub fn on_gpu(options: GpuOptions) -> Result<Self> {
        let only = options.profile.as_ref().map(|profile| profile.name);
        // No measurement: all variants are asked.
        let options = GpuOptions { profile: options.profile.or(Some(Profile::BUFFERS)), ..options };
        let gpu = pollster::block_on(Gpu::open(&options))?;
        let halves = pollster::block_on(Gpu::open(&GpuOptions { half_weights: true, ..options.clone() })).is_ok();
        let variants = variants::variants(|profile| gpu.fitting(profile), only, halves);
        let cases = cases::all()?;
        let mut runs = vec![];
        // A case that comes to the same dispatches as in a variant before runs once.
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

    /// For the plain loops: the CPU truth is compared with what PyTorch found.
    ///
    /// # Errors
    /// Those of a damaged library.
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

    /// All runs in their order.
    pub fn runs(&self) -> Vec<Run> {
        let run =
            |&[v, c]: &[usize; 2]| Run { variant: self.variants[v].name.clone(), case: self.cases[c].name.clone() };
        self.runs.iter().map(run).collect()
    }

    /// Which of two processes that share the work does a run, where the processor does all of it anyway: variants that have no
    /// kernels in common are apart.
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

    /// The plan of a case. But for networks, where memory is shared as always, every value has some of its own, so that it shows
    /// where a kernel writes past its value.
    fn plan(&self, v: usize, c: usize) -> Plan {
        let case = &self.cases[c];
        let plan = Plan::new(&case.graph, &(case.force)(self.variants[v].profile.clone()), &case.outputs());
        if case.scope == Scope::Networks { plan } else { plan.apart(ZERO_TEXEL) }
    }

    /// Does one of the runs. What goes wrong is part of the outcome.
    pub fn run(&mut self, run: usize) -> Outcome {
        let [v, c] = self.runs[run];
        let start = Instant::now();
        let mut outcome =
            Outcome { run: self.runs()[run].clone(), errors: BTreeMap::new(), seconds: 0.0, failure: None };
        if let Err(error) = self.attempt(v, c, &mut outcome) {
            // The device may be of no use any more.
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
    /// Notes the errors of a case's checks, and the first that fails.
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

    /// A run that ended the process, or did not end at all.
    pub fn broken(run: Run, reason: String) -> Self {
        let failure = Some(Failure { reason, kernel: None, known: None });
        Self { run, errors: BTreeMap::new(), seconds: 0.0, failure }
    }
}
