//! Compute pipelines, each made once.

use std::collections::HashMap;

use super::device::Gpu;
use crate::kernels::{Dispatch, preprocess};

/// Shader, defines and kinds of bindings.
type Key = (&'static str, Vec<(&'static str, u32)>, Vec<wgpu::BindingType>);

/// All pipelines of a device so far.
#[derive(Default)]
pub struct Pipelines {
    pipelines: HashMap<Key, wgpu::ComputePipeline>,
}

impl Pipelines {
    /// The pipeline for a dispatch whose operands have the given kinds.
    pub fn get(&mut self, gpu: &Gpu, dispatch: &Dispatch, operands: Vec<wgpu::BindingType>) -> wgpu::ComputePipeline {
        let key = (dispatch.shader, dispatch.defines.clone(), operands);
        self.pipelines
            .entry(key)
            .or_insert_with_key(|(shader, defines, operands)| create(gpu, shader, defines, operands))
            .clone()
    }
}

fn create(gpu: &Gpu, shader: &str, defines: &[(&str, u32)], operands: &[wgpu::BindingType]) -> wgpu::ComputePipeline {
    let text = preprocess::expand(shader, defines);
    let descriptor =
        wgpu::ShaderModuleDescriptor { label: Some(shader), source: wgpu::ShaderSource::Wgsl(text.into()) };
    let module = module(&gpu.device, descriptor, gpu.checked());
    let uniform = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    let entries: Vec<_> = std::iter::once(uniform)
        .chain(operands.iter().copied())
        .zip(0..)
        .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        })
        .collect();
    let group = gpu
        .device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(shader), entries: &entries });
    let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(shader),
        bind_group_layouts: &[Some(&group)],
        immediate_size: 0,
    });
    gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
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

/// A shader module with or without run-time checks. The shaders are this crate's own: every index is
/// bounded by the parameters that the plan computes, and the tests compare both kinds over odd shapes.
#[allow(unsafe_code)]
fn module(device: &wgpu::Device, descriptor: wgpu::ShaderModuleDescriptor, checked: bool) -> wgpu::ShaderModule {
    if checked {
        return device.create_shader_module(descriptor);
    }
    // SAFETY: the shaders make no access out of bounds, do not loop forever and do not divide by zero.
    unsafe { device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked()) }
}
