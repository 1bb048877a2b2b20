//! A plan on a device, and its runs. Everything of fixed size is created once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::{CLOCK_BYTES, Clock};
use super::device::Gpu;
use super::handle::{Mapped, Taken};
use super::memory::{Binding, Memory};
use super::owned::Owned;
use super::parts::{Latest, Sending};
use super::upload::Uploads;
use super::watch::Watch;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, NodeId, Op, Shape};
use crate::kernels::{Constant, Operand, texels_of};
use crate::plan::{Medium, Plan, Slot, ZERO_TEXEL};

/// The cost of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Number of command submissions.
    pub submissions: u32,
    /// Number of buffers mapped for reading.
    pub readbacks: u32,
    /// Bytes read back.
    pub readback_bytes: u64,
    /// Bytes of device memory that the batch used, the model's weights included.
    pub gpu_bytes: u64,
    /// Number of shader dispatches.
    pub dispatches: u32,
    /// When the device began and ended, in nanoseconds of its own clock. `None` if this was not requested or the device
    /// has no clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_ns: Option<[u64; 2]>,
}

pub(super) struct Step {
    /// The graph's node that this dispatch computes, or computes a part of.
    pub(super) node: NodeId,
    /// The nodes before it that this dispatch computes too.
    pub(super) before: Vec<NodeId>,
    pub(super) shader: &'static str,
    pub(super) defines: Vec<(&'static str, u32)>,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    /// What is bound, to live as long.
    _operands: Vec<Arc<Memory>>,
    groups: [u32; 2],
    /// Whether many images begin here, so that the device should not be kept from other programs for longer.
    begins: bool,
}

impl Step {
    pub(super) fn encode(&self, pass: &mut wgpu::ComputePass) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bindings, &[]);
        pass.dispatch_workgroups(self.groups[0], self.groups[1], 1);
    }
}

/// The content of an input.
pub type Given<'a> = (NodeId, &'a [u8]);

/// A value that the caller gives for each run.
struct Input {
    node: NodeId,
    slot: usize,
    /// The shape, if the numbers are packed into texels for the upload.
    packed: Option<Shape>,
}

/// A value that is read back after a run.
struct Output {
    slot: usize,
    /// Its first byte in the slot.
    from: u64,
    /// Its first byte in the staging buffer. Texels must start at a multiple of their size.
    to: u64,
    bytes: u64,
}

/// What a plan gets from the one that runs before it.
struct Lent {
    by: Arc<Session>,
    /// The input that is not given for each run.
    input: NodeId,
    memory: Arc<Memory>,
}

/// A plan with its memory, bind groups and pipelines on a device.
pub struct Session {
    /// The plan that runs before this one, in the same submission.
    first: Option<Arc<Session>>,
    pub(super) steps: Vec<Step>,
    pub(super) memory: Vec<Arc<Memory>>,
    /// The values that this plan keeps for another plan, with their memory.
    kept: Vec<(NodeId, Arc<Memory>)>,
    /// Bytes that a run reads back, including those of the plan before this one.
    readback: u64,
    /// The parameters of all steps.
    _uniforms: Owned,
    /// Staging buffers of finished runs, for reuse.
    free: Mutex<Vec<Owned>>,
    pub(super) uploads: Uploads,
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    gpu_bytes: u64,
    /// The latest run of this plan, or of one that runs after it.
    latest: Latest,
    /// Counts this session's own part of `gpu_bytes` as taken.
    _taken: Taken,
}

impl Session {
    /// Prepares a plan: allocates memory, packs and uploads missing weights, creates pipelines.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if the device has too little memory, where possible before any is allocated;
    /// [`Error::Device`] if it refuses a pipeline; [`Error::DeviceLost`] or [`Error::TimedOut`] if it can no longer be
    /// used.
    pub async fn new(gpu: &Gpu, weights: &mut Weights, graph: &Graph, plan: &Plan) -> Result<Self> {
        Self::prepare(gpu, weights, graph, plan, None).await
    }

    /// Prepares a plan without weights that runs after another session's, in the same submission. Its input `own` is
    /// the value that the other plan keeps as `theirs`.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub async fn following(
        gpu: &Gpu,
        first: Arc<Self>,
        graph: &Graph,
        plan: &Plan,
        [own, theirs]: [NodeId; 2],
    ) -> Result<Self> {
        let memory = first.kept.iter().find(|(node, _)| *node == theirs).expect("the other plan keeps it").1.clone();
        let lent = Lent { by: first, input: own, memory };
        Self::prepare(gpu, &mut Weights::default(), graph, plan, Some(lent)).await
    }

    async fn prepare(gpu: &Gpu, weights: &mut Weights, graph: &Graph, plan: &Plan, lent: Option<Lent>) -> Result<Self> {
        gpu.handle.check()?;
        let is_there = lent.as_ref().map_or(0, |lent| plan.slots[plan.slot(lent.input)].bytes);
        let needed = plan.memory() - is_there + plan.readback().sum::<u64>();
        let needed = needed + plan.weights().saturating_sub(weights.bytes());
        if let Some(free) = gpu.free_memory(weights.bytes()).filter(|free| needed > *free) {
            let reason = format!("only {} MiB are free", free >> 20);
            return Err(Error::OutOfMemory { adapter: gpu.info().name.clone(), needed: needed >> 20, reason });
        }
        let watch = Watch::new(&gpu.handle);
        let session = Self::build(gpu, weights, graph, plan, lent);
        let outcome = watch.end(&gpu.handle, needed).await.and(session);
        if outcome.is_err() {
            // Allocations of some weights and pipelines may have failed.
            weights.clear();
            gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        outcome
    }

    fn build(gpu: &Gpu, weights: &mut Weights, graph: &Graph, plan: &Plan, lent: Option<Lent>) -> Result<Self> {
        let texture = |medium: Medium| medium == Medium::Texels && gpu.profile.texture;
        let slot = |(i, slot): (usize, &Slot)| match &lent {
            Some(lent) if plan.slot(lent.input) == i => Ok(lent.memory.clone()),
            _ => Memory::new(&gpu.handle, texture(slot.medium), slot.bytes).map(Arc::new),
        };
        let memory = plan.slots.iter().enumerate().map(slot).collect::<Result<Vec<_>>>()?;
        let align = u64::from(gpu.handle.limits.min_uniform_buffer_offset_alignment);
        let size = |params: &[u8]| (params.len() as u64).next_multiple_of(16);
        let uniform_bytes: u64 = plan.dispatches.iter().map(|d| size(&d.params).next_multiple_of(align)).sum();
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let uniforms = Owned::new(&gpu.handle.device, "uniforms", uniform_bytes.max(16), usage);
        let half = |constant: &Constant| gpu.profile().half && constant.halves();
        let binding = |operand: &Operand| match operand {
            Operand::Constant(constant) => Binding::new(gpu.profile.texture, false, half(constant)),
            Operand::Read(id) | Operand::Write(id) => {
                let medium = plan.slots[plan.slot(*id)].medium;
                Binding::new(texture(medium), matches!(operand, Operand::Write(_)), false)
            }
        };
        let bindings: Vec<_> = plan.dispatches.iter().map(|d| (d, d.operands.iter().map(binding).collect())).collect();
        let pipelines = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner).all(&gpu.handle, &bindings)?;
        let mut contents = vec![];
        let mut steps = vec![];
        for (dispatch, pipeline) in plan.dispatches.iter().zip(pipelines) {
            let offset = contents.len() as u64;
            contents.extend_from_slice(&dispatch.params);
            contents.resize((offset + size(&dispatch.params).next_multiple_of(align)) as usize, 0);
            let mut operands: Vec<Arc<Memory>> = vec![];
            for operand in &dispatch.operands {
                operands.push(match operand {
                    Operand::Read(id) | Operand::Write(id) => memory[plan.slot(*id)].clone(),
                    Operand::Constant(constant) => weights.get(gpu, graph, constant, half(constant))?,
                });
            }
            let uniform = wgpu::BufferBinding {
                buffer: &uniforms,
                offset,
                size: std::num::NonZeroU64::new(size(&dispatch.params)),
            };
            let entries: Vec<_> = std::iter::once(wgpu::BindingResource::Buffer(uniform))
                .chain(operands.iter().map(|m| m.binding()))
                .zip(0..)
                .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
                .collect();
            let bindings = gpu.handle.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(dispatch.shader),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            steps.push(Step {
                node: dispatch.node,
                before: dispatch.before.clone(),
                shader: dispatch.shader,
                defines: dispatch.defines.clone(),
                pipeline,
                bindings,
                _operands: operands,
                groups: fold(dispatch.groups, gpu.across),
                begins: matches!(graph.nodes[dispatch.node].op, Op::Unfold | Op::Vary { .. }),
            });
        }
        gpu.handle.queue.write_buffer(&uniforms, 0, &contents);
        // The outputs of the plan before this one come first.
        let mut readback = lent.as_ref().map_or(0, |lent| lent.by.readback);
        let before = readback;
        let place = |(&id, bytes): (&NodeId, u64)| {
            let (from, align) = if plan.types[id].kind == Kind::Features { (ZERO_TEXEL, 16) } else { (0, 1) };
            let to = u64::next_multiple_of(readback, align);
            readback = to + bytes;
            Output { slot: plan.slot(id), from, to, bytes }
        };
        let outputs = plan.outputs.iter().zip(plan.readback()).map(place).collect();
        let own_bytes = memory.iter().map(|m| m.bytes()).sum::<u64>() + uniforms.size() + readback - before;
        // The session that lends memory counts it.
        let own_bytes = own_bytes - lent.as_ref().map_or(0, |lent| lent.memory.bytes());
        let gpu_bytes = own_bytes + weights.bytes();
        let given = |&id: &NodeId| {
            let node = &graph.nodes[id];
            let slot = plan.slot(id);
            match node.inputs[..] {
                [numbers] => Input { node: numbers, slot, packed: Some(node.ty.shape) },
                _ => Input { node: id, slot, packed: None },
            }
        };
        let is_lent = |id: &NodeId| lent.as_ref().is_some_and(|lent| lent.input == *id);
        let inputs = plan.inputs.iter().filter(|id| !is_lent(id)).map(given).collect();
        let kept = plan.kept.iter().map(|&id| (id, memory[plan.slot(id)].clone())).collect();
        // The first staging buffer is created here, where a lack of memory is noticed.
        let free = Mutex::new(vec![staging_buffer(gpu, readback)]);
        let (uploads, _taken) = (Uploads::default(), gpu.handle.take(own_bytes));
        let first = lent.map(|lent| lent.by);
        let _uniforms = uniforms;
        let latest = Latest::default();
        Ok(Self {
            first,
            steps,
            memory,
            kept,
            readback,
            _uniforms,
            free,
            uploads,
            inputs,
            outputs,
            gpu_bytes,
            latest,
            _taken,
        })
    }

    /// Uploads the inputs, runs the plan, and returns its outputs' bytes: one submission, one readback.
    ///
    /// # Errors
    /// As [`Session::submit`] and [`Session::finish`].
    pub async fn run(&self, gpu: &Gpu, inputs: &[Given<'_>]) -> Result<(Vec<Vec<u8>>, Stats)> {
        let run = self.submit(gpu, inputs, false).await?;
        let copied = |values: &[&[u8]], stats| (values.iter().map(|v| v.to_vec()).collect(), stats);
        self.finish(gpu, run, &mut |_, _| (), copied).await
    }

    /// Uploads the inputs and submits the run. The device works on it while the caller continues. Further runs may be
    /// submitted before this one is finished; the device executes them one after the other. With `clock` the device
    /// records when it began and ended, if it can.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is no memory for another pending run; [`Error::Device`] if the device refuses
    /// the work; [`Error::DeviceLost`] or [`Error::TimedOut`] if it can no longer be used.
    pub async fn submit(&self, gpu: &Gpu, inputs: &[Given<'_>], clock: bool) -> Result<Run> {
        self.submit_all(gpu, &[inputs], clock).await
    }

    /// [`Session::submit`] with the inputs of the plan before this one, followed by its own.
    ///
    /// # Errors
    /// As [`Session::submit`].
    pub async fn submit_all(&self, gpu: &Gpu, inputs: &[&[Given<'_>]], clock: bool) -> Result<Run> {
        self.watched(gpu, || self.record(gpu, Some(inputs), clock)).await
    }

    /// Submits this plan alone, with another content of one input. Everything else is what the last run left in memory.
    /// Finish it as any run.
    ///
    /// # Errors
    /// [`Error::Request`] if the last run was given up; otherwise as [`Session::submit`].
    pub async fn submit_again(&self, gpu: &Gpu, (input, content): Given<'_>) -> Result<Run> {
        self.watched(gpu, || {
            if self.latest().is_given_up() {
                return Err(Error::Request("the latest batch was given up; explain it again".into()));
            }
            let own = self.inputs.iter().find(|own| own.node == input).expect("the input is this plan's");
            self.memory[own.slot].write(&gpu.handle, content);
            self.record(gpu, None, false)
        })
        .await
    }

    /// Submits work, and asks the device whether it took it.
    async fn watched(&self, gpu: &Gpu, record: impl FnOnce() -> Result<Run>) -> Result<Run> {
        gpu.handle.check()?;
        let watch = Watch::new(&gpu.handle);
        let run = record();
        watch.end(&gpu.handle, self.gpu_bytes).await.and(run)
    }

    /// The session before this one, if there is one and the whole chain is asked for, then this one.
    fn chain(&self, whole: bool) -> impl Iterator<Item = &Self> + Clone {
        self.first.as_deref().filter(|_| whole).into_iter().chain([self])
    }

    /// The latest run of the plans that share memory with this one.
    fn latest(&self) -> &Latest {
        self.first.as_deref().map_or(&self.latest, Self::latest)
    }

    /// Submits the whole chain with these inputs, or this session alone without new ones.
    fn record(&self, gpu: &Gpu, inputs: Option<&[&[Given<'_>]]>, clock: bool) -> Result<Run> {
        let whole = inputs.is_some();
        let clock = clock.then(|| Clock::new(&gpu.handle, 2)).flatten();
        let staging = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let staging = staging.unwrap_or_else(|| staging_buffer(gpu, self.readback));
        let bytes = self.readback + if clock.is_some() { CLOCK_BYTES } else { 0 };
        let before = gpu.handle.counts();
        let steps: Vec<&Step> = self.chain(whole).flat_map(|session| &session.steps).collect();
        let mut parts: Vec<&[&Step]> = steps.chunk_by(|_, next| !next.begins).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        self.latest().flush(&gpu.handle);
        let (mut uploads, mut encoded) = (vec![], VecDeque::new());
        for (i, part) in parts.iter().enumerate() {
            let (is_first, is_last) = (i == 0, i + 1 == parts.len());
            let label = wgpu::CommandEncoderDescriptor { label: Some("explain") };
            let mut encoder = gpu.handle.device.create_command_encoder(&label);
            if let Some(inputs) = inputs.filter(|_| is_first) {
                let given = self.chain(whole).zip(inputs);
                let given = given.map(|(session, inputs)| session.give(gpu, &mut encoder, inputs));
                uploads = given.collect::<Result<Vec<_>>>()?;
            }
            {
                let timestamp_writes = clock.as_ref().and_then(|clock| clock.at(is_first, is_last));
                let pass = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
                let mut pass = encoder.begin_compute_pass(&pass);
                part.iter().for_each(|step| step.encode(&mut pass));
            }
            if is_last {
                for session in self.chain(whole) {
                    for Output { slot, from, to, bytes } in &session.outputs {
                        session.memory[*slot].copy(&mut encoder, *from, &staging, *to, *bytes);
                    }
                }
                if let Some(clock) = &clock {
                    clock.resolve(&mut encoder, &staging, self.readback);
                }
            }
            encoded.push_back(encoder);
        }
        let sending = self.latest().begin(&gpu.handle, encoded);
        self.chain(whole).zip(uploads).for_each(|(session, upload)| session.uploads.give_back(upload));
        // A buffer that is mapped cannot be written by what is submitted later.
        let mapped = sending.is_sent().then(|| gpu.handle.map(&staging, bytes));
        let counted = [0, 1].map(|i| gpu.handle.counts()[i] - before[i]);
        Ok(Run { staging, mapped, bytes, whole, counted, sending })
    }

    /// Writes the inputs. Those in buffers go through an upload buffer, which the encoded commands copy. Give the
    /// returned upload buffer back once they are submitted.
    pub(super) fn give(
        &self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        inputs: &[Given<'_>],
    ) -> Result<Option<Owned>> {
        let mut buffers = vec![];
        for Input { node, slot, packed } in &self.inputs {
            let given = inputs.iter().find(|(id, _)| id == node).expect("every input of the plan is given").1;
            match (&*self.memory[*slot], packed) {
                (memory, Some(shape)) => memory.write(&gpu.handle, bytemuck::cast_slice(&texels_of(given, *shape))),
                (Memory::Buffer(buffer), None) => buffers.push((&**buffer, given)),
                (memory, None) => memory.write(&gpu.handle, given),
            }
        }
        self.uploads.copy(&gpu.handle, encoder, &buffers)
    }

    /// Waits for a run and passes the bytes of its outputs to `take`, in the order of the plans. `progress` learns how many of
    /// the run's submissions have ended, and how many there are; each may take as long as the timeout.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`] or [`Error::Device`] if the device did not complete it;
    /// [`Error::Interrupted`].
    pub async fn finish<T>(
        &self,
        gpu: &Gpu,
        run: Run,
        progress: &mut dyn FnMut(usize, usize),
        take: impl FnOnce(&[&[u8]], Stats) -> T,
    ) -> Result<T> {
        let before = gpu.handle.counts();
        let mut ended = 0;
        while let Some(submission) = run.sending.next(&gpu.handle) {
            gpu.handle.ended(submission).await?;
            ended += 1;
            progress(ended, run.sending.count());
        }
        let mapped = run.mapped.unwrap_or_else(|| gpu.handle.map(&run.staging, run.bytes));
        let after = gpu.handle.counts();
        let [submissions, readbacks] = [0, 1].map(|i| run.counted[i] + after[i] - before[i]);
        let taken = gpu.handle.read(&run.staging, mapped, run.bytes, |bytes| {
            let values: Vec<&[u8]> = self
                .chain(run.whole)
                .flat_map(|session| &session.outputs)
                .map(|o| &bytes[o.to as usize..(o.to + o.bytes) as usize])
                .collect();
            let stats = Stats {
                submissions,
                readbacks,
                readback_bytes: bytes.len() as u64,
                gpu_bytes: self.chain(true).map(|session| session.gpu_bytes).sum(),
                dispatches: self.chain(run.whole).map(|session| session.steps.len() as u32).sum(),
                device_ns: Clock::read(&gpu.handle, &bytes[self.readback as usize..]),
            };
            take(&values, stats)
        });
        let taken = taken.await?;
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(run.staging);
        Ok(taken)
    }
}

/// A pending run.
pub struct Run {
    staging: Owned,
    mapped: Option<Mapped>,
    bytes: u64,
    /// Whether the plan before this one ran too.
    whole: bool,
    /// Its submissions and readbacks so far.
    counted: [u32; 2],
    sending: Sending,
}

/// Creates a staging buffer for the outputs of a run and its timestamps.
fn staging_buffer(gpu: &Gpu, readback: u64) -> Owned {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    Owned::new(&gpu.handle.device, "readback", readback + CLOCK_BYTES, usage)
}

/// A grid of at least `groups` workgroups with at most `limit` of them in the first dimension.
fn fold(groups: u32, limit: u32) -> [u32; 2] {
    let rows = groups.div_ceil(limit).max(1);
    [groups.div_ceil(rows).max(1), rows]
}
