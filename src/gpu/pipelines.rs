//! Compute pipelines. Each is created once.

use std::collections::HashMap;

use super::handle::Handle;
use super::memory::{Binding, Memory};
use super::owned::Owned;
use crate::error::Result;
use crate::kernels::{Dispatch, preprocess};

/// Shader, defines, and the bindings after the uniform block.
type Key = (&'static str, Vec<(&'static str, u32)>, Vec<Binding>);

/// The pipelines of a device that exist so far.
pub struct Pipelines {
    pipelines: HashMap<Key, wgpu::ComputePipeline>,
    /// Whether shaders check bounds at run time.
    checked: bool,
}

impl Pipelines {
    /// Starts without pipelines.
    pub fn new(checked: bool) -> Self {
        Self { pipelines: HashMap::new(), checked }
    }

    /// Drops all pipelines.
    pub fn clear(&mut self) {
        self.pipelines.clear();
    }

    /// Returns a pipeline for each dispatch and its bindings.
    ///
    /// New pipelines are submitted at once in dispatches of no workgroups. So drivers that compile at the first
    /// dispatch do it while the caller packs and uploads weights.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`] if the device refuses even the smallest memory.
    pub fn all(
        &mut self,
        handle: &Handle,
        dispatches: &[(&Dispatch, Vec<Binding>)],
    ) -> Result<Vec<wgpu::ComputePipeline>> {
        let mut encoder =
            handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("warm-up") });
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut all = vec![];
        let mut bound = vec![]; // until it is submitted
        for (dispatch, bindings) in dispatches {
            let key = (dispatch.shader, dispatch.defines.clone(), bindings.clone());
            let pipeline = match self.pipelines.get(&key) {
                Some(pipeline) => pipeline.clone(),
                None => {
                    let pipeline = create(handle, dispatch, bindings, self.checked);
                    bound.push(warm_up(handle, &mut pass, &pipeline, dispatch, bindings)?);
                    self.pipelines.insert(key, pipeline.clone());
                    pipeline
                }
            };
            all.push(pipeline);
        }
        drop(pass);
        handle.queue.submit([encoder.finish()]);
        Ok(all)
    }
}

/// Encodes a dispatch of no workgroups. Returns its memory, which is never accessed.
fn warm_up(
    handle: &Handle,
    pass: &mut wgpu::ComputePass,
    pipeline: &wgpu::ComputePipeline,
    dispatch: &Dispatch,
    bindings: &[Binding],
) -> Result<(Owned, Vec<Memory>)> {
    let size = (dispatch.params.len() as u64).next_multiple_of(16);
    let uniform = Owned::new(&handle.device, "warm-up", size, wgpu::BufferUsages::UNIFORM);
    let memory = bindings.iter().map(|b| b.smallest(handle)).collect::<Result<Vec<_>>>()?;
    let resources = std::iter::once(uniform.as_entire_binding()).chain(memory.iter().map(Memory::binding));
    let entries: Vec<_> =
        resources.zip(0..).map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource }).collect();
    let layout = &pipeline.get_bind_group_layout(0);
    let group = handle.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups(0, 1, 1);
    Ok((uniform, memory))
}

fn create(handle: &Handle, dispatch: &Dispatch, bindings: &[Binding], checked: bool) -> wgpu::ComputePipeline {
    let shader = dispatch.shader;
    let text = preprocess::expand(shader, &dispatch.defines);
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(shader), source: wgpu::ShaderSource::Wgsl(text.into()) };
    let module = module(&handle.device, descriptor, checked);
    let uniform = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    let entries: Vec<_> = std::iter::once(uniform)
        .chain(bindings.iter().map(|b| b.ty()))
        .zip(0..)
        .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        })
        .collect();
    let group = handle
        .device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader), entries: &entries });
    let layout = handle.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(shader),
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    handle.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(shader),
        layout: Some(&layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}

/// Creates a shader module with or without run-time checks. The shaders are this crate's own: every index is bounded by
/// parameters that the plan computes. The tests compare both kinds on odd shapes.
#[allow(unsafe_code)]
fn module(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor, checked: bool) -> wgpu::ShaderModule {
    if checked {
        return device.create_shader_module(descriptor);
    }
    // SAFETY: the shaders make no access out of bounds, do not loop forever and do not divide by zero.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
